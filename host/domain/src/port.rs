//! What the domain needs from outside, besides stores and plugins. `host/adapters` implements these.

use aistack_core::TenantScope;
use secrecy::SecretBox;

/// A sealed text that can't be opened: wrong key, wrong purpose, or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealed value can't be opened")]
pub struct SealBroken;

/// A fresh Ed25519 key pair.
#[derive(Debug)]
pub struct Ed25519Pair {
    /// PKCS#8 v2 DER.
    pub pkcs8: SecretBox<Vec<u8>>,
    /// The raw 32-byte public key.
    pub public: Vec<u8>,
}

/// Authenticated encryption under the host's root key (AES-256-GCM with keys derived per purpose by HKDF-SHA256).
pub trait Sealer: Send + Sync {
    /// Seals under the host key. `purpose` separates uses, `aad` binds the text to its place.
    fn seal(&self, purpose: &str, aad: &[u8], plain: &[u8]) -> Vec<u8>;
    /// Opens what [`Sealer::seal`] made.
    ///
    /// # Errors
    /// When key, purpose, `aad` or text do not fit.
    fn open(&self, purpose: &str, aad: &[u8], sealed: &[u8]) -> Result<SecretBox<Vec<u8>>, SealBroken>;
    /// Seals under a given data-encryption key.
    fn seal_with(&self, key: &SecretBox<[u8; 32]>, aad: &[u8], plain: &[u8]) -> Vec<u8>;
    /// Opens what [`Sealer::seal_with`] made.
    ///
    /// # Errors
    /// As [`Sealer::open`].
    fn open_with(&self, key: &SecretBox<[u8; 32]>, aad: &[u8], sealed: &[u8])
    -> Result<SecretBox<Vec<u8>>, SealBroken>;
    /// A key derived from the host key for one purpose.
    fn derive(&self, purpose: &str) -> SecretBox<[u8; 32]>;
    /// A fresh signing key.
    fn generate_ed25519(&self) -> Ed25519Pair;
    /// Whether a signature over a message is that of a raw 32-byte public key.
    fn verify_ed25519(&self, public: &[u8], message: &[u8], signature: &[u8]) -> bool;
}

/// A key in the object store. There is no way to make one without saying whose it is, and no way out of the prefix.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ObjectKey(String);

impl ObjectKey {
    fn checked(prefix: &str, rest: &[&str]) -> Option<Self> {
        let fine = |s: &&str| {
            !s.is_empty()
                && s.len() <= 200
                && *s != "."
                && *s != ".."
                && s.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        };
        rest.iter()
            .all(fine)
            .then(|| Self(format!("{prefix}/{}", rest.join("/"))))
    }
    /// A tenant's object; `None` when a part has other characters than `[A-Za-z0-9._-]`.
    #[must_use]
    pub fn tenant(scope: &TenantScope, parts: &[&str]) -> Option<Self> {
        Self::checked(&format!("tenants/{}", scope.id()), parts)
    }
    /// An object of the platform.
    #[must_use]
    pub fn platform(parts: &[&str]) -> Option<Self> {
        Self::checked("platform", parts)
    }
    /// The key as stored in rows. Only for keys that came out of [`ObjectKey::as_str`].
    #[must_use]
    pub fn stored(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let first = parts.next().filter(|p| matches!(*p, "tenants" | "platform"))?;
        let rest: Vec<&str> = parts.collect();
        Self::checked(first, &rest)
    }
    /// The whole key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A failed object operation.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// No such object.
    #[error("there is no object {0}")]
    NotFound(String),
    /// The store failed.
    #[error("object store: {0}")]
    Io(#[from] std::io::Error),
}

/// An object being written; nothing is visible before `finish`, and after it the object survives a crash.
#[async_trait::async_trait]
pub trait ObjectWriter: Send {
    /// Appends.
    async fn write(&mut self, bytes: &[u8]) -> Result<(), ObjectError>;
    /// Makes it durable and visible; returns size and SHA-256 (hex).
    async fn finish(self: Box<Self>) -> Result<(u64, String), ObjectError>;
}

/// Files: plugin components, report files.
#[async_trait::async_trait]
pub trait Objects: Send + Sync {
    /// Starts an object.
    async fn create(&self, key: &ObjectKey) -> Result<Box<dyn ObjectWriter>, ObjectError>;
    /// Reads an object whole.
    async fn read(&self, key: &ObjectKey) -> Result<Vec<u8>, ObjectError>;
    /// Reads a part; shorter at the end.
    async fn read_at(&self, key: &ObjectKey, offset: u64, len: usize) -> Result<Vec<u8>, ObjectError>;
    /// Removes; an absent object is fine.
    async fn remove(&self, key: &ObjectKey) -> Result<(), ObjectError>;
    /// Removes everything a tenant has; how many objects that were.
    async fn remove_tenant(&self, scope: &TenantScope) -> Result<u64, ObjectError>;
}

/// Stores bytes under a key.
///
/// # Errors
/// As the object store.
pub async fn put_object(objects: &dyn Objects, key: &ObjectKey, bytes: &[u8]) -> Result<(), ObjectError> {
    let mut w = objects.create(key).await?;
    w.write(bytes).await?;
    w.finish().await.map(|_| ())
}

/// What a registry gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulled {
    /// The component.
    pub component: Vec<u8>,
    /// Digest of the manifest that named it, `sha256:<hex>`: what a reference is pinned to.
    pub manifest: String,
}

