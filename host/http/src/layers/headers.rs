//! Headers of our own answers. What comes from an upstream passes with the upstream's headers.

use super::RouteName;
use axum::{extract::Request, middleware::Next, response::Response};
use http::{HeaderMap, HeaderValue, header};

/// Set by the gateway's entry on answers that are not ours.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FromUpstream;

/// Scripts and connections of our own origin only. Styles may be inline: the component library writes them at run time.
/// Forms may go to https: some payment providers want a posted form.
const CONSOLE: &str = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; \
     font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self' https:; \
     frame-ancestors 'none'";
const API: &str = "default-src 'none'; frame-ancestors 'none'";

/// See the module.
pub(crate) async fn headers(req: Request, next: Next) -> Response {
    let mut response = next.run(req).await;
    if response.extensions().get::<FromUpstream>().is_some() {
        return response;
    }
    let console = response
        .extensions()
        .get::<RouteName>()
        .is_some_and(|r| r.0.starts_with("/console"));
    let headers = response.headers_mut();
    // An answer that needs another policy (a form posted elsewhere, a file in a sandbox) has said so itself.
    default(
        headers,
        header::CONTENT_SECURITY_POLICY,
        if console { CONSOLE } else { API },
    );
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    default(headers, header::CACHE_CONTROL, "no-store");
    response
}

fn default(headers: &mut HeaderMap, name: header::HeaderName, value: &'static str) {
    headers.entry(name).or_insert(HeaderValue::from_static(value));
}
