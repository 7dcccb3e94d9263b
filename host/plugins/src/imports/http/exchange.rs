//! Sends a checked request, follows redirects under the same checks, reads the answer within its cap.

use super::prepare::{Inject, Outgoing};
use crate::{
    call::{CallState, Redactor, Traffic},
    imports::secrets::lists,
    net::{AddressRefused, HttpClients, HttpPeer, PeerFailure, PeerRequest, host_matches, permit},
    v1::bindings::types::HttpResponse,
};
use aistack_domain::plugins::port::{Fault, FaultKind, Grants, Powers};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use secrecy::ExposeSecret;
use std::time::Duration;
use url::Url;

/// What a request is made with, and what it is measured by.
pub(in crate::imports) struct Line<'a> {
    pub(in crate::imports) clients: &'a HttpClients,
    /// Asked again at each hop.
    pub(in crate::imports) powers: &'a Powers,
    pub(in crate::imports) redact: &'a Redactor,
    pub(in crate::imports) traffic: &'a mut Traffic,
}

impl CallState {
    /// The time a request may take: what was asked for, within the call's own, less a margin in which the guest can
    /// still turn a time-out into a fault that says "outcome unknown".
    pub(in crate::imports) fn time_for(&self, asked_ms: u32) -> Duration {
        let left = self.time_left();
        let margin = (left / 10).min(Duration::from_millis(50));
        match asked_ms {
            0 => left - margin,
            ms => (left - margin).min(Duration::from_millis(ms.into())),
        }
    }
}

fn transport(code: &str, message: String, outcome_unknown: bool) -> Fault {
    Fault {
        outcome_unknown,
        ..Fault::new(FaultKind::Transport, code, message)
    }
}

/// Whether repeating the method could do something twice.
fn may_act(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

pub(super) async fn exchange(
    state: &mut CallState,
    outgoing: Outgoing,
    redirects: u8,
    idempotent: bool,
    limit: u64,
    time: Duration,
) -> Result<HttpResponse, Fault> {
    let acts = may_act(&outgoing.method) && !idempotent;
    // Set before anything is sent: should the call itself be cut off, the host knows that the provider may have acted.
    state.may_have_acted |= acts;
    let line = Line {
        clients: &state.shared.http,
        powers: &state.inv.powers,
        redact: &state.redact,
        traffic: &mut state.traffic,
    };
    let done = tokio::time::timeout(time, follow(line, outgoing, redirects, idempotent, limit)).await;
    match done {
        Ok(answer) => answer.map(|r| clean(&state.redact, r)),
        Err(_) => Err(transport("timeout", "the peer took too long".to_owned(), acts)),
    }
}

/// Takes out of an answer what was injected into the request: an echo would hand the guest the secret.
fn clean(redact: &Redactor, response: HttpResponse) -> HttpResponse {
    if redact.is_idle() {
        return response;
    }
    HttpResponse {
        headers: response
            .headers
            .into_iter()
            .map(|(k, v)| (redact.text(k), redact.bytes(v)))
            .collect(),
        body: redact.bytes(response.body),
        ..response
    }
}

async fn follow(
    mut line: Line<'_>,
    mut out: Outgoing,
    redirects: u8,
    idempotent: bool,
    limit: u64,
) -> Result<HttpResponse, Fault> {
    let mut hop = 0;
    loop {
        let response = match send_one(&mut line, &out).await {
            Err(f) if idempotent && f.kind == FaultKind::Transport => send_one(&mut line, &out).await?,
            other => other?,
        };
        let next = (hop < redirects).then(|| target(&out.url, &response)).flatten();
        let Some(next) = next else {
            return read(response, limit, may_act(&out.method), line.traffic).await;
        };
        hop += 1;
        redirect(&mut out, response.status(), next);
    }
}

/// Where a redirect leads, if the answer is one.
fn target(from: &Url, response: &reqwest::Response) -> Option<Url> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = response.headers().get(header::LOCATION)?.to_str().ok()?;
    from.join(location).ok()
}

