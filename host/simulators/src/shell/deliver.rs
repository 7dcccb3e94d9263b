//! Sending webhooks, and the three ways in which they arrive differently than they were sent.

use super::Shared;
use super::log;
use crate::shell::faults::Armed;
use crate::wire::{Acknowledged, Notice};
use bytes::Bytes;
use http::{Request, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use std::time::Duration;

/// How long a receiver may take, and how much of its answer is read.
const PATIENCE: Duration = Duration::from_secs(15);
const MOST_BYTES: usize = 64 * 1024;

/// Sends webhooks over plain HTTP.
#[derive(Debug, Clone)]
pub(crate) struct Courier(Client<HttpConnector, Full<Bytes>>);

impl Courier {
    pub(crate) fn new() -> Self {
        Self(Client::builder(TokioExecutor::new()).build_http())
    }
}

/// Orders the notices as the armed knobs want it: each twice, the later first, or none for now.
pub(crate) fn arrange(held: &mut Vec<Notice>, new: Vec<Notice>, armed: &Armed) -> Vec<Notice> {
    let anything = !new.is_empty();
    held.extend(new);
    if anything && armed.on("out_of_order") {
        if held.len() < 2 {
            return Vec::new();
        }
        held.reverse();
    }
    let mut notices = std::mem::take(held);
    if !notices.is_empty() && armed.on("duplicate") {
        notices = notices.into_iter().flat_map(|n| [n.clone(), n]).collect();
    }
    notices
}

/// Sends them one after the other and says how each was answered.
pub(crate) async fn send_all(shared: &Shared, notices: Vec<Notice>) -> Value {
    let mut out = Vec::with_capacity(notices.len());
    for notice in notices {
        out.push(send(shared, notice).await);
    }
    Value::Array(out)
}

async fn send(shared: &Shared, notice: Notice) -> Value {
    let to = notice.to.clone().or_else(|| shared.webhook());
    let media_type = notice
        .headers
        .iter()
        .find(|(n, _)| *n == "content-type")
        .map_or("", |(_, v)| v.as_str());
    let headers: serde_json::Map<_, _> = notice
        .headers
        .iter()
        .map(|(n, v)| ((*n).to_owned(), json!(v)))
        .collect();
    let mut report = json!({"kind": notice.kind, "to": to, "method": notice.method.as_str(), "headers": headers,
        "body": log::body(media_type, &notice.body)});
    match to {
        None => {
            report["error"] = json!("no address: neither the order nor POST /_sim/webhook names one");
        }
        Some(to) => match tokio::time::timeout(PATIENCE, exchange(&shared.courier, &to, &notice)).await {
            Ok(Ok((status, body))) => {
                report["status"] = json!(status);
                report["answer"] = json!(String::from_utf8_lossy(&body));
                report["acknowledged"] = json!(match &notice.acknowledged {
                    Acknowledged::By2xx => (200..300).contains(&status),
                    Acknowledged::ByBody(expected) => body == expected.as_bytes(),
                });
            }
            Ok(Err(error)) => report["error"] = json!(error),
            Err(_) => report["error"] = json!(format!("no answer within {} s", PATIENCE.as_secs())),
        },
    }
    if report["acknowledged"].is_null() {
        report["acknowledged"] = json!(false);
    }
    shared.log.add(shared.clock.now(), "out", report.clone());
    report
}

/// Where to connect, and the host that is asked for. Names below `localhost` are this machine (RFC 6761 §6.3), whatever
/// the system's resolver makes of them: that is where tenants of a platform under development are.
fn here(to: &str) -> Result<(Uri, String), String> {
    let uri: Uri = to.parse().map_err(|e| format!("{to}: {e}"))?;
    let authority = uri.authority().ok_or_else(|| format!("{to} names no host"))?.clone();
    let name = authority.host();
    if name != "localhost" && !name.ends_with(".localhost") {
        return Ok((uri, authority.to_string()));
    }
    let port = authority.port_u16().unwrap_or(80);
    let mut parts = uri.into_parts();
    parts.authority = Some(format!("127.0.0.1:{port}").parse().map_err(|e| format!("{to}: {e}"))?);
    let uri = Uri::from_parts(parts).map_err(|e| format!("{to}: {e}"))?;
    Ok((uri, authority.to_string()))
}

async fn exchange(courier: &Courier, to: &str, notice: &Notice) -> Result<(u16, Vec<u8>), String> {
    if !to.starts_with("http://") {
        return Err(format!(
            "{to} is not a plain http:// address; simulators deliver on this machine only"
        ));
    }
    let (uri, host) = here(to)?;
    let mut request = Request::builder()
        .method(notice.method.clone())
        .uri(uri)
        .header("host", host);
    for (name, value) in &notice.headers {
        request = request.header(*name, value);
    }
    let request = request
        .body(Full::from(notice.body.clone()))
        .map_err(|e| format!("{to}: {e}"))?;
    let answer = courier.0.request(request).await.map_err(|e| {
        let cause = std::error::Error::source(&e)
            .map(|c| format!(": {c}"))
            .unwrap_or_default();
        format!("{to}: {e}{cause}")
    })?;
    let status = answer.status().as_u16();
    let body = Limited::new(answer.into_body(), MOST_BYTES).collect().await;
    Ok((status, body.map_err(|e| e.to_string())?.to_bytes().to_vec()))
}

#[cfg(test)]
mod tests {
    use super::here;

    #[test]
    fn names_below_localhost_are_this_machine() {
        let (uri, host) = here("http://acme.localhost:8080/hooks/a?b=c").unwrap();
        assert_eq!(
            (uri.to_string().as_str(), host.as_str()),
            ("http://127.0.0.1:8080/hooks/a?b=c", "acme.localhost:8080")
        );
        let (uri, host) = here("http://192.0.2.1/x").unwrap();
        assert_eq!(
            (uri.to_string().as_str(), host.as_str()),
            ("http://192.0.2.1/x", "192.0.2.1")
        );
        assert!(here("/x").is_err());
    }
}
