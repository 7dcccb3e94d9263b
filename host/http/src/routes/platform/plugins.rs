//! Plugin versions installed on this host.

use crate::{
    extract::{InTenant, Json, List, ListParams, Listed, OperatorCtx, Path, Query},
    problem::{ApiProblem, ApiResult},
    registry::{Access, Routes},
    state::AppState,
};
use aistack_core::{Permission, PluginVersionId, ProblemKind, Timestamp};
use aistack_domain::plugins::{catalogue, trust::Terms};
use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

/// Routes of this area.
pub(in crate::routes) fn routes() -> Routes {
    let read = Access::platform(Permission::PlatformPluginRead);
    let write = Access::platform(Permission::PlatformPluginWrite);
    Routes::new()
        .add(read, routes!(list))
        .add(
            write
                .audits(&["plugin.installed", "plugin.refused"])
                .body_limit(catalogue::MAX_COMPONENT + 1),
            routes!(install),
        )
        .add(read, routes!(get))
        .add(write.audits(&["plugin.removed"]), routes!(remove))
        .add(write.audits(&["plugin.quarantined"]), routes!(quarantine))
        .add(write.audits(&["plugin.quarantine_lifted"]), routes!(release_quarantine))
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
pub(in crate::routes) struct Plugin {
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
    /// How far its publisher is trusted: `unsigned`, `community`, `verified` or `core`.
    tier: &'static str,
    /// Why it is out of service, if it is.
    #[schema(required = true)]
    quarantined: Option<String>,
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
            tier: l.tier.map_or("unsigned", |t| t.as_str()),
            quarantined: l.quarantined,
        }
    }
}

/// What is demanded of an upload.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Demands {
    /// The digest it has to have: `sha256:<hex>`.
    digest: Option<String>,
    /// Whether an older version than the highest signed one is meant.
    #[serde(default)]
    allow_downgrade: bool,
}

/// Header with detached signatures.
const SIGNATURE: &str = "x-aistack-signature";

/// Installed plugin versions.
#[utoipa::path(get, path = "/api/v1/plugins", tag = "plugins", operation_id = "list_plugins", params(ListParams),
    responses((status = 200, body = Listed<Plugin>)))]
async fn list(State(state): State<AppState>, _: OperatorCtx, list: List) -> ApiResult<Json<Listed<Plugin>>> {
    let rows = catalogue::list(&state.app, &list.page()).await?;
    Ok(Json(list.listed(rows, |l| l.version.id.0, Plugin::from)))
}

/// Install a plugin: the body is the component.
#[utoipa::path(post, path = "/api/v1/plugins", tag = "plugins", operation_id = "install_plugin",
    params(Demands, ("x-aistack-signature" = Option<String>, Header, description = "Detached signatures: a JSON array of {publisher, key_id, alg, sig}")),
    request_body(content = Vec<u8>, content_type = "application/wasm"), responses((status = 201, body = Plugin)))]
async fn install(
    State(state): State<AppState>,
    OperatorCtx(ctx): OperatorCtx,
    Query(demands): Query<Demands>,
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
    let signatures = req
        .headers()
        .get(SIGNATURE)
        .map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned());
    let terms = Terms {
        signatures,
        digest: demands.digest,
        allow_downgrade: demands.allow_downgrade,
        source: Some("upload".to_owned()),
    };
    let component = crate::extract::json::body(req, &state).await?;
    // Compiling and storing go on when the client hangs up: half an upload's work is not thrown away.
    let installed =
        crate::routes::detached(async move { catalogue::install(&state.app, &ctx, &component, &terms).await }).await?;
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

/// Why a version goes out of service.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Quarantine {
    /// The reason; tenants see it.
    reason: String,
}

/// Take a plugin version out of service: calls in flight end, new ones are refused.
#[utoipa::path(post, path = "/api/v1/plugins/{plugin}/quarantine", tag = "plugins", operation_id = "quarantine_plugin",
    params(("plugin" = String, Path)), request_body = Quarantine, responses((status = 200, body = Plugin)))]
async fn quarantine(
    State(state): State<AppState>,
    OperatorCtx(ctx): OperatorCtx,
    Path(id): Path<PluginVersionId>,
    Json(body): Json<Quarantine>,
) -> ApiResult<Json<Plugin>> {
    let held = aistack_domain::plugins::quarantine::set(&state.app, &ctx, id, &body.reason).await?;
    Ok(Json(Plugin::from(held)))
}

/// Put a plugin version back into service.
#[utoipa::path(post, path = "/api/v1/plugins/{plugin}/release-quarantine", tag = "plugins", operation_id = "release_plugin_quarantine",
    params(("plugin" = String, Path)), responses((status = 200, body = Plugin)))]
async fn release_quarantine(
    State(state): State<AppState>,
    OperatorCtx(ctx): OperatorCtx,
    Path(id): Path<PluginVersionId>,
) -> ApiResult<Json<Plugin>> {
    let free = aistack_domain::plugins::quarantine::lift(&state.app, &ctx, id).await?;
    Ok(Json(Plugin::from(free)))
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
