//! The HTTP side: a page, its form, status as JSON, calls, and deliveries as the platform would take them.

use super::{Shared, page};
use crate::{Error, project::Project};
use aistack_domain::plugins::port::FaultKind;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::Incoming,
    header::{CONTENT_TYPE, HOST},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::{convert::Infallible, sync::Arc};
use tokio::net::TcpListener;

/// Largest body of a call's arguments.
const MAX_ARGUMENTS: usize = 4 << 20;

type Reply = Response<Full<Bytes>>;

pub(super) async fn run(listener: TcpListener, port: u16, shared: Arc<Shared>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Too many open files, or the like: it passes.
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            continue;
        };
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let shared = Arc::clone(&shared);
                async move { Ok::<_, Infallible>(answer(&shared, port, request).await) }
            });
            // A browser that hangs up is no news.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// Only pages and programs that mean this very server: a name that leads here from elsewhere is not served.
fn is_ours(headers: &HeaderMap, port: u16) -> bool {
    let host = headers.get(HOST).and_then(|h| h.to_str().ok()).unwrap_or_default();
    ["127.0.0.1", "localhost"]
        .iter()
        .any(|name| host == format!("{name}:{port}"))
}

async fn answer(shared: &Arc<Shared>, port: u16, request: Request<Incoming>) -> Reply {
    if !is_ours(request.headers(), port) {
        return problem(
            StatusCode::FORBIDDEN,
            "wrong_host",
            "this server answers to 127.0.0.1 and localhost alone",
        );
    }
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let chinese = query.split('&').any(|p| p == "lang=zh-CN" || p == "lang=zh");
    match (request.method(), path.as_str()) {
        (&Method::GET, "/") => html(&page::whole(&schema(shared), &shared.status(), chinese)),
        (&Method::GET, "/form") => html(&page::form(&schema(shared), chinese)),
        (&Method::GET, "/status") => json_reply(StatusCode::OK, &shared.status()),
        (&Method::POST, "/call") => call(shared, request).await,
        (_, hook) if hook.starts_with("/hooks/") => {
            let endpoint = hook.trim_start_matches("/hooks/").to_owned();
            deliver(shared, &endpoint, request).await
        }
        _ => problem(
            StatusCode::NOT_FOUND,
            "not_found",
            "there is /, /form, /status, /call and /hooks/<endpoint>",
        ),
    }
}

/// The schema as it stands in the project, also while it does not build.
fn schema(shared: &Shared) -> Value {
    let project = Project::open(&shared.dir);
    project
        .ok()
        .and_then(|p| serde_json::from_str(&p.schema).ok())
        .unwrap_or_default()
}

fn reply(status: StatusCode, kind: &str, body: Bytes) -> Reply {
    let built = Response::builder()
        .status(status)
        .header(CONTENT_TYPE, kind)
        .header("cache-control", "no-store")
        .header("x-content-type-options", "nosniff")
        .body(Full::new(body));
    built.unwrap_or_default()
}

fn html(text: &str) -> Reply {
    reply(
        StatusCode::OK,
        "text/html; charset=utf-8",
        Bytes::copy_from_slice(text.as_bytes()),
    )
}

fn json_reply(status: StatusCode, value: &Value) -> Reply {
    reply(status, "application/json", value.to_string().into())
}

fn problem(status: StatusCode, code: &str, detail: &str) -> Reply {
    json_reply(status, &json!({ "code": code, "detail": detail }))
}

fn refused(e: &Error) -> Reply {
    json_reply(StatusCode::UNPROCESSABLE_ENTITY, &e.document())
}

async fn body(request: Request<Incoming>, most: usize) -> Option<Bytes> {
    Limited::new(request.into_body(), most)
        .collect()
        .await
        .ok()
        .map(http_body_util::Collected::to_bytes)
}

/// `{"operation": …, "arguments": {…}}`. The media type keeps other sites' pages out: a browser asks first before it
/// sends JSON across origins, and nobody answers.
async fn call(shared: &Shared, request: Request<Incoming>) -> Reply {
    let json_sent = request
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|t| t.as_bytes().starts_with(b"application/json"));
    if !json_sent {
        return problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", "send application/json");
    }
    let Some(bytes) = body(request, MAX_ARGUMENTS).await else {
        return problem(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            "the arguments are too large",
        );
    };
    let Ok(Value::Object(mut asked)) = serde_json::from_slice(&bytes) else {
        return problem(
            StatusCode::BAD_REQUEST,
            "not_json",
            "send {\"operation\": \"…\", \"arguments\": {…}}",
        );
    };
    let operation = asked
        .get("operation")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let arguments = asked.remove("arguments").unwrap_or_default();
    match shared.call(&operation, arguments).await {
        Ok(called) => json_reply(StatusCode::OK, &called.document()),
        Err(e) => refused(&e),
    }
}

