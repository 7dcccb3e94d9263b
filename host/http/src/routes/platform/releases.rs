//! Releases of plugin versions: on trial, promoted, taken back.

use crate::{
    extract::{Json, OperatorCtx, Path},
    problem::ApiResult,
    registry::{Access, Routes},
    state::AppState,
};
use aistack_core::{Permission, Timestamp};
use aistack_domain::{
    App, FieldError, Problem,
    plugins::releases::{self, By, Diff, Mode, NewRelease, State as Stage, Tally},
};
use axum::{extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
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
            write.audits(&["plugin.release_started", "plugin.promoted", "plugin.release_cancelled"]),
            routes!(start),
        )
        .add(read, routes!(find))
        .add(read, routes!(diffs))
        .add(write.audits(&["plugin.promoted"]), routes!(promote))
        .add(read, routes!(one))
        .add(write.audits(&["plugin.rolled_back"]), routes!(rollback))
        .add(write.audits(&["plugin.release_cancelled"]), routes!(cancel))
}

/// Calls of one side.
#[derive(Debug, Serialize, ToSchema)]
struct ReleaseTally {
    /// Calls.
    calls: u64,
    /// Calls of these that did not end well.
    failed: u64,
}

impl From<Tally> for ReleaseTally {
    fn from(t: Tally) -> Self {
        Self {
            calls: t.calls,
            failed: t.failed,
        }
    }
}

/// A release of a plugin version.
#[derive(Debug, Serialize, ToSchema)]
struct PluginRelease {
    /// Id.
    id: String,
    /// Plugin.
    plugin_id: String,
    /// Version in use.
    from: String,
    /// Candidate.
    to: String,
    /// `canary`, `shadow` or `all`.
    #[schema(value_type = String)]
    mode: Mode,
    /// What the share is of: `tenants` or `calls`.
    #[schema(value_type = String)]
    by: By,
    /// Share, per mille.
    share: u16,
    /// Most failures beyond those of the version in use, per mille of the calls.
    max_error_rate: u16,
    /// Calls of the candidate before it is judged.
    min_calls: u64,
    /// `running`, `promoted`, `rolled_back` or `cancelled`.
    #[schema(value_type = String)]
    state: Stage,
    /// Why it ended.
    #[schema(required = true)]
    reason: Option<String>,
    /// When it started.
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    ended_at: Option<Timestamp>,
    /// Calls of the version in use, as this node has counted since the release began; while it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<ReleaseTally>,
    /// Calls of the candidate, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    candidate: Option<ReleaseTally>,
    /// Differences a shadow run has found on this node.
    diffs: usize,
}

fn shown(app: &App, r: releases::Release) -> PluginRelease {
    let tallies = app.releases.tallies(&r.id);
    PluginRelease {
        before: tallies.map(|(from, _)| from.into()),
        candidate: tallies.map(|(_, to)| to.into()),
        diffs: app.releases.diffs(&r.id).len(),
        id: r.id,
        plugin_id: r.plugin_id,
        from: r.from_version,
        to: r.to_version,
        mode: r.mode,
        by: r.by,
        share: r.share,
        max_error_rate: r.max_errors,
        min_calls: r.min_calls,
        state: r.state,
        reason: r.reason,
        started_at: r.started_at,
        ended_at: r.ended_at,
    }
}

/// A release to be started.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct StartRelease {
    /// Candidate: an installed version.
    to: String,
    /// Version in use; the highest below the candidate when left out.
    from: Option<String>,
    /// `canary`, `shadow` or `all`.
    #[schema(value_type = String)]
    mode: Mode,
    /// What the share is of: `tenants` (default) or `calls`.
    #[schema(value_type = Option<String>)]
    by: Option<By>,
    /// Share of a canary, e.g. `5%`.
    share: Option<String>,
    /// Most failures beyond those of the version in use, e.g. `5%` (default).
    max_error_rate: Option<String>,
    /// Calls of the candidate before it is judged; 20 when left out.
    min_calls: Option<u64>,
}

