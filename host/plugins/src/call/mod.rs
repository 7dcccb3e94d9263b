//! One call: a fresh instance, its bounds, its end, its receipt.

mod breaker;
mod limits;
mod log;
mod queue;
mod state;
mod verdict;

pub(crate) use breaker::Breakers;
pub(crate) use limits::Exceeded;
pub(crate) use log::{Captured, scrub};
pub(crate) use queue::Queue;
pub(crate) use state::{CallState, Shared};

use crate::{
    engine::TICK,
    v1::{Pre, bindings::types, convert},
};
use aistack_core::Clock;
use aistack_domain::plugins::port::{CallOutcome, CallReceipt, Fault, FaultKind, Invocation};
use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use wasmtime::{Engine, Store, UpdateDeadline};

/// A future of a call in progress.
pub(crate) type Step<'a, O> = Pin<Box<dyn Future<Output = wasmtime::Result<Result<O, Fault>>> + Send + 'a>>;
/// What to do with the instance: instantiate, call, convert. The outer error is the guest's end (trap, bound); the
/// inner one is a fault it returned.
pub(crate) type Work<O> =
    Box<dyn for<'a> FnOnce(&'a mut Store<CallState>, &'a Pre, types::Context) -> Step<'a, O> + Send>;

/// What a call came to.
pub(crate) struct Done<O> {
    pub(crate) result: Result<O, Fault>,
    pub(crate) receipt: CallReceipt,
    /// Whether the breaker counts it.
    pub(crate) unhealthy: bool,
}

/// Runs a call to its end.
pub(crate) async fn execute<O>(
    engine: &Engine,
    shared: &Arc<Shared>,
    pre: &Pre,
    inv: Invocation,
    operation: &'static str,
    max_memory: usize,
    work: Work<O>,
) -> Done<O> {
    let clock = Arc::clone(&shared.clock);
    let (started_at, start) = (clock.now(), clock.monotonic());
    let (wall, cpu, transfer) = (inv.limits.wall, inv.limits.cpu, inv.limits.transfer);
    let context = convert::context(&inv);
    let mut store = Store::new(engine, CallState::new(inv, Arc::clone(shared), max_memory));
    store.limiter(|s| &mut s.limiter);
    store.set_hostcall_fuel(transfer);
    // The guest yields at each tick, so that nobody keeps a thread, and is ended after as many as its CPU time has.
    let mut left = (cpu.as_millis() / TICK.as_millis()).max(1);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |mut call| {
        call.data_mut().turns += 1;
        left -= 1;
        Ok(if left == 0 {
            UpdateDeadline::Interrupt
        } else {
            UpdateDeadline::Yield(1)
        })
    });
    let (ended, guest) = {
        let mut spent = Duration::ZERO;
        let timed = Timed {
            inner: work(&mut store, pre, context),
            clock: &*clock,
            spent: &mut spent,
        };
        let ended = tokio::time::timeout(wall, timed).await;
        (ended, spent)
    };
    let state = store.into_data();
    let verdict = verdict::of(ended, &state);
    let log = state.finish_log(verdict.trap.as_deref());
    let receipt = CallReceipt {
        call: log.inv.call,
        tenant: log.inv.tenant,
        installation: log.inv.installation,
        request: log.inv.request,
        plugin: Arc::clone(&log.inv.plugin),
        digest: Arc::clone(&log.inv.digest),
        lane: log.inv.lane,
        operation: operation.to_owned(),
        started_at,
        wall: clock.monotonic().saturating_sub(start),
        guest,
        turns: log.turns,
        memory: log.memory,
        host_calls: log.host_calls,
        bytes_out: log.bytes_out,
        bytes_in: log.bytes_in,
        outcome: verdict.outcome,
        code: verdict.code,
        log: log.lines,
    };
    Done {
        unhealthy: verdict.result.as_ref().is_err_and(Fault::feeds_breaker),
        result: verdict.result,
        receipt,
    }
}

/// The receipt of a call that never started.
pub(crate) fn refused(clock: &dyn Clock, inv: &Invocation, operation: &'static str, fault: &Fault) -> CallReceipt {
    CallReceipt {
        call: inv.call,
        tenant: inv.tenant,
        installation: inv.installation,
        request: inv.request,
        plugin: Arc::clone(&inv.plugin),
        digest: Arc::clone(&inv.digest),
        lane: inv.lane,
        operation: operation.to_owned(),
        started_at: clock.now(),
        wall: Duration::ZERO,
        guest: Duration::ZERO,
        turns: 0,
        memory: 0,
        host_calls: 0,
        bytes_out: 0,
        bytes_in: 0,
        outcome: CallOutcome::Refused,
        code: Some(fault.code.clone()),
        log: Vec::new(),
    }
}

/// A fault of a call that was not started because the host could not take it now.
pub(crate) fn busy(code: &str, message: &str, retry_after: Duration) -> Fault {
    Fault {
        retry_after: Some(retry_after),
        ..Fault::new(FaultKind::RateLimited, code, message)
    }
}

/// Adds up the time a future spends being polled: what the guest (and synchronous host calls) took, without the time
/// it waited for the network or for its turn.
struct Timed<'a, F> {
    inner: F,
    clock: &'a dyn Clock,
    spent: &'a mut Duration,
}

impl<F: Future + Unpin> Future for Timed<'_, F> {
    type Output = F::Output;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let before = self.clock.monotonic();
        let polled = Pin::new(&mut self.inner).poll(cx);
        let spent = self.clock.monotonic().saturating_sub(before);
        *self.spent += spent;
        polled
    }
}
