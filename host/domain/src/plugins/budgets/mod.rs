//! What all calls of a tenant together may use: calls per second, processor time per minute, traffic per day. Asked
//! before a call, charged while it runs.
//!
//! Kept in memory: each node counts for itself, and a restart begins anew. That is enough for what they are there for,
//! to keep one tenant from taking the machine from the others; what is sold by the month is a quota.

mod windows;

use super::port::{Fault, FaultKind, TENANT_CALLS, TENANT_CPU, TENANT_EGRESS, Use};
use crate::quota::PluginTerms;
use aistack_core::{TenantId, Timestamp};
use serde::Serialize;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use windows::{Bucket, Day, Minute};

/// Tenants remembered; beyond that those that used least recently are forgotten.
const TENANTS: usize = 20_000;

#[derive(Debug)]
struct Account {
    calls: Bucket,
    cpu: Minute,
    egress: Day,
    /// When it was last used.
    seen: Duration,
}

/// What a tenant has used on this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Used {
    /// Processor time within the last minute, milliseconds.
    pub cpu_ms: u64,
    /// Bytes sent and received today (UTC).
    pub egress_bytes: u64,
}

/// The accounts of all tenants.
#[derive(Debug, Default)]
pub struct Budgets(Mutex<HashMap<TenantId, Account>>);

fn over(code: &'static str, what: &str, wait: Duration) -> Fault {
    Fault {
        // Not sooner than said.
        retry_after: Some(Duration::from_secs(
            wait.as_millis().div_ceil(1_000).max(1).try_into().unwrap_or(u64::MAX),
        )),
        ..Fault::new(FaultKind::RateLimited, code, what)
    }
}

fn calls(wait: Duration) -> Fault {
    over(
        TENANT_CALLS,
        "the tenant's plugins are called more often than its plan allows",
        wait,
    )
}
fn cpu(wait: Duration) -> Fault {
    over(
        TENANT_CPU,
        "the tenant's plugins compute longer than its plan allows",
        wait,
    )
}
fn egress(wait: Duration) -> Fault {
    over(
        TENANT_EGRESS,
        "the tenant's plugins have sent and received what its plan allows for today",
        wait,
    )
}

impl Budgets {
    fn with<T>(&self, tenant: TenantId, now: Duration, f: impl FnOnce(&mut Account) -> T) -> T {
        // Nothing in here can be left half done by a panic.
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= TENANTS
            && !all.contains_key(&tenant)
            && let Some(oldest) = all.iter().min_by_key(|(_, a)| a.seen).map(|(t, _)| *t)
        {
            all.remove(&oldest);
        }
        let account = all.entry(tenant).or_insert_with(|| Account {
            calls: Bucket::full(now),
            cpu: Minute::default(),
            egress: Day::default(),
            seen: now,
        });
        account.seen = now;
        f(account)
    }

    /// Asks whether one more call may be made, and counts it.
    pub(super) fn admit(
        &self,
        tenant: TenantId,
        terms: &PluginTerms,
        (at, now): (Timestamp, Duration),
    ) -> Result<(), Fault> {
        self.with(tenant, now, |a| {
            if let Some(most) = terms.egress_bytes_per_day {
                a.egress.room(most, at).map_err(egress)?;
            }
            if let Some(most) = terms.cpu_ms_per_minute {
                a.cpu.room(Duration::from_millis(most), now).map_err(cpu)?;
            }
            match terms.calls_per_second {
                Some(rate) => a.calls.take(rate, now).map_err(calls),
                None => Ok(()),
            }
        })
    }

    /// Counts what is used; an error when there was nothing left before.
    pub(super) fn charge(
        &self,
        tenant: TenantId,
        terms: &PluginTerms,
        used: Use,
        (at, now): (Timestamp, Duration),
    ) -> Result<(), Fault> {
        self.with(tenant, now, |a| match used {
            Use::Cpu(time) => {
                let room = terms
                    .cpu_ms_per_minute
                    .map_or(Ok(()), |most| a.cpu.room(Duration::from_millis(most), now));
                a.cpu.add(time, now);
                room.map_err(cpu)
            }
            Use::Egress(bytes) => {
                let room = terms
                    .egress_bytes_per_day
                    .map_or(Ok(()), |most| a.egress.room(most, at));
                a.egress.add(bytes, at);
                room.map_err(egress)
            }
        })
    }

    /// What a tenant has used on this node.
    pub(super) fn used(&self, tenant: TenantId, at: Timestamp, now: Duration) -> Used {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get_mut(&tenant).map_or_else(Used::default, |a| Used {
            cpu_ms: a.cpu.sum(now).as_millis().try_into().unwrap_or(u64::MAX),
            egress_bytes: a.egress.sum(at),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn each_tenant_has_its_own_and_each_refusal_says_when_to_come_back() {
        let b = Budgets::default();
        let (one, two) = (TenantId(Uuid::from_u128(1)), TenantId(Uuid::from_u128(2)));
        let terms = PluginTerms {
            calls_per_second: Some(2),
            cpu_ms_per_minute: Some(1_000),
            egress_bytes_per_day: Some(100),
            ..PluginTerms::default()
        };
        let day = Timestamp::from_secs(86_400 * 20_000 + 80_000);
        let now = (day, SECOND * 1_000);
        for _ in 0..10 {
            b.admit(one, &terms, now).unwrap();
        }
        let refused = b.admit(one, &terms, now).unwrap_err();
        assert_eq!(
            (refused.code.as_str(), refused.retry_after),
            (TENANT_CALLS, Some(SECOND))
        );
        assert!(!refused.feeds_breaker());
        b.admit(two, &terms, now).unwrap();

        b.charge(two, &terms, Use::Egress(60), now).unwrap();
        b.charge(two, &terms, Use::Egress(60), now).unwrap();
        let refused = b.charge(two, &terms, Use::Egress(0), now).unwrap_err();
        assert_eq!(
            (refused.code.as_str(), refused.retry_after),
            (TENANT_EGRESS, Some(SECOND * 6_400))
        );
        assert_eq!(b.admit(two, &terms, now).unwrap_err().code, TENANT_EGRESS);
        let tomorrow = (day.plus(SECOND * 6_400), now.1 + SECOND * 6_400);
        b.admit(two, &terms, tomorrow).unwrap();

        b.charge(two, &terms, Use::Cpu(SECOND), tomorrow).unwrap();
        let later = (tomorrow.0, tomorrow.1 + SECOND * 10);
        let refused = b.charge(two, &terms, Use::Cpu(SECOND), later).unwrap_err();
        assert_eq!(
            (refused.code.as_str(), refused.retry_after),
            (TENANT_CPU, Some(SECOND * 50))
        );
        assert_eq!(
            b.used(two, tomorrow.0, later.1).cpu_ms,
            2_000,
            "what was used counts in any case"
        );
        let open = PluginTerms::default();
        b.admit(two, &open, later).unwrap();
    }
}
