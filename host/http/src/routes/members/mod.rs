//! Who comes in: the first operator, passwords and sessions, sign-in through a plugin, the members of a tenant.

mod login;
mod login_pages;
pub(super) mod session;
mod setup;
mod users;

use crate::registry::Routes;

/// Routes of this area.
pub(super) fn routes() -> Routes {
    Routes::new()
        .merge(setup::routes())
        .merge(session::routes())
        .merge(login::routes())
        .merge(users::routes())
}
