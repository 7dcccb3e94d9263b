//! The host outside a component: what a test double has to answer. Every function has a default that answers
//! `unsupported`, so a double implements what its tests need.

use super::{Cell, CertificateInfo, Column, Credential, Endpoint, KvEntry, Level, Packing, SendOptions};
use crate::{Fault, HttpRequest, HttpResponse};

/// A secret handle outside a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretRef {
    /// The secret's name.
    pub name: String,
    /// The version that was opened, as the double named it.
    pub version: String,
}

/// A file being written.
pub trait FileDouble {
    /// Appends.
    ///
    /// # Errors
    /// The double's.
    fn write(&mut self, bytes: &[u8]) -> Result<(), Fault>;
    /// Keeps the file.
    ///
    /// # Errors
    /// The double's.
    fn finish(self: Box<Self>) -> Result<String, Fault>;
}

/// An open dataset.
pub trait RowsDouble {
    /// The columns.
    fn columns(&self) -> Vec<Column>;
    /// Up to `max` rows.
    ///
    /// # Errors
    /// The double's.
    fn next(&mut self, max: u32) -> Result<Vec<Vec<Cell>>, Fault>;
}

/// A downloaded file.
pub trait DownloadDouble {
    /// Its name.
    fn name(&self) -> String;
    /// Its size.
    fn size(&self) -> u64;
    /// A part of it.
    ///
    /// # Errors
    /// The double's.
    fn read(&self, at: u64, len: u32) -> Result<Vec<u8>, Fault>;
    /// Its digest.
    ///
    /// # Errors
    /// The double's.
    fn digest(&self, alg: &str) -> Result<Vec<u8>, Fault>;
}

/// A byte stream.
pub trait ConnectionDouble {
    /// Some bytes.
    ///
    /// # Errors
    /// The double's.
    fn read(&mut self, max: u32) -> Result<Vec<u8>, Fault>;
    /// Takes bytes.
    ///
    /// # Errors
    /// The double's.
    fn write(&mut self, bytes: &[u8]) -> Result<(), Fault>;
    /// Takes bytes around a secret.
    ///
    /// # Errors
    /// The double's.
    fn write_secret(&mut self, before: &[u8], secret: &SecretRef, after: &[u8]) -> Result<(), Fault>;
    /// Switches to TLS.
    ///
    /// # Errors
    /// The double's.
    fn start_tls(&mut self) -> Result<(), Fault>;
}

/// Declares the fallible functions, each with a default.
macro_rules! defaulted {
    ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $ty:ty),*) -> $ret:ty;)*) => {
        $($(#[$doc])*
        ///
        /// # Errors
        /// `unsupported` unless the double implements it.
        fn $name(&self, $($arg: $ty),*) -> Result<$ret, Fault> {
            $(let _ = $arg;)*
            Err(Fault::unsupported(concat!("the test double's ", stringify!($name))))
        })*
    };
}

/// A stand-in for the host in native tests. See [`super::Host`] for what each function means.
#[allow(clippy::too_many_arguments, reason = "the contract's signatures")]
pub trait Platform {
    /// Takes a log line.
    fn log(&self, level: Level, message: &str, fields: &[(String, String)]);
    /// The configuration as JSON text.
    fn config(&self) -> String;
    /// Wall time.
    fn now_ms(&self) -> u64;
    /// Monotonic time.
    fn monotonic_ns(&self) -> u64;
    /// Exactly `n` bytes.
    fn random(&self, n: u32) -> Vec<u8>;
    /// Takes progress; false cancels.
    fn progress(&self, percent: u8) -> bool {
        let _ = percent;
        true
    }
    /// Length of a secret.
    fn secret_size(&self, secret: &SecretRef) -> u32 {
        let _ = secret;
        0
    }

    defaulted! {
        /// Reads a key.
        fn kv_get(key: &str) -> Option<KvEntry>;
        /// Writes a key.
        fn kv_put(key: &str, value: &[u8], ttl_s: Option<u32>, if_version: Option<u64>) -> u64;
        /// Removes a key.
        fn kv_remove(key: &str) -> ();
        /// Names the versions of a secret.
        fn secret_versions(name: &str) -> Vec<String>;
        /// Opens a secret.
        fn secret_open(name: &str, version: Option<String>) -> SecretRef;
        /// The bytes of a secret.
        fn reveal(secret: &SecretRef) -> Vec<u8>;
        /// A digest.
        fn digest(alg: &str, data: &[u8]) -> Vec<u8>;
        /// An HMAC.
        fn mac(alg: &str, key: &SecretRef, data: &[u8]) -> Vec<u8>;
        /// Checks an HMAC.
        fn mac_verify(alg: &str, key: &SecretRef, data: &[u8], tag: &[u8]) -> bool;
        /// Signs.
        fn sign(alg: &str, key: &SecretRef, data: &[u8]) -> Vec<u8>;
        /// Verifies a signature.
        fn verify(alg: &str, public_key: &[u8], data: &[u8], signature: &[u8]) -> bool;
        /// Opens an authenticated ciphertext.
        fn open_aead(alg: &str, key: &SecretRef, nonce: &[u8], aad: &[u8], sealed: &[u8]) -> Vec<u8>;
        /// Seals one.
        fn seal_aead(alg: &str, key: &SecretRef, nonce: &[u8], aad: &[u8], plain: &[u8]) -> Vec<u8>;
        /// Decrypts.
        fn decrypt(alg: &str, key: &SecretRef, ciphertext: &[u8]) -> Vec<u8>;
        /// Encrypts with a secret.
        fn encrypt(alg: &str, key: &SecretRef, plaintext: &[u8]) -> Vec<u8>;
        /// Encrypts to a public key.
        fn encrypt_to(alg: &str, public_key: &[u8], plaintext: &[u8]) -> Vec<u8>;
        /// Reads a certificate.
        fn certificate(der_or_pem: &[u8]) -> CertificateInfo;
        /// Sends a request.
        fn send(request: &HttpRequest, credential: Credential<'_>, options: &SendOptions) -> HttpResponse;
        /// Downloads.
        fn download(request: &HttpRequest, credential: Credential<'_>, unpack: Packing, charset: Option<&str>, max_bytes: u64) -> Vec<Box<dyn DownloadDouble>>;
        /// Opens a byte stream.
        fn dial(to: &Endpoint, client_cert: Option<&SecretRef>) -> Box<dyn ConnectionDouble>;
        /// Starts a file.
        fn create_file(name: &str, media_type: &str) -> Box<dyn FileDouble>;
        /// Opens a dataset.
        fn open_dataset(name: &str, filter: &str, as_of_ms: u64) -> Box<dyn RowsDouble>;
    }
}
