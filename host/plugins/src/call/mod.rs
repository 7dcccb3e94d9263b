//! One call: a fresh instance, its bounds, its end, its receipt.

mod breaker;
mod budget;
mod frames;
mod light;
mod limits;
mod log;
mod queue;
mod redact;
mod state;
mod verdict;
mod watch;

pub(crate) use breaker::Breakers;
pub(crate) use budget::{Socket, Sockets, Traffic};
pub(crate) use light::{Heavies, Lanes};
pub(crate) use limits::Exceeded;
#[cfg(test)]
pub(crate) use log::CallLog;
pub(crate) use log::{Captured, scrub};
pub(crate) use queue::Queue;
pub(crate) use redact::{FileRedactor, Redactor, Visible};
pub(crate) use state::{CallState, Shared};
pub(crate) use watch::{HEAVY_AFTER, Watch};

use crate::{
    engine::TICK,
    journal::{self, Tape},
    v1::{Pre, bindings::types},
};
use aistack_core::Clock;
use aistack_domain::plugins::port::{CallOutcome, CallReceipt, Fault, FaultKind, Invocation, Use};
use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use verdict::Ended;
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

/// How many ticks a heavy guest runs at a time: fewer changes of hands for the same share.
const HEAVY_TICKS: u64 = 5;

/// Runs a call to its end. `watch` tells what it uses of the processor, and whether that is much.
pub(crate) async fn execute<O: Visible>(
    engine: &Engine,
    shared: &Arc<Shared>,
    pre: &Pre,
    inv: Invocation,
    operation: &'static str,
    watch: Arc<Watch>,
    work: Work<O>,
) -> Done<O> {
    let clock = Arc::clone(&shared.clock);
    let (started_at, start) = (clock.now(), clock.monotonic());
    let (wall, cpu, transfer) = (inv.limits.wall, inv.limits.cpu, inv.limits.transfer);
    let context = journal::context(&inv);
    let tape = Tape::new(&inv, &context, operation, started_at);
    let powers = Arc::clone(&inv.powers);
    let (services, bill) = (Arc::clone(&inv.services), Arc::clone(&inv.services));
    let mut store = Store::new(engine, CallState::new(inv, Arc::clone(shared), tape));
    store.limiter(|s| &mut s.limiter);
    store.set_hostcall_fuel(transfer);
    if shared.fuel {
        // Counted, not bounded: time is what bounds a call. It can't fail where fuel is counted.
        let _ = store.set_fuel(u64::MAX);
    }
    // The clock of turns asks now and then. A guest that has used little goes on; a heavy one lets others have the thread;
    // one that has used all it may, or whose tenant has, is ended.
    let meter = Arc::clone(&watch);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |mut ctx| {
        let used = meter.used();
        let state = ctx.data_mut();
        let since = used.saturating_sub(state.billed);
        state.billed = used;
        if let Err(spent) = bill.charge(Use::Cpu(since)) {
            state.spent = Some(spent);
            return Ok(UpdateDeadline::Interrupt);
        }
        Ok(if used >= cpu {
            UpdateDeadline::Interrupt
        } else if used < HEAVY_AFTER {
            UpdateDeadline::Continue(1)
        } else {
            meter.mark_heavy();
            let left = (cpu - used).as_millis() / TICK.as_millis() + 1;
            UpdateDeadline::Yield(u64::try_from(left).unwrap_or(HEAVY_TICKS).min(HEAVY_TICKS))
        })
    });
    let ended = {
        let timed = Timed {
            inner: work(&mut store, pre, context),
            watch: &watch,
        };
        tokio::select! {
            biased;
            code = powers.lost() => Ended::Lost(code),
            done = tokio::time::timeout(wall, timed) => match done {
                Ok(done) => Ended::Itself(done),
                Err(_) => Ended::Late,
            },
        }
    };
    let guest = watch.total();
    let fuel = shared.fuel.then(|| u64::MAX - store.get_fuel().unwrap_or(u64::MAX));
    let mut state = store.into_data();
    // What came after the clock's last question; whether it was too much is the next call's business.
    let _ = services.charge(Use::Cpu(guest.saturating_sub(state.billed)));
    let verdict = verdict::of(ended, &mut state);
    let tape = std::mem::replace(&mut state.tape, Tape::Off).finish(verdict.outcome, verdict.code.as_deref());
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
        turns: u64::try_from(guest.as_nanos() / CallReceipt::TURN.as_nanos()).unwrap_or(u64::MAX),
        memory: log.memory,
        host_calls: log.host_calls,
        bytes_out: log.bytes_out,
        bytes_in: log.bytes_in,
        outcome: verdict.outcome,
        code: verdict.code,
        fault: verdict.result.as_ref().err().map(|f| f.kind),
        log: log.lines,
        fuel,
        frames: verdict.frames,
        tape,
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
        fault: Some(fault.kind),
        log: Vec::new(),
        fuel: None,
        frames: Vec::new(),
        tape: None,
    }
}

/// A fault of a call that was not started because the host could not take it now.
pub(crate) fn busy(code: &str, message: &str, retry_after: Duration) -> Fault {
    Fault {
        retry_after: Some(retry_after),
        ..Fault::new(FaultKind::RateLimited, code, message)
    }
}

/// Adds up the processor time a future takes: the guest's and that of host calls which compute.
struct Timed<'a, F> {
    inner: F,
    watch: &'a Watch,
}

impl<F: Future + Unpin> Future for Timed<'_, F> {
    type Output = F::Output;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.watch.begin();
        let polled = Pin::new(&mut self.inner).poll(cx);
        self.watch.end();
        polled
    }
}
