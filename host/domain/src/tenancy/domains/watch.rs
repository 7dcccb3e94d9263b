//! Looking again whether the proofs are still there: a job per domain, made when it is due. A proof that is missing
//! does not stop a domain at once: records get lost by accident, and name servers fail.

use super::proof::{Miss, look};
use crate::{
    App, Ctx, Problem,
    audit::{self, Draft},
    jobs::{JobError, JobHandler},
    tenancy::{Known, manage::tell_tenant},
};
use aistack_core::{JobId, Timestamp};
use aistack_store::{DomainStatus, Job, JobState, TenantDomain};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::time::Duration;

const KIND: &str = "domain.check";
const HOUR: Duration = Duration::from_secs(3600);
/// How long a domain whose proof is missing still routes.
pub const GRACE: Duration = Duration::from_secs(7 * 24 * 3600);
/// Looks in a row without the proof after which a domain is failing.
const MISSES: i64 = 3;
/// Domains for which jobs are made at a time.
const AT_ONCE: i64 = 500;

/// The row after a look that found the proof.
pub(super) fn found(row: &TenantDomain, now: Timestamp) -> TenantDomain {
    TenantDomain {
        status: DomainStatus::Verified,
        misses: 0,
        last_error: None,
        checked_at: Some(now),
        next_check_at: Some(now.plus(HOUR * 12)),
        verified_at: match row.status {
            DomainStatus::Verified => row.verified_at,
            _ => Some(now),
        },
        failing_since: None,
        ..row.clone()
    }
}

/// The row after a look that did not find it.
pub(super) fn missed(row: &TenantDomain, miss: Miss, now: Timestamp) -> TenantDomain {
    use DomainStatus as S;
    let mut after = TenantDomain {
        misses: row.misses.saturating_add(1),
        last_error: Some(miss.code().to_owned()),
        checked_at: Some(now),
        ..row.clone()
    };
    match row.status {
        S::Pending | S::Unverified => after.next_check_at = None,
        S::Verified if after.misses < MISSES => after.next_check_at = Some(now.plus(HOUR)),
        S::Verified => {
            after.status = S::Failing;
            after.failing_since = Some(now);
            after.next_check_at = Some(now.plus(HOUR * 6));
        }
        S::Failing if row.failing_since.is_some_and(|since| now < since.plus(GRACE)) => {
            after.next_check_at = Some(now.plus(HOUR * 6));
        }
        S::Failing => {
            after.status = S::Unverified;
            after.is_primary = 0;
            after.failing_since = None;
            after.next_check_at = None;
        }
    }
    after
}

/// Writes what a look led to, with an event if the domain's state changed. Somebody else's change meanwhile wins.
pub(super) async fn keep(
    app: &App,
    ctx: &Ctx,
    known: &Known,
    before: &TenantDomain,
    after: TenantDomain,
) -> Result<(), Problem> {
    if before.status == after.status {
        let mut machine = app.store.platform_machine().await?;
        machine.note_domain_check(&after, before.checked_at).await?;
        return Ok(machine.commit().await?);
    }
    let mut tx = app.store.platform().await?;
    let current = tx.domains().get(before.tenant_id, &before.domain).await?;
    if current.as_ref() != Some(before) {
        return Ok(());
    }
    tx.domains().update(&after).await?;
    let action = match after.status {
        DomainStatus::Verified => "domain.recovered",
        DomainStatus::Failing => "domain.failing",
        DomainStatus::Unverified | DomainStatus::Pending => "domain.lost",
    };
    let details =
        json!({ "tenant": before.tenant_id, "from": before.status, "to": after.status, "reason": after.last_error });
    let draft = Draft::new(action, "domain", &before.domain).details(details);
    audit::commit_platform(app, tx, ctx, draft.clone()).await?;
    app.directory.forget(&known.tenant.slug);
    tell_tenant(app, ctx, &known.tenant, draft).await
}

#[derive(Debug, Serialize, Deserialize)]
struct Payload {
    domain: String,
}

/// Makes a job for every domain that is due. A look's id follows from its time, so that nodes doing this at once make
/// one job.
///
/// # Errors
/// As the store.
pub async fn enqueue_due(app: &App) -> Result<usize, Problem> {
    let now = app.clock.now();
    let due = app.store.platform_read().await?.domains().due(now, AT_ONCE).await?;
    if due.is_empty() {
        return Ok(0);
    }
    let mut machine = app.store.platform_machine().await?;
    let mut made = 0;
    for row in &due {
        let payload = json!(Payload {
            domain: row.domain.clone()
        });
        let job = Job {
            id: id_of(row),
            tenant_id: Some(row.tenant_id),
            kind: KIND.to_owned(),
            payload: payload.to_string(),
            state: JobState::Ready,
            attempts: 0,
            max_attempts: 5,
            run_at: now,
            lease_until: None,
            last_error: None,
            created_at: now,
            updated_at: now,
        };
        made += usize::from(machine.jobs().enqueue(&job).await?);
    }
    machine.commit().await?;
    app.job_signal.notify_one();
    Ok(made)
}

