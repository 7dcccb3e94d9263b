//! The canaries: made, filled, tried against each other, erased.

use super::Check;
use crate::{
    App, Ctx, Problem, TenantCtx,
    audit::{self, Draft},
    port::{ObjectError, ObjectKey, put_object},
    tenancy::{closing, lifecycle},
};
use aistack_core::{
    Currency, Entropy, InstallationId, Isolation, OrderId, Role, SessionId, TenantId, TenantStatus, UsageEventId,
    UserId,
};
use aistack_store::{
    Installation, InstallationStatus, Order, OrderStatus, Page, Session, Tenant, UsageEvent, User, UserStatus,
};
use serde_json::json;
use std::{sync::Arc, time::Duration};

/// Tells the platform's own tenants from others' as long as a run lasts.
const NOTE: &str = "canary/";

/// A canary with one of everything.
struct Canary {
    t: TenantCtx,
    /// Stands in every text it has.
    word: String,
    user: UserId,
    session: Vec<u8>,
    installation: InstallationId,
    order: OrderId,
    object: ObjectKey,
}

/// Tries everything between two canaries of one strategy.
pub(super) async fn prove(app: &App, isolation: Isolation) -> Result<Vec<Check>, Problem> {
    let a = hatch(app, isolation, "a").await?;
    let b = hatch(app, isolation, "b").await?;
    let before = b.state(app).await?;
    let mut checks = Vec::new();
    let mut note = |name: &str, holds: bool, found: String| {
        checks.push(Check {
            isolation,
            name: name.to_owned(),
            holds,
            found,
        });
    };
    let (reached, tried) = reads(app, &a, &b).await?;
    note(
        "read_by_id",
        reached.is_empty(),
        tell(&reached, tried, "ways to read by another's ids"),
    );
    let (reached, tried) = lists(app, &a, &b).await?;
    note(
        "lists_and_search",
        reached.is_empty(),
        tell(&reached, tried, "lists and searches"),
    );
    let (reached, tried) = writes(app, &a, &b).await?;
    note(
        "write_by_id",
        reached.is_empty(),
        tell(&reached, tried, "ways to change by another's ids"),
    );
    let unchanged = before == b.state(app).await?;
    note("unchanged", unchanged, "the other's rows are what they were".to_owned());
    let (reached, tried) = objects(app, &a, &b).await?;
    note(
        "files",
        reached.is_empty(),
        tell(&reached, tried, "keys that lead to another's files"),
    );
    for probe in app.store.probe(&a.t.scope, &b.t.scope).await? {
        note(probe.name, probe.holds, probe.found);
    }
    let open = lifecycle::Use::ALL
        .iter()
        .any(|u| *u != lifecycle::Use::Deliver && lifecycle::allows(a.t.tenant.status, *u));
    note("closed", !open, "nobody can be routed into a canary".to_owned());
    // Erasing one leaves nothing of it and all of the other.
    closing::begin(app, &Ctx::system(None), &a.t.tenant, "the canary has sung").await?;
    let left = leftovers(app, &a).await?;
    note(
        "erased",
        left.is_empty(),
        tell(&left, 3, "places looked into after erasing one"),
    );
    let unchanged = before == b.state(app).await?;
    note(
        "erasing_spares_others",
        unchanged,
        "the other's rows are what they were".to_owned(),
    );
    Ok(checks)
}

fn tell(reached: &[&str], tried: usize, what: &str) -> String {
    if reached.is_empty() {
        format!("{tried} {what}, none led anywhere")
    } else {
        format!("{tried} {what}; these did: {}", reached.join(", "))
    }
}

