//! `aistack quota`.

use super::{Client, Failure, Output, Remote, tenant::segment};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::json;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// What a tenant may use, has used and has left
    #[command(visible_alias = "ls")]
    List(InTenant),
    /// Give a tenant a limit of its own, in force from the next call on
    Set(Set),
    /// Take a tenant's own limit away: the plan's holds again
    Clear(Named),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct InTenant {
    #[command(flatten)]
    remote: Remote,
    /// The tenant
    #[arg(long, value_name = "SLUG")]
    tenant: String,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Named {
    #[command(flatten)]
    place: InTenant,
    /// The meter, such as api.calls
    meter: String,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Set {
    #[command(flatten)]
    named: Named,
    /// 0 or more
    #[arg(required_unless_present = "unlimited", conflicts_with = "unlimited")]
    limit: Option<i64>,
    /// No limit at all
    #[arg(long)]
    unlimited: bool,
}

const COLUMNS: &[(&str, &str)] = &[
    ("METER", "/meter"),
    ("KIND", "/kind"),
    ("LIMIT", "/limit"),
    ("USED", "/used"),
    ("LEFT", "/remaining"),
    ("UNIT", "/unit"),
    ("RESETS", "/reset_at"),
];

impl Named {
    fn path(&self) -> String {
        format!("/api/v1/quotas/{}", segment(&self.meter))
    }
}

impl Command {
    pub(in crate::cli) async fn run(&self, out: &Output) -> Result<(), Failure> {
        match self {
            Self::List(c) => {
                let client = Client::in_tenant(&c.remote, &c.tenant)?;
                out.table(&client.get("/api/v1/quotas").await?, COLUMNS)
            }
            Self::Set(c) => {
                let client = Client::in_tenant(&c.named.place.remote, &c.named.place.tenant)?;
                let limit = json!({ "limit": c.limit });
                out.object(&client.send(Method::PUT, &c.named.path(), Some(&limit)).await?)
            }
            Self::Clear(c) => {
                let client = Client::in_tenant(&c.place.remote, &c.place.tenant)?;
                out.object(&client.send(Method::DELETE, &c.path(), None).await?)
            }
        }
    }
}
