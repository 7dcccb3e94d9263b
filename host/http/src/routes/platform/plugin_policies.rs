//! What operators let plugins do and use: ceilings per plugin and tenant, terms per plan and tenant.

use crate::{
    extract::{Json, OperatorCtx, Path},
    problem::ApiResult,
    registry::{Access, Routes},
    state::AppState,
};
use aistack_core::Permission;
use aistack_domain::{
    plugins::{
        grants::GrantRequest,
        policy::{
            ceiling::{self, Ceiling},
            terms::{self, Of},
        },
        port::PluginKind,
    },
    quota, tenancy,
};
use axum::{extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

/// Routes of this area.
pub(in crate::routes) fn routes() -> Routes {
    let read = Access::platform(Permission::PlatformPluginRead);
    let write = Access::platform(Permission::PlatformPluginWrite).audits(&["plugin.policy_changed"]);
    Routes::new()
        .add(read, routes!(get_ceiling))
        .add(write, routes!(set_ceiling))
        .add(write, routes!(clear_ceiling))
        .add(read, routes!(get_tenant_ceiling))
        .add(write, routes!(set_tenant_ceiling))
        .add(write, routes!(clear_tenant_ceiling))
        .add(read, routes!(get_plan))
        .add(write, routes!(set_plan))
        .add(write, routes!(clear_plan))
        .add(read, routes!(get_tenant))
        .add(write, routes!(set_tenant))
        .add(write, routes!(clear_tenant))
}

/// What a plugin may be granted.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PluginCeiling {
    /// Whether it may be used at all.
    #[serde(default = "yes")]
    allowed: bool,
    /// The most it may be granted, in the form of an installation's grants; what is left out is not bounded here. Hosts
    /// may begin with `*.`.
    #[serde(default)]
    #[schema(value_type = Object)]
    grants: GrantRequest,
}

fn yes() -> bool {
    true
}

impl From<PluginCeiling> for Ceiling {
    fn from(c: PluginCeiling) -> Self {
        Self {
            allowed: c.allowed,
            grants: c.grants,
        }
    }
}

impl From<Ceiling> for PluginCeiling {
    fn from(c: Ceiling) -> Self {
        Self {
            allowed: c.allowed,
            grants: c.grants,
        }
    }
}

/// What plugins may do and use; what is left out is not bounded here.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::routes) struct PluginTerms {
    /// Plugins enabled at most.
    installations: Option<u32>,
    /// Kinds of plugins that may be enabled: `identity`, `payment`, `report`.
    #[schema(value_type = Option<Vec<String>>)]
    kinds: Option<Vec<PluginKind>>,
    /// Host interfaces beyond those that reach nothing outside the call, e.g. `http`, `kv`, `secrets`.
    interfaces: Option<Vec<String>>,
    /// Memory of a call, bytes.
    memory_bytes: Option<u64>,
    /// Wall time of a call that somebody waits for, milliseconds.
    call_ms: Option<u64>,
    /// Calls of one installation at the same time.
    concurrency: Option<u32>,
    /// Calls per second; five seconds' worth may come at once.
    calls_per_second: Option<u32>,
    /// Processor time within a minute, milliseconds.
    cpu_ms_per_minute: Option<u64>,
    /// Bytes sent and received within a day (UTC).
    egress_bytes_per_day: Option<u64>,
    /// Key-value state of all the tenant's plugins together, bytes.
    kv_bytes: Option<u64>,
}

impl From<quota::PluginTerms> for PluginTerms {
    fn from(t: quota::PluginTerms) -> Self {
        Self {
            installations: t.installations,
            kinds: t.kinds,
            interfaces: t.interfaces,
            memory_bytes: t.memory_bytes,
            call_ms: t.call_ms,
            concurrency: t.concurrency,
            calls_per_second: t.calls_per_second,
            cpu_ms_per_minute: t.cpu_ms_per_minute,
            egress_bytes_per_day: t.egress_bytes_per_day,
            kv_bytes: t.kv_bytes,
        }
    }
}

impl From<PluginTerms> for quota::PluginTerms {
    fn from(t: PluginTerms) -> Self {
        Self {
            installations: t.installations,
            kinds: t.kinds,
            interfaces: t.interfaces,
            memory_bytes: t.memory_bytes,
            call_ms: t.call_ms,
            concurrency: t.concurrency,
            calls_per_second: t.calls_per_second,
            cpu_ms_per_minute: t.cpu_ms_per_minute,
            egress_bytes_per_day: t.egress_bytes_per_day,
            kv_bytes: t.kv_bytes,
        }
    }
}

