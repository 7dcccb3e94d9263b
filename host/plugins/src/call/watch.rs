//! What a call has used of the processor: time of the thread that ran it, not time that passed, so that nobody pays for
//! what else the machine was doing.

use rustix::time::{ClockId, clock_gettime};
use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// Processor time after which a guest counts as heavy.
pub(crate) const HEAVY_AFTER: Duration = Duration::from_millis(2);

/// Follows one call. Written by whichever thread runs the call at the moment.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    heavy: AtomicBool,
    /// Used in turns that are over, in nanoseconds.
    spent: AtomicU64,
    /// The running thread's time when this turn began.
    since: AtomicU64,
}

/// Processor time of the current thread in nanoseconds.
fn thread_time() -> u64 {
    let t = clock_gettime(ClockId::ThreadCPUTime);
    u64::try_from(t.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(t.tv_nsec).unwrap_or(0)
}

impl Watch {
    /// Of a call whose kind was heavy lately, or was not.
    pub(crate) fn new(heavy: bool) -> Self {
        Self {
            heavy: AtomicBool::new(heavy),
            ..Self::default()
        }
    }

    /// A turn begins on this thread.
    pub(crate) fn begin(&self) {
        self.since.store(thread_time(), Relaxed);
    }

    /// The turn is over.
    pub(crate) fn end(&self) {
        self.spent.store(self.in_turn(), Relaxed);
    }

    fn in_turn(&self) -> u64 {
        self.spent.load(Relaxed) + thread_time().saturating_sub(self.since.load(Relaxed))
    }

    /// What is used so far; asked within a turn.
    pub(crate) fn used(&self) -> Duration {
        Duration::from_nanos(self.in_turn())
    }

    /// What was used in all; asked between turns.
    pub(crate) fn total(&self) -> Duration {
        Duration::from_nanos(self.spent.load(Relaxed))
    }

    /// The call belongs among the heavy ones.
    pub(crate) fn mark_heavy(&self) {
        self.heavy.store(true, Relaxed);
    }

    /// Whether it does.
    pub(crate) fn is_heavy(&self) -> bool {
        self.heavy.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn computing_counts_and_sleeping_does_not() {
        let w = Watch::new(false);
        w.begin();
        std::thread::sleep(Duration::from_millis(30));
        let idle = w.used();
        w.end();
        w.begin();
        while w.used() < idle + Duration::from_millis(5) {
            std::hint::spin_loop();
        }
        w.end();
        assert!(idle < Duration::from_millis(5), "{idle:?}");
        assert!(w.total() >= Duration::from_millis(5));
    }
}
