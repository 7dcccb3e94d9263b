//! JSON Web Signatures in compact form (RFC 7515), read strictly: only listed asymmetric algorithms, nothing critical that
//! we don't know, no duplicate keys, no slack in base64url. Keys never come from the token itself.

use aistack_sdk::{Fault, Host, json};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// All algorithms there are for us. Never `none`, never a MAC: with a public key those prove nothing.
pub(crate) const ALGORITHMS: [&str; 9] = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA",
];
/// Largest token that is looked at.
const MAX_TOKEN: usize = 32 << 10;

/// A token that was taken apart; nothing in it is proven yet.
#[derive(Debug)]
pub(crate) struct Token<'a> {
    pub(crate) alg: &'static str,
    pub(crate) kid: Option<String>,
    pub(crate) claims: Value,
    /// What was signed.
    signed: &'a str,
    signature: Vec<u8>,
}

fn bad(code: &str, message: impl Into<String>) -> Fault {
    Fault::signature_invalid(code, message)
}

impl<'a> Token<'a> {
    /// Takes a token apart. `allowed`: the algorithms that metadata and configuration leave.
    pub(crate) fn parse(text: &'a str, allowed: &[&str]) -> Result<Self, Fault> {
        let malformed = |why: &str| bad("id_token_malformed", format!("the ID token {why}"));
        if text.len() > MAX_TOKEN {
            return Err(malformed("is too large"));
        }
        let (signed, signature) = text.rsplit_once('.').ok_or_else(|| malformed("is not a JWS"))?;
        let (header, payload) = signed.split_once('.').ok_or_else(|| malformed("is not a JWS"))?;
        if payload.contains('.') {
            return Err(malformed("has more than three parts; encrypted tokens are not taken"));
        }
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| malformed("is not base64url"));
        let object = |part: &str| {
            let value = json::parse(&decode(part)?).map_err(|f| malformed(&format!("can't be read: {}", f.message)))?;
            if value.is_object() {
                Ok(value)
            } else {
                Err(malformed("holds no JSON object"))
            }
        };
        let header = object(header)?;
        let alg = algorithm(&header, allowed)?;
        if header.get("crit").is_some() {
            return Err(bad("id_token_critical_header", "the ID token has critical headers"));
        }
        check_type(&header)?;
        let kid = match header.get("kid") {
            None => None,
            Some(Value::String(kid)) if kid.len() <= 1000 => Some(kid.clone()),
            Some(_) => return Err(malformed("has a kid that is no text")),
        };
        Ok(Self {
            alg,
            kid,
            claims: object(payload)?,
            signed,
            signature: decode(signature)?,
        })
    }

    /// Whether the key with this JWK signed it.
    pub(crate) fn verify(&self, host: &Host, jwk: &Value) -> Result<bool, Fault> {
        host.verify(
            self.alg,
            jwk.to_string().as_bytes(),
            self.signed.as_bytes(),
            &self.signature,
        )
    }
}

fn algorithm(header: &Value, allowed: &[&str]) -> Result<&'static str, Fault> {
    let named = header["alg"].as_str().unwrap_or_default();
    match ALGORITHMS.iter().find(|a| **a == named) {
        Some(alg) if allowed.contains(alg) => Ok(alg),
        _ => {
            let message = format!(
                "the ID token is signed by {:?}, which is not accepted",
                crate::provider::fetch::excerpt(named)
            );
            Err(bad("id_token_algorithm", message))
        }
    }
}

/// Explicitly typed tokens for other purposes (access tokens, logout tokens) are signed by the same keys.
fn check_type(header: &Value) -> Result<(), Fault> {
    let typ = match header.get("typ") {
        None => return Ok(()),
        Some(typ) => typ.as_str().unwrap_or_default().to_ascii_lowercase(),
    };
    if ["jwt", "id_token+jwt"].contains(&typ.trim_start_matches("application/")) {
        return Ok(());
    }
    Err(bad(
        "id_token_type",
        format!(
            "a token of type {:?} is no ID token",
            crate::provider::fetch::excerpt(&typ)
        ),
    ))
}

/// Whether a JWK may verify signatures by this algorithm.
pub(crate) fn fits(jwk: &Value, alg: &str) -> bool {
    let (kty, crv) = match alg {
        "ES256" => ("EC", Some("P-256")),
        "ES384" => ("EC", Some("P-384")),
        "EdDSA" => ("OKP", Some("Ed25519")),
        _ => ("RSA", None),
    };
    let says = |name: &str, value: &str| jwk[name].as_str().is_none_or(|v| v == value);
    jwk["kty"] == kty
        && crv.is_none_or(|crv| jwk["crv"] == crv)
        && says("alg", alg)
        && says("use", "sig")
        && jwk["key_ops"]
            .as_array()
            .is_none_or(|ops| ops.iter().any(|o| o == "verify"))
}

/// The hash that belongs to an algorithm, for `at_hash` and `c_hash`: its left half, base64url.
pub(crate) fn half_hash(host: &Host, alg: &str, text: &str) -> Result<String, Fault> {
    let digest = match alg {
        "RS384" | "PS384" | "ES384" => "SHA-384",
        // Ed25519 hashes by SHA-512.
        "RS512" | "PS512" | "EdDSA" => "SHA-512",
        _ => "SHA-256",
    };
    let full = host.digest(digest, text.as_bytes())?;
    Ok(URL_SAFE_NO_PAD.encode(&full[..full.len() / 2]))
}

pub(crate) fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
