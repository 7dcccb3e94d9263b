//! Public keys in the forms the contract takes: SubjectPublicKeyInfo as DER or PEM, and JWK (RFC 7517).

use super::{Tried, bad_key, unsupported};
use aws_lc_rs::{
    rsa::PublicEncryptingKey,
    signature::{self as sig, ParsedPublicKey, RsaParameters, RsaPublicKeyComponents},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rustls::pki_types::{SubjectPublicKeyInfoDer, pem::PemObject};
use serde::Deserialize;
use std::borrow::Cow;

/// Smallest RSA modulus, in bits.
const MIN_RSA_BITS: usize = 2048;

/// A signature algorithm as the contract names it.
pub(super) enum Scheme {
    /// RSA with these parameters.
    Rsa(&'static RsaParameters),
    /// ECDSA: algorithm, JWK curve, bytes of a coordinate.
    Ecdsa(&'static sig::EcdsaVerificationAlgorithm, &'static str, usize),
    /// Ed25519.
    Ed25519,
}

pub(super) fn scheme(alg: &str) -> Tried<Scheme> {
    Ok(match alg {
        "RS256" => Scheme::Rsa(&sig::RSA_PKCS1_2048_8192_SHA256),
        "RS384" => Scheme::Rsa(&sig::RSA_PKCS1_2048_8192_SHA384),
        "RS512" => Scheme::Rsa(&sig::RSA_PKCS1_2048_8192_SHA512),
        "PS256" => Scheme::Rsa(&sig::RSA_PSS_2048_8192_SHA256),
        "PS384" => Scheme::Rsa(&sig::RSA_PSS_2048_8192_SHA384),
        "PS512" => Scheme::Rsa(&sig::RSA_PSS_2048_8192_SHA512),
        "ES256" => Scheme::Ecdsa(&sig::ECDSA_P256_SHA256_FIXED, "P-256", 32),
        "ES384" => Scheme::Ecdsa(&sig::ECDSA_P384_SHA384_FIXED, "P-384", 48),
        "EdDSA" => Scheme::Ed25519,
        other => return Err(unsupported(other)),
    })
}

#[derive(Deserialize)]
struct Jwk<'a> {
    kty: &'a str,
    alg: Option<Cow<'a, str>>,
    #[serde(rename = "use")]
    usage: Option<Cow<'a, str>>,
    key_ops: Option<Vec<String>>,
    crv: Option<Cow<'a, str>>,
    n: Option<Cow<'a, str>>,
    e: Option<Cow<'a, str>>,
    x: Option<Cow<'a, str>>,
    y: Option<Cow<'a, str>>,
}

impl Jwk<'_> {
    fn parse(text: &[u8]) -> Tried<Jwk<'_>> {
        serde_json::from_slice(text).map_err(|_| bad_key("the JWK is not well-formed"))
    }

    /// A key that says what it is for must say this.
    fn is_for(&self, alg: &str, usage: &str, op: &str) -> Tried<()> {
        if self.alg.as_deref().is_some_and(|a| a != alg) {
            return Err(bad_key("the JWK's alg is another algorithm"));
        }
        if self.usage.as_deref().is_some_and(|u| u != usage) {
            return Err(bad_key("the JWK's use is another one"));
        }
        if self.key_ops.as_ref().is_some_and(|ops| !ops.iter().any(|o| o == op)) {
            return Err(bad_key("the JWK's key_ops do not have this operation"));
        }
        Ok(())
    }

    fn rsa(&self) -> Tried<RsaPublicKeyComponents<Vec<u8>>> {
        if self.kty != "RSA" {
            return Err(bad_key("the JWK is not an RSA key"));
        }
        let (n, e) = (member(self.n.as_deref())?, member(self.e.as_deref())?);
        // Some issuers pad the modulus with a zero byte, against RFC 7518 §6.3.1.1.
        let n = n.iter().position(|b| *b != 0).map_or(vec![], |at| n[at..].to_vec());
        let bits = n.len() * 8 - n.first().map_or(0, |b| b.leading_zeros() as usize);
        if bits < MIN_RSA_BITS {
            return Err(bad_key("RSA keys need at least 2048 bits"));
        }
        Ok(RsaPublicKeyComponents { n, e })
    }
}

