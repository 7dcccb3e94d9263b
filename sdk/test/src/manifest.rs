//! `aistack-plugin.toml` as the SDK's tests read it: strictly, so that a misspelt key fails in the plugin's own tests
//! and not at install.

use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// A manifest. See `sdk/MANIFEST.md` for what each part means.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Manifest {
    /// `<publisher>.<name>`.
    pub id: String,
    /// Semantic version.
    pub version: String,
    /// `aistack:<package>/<world>@<major>.<minor>`.
    pub world: String,
    /// Oldest host that runs it, `major.minor`.
    pub min_host: String,
    /// Who publishes it.
    pub publisher: String,
    /// Name by language.
    pub name: BTreeMap<String, String>,
    /// One sentence by language.
    pub description: BTreeMap<String, String>,
    /// Hosts it talks to.
    #[serde(default)]
    pub egress: Vec<Egress>,
    /// Secrets it uses.
    #[serde(default)]
    pub secret: Vec<Secret>,
    /// State and files it wants.
    #[serde(default)]
    pub grants: Grants,
    /// Bounds it asks for.
    #[serde(default)]
    pub limits: Limits,
    /// Inbound endpoints.
    #[serde(default)]
    pub endpoint: Vec<Endpoint>,
    /// Scheduled work.
    #[serde(default)]
    pub job: Vec<Job>,
    /// Reports it makes.
    #[serde(default)]
    pub report: Vec<Report>,
    /// Where the config schema is.
    pub config: Config,
    /// What a failure means.
    #[serde(default)]
    pub failure: Failure,
}

/// Hosts of one kind.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Egress {
    /// `http` or `dial`.
    pub kind: String,
    /// `host[:port]`, or `${config.<field>}`.
    pub hosts: Vec<String>,
    /// Why, by language.
    pub reason: BTreeMap<String, String>,
}

/// A secret and what may be done with it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Secret {
    /// Its name: what the plugin opens, and the config field that stands for it in forms.
    pub name: String,
    /// Its shape: `text`, or `private-key` (PKCS#8 PEM).
    pub kind: String,
    /// Uses, e.g. `http:bearer`, `mac:HS256`.
    #[serde(rename = "use")]
    pub uses: Vec<String>,
    /// Where `http` may inject it.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Whether nothing works without it.
    #[serde(default = "yes")]
    pub required: bool,
    /// Label by language.
    pub label: BTreeMap<String, String>,
    /// Where to find it, by language.
    #[serde(default)]
    pub help: BTreeMap<String, String>,
}

fn yes() -> bool {
    true
}

/// State and files it wants.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Grants {
    /// Key-value space.
    pub kv: Option<KvGrant>,
    /// Whether it writes files outside reports.
    #[serde(default)]
    pub blob: bool,
}

/// Bounds it asks for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[allow(
    missing_docs,
    reason = "names and units are in sdk/MANIFEST.md; here they are only checked for spelling"
)]
pub struct Limits {
    pub call_ms: Option<u64>,
    pub inbound_ms: Option<u64>,
    pub run_ms: Option<u64>,
    pub cpu_ms: Option<u64>,
    pub memory: Option<String>,
    pub concurrency: Option<u32>,
    pub host_calls: Option<u32>,
    pub log_bytes_per_call: Option<String>,
}

/// What a failure means.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Failure {
    /// `closed` or `skip`.
    pub policy: Option<String>,
    /// When to stop asking a failing plugin.
    pub breaker: Option<Breaker>,
}

/// A circuit breaker's figures.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Breaker {
    /// Failures …
    pub errors: u32,
    /// … within this time, e.g. `30s`, …
    pub window: String,
    /// … keep it open for this long.
    pub open: String,
}

/// Size of the key-value space.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KvGrant {
    /// E.g. `1MiB`.
    pub bytes: String,
    /// Number of keys.
    pub keys: u32,
}

/// An inbound endpoint.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Endpoint {
    /// Its name.
    pub name: String,
    /// Methods.
    pub methods: Vec<String>,
    /// Largest body, e.g. `64KiB`.
    pub max_body: String,
    /// What it is for, by language.
    #[serde(default)]
    pub description: BTreeMap<String, String>,
}