/// Makes one. It is never let in: nobody can be routed into it, and no round over the tenants comes by.
async fn hatch(app: &App, isolation: Isolation, which: &str) -> Result<Canary, Problem> {
    let now = app.clock.now();
    let mark = hex::encode(app.rng.bytes::<6>());
    let tenant = Tenant {
        id: TenantId::new(&*app.clock, &*app.rng),
        slug: format!("canary-{mark}-{which}"),
        name: "Canary".to_owned(),
        status: TenantStatus::PendingApproval,
        plan: "free".to_owned(),
        isolation,
        locale: "en".to_owned(),
        time_zone: "UTC".to_owned(),
        currency: "USD".to_owned(),
        demo_at: None,
        created_at: now,
        updated_at: now,
    };
    let mut tx = app.store.platform().await?;
    tx.tenants().insert(&tenant).await?;
    tx.settings().put(&format!("{NOTE}{}", tenant.id), b"{}", now).await?;
    let draft = Draft::new("isolation.canary_made", "tenant", tenant.id).details(json!({ "isolation": isolation }));
    audit::commit_platform(app, tx, &Ctx::system(None), draft).await?;
    let scope = app.store.scope(tenant.id).await?;
    let scope = scope.ok_or_else(|| Problem::internal("a canary that was just made is gone"))?;
    app.store.provision(&scope).await?;
    let t = TenantCtx {
        ctx: Ctx::system(None),
        scope,
        tenant: Arc::new(tenant),
    };
    fill(app, t, &format!("canary{mark}{which}")).await
}

async fn fill(app: &App, t: TenantCtx, word: &str) -> Result<Canary, Problem> {
    let now = app.clock.now();
    let object = ObjectKey::tenant(&t.scope, &["canary", word]).ok_or_else(|| Problem::internal("a canary's key"))?;
    put_object(&*app.objects, &object, word.as_bytes())
        .await
        .map_err(|e| Problem::internal(e.to_string()))?;
    let user = User {
        id: UserId::new(&*app.clock, &*app.rng),
        email: format!("{word}@canary.invalid"),
        email_verified_at: None,
        name: word.to_owned(),
        role: Role::Owner,
        status: UserStatus::Disabled,
        password_hash: None,
        locale: None,
        created_at: now,
        updated_at: now,
        last_login_at: None,
    };
    let session = Session {
        id: SessionId::new(&*app.clock, &*app.rng),
        id_hash: app.rng.bytes::<32>().to_vec(),
        person: user.id.0,
        csrf_token: word.to_owned(),
        method: "password".to_owned(),
        created_at: now,
        last_seen_at: now,
        // Over before it began.
        expires_at: now.minus(Duration::from_secs(1)),
        revoked_at: Some(now),
    };
    let installation = Installation {
        id: InstallationId::new(&*app.clock, &*app.rng),
        plugin_id: "canary".to_owned(),
        version: "0.0.0".to_owned(),
        digest: "0".repeat(64),
        kind: "report".to_owned(),
        name: word.to_owned(),
        config: "{}".to_owned(),
        grants: "{}".to_owned(),
        status: InstallationStatus::Disabled,
        endpoint_key: word.to_owned(),
        generation: 1,
        pinned: 0,
        previous: None,
        pending: None,
        created_at: now,
        updated_at: now,
    };
    let mut tx = app.store.tenant(&t.scope).await?;
    tx.users().insert(&user).await?;
    tx.users().insert_session(&session).await?;
    tx.installations().insert(&installation).await?;
    let order = Order {
        id: OrderId::new(&*app.clock, &*app.rng),
        number: tx.orders().next_number().await?,
        amount_minor: 1,
        currency: Currency::USD,
        description: word.to_owned(),
        status: OrderStatus::Draft,
        installation_id: installation.id,
        provider_ref: None,
        action: None,
        plugin_state: Vec::new(),
        idempotency_key: Some("canary".to_owned()),
        paid_minor: None,
        created_by: None,
        created_at: now,
        updated_at: now,
        paid_at: None,
    };
    tx.orders().insert(&order).await?;
    let event = UsageEvent {
        id: UsageEventId::new(&*app.clock, &*app.rng),
        source: "canary".to_owned(),
        event_id: "1".to_owned(),
        meter: "canary".to_owned(),
        quantity: 1,
        subject: word.to_owned(),
        dimensions: "{}".to_owned(),
        occurred_at: now,
        ingested_at: now,
    };
    tx.usage().record(&event).await?;
    tx.usage().count("canary", now, 1, None).await?;
    tx.machinery()
        .kv_put(installation.id, "canary", word.as_bytes(), None, None, now)
        .await?;
    audit::commit_tenant(app, tx, &t, Draft::new("isolation.canary_made", "tenant", t.scope.id())).await?;
    Ok(Canary {
        t,
        word: word.to_owned(),
        user: user.id,
        session: session.id_hash,
        installation: installation.id,
        order: order.id,
        object,
    })
}

