//! The end of a tenant: closed to changes for a month in which everything can be taken along or undone, then erased.
//!
//! Erasing goes in steps that can each be repeated. It begins with the catalogue saying `purged`, so that nobody enters any
//! more, together with a note that it is not done; whoever finds the note goes on.

use super::{
    lifecycle::{self, forbids},
    manage::{check_reason, save_with},
};
use crate::{
    App, Ctx, FieldError, Problem,
    audit::{self, Draft},
    validate::Checks,
};
use aistack_core::{TenantId, TenantStatus, Timestamp};
use aistack_store::Tenant;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;

/// How long a closed tenant can be restored.
pub const GRACE: Duration = Duration::from_secs(30 * 24 * 3600);

/// What is kept of a tenant that is closing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// When it is erased.
    pub until: Timestamp,
    /// What it was before, and is again when it is restored.
    pub from: TenantStatus,
}

fn closing(id: TenantId) -> String {
    format!("closing/{id}")
}

fn purging(id: TenantId) -> String {
    format!("purging/{id}")
}

fn read(text: &[u8]) -> Result<Closing, Problem> {
    serde_json::from_slice(text).map_err(|e| Problem::internal(format!("stored closing: {e}")))
}

/// When a tenant that is closing is erased.
///
/// # Errors
/// As the store.
pub async fn closing_of(app: &App, id: TenantId) -> Result<Option<Closing>, Problem> {
    let found = app.store.platform_read().await?.settings().get(&closing(id)).await?;
    found.as_deref().map(read).transpose()
}

/// Closes a tenant: its people can read, export and pay, and in [`GRACE`] everything is erased.
///
/// # Errors
/// `validation_failed` without a reason, `tenant_state_forbids`, `conflict`.
pub async fn close(app: &App, ctx: &Ctx, tenant: &Tenant, reason: &str) -> Result<Tenant, Problem> {
    let reason = check_reason(reason)?;
    if !lifecycle::may_become(tenant.status, TenantStatus::Closing) {
        return Err(forbids(tenant.status));
    }
    let note = Closing {
        until: app.clock.now().plus(GRACE),
        from: tenant.status,
    };
    let text = serde_json::to_vec(&note).map_err(|e| Problem::internal(e.to_string()))?;
    let changed = Tenant {
        status: TenantStatus::Closing,
        ..tenant.clone()
    };
    let details = json!({ "from": tenant.status, "to": changed.status, "reason": reason, "until": note.until });
    let note = Some((closing(tenant.id), Some(text)));
    save_with(app, ctx, tenant, changed, "tenant.closed", details, note).await
}

/// Takes closing back: the tenant is what it was.
///
/// # Errors
/// `validation_failed` without a reason, `tenant_state_forbids`, `conflict`.
pub async fn restore(app: &App, ctx: &Ctx, tenant: &Tenant, reason: &str) -> Result<Tenant, Problem> {
    let reason = check_reason(reason)?;
    if tenant.status != TenantStatus::Closing {
        return Err(forbids(tenant.status));
    }
    let before = closing_of(app, tenant.id)
        .await?
        .map_or(TenantStatus::Active, |c| c.from);
    if !lifecycle::may_become(tenant.status, before) {
        return Err(forbids(tenant.status));
    }
    let changed = Tenant {
        status: before,
        ..tenant.clone()
    };
    let details = json!({ "from": tenant.status, "to": before, "reason": reason });
    let note = Some((closing(tenant.id), None));
    save_with(app, ctx, tenant, changed, "tenant.restored", details, note).await
}

/// Erases a tenant that is closing, without waiting for its time. `confirm` is its slug, typed by whoever asks.
///
/// # Errors
/// `validation_failed` without a reason or with another slug, `tenant_state_forbids`, `conflict`; what fails after the
/// tenant has become `purged` is tried again by the platform itself.
pub async fn purge(app: &App, ctx: &Ctx, tenant: &Tenant, reason: &str, confirm: &str) -> Result<Tenant, Problem> {
    let reason = check_reason(reason)?;
    let mut checks = Checks::new();
    if confirm != tenant.slug {
        checks.add(Some(FieldError::new(
            "/confirm",
            "mismatch",
            "type the tenant's slug to confirm that everything of it is erased for good",
        )));
    }
    checks.done()?;
    if tenant.status != TenantStatus::Closing {
        return Err(forbids(tenant.status).with("hint", "close the tenant first"));
    }
    begin(app, ctx, tenant, &reason).await
}

