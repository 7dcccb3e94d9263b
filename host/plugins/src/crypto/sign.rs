//! Signing and verifying.

use super::{
    Tried, bad_key,
    keys::{self, Scheme},
    unsupported,
};
use aistack_domain::plugins::port::{Fault, FaultKind};
use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeyPair as RsaKeyPair,
    signature::{self as sig, EcdsaKeyPair, Ed25519KeyPair, RsaEncoding},
};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject};

pub(crate) fn verify(alg: &str, public_key: &[u8], data: &[u8], signature: &[u8]) -> Tried<bool> {
    Ok(keys::verifying(alg, public_key)?.verify_sig(data, signature).is_ok())
}

/// The private key of a secret: PEM, PKCS#8 as the contract says; PKCS#1 and SEC 1 are understood as well, since
/// that is what some providers hand out.
pub(super) fn private_key(pem: &[u8]) -> Tried<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|_| unusable("it is not a private key as PEM"))
}

/// The secret itself is at fault, so whoever configures the installation has to act.
fn unusable(why: &str) -> Fault {
    Fault::new(
        FaultKind::InvalidConfig,
        "secret_key_invalid",
        format!("the secret can't be used: {why}"),
    )
}

pub(super) fn rsa_pair(pem: &[u8]) -> Tried<RsaKeyPair> {
    match private_key(pem)? {
        PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
        PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
        _ => return Err(unusable("it is not an RSA key")),
    }
    .map_err(|_| unusable("it is not an RSA key of 2048 to 8192 bits"))
}

