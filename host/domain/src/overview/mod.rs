//! The operators' first page: the business and the machine in a few figures.
//!
//! Figures of the platform store are read when asked for (at most once a second). Figures of tenants are kept in memory
//! and read again for the tenants in which something happened, which the live bus tells; at most so many at a time. So
//! ten thousand quiet tenants cost nothing, and a figure may be some seconds old.

mod node;
mod tenants;

pub use node::Node;
pub use tenants::Figures;

use crate::{App, Problem};
use aistack_core::{Money, TenantStatus};
use aistack_store::{JobState, Page};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::sync::Mutex;

/// Asked again within this time, the answer is the same.
const FRESH: Duration = Duration::from_millis(900);
/// Plugin versions counted; far above what anybody installs.
const MOST_PLUGINS: i64 = 200;

/// The figures.
#[derive(Debug, Clone, PartialEq)]
pub struct Overview {
    /// Tenants by state.
    pub tenants: BTreeMap<TenantStatus, i64>,
    /// Installed plugins, versions of one counted once.
    pub plugins: usize,
    /// Usage since midnight UTC, by meter, over all tenants.
    pub usage_today: BTreeMap<String, i64>,
    /// Orders made in the last 30 days.
    pub orders: usize,
    /// What was paid for them, by currency.
    pub paid: Vec<Money>,
    /// Jobs by state.
    pub jobs: BTreeMap<JobState, i64>,
    /// This process.
    pub node: Node,
}

/// What is kept between two askings.
#[derive(Debug, Default)]
pub struct Cache(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    last: Option<(Duration, Arc<Overview>)>,
    tenants: tenants::Memory,
}

/// The figures as they are now, give or take a second.
///
/// # Errors
/// When the platform store fails.
pub async fn overview(app: &App) -> Result<Arc<Overview>, Problem> {
    let mut state = app.overview.0.lock().await;
    let now = app.clock.monotonic();
    if let Some((read, last)) = &state.last
        && now.saturating_sub(*read) < FRESH
    {
        return Ok(Arc::clone(last));
    }
    state.tenants.refresh(app).await?;
    let (tenants, plugins, jobs) = {
        let mut read = app.store.platform_read().await?;
        let tenants = read.tenants().count_by_status().await?;
        let page = Page {
            limit: MOST_PLUGINS,
            ..Page::default()
        };
        let versions = read.plugins().list(&page).await?;
        let names: std::collections::BTreeSet<_> = versions.into_iter().map(|v| v.plugin_id).collect();
        (tenants, names.len(), read.jobs().count_by_state().await?)
    };
    let sum = state.tenants.sum();
    let overview = Arc::new(Overview {
        tenants: tenants.into_iter().collect(),
        plugins,
        usage_today: sum.usage,
        orders: sum.orders,
        paid: sum
            .paid
            .into_iter()
            .map(|(currency, minor)| Money { minor, currency })
            .collect(),
        jobs: jobs.into_iter().collect(),
        node: Node::read(app),
    });
    state.last = Some((now, Arc::clone(&overview)));
    Ok(overview)
}
