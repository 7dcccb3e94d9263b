//! Plugin versions installed on this host.

use crate::{
    extract::{InTenant, Json, List, ListParams, Listed, OperatorCtx, Path},
    problem::{ApiProblem, ApiResult},
    registry::{Access, Routes},
    state::AppState,
};
use aistack_core::{Permission, PluginVersionId, ProblemKind, Timestamp};
use aistack_domain::plugins::catalogue;
use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::routes;

/// Routes of this area.
pub(in crate::routes) fn routes() -> Routes {
    let read = Access::platform(Permission::PlatformPluginRead);
    let write = Access::platform(Permission::PlatformPluginWrite);
    Routes::new()
        .add(read, routes!(list))
        .add(
            write
                .audits(&["plugin.installed"])
                .body_limit(catalogue::MAX_COMPONENT + 1),
            routes!(install),
        )
        .add(read, routes!(get))
        .add(write.audits(&["plugin.removed"]), routes!(remove))
        .add(Access::tenant(Permission::PluginRead), routes!(available))
}

/// A name in the platform's languages.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::routes) struct LocalName {
    /// English.
    pub(in crate::routes) en: String,
    /// Chinese.
    #[serde(rename = "zh-CN")]
    pub(in crate::routes) zh_cn: String,
}

impl From<&aistack_domain::plugins::manifest::LocalText> for LocalName {
    fn from(t: &aistack_domain::plugins::manifest::LocalText) -> Self {
        Self {
            en: t.en.clone(),
            zh_cn: t.zh_cn.clone().unwrap_or_else(|| t.en.clone()),
        }
    }
}

/// An installed plugin version.
#[derive(Debug, Serialize, ToSchema)]
struct Plugin {
    /// Id of this version.
    #[schema(value_type = String)]
    id: PluginVersionId,
    /// Plugin, e.g. `official.stripe`.
    plugin_id: String,
    /// Version.
    version: String,
    /// `identity`, `payment` or `report`.
    kind: String,
    /// Contract it was built for.
    contract: String,
    /// SHA-256 of the component.
    digest: String,
    /// Bytes.
    size: i64,
    /// Name.
    name: LocalName,
    /// What it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<LocalName>,
    /// Publisher.
    publisher: String,
    /// The manifest.
    #[schema(value_type = Object)]
    manifest: Value,
    /// JSON Schema of the config.
    #[schema(value_type = Object)]
    config_schema: Value,
    /// Host interfaces it imports.
    imports: Vec<String>,
    /// When installed.
    #[schema(value_type = String, format = DateTime)]
    installed_at: Timestamp,
    /// How many installations use it.
    installations: i64,
}

impl From<catalogue::Listed> for Plugin {
    fn from(l: catalogue::Listed) -> Self {
        Self {
            name: LocalName::from(&l.manifest.name),
            description: l.manifest.description.as_ref().map(LocalName::from),
            manifest: serde_json::to_value(&l.manifest).unwrap_or_default(),
            imports: serde_json::from_str(&l.version.imports).unwrap_or_default(),
            id: l.version.id,
            plugin_id: l.version.plugin_id,
            version: l.version.version,
            kind: l.version.kind,
            contract: l.version.contract,
            digest: l.version.digest,
            size: l.version.size,
            publisher: l.version.publisher,
            config_schema: l.config_schema,
            installed_at: l.version.installed_at,
            installations: l.installations,
        }
    }
}

/// Installed plugin versions.
#[utoipa::path(get, path = "/api/v1/plugins", tag = "plugins", operation_id = "list_plugins", params(ListParams),
    responses((status = 200, body = Listed<Plugin>)))]
async fn list(State(state): State<AppState>, _: OperatorCtx, list: List) -> ApiResult<Json<Listed<Plugin>>> {
    let rows = catalogue::list(&state.app, &list.page()).await?;
    Ok(Json(list.listed(rows, |l| l.version.id.0, Plugin::from)))
}

/// Install a plugin: the body is the component.
#[utoipa::path(post, path = "/api/v1/plugins", tag = "plugins", operation_id = "install_plugin",
    request_body(content = Vec<u8>, content_type = "application/wasm"), responses((status = 201, body = Plugin)))]
async fn install(
    State(state): State<AppState>,
    OperatorCtx(ctx): OperatorCtx,
    req: Request,
) -> ApiResult<(StatusCode, Json<Plugin>)> {
    let is_wasm = req
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.parse::<mime::Mime>().ok())
        .is_some_and(|m| {
            m.type_() == mime::APPLICATION && (m.subtype() == "wasm" || m.subtype() == mime::OCTET_STREAM)
        });
    if !is_wasm {
        return Err(ApiProblem::new(
            ProblemKind::UnsupportedMediaType,
            "send the component as application/wasm",
        ));
    }
    let component = crate::extract::json::body(req, &state).await?;
    // Compiling and storing go on when the client hangs up: half an upload's work is not thrown away.
    let installed =
        crate::routes::detached(async move { catalogue::install(&state.app, &ctx, &component).await }).await?;
    Ok((StatusCode::CREATED, Json(Plugin::from(installed))))
}

/// An installed plugin version.
#[utoipa::path(get, path = "/api/v1/plugins/{plugin}", tag = "plugins", operation_id = "get_plugin",
    params(("plugin" = String, Path)), responses((status = 200, body = Plugin)))]
async fn get(
    State(state): State<AppState>,
    _: OperatorCtx,
    Path(id): Path<PluginVersionId>,
) -> ApiResult<Json<Plugin>> {
    Ok(Json(Plugin::from(catalogue::get(&state.app, id).await?)))
}

/// Remove a plugin version nobody uses.
#[utoipa::path(delete, path = "/api/v1/plugins/{plugin}", tag = "plugins", operation_id = "remove_plugin",
    params(("plugin" = String, Path)), responses((status = 204)))]
async fn remove(
    State(state): State<AppState>,
    OperatorCtx(ctx): OperatorCtx,
    Path(id): Path<PluginVersionId>,
) -> ApiResult<StatusCode> {
    catalogue::remove(&state.app, &ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Plugin versions the tenant may enable.
#[utoipa::path(get, path = "/api/v1/plugins/available", tag = "plugins", operation_id = "list_available_plugins",
    params(ListParams), responses((status = 200, body = Listed<Plugin>)))]
async fn available(State(state): State<AppState>, _: InTenant, list: List) -> ApiResult<Json<Listed<Plugin>>> {
    let rows = aistack_domain::plugins::installations::available(&state.app, &list.page()).await?;
    // Who else uses a plugin is nobody's business in a tenant.
    Ok(Json(list.listed(
        rows,
        |l| l.version.id.0,
        |l| Plugin {
            installations: 0,
            ..Plugin::from(l)
        },
    )))
}
