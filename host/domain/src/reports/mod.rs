//! Reports: what can be generated here, running a generator in the background, and its files.
//!
//! Invariants: a generator sees only datasets that its manifest declares and its installation was granted, filtered to
//! the tenant; it has no network; a run ends once, and a run that was cancelled keeps no file.

mod datasets;
mod error;
mod job;
mod runs;

pub use datasets::USAGE_DAILY;
pub use error::ReportError;
pub use job::RunReport;
pub(crate) use job::{context, discard, request_of};
pub use runs::{FileView, NewRun, Offered, RunView, cancel, create, file, get, list, offered};