impl Canary {
    /// Everything it has, as a text to compare.
    async fn state(&self, app: &App) -> Result<String, Problem> {
        let page = Page::default();
        let mut read = app.store.tenant_read(&self.t.scope).await?;
        Ok(format!(
            "{:?} {:?} {:?} {:?} {:?} {:?} {:?}",
            read.users().list(&page).await?,
            read.users().find_session(&self.session).await?,
            read.installations().list(&page, None).await?,
            read.orders().list(&page, None).await?,
            read.usage().events(&page, None).await?,
            read.machinery().kv_get(self.installation, "canary").await?,
            read.audit().frontier().await?,
        ))
    }
}

/// The names of what came out where nothing should.
fn found<'a>(all: &[(&'a str, bool)]) -> (Vec<&'a str>, usize) {
    (
        all.iter().filter(|(_, hit)| *hit).map(|(name, _)| *name).collect(),
        all.len(),
    )
}

async fn reads(app: &App, a: &Canary, b: &Canary) -> Result<(Vec<&'static str>, usize), Problem> {
    let mut r = app.store.tenant_read(&a.t.scope).await?;
    let own = r.users().get(a.user).await?.is_some() && r.orders().get(a.order).await?.is_some();
    let all = [
        ("its own things are missing", !own),
        ("member", r.users().get(b.user).await?.is_some()),
        (
            "member by address",
            r.users()
                .find_by_email(&format!("{}@canary.invalid", b.word))
                .await?
                .is_some(),
        ),
        ("session", r.users().find_session(&b.session).await?.is_some()),
        ("identities", !r.users().identities(b.user).await?.is_empty()),
        ("installation", r.installations().get(b.installation).await?.is_some()),
        ("secrets", !r.installations().secrets(b.installation).await?.is_empty()),
        ("order", r.orders().get(b.order).await?.is_some()),
        (
            "plugin state",
            r.machinery().kv_get(b.installation, "canary").await?.is_some(),
        ),
        (
            "plugin calls",
            !r.machinery().calls(b.installation, &Page::default()).await?.is_empty(),
        ),
    ];
    Ok(found(&all))
}

async fn lists(app: &App, a: &Canary, b: &Canary) -> Result<(Vec<&'static str>, usize), Problem> {
    let everything = Page::default();
    let searched = Page {
        q: Some(b.word.clone()),
        ..Page::default()
    };
    let mut r = app.store.tenant_read(&a.t.scope).await?;
    let has = |text: String| text.contains(&b.word);
    let all = [
        ("members", has(format!("{:?}", r.users().list(&everything).await?))),
        (
            "installations",
            has(format!("{:?}", r.installations().list(&everything, None).await?)),
        ),
        (
            "orders",
            has(format!("{:?}", r.orders().list(&everything, None).await?)),
        ),
        (
            "usage",
            has(format!("{:?}", r.usage().events(&everything, None).await?)),
        ),
        ("search of members", !r.users().list(&searched).await?.is_empty()),
        (
            "search of installations",
            !r.installations().list(&searched, None).await?.is_empty(),
        ),
        ("search of orders", !r.orders().list(&searched, None).await?.is_empty()),
        ("counter", r.usage().counter("canary", a.t.tenant.created_at).await? > 1),
    ];
    Ok(found(&all))
}