pub(crate) fn sign(alg: &str, key: &[u8], data: &[u8]) -> Tried<Vec<u8>> {
    let rng = SystemRandom::new();
    match keys::scheme(alg)? {
        Scheme::Rsa(_) => {
            let encoding: &dyn RsaEncoding = match alg {
                "RS256" => &sig::RSA_PKCS1_SHA256,
                "RS384" => &sig::RSA_PKCS1_SHA384,
                "RS512" => &sig::RSA_PKCS1_SHA512,
                "PS256" => &sig::RSA_PSS_SHA256,
                "PS384" => &sig::RSA_PSS_SHA384,
                "PS512" => &sig::RSA_PSS_SHA512,
                other => return Err(unsupported(other)),
            };
            let pair = rsa_pair(key)?;
            let mut out = vec![0; pair.public_modulus_len()];
            pair.sign(encoding, &rng, data, &mut out)
                .map_err(|_| bad_key("signing failed"))?;
            Ok(out)
        }
        Scheme::Ecdsa(_, curve, _) => {
            let algorithm = if curve == "P-256" {
                &sig::ECDSA_P256_SHA256_FIXED_SIGNING
            } else {
                &sig::ECDSA_P384_SHA384_FIXED_SIGNING
            };
            let pair = match private_key(key)? {
                PrivateKeyDer::Pkcs8(der) => EcdsaKeyPair::from_pkcs8(algorithm, der.secret_pkcs8_der()),
                PrivateKeyDer::Sec1(der) => EcdsaKeyPair::from_private_key_der(algorithm, der.secret_sec1_der()),
                _ => return Err(unusable("it is not an EC key")),
            }
            .map_err(|_| unusable(&format!("it is not a key of {curve}")))?;
            let signature = pair.sign(&rng, data).map_err(|_| bad_key("signing failed"))?;
            Ok(signature.as_ref().to_vec())
        }
        Scheme::Ed25519 => {
            let PrivateKeyDer::Pkcs8(der) = private_key(key)? else {
                return Err(unusable("it is not an Ed25519 key as PKCS#8"));
            };
            let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der())
                .map_err(|_| unusable("it is not an Ed25519 key"))?;
            Ok(pair.sign(data).as_ref().to_vec())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::{
        encoding::AsDer,
        rsa::KeySize,
        signature::{ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, KeyPair as _},
    };
    use base64::{
        Engine as _,
        engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
    };

    fn pem(label: &str, der: &[u8]) -> Vec<u8> {
        let body = STANDARD.encode(der);
        let lines: Vec<&str> = body
            .as_bytes()
            .chunks(64)
            .map(|c| std::str::from_utf8(c).unwrap())
            .collect();
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n")).into_bytes()
    }

    /// Private key as PEM, public key as SPKI DER and as JWK.
    fn rsa() -> (Vec<u8>, Vec<u8>, String) {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let der = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
        let spki = AsDer::<aws_lc_rs::encoding::PublicKeyX509Der<'_>>::as_der(pair.public_key()).unwrap();
        let n = pair.public_key().modulus().big_endian_without_leading_zero();
        let e = pair.public_key().exponent().big_endian_without_leading_zero();
        let jwk = format!(
            r#"{{"kty":"RSA","use":"sig","n":"{}","e":"{}"}}"#,
            URL_SAFE_NO_PAD.encode(n),
            URL_SAFE_NO_PAD.encode(e)
        );
        (pem("PRIVATE KEY", der.as_ref()), spki.as_ref().to_vec(), jwk)
    }

    fn ec(alg: &'static sig::EcdsaSigningAlgorithm, crv: &str, size: usize) -> (Vec<u8>, Vec<u8>, String) {
        let pair = EcdsaKeyPair::generate(alg).unwrap();
        let der = pair.to_pkcs8v1().unwrap();
        let spki = AsDer::<aws_lc_rs::encoding::PublicKeyX509Der<'_>>::as_der(pair.public_key()).unwrap();
        let point = pair.public_key().as_ref();
        let jwk = format!(
            r#"{{"kty":"EC","crv":"{crv}","x":"{}","y":"{}"}}"#,
            URL_SAFE_NO_PAD.encode(&point[1..=size]),
            URL_SAFE_NO_PAD.encode(&point[1 + size..])
        );
        (pem("PRIVATE KEY", der.as_ref()), spki.as_ref().to_vec(), jwk)
    }

    fn ed() -> (Vec<u8>, Vec<u8>, String) {
        let pair = Ed25519KeyPair::generate().unwrap();
        let der = pair.to_pkcs8().unwrap();
        let spki = AsDer::<aws_lc_rs::encoding::PublicKeyX509Der<'_>>::as_der(pair.public_key()).unwrap();
        let jwk = format!(
            r#"{{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","x":"{}"}}"#,
            URL_SAFE_NO_PAD.encode(pair.public_key().as_ref())
        );
        (pem("PRIVATE KEY", der.as_ref()), spki.as_ref().to_vec(), jwk)
    }

    #[test]
    fn what_is_signed_verifies_under_every_form_of_the_key() {
        let keys = [
            (rsa(), &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"][..]),
            (ec(&ECDSA_P256_SHA256_FIXED_SIGNING, "P-256", 32), &["ES256"][..]),
            (ec(&ECDSA_P384_SHA384_FIXED_SIGNING, "P-384", 48), &["ES384"][..]),
            (ed(), &["EdDSA"][..]),
        ];
        for ((private, spki, jwk), algs) in &keys {
            for alg in *algs {
                let signature = sign(alg, private, b"data").unwrap();
                for public in [spki.clone(), pem("PUBLIC KEY", spki), jwk.clone().into_bytes()] {
                    assert!(verify(alg, &public, b"data", &signature).unwrap(), "{alg}");
                    assert!(!verify(alg, &public, b"date", &signature).unwrap(), "{alg}");
                    assert!(!verify(alg, &public, b"data", &signature[1..]).unwrap(), "{alg}");
                }
            }
        }
        assert_eq!(sign("ES256", &keys[1].0.0, b"x").unwrap().len(), 64, "r||s, not DER");
    }

    #[test]
    fn a_key_of_another_kind_is_refused_not_false() {
        let (rsa, ec) = (rsa(), ec(&ECDSA_P256_SHA256_FIXED_SIGNING, "P-256", 32));
        for (alg, key) in [
            ("RS256", ec.1.clone()),
            ("RS256", ec.2.clone().into_bytes()),
            ("ES256", rsa.1.clone()),
            ("ES256", rsa.2.clone().into_bytes()),
            ("ES384", ec.2.clone().into_bytes()),
            ("EdDSA", ec.1.clone()),
            ("RS256", b"garbage".to_vec()),
            ("RS256", b"{\"kty\":\"RSA\"}".to_vec()),
            ("RS256", rsa.2.replace("\"sig\"", "\"enc\"").into_bytes()),
            (
                "RS256",
                rsa.2.replace("\"use\":\"sig\"", "\"alg\":\"RS512\"").into_bytes(),
            ),
            (
                "RS256",
                rsa.2
                    .replace("\"use\":\"sig\"", "\"key_ops\":[\"encrypt\"]")
                    .into_bytes(),
            ),
        ] {
            assert_eq!(verify(alg, &key, b"", b"").unwrap_err().code, "key_invalid", "{alg}");
        }
        assert_eq!(sign("ES256", &rsa.0, b"").unwrap_err().code, "secret_key_invalid");
        assert_eq!(sign("RS256", &ec.0, b"").unwrap_err().code, "secret_key_invalid");
    }

    #[test]
    fn unknown_algorithms_are_unsupported() {
        let (private, spki, _) = ed();
        for alg in ["none", "HS256", "SM2", "RS1", "ES512", ""] {
            assert_eq!(
                sign(alg, &private, b"").unwrap_err().code,
                "unsupported_algorithm",
                "{alg}"
            );
            assert_eq!(
                verify(alg, &spki, b"", b"").unwrap_err().code,
                "unsupported_algorithm",
                "{alg}"
            );
        }
    }

    #[test]
    fn short_rsa_keys_are_refused() {
        let jwk = format!(
            r#"{{"kty":"RSA","n":"{}","e":"AQAB"}}"#,
            URL_SAFE_NO_PAD.encode([0xff; 128])
        );
        assert_eq!(
            verify("RS256", jwk.as_bytes(), b"", b"").unwrap_err().code,
            "key_invalid"
        );
    }

    #[test]
    fn the_jwk_and_signature_of_rfc_7515_a_3_verify() {
        let jwk = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
        let input = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let signature = URL_SAFE_NO_PAD
            .decode("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q")
            .unwrap();
        assert!(verify("ES256", jwk.as_bytes(), input.as_bytes(), &signature).unwrap());
    }
}
