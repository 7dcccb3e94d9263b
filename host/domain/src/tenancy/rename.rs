//! Another slug for a tenant. The old one sends people on for a while, and is never given to anybody else.

use super::{check_slug, lifecycle, manage::tell_tenant};
use crate::{
    App, Ctx, Problem,
    audit::{self, Draft},
    validate::Checks,
};
use aistack_core::{ProblemKind, Timestamp};
use aistack_store::{OldSlug, PlatformTx, Tenant};
use serde_json::json;
use std::time::Duration;

/// How long an old slug sends people on.
pub const REDIRECTS: Duration = Duration::from_secs(90 * 24 * 3600);
/// Slugs that one tenant can have given up: they are lost to everybody else.
const MOST: i64 = 10;

/// The refusal of a slug that somebody has or had.
pub(super) fn taken(slug: &str) -> Problem {
    Problem::new(ProblemKind::AlreadyExists, "a tenant with this slug exists already").with("slug", slug)
}

/// Whether a slug was given up by a tenant other than this one (`None`: by any).
pub(super) async fn is_kept_for_another(
    tx: &mut dyn PlatformTx,
    slug: &str,
    tenant: Option<aistack_core::TenantId>,
) -> Result<bool, Problem> {
    let old = tx.domains().old_slug(slug).await?;
    Ok(old.is_some_and(|old| Some(old.tenant_id) != tenant))
}

/// Gives a tenant another slug; its own old ones it can have back.
///
/// # Errors
/// `validation_failed`, `already_exists` for one that somebody has or had, `conflict` when the tenant changed meanwhile
/// or was renamed too often, `tenant_state_forbids`.
pub async fn rename(
    app: &App,
    ctx: &Ctx,
    tenant: &Tenant,
    slug: &str,
    if_updated_at: Option<Timestamp>,
) -> Result<Tenant, Problem> {
    if !lifecycle::open_to_operators(tenant.status) {
        return Err(lifecycle::forbids(tenant.status));
    }
    let mut checks = Checks::new();
    checks.add(check_slug("/slug", slug));
    checks.done()?;
    let changed = || {
        Problem::new(
            ProblemKind::Conflict,
            "the tenant changed since you read it; read it again and repeat the change",
        )
    };
    if if_updated_at.is_some_and(|version| version != tenant.updated_at) {
        return Err(changed());
    }
    if tenant.slug == slug {
        return Ok(tenant.clone());
    }
    let now = app.clock.now();
    let mut new = tenant.clone();
    slug.clone_into(&mut new.slug);
    new.updated_at = now.max(Timestamp(tenant.updated_at.0 + 1));
    let mut tx = app.store.platform().await?;
    if tx.tenants().find_by_slug(slug).await?.is_some() || is_kept_for_another(&mut *tx, slug, Some(tenant.id)).await? {
        return Err(taken(slug));
    }
    tx.domains().take_back_slug(tenant.id, slug).await?;
    if tx.domains().count_old_slugs(tenant.id).await? >= MOST {
        return Err(Problem::new(
            ProblemKind::Conflict,
            format!("a tenant can give up at most {MOST} slugs; it can take one of them back"),
        ));
    }
    tx.tenants()
        .rename(&new, tenant.updated_at)
        .await
        .map_err(|e| match e {
            aistack_store::StoreError::Conflict => changed(),
            e => e.into(),
        })?;
    let old = OldSlug {
        slug: tenant.slug.clone(),
        tenant_id: tenant.id,
        released_at: now,
        redirect_until: now.plus(REDIRECTS),
    };
    tx.domains().keep_old_slug(&old).await?;
    let details = json!({ "slug": { "from": tenant.slug, "to": new.slug }, "redirects_until": old.redirect_until });
    let draft = Draft::new("tenant.renamed", "tenant", tenant.id).details(details);
    audit::commit_platform(app, tx, ctx, draft.clone()).await?;
    app.directory.forget(&tenant.slug);
    app.directory.forget(&new.slug);
    tell_tenant(app, ctx, &new, draft).await?;
    Ok(new)
}
