//! Durable jobs, for operators.

use crate::{
    extract::{Json, List, ListParams, Listed, OperatorCtx, Path, Query},
    problem::ApiResult,
    registry::{Access, Routes},
    state::AppState,
};
use aistack_core::{JobId, Permission, TenantId, Timestamp};
use aistack_domain::jobs;
use aistack_store::JobState;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

/// Routes of this area.
pub(in crate::routes) fn routes() -> Routes {
    Routes::new()
        .add(Access::platform(Permission::PlatformMonitor), routes!(list_jobs))
        .add(
            Access::platform(Permission::PlatformTenantWrite).audits(&["job.retried"]),
            routes!(retry),
        )
}

/// A durable job.
#[derive(Debug, Serialize, ToSchema)]
struct Job {
    /// Id.
    #[schema(value_type = String)]
    id: JobId,
    /// What it does, e.g. `report.run`.
    kind: String,
    /// `ready`, `running`, `done` or `dead`.
    #[schema(value_type = String)]
    state: JobState,
    /// The tenant it is for.
    #[schema(value_type = Option<String>, required = true)]
    tenant: Option<TenantId>,
    /// Tries so far.
    attempts: i64,
    /// Most tries.
    max_attempts: i64,
    /// Not before.
    #[schema(value_type = String, format = DateTime)]
    run_at: Timestamp,
    /// Why the last try failed.
    #[schema(required = true)]
    last_error: Option<String>,
    /// When made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<aistack_store::Job> for Job {
    fn from(j: aistack_store::Job) -> Self {
        Self {
            id: j.id,
            kind: j.kind,
            state: j.state,
            tenant: j.tenant_id,
            attempts: j.attempts,
            max_attempts: j.max_attempts,
            run_at: j.run_at,
            last_error: j.last_error,
            created_at: j.created_at,
            updated_at: j.updated_at,
        }
    }
}

/// Which jobs.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct JobsQuery {
    /// Only in this state: `ready`, `running`, `done` or `dead`.
    #[param(value_type = Option<String>)]
    state: Option<JobState>,
}

/// Jobs, newest first; `q` looks in the kind.
#[utoipa::path(get, path = "/api/v1/platform/jobs", tag = "platform", operation_id = "list_jobs", params(ListParams, JobsQuery),
    responses((status = 200, body = Listed<Job>)))]
async fn list_jobs(
    State(state): State<AppState>,
    list: List,
    Query(q): Query<JobsQuery>,
) -> ApiResult<Json<Listed<Job>>> {
    let rows = jobs::list(&state.app, &list.page(), q.state).await?;
    Ok(Json(list.listed(rows, |j| j.id.0, Job::from)))
}

/// Makes a dead job ready again, with fresh attempts.
#[utoipa::path(post, path = "/api/v1/platform/jobs/{job}/retry", tag = "platform", operation_id = "retry_job", params(("job" = String, Path)),
    responses((status = 200, body = Job)))]
async fn retry(
    State(state): State<AppState>,
    OperatorCtx(ctx): OperatorCtx,
    Path(job): Path<JobId>,
) -> ApiResult<Json<Job>> {
    Ok(Json(jobs::retry(&state.app, &ctx, job).await?.into()))
}
