//! The circuit breaker, per (tenant, installation, operation): five failures within 30 s open it for 30 s, then one
//! call may try. Only failures that speak of the plugin's or provider's health are counted.

use aistack_core::{InstallationId, TenantId};
use std::{
    collections::{HashMap, VecDeque},
    sync::Mutex,
    time::Duration,
};

/// Failures that open it.
const FAILURES: usize = 5;
/// Within which they count.
const WINDOW: Duration = Duration::from_secs(30);
/// How long it stays open.
const OPEN: Duration = Duration::from_secs(30);
/// Entries beyond this are swept of those that are healthy.
const SWEEP_AT: usize = 4096;

/// What a breaker is about.
pub(crate) type Key = (TenantId, InstallationId, &'static str);

#[derive(Debug)]
enum State {
    /// Calls pass; instants of the recent failures.
    Closed(VecDeque<Duration>),
    /// Calls are refused until then.
    Open(Duration),
    /// One call is trying, since then.
    Probing(Duration),
}

/// All breakers of a host. Times are monotonic.
#[derive(Debug, Default)]
pub(crate) struct Breakers(Mutex<HashMap<Key, State>>);

impl Breakers {
    /// Whether a call may start; otherwise how long to wait before asking again.
    pub(crate) fn enter(&self, key: Key, now: Duration) -> Result<(), Duration> {
        let mut all = self.lock();
        let Some(state) = all.get_mut(&key) else { return Ok(()) };
        match state {
            State::Closed(_) => Ok(()),
            State::Open(until) if now < *until => Err(*until - now),
            // A probe that never reported (the process was short of threads, say) must not close the door for good.
            State::Probing(since) if now < *since + OPEN => Err(*since + OPEN - now),
            State::Open(_) | State::Probing(_) => {
                *state = State::Probing(now);
                Ok(())
            }
        }
    }

    /// Takes the result of a call that was let in.
    pub(crate) fn leave(&self, key: Key, failed: bool, now: Duration) {
        let mut all = self.lock();
        if !failed {
            if matches!(all.get(&key), Some(State::Probing(_))) {
                all.remove(&key);
            }
            return;
        }
        if all.len() > SWEEP_AT {
            all.retain(|_, s| !matches!(s, State::Closed(f) if f.back().is_none_or(|t| *t + WINDOW < now)));
        }
        let state = all.entry(key).or_insert_with(|| State::Closed(VecDeque::new()));
        match state {
            State::Closed(failures) => {
                failures.push_back(now);
                while failures.front().is_some_and(|t| *t + WINDOW < now) {
                    failures.pop_front();
                }
                if failures.len() >= FAILURES {
                    *state = State::Open(now + OPEN);
                }
            }
            State::Probing(_) => *state = State::Open(now + OPEN),
            // A call that started before it opened.
            State::Open(_) => {}
        }
    }

    /// Gives back a probe that was let in but never ran.
    pub(crate) fn abandon(&self, key: Key, now: Duration) {
        if let Some(state @ State::Probing(_)) = self.lock().get_mut(&key) {
            *state = State::Open(now);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Key, State>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        (
            "ten_00000000000000000000000000000001".parse().unwrap(),
            "ins_00000000000000000000000000000001".parse().unwrap(),
            "login.begin",
        )
    }
    const S: fn(u64) -> Duration = Duration::from_secs;

    #[test]
    fn five_failures_open_it_and_one_probe_closes_it() {
        let b = Breakers::default();
        for i in 0..5 {
            assert_eq!(b.enter(key(), S(i)), Ok(()));
            b.leave(key(), true, S(i));
        }
        assert_eq!(b.enter(key(), S(5)), Err(S(29)));
        assert_eq!(
            b.enter((key().0, key().1, "login.resume"), S(5)),
            Ok(()),
            "operations are apart"
        );
        assert_eq!(b.enter(key(), S(34)), Ok(()), "half open");
        assert!(b.enter(key(), S(34)).is_err(), "one probe at a time");
        b.leave(key(), false, S(35));
        assert_eq!(b.enter(key(), S(35)), Ok(()));
    }

    #[test]
    fn a_failed_probe_opens_it_again() {
        let b = Breakers::default();
        for _ in 0..5 {
            b.leave(key(), true, S(0));
        }
        assert_eq!(b.enter(key(), S(31)), Ok(()));
        b.leave(key(), true, S(31));
        assert_eq!(b.enter(key(), S(40)), Err(S(21)));
    }

    #[test]
    fn successes_between_do_not_hide_failures() {
        let b = Breakers::default();
        for i in 0..5 {
            b.leave(key(), false, S(i));
            b.leave(key(), true, S(i));
        }
        assert!(b.enter(key(), S(5)).is_err());
    }

    #[test]
    fn old_failures_do_not_count() {
        let b = Breakers::default();
        for i in 0..10 {
            b.leave(key(), true, S(i * 20));
            assert_eq!(b.enter(key(), S(i * 20)), Ok(()));
        }
    }

    #[test]
    fn an_abandoned_probe_lets_the_next_one_try() {
        let b = Breakers::default();
        for _ in 0..5 {
            b.leave(key(), true, S(0));
        }
        assert_eq!(b.enter(key(), S(31)), Ok(()));
        b.abandon(key(), S(31));
        assert_eq!(b.enter(key(), S(31)), Ok(()));
    }
}
