//! Every route, a module per area. Each module has `pub fn routes() -> Routes`.

mod health;
mod meta;

use crate::registry::Routes;

/// All of them.
#[must_use]
pub fn all() -> Routes {
    Routes::new().merge(health::routes()).merge(meta::routes())
}