/// Undone in the end: what a write reached is seen inside the transaction.
async fn writes(app: &App, a: &Canary, b: &Canary) -> Result<(Vec<&'static str>, usize), Problem> {
    let now = app.clock.now();
    let theirs = {
        let mut read = app.store.tenant_read(&b.t.scope).await?;
        read.orders().get(b.order).await?
    };
    let mut tx = app.store.tenant(&a.t.scope).await?;
    let mut all = vec![
        ("delete member", tx.users().delete(b.user).await?),
        ("end session", tx.users().revoke_session(&b.session, now).await?),
        ("end sessions", tx.users().revoke_sessions_of(b.user, now).await? > 0),
        ("delete installation", tx.installations().delete(b.installation).await?),
        (
            "prune secrets",
            tx.installations().prune_secret(b.installation, "x", i64::MAX).await? > 0,
        ),
    ];
    if let Some(order) = theirs {
        let changed = tx.orders().update(&order, OrderStatus::Draft).await.is_ok();
        all.push(("change order", changed));
    }
    drop(tx);
    Ok(found(&all))
}

async fn objects(app: &App, a: &Canary, b: &Canary) -> Result<(Vec<&'static str>, usize), Problem> {
    let there = |result: Result<Vec<u8>, ObjectError>| match result {
        Ok(_) => Ok(true),
        Err(ObjectError::NotFound(_)) => Ok(false),
        Err(e) => Err(Problem::internal(e.to_string())),
    };
    let own = there(app.objects.read(&a.object).await)?;
    let mut all = vec![("its own file is missing", !own)];
    if let Some(key) = ObjectKey::tenant(&a.t.scope, &["canary", &b.word]) {
        all.push(("the other's name", there(app.objects.read(&key).await)?));
    }
    let up = format!("../{}/canary", b.t.scope.id());
    for parts in [
        ["..", b.word.as_str()],
        [up.as_str(), b.word.as_str()],
        ["canary%2f..", b.word.as_str()],
        ["canary\0", b.word.as_str()],
        ["ｃanary", b.word.as_str()],
    ] {
        all.push(("a crooked name", ObjectKey::tenant(&a.t.scope, &parts).is_some()));
    }
    Ok(found(&all))
}

/// What is left of an erased canary.
async fn leftovers(app: &App, gone: &Canary) -> Result<Vec<&'static str>, Problem> {
    let mut left = Vec::new();
    if app.objects.read(&gone.object).await.is_ok() {
        left.push("its file");
    }
    // A storage that is not there any more has nothing in it.
    if let Ok(mut read) = app.store.tenant_read(&gone.t.scope).await {
        if read.users().get(gone.user).await?.is_some() || read.orders().get(gone.order).await?.is_some() {
            left.push("its rows");
        }
        if read.audit().frontier().await?.0 > 0 {
            left.push("its log");
        }
    }
    Ok(left)
}

/// Erases the canaries there are and takes them out of the catalogue.
pub(super) async fn sweep(app: &App) -> Result<(), Problem> {
    let ctx = Ctx::system(None);
    let notes = app.store.platform_read().await?.settings().with_prefix(NOTE).await?;
    for (name, _) in notes {
        let Some(id) = name.strip_prefix(NOTE).and_then(|id| id.parse::<TenantId>().ok()) else {
            continue;
        };
        let tenant = app.store.platform_read().await?.tenants().get(id).await?;
        if let Some(tenant) = tenant.filter(|t| t.status != TenantStatus::Purged) {
            closing::begin(app, &ctx, &tenant, "the canary has sung").await?;
        }
        let mut tx = app.store.platform().await?;
        tx.tenants().forget(id).await?;
        tx.settings().remove(&name).await?;
        let draft = Draft::new("isolation.canary_removed", "tenant", id);
        audit::commit_platform(app, tx, &ctx, draft).await?;
    }
    Ok(())
}
