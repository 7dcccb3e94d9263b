//! Metering: every counted thing becomes a usage event, together with its hourly bucket, the quota counter of its window
//! and an audit entry, in one tenant transaction.
//!
//! Invariants: an event is known by (tenant, source, id) and counts once, however often it is sent; it counts in the
//! window and hour in which it happened, not in which it arrived; an unknown meter is an error, never a silent success.

mod ingest;
mod query;
mod recorder;

pub use ingest::{IngestError, Ingested, MAX_BATCH, NewUsage, ingest};
pub use query::{Bucket, Series, UsageQuery, events, series};
pub use recorder::{Accounting, Call, Counted, Recorder, record};
