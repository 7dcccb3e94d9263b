//! `aistack-plugin.toml` as the SDK's tests read it: strictly, so that a misspelt key fails in the plugin's own tests
//! and not at install.

use serde::Deserialize;
use std::collections::BTreeMap;

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
    /// Oldest host that runs it.
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
    /// What it asks of the host.
    pub grants: Grants,
    /// Bounds it asks for.
    #[serde(default)]
    pub limits: BTreeMap<String, toml::Value>,
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
    pub failure: BTreeMap<String, toml::Value>,
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
    /// Its name, which is also the config field that refers to it.
    pub name: String,
    /// `text` or `private-key`.
    pub kind: String,
    /// Uses, e.g. `http:bearer`, `mac:HS256`.
    #[serde(rename = "use")]
    pub uses: Vec<String>,
    /// Where `http` may inject it.
    #[serde(default)]
    pub hosts: Vec<String>,
}

/// What it asks of the host.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Grants {
    /// Host interfaces.
    pub interfaces: Vec<String>,
    /// Key-value space.
    pub kv: Option<KvGrant>,
    /// Datasets.
    #[serde(default)]
    pub datasets: Vec<String>,
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
    /// JSON Schema of the parameters, as JSON text.
    pub params: String,
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
        let wants = |interface: &str| self.grants.interfaces.iter().any(|i| i == interface);
        let has = |kind: &str| self.egress.iter().any(|e| e.kind == kind);
        complain(
            wants("http") != has("http"),
            "egress of kind http and the interface http go together".into(),
        );
        complain(
            wants("dial") != has("dial"),
            "egress of kind dial and the interface dial go together".into(),
        );
        complain(
            wants("kv") != self.grants.kv.is_some(),
            "grants.kv and the interface kv go together".into(),
        );
        complain(
            wants("secrets") == self.secret.is_empty(),
            "[[secret]] and the interface secrets go together".into(),
        );
        complain(
            wants("datasets") == self.grants.datasets.is_empty(),
            "grants.datasets and the interface datasets go together".into(),
        );
        for secret in &self.secret {
            let http = secret.uses.iter().any(|u| u.starts_with("http:"));
            complain(
                http == secret.hosts.is_empty(),
                format!("secret {:?}: hosts are for http uses, and needed there", secret.name),
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
