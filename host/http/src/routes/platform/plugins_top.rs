//! Who uses most of the plugin runtime.

use crate::{
    extract::{Json, OperatorCtx, Query},
    problem::ApiResult,
    registry::{Access, Routes},
    state::AppState,
};
use aistack_core::Permission;
use aistack_domain::{
    FieldError, Problem,
    plugins::observe::{self, By, Consumer},
};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

/// Routes of this area.
pub(in crate::routes) fn routes() -> Routes {
    Routes::new().add(Access::platform(Permission::PlatformMonitor), routes!(top))
}

/// What is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// `calls` (default), `errors`, `cpu`, `memory` or `bytes`.
    #[param(value_type = Option<String>)]
    by: Option<By>,
    /// How far back, `1m` to `60m` or `1h`; `5m` when not given.
    window: Option<String>,
    /// At most so many, up to 200.
    limit: Option<usize>,
}

/// What a tenant used of a plugin.
#[derive(Debug, Serialize, ToSchema)]
struct PluginConsumer {
    /// Slug.
    tenant: String,
    /// Plugin.
    plugin: String,
    /// Calls.
    calls: u64,
    /// Calls of these that did not end well.
    errors: u64,
    /// Time computing, microseconds.
    cpu_us: u64,
    /// Largest memory of a call, bytes.
    memory: u64,
    /// Bytes sent and received.
    bytes: u64,
}

/// Who uses most.
#[derive(Debug, Serialize, ToSchema)]
struct PluginTop {
    /// Most first.
    items: Vec<PluginConsumer>,
}

impl From<Consumer> for PluginConsumer {
    fn from(c: Consumer) -> Self {
        Self {
            tenant: c.tenant,
            plugin: c.plugin,
            calls: c.calls,
            errors: c.errors,
            cpu_us: c.cpu_us,
            memory: c.memory,
            bytes: c.bytes,
        }
    }
}

/// `5m`, `1h`.
fn window(text: &str) -> Option<Duration> {
    let minutes = match (text.strip_suffix('m'), text.strip_suffix('h')) {
        (Some(m), _) => m.parse::<u64>().ok()?,
        (None, Some(h)) => h.parse::<u64>().ok()?.checked_mul(60)?,
        (None, None) => return None,
    };
    (1..=60).contains(&minutes).then(|| Duration::from_secs(minutes * 60))
}

/// Who used most of the plugin runtime lately, on this node.
#[utoipa::path(get, path = "/api/v1/platform/plugins/top", tag = "plugins", operation_id = "top_plugins",
    params(Wanted), responses((status = 200, body = PluginTop)))]
async fn top(
    State(state): State<AppState>,
    _: OperatorCtx,
    Query(wanted): Query<Wanted>,
) -> ApiResult<Json<PluginTop>> {
    let span = window(wanted.window.as_deref().unwrap_or("5m")).ok_or_else(|| {
        Problem::invalid(vec![
            FieldError::new("/window", "format", "the window is not a span such as 5m").hint("1m to 60m, or 1h"),
        ])
    })?;
    let limit = wanted.limit.unwrap_or(50).clamp(1, 200);
    let all = observe::consumers(&state.app, wanted.by.unwrap_or(By::Calls), span, limit);
    Ok(Json(PluginTop {
        items: all.into_iter().map(PluginConsumer::from).collect(),
    }))
}