/// `5%` or `0.5%`, per mille.
fn share(text: Option<&str>, at: &str, default: u16) -> Result<u16, Problem> {
    let Some(text) = text else { return Ok(default) };
    let read = || {
        let number = text.trim().strip_suffix('%')?.trim();
        let (whole, tenth) = number.split_once('.').unwrap_or((number, "0"));
        let (whole, tenth) = (
            whole.parse::<u16>().ok()?,
            tenth.parse::<u16>().ok().filter(|t| *t < 10)?,
        );
        whole.checked_mul(10)?.checked_add(tenth).filter(|n| *n <= 1000)
    };
    read().ok_or_else(|| {
        Problem::invalid(vec![
            FieldError::new(at, "format", "this is no share")
                .hint("a percentage with at most one decimal, e.g. \"5%\""),
        ])
    })
}

/// Releases of a plugin, newest first.
#[derive(Debug, Serialize, ToSchema)]
struct PluginReleases {
    /// Releases.
    items: Vec<PluginRelease>,
}

/// The releases of a plugin.
#[utoipa::path(get, path = "/api/v1/plugins/{plugin}/releases", tag = "plugins", operation_id = "list_plugin_releases",
    params(("plugin" = String, Path, description = "The plugin's id, e.g. `acme.pay`")), responses((status = 200, body = PluginReleases)))]
async fn list(
    State(state): State<AppState>,
    _: OperatorCtx,
    Path(plugin): Path<String>,
) -> ApiResult<Json<PluginReleases>> {
    let all = releases::list(&state.app, &plugin).await?;
    let items = all.into_iter().map(|r| shown(&state.app, r)).collect();
    Ok(Json(PluginReleases { items }))
}

/// Start a release: a canary, a shadow run, or to all at once.
#[utoipa::path(post, path = "/api/v1/plugins/{plugin}/releases", tag = "plugins", operation_id = "start_plugin_release",
    params(("plugin" = String, Path, description = "The plugin's id, e.g. `acme.pay`")), request_body = StartRelease,
    responses((status = 201, body = PluginRelease)))]
async fn start(
    State(state): State<AppState>,
    OperatorCtx(ctx): OperatorCtx,
    Path(plugin): Path<String>,
    Json(body): Json<StartRelease>,
) -> ApiResult<(StatusCode, Json<PluginRelease>)> {
    let new = NewRelease {
        plugin_id: plugin,
        share: share(body.share.as_deref(), "/share", 0)?,
        max_errors: share(body.max_error_rate.as_deref(), "/max_error_rate", 50)?,
        to: body.to,
        from: body.from,
        mode: body.mode,
        by: body.by.unwrap_or(By::Tenants),
        min_calls: body.min_calls.unwrap_or(20),
    };
    let started = releases::start(&state.app, &ctx, new).await?;
    Ok((StatusCode::CREATED, Json(shown(&state.app, started))))
}

/// A release.
#[utoipa::path(get, path = "/api/v1/plugins/releases/{release}", tag = "plugins", operation_id = "get_plugin_release",
    params(("release" = String, Path)), responses((status = 200, body = PluginRelease)))]
async fn find(
    State(state): State<AppState>,
    _: OperatorCtx,
    Path(release): Path<String>,
) -> ApiResult<Json<PluginRelease>> {
    let found = releases::get(&state.app, &release).await?;
    Ok(Json(shown(&state.app, found)))
}

/// A release of a plugin.
#[utoipa::path(get, path = "/api/v1/plugins/{plugin}/releases/{release}", tag = "plugins", operation_id = "get_release_of_plugin",
    params(("plugin" = String, Path), ("release" = String, Path)), responses((status = 200, body = PluginRelease)))]
async fn one(
    State(state): State<AppState>,
    _: OperatorCtx,
    Path((plugin, release)): Path<(String, String)>,
) -> ApiResult<Json<PluginRelease>> {
    let found = of(&state.app, &plugin, &release).await?;
    Ok(Json(shown(&state.app, found)))
}

/// A release of this plugin, or none.
async fn of(app: &App, plugin: &str, release: &str) -> Result<releases::Release, Problem> {
    let found = releases::get(app, release).await?;
    if found.plugin_id == plugin {
        Ok(found)
    } else {
        Err(Problem::not_found("release"))
    }
}

