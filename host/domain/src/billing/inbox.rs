//! The inbox for providers' deliveries: on disk first, then verified by the plugin, then applied once, in one
//! transaction with its audit events, and only then acknowledged with the exact bytes the provider wants to see.

use super::answer::presentable;
use super::{
    apply::{Report, Verdict, action_of, judge},
    orders::announce,
};
use crate::{
    App, Ctx, Origin, Problem, TenantCtx, access, audit,
    plugins::{
        calls::{self, Loaded},
        error::{Doing, clean, fault_problem},
        installations::tenant_of_key,
        manifest::CallClass,
        port::{Event, HttpRequest, HttpResponse, InboundOutcome, PaymentStatus, PluginKind},
    },
    tenancy,
};
use aistack_core::{
    Actor, ActorKind, AuditEntry, DeliveryId, InstallationId, Money, Outcome, ProblemKind, RequestId, TenantId,
};
use aistack_store::{Audit, Delivery, InstallationStatus, Order, StoreError, TenantTx};
use serde_json::{Value, json};
use std::sync::Arc;

/// Headers of a delivery are kept up to this size.
const MAX_HEADERS: usize = 32 << 10;
/// Most events of one delivery.
const MAX_EVENTS: usize = 200;

/// A delivery as it arrived.
#[derive(Debug, Clone)]
pub struct Inbound {
    /// The installation in the URL.
    pub installation: InstallationId,
    /// The endpoint in the URL.
    pub endpoint: String,
    /// The key in the URL.
    pub key: String,
    /// The tenant that host or path name, if they name one.
    pub tenant: Option<TenantId>,
    /// The request: path with query, lower-case header names, exact body.
    pub request: HttpRequest,
    /// Our id for the request.
    pub request_id: Option<RequestId>,
    /// Where it came from.
    pub origin: Origin,
}

/// What to answer.
pub type Answer = HttpResponse;

/// Where a delivery was addressed to.
struct Addressed {
    t: TenantCtx,
    loaded: Arc<Loaded>,
}

fn nowhere() -> Problem {
    Problem::not_found("endpoint")
}

/// Finds the installation behind the URL. Anything that does not fit is the same 404.
async fn address(app: &App, d: &Inbound) -> Result<Addressed, Problem> {
    let tenant = tenant_of_key(&d.key).ok_or_else(nowhere)?;
    if d.tenant.is_some_and(|routed| routed != tenant) {
        return Err(nowhere());
    }
    let scope = app.store.scope(tenant).await?.ok_or_else(nowhere)?;
    let row = app
        .store
        .platform_read()
        .await?
        .tenants()
        .get(tenant)
        .await?
        .ok_or_else(nowhere)?;
    let known = app
        .store
        .tenant_read(&scope)
        .await?
        .installations()
        .get(d.installation)
        .await?;
    let known = known.ok_or_else(nowhere)?;
    if !access::equal(known.endpoint_key.as_bytes(), d.key.as_bytes()) {
        return Err(nowhere());
    }
    tenancy::lifecycle::check(&row, tenancy::lifecycle::Use::Deliver, false)?;
    let mut ctx = Ctx::system(d.request_id);
    ctx.actor = Actor {
        kind: ActorKind::Plugin,
        id: Some(known.id.0),
        label: known.plugin_id.clone(),
    };
    ctx.origin = d.origin.clone();
    let t = TenantCtx {
        ctx,
        scope,
        tenant: Arc::new(row),
    };
    if known.status != InstallationStatus::Active {
        return Err(Problem::new(
            ProblemKind::PluginUnavailable,
            "the plugin is switched off",
        ));
    }
    let loaded = calls::load(app, &t, d.installation, None).await?;
    let endpoint = loaded.manifest.endpoint(&d.endpoint).ok_or_else(nowhere)?;
    if !endpoint.methods.contains(&d.request.method) {
        return Err(Problem::new(
            ProblemKind::MethodNotAllowed,
            "the endpoint does not take this method",
        ));
    }
    if d.request.body.len() as u64 > endpoint.max_body.0 {
        return Err(Problem::new(
            ProblemKind::PayloadTooLarge,
            "the delivery is larger than the endpoint takes",
        ));
    }
    let headers: usize = d.request.headers.iter().map(|(k, v)| k.len() + v.len()).sum();
    if headers > MAX_HEADERS {
        return Err(Problem::new(
            ProblemKind::PayloadTooLarge,
            "the delivery's headers are too large",
        ));
    }
    Ok(Addressed { t, loaded })
}

