//! `aistack:payment/*` as the domain's `PaymentPort`.

use super::{
    bindings::{
        payment::exports::aistack::payment::{payments as wit, refunds as wit_refunds},
        types,
    },
    common::operation,
    convert as c,
};
use crate::host::PluginHost;
use aistack_domain::plugins::port::{
    Fault, HttpRequest, Invocation, Payment, PaymentAction, PaymentOrder, PaymentPort, PaymentStatus, Refund,
};

/// Most bytes of plugin state the platform keeps with a payment.
const MAX_STATE: usize = 16 << 10;

fn order_out(o: PaymentOrder) -> wit::Order {
    wit::Order {
        id: o.id,
        amount: c::money_out(o.amount),
        description: o.description,
        method: o.method,
        payer: c::object_out(&o.payer),
        capture: o.capture,
        return_url: o.return_url,
        notify_url: o.notify_url,
        expires_ms: o.expires_ms,
        // Charges under an agreement come with the agreements themselves; no use case of the domain makes one yet.
        agreement: None,
        idempotency_key: o.idempotency_key,
        metadata: c::pairs_out(o.metadata),
        extra: c::object_out(&o.extra),
    }
}

fn status_in(s: wit::Status) -> PaymentStatus {
    match s {
        wit::Status::Created => PaymentStatus::Created,
        wit::Status::Pending => PaymentStatus::Pending,
        wit::Status::ActionNeeded => PaymentStatus::ActionNeeded,
        wit::Status::Authorised => PaymentStatus::Authorised,
        wit::Status::Paid => PaymentStatus::Paid,
        wit::Status::PartRefunded => PaymentStatus::PartRefunded,
        wit::Status::Refunded => PaymentStatus::Refunded,
        wit::Status::Failed => PaymentStatus::Failed,
        wit::Status::Cancelled => PaymentStatus::Cancelled,
        wit::Status::Disputed => PaymentStatus::Disputed,
        wit::Status::Unknown => PaymentStatus::Unknown,
    }
}

fn status_out(s: PaymentStatus) -> wit::Status {
    match s {
        PaymentStatus::Created => wit::Status::Created,
        PaymentStatus::Pending => wit::Status::Pending,
        PaymentStatus::ActionNeeded => wit::Status::ActionNeeded,
        PaymentStatus::Authorised => wit::Status::Authorised,
        PaymentStatus::Paid => wit::Status::Paid,
        PaymentStatus::PartRefunded => wit::Status::PartRefunded,
        PaymentStatus::Refunded => wit::Status::Refunded,
        PaymentStatus::Failed => wit::Status::Failed,
        PaymentStatus::Cancelled => wit::Status::Cancelled,
        PaymentStatus::Disputed => wit::Status::Disputed,
        PaymentStatus::Unknown => wit::Status::Unknown,
    }
}

/// An address the payer's browser is sent to; wallets have schemes of their own, scripts do not pass.
fn url_in(url: String) -> Result<String, Fault> {
    const SCRIPTS: [&str; 5] = ["javascript", "data", "vbscript", "file", "blob"];
    match url::Url::parse(&url) {
        Ok(u) if !SCRIPTS.contains(&u.scheme()) => Ok(url),
        _ => Err(c::bad_output(
            "an address for the browser is not a URL the platform sends people to",
        )),
    }
}

fn action_in(a: wit::Action) -> Result<PaymentAction, Fault> {
    Ok(match a {
        wit::Action::Redirect(url) => PaymentAction::Redirect(url_in(url)?),
        wit::Action::FormPost((url, fields)) => PaymentAction::FormPost(url_in(url)?, c::pairs_in(fields)),
        wit::Action::Qr(text) => PaymentAction::Qr(text),
        wit::Action::Client(json) => PaymentAction::Client(c::json_in(&json, "action.client")?),
        wit::Action::None => PaymentAction::None,
    })
}

fn action_out(a: PaymentAction) -> wit::Action {
    match a {
        PaymentAction::Redirect(url) => wit::Action::Redirect(url),
        PaymentAction::FormPost(url, fields) => wit::Action::FormPost((url, c::pairs_out(fields))),
        PaymentAction::Qr(text) => wit::Action::Qr(text),
        PaymentAction::Client(json) => wit::Action::Client(c::object_out(&json)),
        PaymentAction::None => wit::Action::None,
    }
}

