//! Taking an installation away.

use super::reconcile;
use crate::{
    App, Problem, TenantCtx, audit, jobs,
    plugins::{calls::Fate, error::PluginError},
};
use aistack_core::InstallationId;
use aistack_store::{Audit, OrderStatus, Page, TenantTx};
use serde_json::json;

/// Removes an installation with its secrets and key-value state. Orders, deliveries and reports stay.
///
/// # Errors
/// `not_found`, `conflict` while orders are open at its provider, or as the stores.
pub async fn delete(app: &App, t: &TenantCtx, id: InstallationId) -> Result<(), Problem> {
    let mut tx = app.store.tenant(&t.scope).await?;
    let row = tx
        .installations()
        .get(id)
        .await?
        .ok_or_else(|| Problem::not_found("installation"))?;
    if has_open_orders(&mut *tx, id).await? {
        return Err(PluginError::OpenOrders.into());
    }
    tx.installations().delete(id).await?;
    tx.push_outbox(&reconcile::message(app, id, app.clock.now())).await?;
    let draft = audit::Draft::new("installation.removed", "installation", id).details(json!({
        "plugin_id": row.plugin_id, "version": row.version, "digest": row.digest, "name": row.name,
    }));
    let entry = audit::for_tenant(app, &mut *tx, t, draft).await?;
    tx.commit(Audit::one(entry)).await?;
    app.calls.settle(t.scope.id(), id, Fate::End("removed"));
    reconcile::release(app, t, id).await;
    jobs::wake(app, &t.scope);
    Ok(())
}

async fn has_open_orders(tx: &mut dyn TenantTx, id: InstallationId) -> Result<bool, Problem> {
    for status in [OrderStatus::Pending, OrderStatus::Unknown] {
        let mut page = Page {
            limit: 200,
            ..Page::default()
        };
        loop {
            let orders = tx.orders().list(&page, Some(status)).await?;
            if orders.iter().any(|o| o.installation_id == id) {
                return Ok(true);
            }
            match orders.last() {
                Some(last) => page.after = Some(last.id.0),
                None => break,
            }
        }
    }
    Ok(false)
}