/// Rewrites the request for the next hop. A change of origin takes all credentials away for good.
fn redirect(out: &mut Outgoing, status: StatusCode, next: Url) {
    if next.origin() != out.url.origin() {
        (out.inject, out.secret) = (Inject::Nothing, None);
        for name in [header::AUTHORIZATION, header::COOKIE] {
            out.headers.remove(name);
        }
    }
    let keeps = matches!(status.as_u16(), 307 | 308);
    if !keeps {
        if out.method != Method::HEAD {
            out.method = Method::GET;
        }
        out.body.clear();
        for name in [header::CONTENT_TYPE, header::CONTENT_ENCODING, header::CONTENT_LANGUAGE] {
            out.headers.remove(name);
        }
        // A form field has no body to stand in any more.
        if matches!(out.inject, Inject::Form(..)) {
            (out.inject, out.secret) = (Inject::Nothing, None);
        }
    }
    out.url = next;
    out.url.set_fragment(None);
}

/// Whether the request may leave with the secrets in it: the one that is injected is still granted for that use and
/// place, and none that the guest has seen goes where it is not bound.
fn guard(out: &Outgoing, grants: &Grants, redact: &Redactor) -> Result<(), Fault> {
    let bound = |name: &str| {
        let grant = grants.secrets.get(name);
        grant.filter(|g| g.hosts.iter().any(|host| host_matches(host, &out.url)))
    };
    if let Some(s) = &out.secret
        && !bound(&s.name).is_some_and(|g| lists(g, "http", s.way))
    {
        let message = format!("secret {:?} is not granted any more", s.name);
        return Err(Fault::new(FaultKind::Denied, "grant_revoked", message));
    }
    if redact.is_idle() {
        return Ok(());
    }
    let mut seen = redact.found_in(out.url.as_str().as_bytes());
    seen.extend(redact.found_in(&out.body));
    for (name, value) in &out.headers {
        seen.extend(redact.found_in(name.as_str().as_bytes()));
        seen.extend(redact.found_in(value.as_bytes()));
    }
    match seen.into_iter().find(|name| bound(name).is_none()) {
        None => Ok(()),
        Some(name) => Err(Fault::new(
            FaultKind::Denied,
            "secret_leak",
            format!("secret {name:?} must not be sent to where it is not bound"),
        )),
    }
}

/// One request to one place, checked.
pub(in crate::imports) async fn send_one(line: &mut Line<'_>, out: &Outgoing) -> Result<reqwest::Response, Fault> {
    let clients = line.clients;
    let grants = line.powers.now();
    let private = permit(&out.url, &grants)?;
    guard(out, &grants, line.redact)?;
    let mut url = out.url.clone();
    let mut headers = out.headers.clone();
    let mut body = out.body.clone();
    let mut identity = None;
    match &out.inject {
        Inject::Nothing => {}
        Inject::Header(name, value) => {
            headers.insert(name.clone(), value.clone());
        }
        Inject::Query(name, secret) => {
            url.query_pairs_mut().append_pair(name, text(secret.expose_secret())?);
        }
        Inject::Form(name, secret) => {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            form.append_pair(name, text(secret.expose_secret())?);
            if !body.is_empty() {
                body.push(b'&');
            }
            body.extend_from_slice(form.finish().as_bytes());
            headers
                .entry(header::CONTENT_TYPE)
                .or_insert(HeaderValue::from_static("application/x-www-form-urlencoded"));
        }
        Inject::ClientCert(pem) => identity = Some(pem.expose_secret().as_slice()),
    }
    let special;
    let client = if out.ca.is_some() || identity.is_some() {
        special = clients.special(private, out.ca.as_deref(), identity).map_err(|_| {
            Fault::new(
                FaultKind::InvalidConfig,
                "tls_material_invalid",
                "the certificates or the client key can't be used",
            )
        })?;
        &special
    } else {
        clients.shared(private)
    };
    line.traffic.send(size(&url, &headers, &body))?;
    if let Some(peer) = &clients.peer {
        return by_peer(&**peer, out, &url, &headers, body);
    }
    let mut request = reqwest::Request::new(out.method.clone(), url);
    *request.headers_mut() = headers;
    if !body.is_empty() || may_act(&out.method) {
        *request.body_mut() = Some(body.into());
    }
    client
        .execute(request)
        .await
        .map_err(|e| failed(e, may_act(&out.method)))
}

