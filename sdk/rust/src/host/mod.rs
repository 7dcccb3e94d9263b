//! What the platform does for a plugin. Each group of functions is a host interface that the manifest asks for and an
//! administrator grants; calling one of them makes the component import that interface.

#[cfg(target_family = "wasm")]
mod component;
mod handles;
#[cfg(not(target_family = "wasm"))]
mod platform;

pub use aistack_bindings_core::host::crypto::CertificateInfo;
pub use aistack_bindings_core::host::dial::{Endpoint, Tls};
pub use aistack_bindings_core::host::download::Packing;
pub use aistack_bindings_core::host::http::Options as SendOptions;
pub use aistack_bindings_core::host::kv::Entry as KvEntry;
pub use aistack_bindings_core::host::log::Level;
pub use aistack_bindings_core::report::datasets::{Cell, Column, ColumnKind};
pub use handles::{Connection, Credential, Download, File, Rows, Secret};
#[cfg(not(target_family = "wasm"))]
pub use platform::{ConnectionDouble, DownloadDouble, FileDouble, Platform, RowsDouble, SecretRef};

use crate::{Fault, HttpRequest, HttpResponse};
use serde::de::DeserializeOwned;

#[cfg(target_family = "wasm")]
use component::Imports;
#[cfg(not(target_family = "wasm"))]
type Imports = std::rc::Rc<dyn Platform>;

/// The platform, as one call of a plugin sees it.
pub struct Host(Imports);

impl Host {
    /// The real host, inside a component.
    #[cfg(target_family = "wasm")]
    #[doc(hidden)]
    #[must_use]
    pub fn component() -> Self {
        Self(Imports)
    }

    /// A host that answers from a double, in native tests.
    #[cfg(not(target_family = "wasm"))]
    #[must_use]
    pub fn native(platform: std::rc::Rc<dyn Platform>) -> Self {
        Self(platform)
    }
}

/// Interfaces `log`, `config`, `clock` and `random`.
impl Host {
    /// Writes a log line. It goes to the call's receipt and to the host's log, within a byte budget. Never a secret.
    pub fn log(&self, level: Level, message: &str, fields: &[(&str, &str)]) {
        let fields: Vec<_> = fields.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        self.0.log(level, message, &fields);
    }

    /// Writes a log line of level `info`.
    pub fn info(&self, message: &str, fields: &[(&str, &str)]) {
        self.log(Level::Info, message, fields);
    }

    /// Writes a log line of level `warn`.
    pub fn warn(&self, message: &str, fields: &[(&str, &str)]) {
        self.log(Level::Warn, message, fields);
    }

    /// The installation's configuration. A field that is a secret deserialises into [`crate::json::SecretName`].
    ///
    /// # Errors
    /// `invalid-config` with code `config_unreadable`; the host has validated it by the plugin's schema, so this means
    /// that schema and type disagree.
    pub fn config<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        serde_json::from_str(&self.0.config())
            .map_err(|e| Fault::invalid_config("config_unreadable", format!("config: {e}")))
    }

    /// Wall time in Unix milliseconds.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.0.now_ms()
    }

    /// Nanoseconds since an arbitrary point; never goes back within a call.
    #[must_use]
    pub fn monotonic_ns(&self) -> u64 {
        self.0.monotonic_ns()
    }

    /// Unpredictable bytes, fit for states and nonces. At most 64 KiB at a time.
    #[must_use]
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let n = u32::try_from(N).unwrap_or(u32::MAX);
        self.0.random(n).try_into().expect("the contract: exactly n bytes")
    }
}

/// Interface `kv`: a small space of this installation alone.
impl Host {
    /// Reads a key; an expired one is absent.
    ///
    /// # Errors
    /// The host's.
    pub fn kv_get(&self, key: &str) -> Result<Option<KvEntry>, Fault> {
        self.0.kv_get(key)
    }

    /// Writes a key, for `ttl_s` seconds or for good, and returns its version.
    ///
    /// # Errors
    /// `denied` when the space is full.
    pub fn kv_put(&self, key: &str, value: &[u8], ttl_s: Option<u32>) -> Result<u64, Fault> {
        self.0.kv_put(key, value, ttl_s, None)
    }

