//! What stands behind the import `crypto`: aws-lc-rs under the names of the contract. It knows bytes and faults, no guest.

mod certificate;
mod cipher;
mod keys;
mod sign;

pub(crate) use certificate::read as certificate;
pub(crate) use cipher::{decrypt, encrypt, encrypt_to, open, seal};
pub(crate) use sign::{sign, verify};

use aistack_domain::plugins::port::{Fault, FaultKind};
use aws_lc_rs::{digest, hmac};
use md5::Digest as _;
use std::{fs::File, os::unix::fs::FileExt};

/// What the functions below answer with when they can't do what was asked.
pub(crate) type Tried<T> = Result<T, Fault>;

fn unsupported(alg: &str) -> Fault {
    Fault::new(
        FaultKind::Unsupported,
        "unsupported_algorithm",
        format!(
            "the host does not offer {:?} here",
            alg.chars().take(40).collect::<String>()
        ),
    )
}

fn bad_key(why: &str) -> Fault {
    Fault::new(FaultKind::InvalidInput, "key_invalid", why)
}

/// The digest of a whole file, read in pieces.
pub(crate) fn digest_file(alg: &str, file: &File) -> Tried<Vec<u8>> {
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
            .map_err(|e| Fault::new(FaultKind::Internal, "spool_failed", e.to_string()))?;
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
pub(crate) fn digest(alg: &str, data: &[u8]) -> Tried<Vec<u8>> {
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

/// The MAC of bytes under a key.
pub(crate) fn mac(alg: &str, key: &[u8], data: &[u8]) -> Tried<Vec<u8>> {
    let key = hmac::Key::new(hmac_algorithm(alg)?, key);
    Ok(hmac::sign(&key, data).as_ref().to_vec())
}

/// Whether a MAC is right; in constant time.
pub(crate) fn mac_verify(alg: &str, key: &[u8], data: &[u8], tag: &[u8]) -> Tried<bool> {
    let key = hmac::Key::new(hmac_algorithm(alg)?, key);
    Ok(hmac::verify(&key, data, tag).is_ok())
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
