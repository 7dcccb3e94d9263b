//! How long a failed job waits: doubling, with jitter so that jobs that failed together do not come back together.

use aistack_core::{Entropy, Rng};
use std::time::Duration;

/// The waits between tries.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// Before the second try.
    pub first: Duration,
    /// Never longer than this.
    pub most: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            most: Duration::from_secs(3600),
        }
    }
}

impl Backoff {
    /// The wait after the `attempt`-th try (from 1): between half and the whole of `first · 2^(attempt-1)`.
    #[must_use]
    pub fn after(&self, attempt: i64, rng: &dyn Rng) -> Duration {
        // More doublings than a shift can take change nothing: the cap is reached long before.
        let doublings = attempt.saturating_sub(1).clamp(0, 31);
        let whole = self.first.saturating_mul(1 << doublings).min(self.most);
        let share = f64::from(u32::from_be_bytes(rng.bytes())) / f64::from(u32::MAX);
        whole.mul_f64(0.5 + share / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Dice(u8);
    impl Rng for Dice {
        fn fill(&self, buf: &mut [u8]) {
            buf.fill(self.0);
        }
    }

    #[test]
    fn waits_double_up_to_the_cap_and_are_spread_over_the_upper_half() {
        let b = Backoff {
            first: Duration::from_secs(1),
            most: Duration::from_secs(60),
        };
        let (low, high) = (Dice(0), Dice(255));
        for (attempt, whole) in [
            (0, 1),
            (1, 1),
            (2, 2),
            (3, 4),
            (6, 32),
            (7, 60),
            (50, 60),
            (i64::MAX, 60),
        ] {
            assert_eq!(b.after(attempt, &low), Duration::from_secs(whole) / 2, "{attempt}");
            assert_eq!(b.after(attempt, &high), Duration::from_secs(whole), "{attempt}");
        }
    }
}
