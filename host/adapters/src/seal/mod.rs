//! Authenticated encryption under a root key that lies in one file.
//!
//! Sealed text, version 1:
//! `version (1) ‖ key id (8) ‖ salt (16) ‖ nonce (12) ‖ AES-256-GCM ciphertext ‖ tag (16)`.
//! Every text has a key of its own, derived by HKDF-SHA256 from the root key, the purpose and the salt, so that the
//! number of texts is not bounded by GCM's 96-bit nonces. The header and the caller's `aad` are authenticated.

mod keyfile;

pub use keyfile::RootKeyError;

use aistack_core::{Entropy, Rng};
use aistack_domain::port::{Ed25519Pair, SealBroken, Sealer};
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, KeyType, Prk, Salt},
    signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey},
};
use keyfile::RootKey;
use secrecy::{ExposeSecret, SecretBox};
use std::{path::Path, sync::Arc};
use zeroize::Zeroizing;

/// Sealed under the root key.
const UNDER_ROOT: u8 = 1;
/// Sealed under a given data key.
const UNDER_DATA_KEY: u8 = 2;
const ID: usize = 8;
const SALT: usize = 16;
const NONCE: usize = 12;
const HEADER: usize = 1 + ID + SALT + NONCE;
const TAG: usize = 16;
/// Stands where a root key's id would: a data key is known by the row it lies in.
const NO_ID: [u8; ID] = [0; ID];

struct Len32;
impl KeyType for Len32 {
    fn len(&self) -> usize {
        32
    }
}

/// Seals under the root key in a file of mode 0600, which is made on first use.
///
/// The file may hold several keys, one a line: the first seals, all open, and the last (oldest) one is what
/// [`Sealer::derive`] derives from, so that adding a key in front changes neither old texts nor derived keys.
pub struct FileSealer {
    keys: Vec<(RootKey, Prk)>,
    rng: Arc<dyn Rng>,
}

impl core::fmt::Debug for FileSealer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("FileSealer")
            .field("keys", &self.keys.len())
            .finish_non_exhaustive()
    }
}

impl FileSealer {
    /// Opens the key file, or makes it with a fresh key when there is none.
    ///
    /// # Errors
    /// When the file can't be read or made, is readable by others, or does not hold keys.
    pub fn open_or_create(path: &Path, rng: Arc<dyn Rng>) -> Result<Self, RootKeyError> {
        let keys = keyfile::open_or_create(path, &*rng)?
            .into_iter()
            .map(|key| {
                let prk = Salt::new(HKDF_SHA256, b"aistack root key v1").extract(key.bytes());
                (key, prk)
            })
            .collect();
        Ok(Self { keys, rng })
    }

    fn expand(prk: &Prk, label: &[u8], purpose: &[u8], salt: &[u8]) -> Zeroizing<[u8; 32]> {
        let mut out = Zeroizing::new([0; 32]);
        let length = u64::try_from(purpose.len()).unwrap_or(u64::MAX).to_be_bytes();
        prk.expand(&[label, &length, purpose, salt], Len32)
            .and_then(|okm| okm.fill(&mut *out))
            .expect("32 bytes are far below HKDF's limit");
        out
    }

