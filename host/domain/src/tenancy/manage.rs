//! Finding, changing, suspending and activating tenants.

use super::{
    lifecycle::{self, forbids},
    provision,
};
use crate::{
    App, Ctx, Problem, TenantCtx,
    audit::{self, Draft},
    plugins::calls,
    quota::Plan,
    validate::Checks,
};
use aistack_core::{ProblemKind, TenantId, TenantStatus, Timestamp};
use aistack_store::{Page, Tenant};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// A change of a tenant's settings; `None` leaves a value as it is.
#[derive(Debug, Clone, Default)]
pub struct TenantPatch {
    /// Name.
    pub name: Option<String>,
    /// Plan code.
    pub plan: Option<String>,
    /// BCP 47.
    pub locale: Option<String>,
    /// IANA.
    pub time_zone: Option<String>,
    /// Refuse if the tenant changed since this version was read.
    pub if_updated_at: Option<Timestamp>,
}

/// The tenant with an id or a slug.
///
/// # Errors
/// `tenant_not_found`, or as the store.
pub async fn find(app: &App, id_or_slug: &str) -> Result<Tenant, Problem> {
    let mut read = app.store.platform_read().await?;
    let found = match id_or_slug.parse::<TenantId>() {
        Ok(id) => read.tenants().get(id).await?,
        Err(_) => read.tenants().find_by_slug(id_or_slug).await?,
    };
    found.ok_or_else(super::routing::no_such_tenant)
}

/// A page of the catalogue.
///
/// # Errors
/// As the store.
pub async fn list(app: &App, page: &Page, status: Option<TenantStatus>) -> Result<Vec<Tenant>, Problem> {
    Ok(app.store.platform_read().await?.tenants().list(page, status).await?)
}

/// How many active members a tenant has; none before it has a store.
///
/// # Errors
/// As the store.
pub async fn user_count(app: &App, tenant: &Tenant) -> Result<Option<i64>, Problem> {
    if !lifecycle::open_to_operators(tenant.status) {
        return Ok(None);
    }
    match app.store.scope(tenant.id).await? {
        Some(scope) => Ok(Some(app.store.tenant_read(&scope).await?.users().count_active().await?)),
        None => Ok(None),
    }
}

/// Changes settings; by an operator, or by the tenant's own people (who can't change the plan: the caller sees to it).
///
/// # Errors
/// `validation_failed`, `conflict`, `tenant_state_forbids`.
pub async fn update(app: &App, ctx: &Ctx, tenant: &Tenant, patch: TenantPatch) -> Result<Tenant, Problem> {
    if !lifecycle::open_to_operators(tenant.status) {
        return Err(forbids(tenant.status));
    }
    let mut changed = tenant.clone();
    let mut checks = Checks::new();
    if let Some(name) = &patch.name {
        changed.name = checks.name("/name", name);
    }
    if let Some(plan) = patch.plan {
        checks.require(Plan::find(&plan).is_some(), "/plan", "unknown", "there is no such plan");
        changed.plan = plan;
    }
    if let Some(locale) = patch.locale {
        checks.locale("/locale", &locale);
        changed.locale = locale;
    }
    if let Some(zone) = patch.time_zone {
        checks.time_zone("/time_zone", &zone);
        changed.time_zone = zone;
    }
    checks.done()?;
    if patch.if_updated_at.is_some_and(|version| version != tenant.updated_at) {
        return Err(Problem::new(
            ProblemKind::Conflict,
            "the tenant changed since you read it; read it again and repeat the change",
        ));
    }
    let before_after = differences(tenant, &changed);
    if before_after.is_empty() {
        return Ok(changed);
    }
    let saved = save(app, ctx, tenant, changed, "tenant.updated", Value::Object(before_after)).await?;
    if saved.plan != tenant.plan {
        calls::reconsider(app, Some(saved.id)).await;
    }
    Ok(saved)
}

fn differences(old: &Tenant, new: &Tenant) -> Map<String, Value> {
    [
        ("name", &old.name, &new.name),
        ("plan", &old.plan, &new.plan),
        ("locale", &old.locale, &new.locale),
        ("time_zone", &old.time_zone, &new.time_zone),
    ]
    .into_iter()
    .filter(|(_, a, b)| a != b)
    .map(|(k, a, b)| (k.to_owned(), json!({ "from": a, "to": b })))
    .collect()
}

