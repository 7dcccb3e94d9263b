//! The operators' figures.

use crate::routes::product::orders::Amount;
use crate::{
    extract::Json,
    problem::ApiResult,
    registry::{Access, Routes},
    state::AppState,
};
use aistack_core::Permission;
use aistack_domain::{overview, quota::API_CALLS};
use aistack_store::JobState;
use axum::extract::State;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use utoipa_axum::routes;

/// Routes of this area.
pub(in crate::routes) fn routes() -> Routes {
    Routes::new().add(Access::platform(Permission::PlatformMonitor), routes!(get))
}

/// The business and the machine in a few figures.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Overview {
    /// Tenants.
    tenants: OverviewTenants,
    /// Installed plugins.
    plugins: usize,
    /// Usage since midnight UTC over all tenants: `calls` through the gateway, and every other meter by its name.
    usage_today: BTreeMap<String, i64>,
    /// Orders of the last 30 days.
    orders_30d: OverviewOrders,
    /// Jobs.
    jobs: OverviewJobs,
    /// The process that answers.
    node: OverviewNode,
}

/// Tenants.
#[derive(Debug, Serialize, ToSchema)]
struct OverviewTenants {
    /// All of them.
    total: i64,
    /// By state.
    by_status: BTreeMap<String, i64>,
}

/// Orders.
#[derive(Debug, Serialize, ToSchema)]
struct OverviewOrders {
    /// How many.
    count: usize,
    /// What was paid, one sum per currency.
    paid: Vec<Amount>,
}

/// Jobs.
#[derive(Debug, Serialize, ToSchema)]
struct OverviewJobs {
    /// Waiting for their time.
    ready: i64,
    /// Being tried.
    running: i64,
    /// Given up.
    dead: i64,
}

/// A process.
#[derive(Debug, Serialize, ToSchema)]
struct OverviewNode {
    /// Version.
    version: &'static str,
    /// Seconds since its start.
    uptime_s: u64,
    /// Memory, bytes.
    rss_bytes: u64,
    /// `sqlite` or `postgres`.
    store: &'static str,
}

impl From<&overview::Overview> for Overview {
    fn from(o: &overview::Overview) -> Self {
        let jobs = |state| o.jobs.get(&state).copied().unwrap_or(0);
        let mut usage_today = o.usage_today.clone();
        let calls = usage_today.remove(API_CALLS).unwrap_or(0);
        usage_today.insert("calls".to_owned(), calls);
        Self {
            tenants: OverviewTenants {
                total: o.tenants.values().sum(),
                by_status: o.tenants.iter().map(|(s, n)| (s.to_string(), *n)).collect(),
            },
            plugins: o.plugins,
            usage_today,
            orders_30d: OverviewOrders {
                count: o.orders,
                paid: o.paid.iter().copied().map(Amount::from).collect(),
            },
            jobs: OverviewJobs {
                ready: jobs(JobState::Ready),
                running: jobs(JobState::Running),
                dead: jobs(JobState::Dead),
            },
            node: OverviewNode {
                version: o.node.version,
                uptime_s: o.node.uptime_s,
                rss_bytes: o.node.rss_bytes,
                store: o.node.store,
            },
        }
    }
}

/// The figures, at most some seconds old.
#[utoipa::path(get, path = "/api/v1/platform/overview", tag = "platform", operation_id = "get_overview", responses((status = 200, body = Overview)))]
async fn get(State(state): State<AppState>) -> ApiResult<Json<Overview>> {
    let overview = overview::overview(&state.app).await?;
    Ok(Json(Overview::from(&*overview)))
}
