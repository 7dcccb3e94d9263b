//! `aistack tenant`.

use super::{Client, Failure, Output, Remote, client::Paging, sign_in::password};
use clap::{Args, Subcommand};
use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// List tenants, newest first
    #[command(visible_alias = "ls")]
    List(List),
    /// Make a tenant and its first owner
    Create(Create),
    /// Show one
    Show(Named),
    /// Give it another slug; the old address sends people on for 90 days
    Rename(Rename),
    /// Close it to its people; nothing is lost
    Suspend(WithReason),
    /// Open it again
    Activate(WithReason),
    /// Close it for good: in 30 days everything of it is erased
    Close(WithReason),
    /// Take closing back
    Restore(WithReason),
    /// Erase a tenant that is closing, now and for good
    Purge(Purge),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct List {
    #[command(flatten)]
    remote: Remote,
    /// Only in this state
    #[arg(long)]
    status: Option<String>,
    /// Text in slug or name
    #[arg(long, short)]
    query: Option<String>,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Create {
    #[command(flatten)]
    remote: Remote,
    /// DNS label: 2 to 40 of a-z, 0-9 and hyphens
    slug: String,
    /// Name; the slug when not given
    #[arg(long)]
    name: Option<String>,
    /// Plan code
    #[arg(long)]
    plan: Option<String>,
    /// Language, `en` or `zh`
    #[arg(long)]
    locale: Option<String>,
    /// IANA time zone
    #[arg(long)]
    time_zone: Option<String>,
    /// ISO 4217 code
    #[arg(long)]
    currency: Option<String>,
    /// `row`, `schema` or `database`
    #[arg(long)]
    isolation: Option<String>,
    /// E-mail address of the first owner
    #[arg(long)]
    owner_email: Option<String>,
    /// Name of the first owner; the address when not given
    #[arg(long, requires = "owner_email")]
    owner_name: Option<String>,
    /// Read the owner's password from standard input; without one they sign in through a connection
    #[arg(long, requires = "owner_email")]
    owner_password_stdin: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Named {
    #[command(flatten)]
    remote: Remote,
    /// Slug or id
    tenant: String,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Rename {
    #[command(flatten)]
    named: Named,
    /// The new slug
    slug: String,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct WithReason {
    #[command(flatten)]
    named: Named,
    /// Why; kept in the audit log
    #[arg(long)]
    reason: String,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Purge {
    #[command(flatten)]
    why: WithReason,
    /// The tenant's slug, once more
    #[arg(long)]
    confirm: String,
}

const COLUMNS: &[(&str, &str)] = &[
    ("SLUG", "/slug"),
    ("NAME", "/name"),
    ("STATUS", "/status"),
    ("PLAN", "/plan"),
    ("URL", "/url"),
    ("ID", "/id"),
];

impl Command {
    pub(in crate::cli) async fn run(&self, out: &Output) -> Result<(), Failure> {
        match self {
            Self::List(c) => {
                let parameters = c.paging.query(&[("status", c.status.clone()), ("q", c.query.clone())]);
                let list = Client::open(&c.remote)?
                    .get(&format!("/api/v1/tenants{parameters}"))
                    .await?;
                out.table(&list, COLUMNS)
            }
            Self::Create(c) => {
                let tenant = Client::open(&c.remote)?.post("/api/v1/tenants", &c.body()?).await?;
                out.object(&tenant)
            }
            Self::Show(c) => {
                let tenant = Client::open(&c.remote)?
                    .get(&format!("/api/v1/tenants/{}", segment(&c.tenant)))
                    .await?;
                out.object(&tenant)
            }
            Self::Rename(c) => {
                let path = format!("/api/v1/tenants/{}/slug", segment(&c.named.tenant));
                let body = json!({ "slug": c.slug });
                let client = Client::open(&c.named.remote)?;
                out.object(&client.send(Method::PUT, &path, Some(&body)).await?)
            }
            Self::Suspend(c) => c.post("suspend", out).await,
            Self::Activate(c) => c.post("activate", out).await,
            Self::Close(c) => c.post("close", out).await,
            Self::Restore(c) => c.post("restore", out).await,
            Self::Purge(c) => {
                let path = format!("/api/v1/tenants/{}/purge", segment(&c.why.named.tenant));
                let body = json!({ "reason": c.why.reason, "confirm": c.confirm });
                out.object(&Client::open(&c.why.named.remote)?.post(&path, &body).await?)
            }
        }
    }
}

impl WithReason {
    async fn post(&self, verb: &str, out: &Output) -> Result<(), Failure> {
        let path = format!("/api/v1/tenants/{}/{verb}", segment(&self.named.tenant));
        let tenant = Client::open(&self.named.remote)?
            .post(&path, &json!({ "reason": self.reason }))
            .await?;
        out.object(&tenant)
    }
}

impl Create {
    fn body(&self) -> Result<Value, Failure> {
        let mut body = Map::new();
        body.insert("slug".to_owned(), json!(self.slug));
        body.insert("name".to_owned(), json!(self.name.as_ref().unwrap_or(&self.slug)));
        for (key, value) in [
            ("plan", &self.plan),
            ("locale", &self.locale),
            ("time_zone", &self.time_zone),
            ("currency", &self.currency),
            ("isolation", &self.isolation),
        ] {
            if let Some(value) = value {
                body.insert(key.to_owned(), json!(value));
            }
        }
        if let Some(email) = &self.owner_email {
            let mut owner = json!({ "email": email, "name": self.owner_name.as_ref().unwrap_or(email) });
            if self.owner_password_stdin {
                owner["password"] = json!(password(true, "")?.expose_secret());
            }
            body.insert("owner".to_owned(), owner);
        }
        Ok(Value::Object(body))
    }
}

/// One segment of a path, whatever was typed.
pub(super) fn segment(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes())
        .collect::<String>()
        .replace('+', "%20")
}
