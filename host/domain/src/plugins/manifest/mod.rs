//! The manifest a plugin carries (`aistack-plugin.toml`): what it is, what it asks for, what it offers.
//!
//! The text is embedded in the component, so it is covered by the component's digest. Unknown members are refused: a
//! misspelt `egress` must not silently become "no egress". Everything here is what the *author* asks for; what an
//! installation really gets is decided in [`super::grants`].

mod bounds;
mod check;
mod lint;
mod quantity;
mod secret_kind;
#[cfg(test)]
mod tests;

pub use bounds::CallClass;
pub use check::{ManifestError, declared_interfaces, min_host, parse};
pub use lint::lint;
pub use quantity::{ByteSize, Span};
pub use secret_kind::SecretKind;

use super::port::PluginKind;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// A text for people in the two languages of the platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocalText {
    /// English.
    pub en: String,
    /// Chinese.
    #[serde(rename = "zh-CN", default, skip_serializing_if = "Option::is_none")]
    pub zh_cn: Option<String>,
}

/// The whole manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Manifest {
    /// Reverse-dotted id, e.g. `official.stripe`. Never changes over the plugin's life.
    pub id: String,
    /// The plugin's own version.
    pub version: semver::Version,
    /// The world it is built for, e.g. `aistack:payment/payment-provider@1.0`.
    pub world: String,
    /// Oldest host it works with, `major.minor`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_host: Option<String>,
    /// Who publishes it.
    pub publisher: String,
    /// Name for people.
    pub name: LocalText,
    /// What it does, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<LocalText>,
    /// Where it wants to connect to.
    #[serde(default)]
    pub egress: Vec<Egress>,
    /// The secrets it needs.
    #[serde(default)]
    pub secret: Vec<SecretDecl>,
    /// State and files it wants.
    #[serde(default)]
    pub grants: GrantsDecl,
    /// Bounds it asks for; the host's caps hold over them.
    #[serde(default)]
    pub limits: Limits,
    /// Inbound endpoints (webhooks, callbacks).
    #[serde(default)]
    pub endpoint: Vec<Endpoint>,
    /// Work it wants done regularly.
    #[serde(default)]
    pub job: Vec<JobDecl>,
    /// Reports it can make.
    #[serde(default)]
    pub report: Vec<ReportDecl>,
    /// Where its config schema lies in the author's project; informative, the schema is embedded beside the manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<ConfigDecl>,
    /// What a failure means.
    #[serde(default)]
    pub failure: Failure,
}

/// How a plugin connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EgressKind {
    /// HTTP(S) requests.
    Http,
    /// Raw TCP or TLS connections.
    Dial,
}

/// One group of hosts a plugin wants to reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Egress {
    /// How.
    pub kind: EgressKind,
    /// `host[:port]`, or `${config.<member>}` that is resolved per installation.
    pub hosts: Vec<String>,
    /// Why, for whoever grants it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<LocalText>,
}

/// A secret the tenant types in; the author never knows its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SecretDecl {
    /// Name under which the guest opens it.
    pub name: String,
    /// Its shape, e.g. `text`, `hmac`, `rsa-private`.
    #[serde(default = "default_secret_kind")]
    pub kind: String,
    /// How the plugin uses it, e.g. `mac:HS256`, `http:bearer`, `reveal`.
    #[serde(rename = "use", default)]
    pub uses: Vec<String>,
    /// Hosts into whose requests the platform may put it; same form as egress hosts.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Whether the plugin can't work without it.
    #[serde(default = "yes")]
    pub required: bool,
    /// Label for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<LocalText>,
    /// Where to find it, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<LocalText>,
}

/// State and files a plugin wants.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GrantsDecl {
    /// A key-value space.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kv: Option<KvDecl>,
    /// Whether it writes or fetches files outside reports (bills, statements).
    #[serde(default)]
    pub blob: bool,
}

/// Size of a key-value space.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KvDecl {
    /// Bytes of keys and values.
    pub bytes: ByteSize,
    /// Number of keys.
    pub keys: u32,
}

/// Bounds a plugin asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Limits {
    /// Wall time of an ordinary call, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_ms: Option<u64>,
    /// Wall time of an inbound delivery, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inbound_ms: Option<u64>,
    /// Wall time of a report, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_ms: Option<u64>,
    /// CPU time inside the guest, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_ms: Option<u64>,
    /// Linear memory, summed over all memories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<ByteSize>,
    /// Calls at the same time in one installation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
    /// Host calls in one call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_calls: Option<u32>,
    /// Log text in one call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_bytes_per_call: Option<ByteSize>,
}