/// A delivery, under the manifest's rules: its methods, its largest body; the plugin's `ack` is the answer.
async fn deliver(shared: &Shared, name: &str, request: Request<Incoming>) -> Reply {
    let Some(runner) = shared.runner() else {
        return problem(
            StatusCode::SERVICE_UNAVAILABLE,
            "not_built",
            "there is no component in place yet",
        );
    };
    let loaded = runner.loaded();
    let Some(endpoint) = loaded.manifest.endpoint(name) else {
        let detail = format!("the manifest declares no endpoint {name:?}");
        return problem(StatusCode::NOT_FOUND, "not_found", &detail);
    };
    let method = request.method().to_string();
    if !endpoint.methods.contains(&method) {
        let detail = format!("endpoint {name:?} takes {}", endpoint.methods.join(", "));
        return problem(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", &detail);
    }
    let url = request
        .uri()
        .path_and_query()
        .map_or_else(|| "/".to_owned(), ToString::to_string);
    let headers: Vec<Value> = request
        .headers()
        .iter()
        .map(|(k, v)| json!([k.as_str(), String::from_utf8_lossy(v.as_bytes())]))
        .collect();
    let most = usize::try_from(endpoint.max_body.0).unwrap_or(usize::MAX);
    let Some(bytes) = body(request, most).await else {
        let detail = format!("endpoint {name:?} takes at most {most} bytes");
        return problem(StatusCode::PAYLOAD_TOO_LARGE, "too_large", &detail);
    };
    let arguments = json!({
        "endpoint": name,
        "request": { "method": method, "url": url, "headers": headers, "body_base64": STANDARD.encode(&bytes) },
    });
    match shared.call("inbound.handle", arguments).await {
        Err(e) => refused(&e),
        Ok(called) => match called.result {
            Ok(outcome) => acknowledged(&outcome["ack"]),
            Err(fault) => {
                let status = match fault.kind {
                    FaultKind::SignatureInvalid | FaultKind::Expired | FaultKind::Denied | FaultKind::InvalidInput => {
                        StatusCode::BAD_REQUEST
                    }
                    _ => StatusCode::INTERNAL_SERVER_ERROR,
                };
                problem(status, &fault.code, &fault.message)
            }
        },
    }
}

/// The plugin's own answer, as the provider would get it.
fn acknowledged(ack: &Value) -> Reply {
    let status = ack["status"]
        .as_u64()
        .and_then(|s| u16::try_from(s).ok())
        .unwrap_or(200);
    let mut response = Response::builder().status(status);
    for pair in ack["headers"].as_array().into_iter().flatten() {
        if let (Some(name), Some(value)) = (pair[0].as_str(), pair[1].as_str()) {
            response = response.header(name, value);
        }
    }
    let body = match (ack["body"].as_str(), ack["body_base64"].as_str()) {
        (Some(text), _) => Bytes::copy_from_slice(text.as_bytes()),
        (None, Some(encoded)) => STANDARD.decode(encoded).unwrap_or_default().into(),
        (None, None) => Bytes::new(),
    };
    let broken = |_| {
        problem(
            StatusCode::INTERNAL_SERVER_ERROR,
            "bad_output",
            "the plugin's ack is no HTTP answer",
        )
    };
    response.body(Full::new(body)).unwrap_or_else(broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_names_that_lead_here_are_not_served() {
        let headers = |host: &str| HeaderMap::from_iter([(HOST, host.parse().unwrap())]);
        assert!(is_ours(&headers("127.0.0.1:80"), 80) && is_ours(&headers("localhost:80"), 80));
        for host in [
            "evil.example:80",
            "127.0.0.1",
            "127.0.0.1:81",
            "127.0.0.1.evil.example:80",
        ] {
            assert!(!is_ours(&headers(host), 80), "{host}");
        }
        assert!(!is_ours(&HeaderMap::new(), 80));
    }
}
