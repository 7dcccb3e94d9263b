//! Deliveries from providers. The URL is the permission: its key is unguessable, and what it carries is believed only
//! after the plugin has verified it.

use crate::routes::detached;
use crate::{
    Caller,
    extract::Path,
    problem::{ApiProblem, ApiResult},
    registry::{Access, Realm, Routes},
    state::AppState,
};
use aistack_core::{InstallationId, ProblemKind};
use aistack_domain::{
    billing::{self, Inbound},
    plugins::port::HttpRequest,
};
use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use utoipa_axum::routes;

/// Routes of this area.
pub(in crate::routes) fn routes() -> Routes {
    let open = Access::public(
        Realm::Anywhere,
        "providers deliver here; the key in the URL names tenant and installation, the plugin verifies the content",
    )
    .audits(&[
        "webhook.received",
        "webhook.applied",
        "webhook.repeated",
        "webhook.rejected",
        "webhook.failed",
        "webhook.mismatch",
        "order.paid",
        "order.pending",
        "order.failed",
        "order.cancelled",
        "order.refunded",
    ]);
    Routes::new().add(open, routes!(deliver, verify))
}

/// A provider's delivery. The answer is the plugin's own acknowledgement.
#[utoipa::path(post, path = "/hooks/{installation}/{endpoint}/{key}", tag = "hooks", operation_id = "deliver",
    params(("installation" = String, Path), ("endpoint" = String, Path), ("key" = String, Path)),
    request_body(content = Vec<u8>, content_type = "*/*"), responses((status = 200)))]
async fn deliver(
    State(state): State<AppState>,
    caller: Caller,
    Path(url): Path<(InstallationId, String, String)>,
    req: Request,
) -> ApiResult<Response> {
    receive(state, caller, url, req).await
}

/// A provider's check that the address is ours (echo).
#[utoipa::path(get, path = "/hooks/{installation}/{endpoint}/{key}", tag = "hooks", operation_id = "verify_endpoint",
    params(("installation" = String, Path), ("endpoint" = String, Path), ("key" = String, Path)),
    responses((status = 200)))]
async fn verify(
    State(state): State<AppState>,
    caller: Caller,
    Path(url): Path<(InstallationId, String, String)>,
    req: Request,
) -> ApiResult<Response> {
    receive(state, caller, url, req).await
}

async fn receive(
    state: AppState,
    caller: Caller,
    (installation, endpoint, key): (InstallationId, String, String),
    req: Request,
) -> ApiResult<Response> {
    let method = req.method().to_string();
    // The key stays out of what the plugin sees: it has no use for it.
    let query = req.uri().query().map(|q| format!("?{q}")).unwrap_or_default();
    let path = format!("/hooks/{installation}/{endpoint}{query}");
    let headers = req
        .headers()
        .iter()
        .map(|(k, v)| (k.as_str().to_owned(), v.as_bytes().to_vec()))
        .collect();
    let body = crate::extract::json::body(req, &state).await?;
    let delivery = Inbound {
        installation,
        endpoint,
        key,
        tenant: caller.tenant.as_ref().map(|t| t.scope.id()),
        request: HttpRequest {
            method,
            url: path,
            headers,
            body: body.to_vec(),
        },
        request_id: caller.ctx.request,
        origin: caller.ctx.origin,
    };
    // A provider that hangs up early must not leave a delivery half applied.
    let answer = detached(async move { billing::receive(&state.app, delivery).await }).await?;
    let broken = |_| ApiProblem::new(ProblemKind::PluginFailed, "the plugin's answer can't be sent");
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    for (name, value) in answer.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|e| broken(e.to_string()))?;
        let value = HeaderValue::from_bytes(&value).map_err(|e| broken(e.to_string()))?;
        response.headers_mut().insert(name, value);
    }
    // Whatever a plugin answers, a browser that is shown it must not run it.
    response
        .headers_mut()
        .insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response.headers_mut().insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; sandbox"),
    );
    Ok(response)
}
