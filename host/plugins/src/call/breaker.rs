//! The circuit breaker, per (tenant, installation, operation): as many failures within a window as its manifest says (5
//! within 30 s when it says nothing) open it for a while, then one call may try. Only failures that speak of the
//! plugin's or provider's health are counted.

use aistack_core::{InstallationId, TenantId};
use aistack_domain::plugins::port::{BreakerFigures, BreakerView};
use std::{
    collections::{HashMap, VecDeque},
    sync::Mutex,
    time::Duration,
};

/// Entries beyond this are swept of those that are healthy.
const SWEEP_AT: usize = 4096;
/// The longest window a manifest may ask for: failures before it count nowhere.
const SWEPT_AFTER: Duration = Duration::from_secs(600);

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
    pub(crate) fn enter(&self, key: Key, figures: &BreakerFigures, now: Duration) -> Result<(), Duration> {
        let mut all = self.lock();
        let Some(state) = all.get_mut(&key) else { return Ok(()) };
        match state {
            State::Closed(_) => Ok(()),
            State::Open(until) if now < *until => Err(*until - now),
            // A probe that never reported (the process was short of threads, say) must not close the door for good.
            State::Probing(since) if now < *since + figures.open => Err(*since + figures.open - now),
            State::Open(_) | State::Probing(_) => {
                *state = State::Probing(now);
                Ok(())
            }
        }
    }

    /// Takes the result of a call that was let in.
    pub(crate) fn leave(&self, key: Key, failed: bool, figures: &BreakerFigures, now: Duration) {
        let mut all = self.lock();
        if !failed {
            if matches!(all.get(&key), Some(State::Probing(_))) {
                all.remove(&key);
            }
            return;
        }
        if all.len() > SWEEP_AT {
            all.retain(|_, s| !matches!(s, State::Closed(f) if f.back().is_none_or(|t| *t + SWEPT_AFTER < now)));
        }
        let state = all.entry(key).or_insert_with(|| State::Closed(VecDeque::new()));
        match state {
            State::Closed(failures) => {
                failures.push_back(now);
                while failures.front().is_some_and(|t| *t + figures.window < now) {
                    failures.pop_front();
                }
                if failures.len() >= figures.errors as usize {
                    *state = State::Open(now + figures.open);
                }
            }
            State::Probing(_) => *state = State::Open(now + figures.open),
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

    /// Those of an installation that are not closed.
    pub(crate) fn views(&self, tenant: TenantId, installation: InstallationId, now: Duration) -> Vec<BreakerView> {
        let all = self.lock();
        let mut views: Vec<BreakerView> = all
            .iter()
            .filter(|(key, _)| (key.0, key.1) == (tenant, installation))
            .filter_map(|(key, state)| {
                let (probing, wait) = match state {
                    State::Closed(_) => return None,
                    State::Open(until) => (false, until.saturating_sub(now)),
                    State::Probing(_) => (true, Duration::ZERO),
                };
                Some(BreakerView {
                    operation: key.2,
                    probing,
                    wait,
                })
            })
            .collect();
        views.sort_by_key(|v| v.operation);
        views
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
    const F: fn() -> BreakerFigures = BreakerFigures::default;

    #[test]
    fn five_failures_open_it_and_one_probe_closes_it() {
        let b = Breakers::default();
        for i in 0..5 {
            assert_eq!(b.enter(key(), &F(), S(i)), Ok(()));
            b.leave(key(), true, &F(), S(i));
        }
        assert_eq!(b.enter(key(), &F(), S(5)), Err(S(29)));
        assert_eq!(
            b.enter((key().0, key().1, "login.resume"), &F(), S(5)),
            Ok(()),
            "operations are apart"
        );
        assert_eq!(b.enter(key(), &F(), S(34)), Ok(()), "half open");
        assert!(b.enter(key(), &F(), S(34)).is_err(), "one probe at a time");
        b.leave(key(), false, &F(), S(35));
        assert_eq!(b.enter(key(), &F(), S(35)), Ok(()));
    }

    #[test]
    fn a_failed_probe_opens_it_again() {
        let b = Breakers::default();
        for _ in 0..5 {
            b.leave(key(), true, &F(), S(0));
        }
        assert_eq!(b.enter(key(), &F(), S(31)), Ok(()));
        b.leave(key(), true, &F(), S(31));
        assert_eq!(b.enter(key(), &F(), S(40)), Err(S(21)));
    }

    #[test]
    fn successes_between_do_not_hide_failures() {
        let b = Breakers::default();
        for i in 0..5 {
            b.leave(key(), false, &F(), S(i));
            b.leave(key(), true, &F(), S(i));
        }
        assert!(b.enter(key(), &F(), S(5)).is_err());
    }

    #[test]
    fn old_failures_do_not_count() {
        let b = Breakers::default();
        for i in 0..10 {
            b.leave(key(), true, &F(), S(i * 20));
            assert_eq!(b.enter(key(), &F(), S(i * 20)), Ok(()));
        }
    }

    #[test]
    fn an_abandoned_probe_lets_the_next_one_try() {
        let b = Breakers::default();
        for _ in 0..5 {
            b.leave(key(), true, &F(), S(0));
        }
        assert_eq!(b.enter(key(), &F(), S(31)), Ok(()));
        b.abandon(key(), S(31));
        assert_eq!(b.enter(key(), &F(), S(31)), Ok(()));
    }

    #[test]
    fn a_manifest_says_how_patient_it_is() {
        let b = Breakers::default();
        let figures = BreakerFigures {
            errors: 2,
            window: S(1),
            open: S(3),
        };
        b.leave(key(), true, &figures, S(0));
        b.leave(key(), true, &figures, S(2));
        assert_eq!(b.enter(key(), &figures, S(2)), Ok(()), "outside the window");
        assert_eq!(b.views(key().0, key().1, S(2)), []);
        b.leave(key(), true, &figures, S(2));
        assert_eq!(b.enter(key(), &figures, S(3)), Err(S(2)));
        let open = |probing, wait| BreakerView {
            operation: "login.begin",
            probing,
            wait,
        };
        assert_eq!(b.views(key().0, key().1, S(3)), [open(false, S(2))]);
        assert_eq!(b.enter(key(), &figures, S(5)), Ok(()));
        assert_eq!(b.views(key().0, key().1, S(5)), [open(true, S(0))]);
    }
}
