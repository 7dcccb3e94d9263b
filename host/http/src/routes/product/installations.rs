//! Plugins enabled in a tenant.

use crate::{
    extract::{InTenant, Json, List, ListParams, Listed, Path, Query},
    problem::ApiResult,
    registry::{Access, Routes},
    state::AppState,
};
use aistack_core::{InstallationId, Permission, Timestamp};
use aistack_domain::plugins::{
    grants::GrantRequest,
    installations::{self, CallView, Change, Enable, InstallationView},
    port::{Grants, PluginKind},
};
use aistack_store::InstallationStatus;
use axum::{extract::State, http::StatusCode};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

/// Routes of this area.
pub(in crate::routes) fn routes() -> Routes {
    let read = Access::tenant(Permission::PluginRead);
    let write = Access::tenant(Permission::PluginWrite);
    Routes::new()
        .add(read, routes!(list))
        .add(write.audits(&["installation.enabled"]), routes!(enable))
        .add(read, routes!(get))
        .add(
            write.audits(&["installation.updated", "installation.disabled"]),
            routes!(update),
        )
        .add(write.audits(&["installation.removed"]), routes!(remove))
        .add(write.audits(&["installation.secret_set"]), routes!(put_secret))
        .add(write.audits(&["installation.checked"]), routes!(check))
        .add(read, routes!(calls))
}

/// A secret: that it is there, never what it is.
#[derive(Debug, Serialize, ToSchema)]
struct Secret {
    /// Name.
    name: String,
    /// Whether a value is set.
    set: bool,
    /// When it was last set.
    #[schema(value_type = Option<String>, format = DateTime)]
    updated_at: Option<Timestamp>,
    /// Versions in force; two during a rollover.
    versions: usize,
}

/// An inbound endpoint.
#[derive(Debug, Serialize, ToSchema)]
struct Endpoint {
    /// Name in the manifest.
    name: String,
    /// Where the provider delivers.
    url: String,
}

/// How an installation does.
#[derive(Debug, Serialize, ToSchema)]
struct Health {
    /// Calls in the last 24 hours.
    calls_24h: i64,
    /// Calls of these that did not end well.
    failures_24h: i64,
    /// `closed` or `open`.
    breaker: &'static str,
}

/// A plugin enabled in the tenant.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Installation {
    /// Id.
    #[schema(value_type = String)]
    id: InstallationId,
    /// Plugin.
    plugin_id: String,
    /// Version.
    version: String,
    /// SHA-256 of the component.
    digest: String,
    /// `identity`, `payment` or `report`.
    kind: String,
    /// Name.
    name: String,
    /// `active` or `disabled`.
    #[schema(value_type = String)]
    status: InstallationStatus,
    /// Config.
    #[schema(value_type = Object)]
    config: Value,
    /// Secrets.
    secrets: Vec<Secret>,
    /// What it may do.
    #[schema(value_type = Object)]
    grants: Grants,
    /// Inbound endpoints.
    endpoints: Vec<Endpoint>,
    /// Redirect URI of an identity connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    callback_url: Option<String>,
    /// When made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// Health.
    health: Health,
}

impl From<InstallationView> for Installation {
    fn from(v: InstallationView) -> Self {
        Self {
            id: v.id,
            plugin_id: v.plugin_id,
            version: v.version,
            digest: v.digest,
            kind: v.kind,
            name: v.name,
            status: v.status,
            config: v.config,
            secrets: v
                .secrets
                .into_iter()
                .map(|s| Secret {
                    name: s.name,
                    set: s.set,
                    updated_at: s.updated_at,
                    versions: s.versions,
                })
                .collect(),
            grants: v.grants,
            endpoints: v
                .endpoints
                .into_iter()
                .map(|e| Endpoint {
                    name: e.name,
                    url: e.url,
                })
                .collect(),
            callback_url: v.callback_url,
            created_at: v.created_at,
            updated_at: v.updated_at,
            health: Health {
                calls_24h: v.health.calls_24h,
                failures_24h: v.health.failures_24h,
                breaker: v.health.breaker,
            },
        }
    }
}

