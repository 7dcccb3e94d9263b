//! Writing the made-up business: tenants, members, ninety days of usage and orders.

use super::business::{CUSTOMERS, Customer, DAYS, Ending, Purchase, calls, purchases};
use crate::{
    App, Ctx, Problem, TenantCtx, access,
    audit::{self, Draft},
    plugins::installations::{self, Enable},
    quota::{API_CALLS, Window},
    tenancy::{self, NewTenant},
};
use aistack_core::{InstallationId, OrderId, ProblemKind, Timestamp, UsageEventId, UserId};
use aistack_store::{Audit, Order, OrderStatus, TenantTx, UsageEvent, User, UserStatus};
use jiff::{ToSpan, tz::TimeZone};
use secrecy::SecretString;
use serde_json::json;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// The password of every demo member. Demo data is no secret; real members never get one they did not choose.
const DEMO_PASSWORD: &str = "demo demo demo demo";

/// What was made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seeded {
    /// Tenants made now.
    pub tenants: usize,
    /// Calls spread over their ninety days.
    pub calls: i64,
    /// Orders.
    pub orders: usize,
}

/// Makes the demo tenants that are not there yet. `payment_plugin` and `report_plugin` say which installed plugins to
/// enable in each; without a payment plugin there are no orders.
///
/// # Errors
/// As the stores.
pub async fn seed(
    app: &Arc<App>,
    payment_plugin: Option<&str>,
    report_plugin: Option<&str>,
) -> Result<Seeded, Problem> {
    let ctx = Ctx::system(None);
    let mut done = Seeded::default();
    // One hash for all: hashing is slow on purpose, and the password is the same.
    let hash = access::hash_password(app, &SecretString::from(DEMO_PASSWORD)).await?;
    for customer in CUSTOMERS {
        let Some(t) = make_tenant(app, &ctx, customer).await? else {
            continue;
        };
        done.tenants += 1;
        if let Some(plugin) = report_plugin {
            enable(
                app,
                &t,
                plugin,
                if customer.locale == "zh" {
                    "用量报表"
                } else {
                    "Usage report"
                },
                json!({}),
                &[],
            )
            .await?;
        }
        let payment = match payment_plugin {
            Some(plugin) => Some(enable(app, &t, plugin, "Stripe", json!({}), &["api_key", "webhook_secret"]).await?),
            None => None,
        };
        done.calls += fill_usage(app, &t, customer, &hash).await?;
        if let Some(payment) = payment {
            done.orders += fill_orders(app, &t, customer, payment).await?;
        }
    }
    Ok(done)
}

async fn make_tenant(app: &App, ctx: &Ctx, c: &Customer) -> Result<Option<TenantCtx>, Problem> {
    let new = NewTenant {
        slug: c.slug.to_owned(),
        name: c.name.to_owned(),
        plan: c.plan.to_owned(),
        locale: c.locale.to_owned(),
        time_zone: c.time_zone.to_owned(),
        currency: c.currency.to_string(),
        isolation: None,
        owner: None,
        demo: true,
    };
    let tenant = match tenancy::create(app, ctx, new).await {
        Ok(tenant) => tenant,
        Err(p) if p.kind == ProblemKind::AlreadyExists => return Ok(None),
        Err(p) => return Err(p),
    };
    let scope = app
        .store
        .scope(tenant.id)
        .await?
        .ok_or_else(|| Problem::internal("a new tenant has no scope"))?;
    Ok(Some(TenantCtx {
        ctx: ctx.clone(),
        scope,
        tenant: Arc::new(tenant),
    }))
}

async fn enable(
    app: &App,
    t: &TenantCtx,
    plugin: &str,
    name: &str,
    config: serde_json::Value,
    secrets: &[&str],
) -> Result<InstallationId, Problem> {
    let secrets: BTreeMap<String, SecretString> = secrets
        .iter()
        .map(|s| {
            (
                (*s).to_owned(),
                SecretString::from(format!("demo_{s}_that_opens_nothing")),
            )
        })
        .collect();
    let command = Enable {
        plugin_id: plugin.to_owned(),
        version: None,
        name: name.to_owned(),
        config,
        secrets,
        grants: None,
    };
    Ok(installations::enable(app, t, command).await?.id)
}

