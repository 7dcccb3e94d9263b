//! `aistack user`.

use super::{Client, Failure, Output, Remote, client::Paging, sign_in::password};
use clap::{Args, Subcommand};
use secrecy::ExposeSecret;
use serde_json::json;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// List the members of a tenant, newest first
    #[command(visible_alias = "ls")]
    List(List),
    /// Add a member
    Create(Create),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct List {
    #[command(flatten)]
    remote: Remote,
    /// The tenant
    #[arg(long, value_name = "SLUG")]
    tenant: String,
    /// Text in address or name
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
    /// E-mail address
    #[arg(long)]
    email: String,
    /// Name; the address when not given
    #[arg(long)]
    name: Option<String>,
    /// `owner`, `admin`, `billing`, `auditor` or `member`
    #[arg(long, default_value = "member")]
    role: String,
    /// Read the password from standard input; without one they sign in through a connection
    #[arg(long)]
    password_stdin: bool,
}

const COLUMNS: &[(&str, &str)] = &[
    ("EMAIL", "/email"),
    ("NAME", "/name"),
    ("ROLE", "/role"),
    ("STATUS", "/status"),
    ("LAST SIGN-IN", "/last_login_at"),
    ("ID", "/id"),
];

impl Command {
    pub(in crate::cli) async fn run(&self, out: &Output) -> Result<(), Failure> {
        match self {
            Self::List(c) => {
                let parameters = c.paging.query(&[("q", c.query.clone())]);
                let client = Client::in_tenant(&c.remote, &c.tenant)?;
                out.table(&client.get(&format!("/api/v1/users{parameters}")).await?, COLUMNS)
            }
            Self::Create(c) => {
                let name = c.name.as_ref().unwrap_or(&c.email);
                let mut body = json!({ "email": c.email, "name": name, "role": c.role });
                if c.password_stdin {
                    body["password"] = json!(password(true, "")?.expose_secret());
                }
                let client = Client::in_tenant(&c.remote, &c.tenant)?;
                out.object(&client.post("/api/v1/users", &body).await?)
            }
        }
    }
}