/// A plugin to be enabled.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EnablePlugin {
    /// Plugin, e.g. `official.stripe`.
    plugin_id: String,
    /// Version; the highest installed one when left out.
    version: Option<String>,
    /// Name people see.
    name: String,
    /// Config by the plugin's schema.
    #[serde(default = "empty_object")]
    #[schema(value_type = Object)]
    config: Value,
    /// Secrets by name.
    #[serde(default)]
    #[schema(value_type = HashMap<String, String>)]
    secrets: BTreeMap<String, SecretString>,
    /// Grants; everything the manifest declares when left out. `private_hosts` is for operators.
    #[schema(value_type = Option<Object>)]
    grants: Option<GrantRequest>,
}

fn empty_object() -> Value {
    Value::Object(serde_json::Map::new())
}

/// A change of an installation; what is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UpdateInstallation {
    /// Name.
    name: Option<String>,
    /// The whole config.
    #[schema(value_type = Option<Object>)]
    config: Option<Value>,
    /// Grants.
    #[schema(value_type = Option<Object>)]
    grants: Option<GrantRequest>,
    /// `active` or `disabled`.
    #[schema(value_type = Option<String>)]
    status: Option<InstallationStatus>,
    /// Another installed version.
    version: Option<String>,
}

/// A secret's value.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SecretValue {
    /// The value.
    #[schema(value_type = String, format = Password)]
    value: SecretString,
    /// Whether the value before stays valid until the next change (rollover).
    #[serde(default)]
    keep_previous: bool,
}

/// Which installations.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// `identity`, `payment` or `report`.
    #[param(value_type = Option<String>)]
    kind: Option<PluginKind>,
}

/// The tenant's plugins.
#[utoipa::path(get, path = "/api/v1/installations", tag = "installations", operation_id = "list_installations",
    params(ListParams, Filter), responses((status = 200, body = Listed<Installation>)))]
async fn list(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    list: List,
    Query(filter): Query<Filter>,
) -> ApiResult<Json<Listed<Installation>>> {
    let rows = installations::list(&state.app, &t, &list.page(), filter.kind).await?;
    Ok(Json(list.listed(rows, |i| i.id.0, Installation::from)))
}

/// Enable a plugin.
#[utoipa::path(post, path = "/api/v1/installations", tag = "installations", operation_id = "enable_plugin",
    request_body = EnablePlugin, responses((status = 201, body = Installation)))]
async fn enable(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    Json(body): Json<EnablePlugin>,
) -> ApiResult<(StatusCode, Json<Installation>)> {
    let command = Enable {
        plugin_id: body.plugin_id,
        version: body.version,
        name: body.name,
        config: body.config,
        secrets: body.secrets,
        grants: body.grants,
    };
    let made = installations::enable(&state.app, &t, command).await?;
    Ok((StatusCode::CREATED, Json(Installation::from(made))))
}

/// An enabled plugin.
#[utoipa::path(get, path = "/api/v1/installations/{installation}", tag = "installations", operation_id = "get_installation",
    params(("installation" = String, Path)), responses((status = 200, body = Installation)))]
async fn get(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    Path(id): Path<InstallationId>,
) -> ApiResult<Json<Installation>> {
    Ok(Json(installations::get(&state.app, &t, id).await?.into()))
}

/// Change an enabled plugin.
#[utoipa::path(patch, path = "/api/v1/installations/{installation}", tag = "installations", operation_id = "update_installation",
    params(("installation" = String, Path)), request_body = UpdateInstallation, responses((status = 200, body = Installation)))]
async fn update(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    Path(id): Path<InstallationId>,
    Json(body): Json<UpdateInstallation>,
) -> ApiResult<Json<Installation>> {
    let change = Change {
        name: body.name,
        config: body.config,
        grants: body.grants,
        status: body.status,
        version: body.version,
    };
    Ok(Json(installations::update(&state.app, &t, id, change).await?.into()))
}

/// Remove an enabled plugin.
#[utoipa::path(delete, path = "/api/v1/installations/{installation}", tag = "installations", operation_id = "remove_installation",
    params(("installation" = String, Path)), responses((status = 204)))]
