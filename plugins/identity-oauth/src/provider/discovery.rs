//! The provider's metadata (OpenID Connect Discovery 1.0): fetched from the issuer, believed only if it names exactly that
//! issuer, and kept for a while.

use crate::config::{Config, Issuer};
use crate::provider::fetch;
use aistack_sdk::{Fault, Host, HttpRequest};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How long metadata is kept. Well under the 24 hours that key sets may be, since endpoints change without notice.
const KEEP_S: u32 = 3600;

/// What is used of the metadata.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Metadata {
    pub(crate) issuer: String,
    pub(crate) authorization_endpoint: String,
    pub(crate) token_endpoint: String,
    pub(crate) jwks_uri: String,
    pub(crate) userinfo_endpoint: Option<String>,
    pub(crate) end_session_endpoint: Option<String>,
    pub(crate) response_types_supported: Option<Vec<String>>,
    pub(crate) token_endpoint_auth_methods_supported: Option<Vec<String>>,
    pub(crate) id_token_signing_alg_values_supported: Option<Vec<String>>,
    pub(crate) code_challenge_methods_supported: Option<Vec<String>>,
    pub(crate) authorization_response_iss_parameter_supported: bool,
}

/// The metadata, from the cache or fresh.
pub(crate) fn metadata(host: &Host, config: &Config) -> Result<Metadata, Fault> {
    let slot = fetch::slot(host, "discovery", &config.issuer)?;
    if let Some(kept) = fetch::kept(host, &slot)
        && let Ok(metadata) = read(&kept, &config.expected_issuer())
    {
        return Ok(metadata);
    }
    let fresh = fetch(host, config)?;
    let value = serde_json::to_value(&fresh).map_err(|e| Fault::internal("metadata", e.to_string()))?;
    fetch::keep(host, &slot, &value, KEEP_S);
    Ok(fresh)
}

/// The metadata, fresh.
pub(crate) fn fetch(host: &Host, config: &Config) -> Result<Metadata, Fault> {
    let url = format!(
        "{}/.well-known/openid-configuration",
        config.issuer.trim_end_matches('/')
    );
    let document = fetch::get_json(host, config, "discovery", HttpRequest::get(url))?;
    read(&document, &config.expected_issuer())
}

/// Reads a metadata document that has to be `issuer`'s.
pub(crate) fn read(document: &Value, issuer: &Issuer) -> Result<Metadata, Fault> {
    let invalid = |why: String| Fault::provider("metadata_invalid", why);
    let metadata: Metadata = serde_json::from_value(document.clone()).map_err(|e| invalid(format!("metadata: {e}")))?;
    if metadata.issuer != issuer.stated() {
        let message = format!(
            "metadata of {:?}, expected {:?}",
            fetch::excerpt(&metadata.issuer),
            issuer.stated()
        );
        return Err(Fault::provider("issuer_mismatch", message));
    }
    let endpoints = [
        ("authorization_endpoint", Some(&metadata.authorization_endpoint)),
        ("token_endpoint", Some(&metadata.token_endpoint)),
        ("jwks_uri", Some(&metadata.jwks_uri)),
        ("userinfo_endpoint", metadata.userinfo_endpoint.as_ref()),
        ("end_session_endpoint", metadata.end_session_endpoint.as_ref()),
    ];
    for (name, url) in endpoints {
        if let Some(url) = url
            && !acceptable(url, &metadata.issuer)
        {
            return Err(invalid(format!(
                "{name} {:?} is not an acceptable URL",
                fetch::excerpt(url)
            )));
        }
    }
    if metadata
        .response_types_supported
        .as_ref()
        .is_some_and(|types| !types.iter().any(|t| t == "code"))
    {
        return Err(invalid("the provider does not offer the response type code".into()));
    }
    Ok(metadata)
}

/// An endpoint is `https`; plain `http` only below an issuer that is `http` itself, which the host allows for granted
/// private hosts alone. No user info, no fragment.
fn acceptable(url: &str, issuer: &str) -> bool {
    let rest = match url.strip_prefix("https://") {
        Some(rest) => rest,
        None => match url.strip_prefix("http://") {
            Some(rest) if issuer.starts_with("http://") => rest,
            _ => return false,
        },
    };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    !authority.is_empty()
        && !authority.contains('@')
        && url.len() <= 2000
        && !url.contains(['#', '\\'])
        && url.bytes().all(|b| b.is_ascii_graphic())
}
