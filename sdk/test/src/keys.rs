//! Signing keys for tests: an identity provider's, a client's.

use aistack_sdk::Fault;
use aws_lc_rs::{
    encoding::AsDer as _,
    rand::SystemRandom,
    rsa::{self, KeySize},
    signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};

/// A private key that signs by a JOSE algorithm.
pub struct TestKey {
    alg: String,
    kid: String,
    pkcs8: Vec<u8>,
}

impl TestKey {
    /// A fresh key for `alg` (`RS256`, `PS256`, `ES256`, `EdDSA`, …), named `kid` in its JWK.
    #[must_use]
    pub fn generate(alg: &str, kid: &str) -> Self {
        let pkcs8 = match &alg[..2] {
            "RS" | "PS" => {
                let pair = rsa::KeyPair::generate(KeySize::Rsa2048).expect("generates");
                pair.as_der().expect("encodes").as_ref().to_vec()
            }
            "ES" => EcdsaKeyPair::generate_pkcs8(ecdsa(alg), &SystemRandom::new())
                .expect("generates")
                .as_ref()
                .to_vec(),
            "Ed" => Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new())
                .expect("generates")
                .as_ref()
                .to_vec(),
            other => panic!("no keys for {other}"),
        };
        Self {
            alg: alg.into(),
            kid: kid.into(),
            pkcs8,
        }
    }

    /// The algorithm.
    #[must_use]
    pub fn alg(&self) -> &str {
        &self.alg
    }

    /// The key id.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The private key as PKCS#8 PEM, as a secret holds it.
    #[must_use]
    pub fn pem(&self) -> String {
        format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            STANDARD.encode(&self.pkcs8)
        )
    }

    /// The public key as JWK.
    #[must_use]
    pub fn jwk(&self) -> Value {
        let b64 = |b: &[u8]| URL_SAFE_NO_PAD.encode(b);
        let mut jwk = match &self.alg[..2] {
            "RS" | "PS" => {
                let pair = RsaKeyPair::from_pkcs8(&self.pkcs8).expect("own key");
                let public = pair.public_key();
                let (n, e) = (public.modulus(), public.exponent());
                json!({"kty": "RSA", "n": b64(n.big_endian_without_leading_zero()), "e": b64(e.big_endian_without_leading_zero())})
            }
            "ES" => {
                let pair = EcdsaKeyPair::from_pkcs8(ecdsa(&self.alg), &self.pkcs8).expect("own key");
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                let crv = if self.alg == "ES256" { "P-256" } else { "P-384" };
                json!({"kty": "EC", "crv": crv, "x": b64(x), "y": b64(y)})
            }
            _ => {
                let pair = Ed25519KeyPair::from_pkcs8(&self.pkcs8).expect("own key");
                json!({"kty": "OKP", "crv": "Ed25519", "x": b64(pair.public_key().as_ref())})
            }
        };
        jwk["kid"] = json!(self.kid);
        jwk["alg"] = json!(self.alg);
        jwk["use"] = json!("sig");
        jwk
    }

    /// A signature over `data`.
    #[must_use]
    pub fn sign(&self, data: &[u8]) -> Vec<u8> {
        sign_der(&self.alg, &self.pkcs8, data).expect("own key signs")
    }

    /// A JWS in compact form with exactly these header and payload texts.
    #[must_use]
    pub fn jws_raw(&self, header: &str, payload: &str) -> String {
        let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let signature = URL_SAFE_NO_PAD.encode(self.sign(input.as_bytes()));
        format!("{input}.{signature}")
    }

    /// A JWS with this key's usual header.
    #[must_use]
    pub fn jws(&self, payload: &Value) -> String {
        let header = json!({"alg": self.alg, "kid": self.kid, "typ": "JWT"});
        self.jws_raw(&header.to_string(), &payload.to_string())
    }
}

fn ecdsa(alg: &str) -> &'static signature::EcdsaSigningAlgorithm {
    match alg {
        "ES256" => &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
        "ES384" => &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
        other => panic!("no curve for {other}"),
    }
}

/// Signs with a PKCS#8 PEM key, as the host's `crypto.sign` does.
pub(crate) fn sign_pem(alg: &str, pem: &[u8], data: &[u8]) -> Result<Vec<u8>, Fault> {
    let bad = || Fault::invalid_config("bad_private_key", "not a PKCS#8 PEM private key");
    let text = core::str::from_utf8(pem).map_err(|_| bad())?;
    let body: String = text.lines().filter(|l| !l.starts_with("-----")).collect();
    let der = STANDARD.decode(body.trim()).map_err(|_| bad())?;
    sign_der(alg, &der, data).ok_or_else(bad)
}

fn sign_der(alg: &str, der: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    let rng = SystemRandom::new();
    let rsa = |padding: &'static dyn signature::RsaEncoding| {
        let pair = RsaKeyPair::from_pkcs8(der).ok()?;
        let mut out = vec![0; pair.public_modulus_len()];
        pair.sign(padding, &rng, data, &mut out).ok()?;
        Some(out)
    };
    match alg {
        "RS256" => rsa(&signature::RSA_PKCS1_SHA256),
        "RS384" => rsa(&signature::RSA_PKCS1_SHA384),
        "RS512" => rsa(&signature::RSA_PKCS1_SHA512),
        "PS256" => rsa(&signature::RSA_PSS_SHA256),
        "PS384" => rsa(&signature::RSA_PSS_SHA384),
        "PS512" => rsa(&signature::RSA_PSS_SHA512),
        "ES256" | "ES384" => {
            let pair = EcdsaKeyPair::from_pkcs8(ecdsa(alg), der).ok()?;
            Some(pair.sign(&rng, data).ok()?.as_ref().to_vec())
        }
        "EdDSA" => Some(Ed25519KeyPair::from_pkcs8(der).ok()?.sign(data).as_ref().to_vec()),
        _ => None,
    }
}
