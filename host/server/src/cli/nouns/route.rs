//! `aistack route`.

use super::{Client, Failure, Output, Remote, tenant::segment};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::json;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// List the gateway's routes, oldest first
    #[command(visible_alias = "ls")]
    List(Remote),
    /// Add a route, in force at once
    Create(Create),
    /// Replace a route
    Update(Update),
    /// Remove a route; calls under way finish
    #[command(visible_alias = "rm")]
    Delete(Named),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Create {
    #[command(flatten)]
    remote: Remote,
    #[command(flatten)]
    route: Route,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Update {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    route: Route,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Named {
    #[command(flatten)]
    remote: Remote,
    /// `rte_…`
    #[arg(value_name = "ROUTE")]
    id: String,
}

#[derive(Debug, Args)]
struct Route {
    /// Path that the calls begin with, such as /v1/
    path_prefix: String,
    /// Where they go: http(s)://host[:port][/base]
    upstream: String,
    /// Only for this tenant; for all when not given
    #[arg(long, value_name = "SLUG")]
    tenant: Option<String>,
    /// Meter counted by one per call; api.calls when not given
    #[arg(long)]
    meter: Option<String>,
    /// Cut the prefix off before forwarding
    #[arg(long)]
    strip_prefix: bool,
    /// Milliseconds to the first byte of the answer; 30000 when not given
    #[arg(long, value_name = "MS")]
    timeout_ms: Option<i64>,
}

const COLUMNS: &[(&str, &str)] = &[
    ("PREFIX", "/path_prefix"),
    ("UPSTREAM", "/upstream"),
    ("TENANT", "/tenant"),
    ("METER", "/meter"),
    ("STRIP", "/strip_prefix"),
    ("TIMEOUT", "/timeout_ms"),
    ("ID", "/id"),
];

impl Route {
    fn body(&self) -> serde_json::Value {
        let mut body = json!({
            "path_prefix": self.path_prefix,
            "upstream": self.upstream,
            "tenant": self.tenant,
            "strip_prefix": self.strip_prefix,
        });
        if let Some(meter) = &self.meter {
            body["meter"] = json!(meter);
        }
        if let Some(timeout) = self.timeout_ms {
            body["timeout_ms"] = json!(timeout);
        }
        body
    }
}

impl Named {
    fn path(&self) -> String {
        format!("/api/v1/routes/{}", segment(&self.id))
    }
}

impl Command {
    pub(in crate::cli) async fn run(&self, out: &Output) -> Result<(), Failure> {
        match self {
            Self::List(remote) => out.table(&Client::open(remote)?.get("/api/v1/routes").await?, COLUMNS),
            Self::Create(c) => {
                let made = Client::open(&c.remote)?.post("/api/v1/routes", &c.route.body()).await?;
                out.object(&made)
            }
            Self::Update(c) => {
                let client = Client::open(&c.named.remote)?;
                let route = client.send(Method::PUT, &c.named.path(), Some(&c.route.body())).await?;
                out.object(&route)
            }
            Self::Delete(c) => {
                Client::open(&c.remote)?.send(Method::DELETE, &c.path(), None).await?;
                out.value(&json!({ "deleted": c.id }), |w| writeln!(w, "{} is gone", c.id))
            }
        }
    }
}
