//! Paying an order: asking the plugin, looking the outcome up, cancelling, and the browser's way back. Plugins are
//! called between transactions, never inside one.

use super::{
    OrderError, OrderView,
    apply::{Report, Verdict, action_of, judge},
    job,
    orders::{action_json, announce, get},
};
use crate::{
    App, Problem, TenantCtx, audit, jobs,
    plugins::{
        calls::{self, Loaded},
        error::{Doing, clean, fault_problem},
        installations,
        manifest::CallClass,
        port::{
            Fault, FaultKind, HttpRequest, Invocation, Payment, PaymentAction, PaymentOrder, PaymentStatus, PluginKind,
        },
    },
    tenancy,
};
use aistack_core::{Money, OrderId, Outcome, ProblemKind, UserId};
use aistack_store::{Audit, Order, OrderStatus, StoreError};
use serde_json::{Value, json};
use std::sync::Arc;

async fn read(app: &App, t: &TenantCtx, id: OrderId) -> Result<Order, Problem> {
    let order = app.store.tenant_read(&t.scope).await?.orders().get(id).await?;
    order.ok_or_else(|| Problem::not_found("order"))
}

/// The plugin behind an order. While a version is on trial, one version answers all calls about the order.
async fn at_provider(app: &App, t: &TenantCtx, order: &Order) -> Result<Arc<Loaded>, Problem> {
    let kind = Some(PluginKind::Payment);
    calls::load_for(app, t, order.installation_id, kind, Some(order.id.0)).await
}

fn invocation(app: &App, t: &TenantCtx, loaded: &Loaded) -> Invocation {
    calls::invocation(app, t, loaded, CallClass::Ordinary, json!({}))
}

/// The payment as the plugin knew it when it last returned it.
fn payment_of(o: &Order) -> Payment {
    Payment {
        provider_ref: o.provider_ref.clone().unwrap_or_default(),
        status: match o.status {
            OrderStatus::Draft => PaymentStatus::Created,
            OrderStatus::Pending => PaymentStatus::Pending,
            OrderStatus::Paid => PaymentStatus::Paid,
            OrderStatus::Failed => PaymentStatus::Failed,
            OrderStatus::Cancelled => PaymentStatus::Cancelled,
            OrderStatus::Refunded => PaymentStatus::Refunded,
            OrderStatus::Unknown => PaymentStatus::Unknown,
        },
        action: PaymentAction::None,
        paid: o.paid_minor.map(|m| Money::new(m, o.currency)),
        fee: None,
        occurred_at: o.paid_at,
        state: o.plugin_state.clone(),
        raw: Value::Null,
    }
}

/// Asks the provider for the payment. Repeating it gives the same order with the same action.
///
/// # Errors
/// `not_found`; `conflict` for an order that ended; `payment_declined`, `payment_outcome_unknown`, `plugin_failed`,
/// `plugin_unavailable`; or as the store.
pub async fn pay(app: &App, t: &TenantCtx, id: OrderId) -> Result<OrderView, Problem> {
    let order = read(app, t, id).await?;
    match order.status {
        OrderStatus::Draft => {}
        OrderStatus::Pending | OrderStatus::Paid => return get(app, t, id).await,
        OrderStatus::Unknown => return refresh(app, t, id).await,
        status @ (OrderStatus::Failed | OrderStatus::Cancelled | OrderStatus::Refunded) => {
            return Err(OrderError::Status { status, what: "paid" }.into());
        }
    }
    let loaded = at_provider(app, t, &order).await?;
    let wanted = wanted(app, t, &loaded, &order).await?;
    let answer = app.runtime.payment().create(invocation(app, t, &loaded), wanted).await;
    let payment = match answer {
        Ok(payment) => payment,
        Err(fault) => return Err(failed(app, t, &order, &fault).await?),
    };
    if let Err(code) = acceptable(&loaded, &payment) {
        let fault = Fault::new(FaultKind::Internal, code, "the plugin's answer breaks the contract");
        return Err(failed(app, t, &order, &fault).await?);
    }
    let mut asked = order.clone();
    asked.plugin_state.clone_from(&payment.state);
    asked.action = action_json(&payment.action).map(|a| a.to_string());
    match judge(&asked, &Report::of_payment(&payment), app.clock.now()) {
        Verdict::Change(new) => {
            let declined = new.status == OrderStatus::Failed;
            store(
                app,
                t,
                &order,
                &new,
                json!({ "provider_ref": new.provider_ref, "by": "create" }),
            )
            .await?;
            if declined {
                return Err(OrderError::Declined(id).into());
            }
        }
        // The provider has an opinion but no status: look it up before anything else.
        Verdict::Same | Verdict::Late => {
            let mut fault = Fault::new(FaultKind::Provider, "status_unknown", "the provider gave no status");
            fault.outcome_unknown = true;
            return Err(failed(app, t, &order, &fault).await?);
        }
        Verdict::Mismatch(code, details) => {
            mismatch(app, t, &order, code, details, "create").await?;
            return Err(OrderError::Mismatch(code).into());
        }
    }
    get(app, t, id).await
}

