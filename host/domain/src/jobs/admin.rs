//! What operators do with jobs: look at them, and give a dead one another chance.

use crate::{App, Ctx, Problem, audit};
use aistack_core::{JobId, ProblemKind};
use aistack_store::{Job, JobState, Page};
use serde_json::json;

/// A page of jobs, optionally of one state; `q` looks in the kind.
///
/// # Errors
/// As the store.
pub async fn list(app: &App, page: &Page, state: Option<JobState>) -> Result<Vec<Job>, Problem> {
    Ok(app.store.platform_read().await?.jobs().list(page, state).await?)
}

/// Makes a dead job ready again, with fresh attempts.
///
/// # Errors
/// `not_found`, or `conflict` when the job is not dead.
pub async fn retry(app: &App, ctx: &Ctx, id: JobId) -> Result<Job, Problem> {
    let mut tx = app.store.platform().await?;
    let job = tx.jobs().get(id).await?.ok_or_else(|| Problem::not_found("job"))?;
    if !tx.jobs().retry(id, app.clock.now()).await? {
        return Err(Problem::new(
            ProblemKind::Conflict,
            format!("the job is {}; only a dead job can be retried", job.state),
        )
        .with("state", job.state.as_str()));
    }
    let after = tx.jobs().get(id).await?.ok_or_else(|| Problem::not_found("job"))?;
    let draft = audit::Draft::new("job.retried", "job", id).details(json!({
        "kind": job.kind, "tenant": job.tenant_id, "attempts": job.attempts, "last_error": job.last_error,
    }));
    audit::commit_platform(app, tx, ctx, draft).await?;
    app.job_signal.notify_one();
    Ok(after)
}
