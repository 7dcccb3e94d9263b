//! The tenant one is in.

use crate::layers::Caller;
use crate::routes::platform::tenants::{RenameTenant, TenantView};
use crate::{
    extract::{InTenant, Json},
    problem::ApiResult,
    registry::{Access, Routes},
    state::AppState,
};
use aistack_core::{Permission, ProblemKind, Role, Timestamp};
use aistack_domain::{
    Problem,
    access::Person,
    tenancy::{self, TenantPatch},
};
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
        .add(
            Access::tenant(Permission::TenantWrite).audits(&["tenant.renamed"]),
            routes!(rename),
        )
}

/// The tenant's own settings.
#[utoipa::path(get, path = "/api/v1/tenant", tag = "tenant", operation_id = "get_own_tenant", responses((status = 200, body = TenantView)))]
async fn get(State(state): State<AppState>, InTenant(t): InTenant) -> ApiResult<Json<TenantView>> {
    let tenant = tenancy::find(&state.app, &t.tenant.slug).await?;
    let users = tenancy::user_count(&state.app, &tenant).await?;
    let url = tenancy::domains::address(&state.app, tenant.id, &tenant.slug).await?;
    Ok(Json(TenantView::new(&state.app, tenant, users).at(url)))
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

/// Give the tenant another slug; for owners. Everybody is sent on from the old address for 90 days and has to sign in
/// again; nobody else ever gets the old one.
#[utoipa::path(put, path = "/api/v1/tenant/slug", tag = "tenant", operation_id = "rename_own_tenant", request_body = RenameTenant,
    responses((status = 200, body = TenantView)))]
async fn rename(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    caller: Caller,
    Json(body): Json<RenameTenant>,
) -> ApiResult<Json<TenantView>> {
    let owns = caller.signed_in.as_ref().is_some_and(|who| match &who.person {
        Person::Operator(_) => true,
        Person::User(user) => user.role == Role::Owner,
    });
    if !owns {
        return Err(Problem::new(
            ProblemKind::PermissionDenied,
            "only owners give the tenant another slug",
        )
        .into());
    }
    let tenant = tenancy::find(&state.app, &t.tenant.id.to_string()).await?;
    let tenant = tenancy::rename(&state.app, &t.ctx, &tenant, &body.slug, body.if_updated_at).await?;
    Ok(Json(TenantView::new(&state.app, tenant, None)))
}