/// Takes a delivery.
///
/// # Errors
/// `not_found` for an unknown URL, `method_not_allowed`, `payload_too_large`, `signature_invalid` for a forged or stale
/// delivery, `plugin_failed` or `plugin_unavailable` when it should come again later; or as the store.
pub async fn receive(app: &App, mut d: Inbound) -> Result<Answer, Problem> {
    let Addressed { t, loaded } = address(app, &d).await?;
    // Cookies are the browser's business with us, not part of a delivery.
    d.request.headers.retain(|(k, _)| k != "cookie");
    let delivery = keep(app, &t, &d).await?;
    let inv = calls::invocation(app, &t, &loaded, CallClass::Inbound, json!({ "delivery": delivery }));
    let outcome = match app.runtime.inbound(inv, &d.endpoint, d.request).await {
        Ok(outcome) => outcome,
        Err(fault) => {
            let problem = fault_problem(&fault, Doing::Deliver);
            let code = clean(&fault.code, 100);
            let forged = problem.kind == ProblemKind::SignatureInvalid;
            let (status, action, outcome) = if forged {
                ("rejected", "webhook.rejected", Outcome::Denied)
            } else {
                ("failed", "webhook.failed", Outcome::Failed)
            };
            close(app, &t, delivery, status, &code, action, outcome).await?;
            return Err(problem);
        }
    };
    if outcome.events.len() > MAX_EVENTS {
        close(
            app,
            &t,
            delivery,
            "failed",
            "too_many_events",
            "webhook.failed",
            Outcome::Failed,
        )
        .await?;
        return Err(
            Problem::new(ProblemKind::PluginFailed, "the delivery holds too many events")
                .with("fault", "too_many_events"),
        );
    }
    // Somebody else may be changing the same order at this moment; what we judge has to be what is there.
    let mut applied = apply(app, &t, &loaded, delivery, &outcome).await;
    for _ in 0..2 {
        if !matches!(
            applied,
            Err(Failed::Store(StoreError::Conflict | StoreError::AlreadyExists))
        ) {
            break;
        }
        applied = apply(app, &t, &loaded, delivery, &outcome).await;
    }
    match applied {
        Ok(changed) => {
            for order in &changed {
                announce(app, &t, order);
            }
            Ok(presentable(outcome.ack, 200))
        }
        Err(e) => {
            let problem = match e {
                Failed::Store(e) => Problem::from(e),
                Failed::Other(p) => p,
            };
            tracing::error!(%delivery, error = %problem, "a delivery could not be applied");
            Ok(presentable(outcome.nack, 503))
        }
    }
}

/// Stores the delivery raw.
async fn keep(app: &App, t: &TenantCtx, d: &Inbound) -> Result<DeliveryId, Problem> {
    let headers: Vec<(&str, String)> = d
        .request
        .headers
        .iter()
        .map(|(k, v)| (k.as_str(), String::from_utf8_lossy(v).into_owned()))
        .collect();
    let row = Delivery {
        id: DeliveryId::new(&*app.clock, &*app.rng),
        installation_id: d.installation,
        endpoint: d.endpoint.clone(),
        headers: json!(headers).to_string(),
        // A delivery by GET carries its content in the query.
        body: if d.request.method == "GET" {
            d.request.url.clone().into_bytes()
        } else {
            d.request.body.clone()
        },
        received_at: app.clock.now(),
        status: "received".to_owned(),
        code: None,
    };
    let mut tx = app.store.tenant(&t.scope).await?;
    tx.orders().insert_delivery(&row).await?;
    let draft = audit::Draft::new("webhook.received", "delivery", row.id)
        .details(json!({ "installation": d.installation, "endpoint": d.endpoint, "bytes": d.request.body.len() }));
    let entry = audit::for_tenant(app, &mut *tx, t, draft).await?;
    tx.commit(Audit::one(entry)).await?;
    Ok(row.id)
}

/// Closes a delivery that has no effect.
async fn close(
    app: &App,
    t: &TenantCtx,
    delivery: DeliveryId,
    status: &str,
    code: &str,
    action: &'static str,
    outcome: Outcome,
) -> Result<(), Problem> {
    let mut tx = app.store.tenant(&t.scope).await?;
    tx.orders().set_delivery_status(delivery, status, Some(code)).await?;
    let draft = audit::Draft::new(action, "delivery", delivery)
        .outcome(outcome)
        .details(json!({ "code": code }));
    let entry = audit::for_tenant(app, &mut *tx, t, draft).await?;
    tx.commit(Audit::one(entry)).await?;
    Ok(())
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
async fn apply(
    app: &App,
    t: &TenantCtx,
    loaded: &Loaded,
    delivery: DeliveryId,
    outcome: &InboundOutcome,
) -> Result<Vec<Order>, Failed> {
    let mut tx = app.store.tenant(&t.scope).await?;
    let mut entries = Vec::new();
    let mut changed = Vec::new();
    let (mut repeated, mut unfit) = (0, None);
    for event in &outcome.events {
        match one(app, &mut *tx, t, loaded, delivery, event, &mut entries).await? {
            Effect::Changed(order) => changed.push(*order),
            Effect::Repeated => repeated += 1,
            Effect::Nothing => {}
            Effect::Unfit(code) => unfit = Some(code),
        }
    }
    let (status, code) = match unfit {
        Some(code) => ("failed", Some(code)),
        None if repeated > 0 && repeated == outcome.events.len() => ("duplicate", None),
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
    .details(json!({ "events": outcome.events.len(), "repeated": repeated, "changed": changed.len(), "code": code }));
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
