//! Bounds of calls: of one call, of the queue it waits in, of a plugin that keeps failing.

use aistack_core::text_enum;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Bounds of one call; the smaller of manifest and plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallLimits {
    /// Wall time for the whole call, host calls included.
    pub wall: Duration,
    /// CPU time inside the guest.
    pub cpu: Duration,
    /// Bytes, summed over all linear memories.
    pub memory: usize,
    /// Number of host calls.
    pub host_calls: u32,
    /// Bytes that may cross in one host call or result.
    pub transfer: usize,
    /// Bytes of log text.
    pub log_bytes: usize,
    /// Live resource handles.
    pub handles: usize,
    /// Bytes of all headers of one HTTP message, each way.
    pub headers: usize,
    /// Bytes over HTTP and sockets in the whole call, both ways, downloads aside.
    pub egress: u64,
    /// Bytes of all downloads of the call.
    pub downloads: u64,
    /// Open sockets of the call.
    pub connections: u32,
    /// Calls of the installation at the same time.
    pub concurrency: u32,
}

impl Default for CallLimits {
    fn default() -> Self {
        Self {
            wall: Duration::from_secs(10),
            cpu: Duration::from_secs(1),
            memory: 32 << 20,
            host_calls: 10_000,
            transfer: 4 << 20,
            log_bytes: 16 << 10,
            handles: 256,
            headers: 32 << 10,
            egress: 32 << 20,
            downloads: 64 << 20,
            connections: 16,
            concurrency: 32,
        }
    }
}

/// What a call uses of its tenant's budgets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Processor time.
    Cpu(Duration),
    /// Bytes sent or received.
    Egress(u64),
}

text_enum! {
    /// Which queue a call stands in.
    pub enum Lane {
        /// Somebody waits for it.
        Ordinary = "ordinary",
        /// A provider's delivery: has places of its own, so that a busy tenant still hears of its payments.
        Inbound = "inbound",
        /// A run in the background.
        Run = "run",
        /// A trial run beside the real one; the first to wait.
        Shadow = "shadow",
    }
}

/// When to stop asking a plugin that keeps failing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerFigures {
    /// Failures that open the breaker.
    pub errors: u32,
    /// Within which they count.
    pub window: Duration,
    /// How long it stays open before one call may try.
    pub open: Duration,
}

impl Default for BreakerFigures {
    fn default() -> Self {
        Self {
            errors: 5,
            window: Duration::from_secs(30),
            open: Duration::from_secs(30),
        }
    }
}

/// A breaker that is not closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakerView {
    /// The operation, e.g. `login.begin`.
    pub operation: &'static str,
    /// True while one call is trying.
    pub probing: bool,
    /// How long until a call may try.
    pub wait: Duration,
}

/// What the runtime's instance pool holds at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PoolFigures {
    /// Live component instances, i.e. calls in flight.
    pub instances: u64,
    /// Slots in all.
    pub capacity: u64,
    /// Live linear memories.
    pub memories: u64,
    /// Live stacks.
    pub stacks: u64,
    /// Bytes kept resident in unused memory slots.
    pub idle_bytes: u64,
    /// Components that can be called.
    pub components: u64,
}
