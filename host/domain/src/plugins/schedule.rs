//! What plugins do by the clock: their `[[job]]`s. Each is a chain of durable jobs, every one of which leaves the next
//! behind before it ends; a chain begins when the plugin is enabled and ends when nothing needs it any more.
//!
//! The times of a job's runs are fixed points of the clock, and a run's id follows from its time: however often a chain is
//! begun, it is one chain. What the plugin hands on from run to run is sealed; it belongs to the tenant, not to the
//! platform's list of jobs.

use super::{calls, error::clean, manifest::CallClass, manifest::Manifest, port::FaultKind};
use crate::{
    App, TenantCtx,
    billing::{apply_run, tenant_ctx},
    jobs::{JobError, JobHandler},
};
use aistack_core::{InstallationId, JobId, ProblemKind, TenantId, Timestamp};
use aistack_store::{InstallationStatus, Job, JobState, OutboxMessage, StoreError, TenantTx};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::time::Duration;

/// The job's kind.
const KIND: &str = "plugin.job";
/// Purpose under which the sealer derives its key.
const PURPOSE: &str = "plugin-job-cursor";
/// Runs that follow at once because there is more to do; then the clock decides again.
const AT_ONCE: u32 = 100;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Payload {
    installation: InstallationId,
    job: String,
    /// Sealed, base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
    /// Runs before this one that followed at once.
    #[serde(default)]
    at_once: u32,
}

/// Begins the chains of an installation, in the transaction that needs them. Their first run comes at once.
pub(super) async fn begin(
    app: &App,
    tx: &mut dyn TenantTx,
    installation: InstallationId,
    manifest: &Manifest,
) -> Result<(), StoreError> {
    let now = app.clock.now();
    for job in &manifest.job {
        let message = OutboxMessage {
            id: JobId::new(&*app.clock, &*app.rng),
            kind: KIND.to_owned(),
            payload: json!({ "installation": installation, "job": job.name }).to_string(),
            run_at: now,
            max_attempts: 20,
            created_at: now,
        };
        tx.push_outbox(&message).await?;
    }
    Ok(())
}

fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// The next of a job's times after `now`. Installations have theirs at different moments of the interval.
fn next_time(installation: InstallationId, job: &str, every: Duration, now: Timestamp) -> Timestamp {
    let every = i64::try_from(every.as_micros()).unwrap_or(i64::MAX).max(1);
    let digest = hash(&[installation.0.as_bytes(), job.as_bytes()]);
    let number = u64::from_be_bytes(digest[..8].try_into().unwrap_or_default());
    let phase = i64::try_from(number % every.unsigned_abs()).unwrap_or(0);
    let since = now.0.saturating_sub(phase).rem_euclid(every);
    Timestamp(now.0.saturating_add(every - since))
}

/// The id of a run: the same for the same run.
fn id_of(at: Timestamp, parts: &[&[u8]]) -> JobId {
    let digest = hash(parts);
    let mut random = [0; 10];
    random.copy_from_slice(&digest[..10]);
    let millis = u64::try_from(at.as_millis()).unwrap_or(0);
    JobId(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
}

fn aad(tenant: TenantId, installation: InstallationId, job: &str) -> Vec<u8> {
    [
        tenant.0.as_bytes().as_slice(),
        installation.0.as_bytes(),
        job.as_bytes(),
    ]
    .concat()
}

/// What a run leads to.
struct After {
    cursor: Option<Vec<u8>>,
    more: bool,
}

/// Job: one run of a plugin's regular job.
#[derive(Debug)]
pub struct RunJob;

#[async_trait::async_trait]
impl JobHandler for RunJob {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, app: &App, job: &Job) -> Result<(), JobError> {
        let payload: Payload = serde_json::from_str(&job.payload).map_err(JobError::fatal)?;
        let tenant = job
            .tenant_id
            .ok_or_else(|| JobError::fatal("the job names no tenant"))?;
        // Whoever took the tenant or the plugin away wanted no further runs.
        if app.store.scope(tenant).await?.is_none() {
            return Ok(());
        }
        let t = tenant_ctx(app, job).await?;
        let row = {
            let mut read = app.store.tenant_read(&t.scope).await?;
            read.installations().get(payload.installation).await?
        };
        let Some(row) = row.filter(|r| r.status == InstallationStatus::Active) else {
            return Ok(());
        };
        let listed = calls::in_use(app, &t, row.id).await?;
        let declared = listed.manifest.job.iter().find(|j| j.name == payload.job);
        let Some(every) = declared.map(|j| j.every.0) else {
            return Ok(());
        };
        let aad = aad(tenant, row.id, &payload.job);
        let before = open(app, &aad, payload.cursor.as_deref());
        let after = once(app, &t, &payload, before.clone()).await?.unwrap_or(After {
            cursor: before,
            more: false,
        });
        let now = app.clock.now();
        let at_once = after.more && payload.at_once < AT_ONCE;
        let (run_at, id) = if at_once {
            // Of this run alone, so that a run repeated after a lost lease begins no second chain.
            (now, id_of(job.created_at, &[b"more", job.id.0.as_bytes()]))
        } else {
            let at = next_time(row.id, &payload.job, every, now);
            let time = at.0.to_be_bytes();
            (at, id_of(at, &[row.id.0.as_bytes(), payload.job.as_bytes(), &time]))
        };
        let cursor = after
            .cursor
            .map(|c| STANDARD.encode(app.sealer.seal(PURPOSE, &aad, &c)));
        let next = Payload {
            cursor,
            at_once: if at_once { payload.at_once + 1 } else { 0 },
            ..payload
        };
        let next = Job {
            id,
            payload: serde_json::to_string(&next).map_err(JobError::fatal)?,
            state: JobState::Ready,
            attempts: 0,
            run_at,
            lease_until: None,
            last_error: None,
            created_at: now,
            updated_at: now,
            ..job.clone()
        };
        let mut machine = app.store.platform_machine().await?;
        machine.jobs().enqueue(&next).await?;
        Ok(machine.commit().await?)
    }
}

