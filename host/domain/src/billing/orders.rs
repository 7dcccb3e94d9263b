//! Making and reading orders.

use super::{OrderError, currency};
use crate::{
    App, FieldError, Problem, TenantCtx, audit,
    live::LiveEvent,
    plugins::port::{PaymentAction, PluginKind},
};
use aistack_core::{ActorKind, InstallationId, Money, OperatorId, OrderId, Timestamp, UserId};
use aistack_store::{Audit, InstallationStatus, Order, OrderStatus, OrdersRead, Page, StoreError, TenantRead};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

/// Largest amount, minor units: far above any invoice, far below where sums could overflow.
const MAX_AMOUNT: i64 = 100_000_000_000;

/// An order somebody wants made. Texts are unchecked.
#[derive(Debug, Clone)]
pub struct NewOrder {
    /// Minor units.
    pub minor: i64,
    /// Currency code.
    pub currency: String,
    /// What for.
    pub description: String,
    /// Payment installation.
    pub installation: InstallationId,
    /// The client's idempotency key.
    pub idempotency_key: Option<String>,
}

/// An order as people see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OrderView {
    /// Id.
    pub id: OrderId,
    /// Number for people.
    pub number: i64,
    /// How much.
    pub amount: Money,
    /// What for.
    pub description: String,
    /// Status.
    pub status: OrderStatus,
    /// Payment installation.
    pub installation: InstallationId,
    /// The provider's reference.
    pub provider_ref: Option<String>,
    /// What the payer has to do.
    pub action: Option<Value>,
    /// Who made it: a member's or an operator's id.
    pub created_by: Option<String>,
    /// When made.
    pub created_at: Timestamp,
    /// When last changed.
    pub updated_at: Timestamp,
    /// When paid.
    pub paid_at: Option<Timestamp>,
    /// What was paid.
    pub paid: Option<Money>,
}

/// The stored form of what the payer has to do; `None` when it is nothing.
pub(super) fn action_json(action: &PaymentAction) -> Option<Value> {
    match action {
        PaymentAction::Redirect(url) => Some(json!({ "type": "redirect", "url": url })),
        PaymentAction::FormPost(url, fields) => {
            let fields: Vec<Value> = fields.iter().map(|(k, v)| json!({ "name": k, "value": v })).collect();
            Some(json!({ "type": "form_post", "url": url, "fields": fields }))
        }
        PaymentAction::Qr(payload) => Some(json!({ "type": "qr", "payload": payload })),
        PaymentAction::Client(data) => Some(json!({ "type": "client", "data": data })),
        PaymentAction::None => None,
    }
}

pub(super) async fn view(read: &mut dyn TenantRead, o: &Order) -> Result<OrderView, Problem> {
    let created_by = match o.created_by {
        None => None,
        Some(id) => Some(person(read, id).await?),
    };
    // An action is of use only while the order waits for the payer.
    let action = match (&o.action, o.status) {
        (Some(text), OrderStatus::Pending) => {
            Some(serde_json::from_str(text).map_err(|e| Problem::internal(format!("stored action of {}: {e}", o.id)))?)
        }
        _ => None,
    };
    Ok(OrderView {
        id: o.id,
        number: o.number,
        amount: Money::new(o.amount_minor, o.currency),
        description: o.description.clone(),
        status: o.status,
        installation: o.installation_id,
        provider_ref: o.provider_ref.clone(),
        action,
        created_by,
        created_at: o.created_at,
        updated_at: o.updated_at,
        paid_at: o.paid_at,
        paid: o.paid_minor.map(|m| Money::new(m, o.currency)),
    })
}

/// A person's prefixed id: the row holds the bare one, because members and operators both make orders.
pub(crate) async fn person(read: &mut dyn TenantRead, id: Uuid) -> Result<String, Problem> {
    let member = read.users().get(UserId(id)).await?.is_some();
    Ok(if member {
        UserId(id).to_string()
    } else {
        OperatorId(id).to_string()
    })
}

/// Tells consoles that an order changed.
pub(super) fn announce(app: &App, t: &TenantCtx, o: &Order) {
    app.live.publish(LiveEvent {
        tenant: Some(t.scope.id()),
        topic: "order",
        data: json!({
            "id": o.id, "number": o.number, "status": o.status,
            "amount": Money::new(o.amount_minor, o.currency), "updated_at": o.updated_at,
        }),
    });
}

fn check(n: &NewOrder) -> Result<Money, OrderError> {
    let mut errors = Vec::new();
    if n.minor <= 0 {
        errors.push(FieldError::new(
            "/amount/minor",
            "too_small",
            "the amount has to be more than zero",
        ));
    } else if n.minor > MAX_AMOUNT {
        errors.push(FieldError::new("/amount/minor", "too_large", "the amount is too large"));
    }
    let currency = currency::active(&n.currency);
    if currency.is_none() {
        errors.push(FieldError::new(
            "/amount/currency",
            "not_allowed",
            "the currency is an active ISO 4217 code in upper case, such as USD or CNY",
        ));
    }
    let text = n.description.trim();
    if text.is_empty() || text.chars().count() > 500 || text.chars().any(char::is_control) {
        errors.push(FieldError::new(
            "/description",
            if text.is_empty() { "too_short" } else { "format" },
            "the description has 1 to 500 characters, none of them control characters",
        ));
    }
    if let Some(key) = &n.idempotency_key
        && (key.is_empty() || key.len() > 255 || !key.bytes().all(|b| b.is_ascii_graphic()))
    {
        errors.push(FieldError::new(
            "/idempotency_key",
            "format",
            "an idempotency key has 1 to 255 visible ASCII characters",
        ));
    }
    match currency {
        Some(currency) if errors.is_empty() => Ok(Money::new(n.minor, currency)),
        _ => Err(OrderError::Invalid(errors)),
    }
}

