//! `aistack plugin`: changing what is enabled: version, config, secrets, grants, and the way back.

use super::{Client, Enabled, Failure, Output, Remote, Secrets, json_argument, release};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// Change an enabled plugin to another installed version
    Upgrade(Upgrade),
    /// Go back to the version before, with the config and the grants it had; or take a candidate back (operators)
    Rollback(Rollback),
    /// Agree to a change that waits for consent
    Consent(Consent),
    /// Say no to the change that waits for consent
    Decline(Enabled),
    /// Keep an enabled plugin at its version, whatever is released
    Pin(Enabled),
    /// Let releases reach an enabled plugin again
    Unpin(Enabled),
    /// Change the config of an enabled plugin
    Configure(Configure),
    /// Change what an enabled plugin may do; what is taken away is gone for calls in flight too
    Grant(Grant),
    /// Secrets of an enabled plugin
    #[command(subcommand)]
    Secret(Secret),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Upgrade {
    #[command(flatten)]
    enabled: Enabled,
    /// The version
    #[arg(long, value_name = "VERSION")]
    to: String,
    /// The whole config as JSON, or @FILE; the new version translates the old one when not given
    #[arg(long, value_name = "JSON")]
    config: Option<String>,
    #[command(flatten)]
    secrets: Secrets,
    #[command(flatten)]
    asks: Asks,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Rollback {
    #[command(flatten)]
    remote: Remote,
    /// `ins_…` of an enabled plugin, or `rel_…` of a release
    id: String,
    /// The tenant of the enabled plugin
    #[arg(long, value_name = "SLUG")]
    tenant: Option<String>,
}

/// What to do when a change asks for more than was granted.
#[derive(Debug, Args)]
pub(in crate::cli) struct Asks {
    /// Agree to whatever it asks for beyond what was granted
    #[arg(long)]
    agree: bool,
    /// If it asks for more, let it wait until somebody agrees
    #[arg(long, conflicts_with = "agree")]
    when_consented: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Consent {
    #[command(flatten)]
    enabled: Enabled,
    /// `added_digest` of what was shown; what waits now when not given
    #[arg(long, value_name = "DIGEST")]
    digest: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Configure {
    #[command(flatten)]
    enabled: Enabled,
    /// The whole config as JSON, or @FILE, or @- for standard input
    #[arg(long, value_name = "JSON")]
    config: String,
    /// Another name
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    asks: Asks,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Grant {
    #[command(flatten)]
    enabled: Enabled,
    /// Grants as JSON, or @FILE; what is left out is all that the plugin declares
    #[arg(long, value_name = "JSON")]
    grants: String,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Secret {
    /// Set a secret
    Set(SetSecret),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct SetSecret {
    #[command(flatten)]
    enabled: Enabled,
    #[command(flatten)]
    secrets: Secrets,
    /// Keep the value before valid until the next change
    #[arg(long)]
    keep_previous: bool,
}

impl Asks {
    /// Sends a change; when it asks for more and that is agreed to, sends it again with the agreement.
    async fn change(&self, enabled: &Enabled, mut body: Value) -> Result<Value, Failure> {
        if self.when_consented {
            body["when_consented"] = json!(true);
        }
        let client = enabled.client()?;
        let path = enabled.path();
        match client.send(Method::PATCH, &path, Some(&body)).await {
            Err(Failure::Refused(problem)) if self.agree && problem["reason"] == "consent_needed" => {
                body["consent"] = problem["added_digest"].clone();
                client.send(Method::PATCH, &path, Some(&body)).await
            }
            other => other,
        }
    }
}

impl Enabled {
    async fn patch(&self, out: &Output, body: Value) -> Result<(), Failure> {
        out.object(&self.client()?.send(Method::PATCH, &self.path(), Some(&body)).await?)
    }
}

impl Command {
    pub(in crate::cli) async fn run(&self, out: &Output) -> Result<(), Failure> {
        match self {
            Self::Upgrade(c) => {
                let mut body = json!({ "version": c.to, "secrets": c.secrets.read()? });
                if let Some(config) = &c.config {
                    body["config"] = json_argument(config, "--config")?;
                }
                out.object(&c.asks.change(&c.enabled, body).await?)
            }
            Self::Rollback(c) if c.id.starts_with("rel_") => release::act(&c.remote, out, &c.id, "rollback").await,
            Self::Rollback(c) => {
                let Some(tenant) = &c.tenant else {
                    return Err(Failure::Usage("name the tenant with --tenant".to_owned()));
                };
                let path = format!("/api/v1/installations/{}/rollback", super::segment(&c.id));
                let client = Client::in_tenant(&c.remote, tenant)?;
                out.object(&client.send(Method::POST, &path, None).await?)
            }
            Self::Consent(c) => {
                let client = c.enabled.client()?;
                let digest = match &c.digest {
                    Some(digest) => json!(digest),
                    None => client.get(&c.enabled.path()).await?["pending"]["added_digest"].clone(),
                };
                if digest.is_null() {
                    return Err(Failure::Usage("nothing waits for consent here".to_owned()));
                }
                let path = format!("{}/consent", c.enabled.path());
                out.object(&client.post(&path, &json!({ "added_digest": digest })).await?)
            }
            Self::Decline(c) => {
                let path = format!("{}/pending", c.path());
                out.object(&c.client()?.send(Method::DELETE, &path, None).await?)
            }
            Self::Pin(c) => c.patch(out, json!({ "pinned": true })).await,
            Self::Unpin(c) => c.patch(out, json!({ "pinned": false })).await,
            Self::Configure(c) => {
                let mut body = json!({ "config": json_argument(&c.config, "--config")? });
                if let Some(name) = &c.name {
                    body["name"] = json!(name);
                }
                out.object(&c.asks.change(&c.enabled, body).await?)
            }
            Self::Grant(c) => {
                let grants = json_argument(&c.grants, "--grants")?;
                c.enabled.patch(out, json!({ "grants": grants })).await
            }
            Self::Secret(Secret::Set(c)) => {
                let secrets = c.secrets.read()?;
                if secrets.is_empty() {
                    return Err(Failure::Usage(
                        "name a secret with --secret-file or --secret-env".to_owned(),
                    ));
                }
                let client = c.enabled.client()?;
                let mut after = Value::Null;
                for (name, value) in secrets {
                    let path = format!("{}/secrets/{}", c.enabled.path(), super::segment(&name));
                    let body = json!({ "value": value, "keep_previous": c.keep_previous });
                    after = client.send(Method::PUT, &path, Some(&body)).await?;
                }
                out.object(&after)
            }
        }
    }
}
