//! The recorded calls of an enabled plugin.

use crate::routes::platform::plugins::LocalName;
use crate::{
    extract::{InTenant, Json, List, ListParams, Listed, OperatorCtx, Path, Query},
    problem::ApiResult,
    registry::{Access, Routes},
    state::AppState,
};
use aistack_core::{CallId, InstallationId, Permission, TenantId, Timestamp};
use aistack_domain::{
    FieldError, Problem,
    plugins::{
        installations::{self, CallView},
        observe::{self, CallDetail, LogEvent, Why},
    },
};
use axum::{
    extract::State,
    response::{
        IntoResponse, Response,
        sse::{Event, Sse},
    },
};
use http::{HeaderValue, header};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{convert::Infallible, time::Duration};
use tokio::{
    sync::{
        broadcast::{self, error::RecvError},
        mpsc,
    },
    time::{interval, sleep},
};
use tokio_stream::{StreamExt, wrappers::ReceiverStream};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

/// A log stream is over after this; whoever still listens comes back and shows its session again.
const LONGEST: Duration = Duration::from_secs(600);
/// A sign of life comes at least this often.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Log levels, least first.
const LEVELS: [&str; 5] = ["trace", "debug", "info", "warn", "error"];

/// Routes of this area.
pub(super) fn routes() -> Routes {
    let read = Access::tenant(Permission::PluginRead);
    Routes::new()
        .add(read, routes!(calls))
        .add(read, routes!(call))
        .add(read, routes!(logs))
        .add(Access::platform(Permission::PlatformMonitor), routes!(any_call))
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
    /// Where it crashed, innermost first: `function`, and `file` and `line` as far as the component carries them.
    #[schema(value_type = Vec<Object>)]
    frames: Value,
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
            frames: c.frames,
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

/// Why a call ended as it did.
#[derive(Debug, Serialize, ToSchema)]
struct CallReason {
    /// What happened.
    summary: LocalName,
    /// The stable code of the cause.
    cause: String,
    /// `plugin`, `host` or `provider`.
    r#where: &'static str,
    /// What to do.
    hint: LocalName,
}

impl From<Why> for CallReason {
    fn from(w: Why) -> Self {
        Self {
            summary: LocalName::from(&w.summary),
            cause: w.cause,
            r#where: w.r#where,
            hint: LocalName::from(&w.hint),
        }
    }
}

/// The bounds a call ran under.
#[derive(Debug, Serialize, ToSchema)]
struct CallBounds {
    /// Wall time, milliseconds.
    wall_ms: u128,
    /// CPU time, milliseconds.
    cpu_ms: u128,
    /// Memory, bytes.
    memory: usize,
    /// Host calls.
    host_calls: u32,
}

/// A recorded call with everything that explains it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PluginCallDetail)]
struct Detail {
    /// The receipt.
    #[serde(flatten)]
    call: Call,
    /// Slug of the tenant.
    tenant: String,
    /// Installation.
    #[schema(value_type = String)]
    installation: InstallationId,
    /// Id and version of the plugin.
    plugin: String,
    /// SHA-256 of the component.
    digest: String,
    /// `ordinary`, `inbound`, `run` or `shadow`.
    lane: String,
    /// Turns on a processor, of 5 ms each.
    turns: i64,
    /// The bounds it ran under, if its version is still installed.
    #[schema(required = true)]
    limits: Option<CallBounds>,
    /// Operations of the installation that are not called right now, because they failed repeatedly.
    breakers: Vec<&'static str>,
    /// Why it ended as it did.
    why: CallReason,
}

impl From<CallDetail> for Detail {
    fn from(d: CallDetail) -> Self {
        Self {
            call: d.call.into(),
            tenant: d.tenant,
            installation: d.installation,
            plugin: d.plugin,
            digest: d.digest,
            lane: d.lane,
            turns: d.turns,
            limits: d.limits.map(|l| CallBounds {
                wall_ms: l.wall.as_millis(),
                cpu_ms: l.cpu.as_millis(),
                memory: l.memory,
                host_calls: l.host_calls,
            }),
            breakers: d.breakers,
            why: d.why.into(),
        }
    }
}

/// A call of an enabled plugin, and why it ended as it did.
#[utoipa::path(get, path = "/api/v1/installations/{installation}/calls/{call}", tag = "installations", operation_id = "get_installation_call",
    params(("installation" = String, Path), ("call" = String, Path)), responses((status = 200, body = Detail)))]