/// Scheduled work.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Job {
    /// Its name.
    pub name: String,
    /// Interval, e.g. `12h`.
    pub every: String,
}

/// A report.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Report {
    /// Its name.
    pub name: String,
    /// Title by language.
    pub title: BTreeMap<String, String>,
    /// Formats.
    pub formats: Vec<String>,
    /// JSON Schema of the parameters.
    pub params: serde_json::Value,
    /// Datasets it reads.
    pub datasets: Vec<String>,
}

/// Where the config schema is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// File name beside the manifest.
    pub schema: String,
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// What is wrong, with line and column.
    pub fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|e| e.to_string())
    }

    /// The world without package and version: `identity-provider`, `payment-provider` or `report-generator`.
    #[must_use]
    pub fn world_name(&self) -> &str {
        self.world.split(['/', '@']).nth(1).unwrap_or_default()
    }

    /// The host interfaces that its declarations amount to. Logging, configuration, time, randomness and cryptography
    /// reach nothing outside the call and need no declaration.
    #[must_use]
    pub fn interfaces(&self) -> BTreeSet<String> {
        let has = |kind: &str| self.egress.iter().any(|e| e.kind == kind);
        let reveal = self.secret.iter().any(|s| s.uses.iter().any(|u| u == "reveal"));
        let declared = [
            ("kv", self.grants.kv.is_some()),
            ("secrets", !self.secret.is_empty()),
            ("reveal", reveal),
            ("http", has("http")),
            ("download", has("http")),
            ("dial", has("dial")),
            ("blob", self.grants.blob || !self.report.is_empty()),
            ("datasets", self.report.iter().any(|r| !r.datasets.is_empty())),
        ];
        let free = ["log", "config", "clock", "random", "crypto"];
        let declared = declared.into_iter().filter(|(_, is)| *is).map(|(name, _)| name);
        free.into_iter().chain(declared).map(str::to_owned).collect()
    }

    /// What is odd about it, for a plugin author; empty when nothing is.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        let mut out = Vec::new();
        let mut complain = |bad: bool, text: String| {
            if bad {
                out.push(text);
            }
        };
        complain(
            !self.id.starts_with(&format!("{}.", self.publisher)),
            "id has to be <publisher>.<name>".into(),
        );
        complain(
            !is_semver(&self.version),
            format!("version {:?} is not major.minor.patch", self.version),
        );
        let known = [
            "aistack:identity/identity-provider@1.0",
            "aistack:payment/payment-provider@1.0",
            "aistack:report/report-generator@1.0",
        ];
        complain(
            !known.contains(&self.world.as_str()),
            format!("unknown world {:?}", self.world),
        );
        for (what, texts) in [("name", &self.name), ("description", &self.description)]
            .into_iter()
            .chain(self.egress.iter().map(|e| ("egress.reason", &e.reason)))
            .chain(self.report.iter().map(|r| ("report.title", &r.title)))
            .chain(self.secret.iter().map(|s| ("secret.label", &s.label)))
        {
            complain(
                !(texts.contains_key("en") && texts.contains_key("zh-CN")),
                format!("{what} lacks en or zh-CN"),
            );
        }
        complain(
            self.config.schema != "config.schema.json",
            "config.schema has to be config.schema.json".into(),
        );
        for secret in &self.secret {
            let http = secret.uses.iter().any(|u| u.starts_with("http:"));
            let name = &secret.name;
            complain(
                http == secret.hosts.is_empty(),
                format!("secret {name}: hosts are for http uses, and needed there"),
            );
            complain(
                secret.uses.is_empty(),
                format!("secret {name}: without a use it can't be used"),
            );
        }
        complain(
            (self.world_name() == "report-generator") == self.report.is_empty(),
            "[[report]] is for reports, and needed there".into(),
        );
        out
    }
}

fn is_semver(text: &str) -> bool {
    let parts: Vec<_> = text.split('.').collect();
    parts.len() == 3 && parts.iter().all(|p| p.parse::<u32>().is_ok())
}