pub(super) fn payment_in(p: wit::Payment) -> Result<Payment, Fault> {
    if p.state.len() > MAX_STATE {
        return Err(c::bad_output("a payment's state has at most 16 KiB"));
    }
    let paid = p.paid.as_ref().map(c::money_in).transpose()?;
    if paid.is_some_and(|m| m.minor < 0) {
        return Err(c::bad_output("what was paid is negative"));
    }
    Ok(Payment {
        provider_ref: p.provider_ref,
        status: status_in(p.status),
        action: action_in(p.action)?,
        paid,
        fee: p.fee.as_ref().map(c::money_in).transpose()?,
        occurred_at: p.occurred_ms.map(c::millis_in).transpose()?,
        state: p.state,
        raw: c::json_in(&p.raw, "payment.raw")?,
    })
}

pub(super) fn payment_out(p: Payment) -> wit::Payment {
    wit::Payment {
        provider_ref: p.provider_ref,
        status: status_out(p.status),
        action: action_out(p.action),
        paid: p.paid.map(c::money_out),
        fee: p.fee.map(c::money_out),
        occurred_ms: p.occurred_at.map(|t| u64::try_from(t.as_millis()).unwrap_or(0)),
        state: p.state,
        raw: c::object_out(&p.raw),
    }
}

pub(super) fn refund_in(r: wit_refunds::Refund) -> Result<Refund, Fault> {
    Ok(Refund {
        amount: c::money_in(&r.amount)?,
        id: r.id,
        provider_ref: r.provider_ref,
        status: status_in(r.status),
        reason: r.reason,
    })
}

fn refund_out(r: Refund) -> wit_refunds::Refund {
    wit_refunds::Refund {
        id: r.id,
        provider_ref: r.provider_ref,
        status: status_out(r.status),
        amount: c::money_out(r.amount),
        reason: r.reason,
    }
}

operation!(pub(super) fn create(order: wit::Order) -> Payment
    = "aistack:payment/payments#create"(&order), payment_in);
operation!(pub(super) fn resume(payment: wit::Payment, back: types::HttpRequest) -> Payment
    = "aistack:payment/payments#resume"(&payment, &back), payment_in);
operation!(pub(super) fn fetch(order_id: String, provider_ref: Option<String>) -> Payment
    = "aistack:payment/payments#fetch"(&order_id, provider_ref.as_deref()), payment_in);
operation!(pub(super) fn cancel(payment: wit::Payment, key: String) -> Payment
    = "aistack:payment/payments#cancel"(&payment, &key), payment_in);
operation!(pub(super) fn refund(payment: wit::Payment, refund: wit_refunds::Refund) -> Refund
    = "aistack:payment/refunds#create"(&payment, &refund), refund_in);

#[async_trait::async_trait]
impl PaymentPort for PluginHost {
    async fn create(&self, inv: Invocation, order: PaymentOrder) -> Result<Payment, Fault> {
        self.run(inv, "payments.create", create(Some((order_out(order),))))
            .await
    }

    async fn resume(&self, inv: Invocation, payment: Payment, back: HttpRequest) -> Result<Payment, Fault> {
        let given = (payment_out(payment), c::request_out(back));
        self.run(inv, "payments.resume", resume(Some(given))).await
    }

    async fn fetch(&self, inv: Invocation, order_id: String, provider_ref: Option<String>) -> Result<Payment, Fault> {
        self.run(inv, "payments.fetch", fetch(Some((order_id, provider_ref))))
            .await
    }

    async fn cancel(&self, inv: Invocation, payment: Payment, key: String) -> Result<Payment, Fault> {
        let given = (payment_out(payment), key);
        self.run(inv, "payments.cancel", cancel(Some(given))).await
    }

    async fn refund(&self, inv: Invocation, payment: Payment, refund: Refund) -> Result<Refund, Fault> {
        let given = (payment_out(payment), refund_out(refund));
        self.run(inv, "refunds.create", self::refund(Some(given))).await
    }
}
