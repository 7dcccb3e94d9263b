//! Publishers whose plugins are taken, and what tenants demand.

use crate::{
    extract::{Json, OperatorCtx, Path},
    problem::ApiResult,
    registry::{Access, Routes},
    state::AppState,
};
use aistack_core::{Permission, Timestamp};
use aistack_domain::{
    plugins::trust::{self, NewPublisher, Tier, Trust},
    tenancy,
};
use axum::{extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

/// Routes of this area.
pub(in crate::routes) fn routes() -> Routes {
    let read = Access::platform(Permission::PlatformPluginRead);
    let write = Access::platform(Permission::PlatformPluginWrite);
    Routes::new()
        .add(read, routes!(list))
        .add(write.audits(&["publisher.added"]), routes!(add))
        .add(write.audits(&["publisher.revoked"]), routes!(revoke))
        .add(read, routes!(get_tenant))
        .add(write.audits(&["plugin.policy_changed"]), routes!(set_tenant))
}

/// A publisher's key.
#[derive(Debug, Serialize, ToSchema)]
struct Publisher {
    /// Id of the key: the first 16 hex digits of its SHA-256.
    key_id: String,
    /// Who publishes with it.
    publisher: String,
    /// The Ed25519 public key, 32 bytes in base64.
    public_key: String,
    /// `community`, `verified` or `core`.
    #[schema(value_type = String)]
    tier: Tier,
    /// For people.
    note: String,
    /// When added.
    #[schema(value_type = String, format = DateTime)]
    added_at: Timestamp,
    /// When revoked.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    revoked_at: Option<Timestamp>,
}

impl From<trust::Publisher> for Publisher {
    fn from(p: trust::Publisher) -> Self {
        Self {
            key_id: p.key_id,
            publisher: p.publisher,
            public_key: p.public_key,
            tier: p.tier,
            note: p.note,
            added_at: p.added_at,
            revoked_at: p.revoked_at,
        }
    }
}

/// All publishers' keys, and what the node demands.
#[derive(Debug, Serialize, ToSchema)]
struct Publishers {
    /// Keys.
    items: Vec<Publisher>,
    /// The least this node demands: `development`, `community`, `verified` or `core`.
    #[schema(value_type = String)]
    trust: Trust,
}

/// A key to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AddPublisher {
    /// Who publishes with it: the first part of their plugins' ids.
    publisher: String,
    /// PEM, or the key's DER or 32 bytes in base64 or hex.
    public_key: String,
    /// `community` (default), `verified` or `core`.
    #[schema(value_type = Option<String>)]
    tier: Option<Tier>,
    /// For people.
    #[serde(default)]
    note: String,
}

/// The publishers whose plugins are taken.
#[utoipa::path(get, path = "/api/v1/publishers", tag = "plugins", operation_id = "list_publishers", responses((status = 200, body = Publishers)))]
async fn list(State(state): State<AppState>, _: OperatorCtx) -> ApiResult<Json<Publishers>> {
    let all = trust::list(&state.app).await?;
    Ok(Json(Publishers {
        items: all.into_iter().map(Publisher::from).collect(),
        trust: state.app.config.plugin_trust,
    }))
}

/// Add a publisher's key, or change how far it is trusted.
#[utoipa::path(post, path = "/api/v1/publishers", tag = "plugins", operation_id = "add_publisher",
    request_body = AddPublisher, responses((status = 201, body = Publisher)))]
async fn add(
    State(state): State<AppState>,
    OperatorCtx(ctx): OperatorCtx,
    Json(body): Json<AddPublisher>,
) -> ApiResult<(StatusCode, Json<Publisher>)> {
    let new = NewPublisher {
        publisher: body.publisher,
        public_key: body.public_key,
        tier: body.tier.unwrap_or(Tier::Community),
        note: body.note,
    };
    let added = trust::add(&state.app, &ctx, new).await?;
    Ok((StatusCode::CREATED, Json(added.into())))
}

/// Revoke a publisher's key.
#[utoipa::path(delete, path = "/api/v1/publishers/{key}", tag = "plugins", operation_id = "revoke_publisher",
    params(("key" = String, Path)), responses((status = 204)))]
async fn revoke(
    State(state): State<AppState>,
    OperatorCtx(ctx): OperatorCtx,
    Path(key): Path<String>,
) -> ApiResult<StatusCode> {
    trust::revoke(&state.app, &ctx, &key).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a tenant demands of plugins.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PluginTrust {
    /// `development` (leaves it to the node), `community`, `verified` or `core`.
    #[schema(value_type = String)]
    min_tier: Trust,
}

/// What a tenant demands of plugins beyond the node.
#[utoipa::path(get, path = "/api/v1/tenants/{tenant}/plugin-trust", tag = "tenants", operation_id = "get_plugin_trust",
    params(("tenant" = String, Path)), responses((status = 200, body = PluginTrust)))]
async fn get_tenant(
    State(state): State<AppState>,
    _: OperatorCtx,
    Path(tenant): Path<String>,
) -> ApiResult<Json<PluginTrust>> {
    let tenant = tenancy::find(&state.app, &tenant).await?;
    let min_tier = trust::of_tenant(&state.app, tenant.id).await?;
    Ok(Json(PluginTrust { min_tier }))
}

/// Set what a tenant demands of plugins: it counts when they are enabled or changed.
#[utoipa::path(put, path = "/api/v1/tenants/{tenant}/plugin-trust", tag = "tenants", operation_id = "set_plugin_trust",
    params(("tenant" = String, Path)), request_body = PluginTrust, responses((status = 200, body = PluginTrust)))]
async fn set_tenant(
    State(state): State<AppState>,
    OperatorCtx(ctx): OperatorCtx,
    Path(tenant): Path<String>,
    Json(body): Json<PluginTrust>,
) -> ApiResult<Json<PluginTrust>> {
    let tenant = tenancy::find(&state.app, &tenant).await?;
    trust::set_tenant(&state.app, &ctx, tenant.id, body.min_tier).await?;
    Ok(Json(body))
}