    /// Writes a key if it is absent. True: this call wrote it. Of several callers exactly one is told true, which makes
    /// a replay cache.
    ///
    /// # Errors
    /// `denied` when the space is full.
    pub fn kv_put_absent(&self, key: &str, value: &[u8], ttl_s: Option<u32>) -> Result<bool, Fault> {
        self.kv_put_if(key, value, ttl_s, 0)
    }

    /// Writes a key if it is still at `version`. True: this call wrote it.
    ///
    /// # Errors
    /// `denied` when the space is full.
    pub fn kv_put_if(&self, key: &str, value: &[u8], ttl_s: Option<u32>, version: u64) -> Result<bool, Fault> {
        match self.0.kv_put(key, value, ttl_s, Some(version)) {
            Ok(_) => Ok(true),
            Err(f) if f.kind == crate::Kind::Conflict => Ok(false),
            Err(f) => Err(f),
        }
    }

    /// Removes a key, if it is there.
    ///
    /// # Errors
    /// The host's.
    pub fn kv_remove(&self, key: &str) -> Result<(), Fault> {
        self.0.kv_remove(key)
    }
}

/// Interfaces `secrets` and `reveal`.
impl Host {
    /// The newest version of a secret, as a handle.
    ///
    /// # Errors
    /// `not-found` when there is none of that name.
    pub fn secret(&self, name: &str) -> Result<Secret, Fault> {
        self.0.secret_open(name, None).map(Secret)
    }

    /// All live versions of a secret, newest first: verify with each, sign with the first.
    ///
    /// # Errors
    /// `not-found` when there is none of that name.
    pub fn secret_versions(&self, name: &str) -> Result<Vec<Secret>, Fault> {
        let versions = self.0.secret_versions(name)?;
        versions
            .into_iter()
            .map(|v| self.0.secret_open(name, Some(v)).map(Secret))
            .collect()
    }

    /// Length of a secret in bytes.
    #[must_use]
    pub fn secret_size(&self, secret: &Secret) -> u32 {
        self.0.secret_size(&secret.0)
    }

    /// The bytes of a secret. Needs the grant `reveal`; nearly everything can be done through handles instead.
    ///
    /// # Errors
    /// `denied` without the grant.
    pub fn reveal(&self, secret: &Secret) -> Result<Vec<u8>, Fault> {
        self.0.reveal(&secret.0)
    }
}

/// Interface `crypto`: algorithms by their JOSE names (`RS256`, `HS256`, `SHA-256`, `A256GCM`).
impl Host {
    /// A digest.
    ///
    /// # Errors
    /// `unsupported` for an unknown algorithm.
    pub fn digest(&self, alg: &str, data: &[u8]) -> Result<Vec<u8>, Fault> {
        self.0.digest(alg, data)
    }

    /// An HMAC under a secret.
    ///
    /// # Errors
    /// `denied` when the secret was not granted `mac:<alg>`.
    pub fn mac(&self, alg: &str, key: &Secret, data: &[u8]) -> Result<Vec<u8>, Fault> {
        self.0.mac(alg, &key.0, data)
    }

    /// Checks an HMAC in constant time.
    ///
    /// # Errors
    /// `denied` when the secret was not granted `mac:<alg>`.
    pub fn mac_verify(&self, alg: &str, key: &Secret, data: &[u8], tag: &[u8]) -> Result<bool, Fault> {
        self.0.mac_verify(alg, &key.0, data, tag)
    }

    /// Signs with a private key.
    ///
    /// # Errors
    /// `denied` when the secret was not granted `sign:<alg>`.
    pub fn sign(&self, alg: &str, key: &Secret, data: &[u8]) -> Result<Vec<u8>, Fault> {
        self.0.sign(alg, &key.0, data)
    }

    /// Verifies a signature by a public key given as SubjectPublicKeyInfo (DER or PEM) or as a JWK.
    ///
    /// # Errors
    /// `invalid-input` when the key does not fit the algorithm.
    pub fn verify(&self, alg: &str, public_key: &[u8], data: &[u8], signature: &[u8]) -> Result<bool, Fault> {
        self.0.verify(alg, public_key, data, signature)
    }

    /// Opens an authenticated ciphertext.
    ///
    /// # Errors
    /// `signature-invalid` when it does not verify.
    pub fn open_aead(
        &self,
        alg: &str,
        key: &Secret,
        nonce: &[u8],
        aad: &[u8],
        sealed: &[u8],
    ) -> Result<Vec<u8>, Fault> {
        self.0.open_aead(alg, &key.0, nonce, aad, sealed)
    }

