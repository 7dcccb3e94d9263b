//! Operations of the payment world.

use super::{
    arguments::Arguments,
    shared::{bytes_out, money_in, request_in},
};
use crate::Error;
use aistack_core::{Currency, Money, Timestamp};
use aistack_domain::plugins::port::{
    Fault, Invocation, Payment, PaymentAction, PaymentOrder, PaymentPort, PaymentStatus, Refund,
};
use aistack_plugins::PluginHost;
use serde_json::{Map, Value, json};

pub(super) const OPERATIONS: &[&str] = &[
    "payments.create",
    "payments.resume",
    "payments.fetch",
    "payments.capture",
    "payments.cancel",
    "refunds.create",
    "refunds.fetch",
    "settlement.pull",
];

pub(super) async fn call(
    host: &PluginHost,
    inv: Invocation,
    operation: &str,
    mut a: Arguments,
) -> Result<Result<Value, Fault>, Error> {
    let base = inv.base_url.clone();
    Ok(match operation {
        "payments.create" => {
            let order = order_in(a.object("order")?, &base)?;
            a.done()?;
            host.create(inv, order).await.map(payment_out)
        }
        "payments.resume" => {
            let payment = payment_in(a.required("payment", PAYMENT)?)?;
            let back = request_in(a.object("back")?)?;
            a.done()?;
            host.resume(inv, payment, back).await.map(payment_out)
        }
        "payments.fetch" => {
            let (order, reference) = (a.text_or("order_id", "ord_1")?, a.maybe_text("provider_ref")?);
            a.done()?;
            host.fetch(inv, order, reference).await.map(payment_out)
        }
        "payments.capture" => {
            let payment = payment_in(a.required("payment", PAYMENT)?)?;
            let amount = amount_in(&mut a)?;
            let key = a.text_or("key", "key-1")?;
            a.done()?;
            host.capture(inv, payment, amount, key).await.map(payment_out)
        }
        "payments.cancel" => {
            let payment = payment_in(a.required("payment", PAYMENT)?)?;
            let key = a.text_or("key", "key-1")?;
            a.done()?;
            host.cancel(inv, payment, key).await.map(payment_out)
        }
        "refunds.create" => {
            let payment = payment_in(a.required("payment", PAYMENT)?)?;
            let refund = refund_in(a.object("refund")?)?;
            a.done()?;
            host.refund(inv, payment, refund).await.map(|r| refund_out(&r))
        }
        "refunds.fetch" => {
            let payment = payment_in(a.required("payment", PAYMENT)?)?;
            let id = a.text_or("id", "rfd_1")?;
            a.done()?;
            host.refund_fetch(inv, payment, id).await.map(|r| refund_out(&r))
        }
        _ => {
            let (kind, date) = (a.text_or("kind", "trade")?, a.text("date")?);
            let cursor = a.bytes("cursor")?;
            a.done()?;
            host.settlement(inv, kind, date, cursor).await
        }
    })
}

const PAYMENT: &str = "the result of payments.create";

/// Every member may be left out: then it is an order for 5.00 USD.
pub(crate) fn order(value: Value, base_url: &str) -> Result<PaymentOrder, Error> {
    order_in(Arguments::new(value)?, base_url)
}

fn order_in(mut a: Arguments, base: &str) -> Result<PaymentOrder, Error> {
    let id = a.text_or("id", "ord_1")?;
    let order = PaymentOrder {
        amount: money_in(&mut a, "amount")?.unwrap_or(Money::new(500, Currency::USD)),
        description: a.text_or("description", "Test order")?,
        method: a.text_or("method", "")?,
        payer: a.take("payer").unwrap_or_default(),
        capture: a.flag_or("capture", true)?,
        return_url: a.text_or("return_url", &format!("{base}/orders/{id}/return"))?,
        notify_url: a.text_or("notify_url", &format!("{base}/hooks/key/notify"))?,
        expires_ms: a.maybe_number("expires_ms")?,
        idempotency_key: a.text_or("idempotency_key", &id)?,
        metadata: a.pairs("metadata")?,
        extra: a.take("extra").unwrap_or_default(),
        id,
    };
    a.done()?;
    Ok(order)
}

fn amount_in(a: &mut Arguments) -> Result<Money, Error> {
    money_in(a, "amount")?.ok_or_else(|| Error::Argument {
        pointer: "/amount".to_owned(),
        message: "is missing".to_owned(),
        hint: "{ \"minor\": 500, \"currency\": \"USD\" }".to_owned(),
    })
}

fn status_in(a: &mut Arguments, default: PaymentStatus) -> Result<PaymentStatus, Error> {
    match a.maybe_text("status")? {
        None => Ok(default),
        Some(text) => text.parse().map_err(|_| Error::Argument {
            pointer: "/status".to_owned(),
            message: format!("{text:?} is no status"),
            hint: "e.g. created, pending, action-needed, authorised, paid, failed, cancelled".to_owned(),
        }),
    }
}

fn payment_in(mut a: Arguments) -> Result<Payment, Error> {
    let payment = Payment {
        provider_ref: a.text("provider_ref")?,
        status: status_in(&mut a, PaymentStatus::Created)?,
        action: PaymentAction::None,
        paid: money_in(&mut a, "paid")?,
        fee: money_in(&mut a, "fee")?,
        occurred_at: a
            .maybe_number("occurred_ms")?
            .and_then(|ms| i64::try_from(ms).ok())
            .map(Timestamp::from_millis),
        state: a.bytes("state")?.unwrap_or_default(),
        raw: a.take("raw").unwrap_or_else(|| json!({})),
    };
    // What the payer was to do then says nothing now.
    let _ = a.take("action");
    a.done()?;
    Ok(payment)
}

fn refund_in(mut a: Arguments) -> Result<Refund, Error> {
    let refund = Refund {
        id: a.text_or("id", "rfd_1")?,
        provider_ref: a.maybe_text("provider_ref")?,
        status: status_in(&mut a, PaymentStatus::Created)?,
        amount: amount_in(&mut a)?,
        reason: a.text_or("reason", "")?,
    };
    a.done()?;
    Ok(refund)
}

fn payment_out(p: Payment) -> Value {
    let mut out = Map::new();
    let mut put = |name: &str, value: Value| out.insert(name.to_owned(), value);
    put("provider_ref", json!(p.provider_ref));
    put("status", json!(p.status.as_str()));
    put("action", action_out(p.action));
    put("paid", json!(p.paid));
    put("fee", json!(p.fee));
    put("occurred_ms", json!(p.occurred_at.map(Timestamp::as_millis)));
    put("raw", p.raw);
    bytes_out(&mut out, "state", &p.state);
    Value::Object(out)
}

fn action_out(action: PaymentAction) -> Value {
    match action {
        PaymentAction::Redirect(url) => json!({ "redirect": url }),
        PaymentAction::FormPost(url, fields) => json!({ "form_post": { "url": url, "fields": fields } }),
        PaymentAction::Qr(text) => json!({ "qr": text }),
        PaymentAction::Client(value) => json!({ "client": value }),
        PaymentAction::None => Value::Null,
    }
}

fn refund_out(r: &Refund) -> Value {
    json!({ "id": r.id, "provider_ref": r.provider_ref, "status": r.status.as_str(), "amount": r.amount, "reason": r.reason })
}
