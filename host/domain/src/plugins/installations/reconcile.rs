//! The platform's count of who uses a plugin version. Tenant and platform data live in different databases, so the
//! count is kept right in two steps: claimed before the tenant's change, released after it, and a durable job compares
//! it with the truth in case the process dies in between.

use crate::{
    App, Ctx, Problem, TenantCtx, audit,
    jobs::{JobError, JobHandler},
};
use aistack_core::{InstallationId, JobId, TenantId, Timestamp};
use aistack_store::{Audit, Job, JobState, OutboxMessage, PluginVersion};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;

/// The job's kind.
const KIND: &str = "plugin.reconcile_use";
/// A claim whose installation is not there after this long belongs to a process that died.
const GRACE: Duration = Duration::from_secs(60);

#[derive(Debug, Serialize, Deserialize)]
struct Payload {
    installation: InstallationId,
}

fn payload(installation: InstallationId) -> String {
    json!({ "installation": installation }).to_string()
}

/// Notes that the installation uses the version, and leaves a job that checks it later.
pub(super) async fn claim(
    app: &App,
    t: &TenantCtx,
    v: &PluginVersion,
    installation: InstallationId,
) -> Result<(), Problem> {
    let now = app.clock.now();
    let mut tx = app.store.platform().await?;
    // It may have been removed since it was chosen.
    if tx.plugins().get(v.id).await?.is_none() {
        return Err(Problem::not_found("plugin"));
    }
    tx.plugins()
        .set_use(t.scope.id(), installation.0, Some(&v.digest))
        .await?;
    let job = Job {
        id: JobId::new(&*app.clock, &*app.rng),
        tenant_id: Some(t.scope.id()),
        kind: KIND.to_owned(),
        payload: payload(installation),
        state: JobState::Ready,
        attempts: 0,
        max_attempts: 20,
        run_at: now.plus(GRACE),
        lease_until: None,
        last_error: None,
        created_at: now,
        updated_at: now,
    };
    tx.jobs().enqueue(&job).await?;
    let draft = audit::Draft::new("plugin.use_claimed", "plugin", v.id)
        .details(json!({ "tenant": t.scope.id(), "installation": installation }));
    let entry = audit::for_platform(app, &t.ctx, draft);
    tx.commit(Audit::one(entry)).await?;
    Ok(())
}

/// Takes a claim back; when that fails, the job will.
pub(super) async fn release(app: &App, t: &TenantCtx, installation: InstallationId) {
    if let Err(e) = set(app, &t.ctx, t.scope.id(), installation, None).await {
        tracing::warn!(%installation, error = %e, "a plugin's use could not be released now; a job will do it");
    }
}

async fn set(
    app: &App,
    ctx: &Ctx,
    tenant: TenantId,
    installation: InstallationId,
    digest: Option<&str>,
) -> Result<(), Problem> {
    let mut tx = app.store.platform().await?;
    tx.plugins().set_use(tenant, installation.0, digest).await?;
    let action = if digest.is_some() {
        "plugin.use_claimed"
    } else {
        "plugin.use_released"
    };
    let draft =
        audit::Draft::new(action, "installation", installation).details(json!({ "tenant": tenant, "digest": digest }));
    let entry = audit::for_platform(app, ctx, draft);
    tx.commit(Audit::one(entry)).await?;
    Ok(())
}

/// The message that has the count compared with the truth after a tenant's change.
pub(super) fn message(app: &App, installation: InstallationId, at: Timestamp) -> OutboxMessage {
    OutboxMessage {
        id: JobId::new(&*app.clock, &*app.rng),
        kind: KIND.to_owned(),
        payload: payload(installation),
        run_at: at,
        max_attempts: 20,
        created_at: at,
    }
}

/// Job: makes the platform's count of one installation agree with the tenant's data.
#[derive(Debug)]
pub struct ReconcileUse;

#[async_trait::async_trait]
impl JobHandler for ReconcileUse {
    fn kind(&self) -> &'static str {
        KIND
    }
    async fn run(&self, app: &App, job: &Job) -> Result<(), JobError> {
        let payload: Payload = serde_json::from_str(&job.payload).map_err(JobError::fatal)?;
        let tenant = job
            .tenant_id
            .ok_or_else(|| JobError::fatal("the job names no tenant"))?;
        let digest = match app.store.scope(tenant).await? {
            Some(scope) => {
                let mut read = app.store.tenant_read(&scope).await?;
                read.installations().get(payload.installation).await?.map(|i| i.digest)
            }
            None => None,
        };
        set(app, &Ctx::system(None), tenant, payload.installation, digest.as_deref())
            .await
            .map_err(JobError::from)
    }
}
