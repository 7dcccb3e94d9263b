//! Every route, a module per area. Each module has `pub(super) fn routes() -> Routes`.

mod audit;
mod health;
mod meta;
mod session;
mod setup;
mod tenant;
mod tenants;
mod users;

pub use session::session_cookie;

use crate::registry::Routes;

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
}
