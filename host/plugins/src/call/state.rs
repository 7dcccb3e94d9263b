//! The state of one call: what the host imports work on, dropped with the call.

use super::{
    limits::{Exceeded, Limiter},
    log::{CallLog, Captured},
};
use crate::net::HttpClients;
use aistack_core::{Clock, Rng};
use aistack_domain::plugins::port::Invocation;
use std::{sync::Arc, time::Duration};
use wasmtime::component::ResourceTable;
use wasmtime_wasi::WasiCtx;

/// What all calls share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) rng: Arc<dyn Rng>,
    pub(crate) http: HttpClients,
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
    /// Turns on a processor, see [`aistack_domain::plugins::port::CallReceipt::turns`].
    pub(crate) turns: u64,
    pub(crate) bytes_out: u64,
    pub(crate) bytes_in: u64,
    /// A request that is not safe to repeat has been started.
    pub(crate) may_have_acted: bool,
}

impl CallState {
    pub(crate) fn new(inv: Invocation, shared: Arc<Shared>, max_memory: usize) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(inv.limits.handles);
        let deadline = shared.clock.monotonic() + inv.limits.wall;
        Self {
            limiter: Limiter::new(inv.limits.memory.min(max_memory)),
            log: CallLog::new(inv.limits.log_bytes),
            output: Captured::default(),
            inv,
            shared,
            table,
            wasi: None,
            deadline,
            host_calls: 0,
            turns: 0,
            bytes_out: 0,
            bytes_in: 0,
            may_have_acted: false,
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

    /// Wall time that is left of the call.
    pub(crate) fn time_left(&self) -> Duration {
        self.deadline.saturating_sub(self.shared.clock.monotonic())
    }
}