/// Nobody but operators may act in it from now on.
///
/// # Errors
/// `validation_failed` without a reason, `tenant_state_forbids`.
pub async fn suspend(app: &App, ctx: &Ctx, tenant: &Tenant, reason: &str) -> Result<Tenant, Problem> {
    become_(app, ctx, tenant, TenantStatus::Suspended, reason, "tenant.suspended").await
}

/// Back to normal use; a tenant whose provisioning failed is provisioned again.
///
/// # Errors
/// `validation_failed` without a reason, `tenant_state_forbids`.
pub async fn activate(app: &App, ctx: &Ctx, tenant: &Tenant, reason: &str) -> Result<Tenant, Problem> {
    if tenant.status == TenantStatus::Provisioning {
        check_reason(reason)?;
        return provision::finish(app, ctx, tenant.id).await;
    }
    become_(app, ctx, tenant, TenantStatus::Active, reason, "tenant.activated").await
}

pub(super) fn check_reason(reason: &str) -> Result<String, Problem> {
    let reason = reason.trim();
    let mut checks = Checks::new();
    checks.require(
        !reason.is_empty(),
        "/reason",
        "required",
        "say why; it is kept in the audit log",
    );
    checks.require(
        reason.chars().count() <= 500,
        "/reason",
        "too_long",
        "a reason has at most 500 characters",
    );
    checks.done()?;
    Ok(reason.to_owned())
}

async fn become_(
    app: &App,
    ctx: &Ctx,
    tenant: &Tenant,
    status: TenantStatus,
    reason: &str,
    action: &'static str,
) -> Result<Tenant, Problem> {
    let reason = check_reason(reason)?;
    if !lifecycle::may_become(tenant.status, status) {
        return Err(forbids(tenant.status));
    }
    let changed = Tenant {
        status,
        ..tenant.clone()
    };
    let details = json!({ "from": tenant.status, "to": status, "reason": reason });
    save(app, ctx, tenant, changed, action, details).await
}

/// Writes the catalogue's row with the operators' event, then the tenant's own event. The catalogue and the tenant's
/// log are two databases: the operators' event is the one that stands in the change's own transaction.
async fn save(
    app: &App,
    ctx: &Ctx,
    old: &Tenant,
    new: Tenant,
    action: &'static str,
    details: Value,
) -> Result<Tenant, Problem> {
    save_with(app, ctx, old, new, action, details, None).await
}

/// The same, with a note of the platform's that changes in the same transaction: its name, and its text or nothing.
pub(super) async fn save_with(
    app: &App,
    ctx: &Ctx,
    old: &Tenant,
    mut new: Tenant,
    action: &'static str,
    details: Value,
    note: Option<(String, Option<Vec<u8>>)>,
) -> Result<Tenant, Problem> {
    new.updated_at = app.clock.now().max(Timestamp(old.updated_at.0 + 1));
    let draft = Draft::new(action, "tenant", new.id).details(details);
    let mut tx = app.store.platform().await?;
    tx.tenants().update(&new, old.updated_at).await?;
    match note {
        Some((name, Some(text))) => tx.settings().put(&name, &text, new.updated_at).await?,
        Some((name, None)) => drop(tx.settings().remove(&name).await?),
        None => {}
    }
    audit::commit_platform(app, tx, ctx, draft.clone()).await?;
    app.directory.forget(&new.slug);
    tell_tenant(app, ctx, &new, draft).await?;
    Ok(new)
}

/// Writes the tenant's own event of a change that has been committed on the platform.
pub(super) async fn tell_tenant(app: &App, ctx: &Ctx, tenant: &Tenant, draft: Draft) -> Result<(), Problem> {
    let Some(scope) = app.store.scope(tenant.id).await? else {
        return Ok(());
    };
    let t = TenantCtx {
        ctx: ctx.clone(),
        scope: scope.clone(),
        tenant: Arc::new(tenant.clone()),
    };
    let tx = app.store.tenant(&scope).await?;
    audit::commit_tenant(app, tx, &t, draft).await
}
