//! `crypto`: signatures, MACs, digests and ciphers by the host (aws-lc-rs). Private keys never enter a guest.

use super::{Answer, SecretHandle};
use crate::{
    call::CallState,
    crypto,
    v1::{bindings::crypto as wit, convert::fault_out},
};
use secrecy::ExposeSecret;
use wasmtime::component::Resource;

impl CallState {
    /// The bytes behind a handle, for one use.
    fn key_for<'a>(&'a self, key: &Resource<SecretHandle>, class: &str, alg: &str) -> Answer<&'a [u8]> {
        Ok(self
            .usable(key, class, alg)?
            .map(|u| u.bytes.expose_secret().as_slice()))
    }
}

/// Runs `$use` with the key's bytes, or hands the fault on.
macro_rules! with_key {
    ($self:ident, $key:expr, $class:literal, $alg:expr, |$bytes:ident| $use:expr) => {{
        enter!($self, "crypto");
        Ok(match $self.key_for(&$key, $class, &$alg)? {
            Ok($bytes) => ($use).map_err(fault_out),
            Err(f) => Err(f),
        })
    }};
}

impl wit::Host for CallState {
    fn digest(&mut self, alg: String, data: Vec<u8>) -> Answer<Vec<u8>> {
        enter!(self, "crypto");
        Ok(crypto::digest(&alg, &data).map_err(fault_out))
    }

    fn mac(&mut self, alg: String, key: Resource<SecretHandle>, data: Vec<u8>) -> Answer<Vec<u8>> {
        with_key!(self, key, "mac", alg, |bytes| crypto::mac(&alg, bytes, &data))
    }

    fn mac_verify(&mut self, alg: String, key: Resource<SecretHandle>, data: Vec<u8>, tag: Vec<u8>) -> Answer<bool> {
        with_key!(self, key, "mac", alg, |bytes| crypto::mac_verify(
            &alg, bytes, &data, &tag
        ))
    }

    fn sign(&mut self, alg: String, key: Resource<SecretHandle>, data: Vec<u8>) -> Answer<Vec<u8>> {
        with_key!(self, key, "sign", alg, |bytes| crypto::sign(&alg, bytes, &data))
    }

    fn verify(&mut self, alg: String, public_key: Vec<u8>, data: Vec<u8>, signature: Vec<u8>) -> Answer<bool> {
        enter!(self, "crypto");
        Ok(crypto::verify(&alg, &public_key, &data, &signature).map_err(fault_out))
    }

    fn open_aead(
        &mut self,
        alg: String,
        key: Resource<SecretHandle>,
        nonce: Vec<u8>,
        aad: Vec<u8>,
        ciphertext: Vec<u8>,
    ) -> Answer<Vec<u8>> {
        with_key!(self, key, "aead", alg, |bytes| crypto::open(
            &alg, bytes, &nonce, &aad, ciphertext
        ))
    }

    fn seal_aead(
        &mut self,
        alg: String,
        key: Resource<SecretHandle>,
        nonce: Vec<u8>,
        aad: Vec<u8>,
        plaintext: Vec<u8>,
    ) -> Answer<Vec<u8>> {
        with_key!(self, key, "aead", alg, |bytes| crypto::seal(
            &alg, bytes, &nonce, &aad, plaintext
        ))
    }

    fn decrypt(&mut self, alg: String, key: Resource<SecretHandle>, ciphertext: Vec<u8>) -> Answer<Vec<u8>> {
        with_key!(self, key, "decrypt", alg, |bytes| crypto::decrypt(
            &alg,
            bytes,
            &ciphertext
        ))
    }

    fn encrypt(&mut self, alg: String, key: Resource<SecretHandle>, plaintext: Vec<u8>) -> Answer<Vec<u8>> {
        let mut iv = [0; 16];
        self.shared.rng.fill(&mut iv);
        with_key!(self, key, "encrypt", alg, |bytes| crypto::encrypt(
            &alg, bytes, iv, plaintext
        ))
    }

    fn encrypt_to(&mut self, alg: String, public_key: Vec<u8>, plaintext: Vec<u8>) -> Answer<Vec<u8>> {
        enter!(self, "crypto");
        Ok(crypto::encrypt_to(&alg, &public_key, &plaintext).map_err(fault_out))
    }

    fn certificate(&mut self, der_or_pem: Vec<u8>) -> Answer<wit::CertificateInfo> {
        enter!(self, "crypto");
        Ok(crypto::certificate(&der_or_pem)
            .map(|c| wit::CertificateInfo {
                serial: c.serial,
                subject: c.subject,
                issuer: c.issuer,
                not_before_ms: c.not_before_ms,
                not_after_ms: c.not_after_ms,
                public_key: c.public_key,
            })
            .map_err(fault_out))
    }
}