/// The most a plugin may be granted in any tenant.
#[utoipa::path(get, path = "/api/v1/plugins/{plugin}/ceiling", tag = "plugins", operation_id = "get_plugin_ceiling",
    params(("plugin" = String, Path, description = "The plugin's id, e.g. `acme.pay`")), responses((status = 200, body = PluginCeiling)))]
async fn get_ceiling(
    State(state): State<AppState>,
    _: OperatorCtx,
    Path(plugin): Path<String>,
) -> ApiResult<Json<PluginCeiling>> {
    Ok(Json(ceiling::get(&state.app, &plugin, None).await?.into()))
}

/// Set the most a plugin may be granted in any tenant: counts at once, for calls in flight too.
#[utoipa::path(put, path = "/api/v1/plugins/{plugin}/ceiling", tag = "plugins", operation_id = "set_plugin_ceiling",
    params(("plugin" = String, Path, description = "The plugin's id, e.g. `acme.pay`")), request_body = PluginCeiling,
    responses((status = 200, body = PluginCeiling)))]
async fn set_ceiling(
    State(state): State<AppState>,
    OperatorCtx(ctx): OperatorCtx,
    Path(plugin): Path<String>,
    Json(body): Json<PluginCeiling>,
) -> ApiResult<Json<PluginCeiling>> {
    let set = ceiling::set(&state.app, &ctx, &plugin, None, Some(body.into())).await?;
    Ok(Json(set.into()))
}

/// Take a plugin's ceiling away.
#[utoipa::path(delete, path = "/api/v1/plugins/{plugin}/ceiling", tag = "plugins", operation_id = "clear_plugin_ceiling",
    params(("plugin" = String, Path, description = "The plugin's id, e.g. `acme.pay`")), responses((status = 204)))]
async fn clear_ceiling(
    State(state): State<AppState>,
    OperatorCtx(ctx): OperatorCtx,
    Path(plugin): Path<String>,
) -> ApiResult<StatusCode> {
    ceiling::set(&state.app, &ctx, &plugin, None, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The most a plugin may be granted in one tenant.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/plugins/{plugin}/ceiling", tag = "tenants", operation_id = "get_tenant_plugin_ceiling",
    params(("tenant" = String, Path), ("plugin" = String, Path)), responses((status = 200, body = PluginCeiling)))]
async fn get_tenant_ceiling(
    State(state): State<AppState>,
    _: OperatorCtx,
    Path((tenant, plugin)): Path<(String, String)>,
) -> ApiResult<Json<PluginCeiling>> {
    let tenant = tenancy::find(&state.app, &tenant).await?;
    Ok(Json(ceiling::get(&state.app, &plugin, Some(tenant.id)).await?.into()))
}

/// Set the most a plugin may be granted in one tenant: both ceilings hold.
#[utoipa::path(put, path = "/api/v1/tenants/{tenant}/plugins/{plugin}/ceiling", tag = "tenants", operation_id = "set_tenant_plugin_ceiling",
    params(("tenant" = String, Path), ("plugin" = String, Path)), request_body = PluginCeiling,
    responses((status = 200, body = PluginCeiling)))]
async fn set_tenant_ceiling(
    State(state): State<AppState>,
    OperatorCtx(ctx): OperatorCtx,
    Path((tenant, plugin)): Path<(String, String)>,
    Json(body): Json<PluginCeiling>,
) -> ApiResult<Json<PluginCeiling>> {
    let tenant = tenancy::find(&state.app, &tenant).await?;
    let set = ceiling::set(&state.app, &ctx, &plugin, Some(tenant.id), Some(body.into())).await?;
    Ok(Json(set.into()))
}

/// Take a tenant's ceiling over a plugin away.
#[utoipa::path(delete, path = "/api/v1/tenants/{tenant}/plugins/{plugin}/ceiling", tag = "tenants", operation_id = "clear_tenant_plugin_ceiling",
    params(("tenant" = String, Path), ("plugin" = String, Path)), responses((status = 204)))]
