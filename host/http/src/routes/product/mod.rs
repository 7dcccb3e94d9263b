//! What a tenant has: its settings, its domains, its plugins, orders and their webhooks, reports, usage and quotas.

mod domains;
mod hooks;
mod installations;
pub(super) mod orders;
mod plugin_budget;
mod quotas;
mod reports;
mod tenant;
mod usage;

pub(super) use domains::DomainList;

use crate::registry::Routes;

/// Routes of this area.
pub(super) fn routes() -> Routes {
    Routes::new()
        .merge(tenant::routes())
        .merge(domains::routes())
        .merge(installations::routes())
        .merge(plugin_budget::routes())
        .merge(orders::routes())
        .merge(hooks::routes())
        .merge(reports::routes())
        .merge(usage::routes())
        .merge(quotas::routes())
}
