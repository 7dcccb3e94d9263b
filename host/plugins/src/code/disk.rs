//! Compiled components on disk. A `.cwasm` is native code that wasmtime maps and runs without checks, so beside each lies
//! a `.seal`: what is known of the component, and a keyed hash over that, the code and everything the code depends on.
//! Without one that verifies, the code is not used.
//!
//! Files are written once, under a temporary name, and renamed into place: rewriting one in place would pull the code from
//! under running instances. Code is mapped, not copied, as the system does with its libraries: the directory belongs to
//! this user alone, who could replace the program itself.

use aistack_core::{Entropy, Rng};
use secrecy::{ExposeSecret, SecretBox};
use std::{
    fs::{self, DirBuilder, OpenOptions},
    hash::{Hash, Hasher},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::PathBuf,
    sync::Arc,
};
use wasmtime::{Engine, component::Component};

/// Begins every seal. Another version of the host reads another form.
const MAGIC: &[u8; 16] = b"aistack-seal-02\n";
/// Raised when a component that passed an earlier host's rules may not pass today's.
const RULES: u32 = 1;
const TAG: usize = blake3::OUT_LEN;
/// What the key is for: it is the host's, and not used as it is.
const PURPOSE: &str = "aistack 2026-11 authentication of compiled plugins";

/// The directory of compiled components.
pub(crate) struct CodeStore {
    dir: PathBuf,
    key: SecretBox<[u8; 32]>,
    /// What the code was compiled for: a digest of wasmtime's version, the processor and the engine's settings; and the
    /// version of the host, whose rules the component has passed.
    target: String,
    rng: Arc<dyn Rng>,
}

impl std::fmt::Debug for CodeStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CodeStore")
            .field("dir", &self.dir)
            .finish_non_exhaustive()
    }
}

/// Collects what wasmtime hashes, so that the digest is ours and stable across Rust versions.
#[derive(Default)]
struct Bytes(Vec<u8>);
impl Hasher for Bytes {
    fn finish(&self) -> u64 {
        0
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
}

impl CodeStore {
    /// Makes the directory, readable by this user alone.
    pub(crate) fn open(
        dir: PathBuf,
        key: &SecretBox<[u8; 32]>,
        engine: &Engine,
        rng: Arc<dyn Rng>,
    ) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o700))?;
        let mut settings = Bytes::default();
        engine.precompile_compatibility_hash().hash(&mut settings);
        let settings = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &settings.0);
        Ok(Self {
            dir,
            key: SecretBox::new(Box::new(blake3::derive_key(PURPOSE, key.expose_secret()))),
            target: format!(
                "{} {RULES} {}",
                env!("CARGO_PKG_VERSION"),
                hex::encode(settings.as_ref())
            ),
            rng,
        })
    }

    fn code(&self, digest: &str) -> PathBuf {
        self.dir.join(format!("{digest}.cwasm"))
    }

    fn seal(&self, digest: &str) -> PathBuf {
        self.dir.join(format!("{digest}.seal"))
    }

    /// A hash that has taken in everything but the code, which comes last.
    fn context(&self, digest: &str, facts: &[u8]) -> blake3::Hasher {
        let mut hash = blake3::Hasher::new_keyed(self.key.expose_secret());
        // Each part with its length: no two inputs share one encoding.
        for part in [digest.as_bytes(), self.target.as_bytes(), facts] {
            hash.update(&(part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        hash
    }

    /// The component with this digest and what was noted of it, if both are there, were written by this host for this
    /// engine, and are intact.
    pub(crate) fn load(&self, engine: &Engine, digest: &str) -> Option<(Component, Vec<u8>)> {
        // A digest is part of a path here.
        if digest.len() != 64 || !digest.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return None;
        }
        let seal = fs::read(self.seal(digest)).ok()?;
        let (magic, rest) = seal.split_first_chunk::<16>()?;
        let (tag, facts) = rest.split_first_chunk::<TAG>()?;
        let mut hash = self.context(digest, facts);
        hash.update_mmap(self.code(digest)).ok()?;
        // Compared in constant time.
        if magic != MAGIC || hash.finalize() != *tag {
            tracing::warn!(digest, "a compiled plugin on disk does not verify; it is compiled anew");
            return None;
        }
        #[expect(unsafe_code, reason = "the file is one that this host wrote")]
        // SAFETY: `deserialize_file` needs what an `Engine::precompile_component` of this wasmtime made, in a file that
        // does not change while it is mapped. The hash, which only this host can make, covers the code, wasmtime's version
        // and the engine's settings. Nobody but this user may write to the directory, and this program replaces files
        // there by renaming.
        let component = unsafe { Component::deserialize_file(engine, self.code(digest)) };
        component
            .inspect_err(
                |e| tracing::warn!(digest, error = %e, "a compiled plugin on disk does not load; it is compiled anew"),
            )
            .ok()
            .map(|component| (component, facts.to_vec()))
    }

    /// Loads compiled bytes that this process has just made.
    pub(crate) fn accept(&self, engine: &Engine, compiled: &[u8]) -> wasmtime::Result<Component> {
        #[expect(unsafe_code, reason = "the bytes are in memory and come from our compiler")]
        // SAFETY: `deserialize` needs bytes that an `Engine::precompile_component` of this wasmtime made; the caller hands
        // over what the compiler wrote. They are copied, so nothing can change them afterwards.
        unsafe {
            Component::deserialize(engine, compiled)
        }
    }

    /// Keeps compiled bytes and what is known of the component. Existing files are replaced by renaming, which running
    /// instances do not notice; a pair of which only one was replaced does not verify.
    pub(crate) fn save(&self, digest: &str, facts: &[u8], compiled: &[u8]) -> io::Result<()> {
        let mut hash = self.context(digest, facts);
        let tag = hash.update(compiled).finalize();
        self.put(self.code(digest), &[compiled])?;
        self.put(self.seal(digest), &[MAGIC, tag.as_bytes(), facts])
    }

    fn put(&self, path: PathBuf, parts: &[&[u8]]) -> io::Result<()> {
        let temporary = self.dir.join(format!(".{}.new", hex::encode(self.rng.bytes::<16>())));
        let write = || {
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&temporary)?;
            for part in parts {
                file.write_all(part)?;
            }
            file.sync_all()?;
            fs::rename(&temporary, path)
        };
        write().inspect_err(|_| {
            // Half a file under a name nobody reads; removing it is only tidiness.
            let _ = fs::remove_file(&temporary);
        })
    }

    /// Removes the files, if they are there.
    pub(crate) fn remove(&self, digest: &str) -> io::Result<()> {
        for path in [self.seal(digest), self.code(digest)] {
            match fs::remove_file(path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                _ => {}
            }
        }
        Ok(())
    }
}
