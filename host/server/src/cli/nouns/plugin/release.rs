//! `aistack plugin`: a new version on trial, promoted, taken back.

use super::{Client, Failure, Output, Remote, segment};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// Let an installed version answer a share of the tenants or calls (operators)
    Canary(Canary),
    /// Run an installed version beside the one in use and compare its answers (operators)
    Shadow(Start),
    /// Change every installation that may to an installed version (operators)
    Release(Start),
    /// Promote a candidate (operators)
    Promote(Named),
    /// End a release without a verdict (operators)
    Cancel(Named),
    /// List the releases of a plugin (operators)
    Releases(Plugin),
    /// Show where the answers of a shadow release differed (operators)
    Diffs(Named),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Start {
    #[command(flatten)]
    remote: Remote,
    /// `plv_…` of the installed version
    #[arg(value_name = "VERSION")]
    candidate: String,
    /// The version in use; the highest below when not given
    #[arg(long, value_name = "VERSION")]
    from: Option<String>,
    /// Failures beyond those of the version in use that take it back, e.g. 5%
    #[arg(long, default_value = "5%")]
    max_error_rate: String,
    /// Calls before it is judged
    #[arg(long, default_value_t = 20)]
    min_calls: u64,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Canary {
    #[command(flatten)]
    start: Start,
    /// Share, e.g. 5%
    share: String,
    /// What the share is of
    #[arg(long, default_value = "tenants", value_parser = ["tenants", "calls"])]
    by: String,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Named {
    #[command(flatten)]
    remote: Remote,
    /// `rel_…`
    release: String,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Plugin {
    #[command(flatten)]
    remote: Remote,
    /// Plugin, e.g. official.stripe
    plugin: String,
}

const RELEASES: &[(&str, &str)] = &[
    ("FROM", "/from"),
    ("TO", "/to"),
    ("MODE", "/mode"),
    ("BY", "/by"),
    ("PER MILLE", "/share"),
    ("STATE", "/state"),
    ("CALLS", "/candidate/calls"),
    ("FAILED", "/candidate/failed"),
    ("REASON", "/reason"),
    ("ID", "/id"),
];
const DIFFS: &[(&str, &str)] = &[
    ("AT", "/at"),
    ("TENANT", "/tenant"),
    ("OPERATION", "/operation"),
    ("WAS", "/was"),
    ("WOULD", "/would"),
];

/// Where a release's routes are.
async fn path(client: &Client, release: &str) -> Result<String, Failure> {
    let found = client
        .get(&format!("/api/v1/plugins/releases/{}", segment(release)))
        .await?;
    let plugin = found["plugin_id"].as_str().unwrap_or_default();
    Ok(format!(
        "/api/v1/plugins/{}/releases/{}",
        segment(plugin),
        segment(release)
    ))
}

/// Has something done to a release.
pub(super) async fn act(remote: &Remote, out: &Output, release: &str, what: &str) -> Result<(), Failure> {
    let client = Client::open(remote)?;
    let path = path(&client, release).await?;
    out.object(&client.send(Method::POST, &format!("{path}/{what}"), None).await?)
}

impl Start {
    async fn run(&self, out: &Output, more: Value) -> Result<(), Failure> {
        let client = Client::open(&self.remote)?;
        let version = client
            .get(&format!("/api/v1/plugins/{}", segment(&self.candidate)))
            .await?;
        let mut body = json!({
            "to": version["version"], "max_error_rate": self.max_error_rate, "min_calls": self.min_calls,
        });
        if let Some(from) = &self.from {
            body["from"] = json!(from);
        }
        for (key, value) in more.as_object().into_iter().flatten() {
            body[key] = value.clone();
        }
        let plugin = segment(version["plugin_id"].as_str().unwrap_or_default());
        out.object(
            &client
                .post(&format!("/api/v1/plugins/{plugin}/releases"), &body)
                .await?,
        )
    }
}

impl Command {
    pub(in crate::cli) async fn run(&self, out: &Output) -> Result<(), Failure> {
        match self {
            Self::Canary(c) => {
                let more = json!({ "mode": "canary", "share": c.share, "by": c.by });
                c.start.run(out, more).await
            }
            Self::Shadow(c) => c.run(out, json!({ "mode": "shadow" })).await,
            Self::Release(c) => c.run(out, json!({ "mode": "all" })).await,
            Self::Promote(c) => act(&c.remote, out, &c.release, "promote").await,
            Self::Cancel(c) => act(&c.remote, out, &c.release, "cancel").await,
            Self::Releases(c) => {
                let path = format!("/api/v1/plugins/{}/releases", segment(&c.plugin));
                out.table(&Client::open(&c.remote)?.get(&path).await?, RELEASES)
            }
            Self::Diffs(c) => {
                let client = Client::open(&c.remote)?;
                let path = path(&client, &c.release).await?;
                out.table(&client.get(&format!("{path}/diffs")).await?, DIFFS)
            }
        }
    }
}
