//! Compiled components on disk. A `.cwasm` is native code that wasmtime maps and runs without checks, so each file
//! carries an HMAC under the host's key over everything it depends on; a file that does not verify is not used.
//!
//! Layout: magic, HMAC-SHA256, compiled bytes. Files are written once, under a temporary name, and renamed into place:
//! rewriting one in place would pull the code from under running instances.

use aistack_core::{Entropy, Rng};
use aws_lc_rs::hmac;
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

const MAGIC: &[u8; 16] = b"aistack-cwasm-1\n";
const TAG: usize = 32;

/// The directory of compiled components.
pub(crate) struct CodeStore {
    dir: PathBuf,
    key: hmac::Key,
    /// What the code was compiled for: a digest of wasmtime's version, the processor and the engine's settings.
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
            key: hmac::Key::new(hmac::HMAC_SHA256, key.expose_secret()),
            target: hex::encode(settings.as_ref()),
            rng,
        })
    }

    fn path(&self, digest: &str) -> PathBuf {
        self.dir.join(format!("{digest}.cwasm"))
    }

    fn context(&self, digest: &str, compiled: &[u8]) -> hmac::Context {
        let mut c = hmac::Context::with_key(&self.key);
        // Each part with its length: no two inputs share one encoding.
        for part in [digest.as_bytes(), self.target.as_bytes(), compiled] {
            c.update(&(part.len() as u64).to_le_bytes());
            c.update(part);
        }
        c
    }

    /// The component with this digest, if a file is there, was written by this host for this engine, and is intact.
    pub(crate) fn load(&self, engine: &Engine, digest: &str) -> Option<Component> {
        let file = fs::read(self.path(digest)).ok()?;
        let (magic, rest) = file.split_first_chunk::<16>()?;
        let (tag, compiled) = rest.split_first_chunk::<TAG>()?;
        let expected = self.context(digest, compiled).sign();
        let genuine =
            magic == MAGIC && aws_lc_rs::constant_time::verify_slices_are_equal(expected.as_ref(), tag).is_ok();
        if !genuine {
            tracing::warn!(digest, "a compiled plugin on disk does not verify; it is compiled anew");
            return None;
        }
        self.accept(engine, compiled)
            .inspect_err(
                |e| tracing::warn!(digest, error = %e, "a compiled plugin on disk does not load; it is compiled anew"),
            )
            .ok()
    }

    /// Loads compiled bytes that this process has just verified or made.
    pub(crate) fn accept(&self, engine: &Engine, compiled: &[u8]) -> wasmtime::Result<Component> {
        #[expect(
            unsafe_code,
            reason = "the bytes are in memory and either came from our compiler or carry a valid HMAC of this host"
        )]
        // SAFETY: `deserialize` needs bytes that an `Engine::precompile_component` of this wasmtime made. `load` has
        // checked the HMAC, which covers bytes, wasmtime version and engine settings; the other caller hands over what
        // the compiler wrote. They are copied, so nothing can change them afterwards.
        unsafe {
            Component::deserialize(engine, compiled)
        }
    }

    /// Keeps compiled bytes. An existing file is replaced by renaming, which running instances do not notice.
    pub(crate) fn save(&self, digest: &str, compiled: &[u8]) -> io::Result<()> {
        let temporary = self.dir.join(format!(".{}.new", hex::encode(self.rng.bytes::<16>())));
        let write = || {
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&temporary)?;
            file.write_all(MAGIC)?;
            file.write_all(self.context(digest, compiled).sign().as_ref())?;
            file.write_all(compiled)?;
            file.sync_all()?;
            fs::rename(&temporary, self.path(digest))
        };
        write().inspect_err(|_| {
            // Half a file under a name nobody reads; removing it is only tidiness.
            let _ = fs::remove_file(&temporary);
        })
    }

    /// Removes the file, if there is one.
    pub(crate) fn remove(&self, digest: &str) -> io::Result<()> {
        match fs::remove_file(self.path(digest)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        }
    }
}
