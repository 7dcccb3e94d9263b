//! Slows down guessing: failed sign-ins per address and person, and per address, in a sliding window. A victim can't
//! be locked out by others, because nothing is counted per person alone.

use crate::Problem;
use aistack_core::{ProblemKind, TenantId};
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Failures are forgotten after so long.
const WINDOW: Duration = Duration::from_secs(600);
/// Failures of one person from one address.
const PERSON: f64 = 10.0;
/// Failures of anybody from one address; higher, because offices share one.
const ADDRESS: f64 = 100.0;
/// Buckets before old ones are looked for and dropped.
const MOST: usize = 50_000;

/// Whose sign-in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Who {
    /// The tenant; `None` for operators.
    pub realm: Option<TenantId>,
    /// The address typed, lower case.
    pub email: String,
    /// Where from.
    pub ip: Option<IpAddr>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Person(Who),
    Address(Option<IpAddr>),
}

/// Counts of this window and the one before; the older counts for the part of it that is still in sight.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    since: Duration,
    now: f64,
    before: f64,
}

impl Bucket {
    fn roll(&mut self, at: Duration) {
        let passed = at.saturating_sub(self.since);
        if passed >= WINDOW * 2 {
            *self = Self {
                since: at,
                now: 0.0,
                before: 0.0,
            };
        } else if passed >= WINDOW {
            *self = Self {
                since: self.since + WINDOW,
                now: 0.0,
                before: self.now,
            };
        }
    }
    fn count(&self, at: Duration) -> f64 {
        let passed = at.saturating_sub(self.since).as_secs_f64() / WINDOW.as_secs_f64();
        self.now + self.before * (1.0 - passed.min(1.0))
    }
}

/// The counters, of this node.
#[derive(Debug, Default)]
pub struct Throttle(Mutex<HashMap<Key, Bucket>>);

impl Throttle {
    /// Counts an attempt before it is made, so that many at once count too.
    ///
    /// # Errors
    /// `rate_limited` with `retry_after` in seconds.
    pub fn attempt(&self, at: Duration, who: &Who) -> Result<(), Problem> {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() > MOST {
            buckets.retain(|_, b| at.saturating_sub(b.since) < WINDOW * 2);
        }
        let keys = keys(who);
        for (key, limit) in &keys {
            if let Some(bucket) = buckets.get_mut(key) {
                bucket.roll(at);
                if bucket.count(at) >= *limit {
                    let wait = (bucket.since + WINDOW).saturating_sub(at).as_secs().max(1);
                    return Err(
                        Problem::new(ProblemKind::RateLimited, "too many failed sign-ins; wait a little")
                            .with("retry_after", wait),
                    );
                }
            }
        }
        for (key, _) in keys {
            let fresh = Bucket {
                since: at,
                now: 0.0,
                before: 0.0,
            };
            buckets.entry(key).or_insert(fresh).now += 1.0;
        }
        Ok(())
    }

    /// Takes an attempt back that succeeded, and everything counted against this person at this address.
    pub fn succeeded(&self, who: &Who) {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let [(person, _), (address, _)] = keys(who);
        buckets.remove(&person);
        if let Some(b) = buckets.get_mut(&address) {
            b.now = (b.now - 1.0).max(0.0);
        }
    }
}

fn keys(who: &Who) -> [(Key, f64); 2] {
    let ip = who.ip.map(network);
    [
        (Key::Person(Who { ip, ..who.clone() }), PERSON),
        (Key::Address(ip), ADDRESS),
    ]
}

/// A subscriber has a whole /64 of IPv6 addresses.
fn network(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(v6) => {
            let mut segments = v6.segments();
            segments[4..].fill(0);
            IpAddr::V6(Ipv6Addr::from(segments))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(email: &str, ip: &str) -> Who {
        Who {
            realm: None,
            email: email.to_owned(),
            ip: Some(ip.parse().unwrap()),
        }
    }
    const fn secs(s: u64) -> Duration {
        Duration::from_secs(s)
    }

    #[test]
    fn a_guesser_has_to_wait_and_the_victim_elsewhere_does_not() {
        let t = Throttle::default();
        for _ in 0..10 {
            t.attempt(secs(0), &who("ann", "192.0.2.1")).unwrap();
        }
        let p = t.attempt(secs(1), &who("ann", "192.0.2.1")).unwrap_err();
        assert_eq!(
            (p.kind, p.extras["retry_after"].as_u64()),
            (ProblemKind::RateLimited, Some(599))
        );
        assert!(t.attempt(secs(1), &who("ann", "192.0.2.2")).is_ok());
        assert!(t.attempt(secs(1), &who("bob", "192.0.2.1")).is_ok());
        // The failures leave the sight one after another, not all at once.
        assert!(t.attempt(secs(601), &who("ann", "192.0.2.1")).is_ok());
        assert!(t.attempt(secs(602), &who("ann", "192.0.2.1")).is_err());
        assert!(t.attempt(secs(1800), &who("ann", "192.0.2.1")).is_ok());
    }

    #[test]
    fn one_address_trying_many_people_is_slowed_down_too() {
        let t = Throttle::default();
        for n in 0..100 {
            t.attempt(secs(0), &who(&format!("p{n}"), &format!("2001:db8::{n:x}")))
                .unwrap();
        }
        assert!(t.attempt(secs(0), &who("p100", "2001:db8::ffff:1")).is_err());
        assert!(t.attempt(secs(0), &who("p100", "2001:db8:0:1::1")).is_ok());
    }

    #[test]
    fn success_clears_the_persons_count() {
        let t = Throttle::default();
        for _ in 0..200 {
            t.attempt(secs(0), &who("ann", "192.0.2.1")).unwrap();
            t.succeeded(&who("ann", "192.0.2.1"));
        }
    }
}
