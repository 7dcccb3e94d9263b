//! The one wasmtime engine of the process: its pool, its epoch ticker, its figures.

use crate::config::RuntimeConfig;
use aistack_domain::plugins::port::{CallReceipt, PoolFigures};
use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, WasmBacktraceDetails};

/// How often the epoch advances: the grain of CPU bounds and of the turns guests take on a thread.
pub(crate) const TICK: Duration = CallReceipt::TURN;

/// Core instances that a component may be made of. Rust needs 4 or 5, Python 38: its interpreter comes as a bundle of shared
/// libraries. They reserve nothing until they are there; what they take together is bounded by the pool as well.
const CORE_INSTANCES: u32 = 64;

/// What the compiled code depends on. The compiling child and the running engine must agree on all of it.
///
/// With `fuel` every instruction is counted, which costs a third of the speed: for measuring, not for running.
fn code_config(fuel: bool) -> Config {
    let mut c = Config::new();
    c.wasm_component_model(true)
        // Contract 1 has no async functions; the machinery for them costs 3 µs per call.
        .concurrency_support(false)
        .epoch_interruption(true)
        .shared_memory(false)
        .max_wasm_stack(512 << 10)
        .async_stack_size(1 << 20)
        .consume_fuel(fuel)
        // Line tables are kept where a component has them: released ones are stripped and cost nothing.
        .wasm_backtrace_details(WasmBacktraceDetails::Enable)
        .wasm_backtrace_max_frames(NonZeroUsize::new(20));
    c
}

/// An engine that compiles and never instantiates: it reserves no address space, so it works under `RLIMIT_AS`.
pub(crate) fn compiler(fuel: bool) -> wasmtime::Result<Engine> {
    Engine::new(&code_config(fuel))
}

/// The running engine.
pub(crate) fn running(config: &RuntimeConfig) -> wasmtime::Result<Engine> {
    let slots = config.instances.max(1);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(slots)
        .total_core_instances(slots.saturating_mul(CORE_INSTANCES))
        .total_memories(slots.saturating_mul(2))
        .total_tables(slots.saturating_mul(4))
        .total_stacks(slots)
        .max_core_instances_per_component(CORE_INSTANCES)
        .max_memories_per_component(2)
        .max_tables_per_component(4)
        .max_memory_size(config.max_memory)
        .table_elements(16 << 10)
        .max_unused_warm_slots(100)
        // Together these two halve the latency of a call: nothing is unmapped, only dirty pages are reset.
        .linear_memory_keep_resident(256 << 10)
        .table_keep_resident(64 << 10)
        .pagemap_scan(Enabled::Auto);
    let mut c = code_config(config.count_fuel);
    c.memory_init_cow(true)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&c)
}

/// Whether calls are running: without any the clock of turns may go slowly.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    running: AtomicUsize,
    started: AtomicU64,
}

/// A running call.
pub(crate) struct Beat(Arc<Pulse>);

impl Pulse {
    /// A call starts; it runs until what is returned is dropped.
    pub(crate) fn start(self: &Arc<Self>) -> Beat {
        self.running.fetch_add(1, Ordering::Relaxed);
        self.started.fetch_add(1, Ordering::Relaxed);
        Beat(Arc::clone(self))
    }
}

impl Drop for Beat {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Advances the epoch until the engine is gone; five times slower when no call has run for a while.
pub(crate) fn start_ticker(engine: &Engine, pulse: Arc<Pulse>) -> std::io::Result<()> {
    const AWAKE: u32 = 1_000;
    let weak = engine.weak();
    std::thread::Builder::new()
        .name("plugin-ticker".to_owned())
        .spawn(move || {
            let (mut seen, mut awake) = (0, 0u32);
            while let Some(engine) = weak.upgrade() {
                engine.increment_epoch();
                drop(engine);
                let started = pulse.started.load(Ordering::Relaxed);
                if started != seen || pulse.running.load(Ordering::Relaxed) > 0 {
                    (seen, awake) = (started, AWAKE);
                }
                std::thread::sleep(if awake == 0 { TICK * 5 } else { TICK });
                awake = awake.saturating_sub(1);
            }
        })
        .map(|_| ())
}

/// Reads the pool's figures.
pub(crate) fn figures(engine: &Engine, capacity: u32, components: usize) -> PoolFigures {
    let m = engine.pooling_allocator_metrics();
    let of = |f: &dyn Fn(&wasmtime::PoolingAllocatorMetrics) -> usize| m.as_ref().map_or(0, |m| f(m) as u64);
    PoolFigures {
        instances: m
            .as_ref()
            .map_or(0, wasmtime::PoolingAllocatorMetrics::component_instances),
        capacity: u64::from(capacity),
        memories: of(&|m| m.memories()),
        stacks: of(&|m| m.stacks()),
        idle_bytes: of(&|m| m.unused_memory_bytes_resident()),
        components: components as u64,
    }
}
