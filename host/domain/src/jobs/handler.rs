//! What a kind of job does, and the list of all kinds.

use crate::{App, Problem};
use aistack_core::ProblemKind;
use aistack_store::{Job, StoreError};
use std::{collections::HashMap, sync::Arc, time::Duration};

/// Why a try of a job did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// Worth another try: after the given time, or by the runner's own back-off. Counts as one of the job's attempts.
    #[error("{0}")]
    Retry(String, Option<Duration>),
    /// No further try can help: the job is dead at once.
    #[error("{0}")]
    Fatal(String),
}

impl JobError {
    /// Another try by the runner's own back-off.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "reads as `map_err(JobError::retry)`")]
    pub fn retry(why: impl ToString) -> Self {
        Self::Retry(why.to_string(), None)
    }
    /// No further try.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "reads as `map_err(JobError::fatal)`")]
    pub fn fatal(why: impl ToString) -> Self {
        Self::Fatal(why.to_string())
    }
}

impl From<StoreError> for JobError {
    fn from(e: StoreError) -> Self {
        match e {
            StoreError::Corrupt(_) => Self::Fatal(crate::problem::error_chain(&e)),
            StoreError::AlreadyExists
            | StoreError::MissingReference
            | StoreError::Conflict
            | StoreError::Unavailable(_)
            | StoreError::Backend(_) => Self::retry(crate::problem::error_chain(&e)),
        }
    }
}

impl From<Problem> for JobError {
    /// A refusal that depends on the job's own content will be the same next time; the rest may pass.
    fn from(p: Problem) -> Self {
        match p.kind {
            ProblemKind::MalformedRequest
            | ProblemKind::ValidationFailed
            | ProblemKind::PermissionDenied
            | ProblemKind::NotFound
            | ProblemKind::TenantNotFound
            | ProblemKind::PluginConfigInvalid => Self::Fatal(p.to_string()),
            _ => Self::retry(p),
        }
    }
}

/// Does one kind of job.
#[async_trait::async_trait]
pub trait JobHandler: Send + Sync {
    /// The kind, e.g. `report.run`; unique in the process.
    fn kind(&self) -> &'static str;
    /// Does it. May be called again with the same job: idempotent by `job.id`. The future is dropped when the lease is
    /// lost or the process stops waiting; no transaction may be open across a call to the outside.
    ///
    /// # Errors
    /// Whether another try can help.
    async fn run(&self, app: &App, job: &Job) -> Result<(), JobError>;
}

/// The handlers of a process, by kind.
#[derive(Clone, Default)]
pub struct Handlers(HashMap<&'static str, Arc<dyn JobHandler>>);

impl Handlers {
    /// With one more; a later one of the same kind replaces the earlier.
    #[must_use]
    pub fn with(mut self, handler: Arc<dyn JobHandler>) -> Self {
        self.0.insert(handler.kind(), handler);
        self
    }
    /// The handler of a kind.
    #[must_use]
    pub fn get(&self, kind: &str) -> Option<Arc<dyn JobHandler>> {
        self.0.get(kind).cloned()
    }
    /// All kinds, sorted.
    #[must_use]
    pub fn kinds(&self) -> Vec<&'static str> {
        let mut kinds: Vec<_> = self.0.keys().copied().collect();
        kinds.sort_unstable();
        kinds
    }
}

impl core::fmt::Debug for Handlers {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("Handlers").field(&self.kinds()).finish()
    }
}