fn id_of(row: &TenantDomain) -> JobId {
    let at = row.next_check_at.unwrap_or(row.created_at);
    let mut hash = Sha256::new();
    hash.update(row.tenant_id.0.as_bytes());
    hash.update(at.0.to_be_bytes());
    hash.update(row.domain.as_bytes());
    let mut random = [0; 10];
    random.copy_from_slice(&hash.finalize()[..10]);
    let millis = u64::try_from(at.as_millis()).unwrap_or(0);
    JobId(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
}

/// Job: one look at a domain's proof.
#[derive(Debug)]
pub struct CheckDomain;

#[async_trait::async_trait]
impl JobHandler for CheckDomain {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, app: &App, job: &Job) -> Result<(), JobError> {
        let payload: Payload = serde_json::from_str(&job.payload).map_err(JobError::fatal)?;
        let tenant = job.tenant_id.ok_or_else(|| JobError::fatal("a job without tenant"))?;
        let row = {
            let mut read = app.store.platform_read().await?;
            read.domains().get(tenant, &payload.domain).await?
        };
        let now = app.clock.now();
        // Removed, or looked at since: nothing is to be done.
        let Some(row) = row.filter(|r| r.next_check_at.is_some_and(|due| due <= now)) else {
            return Ok(());
        };
        let Some(known) = app.directory.find_by_id(app, tenant).await? else {
            return Ok(());
        };
        let after = match look(app, &row.domain, &row.token).await {
            Ok(()) => found(&row, app.clock.now()),
            Err(miss) => missed(&row, miss, app.clock.now()),
        };
        Ok(keep(app, &Ctx::system(None), &known, &row, after).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aistack_core::TenantId;

    fn verified() -> TenantDomain {
        TenantDomain {
            tenant_id: TenantId(uuid::Uuid::from_u128(1)),
            domain: "app.acme.example".to_owned(),
            status: DomainStatus::Verified,
            token: "t".to_owned(),
            is_primary: 1,
            misses: 0,
            last_error: None,
            checked_at: Some(Timestamp(0)),
            next_check_at: Some(Timestamp(0)),
            verified_at: Some(Timestamp(0)),
            failing_since: None,
            created_at: Timestamp(0),
        }
    }

    #[test]
    fn a_proof_may_be_missing_for_a_week() {
        let mut row = verified();
        let mut now = Timestamp(0);
        let mut seen = Vec::new();
        while let Some(next) = row.next_check_at {
            now = next.max(now);
            row = missed(&row, Miss::Missing, now);
            if seen.last() != Some(&row.status) {
                seen.push(row.status);
            }
        }
        assert_eq!(
            seen,
            [DomainStatus::Verified, DomainStatus::Failing, DomainStatus::Unverified]
        );
        assert_eq!(row.is_primary, 0);
        let week = GRACE.as_secs();
        assert!(
            (week..week + 12 * 3600).contains(&u64::try_from(now.as_secs()).unwrap()),
            "{now:?}"
        );
    }

    #[test]
    fn a_proof_that_is_back_in_time_makes_everything_as_it_was() {
        let mut row = verified();
        for hour in 0..8 {
            row = missed(&row, Miss::Timeout, Timestamp(0).plus(HOUR * hour));
        }
        assert_eq!(row.status, DomainStatus::Failing);
        let back = found(&row, Timestamp(0).plus(HOUR * 9));
        assert_eq!(
            (back.status, back.misses, back.is_primary),
            (DomainStatus::Verified, 0, 1)
        );
        assert_eq!((back.failing_since, back.last_error), (None, None));
    }

    #[test]
    fn what_was_never_proven_is_not_watched() {
        let row = TenantDomain {
            status: DomainStatus::Pending,
            next_check_at: None,
            ..verified()
        };
        let after = missed(&row, Miss::Wrong, Timestamp(9));
        assert_eq!((after.status, after.next_check_at), (DomainStatus::Pending, None));
        assert_eq!(after.last_error.as_deref(), Some("txt_wrong"));
    }
}