pub(super) async fn begin(app: &App, ctx: &Ctx, tenant: &Tenant, reason: &str) -> Result<Tenant, Problem> {
    if !lifecycle::may_become(tenant.status, TenantStatus::Purged) {
        return Err(forbids(tenant.status));
    }
    // The slug stays: nobody else may come to have this address. The name says something about people.
    let changed = Tenant {
        status: TenantStatus::Purged,
        name: String::from("-"),
        ..tenant.clone()
    };
    let updated_at = app.clock.now().max(Timestamp(tenant.updated_at.0 + 1));
    let changed = Tenant { updated_at, ..changed };
    let mut tx = app.store.platform().await?;
    tx.tenants().update(&changed, tenant.updated_at).await?;
    tx.settings().remove(&closing(tenant.id)).await?;
    tx.settings().put(&purging(tenant.id), b"{}", updated_at).await?;
    let details = json!({ "from": tenant.status, "to": changed.status, "reason": reason });
    let draft = Draft::new("tenant.purged", "tenant", tenant.id).details(details);
    audit::commit_platform(app, tx, ctx, draft).await?;
    app.directory.forget(&tenant.slug);
    erase(app, ctx, tenant.id).await?;
    Ok(changed)
}

/// Removes what a purged tenant left behind; every step finds out what is left to do.
async fn erase(app: &App, ctx: &Ctx, id: TenantId) -> Result<(), Problem> {
    let Some(scope) = app.store.scope(id).await? else {
        return Ok(());
    };
    let routes = app.store.platform_read().await?.routes().all().await?;
    let routes: Vec<_> = routes.into_iter().filter(|r| r.tenant_id == Some(id)).collect();
    let objects = app
        .objects
        .remove_tenant(&scope)
        .await
        .map_err(|e| Problem::internal(e.to_string()))?;
    let mut tx = app.store.platform().await?;
    let installations = tx.plugins().clear_uses(id).await?;
    // Its own domains lead nowhere and may be proven by somebody else; its slugs stay its own.
    let domains = tx.domains().of_tenant(id).await?;
    for domain in &domains {
        tx.domains().delete(id, &domain.domain).await?;
    }
    for route in &routes {
        tx.routes().delete(route.id).await?;
    }
    let details =
        json!({ "objects": objects, "installations": installations, "routes": routes.len(), "domains": domains.len() });
    let draft = Draft::new("tenant.uses_removed", "tenant", id).details(details);
    audit::commit_platform(app, tx, ctx, draft).await?;
    app.store.erase(&scope).await?;
    let mut tx = app.store.platform().await?;
    tx.settings().remove(&purging(id)).await?;
    let draft = Draft::new("tenant.erased", "tenant", id).details(json!({ "isolation": scope.isolation() }));
    audit::commit_platform(app, tx, ctx, draft).await
}

/// Erases the tenants whose time is over, and goes on with what a crash interrupted. One tenant's failure does not keep
/// the others. Answers how many were erased.
///
/// # Errors
/// When the platform's store can't be read.
pub async fn purge_due(app: &App) -> Result<usize, Problem> {
    let ctx = Ctx::system(None);
    let now = app.clock.now();
    let (due, unfinished) = {
        let mut read = app.store.platform_read().await?;
        let closing = read.settings().with_prefix("closing/").await?;
        let purging = read.settings().with_prefix("purging/").await?;
        (closing, purging)
    };
    let mut done = 0;
    let id_of = |name: &str| name.split_once('/').and_then(|(_, id)| id.parse::<TenantId>().ok());
    for (name, text) in due {
        let Some(id) = id_of(&name) else { continue };
        let one = async {
            if read(&text)?.until > now {
                return Ok(false);
            }
            let tenant = app.store.platform_read().await?.tenants().get(id).await?;
            match tenant.filter(|t| t.status == TenantStatus::Closing) {
                Some(tenant) => begin(app, &ctx, &tenant, "the time to restore it is over")
                    .await
                    .map(|_| true),
                None => Ok(false),
            }
        };
        done += usize::from(logged(id, one.await));
    }
    for (name, _) in unfinished {
        let Some(id) = id_of(&name) else { continue };
        let one = async { erase(app, &ctx, id).await.map(|()| true) };
        done += usize::from(logged(id, one.await));
    }
    Ok(done)
}

fn logged(id: TenantId, result: Result<bool, Problem>) -> bool {
    result.unwrap_or_else(|problem: Problem| {
        tracing::error!(tenant = %id, %problem, "a tenant can't be erased; it is tried again");
        false
    })
}
