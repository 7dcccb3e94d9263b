//! The tenant one is in.

use crate::routes::platform::tenants::TenantView;
use crate::{
    extract::{InTenant, Json},
    problem::ApiResult,
    registry::{Access, Routes},
    state::AppState,
};
use aistack_core::{Permission, Timestamp};
use aistack_domain::tenancy::{self, TenantPatch};
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

/// Routes of this area.
pub(in crate::routes) fn routes() -> Routes {
    Routes::new()
        .add(Access::tenant(Permission::TenantRead), routes!(get))
        .add(
            Access::tenant(Permission::TenantWrite).audits(&["tenant.updated"]),
            routes!(update),
        )
}

/// The tenant's own settings.
#[utoipa::path(get, path = "/api/v1/tenant", tag = "tenant", operation_id = "get_own_tenant", responses((status = 200, body = TenantView)))]
async fn get(State(state): State<AppState>, InTenant(t): InTenant) -> ApiResult<Json<TenantView>> {
    let tenant = tenancy::find(&state.app, &t.tenant.slug).await?;
    let users = tenancy::user_count(&state.app, &tenant).await?;
    Ok(Json(TenantView::new(&state.app, tenant, users)))
}

/// A change of one's own tenant; what is left out stays as it is. The plan is the operators' to change.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UpdateOwnTenant {
    /// Name.
    name: Option<String>,
    /// Language.
    locale: Option<String>,
    /// IANA time zone.
    time_zone: Option<String>,
    /// Refuse if the tenant changed since this version.
    #[schema(value_type = Option<String>)]
    if_updated_at: Option<Timestamp>,
}

/// Change the tenant's settings.
#[utoipa::path(patch, path = "/api/v1/tenant", tag = "tenant", operation_id = "update_own_tenant", request_body = UpdateOwnTenant,
    responses((status = 200, body = TenantView)))]
async fn update(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    Json(body): Json<UpdateOwnTenant>,
) -> ApiResult<Json<TenantView>> {
    let tenant = tenancy::find(&state.app, &t.tenant.slug).await?;
    let patch = TenantPatch {
        name: body.name,
        plan: None,
        locale: body.locale,
        time_zone: body.time_zone,
        if_updated_at: body.if_updated_at,
    };
    let tenant = tenancy::update(&state.app, &t.ctx, &tenant, patch).await?;
    Ok(Json(TenantView::new(&state.app, tenant, None)))
}
