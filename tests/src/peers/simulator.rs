//! A simulator of the platform's own, run the way plugin authors run it: `aistack plugin sim up NAME`.

use super::PeerError;
use super::process::{Command, Process};
use crate::host::binary;
use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use std::time::Duration;

/// A running simulator.
pub struct Simulator {
    _process: Process,
    /// What it said when it was ready: `url`, `control_url`, `config`, `secrets`, `knobs`, …
    pub told: Value,
    http: reqwest::Client,
}

impl Simulator {
    /// Starts the one of this name, with more arguments if there are any.
    ///
    /// # Errors
    /// When the binary is not built or the simulator does not start.
    pub async fn start(name: &str, more: &[&str]) -> Result<Self, PeerError> {
        let mut process = Command::new(binary("aistack")?)?
            .args(["--json", "plugin", "sim", "up", name])
            .args(more.iter().map(|a| (*a).to_owned()))
            .spawn()?;
        let told = process
            .ready(Duration::from_secs(60), |output| async move {
                let mut lines = output
                    .lines()
                    .filter_map(|line| serde_json::from_str::<Value>(line).ok());
                lines.find(|line| line["control_url"].is_string())
            })
            .await?;
        let http = reqwest::Client::builder()
            .no_proxy()
            .build()
            .map_err(anyhow::Error::from)?;
        Ok(Self {
            _process: process,
            told,
            http,
        })
    }

    /// The configuration to paste into the plugin.
    pub fn config(&self) -> Value {
        self.told["config"].clone()
    }

    /// The secrets to paste into the plugin.
    pub fn secrets(&self) -> Value {
        self.told["secrets"].clone()
    }

    fn at(&self, path: &str) -> String {
        format!("{}/_sim/{path}", self.told["control_url"].as_str().unwrap_or_default())
    }

    /// `POST /_sim/{path}`.
    ///
    /// # Errors
    /// When it refuses; the error shows how.
    pub async fn control(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let answer = self
            .http
            .post(self.at(path))
            .json(body)
            .send()
            .await
            .context("the simulator")?;
        let (status, text) = (answer.status(), answer.text().await?);
        ensure!(status.is_success(), "POST /_sim/{path}: {status} {text}");
        serde_json::from_str(&text).with_context(|| text)
    }

    /// Arms knobs.
    ///
    /// # Errors
    /// As [`Simulator::control`].
    pub async fn arm(&self, knobs: Value) -> anyhow::Result<()> {
        self.control("faults", &knobs).await.map(drop)
    }

    /// Disarms all knobs.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn disarm(&self) -> anyhow::Result<()> {
        self.http.delete(self.at("faults")).send().await?.error_for_status()?;
        Ok(())
    }

    /// `GET /_sim/{path}`.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn look(&self, path: &str) -> anyhow::Result<Value> {
        Ok(self
            .http
            .get(self.at(path))
            .send()
            .await?
            .error_for_status()?
            .json()
            .await?)
    }

    /// Has one event sent again, to where webhooks go, and says how it was answered.
    ///
    /// # Errors
    /// As [`Simulator::control`].
    pub async fn resend(&self, event: &Value) -> anyhow::Result<Value> {
        let sent = self
            .control("deliver", &json!({"kind": "resend", "ref": event["id"]}))
            .await?;
        Ok(sent["deliveries"].clone())
    }
}