/// What is asked of the provider. The order's id is the idempotency key: asking again can't charge twice.
async fn wanted(app: &App, t: &TenantCtx, loaded: &Loaded, order: &Order) -> Result<PaymentOrder, Problem> {
    let payer = match order.created_by {
        Some(by) => {
            let user = app.store.tenant_read(&t.scope).await?.users().get(UserId(by)).await?;
            user.map_or(json!({}), |u| {
                let email = (!u.email.ends_with(".invalid")).then_some(u.email);
                json!({ "email": email, "name": u.name, "locale": u.locale.as_ref().unwrap_or(&t.tenant.locale) })
            })
        }
        None => json!({}),
    };
    let base = tenancy::domains::address(app, t.scope.id(), &t.tenant.slug).await?;
    let notify = loaded.manifest.notify_endpoint();
    Ok(PaymentOrder {
        id: order.id.to_string(),
        amount: Money::new(order.amount_minor, order.currency),
        description: order.description.clone(),
        method: String::new(),
        payer,
        capture: true,
        return_url: format!("{base}/api/v1/orders/{}/return", order.id),
        notify_url: notify.map_or_else(String::new, |e| {
            installations::endpoint_url(app, t, &loaded.installation, &e.name)
        }),
        expires_ms: None,
        idempotency_key: order.id.to_string(),
        metadata: vec![
            ("order_id".to_owned(), order.id.to_string()),
            ("order_number".to_owned(), order.number.to_string()),
            ("tenant_id".to_owned(), t.scope.id().to_string()),
        ],
        extra: json!({}),
    })
}

fn acceptable(loaded: &Loaded, payment: &Payment) -> Result<(), &'static str> {
    if payment.state.len() > 64 << 10 {
        return Err("state_too_large");
    }
    match &payment.action {
        PaymentAction::Redirect(url) | PaymentAction::FormPost(url, _) => calls::browser_url(loaded, url)
            .map(|_| ())
            .map_err(|_| "bad_action_url"),
        PaymentAction::Qr(payload) if payload.is_empty() || payload.len() > 4_000 => Err("bad_qr"),
        PaymentAction::Qr(_) | PaymentAction::Client(_) | PaymentAction::None => Ok(()),
    }
}

/// Writes an order's new state with its event.
async fn store(app: &App, t: &TenantCtx, old: &Order, new: &Order, details: Value) -> Result<(), Problem> {
    let mut tx = app.store.tenant(&t.scope).await?;
    match tx.orders().update(new, old.status).await {
        Ok(()) => {}
        // A delivery was quicker: what it brought is newer than what we have.
        Err(StoreError::Conflict) => return Ok(()),
        Err(e) => return Err(e.into()),
    }
    let mut all = json!({ "before": old.status, "after": new.status, "paid": new.paid_minor });
    if let (Some(all), Value::Object(more)) = (all.as_object_mut(), details) {
        all.extend(more);
    }
    let draft = audit::Draft::new(action_of(new.status), "order", new.id).details(all);
    let entry = audit::for_tenant(app, &mut *tx, t, draft).await?;
    if new.status == OrderStatus::Unknown {
        tx.push_outbox(&job::message(app, new.id)).await?;
    }
    tx.commit(Audit::one(entry)).await?;
    if new.status == OrderStatus::Unknown {
        jobs::wake(app, &t.scope);
    }
    announce(app, t, new);
    Ok(())
}