/// An inbound endpoint; the host mints an unguessable URL for it per installation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Endpoint {
    /// Name, a path segment.
    pub name: String,
    /// Methods it takes.
    #[serde(default = "post_only")]
    pub methods: Vec<String>,
    /// Largest body.
    #[serde(default = "default_max_body")]
    pub max_body: ByteSize,
    /// What it is for, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<LocalText>,
}

/// Regular work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct JobDecl {
    /// Name, handed to the guest.
    pub name: String,
    /// How often, e.g. `12h`.
    pub every: Span,
}

/// A report the plugin can make.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ReportDecl {
    /// Stable name, handed to the guest.
    pub name: String,
    /// Title for people.
    pub title: LocalText,
    /// File formats it writes, e.g. `csv`, `xlsx`.
    pub formats: Vec<String>,
    /// JSON Schema of its parameters.
    #[serde(default = "empty_object_schema")]
    pub params: Value,
    /// Datasets it reads.
    #[serde(default)]
    pub datasets: Vec<String>,
}

/// Where the config schema lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ConfigDecl {
    /// File name in the author's project.
    pub schema: String,
}

/// What a failure means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Failure {
    /// Whether the caller fails with the plugin, or goes on without it.
    pub policy: FailurePolicy,
    /// When to stop asking a failing plugin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breaker: Option<Breaker>,
}

impl Default for Failure {
    fn default() -> Self {
        Self {
            policy: FailurePolicy::Closed,
            breaker: None,
        }
    }
}

/// See [`Failure::policy`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FailurePolicy {
    /// The operation fails.
    Closed,
    /// The operation goes on without the plugin (reports).
    Skip,
}

/// A circuit breaker's figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Breaker {
    /// Failures …
    pub errors: u32,
    /// … within this time …
    pub window: Span,
    /// … keep it open for this long.
    pub open: Span,
}

fn yes() -> bool {
    true
}
fn default_secret_kind() -> String {
    "text".to_owned()
}
fn post_only() -> Vec<String> {
    vec!["POST".to_owned()]
}
fn default_max_body() -> ByteSize {
    ByteSize(64 << 10)
}
fn empty_object_schema() -> Value {
    serde_json::json!({ "type": "object", "additionalProperties": false })
}

impl Manifest {
    /// The kind the world names; `None` for a world this platform does not know.
    #[must_use]
    pub fn kind(&self) -> Option<PluginKind> {
        let (world, _) = self.world.split_once('@')?;
        match world {
            "aistack:identity/identity-provider" => Some(PluginKind::Identity),
            "aistack:payment/payment-provider" => Some(PluginKind::Payment),
            "aistack:report/report-generator" => Some(PluginKind::Report),
            _ => None,
        }
    }
    /// The declared secret of this name.
    #[must_use]
    pub fn secret(&self, name: &str) -> Option<&SecretDecl> {
        self.secret.iter().find(|s| s.name == name)
    }
    /// The endpoint of this name.
    #[must_use]
    pub fn endpoint(&self, name: &str) -> Option<&Endpoint> {
        self.endpoint.iter().find(|e| e.name == name)
    }
    /// The report of this name.
    #[must_use]
    pub fn report(&self, name: &str) -> Option<&ReportDecl> {
        self.report.iter().find(|r| r.name == name)
    }
    /// Every dataset any of its reports reads.
    #[must_use]
    pub fn datasets(&self) -> Vec<String> {
        let mut all: Vec<String> = self.report.iter().flat_map(|r| r.datasets.clone()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
    /// The endpoint a payment provider is told to notify: `notify` or `webhook` by convention, else the first.
    #[must_use]
    pub fn notify_endpoint(&self) -> Option<&Endpoint> {
        ["notify", "webhook"]
            .iter()
            .find_map(|n| self.endpoint(n))
            .or_else(|| self.endpoint.first())
    }
}

/// Host interfaces and the kinds of permission they stand for; the order in which they are shown.
pub const INTERFACES: &[&str] = &[
    "log", "config", "clock", "random", "kv", "secrets", "reveal", "crypto", "http", "dial", "blob", "download",
    "datasets",
];

/// Secrets by name with their declared uses; used when grants are made.
pub(crate) type SecretUses = BTreeMap<String, super::port::SecretGrant>;
