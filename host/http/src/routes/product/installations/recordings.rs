//! Recording an installation's next calls, and what was recorded.

use crate::{
    extract::{InTenant, Json, Path},
    problem::ApiResult,
    registry::{Access, Routes},
    state::AppState,
};
use aistack_core::{CallId, InstallationId, Permission, Timestamp};
use aistack_domain::plugins::{port::Journal, recordings};
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, header};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::routes;

/// Routes of this area.
pub(super) fn routes() -> Routes {
    let write = Access::tenant(Permission::PluginWrite);
    Routes::new()
        .add(write.audits(&["installation.recording_started"]), routes!(record))
        .add(write.audits(&["installation.recording_ended"]), routes!(end))
        .add(write.audits(&["call.journal_read"]), routes!(journal))
        .add(write.audits(&["call.component_read"]), routes!(component))
}

/// What is to be recorded.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct Record {
    /// How many calls, as they come: 1 to 100.
    #[schema(minimum = 1, maximum = 100, default = 10)]
    calls: u32,
    /// For how many minutes at most: 1 to 1440.
    #[schema(minimum = 1, maximum = 1440, default = 60)]
    minutes: u32,
}

impl Default for Record {
    fn default() -> Self {
        Self { calls: 10, minutes: 60 }
    }
}

/// A recording.
#[derive(Debug, Serialize, ToSchema)]
struct Recording {
    /// The installation.
    installation: String,
    /// So many calls.
    calls: u32,
    /// Until then at the latest.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
}

/// One import that a recorded call made.
#[derive(Debug, Serialize, ToSchema)]
struct JournalEntry {
    /// Its place, from 1.
    seq: u32,
    /// The import, e.g. `kv.get`.
    import: String,
    /// Its arguments by name.
    #[schema(value_type = Object)]
    args: Value,
    /// What the host answered.
    result: Value,
    /// Why it ended the call instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<String>,
    /// Microseconds.
    took_us: u64,
}

/// A recorded call with all it was told. Secrets are covered.
#[derive(Debug, Serialize, ToSchema)]
struct CallJournal {
    /// The form of this document.
    format: u32,
    /// Id and version of the plugin.
    plugin: String,
    /// The component.
    digest: String,
    /// Operation.
    operation: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// The context the component was given.
    #[schema(value_type = Object)]
    context: Value,
    /// The operation's arguments, in order.
    arguments: Value,
    /// The config the component was given.
    config: Value,
    /// Bounds of the call.
    #[schema(value_type = Object)]
    limits: Value,
    /// The imports, in order.
    entries: Vec<JournalEntry>,
    /// What the component answered; null when it did not come to an end.
    #[schema(required = true)]
    output: Option<Value>,
    /// `ok`, `fault`, `trap`, `timeout`, `limit` or `refused`.
    outcome: &'static str,
    /// Fault or trap code.
    #[schema(required = true)]
    code: Option<String>,
    /// The component saw a secret that is not in here: what it made of it comes out different in a replay.
    tainted: bool,
    /// The journal ends before the call did.
    cut: bool,
}

impl From<Journal> for CallJournal {
    fn from(j: Journal) -> Self {
        Self {
            format: j.format,
            plugin: j.plugin,
            digest: j.digest,
            operation: j.operation,
            started_at: j.started_at,
            context: j.context,
            arguments: j.arguments,
            config: j.config,
            limits: serde_json::to_value(j.limits).unwrap_or_default(),
            entries: j
                .entries
                .into_iter()
                .map(|e| JournalEntry {
                    seq: e.seq,
                    import: e.import,
                    args: e.args,
                    result: e.result,
                    ended: e.ended,
                    took_us: e.took_us,
                })
                .collect(),
            output: j.output,
            outcome: j.outcome.as_str(),
            code: j.code,
            tainted: j.tainted,
            cut: j.cut,
        }
    }
}

/// Record the next calls, in place of a recording that is going on. Journals are kept for 24 hours, the newest 100.
#[utoipa::path(post, path = "/api/v1/installations/{installation}/record", tag = "installations", operation_id = "record_installation",
    params(("installation" = String, Path)), request_body = Record, responses((status = 200, body = Recording)))]
async fn record(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    Path(id): Path<InstallationId>,
    Json(body): Json<Record>,
) -> ApiResult<Json<Recording>> {
    let started = recordings::start(&state.app, &t, id, body.calls, body.minutes).await?;
    Ok(Json(Recording {
        installation: started.installation.to_string(),
        calls: started.calls,
        until: started.until,
    }))
}

/// End a recording; what was recorded stays.
#[utoipa::path(delete, path = "/api/v1/installations/{installation}/record", tag = "installations", operation_id = "end_recording",
    params(("installation" = String, Path)), responses((status = 204)))]
async fn end(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    Path(id): Path<InstallationId>,
) -> ApiResult<StatusCode> {
    recordings::end(&state.app, &t, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// All that a recorded call was told, to replay it with.
#[utoipa::path(get, path = "/api/v1/installations/{installation}/calls/{call}/journal", tag = "installations", operation_id = "get_call_journal",
    params(("installation" = String, Path), ("call" = String, Path)), responses((status = 200, body = CallJournal)))]
async fn journal(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    Path((installation, call)): Path<(InstallationId, CallId)>,
) -> ApiResult<Json<CallJournal>> {
    let journal = recordings::journal(&state.app, &t, installation, call).await?;
    Ok(Json(journal.into()))
}

/// The component that a recorded call ran.
#[utoipa::path(get, path = "/api/v1/installations/{installation}/calls/{call}/component", tag = "installations", operation_id = "get_call_component",
    params(("installation" = String, Path), ("call" = String, Path)),
    responses((status = 200, content_type = "application/wasm", body = Vec<u8>)))]
async fn component(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    Path((installation, call)): Path<(InstallationId, CallId)>,
) -> ApiResult<Response> {
    let bytes = recordings::component(&state.app, &t, installation, call).await?;
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/wasm"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    Ok(response)
}
