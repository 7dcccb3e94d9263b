//! What a manifest's wishes come to: bounds of calls, within the host's caps.

use super::Manifest;
use crate::plugins::port::{BreakerFigures, CallLimits, Lane};
use std::time::Duration;

impl Manifest {
    /// Bounds of one call, by what is called: the author's wish within the host's caps.
    #[must_use]
    pub fn call_limits(&self, what: CallClass) -> CallLimits {
        let base = CallLimits::default();
        let ms = |asked: Option<u64>, default: Duration, cap: Duration| {
            asked
                .map_or(default, Duration::from_millis)
                .clamp(Duration::from_millis(50), cap)
        };
        let wall = match what {
            CallClass::Ordinary => ms(self.limits.call_ms, base.wall, Duration::from_secs(30)),
            CallClass::Inbound => ms(self.limits.inbound_ms, Duration::from_secs(5), Duration::from_secs(15)),
            CallClass::Run => ms(self.limits.run_ms, Duration::from_secs(60), Duration::from_secs(600)),
        };
        let cpu_cap = match what {
            CallClass::Run => Duration::from_secs(120),
            CallClass::Ordinary | CallClass::Inbound => Duration::from_secs(5),
        };
        let cpu_default = match what {
            CallClass::Run => Duration::from_secs(20),
            CallClass::Ordinary | CallClass::Inbound => base.cpu,
        };
        let host_calls_cap = match what {
            CallClass::Run => 1_000_000,
            CallClass::Ordinary | CallClass::Inbound => base.host_calls,
        };
        CallLimits {
            wall,
            cpu: ms(self.limits.cpu_ms, cpu_default, cpu_cap).min(wall),
            memory: self
                .limits
                .memory
                .as_ref()
                .map_or(base.memory, |m| usize::try_from(m.0).unwrap_or(usize::MAX))
                .clamp(1 << 20, 64 << 20),
            host_calls: self
                .limits
                .host_calls
                .unwrap_or(host_calls_cap)
                .clamp(1, host_calls_cap),
            transfer: base.transfer,
            log_bytes: self
                .limits
                .log_bytes_per_call
                .as_ref()
                .map_or(base.log_bytes, |b| usize::try_from(b.0).unwrap_or(usize::MAX))
                .min(64 << 10),
            concurrency: self
                .limits
                .concurrency
                .unwrap_or(base.concurrency)
                .clamp(1, base.concurrency),
            ..base
        }
    }

    /// When to stop asking: the author's wish within 1 to 100 failures and 1 s to 10 min.
    #[must_use]
    pub fn breaker_figures(&self) -> BreakerFigures {
        let base = BreakerFigures::default();
        let span = |d: Duration| d.clamp(Duration::from_secs(1), Duration::from_secs(600));
        self.failure.breaker.as_ref().map_or(base, |b| BreakerFigures {
            errors: b.errors.clamp(1, 100),
            window: span(b.window.0),
            open: span(b.open.0),
        })
    }
}

/// What a call is for; decides its time limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallClass {
    /// Somebody waits for it.
    Ordinary,
    /// A provider's delivery.
    Inbound,
    /// A report run in the background.
    Run,
}

impl CallClass {
    /// The queue its calls stand in.
    #[must_use]
    pub fn lane(self) -> Lane {
        match self {
            Self::Ordinary => Lane::Ordinary,
            Self::Inbound => Lane::Inbound,
            Self::Run => Lane::Run,
        }
    }
}
