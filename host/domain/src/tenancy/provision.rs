//! The rest of making a tenant, in steps that can each be repeated: its store, its first event and owner, its
//! activation. What has to survive a crash in between (the owner) is kept, sealed, with the platform's settings.

use super::lifecycle;
use crate::{
    App, Ctx, Problem, TenantCtx,
    audit::{self, Draft},
};
use aistack_core::{ProblemKind, Role, TenantId, TenantScope, TenantStatus, UserId};
use aistack_store::{Audit, PlatformTx, Tenant, User, UserStatus};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

const PURPOSE: &str = "tenant-owner";

/// The owner, as kept until the tenant is active.
#[derive(Serialize, Deserialize)]
pub(super) struct Owner {
    pub(super) email: String,
    pub(super) name: String,
    pub(super) password_hash: Option<String>,
}

fn setting(id: TenantId) -> String {
    format!("provisioning/{id}")
}

/// Keeps the owner until [`finish`] has made them.
pub(super) async fn remember(
    app: &App,
    tx: &mut dyn PlatformTx,
    id: TenantId,
    owner: Option<Owner>,
) -> Result<(), Problem> {
    let Some(owner) = owner else { return Ok(()) };
    let plain = serde_json::to_vec(&owner).map_err(|e| Problem::internal(e.to_string()))?;
    let sealed = app.sealer.seal(PURPOSE, id.to_string().as_bytes(), &plain);
    Ok(tx.settings().put(&setting(id), &sealed, app.clock.now()).await?)
}

/// Takes a tenant that is being provisioned to `active`. Every step looks whether it has been done.
///
/// # Errors
/// As the store; the tenant stays `provisioning` and this can be called again.
pub(super) async fn finish(app: &App, ctx: &Ctx, id: TenantId) -> Result<Tenant, Problem> {
    let missing = || Problem::not_found("tenant");
    let scope = app.store.scope(id).await?.ok_or_else(missing)?;
    let (tenant, owner) = {
        let mut read = app.store.platform_read().await?;
        let tenant = read.tenants().get(id).await?.ok_or_else(missing)?;
        (tenant, read.settings().get(&setting(id)).await?)
    };
    let owner: Option<Owner> = match owner {
        None => None,
        Some(sealed) => {
            let plain = app
                .sealer
                .open(PURPOSE, id.to_string().as_bytes(), &sealed)
                .map_err(|e| Problem::internal(e.to_string()))?;
            Some(serde_json::from_slice(plain.expose_secret()).map_err(|e| Problem::internal(e.to_string()))?)
        }
    };
    app.store.provision(&scope).await?;
    first_event(app, ctx, &scope, &tenant, owner).await?;
    activate(app, ctx, tenant).await
}

/// The tenant's log begins with its creation; its owner is made in the same transaction.
async fn first_event(
    app: &App,
    ctx: &Ctx,
    scope: &TenantScope,
    tenant: &Tenant,
    owner: Option<Owner>,
) -> Result<(), Problem> {
    let mut tx = app.store.tenant(scope).await?;
    if tx.audit().frontier().await?.0 > 0 {
        return Ok(());
    }
    let t = TenantCtx {
        ctx: ctx.clone(),
        scope: scope.clone(),
        tenant: Arc::new(tenant.clone()),
    };
    let created = Draft::new("tenant.created", "tenant", tenant.id).details(json!({ "plan": tenant.plan }));
    let mut entries = vec![audit::for_tenant(app, &mut *tx, &t, created).await?];
    if let Some(owner) = owner {
        let now = app.clock.now();
        let user = User {
            id: UserId::new(&*app.clock, &*app.rng),
            email: owner.email,
            email_verified_at: None,
            name: owner.name,
            role: Role::Owner,
            status: UserStatus::Active,
            password_hash: owner.password_hash,
            locale: None,
            created_at: now,
            updated_at: now,
            last_login_at: None,
        };
        tx.users().insert(&user).await?;
        let draft = Draft::new("user.created", "user", user.id).details(json!({ "role": user.role }));
        entries.push(audit::for_tenant(app, &mut *tx, &t, draft).await?);
    }
    let audit = Audit::many(entries).ok_or_else(|| Problem::internal("no audit entries"))?;
    Ok(tx.commit(audit).await?)
}

async fn activate(app: &App, ctx: &Ctx, tenant: Tenant) -> Result<Tenant, Problem> {
    if tenant.status != TenantStatus::Provisioning {
        return Ok(tenant);
    }
    let active = Tenant {
        status: TenantStatus::Active,
        updated_at: app.clock.now(),
        ..tenant.clone()
    };
    if !lifecycle::may_become(tenant.status, active.status) {
        return Err(Problem::new(
            ProblemKind::Conflict,
            "the tenant's state changed meanwhile",
        ));
    }
    let mut tx = app.store.platform().await?;
    tx.tenants().update(&active, tenant.updated_at).await?;
    tx.settings().remove(&setting(tenant.id)).await?;
    let draft = Draft::new("tenant.activated", "tenant", tenant.id)
        .details(json!({ "from": tenant.status, "to": active.status }));
    audit::commit_platform(app, tx, ctx, draft).await?;
    app.directory.forget(&active.slug);
    Ok(active)
}

/// Finishes what a crash interrupted; called at start. One tenant's failure does not keep the others.
///
/// # Errors
/// When the catalogue can't be read.
pub async fn resume_all(app: &App) -> Result<usize, Problem> {
    let mut page = aistack_store::Page {
        limit: 200,
        newest_first: false,
        ..Default::default()
    };
    let mut resumed = 0;
    loop {
        let waiting = {
            let mut read = app.store.platform_read().await?;
            read.tenants().list(&page, Some(TenantStatus::Provisioning)).await?
        };
        let Some(last) = waiting.last() else { return Ok(resumed) };
        page.after = Some(last.id.0);
        for tenant in waiting {
            match finish(app, &Ctx::system(None), tenant.id).await {
                Ok(_) => resumed += 1,
                Err(e) => {
                    tracing::error!(tenant = %tenant.slug, error = %e, "can't finish provisioning; the next start tries again");
                }
            }
        }
    }
}
