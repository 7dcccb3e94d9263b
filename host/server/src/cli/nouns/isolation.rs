//! `aistack isolation`.

use super::{Client, Failure, Output, Remote};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// Plant canary tenants, try them against each other, and tell; fails when something does not hold
    Verify(At),
    /// Show the last proof
    Show(At),
    /// List the proofs of the last month
    #[command(visible_alias = "ls")]
    List(At),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct At {
    #[command(flatten)]
    remote: Remote,
}

const CHECKS: &[(&str, &str)] = &[
    ("ISOLATION", "/isolation"),
    ("TRIED", "/name"),
    ("HOLDS", "/holds"),
    ("FOUND", "/found"),
];
const REPORTS: &[(&str, &str)] = &[
    ("AT", "/at"),
    ("HOLDS", "/holds"),
    ("STORE", "/store"),
    ("MILLISECONDS", "/took_ms"),
];
const PATH: &str = "/api/v1/platform/isolation";

impl Command {
    pub(in crate::cli) async fn run(&self, out: &Output) -> Result<(), Failure> {
        match self {
            Self::Verify(c) => {
                let report = Client::open(&c.remote)?
                    .post(&format!("{PATH}/verify"), &json!({}))
                    .await?;
                table(out, &report)?;
                if report["holds"] == true {
                    return Ok(());
                }
                Err(Failure::Failed(anyhow::anyhow!(
                    "tenants are not kept apart: see the lines that do not hold",
                )))
            }
            Self::Show(c) => {
                let list = Client::open(&c.remote)?.get(PATH).await?;
                match list["items"].get(0) {
                    Some(report) => table(out, report),
                    None => Err(Failure::Failed(anyhow::anyhow!(
                        "there is no proof yet; make one: aistack isolation verify",
                    ))),
                }
            }
            Self::List(c) => out.table(&Client::open(&c.remote)?.get(PATH).await?, REPORTS),
        }
    }
}

fn table(out: &Output, report: &Value) -> Result<(), Failure> {
    out.table(&json!({ "items": report["checks"] }), CHECKS)
}
