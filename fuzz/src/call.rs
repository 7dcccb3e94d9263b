//! The parts of `aistack_plugins::call` that need no call: what a guest logs, and secrets kept out of it.

#[path = "../../host/plugins/src/call/log.rs"]
mod log;
#[path = "../../host/plugins/src/call/redact.rs"]
mod redact;

pub(crate) use log::CallLog;
pub(crate) use redact::{FileRedactor, Redactor, Visible};
