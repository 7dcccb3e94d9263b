//! A plugin call in a fresh instance against the same component under wasmtime alone, metered in three ways, and against
//! the same function native. The work: two JSON documents (150 and 430 bytes) read, one written, three host calls, an
//! HMAC. `cargo bench -p aistack-plugins --bench call`.
//!
//! Before criterion's figures of each come the ratios: all take turns, a few calls each, so that whatever else the machine
//! does meets all of them alike. They are printed as `name: value`.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench measures real time, stops on errors and tells what it found"
)]

#[path = "../tests/it/harness.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "shared with the tests; the bench needs a part of it"
)]
mod harness;
#[path = "raw/mod.rs"]
#[allow(
    unreachable_pub,
    dead_code,
    reason = "a module of this bench; members of records cross the border unread"
)]
mod raw;
#[allow(unreachable_pub, reason = "shared with tests/rivals")]
mod request;

use aistack_domain::plugins::port::{CallOutcome, Invocation, PaymentAction, PluginRuntime, Powers};
use criterion::{Criterion, criterion_group, criterion_main};
use harness::{Bench, all_grants};
use raw::{Metering, Raw};
use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

/// Processor time of this process, all its threads.
fn cpu() -> Duration {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(t.tv_sec.unsigned_abs(), u32::try_from(t.tv_nsec).unwrap())
}

/// What calls of one kind took.
struct Side<'a> {
    name: &'static str,
    call: Box<dyn FnMut() + 'a>,
    took: Vec<Duration>,
    cpu: Duration,
}

impl<'a> Side<'a> {
    fn new(name: &'static str, call: impl FnMut() + 'a) -> Self {
        Self {
            name,
            call: Box::new(call),
            took: Vec::new(),
            cpu: Duration::ZERO,
        }
    }

    fn median(&mut self) -> f64 {
        self.took.sort_unstable();
        self.took[self.took.len() / 2].as_secs_f64()
    }
}

/// Rounds in which every side makes [`TURN`] calls.
const ROUNDS: usize = 200;
const TURN: usize = 25;

/// All sides in turns. The first one is what the others are compared with; `full` is compared with `raw_epoch` as well.
fn ratios(mut sides: Vec<Side<'_>>) {
    for round in 0..ROUNDS + 20 {
        for side in &mut sides {
            let before = cpu();
            for _ in 0..TURN {
                let asked = Instant::now();
                (side.call)();
                side.took.push(asked.elapsed());
            }
            side.cpu += cpu().saturating_sub(before);
            if round < 20 {
                (side.took, side.cpu) = (Vec::new(), Duration::ZERO);
            }
        }
    }
    let native = sides[0].median();
    let mut medians = std::collections::BTreeMap::new();
    for side in &mut sides {
        let (name, calls, median) = (side.name, side.took.len(), side.median());
        medians.insert(name, median);
        println!(
            "ratio/{name}: p50 {:.1} µs, {:.1} x native, {:.0} calls per CPU-second",
            median * 1e6,
            median / native,
            f64::from(u32::try_from(calls).unwrap()) / side.cpu.as_secs_f64()
        );
    }
    println!("ratio/full_to_raw: {:.2}", medians["full"] / medians["raw_epoch"]);
    println!(
        "ratio/epoch_to_none: {:.2}",
        medians["raw_epoch"] / medians["raw_unmetered"]
    );
    println!(
        "ratio/fuel_to_none: {:.2}",
        medians["raw_fuel"] / medians["raw_unmetered"]
    );
}

fn benches(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let bench = Bench::new();
    let digest = runtime.block_on(bench.admit("payment"));
    let invocation = || Invocation {
        config: Arc::new(request::config()),
        powers: Arc::new(Powers::new(Arc::new(all_grants()))),
        ..bench.invocation(&digest)
    };
    let (config, payload_text) = (request::config().to_string(), request::payload().to_string());
    // Both sides must come to the same address, or the comparison means nothing.
    let paid = runtime
        .block_on(
            bench
                .host
                .payment()
                .create(invocation(), request::order(request::payload())),
        )
        .unwrap();
    assert_eq!(
        paid.action,
        PaymentAction::Redirect(request::native(&config, &payload_text))
    );
    assert_eq!(bench.platform.last().outcome, CallOutcome::Ok);

    let inv = invocation();
    let raw = [
        ("raw_epoch", Metering::Epoch),
        ("raw_fuel", Metering::Fuel),
        ("raw_unmetered", Metering::Nothing),
    ]
    .map(|(name, metering)| {
        let raw = Raw::new(&harness::component("payment"), metering, &config, &payload_text);
        assert_eq!(runtime.block_on(raw.call()), request::native(&config, &payload_text));
        (name, raw)
    });
    // The others have theirs ready as well.
    let asked = request::order(request::payload());
    let full = async || {
        let done = bench.host.payment().create(inv.clone(), asked.clone()).await;
        bench.platform.receipts.lock().unwrap().clear();
        done.unwrap()
    };
    let native = || drop(black_box(request::native(black_box(&config), black_box(&payload_text))));
    let mut sides = vec![
        Side::new("native", native),
        Side::new("full", || drop(runtime.block_on(full()))),
    ];
    sides.extend(
        raw.iter()
            .map(|(name, raw)| Side::new(name, || drop(runtime.block_on(raw.call())))),
    );
    ratios(sides);

    let mut group = c.benchmark_group("plugin_call");
    group.bench_function("native", |b| {
        b.iter(|| request::native(black_box(&config), black_box(&payload_text)));
    });
    group.bench_function("fresh_instance", |b| b.to_async(&runtime).iter(full));
    for (name, raw) in &raw {
        group.bench_function(*name, |b| b.to_async(&runtime).iter(|| raw.call()));
    }
    // What a call costs before the plugin does anything: queue, breaker, instance, receipt.
    group.bench_function("fresh_instance_idle", |b| {
        b.to_async(&runtime).iter(|| async {
            let done = bench.host.describe(inv.clone()).await;
            bench.platform.receipts.lock().unwrap().clear();
            done.unwrap()
        });
    });
    group.finish();
}

criterion_group!(plugin_call, benches);
criterion_main!(plugin_call);
