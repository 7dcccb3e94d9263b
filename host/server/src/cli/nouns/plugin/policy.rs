//! `aistack plugin`: what operators let plugins do and use.

use super::{Client, Failure, Output, Remote, json_argument, segment};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

/// The most a plugin may be granted.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Ceiling {
    /// Show the most a plugin may be granted, in any tenant or with --tenant in one
    Show(Named),
    /// Set the most a plugin may be granted; counts at once, for calls in flight too
    Set(SetCeiling),
    /// Take a ceiling away
    Clear(Named),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Named {
    #[command(flatten)]
    remote: Remote,
    /// Plugin, e.g. official.stripe
    plugin: String,
    /// One tenant: slug or id
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct SetCeiling {
    #[command(flatten)]
    named: Named,
    /// The most it may be granted as JSON, or @FILE, in the form of an installation's grants; hosts may begin with `*.`
    #[arg(long, value_name = "JSON", required_unless_present = "forbid")]
    grants: Option<String>,
    /// Don't let it be used at all
    #[arg(long)]
    forbid: bool,
}

/// What plugins of a plan or of a tenant may do and use.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Limits {
    /// Show what a plan or a tenant allows
    Show(Whose),
    /// Set it; counts at once
    Set(SetLimits),
    /// Let the platform's own, or the plan's, hold again
    Clear(Whose),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Whose {
    #[command(flatten)]
    remote: Remote,
    /// A plan: free, basic, professional or enterprise
    #[arg(
        long,
        value_name = "PLAN",
        required_unless_present = "tenant",
        conflicts_with = "tenant"
    )]
    plan: Option<String>,
    /// A tenant: slug or id
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct SetLimits {
    #[command(flatten)]
    whose: Whose,
    /// The whole terms as JSON, or @FILE
    #[arg(long, value_name = "JSON")]
    terms: Option<String>,
    /// Plugins enabled at most
    #[arg(long)]
    installations: Option<u32>,
    /// Calls per second
    #[arg(long)]
    calls_per_second: Option<u32>,
    /// Processor time within a minute, milliseconds
    #[arg(long)]
    cpu_ms_per_minute: Option<u64>,
    /// Bytes sent and received within a day
    #[arg(long)]
    egress_bytes_per_day: Option<u64>,
    /// Key-value state of all plugins together, bytes
    #[arg(long)]
    kv_bytes: Option<u64>,
}

impl Named {
    fn path(&self) -> String {
        let plugin = segment(&self.plugin);
        match &self.tenant {
            Some(tenant) => format!("/api/v1/tenants/{}/plugins/{plugin}/ceiling", segment(tenant)),
            None => format!("/api/v1/plugins/{plugin}/ceiling"),
        }
    }
}

impl Ceiling {
    pub(super) async fn run(&self, out: &Output) -> Result<(), Failure> {
        match self {
            Self::Show(c) => out.object(&Client::open(&c.remote)?.get(&c.path()).await?),
            Self::Set(c) => {
                let mut body = json!({ "allowed": !c.forbid });
                if let Some(grants) = &c.grants {
                    body["grants"] = json_argument(grants, "--grants")?;
                }
                let client = Client::open(&c.named.remote)?;
                out.object(&client.send(Method::PUT, &c.named.path(), Some(&body)).await?)
            }
            Self::Clear(c) => {
                Client::open(&c.remote)?.send(Method::DELETE, &c.path(), None).await?;
                out.value(&json!({ "cleared": c.plugin }), |w| writeln!(w, "cleared {}", c.plugin))
            }
        }
    }
}

impl Whose {
    fn path(&self) -> String {
        match (&self.plan, &self.tenant) {
            (Some(plan), _) => format!("/api/v1/plans/{}/plugin-terms", segment(plan)),
            (None, tenant) => {
                let tenant = segment(tenant.as_deref().unwrap_or_default());
                format!("/api/v1/tenants/{tenant}/plugin-terms")
            }
        }
    }
}

impl Limits {
    pub(super) async fn run(&self, out: &Output) -> Result<(), Failure> {
        match self {
            Self::Show(c) => out.object(&Client::open(&c.remote)?.get(&c.path()).await?),
            Self::Set(c) => {
                let client = Client::open(&c.whose.remote)?;
                let path = c.whose.path();
                // Single figures change what is there; a whole document replaces it.
                let mut body = match &c.terms {
                    Some(terms) => json_argument(terms, "--terms")?,
                    None => client.get(&path).await?,
                };
                c.figures(&mut body)?;
                out.object(&client.send(Method::PUT, &path, Some(&body)).await?)
            }
            Self::Clear(c) => {
                Client::open(&c.remote)?.send(Method::DELETE, &c.path(), None).await?;
                out.value(&json!({ "cleared": true }), |w| writeln!(w, "cleared"))
            }
        }
    }
}

impl SetLimits {
    fn figures(&self, body: &mut Value) -> Result<(), Failure> {
        let members = body
            .as_object_mut()
            .ok_or_else(|| Failure::Usage("--terms is not a JSON object".to_owned()))?;
        for (name, figure) in [
            ("installations", self.installations.map(u64::from)),
            ("calls_per_second", self.calls_per_second.map(u64::from)),
            ("cpu_ms_per_minute", self.cpu_ms_per_minute),
            ("egress_bytes_per_day", self.egress_bytes_per_day),
            ("kv_bytes", self.kv_bytes),
        ] {
            if let Some(figure) = figure {
                members.insert(name.to_owned(), json!(figure));
            }
        }
        Ok(())
    }
}
