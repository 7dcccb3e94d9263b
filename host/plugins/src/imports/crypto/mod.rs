//! `crypto`: signatures, MACs, digests and ciphers by the host (aws-lc-rs). Private keys never enter a guest.

mod certificate;
mod cipher;
mod keys;
mod sign;

use super::{Answer, SecretHandle, fault};
use crate::{
    call::CallState,
    v1::bindings::{crypto as wit, types},
};
use aistack_domain::plugins::port::FaultKind;
use aws_lc_rs::{digest, hmac};
use md5::Digest as _;
use secrecy::ExposeSecret;
use std::{fs::File, os::unix::fs::FileExt};
use wasmtime::component::Resource;

/// What the functions below answer with when they can't do what was asked.
type Tried<T> = Result<T, types::Fault>;

fn unsupported(alg: &str) -> types::Fault {
    fault(
        FaultKind::Unsupported,
        "unsupported_algorithm",
        format!(
            "the host does not offer {:?} here",
            alg.chars().take(40).collect::<String>()
        ),
    )
}

fn bad_key(why: &str) -> types::Fault {
    fault(FaultKind::InvalidInput, "key_invalid", why)
}

/// The digest of a whole file, read in pieces.
pub(super) fn digest_file(alg: &str, file: &File) -> Tried<Vec<u8>> {
    enum Running {
        Sha(digest::Context),
        Md5(md5::Md5),
    }
    let mut running = match alg {
        "SHA-256" => Running::Sha(digest::Context::new(&digest::SHA256)),
        "SHA-384" => Running::Sha(digest::Context::new(&digest::SHA384)),
        "SHA-512" => Running::Sha(digest::Context::new(&digest::SHA512)),
        "SHA-1" => Running::Sha(digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY)),
        "MD5" => Running::Md5(md5::Md5::new()),
        other => return Err(unsupported(other)),
    };
    let (mut buf, mut at) = (vec![0; 64 << 10], 0u64);
    loop {
        let n = file
            .read_at(&mut buf, at)
            .map_err(|e| fault(FaultKind::Internal, "spool_failed", e.to_string()))?;
        if n == 0 {
            break;
        }
        at += n as u64;
        match &mut running {
            Running::Sha(c) => c.update(&buf[..n]),
            Running::Md5(c) => c.update(&buf[..n]),
        }
    }
    Ok(match running {
        Running::Sha(c) => c.finish().as_ref().to_vec(),
        Running::Md5(c) => c.finalize().to_vec(),
    })
}

/// A digest of bytes in memory.
fn digest(alg: &str, data: &[u8]) -> Tried<Vec<u8>> {
    let algorithm = match alg {
        "SHA-256" => &digest::SHA256,
        "SHA-384" => &digest::SHA384,
        "SHA-512" => &digest::SHA512,
        "SHA-1" => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        "MD5" => return Ok(md5::Md5::digest(data).to_vec()),
        other => return Err(unsupported(other)),
    };
    Ok(digest::digest(algorithm, data).as_ref().to_vec())
}

fn hmac_algorithm(alg: &str) -> Tried<hmac::Algorithm> {
    Ok(match alg {
        "HS256" => hmac::HMAC_SHA256,
        "HS384" => hmac::HMAC_SHA384,
        "HS512" => hmac::HMAC_SHA512,
        "HMAC-SHA1" => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        other => return Err(unsupported(other)),
    })
}

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
            Ok($bytes) => $use,
            Err(f) => Err(f),
        })
    }};
}

impl wit::Host for CallState {
    fn digest(&mut self, alg: String, data: Vec<u8>) -> Answer<Vec<u8>> {
        enter!(self, "crypto");
        Ok(digest(&alg, &data))
    }

    fn mac(&mut self, alg: String, key: Resource<SecretHandle>, data: Vec<u8>) -> Answer<Vec<u8>> {
        with_key!(self, key, "mac", alg, |bytes| hmac_algorithm(&alg).map(|a| hmac::sign(
            &hmac::Key::new(a, bytes),
            &data
        )
        .as_ref()
        .to_vec()))
    }

    fn mac_verify(&mut self, alg: String, key: Resource<SecretHandle>, data: Vec<u8>, tag: Vec<u8>) -> Answer<bool> {
        with_key!(self, key, "mac", alg, |bytes| hmac_algorithm(&alg)
            .map(|a| hmac::verify(&hmac::Key::new(a, bytes), &data, &tag).is_ok()))
    }

    fn sign(&mut self, alg: String, key: Resource<SecretHandle>, data: Vec<u8>) -> Answer<Vec<u8>> {
        with_key!(self, key, "sign", alg, |bytes| sign::sign(&alg, bytes, &data))
    }

    fn verify(&mut self, alg: String, public_key: Vec<u8>, data: Vec<u8>, signature: Vec<u8>) -> Answer<bool> {
        enter!(self, "crypto");
        Ok(sign::verify(&alg, &public_key, &data, &signature))
    }

    fn open_aead(
        &mut self,
        alg: String,
        key: Resource<SecretHandle>,
        nonce: Vec<u8>,
        aad: Vec<u8>,
        ciphertext: Vec<u8>,
    ) -> Answer<Vec<u8>> {
        with_key!(self, key, "aead", alg, |bytes| cipher::open(
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
        with_key!(self, key, "aead", alg, |bytes| cipher::seal(
            &alg, bytes, &nonce, &aad, plaintext
        ))
    }

    fn decrypt(&mut self, alg: String, key: Resource<SecretHandle>, ciphertext: Vec<u8>) -> Answer<Vec<u8>> {
        with_key!(self, key, "decrypt", alg, |bytes| cipher::decrypt(
            &alg,
            bytes,
            &ciphertext
        ))
    }

    fn encrypt(&mut self, alg: String, key: Resource<SecretHandle>, plaintext: Vec<u8>) -> Answer<Vec<u8>> {
        let mut iv = [0; 16];
        self.shared.rng.fill(&mut iv);
        with_key!(self, key, "encrypt", alg, |bytes| cipher::encrypt(
            &alg, bytes, iv, plaintext
        ))
    }

    fn encrypt_to(&mut self, alg: String, public_key: Vec<u8>, plaintext: Vec<u8>) -> Answer<Vec<u8>> {
        enter!(self, "crypto");
        Ok(cipher::encrypt_to(&alg, &public_key, &plaintext))
    }

    fn certificate(&mut self, der_or_pem: Vec<u8>) -> Answer<wit::CertificateInfo> {
        enter!(self, "crypto");
        Ok(certificate::read(&der_or_pem))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_match_their_published_vectors() {
        for (alg, hex) in [
            ("MD5", "900150983cd24fb0d6963f7d28e17f72"),
            ("SHA-1", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (
                "SHA-256",
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            ),
        ] {
            assert_eq!(hex::encode(digest(alg, b"abc").unwrap()), hex, "{alg}");
        }
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(&[b'x'; 100_000], 0).unwrap();
        for alg in ["MD5", "SHA-1", "SHA-256", "SHA-384", "SHA-512"] {
            assert_eq!(
                digest_file(alg, &file).unwrap(),
                digest(alg, &[b'x'; 100_000]).unwrap(),
                "{alg}"
            );
        }
        assert_eq!(digest("sha256", b"").unwrap_err().code, "unsupported_algorithm");
    }
}
