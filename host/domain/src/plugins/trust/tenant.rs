//! What a tenant demands beyond the node.

use super::Trust;
use crate::{App, Ctx, Problem, audit};
use aistack_core::TenantId;
use serde_json::json;

fn setting(tenant: TenantId) -> String {
    format!("plugins.trust/{tenant}")
}

/// The least that a tenant demands; `development` when nothing was set, which leaves it to the node.
///
/// # Errors
/// As the store.
pub async fn of_tenant(app: &App, tenant: TenantId) -> Result<Trust, Problem> {
    let stored = app
        .store
        .platform_read()
        .await?
        .settings()
        .get(&setting(tenant))
        .await?;
    let Some(stored) = stored else {
        return Ok(Trust::Development);
    };
    let text = String::from_utf8(stored).map_err(|e| Problem::internal(e.to_string()))?;
    text.parse()
        .map_err(|_| Problem::internal(format!("{text:?} is no trust policy")))
}

/// Sets what a tenant demands.
///
/// # Errors
/// As the store.
pub async fn set_tenant(app: &App, ctx: &Ctx, tenant: TenantId, trust: Trust) -> Result<(), Problem> {
    let before = of_tenant(app, tenant).await?;
    let mut tx = app.store.platform().await?;
    tx.settings()
        .put(&setting(tenant), trust.as_str().as_bytes(), app.clock.now())
        .await?;
    let draft = audit::Draft::new("plugin.policy_changed", "tenant", tenant)
        .details(json!({ "trust": { "before": before, "after": trust } }));
    audit::commit_platform(app, tx, ctx, draft).await
}
