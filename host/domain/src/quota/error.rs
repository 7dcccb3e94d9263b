//! Refusals, and how they look to the caller.

use crate::Problem;
use aistack_core::{ProblemKind, Timestamp};
use aistack_store::StoreError;

/// A quota is used up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the quota of {limit} {meter} is used up")]
pub struct Exceeded {
    /// Meter.
    pub meter: String,
    /// Limit.
    pub limit: i64,
    /// What was used and reserved when the answer was made.
    pub used: i64,
    /// When a window starts again; levels have none.
    pub reset_at: Option<Timestamp>,
    /// Seconds until then.
    pub retry_after: Option<u64>,
    /// Length of the window in seconds.
    pub window: Option<u64>,
}

/// A quota operation that did not go through.
#[derive(Debug, thiserror::Error)]
pub enum QuotaError {
    /// The quota is used up.
    #[error(transparent)]
    Exceeded(#[from] Exceeded),
    /// No meter has this name.
    #[error("there is no meter {0:?}")]
    UnknownMeter(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl QuotaError {
    /// The problem to answer with; `upgrade_url` is where more can be had.
    #[must_use]
    pub fn into_problem(self, upgrade_url: &str) -> Problem {
        match self {
            Self::Exceeded(e) => {
                let when = e
                    .reset_at
                    .map_or_else(String::new, |at| format!("; it starts again at {at}"));
                Problem::new(
                    ProblemKind::QuotaExceeded,
                    format!("{} of {} {} are used{when}", e.used, e.limit, e.meter),
                )
                .with("meter", e.meter)
                .with("limit", e.limit)
                .with("used", e.used)
                .with("reset_at", e.reset_at.map(|t| t.to_string()))
                .with("upgrade_url", upgrade_url)
            }
            Self::UnknownMeter(name) => Problem::new(ProblemKind::NotFound, format!("there is no meter {name:?}")),
            Self::Store(e) => e.into(),
        }
    }
}
