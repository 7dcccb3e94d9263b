//! Audit events: what they say, which part of them is personal and therefore sealed, and how they are read back.
//!
//! Invariant: no change without an event, no event without its change; both stand in one transaction.

mod commit;
mod entry;
mod read;
mod verify;

pub(crate) use commit::{announce, live};
pub use commit::{commit_platform, commit_tenant};
pub use entry::{Draft, for_platform, for_tenant};
pub use read::{Event, Found, Log, Query, get, list};
pub use verify::{Verdict, verify};
