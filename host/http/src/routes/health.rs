//! For whoever watches the process: is it alive, can it work, how is it doing.

use crate::{
    extract::Json,
    registry::{Access, Realm, Routes},
    state::AppState,
};
use aistack_domain::plugins::observe;
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

/// Routes of this area.
pub(super) fn routes() -> Routes {
    let watch = |reason| Access::public(Realm::Anywhere, reason);
    Routes::new()
        .add(watch("says only that the process answers"), routes!(healthz))
        .add(watch("says only which parts work"), routes!(readyz))
        .add(
            watch("counts and times; names tenants by slug, so restrict it in front of the host"),
            routes!(metrics),
        )
}

/// Whether the process answers.
#[utoipa::path(get, path = "/healthz", tag = "health", operation_id = "get_healthz", responses((status = 200, body = String, content_type = "text/plain")))]
async fn healthz() -> &'static str {
    "ok"
}

/// Whether the process can work.
#[derive(Debug, Serialize, ToSchema)]
struct Readiness {
    /// All checks passed.
    ready: bool,
    /// The checks.
    checks: Vec<Check>,
}

/// One check.
#[derive(Debug, Serialize, ToSchema)]
struct Check {
    /// Name.
    name: &'static str,
    /// Passed.
    ok: bool,
    /// What was seen.
    detail: String,
}

/// Whether the process can take work: the database answers, the plugins that must be there are, and it
/// is not stopping.
#[utoipa::path(get, path = "/readyz", tag = "health", operation_id = "get_readyz", responses((status = 200, body = Readiness), (status = 503, body = Readiness)))]
async fn readyz(State(state): State<AppState>) -> Response {
    let store = match state.app.store.health().await {
        Ok(detail) => Check {
            name: "store",
            ok: true,
            detail,
        },
        Err(e) => {
            tracing::warn!(error = %e, "the store is not well");
            Check {
                name: "store",
                ok: false,
                detail: "the database does not answer".to_owned(),
            }
        }
    };
    let running = Check {
        name: "running",
        ok: !state.is_stopping(),
        detail: if state.is_stopping() {
            "stopping"
        } else {
            "accepting work"
        }
        .to_owned(),
    };
    let plugins = mandatory(&state).await;
    let ready = store.ok && running.ok && plugins.ok;
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (
        status,
        Json(Readiness {
            ready,
            checks: vec![running, store, plugins],
        }),
    )
        .into_response()
}

/// Whether the plugins that must be there are.
async fn mandatory(state: &AppState) -> Check {
    let name = "plugins";
    match observe::missing(&state.app).await {
        Ok(missing) if missing.is_empty() => Check {
            name,
            ok: true,
            detail: "every plugin that must be there is".to_owned(),
        },
        Ok(missing) => Check {
            name,
            ok: false,
            detail: missing.join("; "),
        },
        Err(problem) => {
            tracing::warn!(%problem, "the catalogue of plugins can't be read");
            Check {
                name,
                ok: false,
                detail: "the catalogue of plugins can't be read".to_owned(),
            }
        }
    }
}

/// Counts and times in OpenMetrics text.
#[utoipa::path(get, path = "/metrics", tag = "health", operation_id = "get_metrics",
    responses((status = 200, body = String, content_type = "application/openmetrics-text")))]
async fn metrics(State(state): State<AppState>) -> Response {
    observe::refresh(&state.app);
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], state.app.metrics.encode()).into_response()
}
