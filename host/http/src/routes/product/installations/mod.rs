//! Plugins enabled in a tenant.

mod body;
mod calls;
mod directory;
mod documents;
mod lifecycle;
mod recordings;

pub(in crate::routes) use body::Installation;

use crate::{
    extract::{InTenant, Json, List, ListParams, Listed, Path, Query},
    problem::ApiResult,
    registry::{Access, Routes},
    state::AppState,
};
use aistack_core::{InstallationId, Permission};
use aistack_domain::plugins::{
    grants::GrantRequest,
    installations::{self, Change, Enable},
    port::PluginKind,
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
            write.audits(&[
                "installation.updated",
                "installation.disabled",
                "installation.upgraded",
                "installation.consented",
                "installation.consent_asked",
                "installation.grant_revoked",
            ]),
            routes!(update),
        )
        .add(write.audits(&["installation.removed"]), routes!(remove))
        .add(write.audits(&["installation.secret_set"]), routes!(put_secret))
        .add(write.audits(&["installation.checked"]), routes!(check))
        .merge(lifecycle::routes())
        .merge(directory::routes())
        .merge(calls::routes())
        .merge(documents::routes())
        .merge(recordings::routes())
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
    /// Another installed version. Without a config, the new version translates the old one.
    version: Option<String>,
    /// Whether releases leave it at its version.
    pinned: Option<bool>,
    /// Secrets the change brings along, e.g. those that a new version requires.
    #[serde(default)]
    #[schema(value_type = HashMap<String, String>)]
    secrets: BTreeMap<String, SecretString>,
    /// Agrees to what the change asks for beyond what was granted: the `added_digest` that was answered.
    consent: Option<String>,
    /// Lets a change that needs consent wait for it, as `pending`.
    #[serde(default)]
    when_consented: bool,
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
        pinned: body.pinned,
        secrets: body.secrets,
        consent: body.consent,
        when_consented: body.when_consented,
        release: None,
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
