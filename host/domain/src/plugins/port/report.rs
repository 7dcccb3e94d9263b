//! Reports through a plugin: `aistack:report/generator`, and the datasets a generator may read.

use super::{Fault, Invocation};
use aistack_core::Timestamp;
use serde_json::Value;

/// One cell of a dataset.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Nothing.
    Null,
    /// Text.
    Text(String),
    /// A whole number.
    Int(i64),
    /// A decimal number as text, exact.
    Decimal(String),
    /// An instant.
    Time(Timestamp),
    /// A calendar day `YYYY-MM-DD` in the tenant's time zone.
    Date(String),
    /// Yes or no.
    Flag(bool),
}

/// A column of a dataset.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Column {
    /// Stable name.
    pub name: String,
    /// `text`, `int`, `decimal`, `time`, `date` or `flag`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Label, English.
    pub label_en: String,
    /// Label, Chinese.
    pub label_zh: String,
    /// Unit, e.g. `calls`; empty when there is none.
    pub unit: String,
}

/// An open dataset: already filtered to the tenant and to what the viewer may see.
#[async_trait::async_trait]
pub trait DatasetRows: Send {
    /// The columns, in cell order.
    fn columns(&self) -> &[Column];
    /// Up to `max` rows; empty at the end.
    async fn next(&mut self, max: u32) -> Result<Vec<Vec<Cell>>, Fault>;
}

/// Where a generator writes a file.
#[async_trait::async_trait]
pub trait FileWriter: Send {
    /// Appends.
    async fn write(&mut self, bytes: &[u8]) -> Result<(), Fault>;
    /// Makes the file durable; returns the name it is listed under.
    async fn finish(self: Box<Self>) -> Result<String, Fault>;
}

/// What to generate.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportRequest {
    /// Report name from the manifest, e.g. `usage`.
    pub report: String,
    /// Parameters, valid by the report's schema.
    pub params: Value,
    /// A format from the manifest, e.g. `csv`, `xlsx`.
    pub format: String,
}

/// `aistack:report/generator` as the domain calls it.
#[async_trait::async_trait]
pub trait ReportPort: Send + Sync {
    /// Runs a report; files are written through [`super::HostServices::create_file`]. Returns a summary.
    async fn run(&self, inv: Invocation, request: ReportRequest) -> Result<Value, Fault>;
}
