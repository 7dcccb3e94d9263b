//! The machine's clocks.

use aistack_core::{Clock, Timestamp};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Wall time and monotonic time of this machine.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time starts at zero now.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the adapter behind the Clock parameter"
    )]
    #[must_use]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the adapter behind the Clock parameter"
    )]
    fn now(&self) -> Timestamp {
        // A wall clock before 1970 is a broken machine; negative time keeps order at least.
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(d) => Timestamp(i64::try_from(d.as_micros()).unwrap_or(i64::MAX)),
            Err(e) => Timestamp(-i64::try_from(e.duration().as_micros()).unwrap_or(i64::MAX)),
        }
    }
    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wall_time_is_this_century_and_monotonic_time_moves() {
        let clock = SystemClock::new();
        assert!(clock.now() > Timestamp::from_secs(1_700_000_000));
        assert!(clock.now() < Timestamp::from_secs(4_100_000_000));
        let before = clock.monotonic();
        std::thread::sleep(Duration::from_millis(2));
        assert!(clock.monotonic() >= before + Duration::from_millis(2));
    }
}
