//! Giving money back. The platform's refund id is the idempotency key: asking twice moves money once.

use crate::amount;
use crate::api::Api;
use crate::operations::intent_of;
use crate::session::{self, ORDER, REFUND, State};
use aistack_sdk::form::Form;
use aistack_sdk::payment::{Payment, Refund, Status};
use aistack_sdk::{Context, Fault, Host};
use serde_json::Value;

/// Reasons that Stripe has words for; others travel as metadata.
const REASONS: &[&str] = &["duplicate", "fraudulent", "requested_by_customer"];

pub(crate) fn create(host: &Host, ctx: &Context, payment: &Payment, refund: Refund) -> Result<Refund, Fault> {
    let units = amount::to_stripe(&refund.amount)?;
    if refund.id.is_empty() || refund.id.len() > 200 {
        return Err(Fault::invalid_input(
            "refund_id_invalid",
            "a refund id has 1 to 200 bytes",
        ));
    }
    if let Some(paid) = &payment.paid
        && (paid.currency != refund.amount.currency || refund.amount.minor > paid.minor)
    {
        return Err(Fault::invalid_input(
            "refund_exceeds_payment",
            "more than was paid, or another currency",
        ));
    }
    let api = Api::open(host, ctx)?;
    let intent = intent_of(&api, ctx, payment)?;
    let mut form = Form::new()
        .with("payment_intent", intent)
        .with("amount", units.to_string())
        .with(&format!("metadata[{REFUND}]"), &refund.id)
        .with(&format!("metadata[{ORDER}]"), State::of(payment).order);
    if REASONS.contains(&refund.reason.as_str()) {
        form.push("reason", &refund.reason);
    } else if !refund.reason.is_empty() {
        form.push("metadata[reason]", refund.reason.chars().take(120).collect::<String>());
    }
    let answer = api.post("/v1/refunds", form, &format!("refund-{}", refund.id))?;
    read(&answer, ctx, refund.id, refund.reason).map_err(|fault| {
        if fault.kind == aistack_sdk::Kind::Provider {
            fault.outcome_unknown()
        } else {
            fault
        }
    })
}

/// Looks a refund up by the platform's id among the payment's refunds.
pub(crate) fn fetch(host: &Host, ctx: &Context, payment: &Payment, id: &str) -> Result<Refund, Fault> {
    let api = Api::open(host, ctx)?;
    let intent = intent_of(&api, ctx, payment)?;
    let page = api.get(
        "/v1/refunds",
        Form::new().with("payment_intent", intent).with("limit", "100"),
    )?;
    let refunds = page["data"].as_array().map_or(&[][..], Vec::as_slice);
    match refunds.iter().find(|r| r["metadata"][REFUND].as_str() == Some(id)) {
        Some(refund) => {
            let reason = refund["metadata"]["reason"]
                .as_str()
                .or_else(|| refund["reason"].as_str());
            read(refund, ctx, id.to_owned(), reason.unwrap_or_default().to_owned())
        }
        None => Err(Fault::not_found(
            "refund_unknown_to_stripe",
            format!("there is no refund {id}"),
        )),
    }
}

fn read(refund: &Value, ctx: &Context, id: String, reason: String) -> Result<Refund, Fault> {
    session::check_mode(refund, ctx)?;
    let amount = match (refund["amount"].as_i64(), refund["currency"].as_str()) {
        (Some(amount), Some(currency)) => amount::from_stripe(amount, currency)?,
        _ => return Err(Fault::provider("answer_unreadable", "a refund without amount")),
    };
    let provider_ref = session::id_of(&refund["id"]).map(str::to_owned);
    Ok(Refund {
        id,
        provider_ref,
        status: status(refund),
        amount,
        reason,
    })
}

/// Where a refund stands. Bank transfers may fail days later, which a `refund.failed` event tells.
pub(crate) fn status(refund: &Value) -> Status {
    match refund["status"].as_str() {
        Some("succeeded") => Status::Paid,
        Some("pending" | "requires_action") => Status::Pending,
        Some("failed") => Status::Failed,
        Some("canceled") => Status::Cancelled,
        _ => Status::Unknown,
    }
}
