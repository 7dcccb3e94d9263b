//! How a call ended, from what wasmtime and the counters say.

use super::{CallState, Exceeded, Visible};
use aistack_domain::plugins::port::{CallOutcome, Fault, FaultKind, Invocation, LogLine};
use wasmtime::{PoolConcurrencyLimitError, Trap, component::ResourceTableError};
use wasmtime_wasi::I32Exit;

/// The end of a call.
pub(super) struct Verdict<O> {
    pub(super) result: Result<O, Fault>,
    pub(super) outcome: CallOutcome,
    /// Fault or trap code.
    pub(super) code: Option<String>,
    /// What wasmtime said, for the log.
    pub(super) trap: Option<String>,
}

/// How the guest was left.
pub(super) enum Ended<O> {
    /// It came to an end: a result, a fault, or an error of the machine.
    Itself(wasmtime::Result<Result<O, Fault>>),
    /// Its wall time was over.
    Late,
    /// The installation may not run any more, and why.
    Lost(&'static str),
}

pub(super) fn of<O: Visible>(ended: Ended<O>, state: &CallState) -> Verdict<O> {
    if let (Ended::Itself(Err(_)), Some(spent)) = (&ended, &state.spent) {
        let spent = Fault {
            outcome_unknown: state.may_have_acted,
            ..spent.clone()
        };
        return fault(spent, CallOutcome::Limit);
    }
    match ended {
        Ended::Itself(Ok(Ok(value))) if state.redact.occurs_in_result(&value) => fault(
            Fault {
                outcome_unknown: state.may_have_acted,
                ..Fault::new(
                    FaultKind::Internal,
                    "secret_in_output",
                    "the plugin's answer contains a secret of the installation",
                )
            },
            CallOutcome::Fault,
        ),
        Ended::Itself(Ok(Ok(value))) => Verdict {
            result: Ok(value),
            outcome: CallOutcome::Ok,
            code: None,
            trap: None,
        },
        Ended::Itself(Ok(Err(f))) => {
            // The guest passed on that one of its budgets is used up.
            let bound = state.traffic.exceeded.is_some_and(|code| code == f.code);
            let outcome = if bound { CallOutcome::Limit } else { CallOutcome::Fault };
            fault(state.redact.fault(f), outcome)
        }
        Ended::Lost(code) => fault(
            Fault {
                outcome_unknown: state.may_have_acted,
                ..Fault::new(FaultKind::Denied, code, "the installation may not run any more")
            },
            CallOutcome::Refused,
        ),
        Ended::Late => cut(
            state,
            CallOutcome::Timeout,
            "wall_time_exceeded",
            "the plugin took longer than it may",
            None,
        ),
        Ended::Itself(Err(error)) => {
            let (outcome, code, message) = classify(&error, state);
            cut(state, outcome, code, message, Some(format!("{error:#}")))
        }
    }
}

fn fault<O>(fault: Fault, outcome: CallOutcome) -> Verdict<O> {
    Verdict {
        outcome,
        code: Some(fault.code.clone()),
        trap: None,
        result: Err(fault),
    }
}

/// The guest did not finish: what it asked of a provider may have happened all the same.
fn cut<O>(
    state: &CallState,
    outcome: CallOutcome,
    code: &'static str,
    message: &str,
    trap: Option<String>,
) -> Verdict<O> {
    Verdict {
        result: Err(Fault {
            outcome_unknown: state.may_have_acted,
            ..Fault::new(FaultKind::Internal, code, message)
        }),
        outcome,
        code: Some(code.to_owned()),
        trap,
    }
}

fn classify(error: &wasmtime::Error, state: &CallState) -> (CallOutcome, &'static str, &'static str) {
    use CallOutcome as C;
    if let Some(e) = error.downcast_ref::<Exceeded>() {
        return (C::Limit, e.code(), "the plugin ran into a bound of the call");
    }
    if error.is::<PoolConcurrencyLimitError>() {
        return (C::Refused, "pool_full", "no instance is free");
    }
    if let Some(ResourceTableError::Full) = error.downcast_ref() {
        return (
            C::Limit,
            "handles_exceeded",
            "the plugin holds more handles than it may",
        );
    }
    if error.is::<I32Exit>() {
        return (C::Trap, "exit", "the plugin ended itself");
    }
    // Some limiters end as an ordinary trap of the guest: the refused allocation is what aborted it.
    if state.limiter.refused {
        return (
            C::Limit,
            "memory_exceeded",
            "the plugin needs more memory than it may use",
        );
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => (
            C::Timeout,
            "cpu_time_exceeded",
            "the plugin used more CPU time than it may",
        ),
        Some(Trap::StackOverflow | Trap::MemoryOutOfBounds) => (C::Trap, "memory_fault", "the plugin crashed"),
        Some(_) => (C::Trap, "trap", "the plugin crashed"),
        None if is_transfer(error) => (
            C::Limit,
            "transfer_exceeded",
            "the plugin passed more data in one call than it may",
        ),
        None => (C::Trap, "host_error", "the plugin could not be run"),
    }
}

/// wasmtime has no type for this one.
fn is_transfer(error: &wasmtime::Error) -> bool {
    error
        .chain()
        .any(|e| e.to_string().contains("too much data is being copied"))
}

/// What is left of a call's state once it has ended.
pub(super) struct Remains {
    pub(super) inv: Invocation,
    pub(super) memory: u64,
    pub(super) host_calls: u32,
    pub(super) bytes_out: u64,
    pub(super) bytes_in: u64,
    pub(super) lines: Vec<LogLine>,
}

impl CallState {
    /// Closes the log: what the guest wrote to its standard output (panics arrive there), then why it ended.
    pub(super) fn finish_log(mut self, trap: Option<&str>) -> Remains {
        let output = self.output.text();
        if !output.is_empty() {
            self.say("error", &output.replace('\n', " | "), &[]);
        }
        let dropped = self.log.dropped();
        let trap = trap.map(|trap| {
            let trap = self.redact.text(trap.replace('\n', " | "));
            let message: String = super::scrub(&trap).chars().take(2_000).collect();
            tracing::warn!(target: "plugin", trap = %message, "the plugin did not finish");
            LogLine {
                level: "error".to_owned(),
                message,
                fields: Vec::new(),
            }
        });
        let mut lines = self.log.finish();
        // What the host has to say comes in any case, whatever the guest's own lines used up.
        for line in dropped.into_iter().chain(trap) {
            self.inv.services.log_line(self.inv.call, &line);
            lines.push(line);
        }
        Remains {
            memory: self.limiter.peak as u64,
            inv: self.inv,
            host_calls: self.host_calls,
            bytes_out: self.traffic.sent,
            bytes_in: self.traffic.received,
            lines,
        }
    }
}