    /// Seals what [`Host::open_aead`] opens; a nonce must never repeat under one key.
    ///
    /// # Errors
    /// `denied` when the secret was not granted `aead:<alg>`.
    pub fn seal_aead(&self, alg: &str, key: &Secret, nonce: &[u8], aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, Fault> {
        self.0.seal_aead(alg, &key.0, nonce, aad, plain)
    }

    /// Decrypts with a secret key.
    ///
    /// # Errors
    /// `denied` when the secret was not granted `decrypt:<alg>`.
    pub fn decrypt(&self, alg: &str, key: &Secret, ciphertext: &[u8]) -> Result<Vec<u8>, Fault> {
        self.0.decrypt(alg, &key.0, ciphertext)
    }

    /// Encrypts with a secret key.
    ///
    /// # Errors
    /// `denied` when the secret was not granted `encrypt:<alg>`.
    pub fn encrypt(&self, alg: &str, key: &Secret, plaintext: &[u8]) -> Result<Vec<u8>, Fault> {
        self.0.encrypt(alg, &key.0, plaintext)
    }

    /// Encrypts for the owner of a public key.
    ///
    /// # Errors
    /// `invalid-input` when the key does not fit the algorithm.
    pub fn encrypt_to(&self, alg: &str, public_key: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, Fault> {
        self.0.encrypt_to(alg, public_key, plaintext)
    }

    /// The facts of an X.509 certificate (DER or PEM). Nothing is verified.
    ///
    /// # Errors
    /// `invalid-input` when it can't be read.
    pub fn certificate(&self, der_or_pem: &[u8]) -> Result<CertificateInfo, Fault> {
        self.0.certificate(der_or_pem)
    }
}

/// Interfaces `http`, `download` and `dial`.
impl Host {
    /// Sends a request to a granted host and waits for the whole answer. Any status is an answer.
    ///
    /// # Errors
    /// `denied` (not granted), `transport` (with `outcome_unknown` when the request may have arrived), `provider`
    /// (answer too large or not readable).
    pub fn send(
        &self,
        request: &HttpRequest,
        credential: Credential<'_>,
        options: &SendOptions,
    ) -> Result<HttpResponse, Fault> {
        self.0.send(request, credential, options)
    }

    /// Downloads a file that is too large for [`Host::send`].
    ///
    /// # Errors
    /// As [`Host::send`]; a status outside 200 to 299 is a fault `provider`.
    pub fn download(
        &self,
        request: &HttpRequest,
        credential: Credential<'_>,
        unpack: Packing,
        charset: Option<&str>,
        max_bytes: u64,
    ) -> Result<Vec<Download>, Fault> {
        let files = self.0.download(request, credential, unpack, charset, max_bytes)?;
        Ok(files.into_iter().map(Download).collect())
    }

    /// Opens a byte stream to a granted endpoint.
    ///
    /// # Errors
    /// `denied` (not granted), `transport` (unreachable, certificate not accepted).
    pub fn dial(&self, to: &Endpoint, client_cert: Option<&Secret>) -> Result<Connection, Fault> {
        self.0.dial(to, client_cert.map(|s| &s.0)).map(Connection)
    }
}

/// Interfaces `blob` and `datasets`.
impl Host {
    /// Starts a file of the current run.
    ///
    /// # Errors
    /// `invalid-input` for a name that is not a plain file name.
    pub fn create_file(&self, name: &str, media_type: &str) -> Result<File, Fault> {
        self.0.create_file(name, media_type).map(File)
    }

    /// Opens a granted dataset as it was at `as_of_ms`; `filter` is an object as the dataset's description has it.
    ///
    /// # Errors
    /// `denied` with code `dataset_not_granted`.
    pub fn open_dataset(&self, name: &str, filter: &serde_json::Value, as_of_ms: u64) -> Result<Rows, Fault> {
        self.0.open_dataset(name, &filter.to_string(), as_of_ms).map(Rows)
    }

    /// Reports progress (0 to 100). False: the run was cancelled.
    #[must_use]
    pub fn progress(&self, percent: u8) -> bool {
        self.0.progress(percent)
    }
}