async fn call(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    Path((installation, call)): Path<(InstallationId, CallId)>,
) -> ApiResult<Json<Detail>> {
    Ok(Json(observe::detail(&state.app, &t, installation, call).await?.into()))
}

/// A plugin call of any tenant.
#[utoipa::path(get, path = "/api/v1/platform/plugin-calls/{call}", tag = "plugins", operation_id = "get_plugin_call",
    params(("call" = String, Path)), responses((status = 200, body = Detail)))]
async fn any_call(State(state): State<AppState>, _: OperatorCtx, Path(call): Path<CallId>) -> ApiResult<Json<Detail>> {
    Ok(Json(observe::anywhere(&state.app, call).await?.into()))
}

/// Which log lines.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Lines {
    /// Least level: `trace` (default), `debug`, `info`, `warn` or `error`.
    level: Option<String>,
}

/// The log of an enabled plugin as it is written: `log` events, and `dropped` when the reader was too slow for some.
#[utoipa::path(get, path = "/api/v1/installations/{installation}/logs", tag = "installations", operation_id = "follow_installation_logs",
    params(("installation" = String, Path), Lines), responses((status = 200, body = String, content_type = "text/event-stream")))]
async fn logs(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    Path(id): Path<InstallationId>,
    Query(lines): Query<Lines>,
) -> ApiResult<Response> {
    installations::get(&state.app, &t, id).await?;
    let least = match lines.level.as_deref() {
        None => 0,
        Some(level) => LEVELS.iter().position(|l| *l == level).ok_or_else(|| {
            Problem::invalid(vec![
                FieldError::new("/level", "not_allowed", "there is no such level")
                    .hint("one of trace, debug, info, warn, error"),
            ])
        })?,
    };
    let (out, events) = mpsc::channel(64);
    let heard = state.app.observer.listen();
    tokio::spawn(tell(state, heard, (t.scope.id(), id, least), out));
    let mut response = Sse::new(ReceiverStream::new(events).map(Ok::<_, Infallible>)).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("no-store, no-transform"),
    );
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

async fn tell(
    state: AppState,
    mut heard: broadcast::Receiver<LogEvent>,
    (tenant, installation, least): (TenantId, InstallationId, usize),
    out: mpsc::Sender<Event>,
) {
    let mut stopping = state.site.stopping.clone();
    let mut beat = interval(HEARTBEAT);
    let end = sleep(LONGEST);
    tokio::pin!(end);
    loop {
        let event = tokio::select! {
            line = heard.recv() => match line {
                Ok(e) if e.tenant == tenant && e.installation == installation => {
                    let level = LEVELS.iter().position(|l| *l == e.line.level).unwrap_or(LEVELS.len());
                    if level < least {
                        continue;
                    }
                    Event::default().event("log").data(json!({
                        "call": e.call, "level": e.line.level, "message": e.line.message, "fields": e.line.fields,
                    }).to_string())
                }
                Ok(_) => continue,
                Err(RecvError::Lagged(n)) => Event::default().event("dropped").data(json!({ "lines": n }).to_string()),
                Err(RecvError::Closed) => return,
            },
            _ = beat.tick() => Event::default().event("heartbeat").data(json!({ "at": state.app.clock.now() }).to_string()),
            () = async { drop(stopping.wait_for(|stop| *stop).await) } => return,
            () = out.closed() => return,
            () = &mut end => return,
        };
        if out.send(event).await.is_err() {
            return;
        }
    }
}
