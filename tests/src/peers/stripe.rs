//! Stripe's own counterparts: stripe-mock answers for the API, the official SDK signs and checks webhooks.

use super::oidc_provider::node;
use super::process::{Command, Process, free_port};
use super::{PeerError, cache_dir, scripts, version};
use anyhow::Context as _;
use serde::Deserialize;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;

/// A running stripe-mock: stateless, checks every request against Stripe's OpenAPI description.
pub struct StripeMock {
    _process: Process,
    url: String,
}

impl StripeMock {
    /// Starts it.
    ///
    /// # Errors
    /// When it is missing or does not start.
    pub async fn start() -> Result<Self, PeerError> {
        let program = cache_dir()
            .join("bin")
            .join(format!("stripe-mock-{}", version("STRIPE_MOCK")));
        if !program.is_file() {
            return Err(PeerError::Missing {
                what: "stripe-mock".into(),
                part: "stripe",
            });
        }
        let port = free_port()?;
        // Its HTTPS side would listen on every address unless told.
        let https = free_port()?;
        let mut process = Command::new(program)?
            .args([
                "-http-addr",
                &format!("127.0.0.1:{port}"),
                "-https-addr",
                &format!("127.0.0.1:{https}"),
            ])
            .spawn()?;
        process.ready_on_port(Duration::from_secs(60), port).await?;
        Ok(Self {
            _process: process,
            url: format!("http://127.0.0.1:{port}"),
        })
    }

    /// The base URL, in place of Stripe's own.
    pub fn url(&self) -> &str {
        &self.url
    }
}

/// The official Stripe SDK for Node, as the party that signs and checks webhooks.
pub struct StripeSdk {
    node: PathBuf,
}

/// What the SDK says about a payload and its signature.
#[derive(Debug, Deserialize)]
pub struct Verdict {
    /// Whether the signature holds.
    pub ok: bool,
    /// The event's type, when it does.
    #[serde(rename = "type")]
    pub event_type: Option<String>,
    /// Why not, when it does not.
    pub error: Option<String>,
}

impl StripeSdk {
    /// Finds Node and the SDK.
    ///
    /// # Errors
    /// When either is missing.
    pub fn find() -> Result<Self, PeerError> {
        Ok(Self { node: node("stripe")? })
    }

    /// The `Stripe-Signature` header for a payload, signed as of `unix_seconds`.
    ///
    /// # Errors
    /// When Node fails.
    pub async fn sign(&self, payload: &str, secret: &str, unix_seconds: i64) -> anyhow::Result<String> {
        self.run(&["sign", secret, &unix_seconds.to_string()], payload).await
    }

    /// Checks a header as a receiver of webhooks would.
    ///
    /// # Errors
    /// When Node fails; a signature that does not hold is a [`Verdict`].
    pub async fn verify(&self, payload: &str, secret: &str, header: &str) -> anyhow::Result<Verdict> {
        let answer = self.run(&["verify", secret, header], payload).await?;
        serde_json::from_str(&answer).with_context(|| format!("the SDK's answer: {answer}"))
    }

    async fn run(&self, args: &[&str], payload: &str) -> anyhow::Result<String> {
        let mut child = tokio::process::Command::new(&self.node)
            .arg(scripts().join("node/stripe-webhook.mjs"))
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("node")?;
        let mut stdin = child.stdin.take().context("standard input of node")?;
        stdin.write_all(payload.as_bytes()).await?;
        drop(stdin);
        let output = child.wait_with_output().await?;
        anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?)
    }
}
