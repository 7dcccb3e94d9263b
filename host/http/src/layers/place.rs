//! Which tenant the request is about. Decided before the router looks at the path, because `/t/{slug}` is cut off.
//!
//! Nothing is refused here: some routes exist whatever the host says. The guard and the fallback refuse.

use crate::state::AppState;
use aistack_core::ProblemKind;
use aistack_domain::{
    Problem,
    tenancy::{Known, routing},
};
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{Uri, header, uri::PathAndQuery};

/// What host, path and header said.
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
    /// Nothing we serve.
    Refused(Problem),
}

/// See the module.
pub(crate) async fn place(State(state): State<AppState>, mut req: Request, next: Next) -> Response {
    let place = find(&state, &mut req).await.unwrap_or_else(|p| {
        if p.kind == ProblemKind::TenantMismatch {
            tracing::warn!(detail = %p.detail, "a request named two tenants");
        }
        Place::Refused(p)
    });
    req.extensions_mut().insert(place);
    next.run(req).await
}

async fn find(state: &AppState, req: &mut Request) -> Result<Place, Problem> {
    let malformed = || Problem::new(ProblemKind::MalformedRequest, "exactly one Host header is needed");
    let authority = match req.uri().authority() {
        // The absolute form of the target replaces the Host header (RFC 9112 §3.2.2).
        Some(authority) => authority.as_str().to_owned(),
        None => {
            let mut hosts = req.headers().get_all(header::HOST).iter();
            match (hosts.next(), hosts.next()) {
                (Some(host), None) => host.to_str().map_err(|_| malformed())?.to_owned(),
                _ => return Err(malformed()),
            }
        }
    };
    let named = routing::locate(&state.app.config.public_url, &authority, req.uri().path())?;
    if named.path != req.uri().path() {
        rewrite(req, &named.path)?;
    }
    let place = match &named.slug {
        None => Place::Base,
        Some(slug) => {
            let known = state.app.directory.find(&state.app, slug).await?.ok_or_else(|| {
                if named.by_path {
                    routing::no_such_tenant()
                } else {
                    routing::unknown_host()
                }
            })?;
            let prefix = if named.by_path {
                format!("/t/{slug}")
            } else {
                String::new()
            };
            Place::Tenant { known, prefix }
        }
    };
    if let Some(header) = req.headers().get("x-tenant-id") {
        let routed = match &place {
            Place::Tenant { known, .. } => Some((known.tenant.id, known.tenant.slug.as_str())),
            _ => None,
        };
        routing::agree_with_header(routed, header.to_str().unwrap_or_default())?;
    }
    Ok(place)
}

fn rewrite(req: &mut Request, path: &str) -> Result<(), Problem> {
    let target = match req.uri().query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut parts = req.uri().clone().into_parts();
    let refuse = |_| Problem::new(ProblemKind::MalformedRequest, "the path can't be read");
    parts.path_and_query = Some(PathAndQuery::try_from(target).map_err(|_| refuse(()))?);
    *req.uri_mut() = Uri::from_parts(parts).map_err(|_| refuse(()))?;
    Ok(())
}
