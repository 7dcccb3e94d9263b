//! Real cryptography for the double: what the host offers, by the same library.

use aistack_sdk::Fault;
use aws_lc_rs::{aead, digest, hmac, signature};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

fn unsupported(alg: &str) -> Fault {
    Fault::new(
        aistack_sdk::Kind::Unsupported,
        "unsupported_algorithm",
        format!("{alg} is not offered"),
    )
}

/// Reproducible bytes: SHA-256 of the seed and a counter.
pub(super) fn dice(seed: u64, start: u64, n: u32) -> Vec<u8> {
    (start..start + u64::from(n))
        .map(|i| digest::digest(&digest::SHA256, format!("{seed}/{i}").as_bytes()).as_ref()[0])
        .collect()
}

pub(super) fn digest(alg: &str, data: &[u8]) -> Result<Vec<u8>, Fault> {
    let alg = match alg {
        "SHA-256" => &digest::SHA256,
        "SHA-384" => &digest::SHA384,
        "SHA-512" => &digest::SHA512,
        "SHA-1" => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        other => return Err(unsupported(other)),
    };
    Ok(digest::digest(alg, data).as_ref().to_vec())
}

pub(super) fn mac(alg: &str, key: &[u8], data: &[u8]) -> Result<Vec<u8>, Fault> {
    let alg = match alg {
        "HS256" => hmac::HMAC_SHA256,
        "HS384" => hmac::HMAC_SHA384,
        "HS512" => hmac::HMAC_SHA512,
        other => return Err(unsupported(other)),
    };
    Ok(hmac::sign(&hmac::Key::new(alg, key), data).as_ref().to_vec())
}

/// The family of a signature algorithm, as a JWK names it: `kty` and `crv`.
fn family(alg: &str) -> Result<(&'static str, Option<&'static str>), Fault> {
    Ok(match alg {
        "RS256" | "RS384" | "RS512" | "PS256" | "PS384" | "PS512" => ("RSA", None),
        "ES256" => ("EC", Some("P-256")),
        "ES384" => ("EC", Some("P-384")),
        "EdDSA" => ("OKP", Some("Ed25519")),
        other => return Err(unsupported(other)),
    })
}

pub(super) fn verify(alg: &str, key: &[u8], data: &[u8], sig: &[u8]) -> Result<bool, Fault> {
    let bad = |why: &str| Fault::invalid_input("bad_public_key", why.to_owned());
    let (kty, crv) = family(alg)?;
    let rsa = match alg {
        "RS256" => Some(&signature::RSA_PKCS1_2048_8192_SHA256),
        "RS384" => Some(&signature::RSA_PKCS1_2048_8192_SHA384),
        "RS512" => Some(&signature::RSA_PKCS1_2048_8192_SHA512),
        "PS256" => Some(&signature::RSA_PSS_2048_8192_SHA256),
        "PS384" => Some(&signature::RSA_PSS_2048_8192_SHA384),
        "PS512" => Some(&signature::RSA_PSS_2048_8192_SHA512),
        _ => None,
    };
    let jwk: Value = serde_json::from_slice(key).map_err(|_| bad("the double takes JWKs only"))?;
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    if text("kty") != Some(kty) || (crv.is_some() && text("crv") != crv) {
        return Err(bad("key type does not fit the algorithm"));
    }
    if text("alg").is_some_and(|a| a != alg) || text("use").is_some_and(|u| u != "sig") {
        return Err(bad("the key is meant for something else"));
    }
    let part = |name: &str| {
        text(name)
            .and_then(|t| URL_SAFE_NO_PAD.decode(t).ok())
            .ok_or_else(|| bad("a part of the key is missing"))
    };
    let verified = match (rsa, alg) {
        (Some(rsa), _) => {
            let n = part("n")?;
            if n.len() < 256 {
                return Err(bad("RSA keys have at least 2048 bits"));
            }
            signature::RsaPublicKeyComponents { n, e: part("e")? }.verify(rsa, data, sig)
        }
        (None, "EdDSA") => signature::UnparsedPublicKey::new(&signature::ED25519, part("x")?).verify(data, sig),
        (None, _) => {
            let point = [vec![4], part("x")?, part("y")?].concat();
            let ec = if alg == "ES256" {
                &signature::ECDSA_P256_SHA256_FIXED
            } else {
                &signature::ECDSA_P384_SHA384_FIXED
            };
            signature::UnparsedPublicKey::new(ec, point).verify(data, sig)
        }
    };
    Ok(verified.is_ok())
}

fn aead_key(alg: &str, key: &[u8]) -> Result<aead::LessSafeKey, Fault> {
    let alg = match alg {
        "A256GCM" => &aead::AES_256_GCM,
        "A128GCM" => &aead::AES_128_GCM,
        other => return Err(unsupported(other)),
    };
    let key = aead::UnboundKey::new(alg, key).map_err(|_| Fault::invalid_config("bad_key", "wrong key length"))?;
    Ok(aead::LessSafeKey::new(key))
}

pub(super) fn open_aead(alg: &str, key: &[u8], nonce: &[u8], aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Fault> {
    let refused = || Fault::signature_invalid("ciphertext_invalid", "the ciphertext does not verify");
    let nonce = aead::Nonce::try_assume_unique_for_key(nonce).map_err(|_| refused())?;
    let mut buffer = sealed.to_vec();
    let plain = aead_key(alg, key)?
        .open_in_place(nonce, aead::Aad::from(aad), &mut buffer)
        .map_err(|_| refused())?;
    Ok(plain.to_vec())
}

pub(super) fn seal_aead(alg: &str, key: &[u8], nonce: &[u8], aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, Fault> {
    let nonce = aead::Nonce::try_assume_unique_for_key(nonce)
        .map_err(|_| Fault::invalid_input("bad_nonce", "a nonce has 12 bytes"))?;
    let mut buffer = plain.to_vec();
    aead_key(alg, key)?
        .seal_in_place_append_tag(nonce, aead::Aad::from(aad), &mut buffer)
        .map_err(|_| Fault::internal("seal", "sealing failed"))?;
    Ok(buffer)
}
