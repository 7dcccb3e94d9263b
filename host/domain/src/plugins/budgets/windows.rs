//! The windows that budgets are counted in.

use aistack_core::Timestamp;
use std::{collections::VecDeque, time::Duration};

/// So many seconds' worth of calls may come at once.
const BURST_SECONDS: u64 = 5;
/// Parts of a token.
const WHOLE: u64 = 1_000_000_000;

/// Calls per second: a bucket that fills at the rate and holds a few seconds' worth.
#[derive(Debug)]
pub(super) struct Bucket {
    /// In parts of a token; what is above the rate's own height is cut when it is next asked.
    tokens: u64,
    filled: Duration,
}

impl Bucket {
    pub(super) fn full(now: Duration) -> Self {
        Self {
            tokens: u64::MAX,
            filled: now,
        }
    }

    /// Takes a token, or says how long until there is one.
    pub(super) fn take(&mut self, rate: u32, now: Duration) -> Result<(), Duration> {
        let rate = u64::from(rate.max(1));
        let since = now.saturating_sub(self.filled).as_nanos();
        let new = u64::try_from(since.saturating_mul(u128::from(rate))).unwrap_or(u64::MAX);
        self.tokens = self
            .tokens
            .saturating_add(new)
            .min(rate.saturating_mul(BURST_SECONDS * WHOLE));
        self.filled = now.max(self.filled);
        if self.tokens >= WHOLE {
            self.tokens -= WHOLE;
            return Ok(());
        }
        Err(Duration::from_nanos((WHOLE - self.tokens).div_ceil(rate)))
    }
}

const SECONDS: u64 = 60;

/// A rolling minute, in seconds.
#[derive(Debug, Default)]
pub(super) struct Minute(VecDeque<(u64, Duration)>);

impl Minute {
    fn sweep(&mut self, now: Duration) {
        while self
            .0
            .front()
            .is_some_and(|(second, _)| second + SECONDS <= now.as_secs())
        {
            self.0.pop_front();
        }
    }

    pub(super) fn sum(&mut self, now: Duration) -> Duration {
        self.sweep(now);
        self.0.iter().map(|(_, time)| *time).sum()
    }

    pub(super) fn add(&mut self, time: Duration, now: Duration) {
        if time.is_zero() {
            return;
        }
        self.sweep(now);
        match self.0.back_mut() {
            Some((second, sum)) if *second >= now.as_secs() => *sum += time,
            _ => self.0.push_back((now.as_secs(), time)),
        }
    }

    /// Whether less than `most` was used, or how long until it will be.
    pub(super) fn room(&mut self, most: Duration, now: Duration) -> Result<(), Duration> {
        let mut left = self.sum(now);
        if left < most {
            return Ok(());
        }
        for (second, time) in &self.0 {
            left = left.saturating_sub(*time);
            if left < most {
                return Err(Duration::from_secs(second + SECONDS).saturating_sub(now));
            }
        }
        Err(Duration::from_secs(SECONDS))
    }
}

const DAY: i64 = 86_400_000_000;

/// A day in UTC.
#[derive(Debug, Default)]
pub(super) struct Day {
    number: i64,
    used: u64,
}

impl Day {
    fn turn(&mut self, at: Timestamp) {
        let number = at.0.div_euclid(DAY);
        if number != self.number {
            *self = Self { number, used: 0 };
        }
    }

    pub(super) fn sum(&mut self, at: Timestamp) -> u64 {
        self.turn(at);
        self.used
    }

    pub(super) fn add(&mut self, bytes: u64, at: Timestamp) {
        self.turn(at);
        self.used = self.used.saturating_add(bytes);
    }

    /// Whether less than `most` was used, or how long until the next day.
    pub(super) fn room(&mut self, most: u64, at: Timestamp) -> Result<(), Duration> {
        if self.sum(at) < most {
            return Ok(());
        }
        let left = DAY - at.0.rem_euclid(DAY);
        Err(Duration::from_micros(left.unsigned_abs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_rate_after_a_burst() {
        let at = Duration::from_millis;
        let mut b = Bucket::full(at(0));
        let taken = |b: &mut Bucket, now| (0..1_000).take_while(|_| b.take(10, now).is_ok()).count();
        assert_eq!(taken(&mut b, at(0)), 50);
        assert_eq!(b.take(10, at(0)), Err(at(100)));
        assert_eq!(taken(&mut b, at(1_000)), 10);
        assert_eq!(taken(&mut b, at(100_000)), 50, "no more than the burst is saved up");
        assert_eq!(taken(&mut b, at(99_000)), 0, "a clock that steps back gives nothing");
    }

    #[test]
    fn a_minute_rolls() {
        let s = Duration::from_secs;
        let mut m = Minute::default();
        m.add(s(1), s(100));
        m.add(s(2), s(130));
        assert_eq!(
            m.room(s(3), s(140)),
            Err(s(20)),
            "what was used at 100 is forgotten at 160"
        );
        assert_eq!(m.room(s(2), s(140)), Err(s(50)));
        assert_eq!(m.room(s(4), s(140)), Ok(()));
        assert_eq!(m.room(s(3), s(160)), Ok(()));
        assert_eq!(m.sum(s(190)), s(0));
    }
}
