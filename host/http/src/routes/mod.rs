//! Every route, a module per area. Each module has `fn routes() -> Routes`, merged one floor up.

mod audit;
mod health;
mod members;
mod meta;
mod platform;
mod product;

pub use members::session::session_cookie;

use crate::registry::Routes;
use aistack_domain::Problem;
use tracing::Instrument;

/// All of them.
#[must_use]
pub fn all() -> Routes {
    Routes::new()
        .merge(health::routes())
        .merge(meta::routes())
        .merge(audit::routes())
        .merge(members::routes())
        .merge(platform::routes())
        .merge(product::routes())
}

/// Runs something to its end even when the client hangs up: what has been started outside (a payment, a compilation)
/// has to be written down.
async fn detached<T: Send + 'static>(
    work: impl Future<Output = Result<T, Problem>> + Send + 'static,
) -> Result<T, Problem> {
    tokio::spawn(work.in_current_span())
        .await
        .unwrap_or_else(|e| Err(Problem::internal(format!("a task of a request broke: {e}"))))
}
