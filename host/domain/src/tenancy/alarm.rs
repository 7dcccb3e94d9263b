//! Requests that named two tenants, in the audit log: of the tenant that the address named, else of the platform.
//!
//! Anybody can send such requests without signing in, so they may not fill a log: each log takes [`MOST`] per
//! [`WINDOW`], and the next one that it takes says how many it did not.

use super::{Known, lifecycle};
use crate::{
    App, Ctx, Problem, TenantCtx,
    audit::{self, Draft},
};
use aistack_core::{Outcome, TenantId};
use serde_json::json;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Events that a log takes in a window.
pub const MOST: u32 = 10;
/// The window.
pub const WINDOW: Duration = Duration::from_secs(60);
/// Logs that are counted at a time; only existing tenants have one.
const LOGS: usize = 10_000;

#[derive(Debug, Default)]
struct Count {
    began: Duration,
    taken: u32,
    left_out: u64,
}

/// How many events each log has taken lately.
#[derive(Debug, Default)]
pub struct Alarms(Mutex<HashMap<Option<TenantId>, Count>>);

impl Alarms {
    /// Whether a log takes one more now, and how many it has left out since the last.
    fn take(&self, log: Option<TenantId>, now: Duration) -> Option<u64> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= LOGS && !counts.contains_key(&log) {
            counts.retain(|_, count| now.saturating_sub(count.began) < WINDOW);
        }
        let count = counts.entry(log).or_default();
        if count.taken == 0 || now.saturating_sub(count.began) >= WINDOW {
            count.began = now;
            count.taken = 0;
        }
        if count.taken >= MOST {
            count.left_out += 1;
            return None;
        }
        count.taken += 1;
        Some(std::mem::take(&mut count.left_out))
    }
}

/// Records a request that named two tenants. A failure to do so is logged: the request is refused either way.
pub async fn mismatch(app: &App, ctx: &Ctx, addressed: Option<&Known>, problem: &Problem) {
    // A tenant without a store has no log yet.
    let known = addressed.filter(|known| lifecycle::open_to_operators(known.tenant.status));
    let Some(left_out) = app.alarms.take(known.map(|k| k.tenant.id), app.clock.monotonic()) else {
        return;
    };
    let written = async {
        let details = json!({ "reason": problem.detail, "left_out_before": left_out });
        match known {
            Some(known) => {
                let t = TenantCtx {
                    ctx: ctx.clone(),
                    scope: known.scope.clone(),
                    tenant: known.tenant.clone(),
                };
                let draft = Draft::new("security.tenant_mismatch", "tenant", known.tenant.id);
                let tx = app.store.tenant(&known.scope).await?;
                audit::commit_tenant(app, tx, &t, draft.outcome(Outcome::Denied).details(details)).await
            }
            None => {
                let draft = Draft::new("security.tenant_mismatch", "platform", "routing");
                let tx = app.store.platform().await?;
                audit::commit_platform(app, tx, ctx, draft.outcome(Outcome::Denied).details(details)).await
            }
        }
    };
    if let Err(e) = written.await {
        tracing::error!(error = %e, "a security event could not be recorded");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_leaves_a_few_events_and_its_size() {
        let alarms = Alarms::default();
        let log = Some(TenantId(uuid::Uuid::from_u128(1)));
        let at = Duration::from_secs;
        let taken = (0..1000).filter(|_| alarms.take(log, at(5)).is_some()).count();
        assert_eq!(taken, MOST as usize);
        assert_eq!(alarms.take(None, at(5)), Some(0), "another log is not affected");
        assert_eq!(alarms.take(log, at(64)), None);
        assert_eq!(alarms.take(log, at(65)), Some(1000 - u64::from(MOST) + 1));
        assert_eq!(alarms.take(log, at(66)), Some(0));
    }
}
