//! Who is asking: session cookies and access tokens.

use super::Place;
use crate::state::AppState;
use aistack_core::ProblemKind;
use aistack_domain::{
    Problem,
    access::{self, Credential, Secret, SignedIn},
};
use http::{HeaderMap, Method, header, request::Parts};

/// The members' session cookie.
pub(crate) const COOKIE_USER: &str = "__Host-aistack";
/// The operators' session cookie.
pub(crate) const COOKIE_OPERATOR: &str = "__Host-aistack-op";

/// The person behind the request's credentials.
///
/// # Errors
/// `unauthenticated`, `session_expired`, `csrf_token_invalid`, `tenant_mismatch` for a token of another tenant.
pub(crate) async fn authenticate(state: &AppState, parts: &Parts, place: &Place) -> Result<SignedIn, Problem> {
    if let Some(value) = parts.headers.get(header::AUTHORIZATION) {
        let token = value.to_str().ok().and_then(|v| v.split_once(' '));
        let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let (_, token) = token.ok_or_else(|| {
            Problem::new(
                ProblemKind::Unauthenticated,
                "the Authorization header takes a Bearer token",
            )
        })?;
        let known = match place {
            Place::Tenant { known, .. } => Some(known),
            _ => None,
        };
        return access::verify_token(&state.app, known, token.trim()).await;
    }
    let mut found = Err(Problem::new(ProblemKind::Unauthenticated, "sign in first"));
    for cookie in [COOKIE_USER, COOKIE_OPERATOR] {
        let Some(secret) = cookie_value(&parts.headers, cookie) else {
            continue;
        };
        let hash = Secret::presented(secret).hash();
        let attempt = match (place, cookie) {
            (Place::Base, COOKIE_OPERATOR) => {
                access::find_operator_session(&state.app, &hash, Credential::Cookie).await
            }
            // Operators work inside tenants below `/t/` only.
            (Place::Tenant { prefix, .. }, COOKIE_OPERATOR) if !prefix.is_empty() => {
                access::find_operator_session(&state.app, &hash, Credential::Cookie).await
            }
            (Place::Tenant { known, .. }, COOKIE_USER) => {
                access::find_user_session(&state.app, &known.scope, &hash, Credential::Cookie).await
            }
            _ => continue,
        };
        match attempt {
            // Both cookies may be there on a base host: the page's CSRF token says which session it means.
            Ok(it) if found.is_err() || csrf_matches(&parts.headers, &it) => found = Ok(it),
            Err(e) if is_unauthenticated(&found) => found = Err(e),
            _ => {}
        }
    }
    found
}

fn is_unauthenticated(found: &Result<SignedIn, Problem>) -> bool {
    matches!(found, Err(p) if p.kind == ProblemKind::Unauthenticated)
}

/// Refuses a change asked for with a cookie but without the session's CSRF token.
pub(crate) fn check_csrf(parts: &Parts, who: &SignedIn) -> Result<(), Problem> {
    if is_safe(&parts.method) || who.credential == Credential::Bearer || csrf_matches(&parts.headers, who) {
        return Ok(());
    }
    Err(Problem::new(
        ProblemKind::CsrfTokenInvalid,
        "send the session's csrf_token in the X-CSRF-Token header",
    ))
}

fn csrf_matches(headers: &HeaderMap, who: &SignedIn) -> bool {
    headers
        .get("x-csrf-token")
        .is_some_and(|sent| access::equal(sent.as_bytes(), who.session.csrf_token.as_bytes()))
}

/// Refuses a change through the gateway asked for with a cookie from a page of another origin. The product's own pages
/// know nothing of our CSRF tokens, so what the browser says about the origin has to do.
///
/// # Errors
/// `csrf_token_invalid`.
pub(crate) fn check_same_origin(parts: &Parts, who: &SignedIn) -> Result<(), Problem> {
    if is_safe(&parts.method) || who.credential == Credential::Bearer {
        return Ok(());
    }
    let text = |name: &str| parts.headers.get(name).and_then(|v| v.to_str().ok());
    let same = match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => site == "same-origin" || site == "none",
        (None, Some(origin)) => origin.split_once("://").map(|(_, host)| host) == text("host"),
        // Neither header: not a browser, so nobody else's page.
        (None, None) => true,
    };
    if same {
        return Ok(());
    }
    Err(Problem::new(
        ProblemKind::CsrfTokenInvalid,
        "a page of another origin may not change anything here",
    ))
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// The value of a cookie, if it stands there exactly once.
fn cookie_value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(n, _)| *n == name)
        .map(|(_, v)| v);
    values.next().filter(|_| values.next().is_none())
}
