//! JSON bodies: size-capped, exact types, unknown members refused (by `deny_unknown_fields` on each type), errors with
//! a JSON pointer.

use crate::{problem::ApiProblem, serve};
use aistack_core::ProblemKind;
use aistack_domain::{FieldError, Problem};
use axum::{
    extract::{FromRequest, Request, rejection::BytesRejection},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{StatusCode, header};
use serde::{Serialize, de::DeserializeOwned};
use serde_path_to_error::{Path, Segment};

/// A JSON body, in or out.
#[derive(Debug, Clone)]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
            Err(e) => ApiProblem(Problem::internal(format!("an answer that is not JSON: {e}"))).into_response(),
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = ApiProblem;

    async fn from_request(req: Request, state: &S) -> Result<Self, ApiProblem> {
        // Also keeps other sites' forms out: a form can't be sent as JSON without asking first (CORS).
        let is_json = req
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|v| v.to_str().ok())
            .and_then(|v| v.parse::<mime::Mime>().ok())
            .is_some_and(|m| {
                m.type_() == mime::APPLICATION && (m.subtype() == mime::JSON || m.suffix() == Some(mime::JSON))
            });
        if !is_json {
            return Err(ApiProblem::new(
                ProblemKind::UnsupportedMediaType,
                "send the body as application/json",
            ));
        }
        let bytes = body(req, state).await?;
        parse(&bytes).map(Self).map_err(ApiProblem)
    }
}

/// The whole body, up to the route's limit.
pub(crate) async fn body<S: Send + Sync>(req: Request, state: &S) -> Result<Bytes, ApiProblem> {
    let limit = req.extensions().get().copied().unwrap_or_default();
    Bytes::from_request(req, state).await.map_err(|e| match e {
        BytesRejection::FailedToBufferBody(e) if e.status() == StatusCode::PAYLOAD_TOO_LARGE => too_large(limit),
        _ => ApiProblem::new(ProblemKind::MalformedRequest, "the body broke off"),
    })
}

/// Most bytes of a body, where a route has a limit of its own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyLimit(pub(crate) usize);

impl Default for BodyLimit {
    fn default() -> Self {
        Self(serve::BODY)
    }
}

fn too_large(BodyLimit(max): BodyLimit) -> ApiProblem {
    let most = match max {
        0..1024 => format!("{max} bytes"),
        1024..0x10_0000 => format!("{} KiB", max >> 10),
        _ => format!("{} MiB", max >> 20),
    };
    let detail = format!("the body is larger than the {most} that this route takes");
    ApiProblem(
        Problem::new(ProblemKind::PayloadTooLarge, detail)
            .with("max", max as u64)
            .hint("send less at once; a component gets smaller when it is built optimized and stripped"),
    )
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let malformed = |detail: String| Problem::new(ProblemKind::MalformedRequest, detail);
    let mut de = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut de).map_err(|e| {
        let pointer = pointer(e.path());
        let inner = e.inner();
        if inner.is_data() {
            let message = inner.to_string();
            // "… at line 1 column 9": the pointer says it better.
            let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(m, _)| m);
            let at = if pointer.is_empty() { "the body" } else { &pointer };
            Problem {
                errors: vec![FieldError::new(&pointer, "type", message)],
                ..malformed(format!("{at}: {message}"))
            }
        } else {
            malformed(format!("the body is not JSON: {inner}"))
        }
    })?;
    de.end()
        .map_err(|e| malformed(format!("there is more after the JSON value: {e}")))?;
    Ok(value)
}

fn pointer(path: &Path) -> String {
    path.iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(format!("/{index}")),
            Segment::Map { key } => Some(format!("/{}", key.replace('~', "~0").replace('/', "~1"))),
            Segment::Enum { .. } | Segment::Unknown => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        n: u8,
    }
    #[derive(Debug, serde::Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        list: Vec<Inner>,
    }

    #[test]
    fn errors_point_at_the_value() {
        for (body, at) in [
            (r#"{"list":[{"n":1},{"n":"x"}]}"#, "/list/1/n"),
            (r#"{"list":[{"n":300}]}"#, "/list/0/n"),
            (r#"{"list":[{"m":1}]}"#, "/list/0/m"),
            (r#"{"list":[{"n":1,"n":2}]}"#, "/list/0"),
            (r#"{}"#, ""),
        ] {
            let e = parse::<Outer>(body.as_bytes()).unwrap_err();
            assert_eq!(e.kind, ProblemKind::MalformedRequest);
            assert!(e.errors[0].pointer.starts_with(at), "{body}: {e:?}");
        }
    }

    #[test]
    fn broken_json_has_no_pointer() {
        let deep = "[".repeat(100_000);
        for body in ["", "{", "{\"list\":[]} x", "{\"list\":[],}", "\u{feff}{}", &deep] {
            let e = parse::<Outer>(body.as_bytes()).unwrap_err();
            assert_eq!(e.kind, ProblemKind::MalformedRequest);
            assert!(e.detail.len() < 300);
        }
        assert!(parse::<Outer>(b"{\"list\":[\xff]}").is_err());
        assert_eq!(parse::<Outer>(b"{\"list\":[]} \n"), Ok(Outer { list: vec![] }));
    }
}