fn member(text: Option<&str>) -> Tried<Vec<u8>> {
    text.and_then(|t| URL_SAFE_NO_PAD.decode(t).ok())
        .ok_or_else(|| bad_key("the JWK lacks a member, or it is not base64url"))
}

fn is_jwk(key: &[u8]) -> bool {
    key.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'{')
}

/// SubjectPublicKeyInfo DER from DER or PEM.
fn spki(key: &[u8]) -> Tried<Cow<'_, [u8]>> {
    if key.starts_with(b"-----BEGIN ") {
        let der =
            SubjectPublicKeyInfoDer::from_pem_slice(key).map_err(|_| bad_key("the PEM text has no public key"))?;
        return Ok(Cow::Owned(der.to_vec()));
    }
    Ok(Cow::Borrowed(key))
}

/// The key, ready to verify with `alg`.
pub(super) fn verifying(alg: &str, key: &[u8]) -> Tried<ParsedPublicKey> {
    let scheme = scheme(alg)?;
    if is_jwk(key) {
        let jwk = Jwk::parse(key)?;
        jwk.is_for(alg, "sig", "verify")?;
        return match scheme {
            Scheme::Rsa(p) => jwk
                .rsa()?
                .to_parsed_public_key(p)
                .map_err(|_| bad_key("not a usable RSA key")),
            Scheme::Ecdsa(a, curve, size) => {
                if jwk.kty != "EC" || jwk.crv.as_deref() != Some(curve) {
                    return Err(bad_key("the JWK is not a key of this curve"));
                }
                let (x, y) = (member(jwk.x.as_deref())?, member(jwk.y.as_deref())?);
                if x.len() != size || y.len() != size {
                    return Err(bad_key("the JWK's coordinates are not of the curve's size"));
                }
                ParsedPublicKey::new(a, [&[4], &*x, &*y].concat()).map_err(|_| bad_key("not a point of the curve"))
            }
            Scheme::Ed25519 => {
                if jwk.kty != "OKP" || jwk.crv.as_deref() != Some("Ed25519") {
                    return Err(bad_key("the JWK is not an Ed25519 key"));
                }
                let x = member(jwk.x.as_deref())?;
                if x.len() != 32 {
                    return Err(bad_key("an Ed25519 key has 32 bytes"));
                }
                ParsedPublicKey::new(&sig::ED25519, x).map_err(|_| bad_key("not an Ed25519 key"))
            }
        };
    }
    let der = spki(key)?;
    match scheme {
        Scheme::Rsa(p) => {
            // Checks the form (SubjectPublicKeyInfo only) and the size.
            PublicEncryptingKey::from_der(&der).map_err(|_| bad_key("not an RSA key of at least 2048 bits"))?;
            ParsedPublicKey::new(p, &*der)
        }
        // A bare point or a bare 32 bytes would be taken too, but the contract promises one form.
        Scheme::Ecdsa(..) | Scheme::Ed25519 if der.first() != Some(&0x30) => {
            return Err(bad_key("not a SubjectPublicKeyInfo"));
        }
        Scheme::Ecdsa(a, ..) => ParsedPublicKey::new(a, &*der),
        Scheme::Ed25519 if der.len() == 32 => return Err(bad_key("not a SubjectPublicKeyInfo")),
        Scheme::Ed25519 => ParsedPublicKey::new(&sig::ED25519, &*der),
    }
    .map_err(|_| bad_key("the key does not fit the algorithm"))
}

/// The RSA key, ready to encrypt with `alg`.
pub(super) fn encrypting(alg: &str, key: &[u8]) -> Tried<PublicEncryptingKey> {
    let rejected = |_| bad_key("not an RSA key of at least 2048 bits");
    if !is_jwk(key) {
        return PublicEncryptingKey::from_der(&spki(key)?).map_err(rejected);
    }
    let jwk = Jwk::parse(key)?;
    jwk.is_for(alg, "enc", "encrypt")?;
    let parsed = jwk
        .rsa()?
        .to_parsed_public_key(&sig::RSA_PKCS1_2048_8192_SHA256)
        .map_err(|_| bad_key("not a usable RSA key"))?;
    PublicEncryptingKey::from_der(parsed.as_ref()).map_err(rejected)
}
