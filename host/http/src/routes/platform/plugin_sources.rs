//! Where components come from beside an upload: pulled from a registry, or put into a watched folder.

use super::plugins::Plugin;
use crate::{
    extract::{Json, OperatorCtx},
    problem::ApiResult,
    registry::{Access, Routes},
    state::AppState,
};
use aistack_core::{Permission, PluginVersionId, Timestamp};
use aistack_domain::plugins::{
    sources::{self, Pull, SourceKind, SourceState},
    trust::Terms,
};
use axum::{extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

/// Routes of this area.
pub(in crate::routes) fn routes() -> Routes {
    let write = Access::platform(Permission::PlatformPluginWrite);
    Routes::new()
        .add(Access::platform(Permission::PlatformPluginRead), routes!(list))
        .add(write.audits(&["plugin.installed", "plugin.refused"]), routes!(pull))
}

/// What is to be pulled.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PullPlugin {
    /// `oci://host/name:tag`, with `@sha256:…` behind it to pin it to a manifest.
    reference: String,
    /// The digest the component has to have: `sha256:<hex>`.
    digest: Option<String>,
    /// Whether an older version than the highest signed one is meant.
    #[serde(default)]
    allow_downgrade: bool,
}

/// Install a plugin from a registry that `[plugins] registries` names.
#[utoipa::path(post, path = "/api/v1/plugins/pull", tag = "plugins", operation_id = "pull_plugin",
    request_body = PullPlugin, responses((status = 201, body = Plugin)))]
async fn pull(
    State(state): State<AppState>,
    OperatorCtx(ctx): OperatorCtx,
    Json(body): Json<PullPlugin>,
) -> ApiResult<(StatusCode, Json<Plugin>)> {
    let wanted = Pull {
        reference: body.reference,
        terms: Terms {
            digest: body.digest,
            allow_downgrade: body.allow_downgrade,
            ..Terms::default()
        },
    };
    // As an upload, it goes on when the client hangs up.
    let installed = crate::routes::detached(async move { sources::pull(&state.app, &ctx, wanted).await }).await?;
    Ok((StatusCode::CREATED, Json(Plugin::from(installed))))
}

/// What last came of a file or reference.
#[derive(Debug, Serialize, ToSchema)]
struct Source {
    /// `watch`, `preload` or `registry`.
    #[schema(value_type = String)]
    kind: SourceKind,
    /// The file's name, or the reference.
    name: String,
    /// `installed`, `known` (it was installed before) or `refused`.
    #[schema(value_type = String)]
    state: SourceState,
    /// SHA-256 of the component, as far as it was read.
    #[schema(required = true)]
    digest: Option<String>,
    /// The version it is installed as.
    #[schema(value_type = Option<String>, required = true)]
    plugin: Option<PluginVersionId>,
    /// Why it was refused.
    #[schema(required = true)]
    refusal: Option<Refused>,
    /// When it was looked at.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// Why something was refused.
#[derive(Debug, Serialize, ToSchema)]
struct Refused {
    /// The problem's code, e.g. `plugin_refused`.
    code: String,
    /// The reason within it, e.g. `manifest`.
    #[schema(required = true)]
    reason: Option<String>,
    /// A sentence.
    detail: String,
    /// What to do.
    #[schema(required = true)]
    hint: Option<String>,
    /// Where, and what is wrong there.
    errors: Vec<SourceError>,
}

/// One thing that is wrong with a component.
#[derive(Debug, Serialize, ToSchema)]
struct SourceError {
    /// Where in the manifest or schema, as a JSON pointer.
    field: String,
    /// Stable code.
    code: String,
    /// A sentence.
    message: String,
    /// What to do.
    #[schema(required = true)]
    hint: Option<String>,
}

impl From<sources::Source> for Source {
    fn from(s: sources::Source) -> Self {
        Self {
            kind: s.kind,
            name: s.name,
            state: s.state,
            digest: s.digest,
            plugin: s.plugin,
            refusal: s.refusal.map(|r| Refused {
                code: r.code.as_str().to_owned(),
                reason: r.reason,
                detail: r.detail,
                hint: r.hint,
                errors: r
                    .errors
                    .into_iter()
                    .map(|e| SourceError {
                        field: e.pointer,
                        code: e.code,
                        message: e.message,
                        hint: e.hint,
                    })
                    .collect(),
            }),
            at: s.at,
        }
    }
}

/// What last came of each file and reference on the node that answers.
#[derive(Debug, Serialize, ToSchema)]
struct Sources {
    /// The latest first.
    items: Vec<Source>,
}

/// What came of files in the watched folder and of pulls, since this node started.
#[utoipa::path(get, path = "/api/v1/plugins/sources", tag = "plugins", operation_id = "list_plugin_sources",
    responses((status = 200, body = Sources)))]
async fn list(State(state): State<AppState>, _: OperatorCtx) -> Json<Sources> {
    let items = state.app.sources.all().into_iter().map(Source::from).collect();
    Json(Sources { items })
}