async fn clear_tenant_ceiling(
    State(state): State<AppState>,
    OperatorCtx(ctx): OperatorCtx,
    Path((tenant, plugin)): Path<(String, String)>,
) -> ApiResult<StatusCode> {
    let tenant = tenancy::find(&state.app, &tenant).await?;
    ceiling::set(&state.app, &ctx, &plugin, Some(tenant.id), None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What tenants on a plan may do and use with plugins.
#[utoipa::path(get, path = "/api/v1/plans/{plan}/plugin-terms", tag = "plugins", operation_id = "get_plan_plugin_terms",
    params(("plan" = String, Path, description = "`free`, `basic`, `professional` or `enterprise`")),
    responses((status = 200, body = PluginTerms)))]
async fn get_plan(
    State(state): State<AppState>,
    _: OperatorCtx,
    Path(plan): Path<String>,
) -> ApiResult<Json<PluginTerms>> {
    Ok(Json(terms::get(&state.app, Of::Plan(&plan)).await?.into()))
}

/// Set what tenants on a plan may do and use with plugins: counts at once.
#[utoipa::path(put, path = "/api/v1/plans/{plan}/plugin-terms", tag = "plugins", operation_id = "set_plan_plugin_terms",
    params(("plan" = String, Path)), request_body = PluginTerms, responses((status = 200, body = PluginTerms)))]
async fn set_plan(
    State(state): State<AppState>,
    OperatorCtx(ctx): OperatorCtx,
    Path(plan): Path<String>,
    Json(body): Json<PluginTerms>,
) -> ApiResult<Json<PluginTerms>> {
    let set = terms::set(&state.app, &ctx, Of::Plan(&plan), Some(body.into())).await?;
    Ok(Json(set.into()))
}

/// Let a plan's plugin terms be the platform's own again.
#[utoipa::path(delete, path = "/api/v1/plans/{plan}/plugin-terms", tag = "plugins", operation_id = "clear_plan_plugin_terms",
    params(("plan" = String, Path)), responses((status = 204)))]
async fn clear_plan(
    State(state): State<AppState>,
    OperatorCtx(ctx): OperatorCtx,
    Path(plan): Path<String>,
) -> ApiResult<StatusCode> {
    terms::set(&state.app, &ctx, Of::Plan(&plan), None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A tenant's own plugin terms; they stand over its plan's.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/plugin-terms", tag = "tenants", operation_id = "get_tenant_plugin_terms",
    params(("tenant" = String, Path)), responses((status = 200, body = PluginTerms)))]
async fn get_tenant(
    State(state): State<AppState>,
    _: OperatorCtx,
    Path(tenant): Path<String>,
) -> ApiResult<Json<PluginTerms>> {
    let tenant = tenancy::find(&state.app, &tenant).await?;
    Ok(Json(terms::get(&state.app, Of::Tenant(tenant.id)).await?.into()))
}

/// Give a tenant plugin terms of its own: counts at once.
#[utoipa::path(put, path = "/api/v1/tenants/{tenant}/plugin-terms", tag = "tenants", operation_id = "set_tenant_plugin_terms",
    params(("tenant" = String, Path)), request_body = PluginTerms, responses((status = 200, body = PluginTerms)))]
async fn set_tenant(
    State(state): State<AppState>,
    OperatorCtx(ctx): OperatorCtx,
    Path(tenant): Path<String>,
    Json(body): Json<PluginTerms>,
) -> ApiResult<Json<PluginTerms>> {
    let tenant = tenancy::find(&state.app, &tenant).await?;
    let set = terms::set(&state.app, &ctx, Of::Tenant(tenant.id), Some(body.into())).await?;
    Ok(Json(set.into()))
}

/// Take a tenant's own plugin terms away: its plan's hold again.
#[utoipa::path(delete, path = "/api/v1/tenants/{tenant}/plugin-terms", tag = "tenants", operation_id = "clear_tenant_plugin_terms",
    params(("tenant" = String, Path)), responses((status = 204)))]
async fn clear_tenant(
    State(state): State<AppState>,
    OperatorCtx(ctx): OperatorCtx,
    Path(tenant): Path<String>,
) -> ApiResult<StatusCode> {
    let tenant = tenancy::find(&state.app, &tenant).await?;
    terms::set(&state.app, &ctx, Of::Tenant(tenant.id), None).await?;
    Ok(StatusCode::NO_CONTENT)
}
