//! The root key's file: made once, atomically, readable by its owner alone.

use aistack_core::{Entropy, Rng};
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

const PREFIX: &str = "aistack-root-key-1:";

/// Why the root key can't be had.
#[derive(Debug, thiserror::Error)]
pub enum RootKeyError {
    /// The file system refused.
    #[error("root key {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others than the owner may read or write the file.
    #[error("root key {path} has mode {mode:o}; it must be 600 (chmod 600 it, and think about who may have read it)")]
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The content is not a list of keys.
    #[error("root key {path}, line {line}: not a key")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
    },
}

/// 32 secret bytes and the public id derived from them.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(super) struct RootKey {
    bytes: [u8; 32],
    id: [u8; 8],
}

impl RootKey {
    fn new(bytes: [u8; 32]) -> Self {
        let digest = Sha256::new_with_prefix(b"aistack root key id")
            .chain_update(bytes)
            .finalize();
        let mut id = [0; 8];
        id.copy_from_slice(&digest[..8]);
        Self { bytes, id }
    }
    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }
    pub(super) fn id(&self) -> [u8; 8] {
        self.id
    }
}

/// The keys in the file; a fresh one is written when there is no file.
pub(super) fn open_or_create(path: &Path, rng: &dyn Rng) -> Result<Vec<RootKey>, RootKeyError> {
    let failed = |source| RootKeyError::Io {
        path: path.to_owned(),
        source,
    };
    match File::open(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => create(path, rng).map_err(failed)?,
        Err(e) => return Err(failed(e)),
        Ok(_) => {}
    }
    let mut file = File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(RootKeyError::TooOpen {
            path: path.to_owned(),
            mode,
        });
    }
    let mut text = Zeroizing::new(String::new());
    file.read_to_string(&mut text).map_err(failed)?;
    parse(path, &text)
}

fn parse(path: &Path, text: &str) -> Result<Vec<RootKey>, RootKeyError> {
    let malformed = |line| RootKeyError::Malformed {
        path: path.to_owned(),
        line,
    };
    let mut keys = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut bytes = Zeroizing::new([0; 32]);
        let digits = line.strip_prefix(PREFIX).ok_or_else(|| malformed(number + 1))?;
        hex::decode_to_slice(digits, &mut *bytes).map_err(|_| malformed(number + 1))?;
        keys.push(RootKey::new(*bytes));
    }
    if keys.is_empty() {
        return Err(malformed(1));
    }
    Ok(keys)
}

/// Writes a whole key file beside the path and links it into place: it appears complete or not at all, and when two
/// processes start at once the first link wins and both read the same key.
fn create(path: &Path, rng: &dyn Rng) -> io::Result<()> {
    let folder = match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder)?;
    let draft = folder.join(format!(".root-key-{}", hex::encode(rng.bytes::<8>())));
    let secret = Zeroizing::new(rng.bytes::<32>());
    let digits = Zeroizing::new(hex::encode(*secret));
    let written = (|| {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&draft)?;
        let text = Zeroizing::new(format!(
            "# The key under which everything secret in this data directory is sealed. Back it up apart from the data.\n\
             {PREFIX}{}\n",
            digits.as_str()
        ));
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        match fs::hard_link(&draft, path) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        }
    })();
    // The draft's name is gone whether or not the link was made; a leftover would be a second copy of the key.
    let removed = fs::remove_file(&draft);
    written?;
    removed?;
    File::open(folder)?.sync_all()
}
