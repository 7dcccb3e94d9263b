//! Listing, adding, removing and preferring domains.

use super::check_domain;
use crate::{
    App, Ctx, Problem,
    audit::{self, Draft},
    tenancy::{Known, lifecycle, manage::tell_tenant},
};
use aistack_core::{Entropy, ProblemKind, TenantId};
use aistack_store::{DomainStatus, TenantDomain};
use serde_json::json;

/// Most domains of one tenant.
pub const MOST: usize = 20;

/// A tenant's domains, by name.
///
/// # Errors
/// As the store.
pub async fn list(app: &App, tenant: TenantId) -> Result<Vec<TenantDomain>, Problem> {
    Ok(app.store.platform_read().await?.domains().of_tenant(tenant).await?)
}

/// Adds a domain, to be proven. Whether another tenant has it is not said here: that would tell everybody who our
/// tenants are.
///
/// # Errors
/// `validation_failed`, `already_exists`, `conflict` when there are [`MOST`] already, `tenant_state_forbids`.
pub async fn add(app: &App, ctx: &Ctx, known: &Known, domain: &str) -> Result<TenantDomain, Problem> {
    if !lifecycle::open_to_operators(known.tenant.status) {
        return Err(lifecycle::forbids(known.tenant.status));
    }
    let domain =
        check_domain(&app.config.public_url, "/domain", domain).map_err(|error| Problem::invalid(vec![error]))?;
    let row = TenantDomain {
        tenant_id: known.tenant.id,
        domain,
        status: DomainStatus::Pending,
        token: hex::encode(app.rng.bytes::<16>()),
        is_primary: 0,
        misses: 0,
        last_error: None,
        checked_at: None,
        next_check_at: None,
        verified_at: None,
        failing_since: None,
        created_at: app.clock.now(),
    };
    let mut tx = app.store.platform().await?;
    let others = tx.domains().of_tenant(row.tenant_id).await?;
    if others.iter().any(|other| other.domain == row.domain) {
        return Err(Problem::new(
            ProblemKind::AlreadyExists,
            "the tenant has this domain already",
        ));
    }
    if others.len() >= MOST {
        return Err(Problem::new(
            ProblemKind::Conflict,
            format!("a tenant has at most {MOST} domains; remove one first"),
        ));
    }
    tx.domains().insert(&row).await?;
    let draft = Draft::new("domain.added", "domain", &row.domain).details(json!({ "tenant": row.tenant_id }));
    audit::commit_platform(app, tx, ctx, draft.clone()).await?;
    tell_tenant(app, ctx, &known.tenant, draft).await?;
    Ok(row)
}

/// Removes a domain; it stops routing at once.
///
/// # Errors
/// `not_found`, or as the store.
pub async fn remove(app: &App, ctx: &Ctx, known: &Known, domain: &str) -> Result<(), Problem> {
    let mut tx = app.store.platform().await?;
    let row = tx.domains().get(known.tenant.id, domain).await?;
    let row = row.ok_or_else(|| Problem::not_found("domain of this tenant"))?;
    tx.domains().delete(row.tenant_id, domain).await?;
    let details = json!({ "tenant": row.tenant_id, "status": row.status, "primary": row.is_primary == 1 });
    let draft = Draft::new("domain.removed", "domain", domain).details(details);
    audit::commit_platform(app, tx, ctx, draft.clone()).await?;
    app.directory.forget(&known.tenant.slug);
    tell_tenant(app, ctx, &known.tenant, draft).await
}

/// Makes a proven domain the one that links to the tenant use.
///
/// # Errors
/// `not_found`, `conflict` when it is not proven, or as the store.
pub async fn make_primary(app: &App, ctx: &Ctx, known: &Known, domain: &str) -> Result<TenantDomain, Problem> {
    let mut tx = app.store.platform().await?;
    let row = tx.domains().get(known.tenant.id, domain).await?;
    let row = row.ok_or_else(|| Problem::not_found("domain of this tenant"))?;
    if !row.status.routes() {
        return Err(Problem::new(
            ProblemKind::Conflict,
            "only a domain that is proven can be the primary one",
        ));
    }
    if row.is_primary == 1 {
        return Ok(row);
    }
    tx.domains().clear_primary(row.tenant_id).await?;
    let row = TenantDomain { is_primary: 1, ..row };
    tx.domains().update(&row).await?;
    let draft = Draft::new("domain.primary_set", "domain", domain).details(json!({ "tenant": row.tenant_id }));
    audit::commit_platform(app, tx, ctx, draft.clone()).await?;
    tell_tenant(app, ctx, &known.tenant, draft).await?;
    Ok(row)
}
