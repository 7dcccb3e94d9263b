//! Promoting a candidate: a last look at its health, then every installation that may changes to it; and back again,
//! should a promoted one be taken back.

use super::{
    Release, State,
    end::{ended, not_running},
    manage, refresh,
};
use crate::{
    App, Ctx, Problem, TenantCtx, audit,
    jobs::{JobError, JobHandler},
    plugins::{
        calls,
        installations::{self, Change},
        manifest::CallClass,
        port::FaultKind,
    },
};
use aistack_core::{JobId, ProblemKind, TenantId};
use aistack_store::{Installation, Job, JobState, Page};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// The job's kind.
const KIND: &str = "plugin.promote";
/// Installations whose plugin is asked about its health.
const ASKED: usize = 5;

#[derive(Debug, Serialize, Deserialize)]
struct Payload {
    release: String,
    /// Whether installations change back.
    #[serde(default)]
    back: bool,
}

fn job(app: &App, payload: &Payload) -> Result<Job, Problem> {
    let now = app.clock.now();
    Ok(Job {
        id: JobId::new(&*app.clock, &*app.rng),
        tenant_id: None,
        kind: KIND.to_owned(),
        payload: serde_json::to_string(payload).map_err(|e| Problem::internal(e.to_string()))?,
        state: JobState::Ready,
        attempts: 0,
        max_attempts: 20,
        run_at: now,
        lease_until: None,
        last_error: None,
        created_at: now,
        updated_at: now,
    })
}

/// The job that changes the installations of a promoted release back.
pub(super) fn change_back(app: &App, release: &Release) -> Result<Job, Problem> {
    let release = release.id.clone();
    job(app, &Payload { release, back: true })
}

/// A tenant as the platform itself acts in it.
async fn system(app: &App, tenant: TenantId) -> Result<Option<TenantCtx>, Problem> {
    let Some(scope) = app.store.scope(tenant).await? else {
        return Ok(None);
    };
    let row = app.store.platform_read().await?.tenants().get(tenant).await?;
    Ok(row.map(|row| TenantCtx {
        ctx: Ctx::system(None),
        scope,
        tenant: Arc::new(row),
    }))
}

/// A tenant's installations of this component that are not pinned.
async fn concerned(app: &App, t: &TenantCtx, r: &Release, digest: &str) -> Result<Vec<Installation>, Problem> {
    let mut all = Vec::new();
    let mut page = Page {
        limit: 200,
        q: Some(r.plugin_id.clone()),
        ..Page::default()
    };
    loop {
        let rows = app
            .store
            .tenant_read(&t.scope)
            .await?
            .installations()
            .list(&page, None)
            .await?;
        let Some(last) = rows.last() else { return Ok(all) };
        page.after = Some(last.id.0);
        all.extend(rows.into_iter().filter(|i| i.digest == digest && i.pinned == 0));
    }
}

/// Asks the candidate about itself where it would be used.
async fn healthy(app: &App, r: &Release) -> Result<(), Problem> {
    let running = app.releases.find(&r.id).ok_or_else(not_running)?;
    let ids = app.store.platform_read().await?.tenants().ids().await?;
    let mut asked = 0;
    for id in ids {
        let Some(t) = system(app, id).await? else { continue };
        for row in concerned(app, &t, r, &r.from_digest).await? {
            if asked == ASKED {
                return Ok(());
            }
            let Ok(loaded) = calls::in_use(app, &t, row.id).await else {
                continue;
            };
            let Some(variant) = running.variant(app, &t, &loaded, false).await else {
                continue;
            };
            asked += 1;
            let inv = || calls::invocation(app, &t, &variant, CallClass::Ordinary, json!({}));
            let described = app.runtime.describe(inv()).await.map(drop);
            let checked = app.runtime.check(inv(), false).await.map(drop);
            for fault in [described, checked].into_iter().filter_map(Result::err) {
                // What has no check of its own is not ill; a tenant that may not call now says nothing either.
                if fault.kind == FaultKind::Unsupported || fault.is_over_budget() {
                    continue;
                }
                return Err(Problem::new(
                    ProblemKind::Conflict,
                    format!("the candidate is not well: {} ({})", fault.message, fault.code),
                )
                .with("reason", "health_gate")
                .with("fault", fault.code)
                .hint("look at its calls, and correct the plugin; the version in use stays"));
            }
        }
    }
    Ok(())
}

/// Promotes a running release: its installations change in the background, those that need consent wait for it.
///
/// # Errors
/// `not_found`, `conflict` when it has ended or the candidate is not well, or as the stores.
pub async fn promote(app: &App, ctx: &Ctx, id: &str) -> Result<Release, Problem> {
    let release = manage::get(app, id).await?;
    if release.state != State::Running {
        return Err(not_running());
    }
    healthy(app, &release).await?;
    let mut tx = app.store.platform().await?;
    let Some((release, draft)) = ended(app, &mut *tx, id, (State::Running, State::Promoted), "promoted").await? else {
        return Err(not_running());
    };
    let payload = Payload {
        release: release.id.clone(),
        back: false,
    };
    tx.jobs().enqueue(&job(app, &payload)?).await?;
    audit::commit_platform(app, tx, ctx, draft).await?;
    refresh(app).await?;
    app.job_signal.notify_one();
    Ok(release)
}

/// Job: changes the installations of a promoted release, or changes them back.
#[derive(Debug)]
pub struct Promote;

#[async_trait::async_trait]
impl JobHandler for Promote {
    fn kind(&self) -> &'static str {
        KIND
    }
    async fn run(&self, app: &App, job: &Job) -> Result<(), JobError> {
        let payload: Payload = serde_json::from_str(&job.payload).map_err(JobError::fatal)?;
        let mut failed = None;
        for id in app.store.platform_read().await?.tenants().ids().await? {
            let release = manage::get(app, &payload.release).await?;
            // Taken back while this was under way: the job of that way does the rest.
            if !payload.back && release.state != State::Promoted {
                return Ok(());
            }
            let Some(t) = system(app, id).await? else { continue };
            let at = if payload.back {
                &release.to_digest
            } else {
                &release.from_digest
            };
            for row in concerned(app, &t, &release, at).await? {
                let changed = if payload.back {
                    back(app, &t, &row, &release).await
                } else {
                    forward(app, &t, &row, &release).await
                };
                if let Err(problem) = changed {
                    tracing::warn!(tenant = %id, installation = %row.id, %problem, "a release does not reach an installation");
                    // What the plugin's own data or a rule forbids stays so; anything else may pass.
                    if !matches!(
                        problem.kind,
                        ProblemKind::PluginConfigInvalid | ProblemKind::PluginRefused | ProblemKind::NotFound
                    ) {
                        failed = Some(problem);
                    }
                }
            }
        }
        failed.map_or(Ok(()), |problem| Err(problem.into()))
    }
}

async fn forward(app: &App, t: &TenantCtx, row: &Installation, release: &Release) -> Result<(), Problem> {
    if installations::waits_for(row, &release.id) {
        return Ok(());
    }
    let change = Change {
        version: Some(release.to_version.clone()),
        when_consented: true,
        release: Some(release.id.clone()),
        ..Change::default()
    };
    installations::apply(app, t, row.id, change).await
}

/// Back, if it came to this version from the one in use before.
async fn back(app: &App, t: &TenantCtx, row: &Installation, release: &Release) -> Result<(), Problem> {
    if installations::came_from(row).as_deref() != Some(&release.from_digest) {
        return Ok(());
    }
    installations::go_back(app, t, row.id).await
}
