//! `aistack audit`.

use super::{Client, Failure, Output, Remote, client::Paging};
use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// List events, newest first
    #[command(visible_alias = "ls")]
    List(Box<List>),
    /// Recompute the log: has any event been changed, removed or inserted?
    Verify(Log),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Log {
    #[command(flatten)]
    remote: Remote,
    /// The log of this tenant instead of the operators'
    #[arg(long, value_name = "SLUG")]
    tenant: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct List {
    #[command(flatten)]
    log: Log,
    /// Action; a trailing * matches any ending
    #[arg(long)]
    action: Option<String>,
    /// Id of a user, operator or installation
    #[arg(long)]
    actor: Option<String>,
    /// Id of the target, its kind, or kind:id
    #[arg(long)]
    target: Option<String>,
    /// `ok`, `denied` or `failed`
    #[arg(long)]
    outcome: Option<String>,
    /// The request
    #[arg(long)]
    request_id: Option<String>,
    /// From this time on (RFC 3339)
    #[arg(long)]
    from: Option<String>,
    /// Before this time (RFC 3339)
    #[arg(long)]
    to: Option<String>,
    /// Text in action, target, actor's name or details
    #[arg(long, short)]
    query: Option<String>,
    #[command(flatten)]
    paging: Paging,
}

const COLUMNS: &[(&str, &str)] = &[
    ("SEQ", "/seq"),
    ("AT", "/at"),
    ("ACTION", "/action"),
    ("OUTCOME", "/outcome"),
    ("ACTOR", "/actor/label"),
    ("TARGET", "/target/id"),
    ("REQUEST", "/request_id"),
];

impl Log {
    fn client(&self) -> Result<(Client, &'static str), Failure> {
        let client = Client::anywhere(&self.remote, self.tenant.as_deref())?;
        Ok((
            client,
            if self.tenant.is_some() {
                "/api/v1"
            } else {
                "/api/v1/platform"
            },
        ))
    }
}

impl Command {
    pub(in crate::cli) async fn run(&self, out: &Output) -> Result<(), Failure> {
        match self {
            Self::List(c) => {
                let parameters = c.paging.query(&[
                    ("action", c.action.clone()),
                    ("actor", c.actor.clone()),
                    ("target", c.target.clone()),
                    ("outcome", c.outcome.clone()),
                    ("request_id", c.request_id.clone()),
                    ("from", c.from.clone()),
                    ("to", c.to.clone()),
                    ("q", c.query.clone()),
                ]);
                let (client, root) = c.log.client()?;
                out.table(&client.get(&format!("{root}/audit-events{parameters}")).await?, COLUMNS)
            }
            Self::Verify(c) => {
                let (client, root) = c.client()?;
                let verdict = client.get(&format!("{root}/audit/verify")).await?;
                out.object(&verdict)?;
                match verdict["ok"].as_bool() {
                    Some(true) => Ok(()),
                    _ => Err(Failure::Failed(anyhow::anyhow!("the log does not verify"))),
                }
            }
        }
    }
}
