//! The proof that tenants are kept apart, for operators: the reports there are, and a new one on demand.

use crate::{
    extract::{Json, Listed, OperatorCtx},
    problem::ApiResult,
    registry::{Access, Routes},
    state::AppState,
};
use aistack_core::{Isolation, Permission, Timestamp};
use aistack_domain::tenancy::isolation::{self, Check, Report};
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

/// Routes of this area.
pub(super) fn routes() -> Routes {
    let audits = &[
        "isolation.verified",
        "isolation.canary_made",
        "isolation.canary_removed",
    ];
    Routes::new()
        .add(Access::platform(Permission::PlatformMonitor), routes!(list))
        .add(
            Access::platform(Permission::PlatformTenantWrite).audits(audits),
            routes!(verify),
        )
}

/// What a proof of isolation found.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct IsolationReport {
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// How long it took, milliseconds.
    took_ms: u64,
    /// Whether everything held.
    holds: bool,
    /// `sqlite` or `postgres`.
    store: String,
    /// What was tried.
    checks: Vec<IsolationCheck>,
}

/// One thing that was tried between two canary tenants.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct IsolationCheck {
    /// How both canaries were kept: `row`, `schema`, `database`.
    #[schema(value_type = String)]
    isolation: Isolation,
    /// What was tried, e.g. `read_by_id`.
    name: String,
    /// Whether the canary was safe.
    holds: bool,
    /// What was found, for people.
    found: String,
}

impl From<Check> for IsolationCheck {
    fn from(c: Check) -> Self {
        Self {
            isolation: c.isolation,
            name: c.name,
            holds: c.holds,
            found: c.found,
        }
    }
}

impl From<Report> for IsolationReport {
    fn from(r: Report) -> Self {
        Self {
            at: r.at,
            took_ms: r.took_ms,
            holds: r.holds,
            store: r.store,
            checks: r.checks.into_iter().map(Into::into).collect(),
        }
    }
}

/// The proofs of the last month, newest first.
#[utoipa::path(get, path = "/api/v1/platform/isolation", tag = "platform", operation_id = "list_isolation_reports",
    responses((status = 200, body = Listed<IsolationReport>)))]
async fn list(State(state): State<AppState>) -> ApiResult<Json<Listed<IsolationReport>>> {
    let reports = isolation::reports(&state.app).await?;
    Ok(Json(Listed {
        items: reports.into_iter().map(Into::into).collect(),
        next: None,
    }))
}

/// Prove the isolation now: canary tenants are planted, tried against each other, and removed.
#[utoipa::path(post, path = "/api/v1/platform/isolation/verify", tag = "platform", operation_id = "verify_isolation",
    responses((status = 200, body = IsolationReport)))]
async fn verify(State(state): State<AppState>, OperatorCtx(ctx): OperatorCtx) -> ApiResult<Json<IsolationReport>> {
    Ok(Json(isolation::verify(&state.app, &ctx).await?.into()))
}
