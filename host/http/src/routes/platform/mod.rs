//! What operators see and do, and the streams of events that show it happening.

mod closing;
mod gateway_routes;
mod isolation;
mod jobs;
mod live;
mod overview;
mod plugin_policies;
mod plugin_sources;
pub(super) mod plugins;
mod plugins_top;
mod publishers;
mod releases;
pub(super) mod tenants;

pub(super) use plugin_policies::PluginTerms;

use crate::registry::Routes;

/// Routes of this area.
pub(super) fn routes() -> Routes {
    Routes::new()
        .merge(tenants::routes())
        .merge(closing::routes())
        .merge(isolation::routes())
        .merge(plugins::routes())
        .merge(plugin_sources::routes())
        .merge(plugins_top::routes())
        .merge(publishers::routes())
        .merge(plugin_policies::routes())
        .merge(releases::routes())
        .merge(gateway_routes::routes())
        .merge(jobs::routes())
        .merge(overview::routes())
        .merge(live::routes())
}