async fn remove(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    Path(id): Path<InstallationId>,
) -> ApiResult<StatusCode> {
    installations::delete(&state.app, &t, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Set a secret.
#[utoipa::path(put, path = "/api/v1/installations/{installation}/secrets/{name}", tag = "installations", operation_id = "put_installation_secret",
    params(("installation" = String, Path), ("name" = String, Path)), request_body = SecretValue,
    responses((status = 200, body = Installation)))]
async fn put_secret(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    Path((id, name)): Path<(InstallationId, String)>,
    Json(body): Json<SecretValue>,
) -> ApiResult<Json<Installation>> {
    let after = installations::put_secret(&state.app, &t, id, &name, &body.value, body.keep_previous).await?;
    Ok(Json(after.into()))
}

/// How to check.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct CheckRequest {
    /// Whether to talk to the provider too.
    deep: bool,
}

/// One line of a check.
#[derive(Debug, Serialize, ToSchema)]
struct CheckFinding {
    /// JSON pointer into the config, when the line is about one field.
    #[schema(required = true)]
    field: Option<String>,
    /// Whether this line is fine.
    ok: bool,
    /// What was found.
    message: String,
}

/// The result of a check.
#[derive(Debug, Serialize, ToSchema)]
struct CheckResult {
    /// Lines.
    findings: Vec<CheckFinding>,
}

/// Have the plugin check its configuration.
#[utoipa::path(post, path = "/api/v1/installations/{installation}/check", tag = "installations", operation_id = "check_installation",
    params(("installation" = String, Path)), request_body = CheckRequest, responses((status = 200, body = CheckResult)))]
async fn check(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    Path(id): Path<InstallationId>,
    Json(body): Json<CheckRequest>,
) -> ApiResult<Json<CheckResult>> {
    let findings = installations::check(&state.app, &t, id, body.deep).await?;
    let findings = findings
        .into_iter()
        .map(|f| CheckFinding {
            field: f.field,
            ok: f.ok,
            message: f.message,
        })
        .collect();
    Ok(Json(CheckResult { findings }))
}

/// A recorded call.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PluginCall)]
struct Call {
    /// Id.
    id: String,
    /// Operation.
    operation: String,
    /// Request that caused it.
    #[schema(required = true)]
    request_id: Option<String>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// Wall time, microseconds.
    wall_us: i64,
    /// Time in the guest, microseconds.
    guest_us: i64,
    /// Peak memory, bytes.
    memory: i64,
    /// Host calls.
    host_calls: i64,
    /// Bytes out.
    bytes_out: i64,
    /// Bytes in.
    bytes_in: i64,
    /// `ok`, `fault`, `trap`, `timeout`, `limit` or `refused`.
    outcome: String,
    /// Fault or trap code.
    #[schema(required = true)]
    code: Option<String>,
    /// Log lines.
    #[schema(value_type = Vec<Object>)]
    log: Value,
}

impl From<CallView> for Call {
    fn from(c: CallView) -> Self {
        Self {
            id: c.id.to_string(),
            operation: c.operation,
            request_id: c.request_id.map(|r| r.to_string()),
            started_at: c.started_at,
            wall_us: c.wall_us,
            guest_us: c.guest_us,
            memory: c.memory,
            host_calls: c.host_calls,
            bytes_out: c.bytes_out,
            bytes_in: c.bytes_in,
            outcome: c.outcome,
            code: c.code,
            log: c.log,
        }
    }
}

/// Calls of an enabled plugin.
#[utoipa::path(get, path = "/api/v1/installations/{installation}/calls", tag = "installations", operation_id = "list_installation_calls",
    params(("installation" = String, Path), ListParams), responses((status = 200, body = Listed<Call>)))]
async fn calls(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    Path(id): Path<InstallationId>,
    list: List,
) -> ApiResult<Json<Listed<Call>>> {
    let rows = installations::calls(&state.app, &t, id, &list.page()).await?;
    Ok(Json(list.listed(rows, |c| c.id.0, Call::from)))
}
