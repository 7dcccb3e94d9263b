//! RSA keys of 2048 bits, made from the seed, used through aws-lc-rs.

use super::{Stream, der, prime};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self, RsaKeyPair, UnparsedPublicKey};
use num_bigint::BigUint;
use std::sync::Arc;

/// A key pair.
#[derive(Clone)]
pub(crate) struct RsaKey {
    modulus: Vec<u8>,
    pkcs1: Vec<u8>,
    pair: Arc<RsaKeyPair>,
}

impl std::fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RsaKey").finish_non_exhaustive()
    }
}

impl RsaKey {
    pub(super) fn generate(stream: &mut Stream) -> Self {
        loop {
            let (p, q) = (prime::prime_1024(stream), prime::prime_1024(stream));
            let (p, q) = if p > q { (p, q) } else { (q, p) };
            // Equal or near primes are refused by aws-lc-rs; the next pair will do.
            if let Some(key) = Self::from_primes(&p, &q) {
                return key;
            }
        }
    }

    fn from_primes(p: &BigUint, q: &BigUint) -> Option<Self> {
        let e = BigUint::from(65_537_u32);
        let (p1, q1) = (p - 1_u32, q - 1_u32);
        let n = p * q;
        let d = e.modinv(&(&p1 * &q1))?;
        let numbers = [
            &BigUint::ZERO,
            &n,
            &e,
            &d,
            p,
            q,
            &(&d % &p1),
            &(&d % &q1),
            &q.modinv(p)?,
        ];
        let pkcs1 = der::sequence(&numbers.map(|number| der::unsigned(&number.to_bytes_be())));
        let pair = RsaKeyPair::from_der(&pkcs1).ok()?;
        Some(Self {
            modulus: n.to_bytes_be(),
            pkcs1,
            pair: Arc::new(pair),
        })
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let mut out = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&signature::RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut out)
            .expect("signing with a loaded key and a buffer of the right size can't fail");
        out
    }

    /// Whether the signature is this key's.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, self.public_pkcs1())
            .verify(message, signature)
            .is_ok()
    }

    /// The modulus, big-endian. The exponent is always 65537.
    pub(crate) fn modulus(&self) -> &[u8] {
        &self.modulus
    }

    fn public_pkcs1(&self) -> Vec<u8> {
        der::sequence(&[der::unsigned(&self.modulus), der::unsigned(&[1, 0, 1])])
    }

    /// The private key as PKCS#8.
    pub(crate) fn pkcs8(&self) -> Vec<u8> {
        der::sequence(&[
            der::unsigned(&[]),
            der::rsa_algorithm(),
            der::element(0x04, &self.pkcs1),
        ])
    }

    /// The private key as PKCS#8 PEM.
    pub(crate) fn private_pem(&self) -> String {
        der::pem("PRIVATE KEY", &self.pkcs8())
    }

    /// The public key as SubjectPublicKeyInfo.
    pub(crate) fn spki(&self) -> Vec<u8> {
        let bits = [&[0_u8][..], &self.public_pkcs1()].concat();
        der::sequence(&[der::rsa_algorithm(), der::element(0x03, &bits)])
    }

    /// The public key as PEM.
    pub(crate) fn public_pem(&self) -> String {
        der::pem("PUBLIC KEY", &self.spki())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Material;
    use rsa::pkcs8::{DecodePrivateKey as _, DecodePublicKey as _};
    use rsa::traits::PublicKeyParts as _;
    use sha2::Digest as _;

    #[test]
    fn another_implementation_reads_the_key_and_accepts_its_signature() {
        let key = Material::new(7, "test").rsa("a");
        let private = rsa::RsaPrivateKey::from_pkcs8_pem(&key.private_pem()).unwrap();
        private.validate().unwrap();
        let public = rsa::RsaPublicKey::from_public_key_pem(&key.public_pem()).unwrap();
        assert_eq!(public.n().bits(), 2048);
        let signature = key.sign(b"hello");
        let scheme = || rsa::Pkcs1v15Sign::new::<sha2::Sha256>();
        let digest = |message: &[u8]| sha2::Sha256::digest(message);
        public.verify(scheme(), &digest(b"hello"), &signature).unwrap();
        public.verify(scheme(), &digest(b"hellp"), &signature).unwrap_err();
        assert!(key.verify(b"hello", &signature) && !key.verify(b"hellp", &signature));
        assert_eq!(Material::new(7, "test").rsa("a").modulus(), key.modulus());
        assert_ne!(Material::new(7, "test").rsa("b").modulus(), key.modulus());
    }
}