/// The order an idempotency key stands for, if it is the same order.
async fn replayed(orders: &mut dyn OrdersRead, n: &NewOrder, amount: Money) -> Result<Option<Order>, Problem> {
    let Some(key) = &n.idempotency_key else { return Ok(None) };
    let Some(o) = orders.find_by_key(key).await? else {
        return Ok(None);
    };
    let same = Money::new(o.amount_minor, o.currency) == amount
        && o.description == n.description.trim()
        && o.installation_id == n.installation;
    if same {
        Ok(Some(o))
    } else {
        Err(OrderError::KeyReused(o.id).into())
    }
}

/// Makes an order. Nothing is sent to the provider yet.
///
/// # Errors
/// `validation_failed`, `conflict` when the idempotency key stands for another order, or as the store.
pub async fn create(app: &App, t: &TenantCtx, n: NewOrder) -> Result<OrderView, Problem> {
    let amount = check(&n)?;
    let made = match insert(app, t, &n, amount).await {
        // Somebody used the same key at the same moment: theirs is the order.
        Err(Insert::Store(StoreError::AlreadyExists)) if n.idempotency_key.is_some() => {
            let mut read = app.store.tenant_read(&t.scope).await?;
            replayed(read.orders(), &n, amount)
                .await?
                .ok_or_else(|| Problem::from(StoreError::AlreadyExists))?
        }
        Err(Insert::Store(e)) => return Err(e.into()),
        Err(Insert::Refused(p)) => return Err(p),
        Ok((order, fresh)) => {
            if fresh {
                announce(app, t, &order);
            }
            order
        }
    };
    let mut read = app.store.tenant_read(&t.scope).await?;
    view(&mut *read, &made).await
}

enum Insert {
    Store(StoreError),
    Refused(Problem),
}
impl From<StoreError> for Insert {
    fn from(e: StoreError) -> Self {
        Self::Store(e)
    }
}
impl From<Problem> for Insert {
    fn from(p: Problem) -> Self {
        Self::Refused(p)
    }
}

async fn insert(app: &App, t: &TenantCtx, n: &NewOrder, amount: Money) -> Result<(Order, bool), Insert> {
    let mut tx = app.store.tenant(&t.scope).await?;
    if let Some(o) = replayed(tx.orders(), n, amount).await? {
        return Ok((o, false));
    }
    let fit = tx
        .installations()
        .get(n.installation)
        .await?
        .is_some_and(|i| i.kind == PluginKind::Payment.as_str() && i.status == InstallationStatus::Active);
    if !fit {
        return Err(Problem::from(OrderError::Invalid(vec![FieldError::new(
            "/installation",
            "not_found",
            "no active payment plugin of this tenant has this id",
        )]))
        .into());
    }
    let now = app.clock.now();
    let order = Order {
        id: OrderId::new(&*app.clock, &*app.rng),
        number: tx.orders().next_number().await?,
        amount_minor: amount.minor,
        currency: amount.currency,
        description: n.description.trim().to_owned(),
        status: OrderStatus::Draft,
        installation_id: n.installation,
        provider_ref: None,
        action: None,
        plugin_state: Vec::new(),
        idempotency_key: n.idempotency_key.clone(),
        paid_minor: None,
        created_by: t.ctx.actor.id.filter(|_| t.ctx.actor.kind != ActorKind::Plugin),
        created_at: now,
        updated_at: now,
        paid_at: None,
    };
    tx.orders().insert(&order).await?;
    let draft = audit::Draft::new("order.created", "order", order.id).details(json!({
        "number": order.number, "amount": amount, "installation": order.installation_id,
    }));
    let entry = audit::for_tenant(app, &mut *tx, t, draft).await?;
    tx.commit(Audit::one(entry)).await?;
    Ok((order, true))
}

/// One order.
///
/// # Errors
/// `not_found`, or as the store.
pub async fn get(app: &App, t: &TenantCtx, id: OrderId) -> Result<OrderView, Problem> {
    let mut read = app.store.tenant_read(&t.scope).await?;
    let order = read
        .orders()
        .get(id)
        .await?
        .ok_or_else(|| Problem::not_found("order"))?;
    view(&mut *read, &order).await
}

/// A page of orders.
///
/// # Errors
/// As the store.
pub async fn list(
    app: &App,
    t: &TenantCtx,
    page: &Page,
    status: Option<OrderStatus>,
) -> Result<Vec<OrderView>, Problem> {
    let mut read = app.store.tenant_read(&t.scope).await?;
    let mut all = Vec::new();
    for order in read.orders().list(page, status).await? {
        all.push(view(&mut *read, &order).await?);
    }
    Ok(all)
}
