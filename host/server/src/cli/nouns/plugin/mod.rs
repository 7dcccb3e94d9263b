//! `aistack plugin`: versions installed on the platform, what tenants have enabled, and the kit of plugin authors.

mod author;
mod install;
mod operate;
mod policy;
mod record;
mod registry;
mod release;
mod sim;
mod trust;
mod watch;

use super::{
    Client, Failure, Output, Remote,
    client::{Paging, query},
    tenant::segment,
};
use anyhow::Context;
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Map, Value, json};
use std::{io::IsTerminal, path::Path};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// Install plugins from files or registries (operators); the server keeps running
    Install(install::Install),
    /// Publish a component to an OCI registry, as wkg lays it out
    Publish(registry::Publish),
    /// Say what came of files in the watched folder and of pulls (operators)
    Sources(install::Sources),
    /// List installed versions, or with --tenant what is enabled there
    #[command(visible_alias = "ls")]
    List(List),
    /// Show an installed version, or with --tenant an enabled plugin
    Show(Named),
    /// Remove an installed version that no tenant uses (operators)
    Remove(Remove),
    /// Take an installed version out of service, or with --lift put it back (operators)
    Quarantine(install::Quarantine),
    /// New versions on trial
    #[command(flatten)]
    Release(release::Command),
    /// The most a plugin may be granted (operators)
    #[command(subcommand)]
    Ceiling(policy::Ceiling),
    /// What plugins of a plan or a tenant may do and use (operators)
    #[command(subcommand)]
    Limits(policy::Limits),
    /// Publishers whose plugins are taken (operators)
    #[command(subcommand)]
    Trust(trust::Command),
    /// Enable a plugin in a tenant
    Enable(Enable),
    /// Switch an enabled plugin off; with --remove take it away with its secrets
    Disable(Disable),
    /// What is changed about an enabled plugin
    #[command(flatten)]
    Operate(operate::Command),
    /// Check a plugin project or a component; with --tenant have an enabled plugin check its configuration
    Check(Check),
    /// On a plugin author's machine
    #[command(flatten)]
    Author(author::Command),
    /// What calls did
    #[command(flatten)]
    Watch(watch::Command),
    /// Calls with all they were told
    #[command(flatten)]
    Record(record::Command),
    /// List the calls of an enabled plugin, newest first
    Calls(Calls),
    /// Stand-ins for providers on this machine, for plugin authors
    #[command(subcommand)]
    Sim(sim::Command),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct List {
    #[command(flatten)]
    remote: Remote,
    /// What is enabled in this tenant
    #[arg(long, value_name = "SLUG")]
    tenant: Option<String>,
    /// With --tenant: only `identity`, `payment` or `report`
    #[arg(long, requires = "tenant")]
    kind: Option<String>,
    /// Text to look for
    #[arg(long, short)]
    query: Option<String>,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Named {
    #[command(flatten)]
    remote: Remote,
    /// `plv_…` of an installed version, or with --tenant `ins_…` of an enabled plugin
    id: String,
    /// The tenant
    #[arg(long, value_name = "SLUG")]
    tenant: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Remove {
    #[command(flatten)]
    remote: Remote,
    /// `plv_…` of an installed version
    id: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Enable {
    #[command(flatten)]
    remote: Remote,
    /// Plugin, e.g. official.stripe
    plugin: String,
    /// The tenant
    #[arg(long, value_name = "SLUG")]
    tenant: String,
    /// Version; the highest installed one when not given
    #[arg(long)]
    plugin_version: Option<String>,
    /// Name people see; the plugin's id when not given
    #[arg(long)]
    name: Option<String>,
    /// Config as JSON, or @FILE, or @- for standard input
    #[arg(long, value_name = "JSON")]
    config: Option<String>,
    #[command(flatten)]
    secrets: Secrets,
    /// Allow a private address or plain HTTP: HOST[:PORT] (operators); may be repeated
    #[arg(long = "private-host", value_name = "HOST")]
    private_hosts: Vec<String>,
    /// Grants as JSON, or @FILE; everything the plugin asks for when not given
    #[arg(long, value_name = "JSON")]
    grants: Option<String>,
}

/// Secrets, never typed on the command line where others can read them.
#[derive(Debug, Args)]
pub(in crate::cli) struct Secrets {
    /// A secret from a file, without the line end: NAME=FILE
    #[arg(long = "secret-file", value_name = "NAME=FILE", value_parser = pair)]
    secret_files: Vec<(String, String)>,
    /// A secret from an environment variable: NAME=VARIABLE
    #[arg(long = "secret-env", value_name = "NAME=VARIABLE", value_parser = pair)]
    secret_env: Vec<(String, String)>,
}

impl Secrets {
    fn read(&self) -> Result<Map<String, Value>, Failure> {
        let mut secrets = Map::new();
        for (name, file) in &self.secret_files {
            let text = std::fs::read_to_string(file).with_context(|| format!("can't read {file}"))?;
            secrets.insert(name.clone(), json!(text.trim_end_matches(['\r', '\n'])));
        }
        for (name, variable) in &self.secret_env {
            let text = std::env::var(variable).with_context(|| format!("environment variable {variable}"))?;
            secrets.insert(name.clone(), json!(text));
        }
        Ok(secrets)
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Enabled {
    #[command(flatten)]
    remote: Remote,
    /// `ins_…` of an enabled plugin
    installation: String,
    /// The tenant
    #[arg(long, value_name = "SLUG")]
    tenant: String,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Disable {
    #[command(flatten)]
    enabled: Enabled,
    /// Take it away, with its secrets and its state
    #[arg(long)]
    remove: bool,
    /// Do not ask
    #[arg(long, requires = "remove")]
    yes: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Check {
    #[command(flatten)]
    remote: Remote,
    /// A component; the project in the folder when not given. With --tenant `ins_…` of an enabled plugin
    what: Option<String>,
    /// The tenant
    #[arg(long, value_name = "SLUG", requires = "what", conflicts_with_all = ["dir", "twice", "against"])]
    tenant: Option<String>,
    /// With --tenant: talk to the provider too
    #[arg(long, requires = "tenant")]
    deep: bool,
    #[command(flatten)]
    author: author::CheckArguments,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Calls {
    #[command(flatten)]
    enabled: Enabled,
    #[command(flatten)]
    paging: Paging,
}

const INSTALLED: &[(&str, &str)] = &[
    ("PLUGIN", "/plugin_id"),
    ("VERSION", "/version"),
    ("KIND", "/kind"),
    ("PUBLISHER", "/publisher"),
    ("TIER", "/tier"),
    ("USED BY", "/installations"),
    ("ID", "/id"),
];
const ENABLED: &[(&str, &str)] = &[
    ("NAME", "/name"),
    ("PLUGIN", "/plugin_id"),
    ("VERSION", "/version"),
    ("KIND", "/kind"),
    ("STATUS", "/status"),
    ("CALLS 24H", "/health/calls_24h"),
    ("FAILED", "/health/failures_24h"),
    ("ID", "/id"),
];
const FINDINGS: &[(&str, &str)] = &[("OK", "/ok"), ("FIELD", "/field"), ("FINDING", "/message")];
const CALLS: &[(&str, &str)] = &[
    ("STARTED", "/started_at"),
    ("OPERATION", "/operation"),
    ("OUTCOME", "/outcome"),
    ("CODE", "/code"),
    ("µS", "/wall_us"),
    ("MEMORY", "/memory"),
    ("ID", "/id"),
];

/// `NAME=REST`.
fn pair(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .filter(|(name, rest)| !name.is_empty() && !rest.is_empty())
        .map(|(name, rest)| (name.to_owned(), rest.to_owned()))
        .ok_or_else(|| "write it as NAME=VALUE".to_owned())
}

/// JSON written down, in a file (`@file`) or on standard input (`@-`).
pub(in crate::cli::nouns) fn json_argument(text: &str, what: &str) -> Result<Value, Failure> {
    let text = match text.strip_prefix('@') {
        Some("-") => std::io::read_to_string(std::io::stdin()).context("standard input")?,
        Some(file) => std::fs::read_to_string(file).with_context(|| format!("can't read {file}"))?,
        None => text.to_owned(),
    };
    serde_json::from_str(&text).map_err(|e| Failure::Usage(format!("{what} is not JSON: {e}")))
}

/// Asks before something can't be undone; without a terminal only `--yes` will do.
fn confirm(yes: bool, question: &str) -> Result<(), Failure> {
    use std::io::Write;
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Usage("this can't be undone: repeat it with --yes".to_owned()));
    }
    let mut err = std::io::stderr();
    write!(err, "{question} [y/N] ")?;
    err.flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        Ok(())
    } else {
        Err(Failure::Usage("nothing was done".to_owned()))
    }
}

impl Command {
    pub(in crate::cli) async fn run(&self, out: &Output) -> Result<(), Failure> {
        match self {
            Self::Install(c) => c.run(out).await,
            Self::Publish(c) => c.run(out).await,
            Self::Sources(c) => c.run(out).await,
            Self::List(c) => c.run(out).await,
            Self::Quarantine(c) => c.run(out).await,
            Self::Trust(c) => c.run(out).await,
            Self::Sim(c) => c.run(out).await,
            Self::Release(c) => c.run(out).await,
            Self::Ceiling(c) => c.run(out).await,
            Self::Limits(c) => c.run(out).await,
            Self::Show(c) => {
                let area = if c.tenant.is_some() { "installations" } else { "plugins" };
                let client = Client::anywhere(&c.remote, c.tenant.as_deref())?;
                out.object(&client.get(&format!("/api/v1/{area}/{}", segment(&c.id))).await?)
            }
            Self::Remove(c) => {
                confirm(c.yes, &format!("Remove {} from the platform?", c.id))?;
                let path = format!("/api/v1/plugins/{}", segment(&c.id));
                Client::open(&c.remote)?.send(Method::DELETE, &path, None).await?;
                out.value(&json!({ "removed": c.id }), |w| writeln!(w, "removed {}", c.id))
            }
            Self::Enable(c) => {
                let client = Client::in_tenant(&c.remote, &c.tenant)?;
                out.object(&client.post("/api/v1/installations", &c.body()?).await?)
            }
            Self::Disable(c) => c.run(out).await,
            Self::Operate(c) => c.run(out).await,
            Self::Watch(c) => c.run(out).await,
            Self::Record(c) => c.run(out).await,
            Self::Check(c) => c.run(out).await,
            Self::Author(c) => c.run(out).await,
            Self::Calls(c) => {
                let parameters = c.paging.query(&[]);
                let path = format!("{}/calls{parameters}", c.enabled.path());
                out.table(&c.enabled.client()?.get(&path).await?, CALLS)
            }
        }
    }
}

impl Enabled {
    fn client(&self) -> Result<Client, Failure> {
        Client::in_tenant(&self.remote, &self.tenant)
    }
    fn path(&self) -> String {
        format!("/api/v1/installations/{}", segment(&self.installation))
    }
}

impl Check {
    async fn run(&self, out: &Output) -> Result<(), Failure> {
        let (Some(tenant), Some(installation)) = (&self.tenant, &self.what) else {
            if self.what.as_deref().is_some_and(|w| w.starts_with("ins_")) {
                return Err(Failure::Usage(
                    "an enabled plugin is checked with --tenant SLUG".to_owned(),
                ));
            }
            return self.author.run(self.what.as_deref().map(Path::new), out).await;
        };
        let client = Client::in_tenant(&self.remote, tenant)?;
        let path = format!("/api/v1/installations/{}/check", segment(installation));
        let answer = client.post(&path, &json!({ "deep": self.deep })).await?;
        let findings = answer["findings"].clone();
        let fine = findings
            .as_array()
            .is_none_or(|all| all.iter().all(|f| f["ok"] == true));
        out.table(&json!({ "items": findings }), FINDINGS)?;
        if fine {
            Ok(())
        } else {
            Err(Failure::Failed(anyhow::anyhow!("the check found something wrong")))
        }
    }
}

impl List {
    async fn run(&self, out: &Output) -> Result<(), Failure> {
        let parameters = self
            .paging
            .query(&[("kind", self.kind.clone()), ("q", self.query.clone())]);
        let client = Client::anywhere(&self.remote, self.tenant.as_deref())?;
        let (area, columns) = match self.tenant {
            Some(_) => ("installations", ENABLED),
            None => ("plugins", INSTALLED),
        };
        out.table(&client.get(&format!("/api/v1/{area}{parameters}")).await?, columns)
    }
}

impl Enable {
    fn body(&self) -> Result<Value, Failure> {
        let secrets = self.secrets.read()?;
        let config = match &self.config {
            Some(text) => json_argument(text, "--config")?,
            None => json!({}),
        };
        let mut body = json!({
            "plugin_id": self.plugin,
            "name": self.name.as_ref().unwrap_or(&self.plugin),
            "config": config,
            "secrets": secrets,
        });
        if let Some(version) = &self.plugin_version {
            body["version"] = json!(version);
        }
        let mut grants = match &self.grants {
            Some(text) => Some(json_argument(text, "--grants")?),
            None => None,
        };
        if !self.private_hosts.is_empty() {
            let object = grants.get_or_insert_with(|| json!({}));
            if !object.is_object() {
                return Err(Failure::Usage("--grants is not a JSON object".to_owned()));
            }
            object["private_hosts"] = json!(self.private_hosts);
        }
        if let Some(grants) = grants {
            body["grants"] = grants;
        }
        Ok(body)
    }
}

impl Disable {
    async fn run(&self, out: &Output) -> Result<(), Failure> {
        let client = self.enabled.client()?;
        let path = self.enabled.path();
        if !self.remove {
            let off = json!({ "status": "disabled" });
            return out.object(&client.send(Method::PATCH, &path, Some(&off)).await?);
        }
        let id = &self.enabled.installation;
        confirm(self.yes, &format!("Take {id} away with its secrets and its state?"))?;
        client.send(Method::DELETE, &path, None).await?;
        out.value(&json!({ "removed": id }), |w| writeln!(w, "removed {id}"))
    }
}
