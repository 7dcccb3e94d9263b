//! A clock whose wall time is set by hand, so that two runs see the same instant. Deadlines run in real time all the same.

use aistack_core::{Clock, Timestamp};
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

/// See the module.
#[derive(Debug)]
pub struct StagedClock {
    real: Arc<dyn Clock>,
    now: AtomicI64,
}

impl StagedClock {
    /// When every stage begins: 2026-01-15T08:00:00Z.
    pub const START: Timestamp = Timestamp::from_secs(1_768_464_000);

    /// At the start.
    #[must_use]
    pub fn new(real: Arc<dyn Clock>) -> Self {
        Self {
            real,
            now: AtomicI64::new(Self::START.as_micros()),
        }
    }

    /// Back to the start.
    pub fn reset(&self) {
        self.now.store(Self::START.as_micros(), Ordering::Relaxed);
    }

    /// Moves on.
    pub fn advance(&self, by: Duration) {
        self.now.store(self.now().plus(by).as_micros(), Ordering::Relaxed);
    }
}

impl Clock for StagedClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.now.load(Ordering::Relaxed))
    }
    fn monotonic(&self) -> Duration {
        self.real.monotonic()
    }
}
