//! The provider's public keys: cached for at most a day, asked for again when a token names an unknown one, but at most once
//! in a minute, so that nobody can make us hammer the provider with invented key ids.

use crate::config::Config;
use crate::provider::discovery::Metadata;
use crate::provider::fetch;
use crate::token::jose;
use aistack_sdk::{Fault, Host, HttpRequest};
use serde_json::{Value, json};

/// Longest time a key set is believed.
const KEEP_S: u32 = 24 * 3600;
/// Shortest time between two refreshes on behalf of unknown keys.
const PAUSE_S: u32 = 60;
/// Most keys that are kept.
const MAX_KEYS: usize = 64;
/// The public parts of a key that are kept. Certificates and, by mistake, private parts are left out.
const PARTS: [&str; 11] = [
    "kty", "kid", "alg", "use", "key_ops", "n", "e", "crv", "x", "y", "issuer",
];

/// Finds the key that signed the token, and says so only if it did. Returns the key.
pub(crate) fn verify(
    host: &Host,
    config: &Config,
    metadata: &Metadata,
    token: &jose::Token<'_>,
) -> Result<Value, Fault> {
    let slot = fetch::slot(host, "jwks", &metadata.jwks_uri)?;
    let (keys, fresh) = match fetch::kept(host, &slot) {
        Some(Value::Array(keys)) => (keys, false),
        _ => (refresh(host, config, metadata, &slot)?, true),
    };
    match attempt(host, &keys, token)? {
        Attempt::Verified(key) => return Ok(key),
        // The named key is there and did not sign: no other key would help.
        Attempt::Wrong if token.kid.is_some() => return Err(mismatch()),
        _ if fresh => {}
        Attempt::Wrong | Attempt::Unknown => {
            let pause = format!("{slot}/refreshed");
            if host.kv_put_absent(&pause, b"1", Some(PAUSE_S))? {
                let keys = refresh(host, config, metadata, &slot)?;
                if let Attempt::Verified(key) = attempt(host, &keys, token)? {
                    return Ok(key);
                }
            }
        }
    }
    if token.kid.is_none() {
        return Err(mismatch());
    }
    Err(Fault::signature_invalid(
        "key_unknown",
        "the ID token names a key that the provider does not publish",
    ))
}

fn mismatch() -> Fault {
    Fault::signature_invalid("id_token_signature", "the ID token's signature is wrong")
}

enum Attempt {
    Verified(Value),
    /// There are candidates, and none of them signed.
    Wrong,
    Unknown,
}

fn attempt(host: &Host, keys: &[Value], token: &jose::Token<'_>) -> Result<Attempt, Fault> {
    let candidate = |jwk: &&Value| {
        let named = token.kid.as_deref().is_none_or(|kid| jwk["kid"].as_str() == Some(kid));
        named && jose::fits(jwk, token.alg)
    };
    let mut result = Attempt::Unknown;
    for jwk in keys.iter().filter(candidate) {
        match token.verify(host, jwk) {
            Ok(true) => return Ok(Attempt::Verified(jwk.clone())),
            Ok(false) => result = Attempt::Wrong,
            // A key the host does not take (too short, malformed) can't be the one.
            Err(fault) if fault.kind == aistack_sdk::Kind::InvalidInput => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(result)
}

fn refresh(host: &Host, config: &Config, metadata: &Metadata, slot: &str) -> Result<Vec<Value>, Fault> {
    let keys = fetch_keys(host, config, metadata)?;
    fetch::keep(host, slot, &Value::Array(keys.clone()), KEEP_S);
    Ok(keys)
}

/// The published keys, public parts only.
pub(crate) fn fetch_keys(host: &Host, config: &Config, metadata: &Metadata) -> Result<Vec<Value>, Fault> {
    let set = fetch::get_json(host, config, "key set", HttpRequest::get(&metadata.jwks_uri))?;
    let Some(keys) = set["keys"].as_array() else {
        return Err(Fault::provider(
            "idp_answer_unreadable",
            "key set: there is no list of keys",
        ));
    };
    let public = |jwk: &Value| {
        let mut kept = json!({});
        for part in PARTS {
            if let Some(value) = jwk.get(part) {
                kept[part] = value.clone();
            }
        }
        kept
    };
    Ok(keys
        .iter()
        .filter(|k| k.is_object())
        .take(MAX_KEYS)
        .map(public)
        .collect())
}