/// A fault while creating: an unknown outcome is remembered and looked up by a job; a decline ends the order; anything
/// else leaves the draft as it was.
async fn failed(app: &App, t: &TenantCtx, order: &Order, fault: &Fault) -> Result<Problem, Problem> {
    let problem = fault_problem(fault, Doing::Pay).with("order", order.id.to_string());
    let code = clean(&fault.code, 100);
    let status = match problem.kind {
        ProblemKind::PaymentOutcomeUnknown => Some(OrderStatus::Unknown),
        ProblemKind::PaymentDeclined => Some(OrderStatus::Failed),
        _ => None,
    };
    match status {
        Some(status) => {
            let mut new = order.clone();
            new.status = status;
            new.updated_at = app.clock.now();
            if new.provider_ref.is_none() {
                new.provider_ref = fault
                    .provider_ref
                    .as_ref()
                    .map(|r| clean(r, 255))
                    .filter(|r| !r.is_empty());
            }
            store(app, t, order, &new, json!({ "fault": code })).await?;
        }
        None => {
            let mut tx = app.store.tenant(&t.scope).await?;
            let draft = audit::Draft::new("order.pay_failed", "order", order.id)
                .outcome(Outcome::Failed)
                .details(json!({ "fault": code }));
            let entry = audit::for_tenant(app, &mut *tx, t, draft).await?;
            tx.commit(Audit::one(entry)).await?;
        }
    }
    Ok(problem)
}

/// A provider's answer that does not fit: nothing changes, and it is on record.
async fn mismatch(
    app: &App,
    t: &TenantCtx,
    order: &Order,
    code: &'static str,
    details: Value,
    by: &'static str,
) -> Result<(), Problem> {
    let mut tx = app.store.tenant(&t.scope).await?;
    let draft = audit::Draft::new("order.mismatch", "order", order.id)
        .outcome(Outcome::Denied)
        .details(json!({ "code": code, "by": by, "more": details }));
    let entry = audit::for_tenant(app, &mut *tx, t, draft).await?;
    tx.commit(Audit::one(entry)).await?;
    Ok(())
}

/// Looks the payment up at the provider.
///
/// # Errors
/// `not_found`, `plugin_failed` (also when the answer does not fit the order), `plugin_unavailable`, or as the store.
pub async fn refresh(app: &App, t: &TenantCtx, id: OrderId) -> Result<OrderView, Problem> {
    let order = read(app, t, id).await?;
    if order.status == OrderStatus::Draft {
        return get(app, t, id).await;
    }
    let loaded = at_provider(app, t, &order).await?;
    fetch(app, t, &loaded, &order).await?;
    get(app, t, id).await
}

async fn fetch(app: &App, t: &TenantCtx, loaded: &Arc<Loaded>, order: &Order) -> Result<(), Problem> {
    let inv = invocation(app, t, loaded);
    let answer = app
        .runtime
        .payment()
        .fetch(inv, order.id.to_string(), order.provider_ref.clone())
        .await;
    let payment = match answer {
        Ok(payment) => payment,
        // The provider never heard of it: what was in doubt never happened, and may be tried again.
        Err(f) if f.kind == FaultKind::NotFound && order.status == OrderStatus::Unknown => {
            let mut new = order.clone();
            new.status = OrderStatus::Draft;
            new.updated_at = app.clock.now();
            return store(
                app,
                t,
                order,
                &new,
                json!({ "by": "fetch", "fault": clean(&f.code, 100) }),
            )
            .await;
        }
        Err(f) => return Err(fault_problem(&f, Doing::Other).with("order", order.id.to_string())),
    };
    settle(app, t, order, &payment, "fetch").await
}

