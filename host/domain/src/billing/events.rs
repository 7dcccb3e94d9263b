//! Applying what providers told us, from a delivery or from a plugin's regular job: once each, in one transaction with the
//! audit events, only what fits the order.

use super::{
    apply::{Report, Verdict, action_of, judge},
    orders::announce,
};
use crate::{
    App, Problem, TenantCtx, audit,
    plugins::{
        calls::Loaded,
        error::clean,
        port::{Event, PaymentStatus, PluginKind},
    },
};
use aistack_core::{AuditEntry, DeliveryId, Money, Outcome};
use aistack_store::{Audit, Delivery, Order, StoreError, TenantTx};
use serde_json::{Value, json};

/// Most events of one delivery or run.
pub(super) const MAX_EVENTS: usize = 200;

/// Applies all events of a delivery that is on disk, and tells whoever watches.
///
/// # Errors
/// As the store.
pub(super) async fn apply(
    app: &App,
    t: &TenantCtx,
    loaded: &Loaded,
    delivery: DeliveryId,
    events: &[Event],
) -> Result<(), Problem> {
    // Somebody else may be changing the same order at this moment; what we judge has to be what is there.
    let mut applied = commit(app, t, loaded, delivery, events).await;
    for _ in 0..2 {
        if !matches!(
            applied,
            Err(Failed::Store(StoreError::Conflict | StoreError::AlreadyExists))
        ) {
            break;
        }
        applied = commit(app, t, loaded, delivery, events).await;
    }
    match applied {
        Ok(changed) => {
            for order in &changed {
                announce(app, t, order);
            }
            Ok(())
        }
        Err(Failed::Store(e)) => Err(e.into()),
        Err(Failed::Other(p)) => Err(p),
    }
}

/// Applies what a plugin's regular job found, as if it had been delivered.
///
/// # Errors
/// `plugin_failed` for more events than a run may have, or as the store.
pub(crate) async fn apply_run(
    app: &App,
    t: &TenantCtx,
    loaded: &Loaded,
    job: &str,
    events: &[Event],
) -> Result<(), Problem> {
    if events.is_empty() {
        return Ok(());
    }
    if events.len() > MAX_EVENTS {
        return Err(too_many());
    }
    let row = Delivery {
        id: DeliveryId::new(&*app.clock, &*app.rng),
        installation_id: loaded.installation.id,
        endpoint: format!("job:{job}"),
        headers: "[]".to_owned(),
        body: Vec::new(),
        received_at: app.clock.now(),
        status: "received".to_owned(),
        code: None,
    };
    let mut tx = app.store.tenant(&t.scope).await?;
    tx.orders().insert_delivery(&row).await?;
    let draft = audit::Draft::new("webhook.received", "delivery", row.id)
        .details(json!({ "installation": row.installation_id, "job": job, "events": events.len() }));
    audit::commit_tenant(app, tx, t, draft).await?;
    apply(app, t, loaded, row.id, events).await
}

pub(super) fn too_many() -> Problem {
    Problem::new(
        aistack_core::ProblemKind::PluginFailed,
        "the plugin reports too many events at once",
    )
    .with("fault", "too_many_events")
}

enum Failed {
    Store(StoreError),
    Other(Problem),
}
impl From<StoreError> for Failed {
    fn from(e: StoreError) -> Self {
        Self::Store(e)
    }
}
impl From<Problem> for Failed {
    fn from(p: Problem) -> Self {
        Self::Other(p)
    }
}

