//! `aistack plugin trust`: publishers whose plugins are taken, and what tenants demand.

use super::{Client, Failure, Output, Remote, segment};
use anyhow::Context;
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::json;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// List publishers' keys and what this node demands
    List(Remote),
    /// Add a publisher's key, or change how far it is trusted
    Add(Add),
    /// Revoke a publisher's key: what it has signed counts as unsigned from then on
    Revoke(Revoke),
    /// Show, or with --min-tier set, what a tenant demands beyond the node
    Tenant(Tenant),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Add {
    #[command(flatten)]
    remote: Remote,
    /// Who publishes with it: the first part of their plugins' ids
    publisher: String,
    /// File with the Ed25519 public key: PEM, or the 32 bytes in base64 or hex
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// How far it is trusted
    #[arg(long, default_value = "community", value_parser = ["community", "verified", "core"])]
    tier: String,
    /// A note for people
    #[arg(long, default_value = "")]
    note: String,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Revoke {
    #[command(flatten)]
    remote: Remote,
    /// Id of the key
    key: String,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Tenant {
    #[command(flatten)]
    remote: Remote,
    /// Slug or id
    tenant: String,
    /// The least it demands; `development` leaves it to the node
    #[arg(long, value_parser = ["development", "community", "verified", "core"])]
    min_tier: Option<String>,
}

const KEYS: &[(&str, &str)] = &[
    ("PUBLISHER", "/publisher"),
    ("TIER", "/tier"),
    ("KEY", "/key_id"),
    ("ADDED", "/added_at"),
    ("REVOKED", "/revoked_at"),
    ("NOTE", "/note"),
];

impl Command {
    pub(in crate::cli) async fn run(&self, out: &Output) -> Result<(), Failure> {
        match self {
            Self::List(remote) => out.table(&Client::open(remote)?.get("/api/v1/publishers").await?, KEYS),
            Self::Add(c) => {
                let key = std::fs::read_to_string(&c.key).with_context(|| format!("can't read {}", c.key.display()))?;
                let body = json!({ "publisher": c.publisher, "public_key": key, "tier": c.tier, "note": c.note });
                out.object(&Client::open(&c.remote)?.post("/api/v1/publishers", &body).await?)
            }
            Self::Revoke(c) => {
                let path = format!("/api/v1/publishers/{}", segment(&c.key));
                Client::open(&c.remote)?.send(Method::DELETE, &path, None).await?;
                out.value(&json!({ "revoked": c.key }), |w| writeln!(w, "revoked {}", c.key))
            }
            Self::Tenant(c) => {
                let client = Client::open(&c.remote)?;
                let path = format!("/api/v1/tenants/{}/plugin-trust", segment(&c.tenant));
                let answer = match &c.min_tier {
                    Some(tier) => {
                        client
                            .send(Method::PUT, &path, Some(&json!({ "min_tier": tier })))
                            .await?
                    }
                    None => client.get(&path).await?,
                };
                out.object(&answer)
            }
        }
    }
}
