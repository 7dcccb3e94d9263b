//! Making a tenant: the row, then its store, then its first event and owner. See [`super::provision`] for the rest.

use super::{check_slug, provision, rename};
use crate::{
    App, Ctx, FieldError, Problem, access,
    audit::{self, Draft},
    quota::Plan,
    validate::Checks,
};
use aistack_core::{Currency, Isolation, TenantId, TenantStatus};
use aistack_store::Tenant;
use secrecy::SecretString;
use serde_json::json;

/// A tenant to be made.
#[derive(Debug, Clone)]
pub struct NewTenant {
    /// DNS label.
    pub slug: String,
    /// Name.
    pub name: String,
    /// Plan code.
    pub plan: String,
    /// BCP 47.
    pub locale: String,
    /// IANA.
    pub time_zone: String,
    /// ISO 4217.
    pub currency: String,
    /// Where its rows live; `None` for the strongest this store has.
    pub isolation: Option<Isolation>,
    /// Its first owner.
    pub owner: Option<NewOwner>,
    /// Whether it is made-up data.
    pub demo: bool,
}

/// The first owner.
#[derive(Debug, Clone)]
pub struct NewOwner {
    /// Address.
    pub email: String,
    /// Name.
    pub name: String,
    /// Password; without one they sign in through a connection.
    pub password: Option<SecretString>,
}

/// What a store can do, best first.
pub(super) fn offered(backend: &str) -> &'static [Isolation] {
    match backend {
        "sqlite" => &[Isolation::Database, Isolation::Row],
        _ => &[Isolation::Row],
    }
}

/// Makes a tenant and its first owner. When this returns, the tenant is active; if the process dies in between, the
/// next start finishes it.
///
/// # Errors
/// `validation_failed`, `already_exists` for a slug that is taken, or as the store.
pub async fn create(app: &App, ctx: &Ctx, mut new: NewTenant) -> Result<Tenant, Problem> {
    let offered = offered(app.store.backend());
    let isolation = new.isolation.unwrap_or(offered[0]);
    let mut checks = Checks::new();
    checks.add(check_slug("/slug", &new.slug));
    new.name = checks.name("/name", &new.name);
    checks.require(
        Plan::find(&new.plan).is_some(),
        "/plan",
        "unknown",
        "there is no such plan",
    );
    checks.locale("/locale", &new.locale);
    checks.time_zone("/time_zone", &new.time_zone);
    let currency = new.currency.parse::<Currency>().is_ok();
    checks.require(
        currency,
        "/currency",
        "format",
        "a currency is an ISO 4217 code, like USD",
    );
    if !offered.contains(&isolation) {
        let list: Vec<_> = offered.iter().map(|i| i.as_str()).collect();
        checks.add(Some(FieldError::new(
            "/isolation",
            "unsupported",
            format!("this store offers: {}", list.join(", ")),
        )));
    }
    if let Some(owner) = &mut new.owner {
        owner.email = checks.email("/owner/email", &owner.email);
        owner.name = checks.name("/owner/name", &owner.name);
        if let Some(password) = &owner.password {
            checks.add(access::check_policy("/owner/password", password));
        }
    }
    checks.done()?;
    let owner = match new.owner {
        None => None,
        Some(owner) => Some(provision::Owner {
            password_hash: match &owner.password {
                Some(password) => Some(access::hash_password(app, password).await?),
                None => None,
            },
            email: owner.email,
            name: owner.name,
        }),
    };

    let now = app.clock.now();
    let tenant = Tenant {
        id: TenantId::new(&*app.clock, &*app.rng),
        slug: new.slug,
        name: new.name,
        status: TenantStatus::Provisioning,
        plan: new.plan,
        isolation,
        locale: new.locale,
        time_zone: new.time_zone,
        currency: new.currency,
        demo_at: new.demo.then_some(now),
        created_at: now,
        updated_at: now,
    };
    let mut tx = app.store.platform().await?;
    if rename::is_kept_for_another(&mut *tx, &tenant.slug, None).await? {
        return Err(rename::taken(&tenant.slug));
    }
    tx.tenants().insert(&tenant).await.map_err(|e| match e {
        aistack_store::StoreError::AlreadyExists => rename::taken(&tenant.slug),
        e => e.into(),
    })?;
    provision::remember(app, &mut *tx, tenant.id, owner).await?;
    let details = json!({
        "slug": tenant.slug, "plan": tenant.plan, "isolation": tenant.isolation, "locale": tenant.locale,
        "time_zone": tenant.time_zone, "currency": tenant.currency,
    });
    let draft = Draft::new("tenant.created", "tenant", tenant.id).details(details);
    audit::commit_platform(app, tx, ctx, draft).await?;
    provision::finish(app, ctx, tenant.id).await
}
