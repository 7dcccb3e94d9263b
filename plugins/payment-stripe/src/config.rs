//! The installation's configuration, as `config.schema.json` describes it, and the names of its secrets.

use aistack_sdk::json::SecretName;
use serde::Deserialize;

/// Secret that authenticates us to Stripe.
pub(crate) const API_KEY: &str = "api_key";
/// Secret that authenticates Stripe's events to us.
pub(crate) const WEBHOOK_SECRET: &str = "webhook_secret";

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// Read by the platform too: it decides `Context::live`.
    pub(crate) test_mode: bool,
    /// Origin of the API, without a trailing slash.
    pub(crate) api_base: String,
    /// Empty: as set in the dashboard.
    pub(crate) payment_method_types: Vec<String>,
    /// Empty: none.
    pub(crate) statement_descriptor_suffix: String,
    /// References to the secrets. Their names are fixed, so nothing has to be read from here.
    #[allow(
        dead_code,
        reason = "part of the schema; a config may name the secrets or leave them out"
    )]
    pub(crate) api_key: Option<SecretName>,
    #[allow(dead_code, reason = "as api_key")]
    pub(crate) webhook_secret: Option<SecretName>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            test_mode: true,
            api_base: "https://api.stripe.com".into(),
            payment_method_types: Vec::new(),
            statement_descriptor_suffix: String::new(),
            api_key: None,
            webhook_secret: None,
        }
    }
}