/// Where a shadow run's answer differed.
#[derive(Debug, Serialize, ToSchema)]
struct ReleaseDiff {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Slug of the tenant.
    tenant: String,
    /// Installation.
    installation: String,
    /// Operation.
    operation: &'static str,
    /// What the version in use answered.
    #[schema(value_type = Object)]
    was: Value,
    /// What the candidate answered.
    #[schema(value_type = Object)]
    would: Value,
}

impl From<Diff> for ReleaseDiff {
    fn from(d: Diff) -> Self {
        Self {
            at: d.at,
            tenant: d.tenant,
            installation: d.installation.to_string(),
            operation: d.operation,
            was: d.was,
            would: d.would,
        }
    }
}

/// Differences.
#[derive(Debug, Serialize, ToSchema)]
struct ReleaseDiffs {
    /// Oldest first; at most 1,000.
    items: Vec<ReleaseDiff>,
}

/// Where the answers of a running shadow release differed, on this node.
#[utoipa::path(get, path = "/api/v1/plugins/{plugin}/releases/{release}/diffs", tag = "plugins", operation_id = "list_plugin_release_diffs",
    params(("plugin" = String, Path), ("release" = String, Path)), responses((status = 200, body = ReleaseDiffs)))]
async fn diffs(
    State(state): State<AppState>,
    _: OperatorCtx,
    Path((plugin, release)): Path<(String, String)>,
) -> ApiResult<Json<ReleaseDiffs>> {
    let release = of(&state.app, &plugin, &release).await?;
    let items = state
        .app
        .releases
        .diffs(&release.id)
        .into_iter()
        .map(ReleaseDiff::from)
        .collect();
    Ok(Json(ReleaseDiffs { items }))
}

/// Promote a candidate: its installations change in the background, those that need consent wait for it.
#[utoipa::path(post, path = "/api/v1/plugins/{plugin}/releases/{release}/promote", tag = "plugins", operation_id = "promote_plugin_release",
    params(("plugin" = String, Path), ("release" = String, Path)), responses((status = 200, body = PluginRelease)))]
async fn promote(
    State(state): State<AppState>,
    OperatorCtx(ctx): OperatorCtx,
    Path((plugin, release)): Path<(String, String)>,
) -> ApiResult<Json<PluginRelease>> {
    let release = of(&state.app, &plugin, &release).await?;
    let promoted = releases::promote(&state.app, &ctx, &release.id).await?;
    Ok(Json(shown(&state.app, promoted)))
}

/// Take a candidate back: calls go to the version in use at once. A promoted one is taken back too: its installations
/// change back in the background, each to the config and grants it had.
#[utoipa::path(post, path = "/api/v1/plugins/{plugin}/releases/{release}/rollback", tag = "plugins", operation_id = "roll_back_plugin_release",
    params(("plugin" = String, Path), ("release" = String, Path)), responses((status = 200, body = PluginRelease)))]
async fn rollback(
    State(state): State<AppState>,
    OperatorCtx(ctx): OperatorCtx,
    Path((plugin, release)): Path<(String, String)>,
) -> ApiResult<Json<PluginRelease>> {
    let release = of(&state.app, &plugin, &release).await?;
    let ended = releases::take_back(&state.app, &ctx, &release.id, "taken back by an operator").await?;
    Ok(Json(shown(&state.app, ended)))
}

/// End a release without a verdict.
#[utoipa::path(post, path = "/api/v1/plugins/{plugin}/releases/{release}/cancel", tag = "plugins", operation_id = "cancel_plugin_release",
    params(("plugin" = String, Path), ("release" = String, Path)), responses((status = 200, body = PluginRelease)))]
async fn cancel(
    State(state): State<AppState>,
    OperatorCtx(ctx): OperatorCtx,
    Path((plugin, release)): Path<(String, String)>,
) -> ApiResult<Json<PluginRelease>> {
    let release = of(&state.app, &plugin, &release).await?;
    let ended = releases::end(
        &state.app,
        &ctx,
        &release.id,
        Stage::Cancelled,
        "cancelled by an operator",
    )
    .await?;
    Ok(Json(shown(&state.app, ended)))
}
