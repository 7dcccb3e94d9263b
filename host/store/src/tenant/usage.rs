//! Usage events, their rollups and the quota counters.

use crate::{Page, Result};
use aistack_core::{Timestamp, UsageEventId};

/// A usage event (CloudEvents shape): unique by (source, event id) in the tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageEvent {
    /// The platform's id.
    pub id: UsageEventId,
    /// Who counted, e.g. `gateway` or a URI.
    pub source: String,
    /// The source's own id.
    pub event_id: String,
    /// Meter.
    pub meter: String,
    /// How much.
    pub quantity: i64,
    /// Who used it, free text (prefixed user id for the gateway).
    pub subject: String,
    /// JSON object of dimensions.
    pub dimensions: String,
    /// When it was used.
    pub occurred_at: Timestamp,
    /// When it was written here.
    pub ingested_at: Timestamp,
}

/// A bucket of usage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageBucket {
    /// Start of the hour (UTC).
    pub hour: Timestamp,
    /// Meter.
    pub meter: String,
    /// Sum of quantities.
    pub quantity: i64,
    /// Number of events.
    pub events: i64,
}

/// The counter of a meter in one window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotaCounter {
    /// Meter.
    pub meter: String,
    /// Start of the window.
    pub window_start: Timestamp,
    /// Counted so far.
    pub used: i64,
}

/// A tenant's own limit of a meter, over what its plan says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotaOverride {
    /// Meter.
    pub meter: String,
    /// `None` = unlimited.
    pub limit: Option<i64>,
    /// When set.
    pub updated_at: Timestamp,
}

/// Reading usage.
#[async_trait::async_trait]
pub trait UsageRead: Send {
    /// Raw events, `q` looks in meter and subject.
    async fn events(&mut self, page: &Page, meter: Option<&str>) -> Result<Vec<UsageEvent>>;
    /// Hourly buckets of a meter (or all meters), oldest first, `from` inclusive, `to` exclusive.
    async fn buckets(&mut self, meter: Option<&str>, from: Timestamp, to: Timestamp) -> Result<Vec<UsageBucket>>;
    /// The counter of a window.
    async fn counter(&mut self, meter: &str, window_start: Timestamp) -> Result<i64>;
    /// All overrides.
    async fn overrides(&mut self) -> Result<Vec<QuotaOverride>>;
}

/// Changing usage.
#[async_trait::async_trait]
pub trait Usage: UsageRead {
    /// Adds an event and its hour's bucket in one step; false (and nothing changed) when (source, event id) is known.
    async fn record(&mut self, event: &UsageEvent) -> Result<bool>;
    /// Adds to a counter if the result stays within `cap` (`None` = unlimited); the new value, or `None` when it would
    /// go over. Negative amounts give back.
    async fn count(
        &mut self,
        meter: &str,
        window_start: Timestamp,
        amount: i64,
        cap: Option<i64>,
    ) -> Result<Option<i64>>;
    /// Sets or clears an override.
    async fn set_override(&mut self, value: &QuotaOverride) -> Result<()>;
    /// Removes an override: the plan's limit holds again; false when there was none.
    async fn remove_override(&mut self, meter: &str) -> Result<bool>;
}
