//! Refusals on the wire: RFC 9457 problem+json. A handler returns [`ApiProblem`]; the outermost layer, which knows the
//! request id, writes the document, so that every answer is shaped alike.

use aistack_core::{ProblemKind, RequestId};
use aistack_domain::Problem;
use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};

/// A handler's refusal.
#[derive(Debug, Clone)]
pub struct ApiProblem(pub Problem);

/// A handler's answer.
pub type ApiResult<T> = Result<T, ApiProblem>;

impl<P: Into<Problem>> From<P> for ApiProblem {
    fn from(p: P) -> Self {
        Self(p.into())
    }
}

impl ApiProblem {
    /// A refusal of a kind.
    #[must_use]
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self(Problem::new(kind, detail))
    }
}

/// Travels with the response to the outermost layer.
#[derive(Debug, Clone)]
pub(crate) struct Refusal(pub(crate) Problem);

impl IntoResponse for ApiProblem {
    fn into_response(self) -> Response {
        let mut response = status_of(self.0.kind).into_response();
        response.extensions_mut().insert(Refusal(self.0));
        response
    }
}

fn status_of(kind: ProblemKind) -> StatusCode {
    StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The document. What went wrong inside stays in the log, under the request id.
#[must_use]
pub fn document(problem: &Problem, request: RequestId, path: &str) -> Value {
    let detail = match problem.kind {
        ProblemKind::Internal => "something went wrong on our side; the log has the details under this request id",
        _ => &problem.detail,
    };
    let mut doc = Map::new();
    for (key, value) in &problem.extras {
        doc.insert(key.clone(), value.clone());
    }
    // After the extras: an extra member never replaces one of these.
    for (key, value) in [
        ("type", json!(format!("urn:aistack:problem:{}", problem.kind))),
        ("title", json!(problem.kind.title())),
        ("status", json!(problem.kind.status())),
        ("code", json!(problem.kind)),
        ("detail", json!(detail)),
        ("instance", json!(path)),
        ("request_id", json!(request)),
    ] {
        doc.insert(key.to_owned(), value);
    }
    if !problem.errors.is_empty() {
        doc.insert("errors".to_owned(), json!(problem.errors));
    }
    Value::Object(doc)
}

/// Writes the document into a response that carries a refusal; others pass unchanged.
pub(crate) fn finish(mut response: Response, request: RequestId, path: &str) -> Response {
    let Some(Refusal(problem)) = response.extensions_mut().remove::<Refusal>() else {
        return response;
    };
    if problem.kind == ProblemKind::Internal {
        tracing::error!(detail = %problem.detail, "internal error");
    }
    *response.status_mut() = status_of(problem.kind);
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    headers.remove(header::CONTENT_LENGTH);
    if let Some(seconds) = problem.extras.get("retry_after").and_then(Value::as_u64) {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if problem.kind.status() == 401 {
        headers.insert(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static("Bearer realm=\"aistack\""),
        );
    }
    *response.body_mut() = Body::from(document(&problem, request, path).to_string());
    response
}
