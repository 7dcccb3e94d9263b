//! `aistack domain`.

use super::{Client, Failure, Output, Remote, tenant::segment};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::json;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// List a tenant's own domains
    #[command(visible_alias = "ls")]
    List(InTenant),
    /// Add a domain; the answer says which TXT record proves it
    Add(Named),
    /// Look for the TXT record now
    Verify(Named),
    /// Make a proven domain the one that links use
    Primary(Named),
    /// Remove a domain; it stops working at once
    #[command(visible_alias = "rm")]
    Remove(Named),
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
    /// Like app.example.com
    domain: String,
}

const COLUMNS: &[(&str, &str)] = &[
    ("DOMAIN", "/domain"),
    ("STATUS", "/status"),
    ("PRIMARY", "/primary"),
    ("LAST CHECK", "/checked_at"),
    ("ERROR", "/last_error"),
    ("TXT NAME", "/challenge/name"),
    ("TXT VALUE", "/challenge/value"),
];

impl InTenant {
    fn client(&self) -> Result<Client, Failure> {
        Client::in_tenant(&self.remote, &self.tenant)
    }
}

impl Named {
    fn path(&self) -> String {
        format!("/api/v1/domains/{}", segment(&self.domain))
    }
    async fn post(&self, verb: &str, out: &Output) -> Result<(), Failure> {
        let path = format!("{}/{verb}", self.path());
        out.object(&self.place.client()?.send(Method::POST, &path, None).await?)
    }
}

impl Command {
    pub(in crate::cli) async fn run(&self, out: &Output) -> Result<(), Failure> {
        match self {
            Self::List(c) => out.table(&c.client()?.get("/api/v1/domains").await?, COLUMNS),
            Self::Add(c) => {
                let body = json!({ "domain": c.domain });
                let added = c.place.client()?.post("/api/v1/domains", &body).await?;
                out.value(&added, |w| {
                    let text = |pointer: &str| added.pointer(pointer).and_then(|v| v.as_str()).unwrap_or_default();
                    writeln!(w, "{} is to be proven. Publish this record:", text("/domain"))?;
                    writeln!(
                        w,
                        "  {}  TXT  \"{}\"",
                        text("/challenge/name"),
                        text("/challenge/value")
                    )?;
                    if !text("/target").is_empty() {
                        writeln!(w, "and point the domain here:")?;
                        writeln!(w, "  {}  CNAME  {}", text("/domain"), text("/target"))?;
                    }
                    writeln!(
                        w,
                        "then: aistack domain verify --tenant {} {}",
                        c.place.tenant,
                        text("/domain")
                    )
                })
            }
            Self::Verify(c) => c.post("verify", out).await,
            Self::Primary(c) => c.post("primary", out).await,
            Self::Remove(c) => {
                c.place.client()?.send(Method::DELETE, &c.path(), None).await?;
                out.value(&json!({ "removed": c.domain }), |w| writeln!(w, "{} is gone", c.domain))
            }
        }
    }
}