/// Why a registry could not give or take a component.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The reference can't be one.
    #[error("{0}")]
    Reference(String),
    /// The registry is not one of those that may be pulled from.
    #[error("the registry {0} is not one of those this server pulls from")]
    NotListed(String),
    /// There is no such thing.
    #[error("{0} is not there")]
    NotFound(String),
    /// Credentials are missing or not accepted.
    #[error("the registry {0} demands credentials that are missing or not accepted")]
    Denied(String),
    /// It is larger than what is taken.
    #[error("it has {size} bytes or more; {max} is the most that is taken")]
    TooLarge {
        /// Bytes, as far as is known.
        size: u64,
        /// The most that is taken.
        max: u64,
    },
    /// What came is not what was asked for.
    #[error("expected {expected}, the registry gave {found}")]
    Digest {
        /// What was asked for.
        expected: String,
        /// What came.
        found: String,
    },
    /// It is not laid out as a component.
    #[error("{0}")]
    Layout(String),
    /// The tag names something else already.
    #[error("{0} is there already with other content")]
    Taken(String),
    /// The registry can't be reached, or answers nonsense.
    #[error("the registry {host}: {why}")]
    Failed {
        /// Host and port.
        host: String,
        /// Why.
        why: String,
    },
}

/// Registries that hold components (OCI).
#[async_trait::async_trait]
pub trait Registry: Send + Sync {
    /// Pulls the component a reference names, of at most `max` bytes; digests are checked.
    ///
    /// # Errors
    /// As [`RegistryError`].
    async fn pull(&self, reference: &str, max: u64) -> Result<Pulled, RegistryError>;
}

/// Why the DNS gave no records.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// There is no such name (NXDOMAIN).
    #[error("there is no such name")]
    NoSuchName,
    /// The name has no records of this kind.
    #[error("the name has no such records")]
    NoRecords,
    /// A server answered with an error (SERVFAIL, REFUSED).
    #[error("the name server answered with an error")]
    ServerFailure,
    /// Nobody answered in time.
    #[error("no name server answered in time")]
    Timeout,
    /// It could not be asked, or its answer not read.
    #[error("{0}")]
    Failed(String),
}

/// The DNS, as far as the platform asks it.
#[async_trait::async_trait]
pub trait Resolver: Send + Sync {
    /// The TXT records of a name, each with its strings joined. The name is complete: no search domain is tried.
    ///
    /// # Errors
    /// As [`LookupError`].
    async fn txt(&self, name: &str) -> Result<Vec<Vec<u8>>, LookupError>;
}
