//! Orders, deliveries received from payment providers, report runs and files.

use crate::{Page, Result};
use aistack_core::{Currency, DeliveryId, FileId, InstallationId, OrderId, ReportRunId, Timestamp, text_enum};
use uuid::Uuid;

text_enum! {
    /// Where an order stands. Only a verified event or a fetched status moves it to `paid`.
    pub enum OrderStatus {
        /// Not sent to a provider yet.
        Draft = "draft",
        /// At the provider.
        Pending = "pending",
        /// Paid in full.
        Paid = "paid",
        /// Declined or failed.
        Failed = "failed",
        /// Cancelled or expired.
        Cancelled = "cancelled",
        /// Given back.
        Refunded = "refunded",
        /// The provider's answer is missing; being looked up.
        Unknown = "unknown",
    }
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Id.
    pub id: OrderId,
    /// Number for people, gapless per tenant from 1.
    pub number: i64,
    /// Minor units.
    pub amount_minor: i64,
    /// Currency.
    pub currency: Currency,
    /// What for.
    pub description: String,
    /// Status.
    pub status: OrderStatus,
    /// The payment installation.
    pub installation_id: InstallationId,
    /// Provider's reference.
    pub provider_ref: Option<String>,
    /// What the payer has to do (JSON), while pending.
    pub action: Option<String>,
    /// The plugin's opaque payment state.
    pub plugin_state: Vec<u8>,
    /// Client's idempotency key; unique when given.
    pub idempotency_key: Option<String>,
    /// Minor units paid.
    pub paid_minor: Option<i64>,
    /// User or operator who made it.
    pub created_by: Option<Uuid>,
    /// When made.
    pub created_at: Timestamp,
    /// When last changed.
    pub updated_at: Timestamp,
    /// When paid.
    pub paid_at: Option<Timestamp>,
}

/// A delivery on an inbound endpoint, stored raw before anything else happens with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Id.
    pub id: DeliveryId,
    /// Installation.
    pub installation_id: InstallationId,
    /// Endpoint name.
    pub endpoint: String,
    /// Headers as JSON array of pairs.
    pub headers: String,
    /// The exact body.
    pub body: Vec<u8>,
    /// When received.
    pub received_at: Timestamp,
    /// `received`, `applied`, `duplicate`, `rejected`, `failed`.
    pub status: String,
    /// Fault code when rejected or failed.
    pub code: Option<String>,
}

/// Reading orders.
#[async_trait::async_trait]
pub trait OrdersRead: Send {
    /// By id.
    async fn get(&mut self, id: OrderId) -> Result<Option<Order>>;
    /// By the client's idempotency key.
    async fn find_by_key(&mut self, key: &str) -> Result<Option<Order>>;
    /// A page; `q` looks in description and provider reference.
    async fn list(&mut self, page: &Page, status: Option<OrderStatus>) -> Result<Vec<Order>>;
    /// A delivery.
    async fn delivery(&mut self, id: DeliveryId) -> Result<Option<Delivery>>;
    /// Deliveries of an installation.
    async fn deliveries(&mut self, installation: InstallationId, page: &Page) -> Result<Vec<Delivery>>;
}

/// Changing orders.
#[async_trait::async_trait]
pub trait Orders: OrdersRead {
    /// The next number: counts up in the row of the tenant, so numbers have no gaps.
    async fn next_number(&mut self) -> Result<i64>;
    /// Adds one.
    async fn insert(&mut self, order: &Order) -> Result<()>;
    /// Replaces what may change, if the row's status still is `expected`; else `Conflict`.
    async fn update(&mut self, order: &Order, expected: OrderStatus) -> Result<()>;
    /// Marks a provider event as applied; false when it was before (then nothing may be applied again).
    async fn claim_event(
        &mut self,
        installation: InstallationId,
        event_id: &str,
        kind: &str,
        at: Timestamp,
    ) -> Result<bool>;
    /// Stores a delivery.
    async fn insert_delivery(&mut self, delivery: &Delivery) -> Result<()>;
    /// Sets what came of it.
    async fn set_delivery_status(&mut self, id: DeliveryId, status: &str, code: Option<&str>) -> Result<()>;
}

text_enum! {
    /// Where a report run stands.
    pub enum RunStatus {
        /// Waiting.
        Queued = "queued",
        /// Running.
        Running = "running",
        /// Finished with a file.
        Succeeded = "succeeded",
        /// Failed.
        Failed = "failed",
        /// Cancelled by a person.
        Cancelled = "cancelled",
    }
}

/// One run of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportRun {
    /// Id.
    pub id: ReportRunId,
    /// The report installation.
    pub installation_id: InstallationId,
    /// Report name in the manifest.
    pub report: String,
    /// Format.
    pub format: String,
    /// Parameters (JSON).
    pub params: String,
    /// Status.
    pub status: RunStatus,
    /// 0..=100.
    pub progress: i64,
    /// Why it failed (JSON problem).
    pub error: Option<String>,
    /// The generator's own summary (JSON).
    pub summary: Option<String>,
    /// User or operator.
    pub requested_by: Option<Uuid>,
    /// When asked for.
    pub created_at: Timestamp,
    /// When ended.
    pub finished_at: Option<Timestamp>,
}

/// A file of a run; bytes lie in the object store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRow {
    /// Id.
    pub id: FileId,
    /// Run.
    pub run_id: ReportRunId,
    /// Name.
    pub name: String,
    /// Media type.
    pub media_type: String,
    /// Bytes.
    pub bytes: i64,
    /// SHA-256, hex.
    pub sha256: String,
    /// Key in the object store.
    pub object_key: String,
    /// When made.
    pub created_at: Timestamp,
}

/// Reading report runs.
#[async_trait::async_trait]
pub trait ReportsRead: Send {
    /// By id.
    async fn get(&mut self, id: ReportRunId) -> Result<Option<ReportRun>>;
    /// A page; `q` looks in the report name.
    async fn list(&mut self, page: &Page, status: Option<RunStatus>) -> Result<Vec<ReportRun>>;
    /// Files of a run.
    async fn files(&mut self, run: ReportRunId) -> Result<Vec<FileRow>>;
}

/// Changing report runs.
#[async_trait::async_trait]
pub trait Reports: ReportsRead {
    /// Adds one.
    async fn insert(&mut self, run: &ReportRun) -> Result<()>;
    /// Replaces what may change, if the row's status still is `expected`; else `Conflict`.
    async fn update(&mut self, run: &ReportRun, expected: RunStatus) -> Result<()>;
    /// Adds a file.
    async fn insert_file(&mut self, file: &FileRow) -> Result<()>;
}
