//! Which tenant the request is about. Decided before the router looks at the path, because `/t/{slug}` is cut off.
//!
//! Nothing is refused here: some routes exist whatever the host says. The guard and the fallback refuse.

use super::{PeerAddr, guard::origin};
use crate::{problem::Refusal, state::AppState};
use aistack_core::{Actor, ProblemKind, RequestId};
use aistack_domain::{
    Ctx, Problem,
    tenancy::{Asked, Known, Resolved, alarm, resolve},
};
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{
    HeaderValue, Method, StatusCode, Uri,
    header::{self, HeaderName},
    request::Parts,
    uri::PathAndQuery,
};

static FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// What host, path, header and token said.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// A base host: the platform.
    Base,
    /// A tenant.
    Tenant {
        /// Which.
        known: Known,
        /// `/t/{slug}` when the path named it, else empty: in front of links.
        prefix: String,
    },
    /// A tenant under its former slug: where the same thing is now.
    Moved(String),
    /// Nothing we serve.
    Refused(Problem),
}

/// See the module.
pub(crate) async fn place(State(state): State<AppState>, req: Request, next: Next) -> Response {
    let (mut parts, body) = req.into_parts();
    let mut addressed = None;
    let place = match find(&state, &mut parts).await {
        Ok(place) => place,
        Err((problem, known)) => {
            addressed = known;
            Place::Refused(problem)
        }
    };
    if let Place::Tenant { known, .. } = &place {
        addressed = Some(known.clone());
    }
    let ctx = Ctx {
        request: parts.extensions.get::<RequestId>().copied(),
        actor: Actor::anonymous(),
        session: None,
        permissions: [].into(),
        origin: origin(&parts, None),
    };
    parts.extensions.insert(place);
    let response = next.run(Request::from_parts(parts, body)).await;
    // Here and not where it was found: the token is compared later, by whoever authenticates.
    if let Some(Refusal(problem)) = response.extensions().get::<Refusal>()
        && problem.kind == ProblemKind::TenantMismatch
    {
        tracing::warn!(detail = %problem.detail, "a request named two tenants");
        alarm::mismatch(&state.app, &ctx, addressed.as_ref(), problem).await;
    }
    response
}

/// Sends the client on to where a tenant is now. Browsers may read again; whatever changes something is to be repeated
/// as it was.
pub(crate) fn moved(method: &Method, location: &str) -> Response {
    let status = match *method {
        Method::GET | Method::HEAD => StatusCode::MOVED_PERMANENTLY,
        _ => StatusCode::PERMANENT_REDIRECT,
    };
    match HeaderValue::try_from(location) {
        Ok(location) => (status, [(header::LOCATION, location)]).into_response(),
        Err(_) => crate::problem::ApiProblem(malformed("the path can't be read")).into_response(),
    }
}

fn malformed(detail: &str) -> Problem {
    Problem::new(ProblemKind::MalformedRequest, detail)
}

/// The one value of a header; `None` when it is not there.
fn single<'a>(parts: &'a Parts, name: &HeaderName) -> Result<Option<&'a str>, Problem> {
    let mut values = parts.headers.get_all(name).iter();
    let refuse = || malformed(&format!("exactly one {name} header is needed"));
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| refuse()),
        (Some(_), Some(_)) => Err(refuse()),
    }
}

/// The host names of a request. A trusted proxy says which one it was asked for; otherwise the target's, when it is in
/// absolute form, and the Host header's have to name the same.
fn authorities<'a>(state: &AppState, parts: &'a Parts) -> Result<Vec<&'a str>, Problem> {
    let peer = parts.extensions.get::<PeerAddr>().map(|p| p.0.ip().to_canonical());
    if peer.is_some_and(|ip| state.site.trusted_proxies.iter().any(|net| net.contains(&ip)))
        && let Some(host) = single(parts, &FORWARDED_HOST)?
    {
        return Ok(vec![host]);
    }
    let target = parts.uri.authority().map(http::uri::Authority::as_str);
    let host = single(parts, &header::HOST)?;
    let names: Vec<_> = target.into_iter().chain(host).collect();
    if names.is_empty() {
        return Err(malformed("exactly one Host header is needed"));
    }
    Ok(names)
}

async fn find(state: &AppState, parts: &mut Parts) -> Result<Place, (Problem, Option<Known>)> {
    let token = parts.headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
    let token = token.and_then(|v| v.split_once(' '));
    let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let headers = parts.headers.get_all("x-tenant-id").iter();
    let asked = Asked {
        authorities: authorities(state, parts).map_err(|p| (p, None))?,
        path: parts.uri.path(),
        query: parts.uri.query(),
        // What is no text names nobody.
        headers: headers.map(|v| v.to_str().unwrap_or_default()).collect(),
        token: token.map(|(_, token)| token.trim()),
    };
    let resolved = resolve(&state.app, &asked).await;
    match resolved.map_err(|astray| (astray.problem, astray.addressed.map(|known| *known)))? {
        Resolved::Base => Ok(Place::Base),
        Resolved::Moved(location) => Ok(Place::Moved(location)),
        Resolved::Tenant { known, by_path, path } => {
            if path != parts.uri.path() {
                rewrite(&mut parts.uri, &path).map_err(|p| (p, None))?;
            }
            let prefix = if by_path {
                format!("/t/{}", known.tenant.slug)
            } else {
                String::new()
            };
            Ok(Place::Tenant { known, prefix })
        }
    }
}

fn rewrite(uri: &mut Uri, path: &str) -> Result<(), Problem> {
    let target = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut parts = uri.clone().into_parts();
    let refuse = |_| malformed("the path can't be read");
    parts.path_and_query = Some(PathAndQuery::try_from(target).map_err(|_| refuse(()))?);
    *uri = Uri::from_parts(parts).map_err(|_| refuse(()))?;
    Ok(())
}