/// The exchange with an answerer that stands in for the network.
fn by_peer(
    peer: &dyn HttpPeer,
    out: &Outgoing,
    url: &Url,
    headers: &HeaderMap,
    body: Vec<u8>,
) -> Result<reqwest::Response, Fault> {
    let request = PeerRequest {
        method: out.method.to_string(),
        url: url.to_string(),
        headers: headers
            .iter()
            .map(|(k, v)| (k.as_str().to_owned(), v.as_bytes().to_vec()))
            .collect(),
        body,
    };
    let answer = peer.answer(request).map_err(|e| match e {
        PeerFailure::Unreachable(_) => transport("connect_failed", e.to_string(), false),
        PeerFailure::Broken(_) => transport("connection_broken", e.to_string(), may_act(&out.method)),
    })?;
    let mut response = http::Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    let response = response
        .body(answer.body)
        .map_err(|e| transport("connection_broken", format!("the peer's answer is not HTTP: {e}"), true))?;
    Ok(response.into())
}

fn text(secret: &[u8]) -> Result<&str, Fault> {
    std::str::from_utf8(secret).map_err(|_| {
        Fault::new(
            FaultKind::InvalidConfig,
            "secret_not_sendable",
            "the secret has characters that can't stand in a URL or form",
        )
    })
}

fn size(url: &Url, headers: &HeaderMap, body: &[u8]) -> u64 {
    let head: usize = headers.iter().map(|(k, v)| k.as_str().len() + v.len() + 4).sum();
    (url.as_str().len() + head + body.len()) as u64
}

/// What a failed exchange means. The URL, which may carry a secret, is never part of the text.
pub(in crate::imports) fn failed(e: reqwest::Error, acts: bool) -> Fault {
    let (connect, timeout) = (e.is_connect(), e.is_timeout());
    let e = e.without_url();
    let mut source: Option<&dyn std::error::Error> = Some(&e);
    let mut last = String::new();
    while let Some(s) = source {
        if let Some(refused) = s.downcast_ref::<AddressRefused>() {
            return Fault::new(FaultKind::Denied, "address_not_allowed", refused.to_string());
        }
        last = s.to_string();
        source = s.source();
    }
    match (connect, timeout) {
        (true, _) => transport("connect_failed", format!("no connection: {last}"), false),
        (_, true) => transport("timeout", format!("the peer took too long: {last}"), acts),
        _ => transport("connection_broken", format!("the connection broke: {last}"), acts),
    }
}

async fn read(
    mut response: reqwest::Response,
    limit: u64,
    acts: bool,
    traffic: &mut Traffic,
) -> Result<HttpResponse, Fault> {
    let unknown = |f: Fault| Fault {
        outcome_unknown: acts,
        ..f
    };
    let too_large = || {
        Fault::new(
            FaultKind::Provider,
            "response_too_large",
            format!("the answer has more than {limit} bytes"),
        )
    };
    let all = response.headers().iter().map(|(k, v)| (k.as_str(), v.as_bytes()));
    let size = traffic.headers(FaultKind::Provider, all).map_err(unknown)?;
    traffic.receive(size).map_err(unknown)?;
    if response.content_length().is_some_and(|n| n > limit) {
        return Err(too_large());
    }
    let status = response.status().as_u16();
    let headers: Vec<(String, Vec<u8>)> = response
        .headers()
        .iter()
        .map(|(k, v)| (k.as_str().to_owned(), v.as_bytes().to_vec()))
        .collect();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| failed(e, acts))? {
        traffic.receive(chunk.len() as u64).map_err(unknown)?;
        if (body.len() + chunk.len()) as u64 > limit {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(HttpResponse { status, headers, body })
}
