//! Reading a Checkout Session, with its PaymentIntent and charge when they were asked for.

use crate::amount;
use aistack_sdk::payment::{Action, Payment, Status};
use aistack_sdk::{Context, Fault, Money};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Metadata field with the platform's order id, on session, PaymentIntent and so on every charge.
pub(crate) const ORDER: &str = "aistack_order";
/// Metadata field with the platform's refund id.
pub(crate) const REFUND: &str = "aistack_refund";
/// What to expand so that refunds and disputes are seen.
pub(crate) const EXPAND: &str = "payment_intent.latest_charge";

/// What the platform keeps of a payment for us.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct State {
    /// The PaymentIntent, once there is one.
    pub(crate) payment_intent: Option<String>,
    /// The order, so that answers can be compared with it.
    pub(crate) order: String,
}

impl State {
    pub(crate) fn of(payment: &Payment) -> Self {
        serde_json::from_slice(&payment.state).unwrap_or_default()
    }
}

/// The id of a field that is an id or, expanded, an object with one.
pub(crate) fn id_of(value: &Value) -> Option<&str> {
    value
        .as_str()
        .or_else(|| value["id"].as_str())
        .filter(|id| !id.is_empty())
}

/// Test and live objects must never be mixed up: a test payment would deliver for nothing.
pub(crate) fn check_mode(object: &Value, ctx: &Context) -> Result<(), Fault> {
    match object["livemode"].as_bool() {
        Some(live) if live != ctx.live => {
            let name = |live| if live { "live" } else { "test" };
            let message = format!(
                "Stripe speaks of {} mode, the installation is in {} mode",
                name(live),
                name(ctx.live)
            );
            Err(Fault::invalid_config("livemode_mismatch", message))
        }
        _ => Ok(()),
    }
}

/// Reads a session that an API call returned.
pub(crate) fn read(session: &Value, ctx: &Context, order: Option<&str>) -> Result<Payment, Fault> {
    check_mode(session, ctx)?;
    let said = session["client_reference_id"].as_str();
    if let (Some(order), Some(said)) = (order.filter(|o| !o.is_empty()), said)
        && order != said
    {
        let message = format!("the session is about {said:?}, not about {order:?}");
        return Err(Fault::conflict("order_mismatch", message));
    }
    let Some(id) = id_of(&session["id"]) else {
        return Err(Fault::provider("answer_unreadable", "a session without id").outcome_unknown());
    };
    let status = status(session);
    let state = State {
        payment_intent: id_of(&session["payment_intent"]).map(str::to_owned),
        order: order.or(said).unwrap_or_default().to_owned(),
    };
    let action = match (status, session["url"].as_str()) {
        (Status::ActionNeeded, Some(url)) => Action::Redirect(url.to_owned()),
        _ => Action::None,
    };
    let occurred_ms = session["payment_intent"]["latest_charge"]["created"]
        .as_u64()
        .map(|s| s.saturating_mul(1000));
    Ok(Payment {
        provider_ref: id.to_owned(),
        status,
        action,
        paid: if is_paid(status) { Some(total(session)?) } else { None },
        fee: None,
        occurred_ms,
        state: serde_json::to_vec(&state).map_err(|e| Fault::internal("state", e.to_string()))?,
        raw: summary(session).to_string(),
    })
}

/// Whether money has arrived, whatever happened to it afterwards.
pub(crate) fn is_paid(status: Status) -> bool {
    matches!(
        status,
        Status::Paid | Status::PartRefunded | Status::Refunded | Status::Disputed
    )
}

/// The amount of a session.
pub(crate) fn total(session: &Value) -> Result<Money, Fault> {
    match (session["amount_total"].as_i64(), session["currency"].as_str()) {
        (Some(total), Some(currency)) => amount::from_stripe(total, currency),
        _ => Err(Fault::provider(
            "amount_unreadable",
            "a paid session without amount_total and currency",
        )),
    }
}

fn status(session: &Value) -> Status {
    let intent = &session["payment_intent"];
    let charge = &intent["latest_charge"];
    match (session["status"].as_str(), session["payment_status"].as_str()) {
        (Some("complete"), Some("paid" | "no_payment_required")) => of_charge(charge),
        (Some("complete"), _) => match intent["status"].as_str() {
            Some("requires_capture") => Status::Authorised,
            Some("canceled") => Status::Cancelled,
            Some("requires_payment_method") => Status::Failed,
            Some("succeeded") => of_charge(charge),
            _ => Status::Pending,
        },
        (Some("expired"), _) => Status::Cancelled,
        (Some("open"), _) if session["url"].is_string() => Status::ActionNeeded,
        (Some("open"), _) => Status::Created,
        _ => Status::Unknown,
    }
}

/// Paid, and what became of it.
pub(crate) fn of_charge(charge: &Value) -> Status {
    if charge["disputed"] == true {
        Status::Disputed
    } else if charge["refunded"] == true {
        Status::Refunded
    } else if charge["amount_refunded"].as_i64().is_some_and(|a| a > 0) {
        Status::PartRefunded
    } else {
        Status::Paid
    }
}

/// What support needs to see: ids and states, no addresses and no card data.
fn summary(session: &Value) -> Value {
    json!({
        "id": session["id"],
        "status": session["status"],
        "payment_status": session["payment_status"],
        "amount_total": session["amount_total"],
        "currency": session["currency"],
        "payment_intent": id_of(&session["payment_intent"]),
        "livemode": session["livemode"],
        "created": session["created"],
        "expires_at": session["expires_at"],
    })
}
