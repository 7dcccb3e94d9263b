//! Bearer secrets: made from 256 random bits, shown once, stored as SHA-256.

use aistack_core::{Entropy, Rng};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// A bearer secret.
#[derive(Debug, Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// A fresh one: 43 characters of base64url.
    #[must_use]
    pub fn generate(rng: &dyn Rng) -> Self {
        Self(BASE64_URL_SAFE_NO_PAD.encode(rng.bytes::<32>()).into())
    }
    /// One that somebody presents.
    #[must_use]
    pub fn presented(text: &str) -> Self {
        Self(text.into())
    }
    /// The text, for the cookie or the link.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
    /// What is stored. A plain hash is enough: 256 random bits can't be guessed.
    #[must_use]
    pub fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.expose().as_bytes()).to_vec()
    }
}

/// Whether two texts are equal, in time that does not depend on where they differ.
#[must_use]
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    bool::from(a.ct_eq(b))
}
