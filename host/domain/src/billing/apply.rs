//! The one place where a provider's word changes an order: what is believed, what is not, and why.

use crate::plugins::port::{Payment, PaymentStatus};
use aistack_core::{Money, OrderId, Timestamp};
use aistack_store::{Order, OrderStatus};
use serde_json::{Value, json};

/// What the provider says about an order, from a verified delivery or a fetch.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Report {
    /// Which order it is about, when the provider says so.
    pub(super) order: Option<OrderId>,
    /// The provider's reference, when the provider says it.
    pub(super) provider_ref: Option<String>,
    /// Where it stands there.
    pub(super) status: PaymentStatus,
    /// What was paid.
    pub(super) paid: Option<Money>,
    /// When.
    pub(super) occurred_at: Option<Timestamp>,
}

impl Report {
    /// From a payment the plugin returned.
    pub(super) fn of_payment(p: &Payment) -> Self {
        Self {
            order: None,
            provider_ref: Some(p.provider_ref.clone()),
            status: p.status,
            paid: p.paid,
            occurred_at: p.occurred_at,
        }
    }
}

/// What a report means for an order.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Verdict {
    /// The order changes to this.
    Change(Box<Order>),
    /// It fits, and changes nothing.
    Same,
    /// It fits but would move the order backwards: set aside.
    Late,
    /// It does not fit the order; the code says how. Nothing may change.
    Mismatch(&'static str, Value),
}

/// The status an order goes to. `None` when it stays. A status never goes backwards: money that has arrived is not
/// forgotten because an older event comes late, but money that arrives after a cancellation or a failed try is money.
#[must_use]
pub fn next_status(now: OrderStatus, at_provider: PaymentStatus) -> Option<OrderStatus> {
    use {OrderStatus as O, PaymentStatus as P};
    match (now, at_provider) {
        // The end of all ways.
        (O::Refunded, _) => None,
        (O::Paid, P::Refunded) => Some(O::Refunded),
        (O::Paid, _) => None,
        (_, P::Paid | P::PartRefunded) => Some(O::Paid),
        (_, P::Refunded) => Some(O::Refunded),
        (O::Failed | O::Cancelled, _) => None,
        (O::Pending, P::Created | P::Pending | P::ActionNeeded | P::Authorised) => None,
        (O::Draft | O::Unknown, P::Created | P::Pending | P::ActionNeeded | P::Authorised) => Some(O::Pending),
        (O::Draft | O::Pending | O::Unknown, P::Failed) => Some(O::Failed),
        (O::Draft | O::Pending | O::Unknown, P::Cancelled) => Some(O::Cancelled),
        // A dispute is a matter for people; the provider's silence says nothing.
        (O::Draft | O::Pending | O::Unknown, P::Disputed | P::Unknown) => None,
    }
}

/// Judges a report.
#[must_use]
pub(super) fn judge(order: &Order, report: &Report, now: Timestamp) -> Verdict {
    if report.order.is_some_and(|id| id != order.id) {
        return Verdict::Mismatch("order_mismatch", json!({ "reported": report.order }));
    }
    if let Some(said) = &report.provider_ref {
        if said.is_empty() || said.len() > 255 || said.chars().any(char::is_control) {
            return Verdict::Mismatch("bad_provider_ref", Value::Null);
        }
        if order.provider_ref.as_ref().is_some_and(|known| known != said) {
            return Verdict::Mismatch(
                "provider_ref_mismatch",
                json!({ "expected": order.provider_ref, "reported": said }),
            );
        }
    }
    let due = Money::new(order.amount_minor, order.currency);
    let says_money_moved = matches!(
        report.status,
        PaymentStatus::Paid | PaymentStatus::PartRefunded | PaymentStatus::Refunded
    );
    match report.paid {
        Some(paid) if paid.currency != due.currency => {
            return Verdict::Mismatch("currency_mismatch", json!({ "expected": due, "reported": paid }));
        }
        Some(paid) if says_money_moved && paid.minor != due.minor => {
            return Verdict::Mismatch("amount_mismatch", json!({ "expected": due, "reported": paid }));
        }
        // Paid, but nobody says how much: that is not proof of anything.
        None if says_money_moved && order.status != OrderStatus::Paid => {
            return Verdict::Mismatch("amount_missing", json!({ "expected": due }));
        }
        _ => {}
    }
    let Some(status) = next_status(order.status, report.status) else {
        return if same_meaning(order.status, report.status) {
            Verdict::Same
        } else {
            Verdict::Late
        };
    };
    let mut new = order.clone();
    new.status = status;
    new.provider_ref = order.provider_ref.clone().or_else(|| report.provider_ref.clone());
    new.updated_at = now;
    if matches!(status, OrderStatus::Paid | OrderStatus::Refunded) && new.paid_minor.is_none() {
        new.paid_minor = Some(due.minor);
        // The provider's clock is believed for the past only.
        new.paid_at = Some(report.occurred_at.map_or(now, |at| at.min(now)));
    }
    if status != OrderStatus::Pending {
        new.action = None;
    }
    Verdict::Change(Box::new(new))
}

fn same_meaning(now: OrderStatus, at_provider: PaymentStatus) -> bool {
    use {OrderStatus as O, PaymentStatus as P};
    match at_provider {
        P::Created | P::Pending | P::ActionNeeded | P::Authorised => now == O::Pending,
        P::Paid | P::PartRefunded => now == O::Paid,
        P::Refunded => now == O::Refunded,
        P::Failed => now == O::Failed,
        P::Cancelled => now == O::Cancelled,
        P::Disputed | P::Unknown => true,
    }
}

/// The audit action of a new status.
pub(super) fn action_of(status: OrderStatus) -> &'static str {
    match status {
        // Back from "unknown": the provider never heard of it.
        OrderStatus::Draft => "order.reopened",
        OrderStatus::Pending => "order.pending",
        OrderStatus::Paid => "order.paid",
        OrderStatus::Failed => "order.failed",
        OrderStatus::Cancelled => "order.cancelled",
        OrderStatus::Refunded => "order.refunded",
        OrderStatus::Unknown => "order.unknown",
    }
}
