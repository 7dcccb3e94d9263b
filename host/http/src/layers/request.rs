//! The outermost layer: a fresh request id, the log line, the metrics, and the problem document.

use crate::{problem, state::AppState};
use aistack_core::RequestId;
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderValue, header::HeaderName};
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};
use tracing::Instrument;

/// The connection's other end, put into the request by the listener.
#[derive(Debug, Clone, Copy)]
pub struct PeerAddr(pub SocketAddr);

/// The client's address, after trusted proxies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClientAddr(pub(crate) Option<IpAddr>);

/// The route's template, put into the response for log and metrics.
#[derive(Debug, Clone)]
pub(crate) struct RouteName(pub(crate) String);

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// See the module.
pub(crate) async fn request(State(state): State<AppState>, mut req: Request, next: Next) -> Response {
    let app = &state.app;
    let started = app.clock.monotonic();
    let id = RequestId::new(&*app.clock, &*app.rng);
    let peer = req.extensions().get::<PeerAddr>().map(|p| p.0.ip());
    let client = client_addr(peer, &forwarded_for(&req), &state.site.trusted_proxies);
    req.extensions_mut().insert(id);
    req.extensions_mut().insert(ClientAddr(client));
    let method = req.method().clone();
    let path = req.uri().path().to_owned();
    let span = tracing::info_span!("request", id = %id, %method);
    let response = next.run(req).instrument(span.clone()).await;
    let _entered = span.enter();
    let mut response = problem::finish(response, id, &path);
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert(REQUEST_ID.clone(), value);
    }
    let route = response.extensions().get::<RouteName>().map_or("-", |r| r.0.as_str());
    let took = app.clock.monotonic().saturating_sub(started);
    if route != "gateway" {
        // The gateway counts its calls itself, with the route's prefix.
        state.metrics.observe(&method, route, response.status(), took);
    }
    // The template and not the path: paths of deliveries contain keys.
    tracing::info!(
        route,
        status = response.status().as_u16(),
        us = took.as_micros(),
        "answered"
    );
    response
}

fn forwarded_for(req: &Request) -> Vec<String> {
    req.headers()
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','))
        .map(|s| s.trim().to_owned())
        .collect()
}

/// Walks from the nearest hop outwards and stops at the first address that is not a trusted proxy.
fn client_addr(peer: Option<IpAddr>, forwarded: &[String], trusted: &[IpNet]) -> Option<IpAddr> {
    let mut client = peer?.to_canonical();
    for hop in forwarded.iter().rev() {
        if !trusted.iter().any(|net| net.contains(&client)) {
            break;
        }
        match hop.parse::<IpAddr>() {
            Ok(ip) => client = ip.to_canonical(),
            Err(_) => break,
        }
    }
    Some(client)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_proxies_name_the_client() {
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let ip = |s: &str| Some(s.parse::<IpAddr>().unwrap());
        let hops = |s: &[&str]| s.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        for (peer, forwarded, expected) in [
            ("203.0.113.9", hops(&["1.2.3.4"]), "203.0.113.9"),
            ("10.0.0.1", hops(&["1.2.3.4"]), "1.2.3.4"),
            ("10.0.0.1", hops(&["6.6.6.6", "1.2.3.4", "10.0.0.2"]), "1.2.3.4"),
            ("10.0.0.1", hops(&["nonsense"]), "10.0.0.1"),
            ("10.0.0.1", hops(&[]), "10.0.0.1"),
            ("::ffff:10.0.0.1", hops(&["1.2.3.4"]), "1.2.3.4"),
        ] {
            assert_eq!(
                client_addr(ip(peer), &forwarded, &trusted),
                ip(expected),
                "{peer} {forwarded:?}"
            );
        }
        assert_eq!(client_addr(None, &hops(&["1.2.3.4"]), &trusted), None);
    }
}
