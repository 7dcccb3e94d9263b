//! Durable jobs: work that happens after a commit, outside any transaction, until it succeeds or is given up.
//!
//! A use case pushes an outbox message in its own tenant transaction; the relay turns it into a platform job of the same
//! id (so relaying twice changes nothing); a runner leases the job, runs its handler, and records the outcome.
//! A handler may run more than once for one job (a crash after the work, a lost lease): handlers are idempotent by the
//! job's id. A job that failed waits longer each time and is dead after its last attempt, until an operator retries it.

mod handler;

pub use handler::{Handlers, JobError, JobHandler};

use crate::App;
use aistack_core::TenantScope;

/// Tells the runner that a message lies in the tenant's outbox. Call it after the commit; forgetting it only delays the
/// job until the next sweep.
pub fn wake(app: &App, _scope: &TenantScope) {
    app.job_signal.notify_one();
}
