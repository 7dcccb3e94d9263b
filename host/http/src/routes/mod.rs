//! Every route, a module per area. Each module has `pub(super) fn routes() -> Routes`.

mod audit;
mod gateway_routes;
mod health;
mod hooks;
mod installations;
mod jobs;
mod live;
mod login;
mod meta;
mod orders;
mod overview;
mod plugins;
mod quotas;
mod reports;
mod session;
mod setup;
mod tenant;
mod tenants;
mod usage;
mod users;

pub use session::session_cookie;

use crate::registry::Routes;
use aistack_domain::Problem;
use tracing::Instrument;

/// All of them.
#[must_use]
pub fn all() -> Routes {
    Routes::new()
        .merge(health::routes())
        .merge(meta::routes())
        .merge(setup::routes())
        .merge(session::routes())
        .merge(audit::routes())
        .merge(tenants::routes())
        .merge(tenant::routes())
        .merge(users::routes())
        .merge(plugins::routes())
        .merge(installations::routes())
        .merge(login::routes())
        .merge(orders::routes())
        .merge(hooks::routes())
        .merge(reports::routes())
        .merge(usage::routes())
        .merge(quotas::routes())
        .merge(gateway_routes::routes())
        .merge(jobs::routes())
        .merge(overview::routes())
        .merge(live::routes())
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
