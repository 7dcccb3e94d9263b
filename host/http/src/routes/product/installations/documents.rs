//! Documents that enabled plugins publish.

use crate::{
    extract::{InTenant, Path},
    problem::{ApiProblem, ApiResult},
    registry::{Access, Realm, Routes},
    state::AppState,
};
use aistack_core::{InstallationId, ProblemKind};
use aistack_domain::plugins::documents;
use axum::{
    body::Body,
    extract::State,
    http::{HeaderValue, header},
    response::Response,
};
use utoipa_axum::routes;

/// Routes of this area.
pub(super) fn routes() -> Routes {
    let open = Access::public(
        Realm::Tenant,
        "providers fetch them: metadata and proofs that a plugin publishes and that hold no configuration",
    );
    Routes::new().add(open, routes!(get))
}

/// A document that an enabled plugin publishes, e.g. the metadata of a service provider.
#[utoipa::path(get, path = "/api/v1/installations/{installation}/documents/{name}", tag = "installations",
    operation_id = "get_installation_document", params(("installation" = String, Path), ("name" = String, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "*/*")))]
async fn get(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    Path((id, name)): Path<(InstallationId, String)>,
) -> ApiResult<Response> {
    let found = documents::document(&state.app, &t, id, &name).await?;
    let header = |text: &str| {
        HeaderValue::from_str(text)
            .map_err(|_| ApiProblem::new(ProblemKind::PluginFailed, "the plugin's document can't be sent"))
    };
    let (media_type, cache) = (
        header(&found.media_type)?,
        header(&format!("public, max-age={}", found.max_age_s))?,
    );
    let opaque = found.media_type == "application/octet-stream";
    let mut response = Response::new(Body::from(found.body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, media_type);
    headers.insert(header::CACHE_CONTROL, cache);
    // Whatever a plugin publishes, a browser that is shown it must not run it.
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; sandbox"),
    );
    if opaque {
        headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    }
    Ok(response)
}
