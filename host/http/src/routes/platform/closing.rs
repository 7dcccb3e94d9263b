//! The end of a tenant: closing it, taking that back, erasing it.

use super::tenants::{Reason, TenantView};
use crate::{
    extract::{Json, OperatorCtx, Path},
    problem::ApiResult,
    registry::{Access, Routes},
    state::AppState,
};
use aistack_core::Permission;
use aistack_domain::tenancy::{self, closing};
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

/// Routes of this area.
pub(super) fn routes() -> Routes {
    let write = Access::platform(Permission::PlatformTenantWrite);
    Routes::new()
        .add(write.audits(&["tenant.closed"]), routes!(close))
        .add(write.audits(&["tenant.restored"]), routes!(restore))
        .add(
            write.audits(&["tenant.purged", "tenant.uses_removed", "tenant.erased"]),
            routes!(purge),
        )
}

/// Close a tenant: its people can read and pay, and in 30 days everything of it is erased.
#[utoipa::path(post, path = "/api/v1/tenants/{tenant}/close", tag = "tenants", operation_id = "close_tenant",
    params(("tenant" = String, Path)), request_body = Reason, responses((status = 200, body = TenantView)))]
async fn close(
    State(state): State<AppState>,
    OperatorCtx(ctx): OperatorCtx,
    Path(id): Path<String>,
    Json(body): Json<Reason>,
) -> ApiResult<Json<TenantView>> {
    let tenant = tenancy::find(&state.app, &id).await?;
    let tenant = closing::close(&state.app, &ctx, &tenant, &body.reason).await?;
    let until = closing::closing_of(&state.app, tenant.id).await?;
    Ok(Json(TenantView::new(&state.app, tenant, None).closing(until)))
}

/// Take closing back: the tenant is what it was before.
#[utoipa::path(post, path = "/api/v1/tenants/{tenant}/restore", tag = "tenants", operation_id = "restore_tenant",
    params(("tenant" = String, Path)), request_body = Reason, responses((status = 200, body = TenantView)))]
async fn restore(
    State(state): State<AppState>,
    OperatorCtx(ctx): OperatorCtx,
    Path(id): Path<String>,
    Json(body): Json<Reason>,
) -> ApiResult<Json<TenantView>> {
    let tenant = tenancy::find(&state.app, &id).await?;
    let tenant = closing::restore(&state.app, &ctx, &tenant, &body.reason).await?;
    Ok(Json(TenantView::new(&state.app, tenant, None)))
}

/// What erasing for good takes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Purge {
    /// Kept in the audit log.
    reason: String,
    /// The tenant's slug, typed again.
    confirm: String,
}

/// Erase a tenant that is closing, now and for good. Its slug is never given to anybody else.
#[utoipa::path(post, path = "/api/v1/tenants/{tenant}/purge", tag = "tenants", operation_id = "purge_tenant",
    params(("tenant" = String, Path)), request_body = Purge, responses((status = 200, body = TenantView)))]
async fn purge(
    State(state): State<AppState>,
    OperatorCtx(ctx): OperatorCtx,
    Path(id): Path<String>,
    Json(body): Json<Purge>,
) -> ApiResult<Json<TenantView>> {
    let tenant = tenancy::find(&state.app, &id).await?;
    let tenant = closing::purge(&state.app, &ctx, &tenant, &body.reason, &body.confirm).await?;
    Ok(Json(TenantView::new(&state.app, tenant, None)))
}
