//! `tests/fixtures.toml`: what the conformance suite knows beside the plugin.

use crate::{
    Error,
    project::{self, Context, Dataset, Opened, Secret, Settings},
};
use serde::Deserialize;
use serde_json::Value;
use std::{collections::BTreeMap, path::Path};

/// See the module.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Fixtures {
    /// A configuration that works.
    pub config: Value,
    /// Secrets that work.
    pub secrets: BTreeMap<String, Secret>,
    /// What calls are told about themselves.
    pub context: Context,
    /// What an operator would open.
    pub grants: Opened,
    /// Key-value state before each case.
    pub kv: BTreeMap<String, String>,
    /// Datasets.
    pub dataset: Vec<Dataset>,
    /// The provider's answers; the first that fits is given.
    pub http: Vec<Answer>,
    /// Requests go out for real, to a simulator or a sandbox; `http` is not looked at.
    pub network: bool,
    /// An order that works.
    pub order: Value,
    /// A genuine delivery that says that the order was paid.
    pub delivery: Option<Delivery>,
    /// A sign-in that works.
    pub sign_in: Option<SignIn>,
    /// Parameters that every report accepts.
    pub report: ReportFacts,
}

impl Default for Fixtures {
    fn default() -> Self {
        let empty = || Value::Object(serde_json::Map::new());
        Self {
            config: empty(),
            secrets: BTreeMap::new(),
            context: Context::default(),
            grants: Opened::default(),
            kv: BTreeMap::new(),
            dataset: Vec::new(),
            http: Vec::new(),
            network: false,
            order: empty(),
            delivery: None,
            sign_in: None,
            report: ReportFacts::default(),
        }
    }
}

/// What the provider answers to some requests.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Answer {
    /// The method.
    #[serde(default = "get")]
    pub method: String,
    /// The URL without its query; `*` at its end stands for anything.
    pub url: String,
    /// The status.
    #[serde(default = "ok")]
    pub status: u16,
    /// Headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body as JSON.
    pub json: Option<Value>,
    /// The body as text.
    pub body: Option<String>,
}

fn get() -> String {
    "GET".to_owned()
}
fn ok() -> u16 {
    200
}

/// A delivery. In `body`, `url`, headers and `sign.over`, `${now_s}`, `${now_ms}`, `${order.id}`, `${order.minor}`,
/// `${order.currency}`, `${body}` and `${signature}` stand for what they say.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Delivery {
    /// The endpoint it comes to.
    pub endpoint: String,
    /// The method.
    #[serde(default = "post")]
    pub method: String,
    /// Path and query.
    #[serde(default = "root")]
    pub url: String,
    /// Headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: String,
    /// Which header carries the signature, if one does.
    pub signature_header: Option<String>,
    /// How it is signed.
    pub sign: Option<Sign>,
}

fn post() -> String {
    "POST".to_owned()
}
fn root() -> String {
    "/".to_owned()
}

/// How a delivery is signed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Sign {
    /// `HS1`, `HS256`, `HS384`, `HS512` with a secret; `RS256`, `Ed25519` with a key file.
    pub alg: String,
    /// The secret.
    pub secret: Option<String>,
    /// A private key as PKCS#8 PEM, from the project's folder.
    pub key_file: Option<std::path::PathBuf>,
    /// What is signed.
    pub over: String,
    /// `hex` or `base64`.
    #[serde(default = "hex")]
    pub encoding: String,
}

fn hex() -> String {
    "hex".to_owned()
}

/// A sign-in that works.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SignIn {
    /// The query with which the browser comes back; `${query.<name>}` is a parameter of the address it was sent to.
    #[serde(rename = "return")]
    pub back: String,
    /// Whom it signs in.
    pub subject: String,
}

/// What the report suite knows.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ReportFacts {
    /// Parameters that every report accepts.
    pub params: Value,
}

impl Default for ReportFacts {
    fn default() -> Self {
        Self {
            params: Value::Object(serde_json::Map::new()),
        }
    }
}

impl Fixtures {
    /// Reads a file of fixtures.
    ///
    /// # Errors
    /// When it can't be read, or does not say what it may say.
    pub fn read(path: &Path) -> Result<Self, Error> {
        project::from_file(path)
    }

    /// What calls run with.
    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings {
            config: self.config.clone(),
            secrets: self.secrets.clone(),
            context: self.context.clone(),
            grants: self.grants.clone(),
            kv: self.kv.clone(),
            dataset: self.dataset.clone(),
        }
    }
}
