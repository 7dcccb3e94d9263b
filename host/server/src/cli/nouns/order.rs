//! `aistack order`.

use super::{Client, Failure, Output, Remote, client::Paging, tenant::segment};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::json;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// List the orders of a tenant, newest first
    #[command(visible_alias = "ls")]
    List(List),
    /// Make an order
    Create(Create),
    /// Show one
    Show(Named),
    /// Ask the provider for the payment; says where to pay
    Pay(Named),
    /// Look the payment up at the provider
    Refresh(Named),
    /// Cancel an unpaid order
    Cancel(Named),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct List {
    #[command(flatten)]
    remote: Remote,
    /// The tenant
    #[arg(long, value_name = "SLUG")]
    tenant: String,
    /// Only with this status
    #[arg(long)]
    status: Option<String>,
    /// Text in description or provider reference
    #[arg(long, short)]
    query: Option<String>,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Create {
    #[command(flatten)]
    remote: Remote,
    /// The tenant
    #[arg(long, value_name = "SLUG")]
    tenant: String,
    /// Amount in minor units: cents, fen, yen
    #[arg(long, value_name = "N")]
    minor: i64,
    /// ISO 4217 code
    #[arg(long, default_value = "USD")]
    currency: String,
    /// What for
    #[arg(long)]
    description: String,
    /// `ins_…` of the payment plugin
    #[arg(long, value_name = "ID")]
    installation: String,
    /// The same key with the same content gives the same order
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Named {
    #[command(flatten)]
    remote: Remote,
    /// `ord_…`
    order: String,
    /// The tenant
    #[arg(long, value_name = "SLUG")]
    tenant: String,
}

const COLUMNS: &[(&str, &str)] = &[
    ("NO", "/number"),
    ("STATUS", "/status"),
    ("MINOR", "/amount/minor"),
    ("CURRENCY", "/amount/currency"),
    ("DESCRIPTION", "/description"),
    ("CREATED", "/created_at"),
    ("ID", "/id"),
];

impl Command {
    pub(in crate::cli) async fn run(&self, out: &Output) -> Result<(), Failure> {
        match self {
            Self::List(c) => {
                let parameters = c.paging.query(&[("status", c.status.clone()), ("q", c.query.clone())]);
                let client = Client::in_tenant(&c.remote, &c.tenant)?;
                out.table(&client.get(&format!("/api/v1/orders{parameters}")).await?, COLUMNS)
            }
            Self::Create(c) => {
                let mut body = json!({
                    "amount": { "minor": c.minor, "currency": c.currency },
                    "description": c.description,
                    "installation": c.installation,
                });
                if let Some(key) = &c.idempotency_key {
                    body["idempotency_key"] = json!(key);
                }
                let client = Client::in_tenant(&c.remote, &c.tenant)?;
                out.object(&client.post("/api/v1/orders", &body).await?)
            }
            Self::Show(c) => {
                let client = Client::in_tenant(&c.remote, &c.tenant)?;
                out.object(&client.get(&c.path()).await?)
            }
            Self::Pay(c) => c.post("pay", out).await,
            Self::Refresh(c) => c.post("refresh", out).await,
            Self::Cancel(c) => c.post("cancel", out).await,
        }
    }
}

impl Named {
    fn path(&self) -> String {
        format!("/api/v1/orders/{}", segment(&self.order))
    }
    async fn post(&self, verb: &str, out: &Output) -> Result<(), Failure> {
        let client = Client::in_tenant(&self.remote, &self.tenant)?;
        let path = format!("{}/{verb}", self.path());
        out.object(&client.send(Method::POST, &path, None).await?)
    }
}
