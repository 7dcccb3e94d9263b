//! Committing a change with its one event, and telling the consoles that are watching.

use super::{Draft, for_platform, for_tenant};
use crate::{App, Ctx, Problem, TenantCtx, live::LiveEvent};
use aistack_core::{AuditEntry, TenantId};
use aistack_store::{Audit, PlatformTx, TenantTx};
use serde_json::json;

/// Commits a change of a tenant.
///
/// # Errors
/// As the store.
pub async fn commit_tenant(app: &App, mut tx: Box<dyn TenantTx>, t: &TenantCtx, draft: Draft) -> Result<(), Problem> {
    let entry = for_tenant(app, &mut *tx, t, draft).await?;
    let live = live(&entry, Some(t.scope.id()));
    tx.commit(Audit::one(entry)).await?;
    app.live.publish(live);
    Ok(())
}

/// Commits a change of the platform.
///
/// # Errors
/// As the store.
pub async fn commit_platform(app: &App, tx: Box<dyn PlatformTx>, ctx: &Ctx, draft: Draft) -> Result<(), Problem> {
    let entry = for_platform(app, ctx, draft);
    let live = live(&entry, None);
    tx.commit(Audit::one(entry)).await?;
    app.live.publish(live);
    Ok(())
}

/// Tells the consoles about events of a transaction that has been committed elsewhere.
pub(crate) fn announce(app: &App, events: Vec<LiveEvent>) {
    for event in events {
        app.live.publish(event);
    }
}

/// What a console shows before it asks for the event itself: nothing personal.
pub(crate) fn live(entry: &AuditEntry, tenant: Option<TenantId>) -> LiveEvent {
    LiveEvent {
        tenant,
        topic: "audit",
        data: json!({
            "id": entry.id,
            "at": entry.at,
            "action": entry.action,
            "actor": { "kind": entry.actor_kind },
            "target": { "kind": entry.target_kind, "id": entry.target_id },
            "outcome": entry.outcome,
            "request_id": entry.request_id,
        }),
    }
}
