//! How a call ended, from what wasmtime and the counters say.

use super::{CallState, Exceeded, Visible, frames};
use crate::journal::{Diverged, Stopped, Tape};
use aistack_domain::plugins::port::{CallOutcome, Fault, FaultKind, Frame, Invocation, LogLine};
use serde_json::Value;
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
    /// Where it was.
    pub(super) frames: Vec<Frame>,
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

pub(super) fn of<O: Visible>(ended: Ended<O>, state: &mut CallState) -> Verdict<O> {
    let verdict = of_call(ended, state);
    let Tape::Replaying(player) = &mut state.tape else {
        return verdict;
    };
    if let (Err(_), Some(code)) = (&verdict.result, &verdict.code) {
        player.ended(verdict.outcome, code);
    }
    match player.difference() {
        None => verdict,
        Some(d) => Verdict {
            frames: verdict.frames,
            ..fault(
                Fault::new(
                    FaultKind::Internal,
                    "replay_diverged",
                    format!(
                        "entry {}: expected {}, got {}",
                        d.seq,
                        brief(&d.expected),
                        brief(&d.got)
                    ),
                ),
                CallOutcome::Fault,
            )
        },
    }
}

/// A value for a sentence.
fn brief(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 300 {
        return text;
    }
    text.chars().take(300).chain(['…']).collect()
}

fn of_call<O: Visible>(ended: Ended<O>, state: &CallState) -> Verdict<O> {
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
            frames: Vec::new(),
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
        ),
        Ended::Itself(Err(error)) => {
            let (outcome, code, message) = classify(&error, state);
            let frames = frames::of(&error);
            Verdict {
                trap: Some(told(&error, &frames)),
                frames,
                ..cut(state, outcome, code, message)
            }
        }
    }
}

fn fault<O>(fault: Fault, outcome: CallOutcome) -> Verdict<O> {
    Verdict {
        outcome,
        code: Some(fault.code.clone()),
        trap: None,
        frames: Vec::new(),
        result: Err(fault),
    }
}

/// The guest did not finish: what it asked of a provider may have happened all the same.
fn cut<O>(state: &CallState, outcome: CallOutcome, code: &str, message: &str) -> Verdict<O> {
    Verdict {
        result: Err(Fault {
            outcome_unknown: state.may_have_acted,
            ..Fault::new(FaultKind::Internal, code, message)
        }),
        outcome,
        code: Some(code.to_owned()),
        trap: None,
        frames: Vec::new(),
    }
}

/// What wasmtime says: the cause and the places when those are known, its own list of addresses otherwise.
fn told(error: &wasmtime::Error, frames: &[Frame]) -> String {
    if frames.is_empty() {
        return format!("{error:#}");
    }
    let places: String = frames.iter().map(|f| format!("\n  at {f}")).collect();
    format!("{}{places}", error.root_cause())
}

fn classify<'a>(error: &wasmtime::Error, state: &'a CallState) -> (CallOutcome, &'a str, &'static str) {
    use CallOutcome as C;
    if error.is::<Diverged>() {
        return (
            C::Fault,
            "replay_diverged",
            "the component does not do what the journal says",
        );
    }
    if let (true, Tape::Replaying(player)) = (error.is::<Stopped>(), &state.tape) {
        return player.stopped();
    }
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
    pub(super) fn finish_log(self, trap: Option<&str>) -> Remains {
        let output = self.output.text();
        // Languages with an engine of their own tell where they stopped, at length: that is not the guest's chatter.
        let output = (!output.is_empty()).then(|| {
            let message = super::scrub(&self.redact.text(output.replace('\n', " | ")));
            tracing::error!(target: "plugin", message = %message, "the plugin wrote to its standard output");
            LogLine {
                level: "error".to_owned(),
                message,
                fields: Vec::new(),
            }
        });
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
        for line in dropped.into_iter().chain(output).chain(trap) {
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
