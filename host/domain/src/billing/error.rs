//! What can go wrong with orders, and how it reads from outside.

use crate::{FieldError, Problem};
use aistack_core::{OrderId, ProblemKind};
use aistack_store::OrderStatus;

/// A refusal of the order rules.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// Values of a new order that are not acceptable.
    #[error("a value of the order is not acceptable")]
    Invalid(Vec<FieldError>),
    /// The idempotency key stands for another order.
    #[error("this idempotency key was used for an order with other content")]
    KeyReused(OrderId),
    /// The order's status does not allow this.
    #[error("an order that is {status} can't be {what}")]
    Status {
        /// Where it stands.
        status: OrderStatus,
        /// What was asked for.
        what: &'static str,
    },
    /// The provider declined.
    #[error("the payment was declined")]
    Declined(OrderId),
    /// The provider's answer does not fit the order; the text is a stable code.
    #[error("the payment provider's answer does not fit the order ({0}); nothing was changed")]
    Mismatch(&'static str),
}

impl From<OrderError> for Problem {
    fn from(e: OrderError) -> Self {
        let text = e.to_string();
        match e {
            OrderError::Invalid(errors) => Self::invalid(errors),
            OrderError::KeyReused(id) => Self::new(ProblemKind::Conflict, text).with("order", id.to_string()),
            OrderError::Status { status, .. } => {
                Self::new(ProblemKind::Conflict, text).with("order_status", status.as_str())
            }
            OrderError::Declined(id) => Self::new(ProblemKind::PaymentDeclined, text).with("order", id.to_string()),
            OrderError::Mismatch(code) => Self::new(ProblemKind::PluginFailed, text).with("fault", code),
        }
    }
}
