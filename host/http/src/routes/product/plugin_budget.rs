//! What the tenant's plugins may use, and what they have used.

use crate::{
    extract::{InTenant, Json},
    problem::ApiResult,
    registry::{Access, Routes},
    routes::platform::PluginTerms,
    state::AppState,
};
use aistack_core::Permission;
use aistack_domain::plugins::policy::terms;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

/// Routes of this area.
pub(in crate::routes) fn routes() -> Routes {
    Routes::new().add(Access::tenant(Permission::PluginRead), routes!(get))
}

/// What the tenant's plugins may use, and what they have used.
#[derive(Debug, Serialize, ToSchema)]
struct PluginBudget {
    /// What the plan, or the operator for this tenant, allows.
    terms: PluginTerms,
    /// Processor time within the last minute, milliseconds, on this node.
    cpu_ms: u64,
    /// Bytes sent and received today (UTC), on this node.
    egress_bytes: u64,
}

/// What the tenant's plugins may use, and what they have used.
#[utoipa::path(get, path = "/api/v1/plugins/budget", tag = "plugins", operation_id = "get_plugin_budget",
    responses((status = 200, body = PluginBudget)))]
async fn get(State(state): State<AppState>, InTenant(t): InTenant) -> ApiResult<Json<PluginBudget>> {
    let (terms, used) = terms::standing(&state.app, &t);
    Ok(Json(PluginBudget {
        terms: terms.into(),
        cpu_ms: used.cpu_ms,
        egress_bytes: used.egress_bytes,
    }))
}
