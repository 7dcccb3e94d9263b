//! From Stripe's events to the platform's. What is not about one of our payments is acknowledged and has no effect.

use crate::amount;
use crate::api::Api;
use crate::refunds;
use crate::session::{self, ORDER, REFUND, id_of};
use aistack_sdk::form::{Form, encode_component};
use aistack_sdk::payment::Status;
use aistack_sdk::{Context, Event, Fault, Host, Money};
use serde_json::{Value, json};

/// What an event says about a payment.
struct News {
    /// The platform's order.
    order: String,
    status: Status,
    /// What was paid.
    paid: Option<Money>,
    /// The Checkout Session, when the event names it. Charges and disputes don't.
    session: Option<String>,
}

/// Reads a verified event.
pub(super) fn read(host: &Host, ctx: &Context, event: &Value) -> Result<Vec<Event>, Fault> {
    session::check_mode(event, ctx).map_err(|f| Fault::denied(f.code, f.message))?;
    let (Some(kind), Some(id)) = (event["type"].as_str(), event["id"].as_str()) else {
        return Ok(Vec::new());
    };
    let object = &event["data"]["object"];
    let news = match kind {
        "checkout.session.completed"
        | "checkout.session.async_payment_succeeded"
        | "checkout.session.async_payment_failed"
        | "checkout.session.expired" => of_session(kind, object)?,
        "charge.refunded" => of_charge(object, session::of_charge(object))?,
        "charge.dispute.created" | "charge.dispute.closed" => of_dispute(host, ctx, kind, object)?,
        "refund.created" | "refund.updated" | "refund.failed" => return Ok(of_refund(event, id, object)),
        _ => None,
    };
    Ok(news
        .map(|news| payment_event(event, id, kind, &news))
        .into_iter()
        .collect())
}

fn of_session(kind: &str, object: &Value) -> Result<Option<News>, Fault> {
    let Some(order) = object["client_reference_id"].as_str().filter(|o| !o.is_empty()) else {
        return Ok(None);
    };
    if object["mode"].as_str().is_some_and(|m| m != "payment") {
        return Ok(None);
    }
    let paid = matches!(object["payment_status"].as_str(), Some("paid" | "no_payment_required"));
    let status = match kind {
        "checkout.session.completed" | "checkout.session.async_payment_succeeded" if paid => Status::Paid,
        // The payer finished, the money is on its way; a later event tells how it ended.
        "checkout.session.completed" | "checkout.session.async_payment_succeeded" => Status::Pending,
        "checkout.session.async_payment_failed" => Status::Failed,
        _ => Status::Cancelled,
    };
    let paid = if status == Status::Paid {
        Some(session::total(object)?)
    } else {
        None
    };
    Ok(Some(News {
        order: order.into(),
        status,
        paid,
        session: id_of(&object["id"]).map(str::to_owned),
    }))
}

fn of_charge(charge: &Value, status: Status) -> Result<Option<News>, Fault> {
    let Some(order) = charge["metadata"][ORDER].as_str() else {
        return Ok(None);
    };
    let amount = charge["amount_captured"].as_i64().or_else(|| charge["amount"].as_i64());
    let (Some(amount), Some(currency)) = (amount, charge["currency"].as_str()) else {
        return Err(Fault::invalid_input("event_malformed", "a charge without amount"));
    };
    let paid = Some(amount::from_stripe(amount, currency)?);
    Ok(Some(News {
        order: order.into(),
        status,
        paid,
        session: None,
    }))
}

/// A dispute names neither session nor order, so the PaymentIntent is asked for its metadata. When that fails, so does
/// the delivery, and Stripe sends it again.
fn of_dispute(host: &Host, ctx: &Context, kind: &str, dispute: &Value) -> Result<Option<News>, Fault> {
    let Some(intent) = id_of(&dispute["payment_intent"]) else {
        return Ok(None);
    };
    let api = Api::open(host, ctx)?;
    let query = Form::new().with("expand[0]", "latest_charge");
    let intent = api.get(&format!("/v1/payment_intents/{}", encode_component(intent)), query)?;
    session::check_mode(&intent, ctx)?;
    let charge = &intent["latest_charge"];
    let status = match (kind, dispute["status"].as_str()) {
        ("charge.dispute.closed", Some("won" | "warning_closed")) => {
            let mut settled = charge.clone();
            settled["disputed"] = Value::Bool(false);
            session::of_charge(&settled)
        }
        _ => Status::Disputed,
    };
    let mut charge = charge.clone();
    if charge["metadata"][ORDER].is_null() {
        charge["metadata"][ORDER] = intent["metadata"][ORDER].clone();
    }
    of_charge(&charge, status)
}

/// Refunds that we asked for; others show in `charge.refunded`.
fn of_refund(event: &Value, id: &str, refund: &Value) -> Vec<Event> {
    let meta = |name: &str| refund["metadata"][name].as_str().filter(|v| !v.is_empty());
    let (Some(order), Some(ours)) = (meta(ORDER), meta(REFUND)) else {
        return Vec::new();
    };
    let kind = match refunds::status(refund) {
        Status::Paid => "refund.paid",
        Status::Failed | Status::Cancelled => "refund.failed",
        _ => return Vec::new(),
    };
    let data = json!({"refund": ours, "provider_ref": refund["id"], "provider_event": event["type"]});
    vec![Event {
        id: id.to_owned(),
        kind: kind.to_owned(),
        occurred_ms: occurred(event),
        subject: order.to_owned(),
        data: data.to_string(),
    }]
}

fn payment_event(event: &Value, id: &str, kind: &str, news: &News) -> Event {
    let status = name(news.status);
    let mut data = json!({"status": status, "provider_event": kind});
    if let Some(session) = &news.session {
        data["provider_ref"] = json!(session);
    }
    if let Some(paid) = &news.paid {
        data["paid"] = json!({"minor": paid.minor, "currency": paid.currency});
    }
    Event {
        id: id.to_owned(),
        kind: format!("payment.{status}"),
        occurred_ms: occurred(event),
        subject: news.order.clone(),
        data: data.to_string(),
    }
}

fn occurred(event: &Value) -> u64 {
    event["created"].as_u64().unwrap_or(0).saturating_mul(1000)
}

/// The contract's name of a status.
fn name(status: Status) -> &'static str {
    match status {
        Status::Created => "created",
        Status::Pending => "pending",
        Status::ActionNeeded => "action-needed",
        Status::Authorised => "authorised",
        Status::Paid => "paid",
        Status::PartRefunded => "part-refunded",
        Status::Refunded => "refunded",
        Status::Failed => "failed",
        Status::Cancelled => "cancelled",
        Status::Disputed => "disputed",
        Status::Unknown => "unknown",
    }
}
