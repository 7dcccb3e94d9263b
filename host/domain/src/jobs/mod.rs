//! Durable jobs: work that happens after a commit, outside any transaction, until it succeeds or is given up.
//!
//! A use case pushes an outbox message in its own tenant transaction; the relay turns it into a platform job of the same
//! id (so relaying twice changes nothing); a runner leases the job, runs its handler, and records the outcome.
//! A handler may run more than once for one job (a crash after the work, a lost lease): handlers are idempotent by the
//! job's id. A job that failed waits longer each time and is dead after its last attempt, until an operator retries it.

mod admin;
mod backoff;
mod handler;
mod housekeeping;
mod outbox;
mod runner;

pub use admin::{list, retry};
pub use backoff::Backoff;
pub use handler::{Handlers, JobError, JobHandler};
pub use outbox::{Outbox, relay, sweep, wake};
pub use runner::{Runner, Settings};
