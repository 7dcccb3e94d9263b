//! Payment through a plugin: `aistack:payment/payments` and `refunds`.

use super::{Fault, HttpRequest, Invocation};
use aistack_core::{Money, Timestamp, text_enum};
use serde_json::Value;

/// What is to be paid.
#[derive(Debug, Clone, PartialEq)]
pub struct PaymentOrder {
    /// The platform's order id; comes back in events as their subject.
    pub id: String,
    /// How much.
    pub amount: Money,
    /// What for, for people.
    pub description: String,
    /// Method within the provider, e.g. `checkout`, `native`; empty for its default.
    pub method: String,
    /// Who pays: `{email?, name?, locale?}`.
    pub payer: Value,
    /// Capture at once (true) or authorise only.
    pub capture: bool,
    /// Where the browser comes back to.
    pub return_url: String,
    /// Where the provider reports.
    pub notify_url: String,
    /// When the offer ends (Unix milliseconds).
    pub expires_ms: Option<u64>,
    /// Idempotency key for the provider.
    pub idempotency_key: String,
    /// Carried along at the provider.
    pub metadata: Vec<(String, String)>,
    /// Anything else.
    pub extra: Value,
}

text_enum! {
    /// Where a payment stands at the provider.
    pub enum PaymentStatus {
        /// Made, nothing else happened.
        Created = "created",
        /// In progress at the provider.
        Pending = "pending",
        /// The payer has to act.
        ActionNeeded = "action-needed",
        /// Reserved, not captured.
        Authorised = "authorised",
        /// Paid.
        Paid = "paid",
        /// Part of it given back.
        PartRefunded = "part-refunded",
        /// All of it given back.
        Refunded = "refunded",
        /// Declined or failed.
        Failed = "failed",
        /// Cancelled or expired.
        Cancelled = "cancelled",
        /// Disputed by the payer.
        Disputed = "disputed",
        /// The provider can't say.
        Unknown = "unknown",
    }
}

/// What the payer has to do.
#[derive(Debug, Clone, PartialEq)]
pub enum PaymentAction {
    /// Go there.
    Redirect(String),
    /// Post this form.
    FormPost(String, Vec<(String, String)>),
    /// Scan this.
    Qr(String),
    /// Hand this to the provider's own client.
    Client(Value),
    /// Nothing.
    None,
}

/// A payment as the provider sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Payment {
    /// The provider's reference.
    pub provider_ref: String,
    /// Where it stands.
    pub status: PaymentStatus,
    /// What the payer has to do.
    pub action: PaymentAction,
    /// What was paid.
    pub paid: Option<Money>,
    /// The provider's fee.
    pub fee: Option<Money>,
    /// When the status was reached.
    pub occurred_at: Option<Timestamp>,
    /// Opaque state for later calls.
    pub state: Vec<u8>,
    /// The provider's answer, for support.
    pub raw: Value,
}

/// A refund.
#[derive(Debug, Clone, PartialEq)]
pub struct Refund {
    /// The platform's refund id (idempotency key).
    pub id: String,
    /// The provider's reference.
    pub provider_ref: Option<String>,
    /// Where it stands.
    pub status: PaymentStatus,
    /// How much.
    pub amount: Money,
    /// Why.
    pub reason: String,
}

/// `aistack:payment/*` as the domain calls it. `Ok` with status `failed` is a decline; `Err` with
/// `outcome_unknown` means: fetch before anything else.
#[async_trait::async_trait]
pub trait PaymentPort: Send + Sync {
    /// Creates the payment at the provider.
    async fn create(&self, inv: Invocation, order: PaymentOrder) -> Result<Payment, Fault>;
    /// The browser came back; never proof of payment by itself.
    async fn resume(&self, inv: Invocation, payment: Payment, back: HttpRequest) -> Result<Payment, Fault>;
    /// Looks it up.
    async fn fetch(&self, inv: Invocation, order_id: String, provider_ref: Option<String>) -> Result<Payment, Fault>;
    /// Closes an unpaid payment.
    async fn cancel(&self, inv: Invocation, payment: Payment, key: String) -> Result<Payment, Fault>;
    /// Gives money back.
    async fn refund(&self, inv: Invocation, payment: Payment, refund: Refund) -> Result<Refund, Fault>;
}