/// A cursor that can't be opened was sealed under another key: the plugin begins anew.
fn open(app: &App, aad: &[u8], cursor: Option<&str>) -> Option<Vec<u8>> {
    let sealed = STANDARD.decode(cursor?).ok()?;
    let plain = app.sealer.open(PURPOSE, aad, &sealed).ok()?;
    Some(plain.expose_secret().clone())
}

/// Calls the plugin and applies what it found. `None` when that came to nothing: the next run begins where this one did.
/// What the plugin did wrong is in its receipts.
async fn once(app: &App, t: &TenantCtx, payload: &Payload, cursor: Option<Vec<u8>>) -> Result<Option<After>, JobError> {
    // A cursor is its version's own: while another one is on trial, one side does all the runs.
    let flow = Some(payload.installation.0);
    let loaded = match calls::load_for(app, t, payload.installation, None, flow).await {
        Ok(loaded) => loaded,
        // Out of service for now.
        Err(p) if p.kind == ProblemKind::PluginUnavailable => return Ok(None),
        Err(p) => return Err(p.into()),
    };
    let inv = calls::invocation(app, t, &loaded, CallClass::Run, json!({ "job": payload.job }));
    let run = match app.runtime.job(inv, &payload.job, cursor).await {
        Ok(run) => run,
        Err(fault) if fault.kind == FaultKind::Unsupported => return Ok(None),
        Err(fault) => {
            tracing::warn!(installation = %payload.installation, job = payload.job, code = %clean(&fault.code, 100),
                "a plugin's regular job failed; it is run again at its next time");
            return Ok(None);
        }
    };
    match apply_run(app, t, &loaded, &payload.job, &run.events).await {
        Ok(()) => Ok(Some(After {
            cursor: run.cursor,
            more: run.more,
        })),
        Err(p) if p.kind == ProblemKind::PluginFailed => {
            tracing::warn!(installation = %payload.installation, job = payload.job, problem = %p, "a run's events are not taken");
            Ok(None)
        }
        Err(p) => Err(p.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn runs_come_at_fixed_times_that_differ_by_installation() {
        let (one, two) = (InstallationId(Uuid::from_u128(1)), InstallationId(Uuid::from_u128(2)));
        let hour = Duration::from_secs(3_600);
        let now = Timestamp::from_secs(1_800_000_000);
        let first = next_time(one, "sync", hour, now);
        assert!(first > now && first.since(now) <= hour);
        assert_eq!(next_time(one, "sync", hour, now.plus(Duration::from_micros(1))), first);
        assert_eq!(next_time(one, "sync", hour, first).since(first), hour);
        assert_ne!(next_time(two, "sync", hour, now), first);
        assert_ne!(next_time(one, "other", hour, now), first);
    }

    #[test]
    fn a_run_has_one_id() {
        let at = Timestamp::from_secs(1_800_000_000);
        assert_eq!(id_of(at, &[b"a", b"bc"]), id_of(at, &[b"a", b"bc"]));
        assert_ne!(id_of(at, &[b"a", b"bc"]), id_of(at, &[b"ab", b"c"]));
        assert_ne!(id_of(at, &[b"a"]), id_of(at.plus(Duration::from_secs(1)), &[b"a"]));
    }
}
