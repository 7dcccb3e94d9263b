//! Audit events: what they say, which part of them is personal and therefore sealed, and how they are read back.
//!
//! Invariant: no change without an event, no event without its change; both stand in one transaction.

mod entry;

pub use entry::{Draft, for_platform, for_tenant};