/// Applies what the provider answered to a question of ours.
async fn settle(app: &App, t: &TenantCtx, order: &Order, payment: &Payment, by: &'static str) -> Result<(), Problem> {
    match judge(order, &Report::of_payment(payment), app.clock.now()) {
        Verdict::Change(mut new) => {
            if !payment.state.is_empty() && payment.state.len() <= 64 << 10 {
                new.plugin_state.clone_from(&payment.state);
            }
            store(
                app,
                t,
                order,
                &new,
                json!({ "by": by, "provider_ref": new.provider_ref }),
            )
            .await
        }
        Verdict::Same | Verdict::Late => Ok(()),
        Verdict::Mismatch(code, details) => {
            mismatch(app, t, order, code, details, by).await?;
            Err(OrderError::Mismatch(code).into())
        }
    }
}

/// Cancels an unpaid order, at the provider too when it has been sent there.
///
/// # Errors
/// `not_found`; `conflict` for an order that is paid, failed or refunded; `plugin_failed`, `payment_outcome_unknown`,
/// `plugin_unavailable`; or as the store.
pub async fn cancel(app: &App, t: &TenantCtx, id: OrderId) -> Result<OrderView, Problem> {
    let order = read(app, t, id).await?;
    match order.status {
        OrderStatus::Cancelled => {}
        OrderStatus::Draft => {
            let mut new = order.clone();
            new.status = OrderStatus::Cancelled;
            new.updated_at = app.clock.now();
            store(app, t, &order, &new, json!({ "by": "cancel" })).await?;
        }
        OrderStatus::Pending | OrderStatus::Unknown => {
            let loaded = at_provider(app, t, &order).await?;
            let key = format!("cancel-{}", order.id);
            let inv = invocation(app, t, &loaded);
            let payment = app
                .runtime
                .payment()
                .cancel(inv, payment_of(&order), key)
                .await
                .map_err(|f| fault_problem(&f, Doing::Pay).with("order", id.to_string()))?;
            settle(app, t, &order, &payment, "cancel").await?;
            let after = read(app, t, id).await?;
            if after.status != OrderStatus::Cancelled {
                return Err(OrderError::Status {
                    status: after.status,
                    what: "cancelled",
                }
                .into());
            }
        }
        status @ (OrderStatus::Paid | OrderStatus::Failed | OrderStatus::Refunded) => {
            return Err(OrderError::Status {
                status,
                what: "cancelled",
            }
            .into());
        }
    }
    get(app, t, id).await
}

/// The browser came back from the provider. What it carries is never proof: the plugin may need it to finish the
/// payment (a capture), but only what the provider then answers to our own question is believed. Failures are logged;
/// the person sees the order as it stands.
///
/// # Errors
/// `not_found`, or as the store.
pub async fn browser_return(app: &App, t: &TenantCtx, id: OrderId, back: HttpRequest) -> Result<(), Problem> {
    let order = read(app, t, id).await?;
    if !matches!(order.status, OrderStatus::Pending | OrderStatus::Unknown) {
        return Ok(());
    }
    let looked_up = async {
        let loaded = at_provider(app, t, &order).await?;
        let inv = invocation(app, t, &loaded);
        match app.runtime.payment().resume(inv, payment_of(&order), back).await {
            Ok(_) => {}
            Err(f) if f.kind == FaultKind::Unsupported => {}
            Err(f) => tracing::info!(order = %id, code = %f.code, "the payment could not be resumed"),
        }
        fetch(app, t, &loaded, &order).await
    }
    .await;
    if let Err(e) = looked_up {
        tracing::info!(order = %id, error = %e, "the payment could not be looked up when the browser came back");
    }
    Ok(())
}
