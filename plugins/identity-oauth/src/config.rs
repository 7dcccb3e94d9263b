//! The installation's configuration, as `config.schema.json` describes it, and what the presets make of it.

use aistack_sdk::json::SecretName;
use aistack_sdk::{Fault, Host};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Secret of a confidential client.
pub(crate) const CLIENT_SECRET: &str = "client_secret";
/// Private key of a client that signs its assertions.
pub(crate) const CLIENT_KEY: &str = "client_key";
/// Directory of personal Microsoft accounts.
pub(crate) const MICROSOFT_CONSUMERS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Preset {
    Oidc,
    Google,
    Microsoft,
    Github,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ClientAuth {
    Auto,
    ClientSecretBasic,
    ClientSecretPost,
    PrivateKeyJwt,
    None,
}

impl ClientAuth {
    /// The name that metadata uses.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::None => "none",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum EmailTrust {
    Claim,
    Always,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    pub(crate) provider: Preset,
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    pub(crate) microsoft_tenant: String,
    /// Read by the platform, which resolves grants from it.
    #[allow(dead_code, reason = "part of the schema; only the platform reads it")]
    pub(crate) endpoint_hosts: Vec<String>,
    pub(crate) ca_certificate: String,
    pub(crate) github_url: String,
    pub(crate) github_api_url: String,
    pub(crate) hosted_domains: Vec<String>,
    pub(crate) allowed_tenants: Vec<String>,
    pub(crate) allowed_organizations: Vec<String>,
    pub(crate) required_groups: Vec<String>,
    pub(crate) max_age_minutes: u32,
    pub(crate) email_trust: EmailTrust,
    pub(crate) username_claim: String,
    pub(crate) name_claim: String,
    pub(crate) email_claim: String,
    pub(crate) groups_claim: String,
    pub(crate) attribute_claims: BTreeMap<String, String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) userinfo: bool,
    pub(crate) client_authentication: ClientAuth,
    pub(crate) client_key_id: String,
    pub(crate) client_key_alg: String,
    pub(crate) signing_algorithms: Vec<String>,
    pub(crate) acr_values: String,
    pub(crate) provider_logout: bool,
    /// References to the secrets. Their names are fixed, so nothing has to be read from here.
    #[allow(
        dead_code,
        reason = "part of the schema; a config may name the secrets or leave them out"
    )]
    pub(crate) client_secret: Option<SecretName>,
    #[allow(dead_code, reason = "as client_secret")]
    pub(crate) client_key: Option<SecretName>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            provider: Preset::Oidc,
            issuer: String::new(),
            client_id: String::new(),
            microsoft_tenant: "organizations".into(),
            endpoint_hosts: Vec::new(),
            ca_certificate: String::new(),
            github_url: "https://github.com".into(),
            github_api_url: "https://api.github.com".into(),
            hosted_domains: Vec::new(),
            allowed_tenants: Vec::new(),
            allowed_organizations: Vec::new(),
            required_groups: Vec::new(),
            max_age_minutes: 0,
            email_trust: EmailTrust::Claim,
            username_claim: "preferred_username".into(),
            name_claim: "name".into(),
            email_claim: "email".into(),
            groups_claim: "groups".into(),
            attribute_claims: BTreeMap::new(),
            scopes: ["openid", "profile", "email"].map(str::to_owned).into(),
            userinfo: false,
            client_authentication: ClientAuth::Auto,
            client_key_id: String::new(),
            client_key_alg: "RS256".into(),
            signing_algorithms: crate::token::jose::ALGORITHMS.map(str::to_owned).into(),
            acr_values: String::new(),
            provider_logout: true,
            client_secret: None,
            client_key: None,
        }
    }
}

/// What issuer identifier is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Issuer {
    /// Exactly this one.
    Exact(String),
    /// Microsoft's: the text with `{tenantid}` replaced by the token's `tid`.
    Template(String),
}

impl Issuer {
    /// The issuer as discovery has to state it.
    pub(crate) fn stated(&self) -> &str {
        match self {
            Self::Exact(text) | Self::Template(text) => text,
        }
    }

    /// The issuer that a token of directory `tid` has to name.
    pub(crate) fn of_token(&self, tid: Option<&str>) -> Option<String> {
        match self {
            Self::Exact(text) => Some(text.clone()),
            Self::Template(text) => tid.filter(|t| is_uuid(t)).map(|t| text.replace("{tenantid}", t)),
        }
    }
}

impl Config {
    /// The configuration, with what a preset fixes filled in.
    pub(crate) fn load(host: &Host) -> Result<Self, Fault> {
        let mut config: Self = host.config()?;
        if config.client_id.is_empty() {
            return Err(Fault::invalid_config("client_id_missing", "client_id is not set"));
        }
        config.apply_preset()?;
        Ok(config)
    }

    fn apply_preset(&mut self) -> Result<(), Fault> {
        match self.provider {
            Preset::Oidc if self.issuer.is_empty() => {
                return Err(Fault::invalid_config("issuer_missing", "issuer is not set"));
            }
            Preset::Oidc | Preset::Github => {}
            Preset::Google => self.issuer = "https://accounts.google.com".into(),
            Preset::Microsoft => {
                self.issuer = format!("https://login.microsoftonline.com/{}/v2.0", self.microsoft_tenant);
                let anybody = ["organizations", "common"].contains(&self.microsoft_tenant.as_str());
                if anybody && self.allowed_tenants.is_empty() {
                    let message =
                        "organizations and common need allowed_tenants: anybody with a Microsoft account could sign in";
                    return Err(Fault::invalid_config("allowed_tenants_missing", message));
                }
            }
        }
        if self.provider != Preset::Github && !self.scopes.iter().any(|s| s == "openid") {
            self.scopes.insert(0, "openid".into());
        }
        Ok(())
    }

    /// Where discovery is, and what issuer it has to state.
    pub(crate) fn expected_issuer(&self) -> Issuer {
        match (self.provider, self.microsoft_tenant.as_str()) {
            (Preset::Microsoft, "organizations" | "common") => {
                Issuer::Template("https://login.microsoftonline.com/{tenantid}/v2.0".into())
            }
            (Preset::Microsoft, "consumers") => {
                Issuer::Exact(format!("https://login.microsoftonline.com/{MICROSOFT_CONSUMERS}/v2.0"))
            }
            _ => Issuer::Exact(self.issuer.clone()),
        }
    }

    pub(crate) fn ca(&self) -> Option<String> {
        (!self.ca_certificate.trim().is_empty()).then(|| self.ca_certificate.clone())
    }
}

pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}
