//! What can go wrong with reports, and how it reads from outside.

use crate::{FieldError, Problem};
use aistack_core::ProblemKind;
use aistack_store::RunStatus;

/// A refusal of the report rules.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// Values of a new run that are not acceptable.
    #[error("a value of the run is not acceptable")]
    Invalid(Vec<FieldError>),
    /// The run has ended.
    #[error("a run that has {0} can't be cancelled")]
    Ended(RunStatus),
    /// There is no file (yet).
    #[error("the run has no file; it is {0}")]
    NoFile(RunStatus),
}

impl From<ReportError> for Problem {
    fn from(e: ReportError) -> Self {
        let text = e.to_string();
        match e {
            ReportError::Invalid(errors) => Self::invalid(errors),
            ReportError::Ended(_) => Self::new(ProblemKind::Conflict, text),
            ReportError::NoFile(_) => Self::new(ProblemKind::NotFound, text),
        }
    }
}
