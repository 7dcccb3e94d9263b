//! Rows that the machinery leaves behind are removed once nobody needs them.

use crate::{
    App, Problem,
    plugins::recordings::KEPT,
    tenancy::{self, domains},
};
use std::time::Duration;

/// Finished jobs stay visible for so long.
const DONE_JOBS: Duration = Duration::from_secs(7 * 24 * 3600);
/// Receipts of plugin calls stay for so long.
const CALLS: Duration = Duration::from_secs(30 * 24 * 3600);

/// Removes old finished jobs, lapsed sign-ins, expired plugin keys, old call receipts and journals.
///
/// # Errors
/// When the platform store fails; a tenant's failure is logged and the others go on.
pub(super) async fn run(app: &App) -> Result<(), Problem> {
    let now = app.clock.now();
    let mut platform = app.store.platform_machine().await?;
    platform.jobs().prune(now.minus(DONE_JOBS)).await?;
    platform.commit().await?;
    tenancy::closing::purge_due(app).await?;
    tenancy::isolation::verify_if_due(app).await?;
    domains::enqueue_due(app).await?;
    let ids = app.store.platform_read().await?.tenants().ids().await?;
    for id in ids {
        let one = async {
            let Some(scope) = app.store.scope(id).await? else {
                return Ok(());
            };
            let mut machine = app.store.tenant_machine(&scope).await?;
            machine.machinery().sweep(now).await?;
            machine.machinery().prune_calls(now.minus(CALLS)).await?;
            machine.machinery().prune_journals(now.minus(KEPT), now).await?;
            machine.commit().await
        };
        if let Err(e) = one.await {
            tracing::warn!(tenant = %id, error = %e, "housekeeping failed");
        }
    }
    Ok(())
}
