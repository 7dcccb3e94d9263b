//! A refusal with everything a person needs to act on it. `http` turns it into RFC 9457 problem+json.

use aistack_core::ProblemKind;
use aistack_store::StoreError;
use serde_json::{Map, Value};

/// One value that was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) into the body; empty for the whole.
    pub pointer: String,
    /// Stable code, e.g. `required`, `too_short`, `format`.
    pub code: String,
    /// A sentence.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Line in the document it is about, from 1, when that is a text such as a manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
}

impl FieldError {
    /// An error at a pointer.
    #[must_use]
    pub fn new(pointer: impl Into<String>, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            code: code.into(),
            message: message.into(),
            hint: None,
            line: None,
        }
    }
    /// With what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
    /// With the line it stands in.
    #[must_use]
    pub fn at_line(mut self, line: Option<usize>) -> Self {
        self.line = line;
        self
    }
}

/// A refusal.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// Kind: code, status, title.
    pub kind: ProblemKind,
    /// One sentence about this occurrence. For `internal` it goes to the log, never to the caller.
    pub detail: String,
    /// Values not accepted.
    pub errors: Vec<FieldError>,
    /// Further members of the problem document.
    pub extras: Map<String, Value>,
}

impl Problem {
    /// A problem with a detail.
    #[must_use]
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            errors: Vec::new(),
            extras: Map::new(),
        }
    }
    /// A validation failure.
    #[must_use]
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = errors
            .first()
            .map_or_else(|| "a value was not accepted".to_owned(), |e| e.message.clone());
        Self {
            errors,
            ..Self::new(ProblemKind::ValidationFailed, detail)
        }
    }
    /// No such thing; `what` is a noun.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(ProblemKind::NotFound, format!("there is no such {what}"))
    }
    /// Our own defect.
    #[must_use]
    pub fn internal(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::Internal, detail)
    }
    /// With what to do about it.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        self.with("hint", hint.into())
    }
    /// With a further member.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.extras.insert(key.to_owned(), value.into());
        self
    }
}

impl core::fmt::Display for Problem {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}: {}", self.kind, self.detail)
    }
}
impl std::error::Error for Problem {}

impl From<StoreError> for Problem {
    fn from(e: StoreError) -> Self {
        match e {
            StoreError::AlreadyExists => Self::new(ProblemKind::AlreadyExists, "it exists already"),
            StoreError::MissingReference => Self::new(ProblemKind::NotFound, "something it refers to does not exist"),
            StoreError::Conflict => Self::new(
                ProblemKind::Conflict,
                "it changed meanwhile; read it again and repeat the change",
            ),
            StoreError::Unavailable(why) => {
                // The reason may name files and hosts: for the log, not for the caller.
                tracing::warn!(%why, "the database is not available");
                Self::new(
                    ProblemKind::Unavailable,
                    "the database is not available; try again shortly",
                )
            }
            StoreError::Corrupt(_) | StoreError::Backend(_) => Self::internal(error_chain(&e)),
        }
    }
}

/// An error with its sources, for the log.
#[must_use]
pub fn error_chain(e: &dyn std::error::Error) -> String {
    let mut text = e.to_string();
    let mut source = e.source();
    while let Some(s) = source {
        text.push_str(": ");
        text.push_str(&s.to_string());
        source = s.source();
    }
    text
}