/// Members, and the usage of ninety days in three-hour steps, up to this moment.
async fn fill_usage(app: &App, t: &TenantCtx, c: &Customer, hash: &str) -> Result<i64, Problem> {
    let now = app.clock.now();
    let tz = TimeZone::get(c.time_zone).unwrap_or(TimeZone::UTC);
    let today = tz.to_datetime(now.to_jiff()).date();
    let window = Window::month(c.time_zone, now);
    let mut tx = app.store.tenant(&t.scope).await?;
    let people = add_people(app, &mut *tx, c, hash, now).await?;
    let (mut total, mut this_month) = (0, 0);
    for day in 0..DAYS {
        let Ok(date) = today.checked_sub((DAYS - 1 - day).days()) else {
            continue;
        };
        let weekday = date.weekday().to_monday_one_offset();
        for slot in 0..8 {
            let hour = i8::try_from(slot * 3 + 1).unwrap_or(0);
            let Ok(local) = tz.to_zoned_datetime(date.at(hour, 20, 0, 0)) else {
                continue;
            };
            let at = Timestamp(local.timestamp().as_microsecond());
            let quantity = calls(c, day, weekday, slot);
            if at >= now || quantity == 0 {
                continue;
            }
            let subject = people
                .get(slot % people.len().max(1))
                .map(ToString::to_string)
                .unwrap_or_default();
            let event = UsageEvent {
                id: UsageEventId::new(&*app.clock, &*app.rng),
                source: "demo".to_owned(),
                event_id: format!("{}-{day}-{slot}", c.slug),
                meter: API_CALLS.to_owned(),
                quantity,
                subject,
                dimensions: "{}".to_owned(),
                occurred_at: at,
                ingested_at: now,
            };
            if tx.usage().record(&event).await? {
                total += quantity;
                this_month += if window.contains(at) { quantity } else { 0 };
            }
        }
    }
    tx.usage().count(API_CALLS, window.start, this_month, None).await?;
    let draft = Draft::new("demo.seeded", "tenant", t.scope.id())
        .details(json!({ "members": people.len(), "calls": total, "days": DAYS }));
    let entry = audit::for_tenant(app, &mut *tx, t, draft).await?;
    tx.commit(Audit::one(entry)).await?;
    Ok(total)
}

async fn add_people(
    app: &App,
    tx: &mut dyn TenantTx,
    c: &Customer,
    hash: &str,
    now: Timestamp,
) -> Result<Vec<UserId>, Problem> {
    let mut ids = Vec::new();
    for (n, (login, name, role)) in c.people.iter().enumerate() {
        let joined = now.minus(Duration::from_secs(86_400 * (89 - 7 * u64::try_from(n).unwrap_or(0))));
        let user = User {
            id: UserId::new(&*app.clock, &*app.rng),
            email: format!("{login}@{}.example", c.slug),
            email_verified_at: Some(joined),
            name: (*name).to_owned(),
            role: *role,
            status: UserStatus::Active,
            password_hash: Some(hash.to_owned()),
            locale: Some(c.locale.to_owned()),
            created_at: joined,
            updated_at: joined,
            last_login_at: Some(now.minus(Duration::from_secs(3_600 * (1 + 5 * u64::try_from(n).unwrap_or(0))))),
        };
        tx.users().insert(&user).await?;
        ids.push(user.id);
    }
    Ok(ids)
}

async fn fill_orders(app: &App, t: &TenantCtx, c: &Customer, payment: InstallationId) -> Result<usize, Problem> {
    let list = purchases(c);
    let mut tx = app.store.tenant(&t.scope).await?;
    let now = app.clock.now();
    for p in &list {
        let order = order(app, &mut *tx, c, p, payment, now).await?;
        tx.orders().insert(&order).await?;
    }
    let draft = Draft::new("demo.seeded", "order", "all").details(json!({ "orders": list.len() }));
    let entry = audit::for_tenant(app, &mut *tx, t, draft).await?;
    tx.commit(Audit::one(entry)).await?;
    Ok(list.len())
}

async fn order(
    app: &App,
    tx: &mut dyn TenantTx,
    c: &Customer,
    p: &Purchase,
    payment: InstallationId,
    now: Timestamp,
) -> Result<Order, Problem> {
    let age = u64::try_from(DAYS - 1 - p.day).unwrap_or(0) * 86_400 + 9_000;
    let at = now.minus(Duration::from_secs(age));
    let paid = matches!(p.ending, Ending::Paid | Ending::Refunded);
    let settled = at.plus(Duration::from_secs(140));
    let number = tx.orders().next_number().await?;
    Ok(Order {
        // The id carries the order's own time, so that lists, which go by id, tell the story in order.
        id: OrderId(aistack_core::new_uuid(&At(at), &*app.rng)),
        number,
        amount_minor: p.minor,
        currency: c.currency,
        description: p.description.clone(),
        status: match p.ending {
            Ending::Paid => OrderStatus::Paid,
            Ending::Failed => OrderStatus::Failed,
            Ending::Refunded => OrderStatus::Refunded,
            Ending::Pending => OrderStatus::Pending,
        },
        installation_id: payment,
        provider_ref: Some(format!("cs_demo_{}_{number}", c.slug)),
        action: None,
        plugin_state: Vec::new(),
        idempotency_key: None,
        paid_minor: paid.then_some(p.minor),
        created_by: None,
        created_at: at,
        updated_at: settled,
        paid_at: paid.then_some(settled),
    })
}

/// A clock that stands still, for ids of the past.
#[derive(Debug)]
struct At(Timestamp);

impl aistack_core::Clock for At {
    fn now(&self) -> Timestamp {
        self.0
    }
    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}
