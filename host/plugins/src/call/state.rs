//! The state of one call: what the host imports work on, dropped with the call.

use super::{
    budget::{Sockets, Traffic},
    limits::{Exceeded, Limiter},
    log::{CallLog, Captured},
    redact::Redactor,
};
use crate::{journal::Tape, net::HttpClients};
use aistack_core::{Clock, Rng};
use aistack_domain::plugins::port::{Fault, Invocation};
use std::{sync::Arc, time::Duration};
use wasmtime::component::ResourceTable;
use wasmtime_wasi::WasiCtx;

/// What all calls share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) rng: Arc<dyn Rng>,
    pub(crate) http: HttpClients,
    pub(crate) sockets: Arc<Sockets>,
    /// Largest linear memory any call can be given, in bytes.
    pub(crate) max_memory: usize,
    /// Whether the engine counts fuel.
    pub(crate) fuel: bool,
}

/// The `T` of a call's store.
pub(crate) struct CallState {
    pub(crate) inv: Invocation,
    pub(crate) shared: Arc<Shared>,
    pub(crate) table: ResourceTable,
    pub(crate) limiter: Limiter,
    pub(crate) log: CallLog,
    pub(crate) output: Captured,
    /// Made when the guest first asks for WASI: most calls never do.
    pub(crate) wasi: Option<WasiCtx>,
    /// Monotonic instant at which the call ends whatever it does.
    pub(crate) deadline: Duration,
    pub(crate) host_calls: u32,
    pub(crate) traffic: Traffic,
    /// Processor time that the tenant's budget has been charged with.
    pub(crate) billed: Duration,
    /// Set when the tenant's processor time is used up: the call ends with it.
    pub(crate) spent: Option<Fault>,
    /// Sockets this call holds.
    pub(crate) connections: u32,
    /// Secrets that passed through this call.
    pub(crate) redact: Redactor,
    /// A request that is not safe to repeat has been started.
    pub(crate) may_have_acted: bool,
    /// Whether the call is recorded, or a recorded one made again.
    pub(crate) tape: Tape,
}

impl CallState {
    pub(crate) fn new(inv: Invocation, shared: Arc<Shared>, tape: Tape) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(inv.limits.handles);
        let deadline = shared.clock.monotonic() + inv.limits.wall;
        Self {
            limiter: Limiter::new(inv.limits.memory.min(shared.max_memory)),
            log: CallLog::new(inv.limits.log_bytes),
            output: Captured::default(),
            traffic: Traffic::new(&inv.limits).billed_to(Arc::clone(&inv.services)),
            billed: Duration::ZERO,
            spent: None,
            connections: 0,
            redact: Redactor::default(),
            inv,
            shared,
            table,
            wasi: None,
            deadline,
            host_calls: 0,
            may_have_acted: false,
            tape,
        }
    }

    /// Counts a host call; ends the guest when it made too many.
    pub(crate) fn charge(&mut self) -> wasmtime::Result<()> {
        self.host_calls = self.host_calls.saturating_add(1);
        if self.host_calls > self.inv.limits.host_calls {
            return Err(Exceeded::HostCalls.into());
        }
        Ok(())
    }

    /// Takes a log line of the guest: cleaned, bounded, passed on at once.
    pub(crate) fn say(&mut self, level: &str, message: &str, fields: &[(String, String)]) {
        if let Some(line) = self.log.push(level, message, fields, &self.redact) {
            self.inv.services.log_line(self.inv.call, line);
        }
    }

    /// Wall time that is left of the call.
    pub(crate) fn time_left(&self) -> Duration {
        self.deadline.saturating_sub(self.shared.clock.monotonic())
    }
}