/// What one event came to.
enum Effect {
    /// It changed an order.
    Changed(Box<Order>),
    /// It was applied before.
    Repeated,
    /// It is genuine and of no consequence here.
    Nothing,
    /// It does not fit.
    Unfit(&'static str),
}

/// Applies all events of a delivery in one transaction.
async fn commit(
    app: &App,
    t: &TenantCtx,
    loaded: &Loaded,
    delivery: DeliveryId,
    events: &[Event],
) -> Result<Vec<Order>, Failed> {
    let mut tx = app.store.tenant(&t.scope).await?;
    let mut entries = Vec::new();
    let mut changed = Vec::new();
    let (mut repeated, mut unfit) = (0, None);
    for event in events {
        match one(app, &mut *tx, t, loaded, delivery, event, &mut entries).await? {
            Effect::Changed(order) => changed.push(*order),
            Effect::Repeated => repeated += 1,
            Effect::Nothing => {}
            Effect::Unfit(code) => unfit = Some(code),
        }
    }
    let (status, code) = match unfit {
        Some(code) => ("failed", Some(code)),
        None if repeated > 0 && repeated == events.len() => ("duplicate", None),
        None => ("applied", None),
    };
    tx.orders().set_delivery_status(delivery, status, code).await?;
    let draft = audit::Draft::new(
        if status == "duplicate" {
            "webhook.repeated"
        } else {
            "webhook.applied"
        },
        "delivery",
        delivery,
    )
    .outcome(if unfit.is_some() { Outcome::Denied } else { Outcome::Ok })
    .details(json!({ "events": events.len(), "repeated": repeated, "changed": changed.len(), "code": code }));
    entries.push(audit::for_tenant(app, &mut *tx, t, draft).await?);
    let audit = Audit::many(entries).ok_or_else(|| Problem::internal("a delivery without events"))?;
    tx.commit(audit).await?;
    Ok(changed)
}

async fn one(
    app: &App,
    tx: &mut dyn TenantTx,
    t: &TenantCtx,
    loaded: &Loaded,
    delivery: DeliveryId,
    event: &Event,
    entries: &mut Vec<AuditEntry>,
) -> Result<Effect, Failed> {
    if event.id.is_empty() || event.id.len() > 255 || event.id.chars().any(char::is_control) {
        return Ok(Effect::Unfit("bad_event_id"));
    }
    let now = app.clock.now();
    let kind = clean(&event.kind, 100);
    if !tx
        .orders()
        .claim_event(loaded.installation.id, &event.id, &kind, now)
        .await?
    {
        return Ok(Effect::Repeated);
    }
    if loaded.kind != PluginKind::Payment {
        return Ok(Effect::Nothing);
    }
    let report = match read_event(event) {
        Ok(Some(report)) => report,
        Ok(None) => return Ok(Effect::Nothing),
        Err(code) => return unfit(app, tx, t, delivery, event, code, Value::Null, entries).await,
    };
    // The order has to be one of this tenant and of this very installation.
    let order = match report.order {
        Some(id) => tx.orders().get(id).await?,
        None => None,
    };
    let Some(order) = order.filter(|o| o.installation_id == loaded.installation.id) else {
        return unfit(app, tx, t, delivery, event, "order_unknown", Value::Null, entries).await;
    };
    match judge(&order, &report, now) {
        Verdict::Change(new) => {
            tx.orders().update(&new, order.status).await?;
            let draft = audit::Draft::new(action_of(new.status), "order", new.id).details(json!({
                "before": order.status, "after": new.status, "paid": new.paid_minor, "provider_ref": new.provider_ref,
                "by": "webhook", "delivery": delivery, "event": clean(&event.id, 255), "event_kind": kind,
            }));
            entries.push(audit::for_tenant(app, tx, t, draft).await?);
            Ok(Effect::Changed(new))
        }
        Verdict::Same | Verdict::Late => Ok(Effect::Nothing),
        Verdict::Mismatch(code, details) => unfit(app, tx, t, delivery, event, code, details, entries).await,
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "one transaction's worth of context, used in one place"
)]
async fn unfit(
    app: &App,
    tx: &mut dyn TenantTx,
    t: &TenantCtx,
    delivery: DeliveryId,
    event: &Event,
    code: &'static str,
    details: Value,
    entries: &mut Vec<AuditEntry>,
) -> Result<Effect, Failed> {
    let draft = audit::Draft::new("webhook.mismatch", "delivery", delivery)
        .outcome(Outcome::Denied)
        .details(json!({
            "code": code, "event": clean(&event.id, 255), "subject": clean(&event.subject, 100), "more": details,
        }));
    entries.push(audit::for_tenant(app, tx, t, draft).await?);
    Ok(Effect::Unfit(code))
}

/// Reads a payment event; `None` when it says nothing about a payment's status.
fn read_event(event: &Event) -> Result<Option<Report>, &'static str> {
    if !event.kind.starts_with("payment.") {
        return Ok(None);
    }
    let data = event.data.as_object().ok_or("bad_event")?;
    let status: PaymentStatus = match data.get("status") {
        Some(Value::String(s)) => s.replace('_', "-").parse().map_err(|_| "bad_event")?,
        None | Some(Value::Null) => return Ok(None),
        Some(_) => return Err("bad_event"),
    };
    let paid = match data.get("paid") {
        None | Some(Value::Null) => None,
        Some(v) => {
            let minor = v.get("minor").and_then(Value::as_i64).ok_or("bad_event")?;
            let currency = v.get("currency").and_then(Value::as_str).ok_or("bad_event")?;
            Some(Money::new(minor, currency.parse().map_err(|_| "bad_event")?))
        }
    };
    let provider_ref = match data.get("provider_ref") {
        None | Some(Value::Null) => None,
        Some(Value::String(s)) => Some(s.clone()),
        Some(_) => return Err("bad_event"),
    };
    Ok(Some(Report {
        // An event about somebody else's order, or about none, is found out by the lookup.
        order: event.subject.parse().ok(),
        provider_ref,
        status,
        paid,
        occurred_at: Some(event.occurred_at),
    }))
}