    fn gcm(key: &[u8; 32]) -> LessSafeKey {
        LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).expect("an AES-256 key has 32 bytes"))
    }

    fn seal_under(&self, version: u8, id: [u8; ID], prk: &Prk, purpose: &[u8], aad: &[u8], plain: &[u8]) -> Vec<u8> {
        let (salt, nonce) = (self.rng.bytes::<SALT>(), self.rng.bytes::<NONCE>());
        let key = Self::expand(prk, b"seal", purpose, &salt);
        let mut out = Vec::with_capacity(HEADER + plain.len() + TAG);
        out.push(version);
        out.extend_from_slice(&id);
        out.extend_from_slice(&salt);
        out.extend_from_slice(&nonce);
        let bound = [out.as_slice(), aad].concat();
        out.extend_from_slice(plain);
        let tag = Self::gcm(&key)
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(bound),
                out.get_mut(HEADER..).unwrap_or_default(),
            )
            .expect("texts are far below GCM's 64 GiB limit");
        out.extend_from_slice(tag.as_ref());
        out
    }

    fn open_under(prk: &Prk, purpose: &[u8], aad: &[u8], sealed: &[u8]) -> Result<SecretBox<Vec<u8>>, SealBroken> {
        let header = sealed.get(..HEADER).ok_or(SealBroken)?;
        let salt = &header[1 + ID..1 + ID + SALT];
        let nonce = Nonce::try_assume_unique_for_key(&header[1 + ID + SALT..]).map_err(|_| SealBroken)?;
        let key = Self::expand(prk, b"seal", purpose, salt);
        let mut text = Zeroizing::new(sealed[HEADER..].to_vec());
        let plain = Self::gcm(&key)
            .open_in_place(nonce, Aad::from([header, aad].concat()), &mut text)
            .map_err(|_| SealBroken)?;
        Ok(SecretBox::new(Box::new(plain.to_vec())))
    }

    fn data_prk(key: &SecretBox<[u8; 32]>) -> Prk {
        Salt::new(HKDF_SHA256, b"aistack data key v1").extract(key.expose_secret())
    }

    fn current(&self) -> &(RootKey, Prk) {
        self.keys
            .first()
            .expect("a key file without keys is refused at opening")
    }
}

impl Sealer for FileSealer {
    fn seal(&self, purpose: &str, aad: &[u8], plain: &[u8]) -> Vec<u8> {
        let (key, prk) = self.current();
        self.seal_under(UNDER_ROOT, key.id(), prk, purpose.as_bytes(), aad, plain)
    }

    fn open(&self, purpose: &str, aad: &[u8], sealed: &[u8]) -> Result<SecretBox<Vec<u8>>, SealBroken> {
        if sealed.first() != Some(&UNDER_ROOT) {
            return Err(SealBroken);
        }
        let id = sealed.get(1..=ID).ok_or(SealBroken)?;
        let (_, prk) = self
            .keys
            .iter()
            .find(|(key, _)| key.id().as_slice() == id)
            .ok_or(SealBroken)?;
        Self::open_under(prk, purpose.as_bytes(), aad, sealed)
    }

    fn seal_with(&self, key: &SecretBox<[u8; 32]>, aad: &[u8], plain: &[u8]) -> Vec<u8> {
        self.seal_under(UNDER_DATA_KEY, NO_ID, &Self::data_prk(key), b"", aad, plain)
    }

    fn open_with(
        &self,
        key: &SecretBox<[u8; 32]>,
        aad: &[u8],
        sealed: &[u8],
    ) -> Result<SecretBox<Vec<u8>>, SealBroken> {
        if sealed.first() != Some(&UNDER_DATA_KEY) {
            return Err(SealBroken);
        }
        Self::open_under(&Self::data_prk(key), b"", aad, sealed)
    }

    fn derive(&self, purpose: &str) -> SecretBox<[u8; 32]> {
        let (_, prk) = self.keys.last().expect("a key file without keys is refused at opening");
        let key = Self::expand(prk, b"derive", purpose.as_bytes(), b"");
        SecretBox::new(Box::new(*key))
    }

    fn generate_ed25519(&self) -> Ed25519Pair {
        let pair = Ed25519KeyPair::generate().expect("the operating system gives randomness");
        let pkcs8 = pair.to_pkcs8().expect("a fresh key has a PKCS#8 form");
        Ed25519Pair {
            pkcs8: SecretBox::new(Box::new(pkcs8.as_ref().to_vec())),
            public: pair.public_key().as_ref().to_vec(),
        }
    }

    fn verify_ed25519(&self, public: &[u8], message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, public)
            .verify(message, signature)
            .is_ok()
    }
}

#[cfg(test)]
mod tests;
