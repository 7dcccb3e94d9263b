//! Objects as plain files under one folder.
//!
//! An object is written to `tmp/`, made durable, renamed into place, and the folder that now names it is made durable:
//! a crash leaves the whole object or none, and what `finish` acknowledged is there after any crash. Keys come
//! canonical from the domain and are checked once more here; symbolic links that lead out of the root are refused.

mod disk;

use aistack_core::TenantScope;
use aistack_domain::port::{ObjectError, ObjectKey, ObjectWriter, Objects};
use disk::Disk;
use sha2::{Digest, Sha256};
use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::{io::AsyncWriteExt, task::spawn_blocking};

/// Where half-written objects lie; no key begins with it.
const DRAFTS: &str = "tmp";

/// The file object store.
#[derive(Debug, Clone)]
pub struct FileObjects {
    root: Arc<Path>,
    disk: Disk,
    next: Arc<AtomicU64>,
}

impl FileObjects {
    /// Opens (and makes) the store's folder; drafts of an earlier process are removed. One process per folder.
    ///
    /// # Errors
    /// When the folder can't be made or read.
    pub fn open(root: &Path) -> io::Result<Self> {
        Self::with_disk(root, Disk::default())
    }

    fn with_disk(root: &Path, disk: Disk) -> io::Result<Self> {
        let drafts = root.join(DRAFTS);
        std::fs::create_dir_all(&drafts)?;
        for entry in std::fs::read_dir(&drafts)? {
            std::fs::remove_file(entry?.path())?;
        }
        Ok(Self {
            root: std::fs::canonicalize(root)?.into(),
            disk,
            next: Arc::default(),
        })
    }

    /// The file of a key. The check repeats the key's own rules: this is the last line before the file system.
    fn path(&self, key: &ObjectKey) -> io::Result<PathBuf> {
        let text = key.as_str();
        let fine = |part: &str| {
            !matches!(part, "" | "." | "..") && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        };
        let rooted = text.starts_with("tenants/") || text.starts_with("platform/");
        if rooted && text.split('/').all(fine) {
            Ok(self.root.join(text))
        } else {
            Err(io::Error::new(io::ErrorKind::InvalidInput, "not an object key"))
        }
    }
}

/// Refuses a path whose folder, links resolved, is not inside the root.
fn inside(root: &Path, path: &Path) -> io::Result<()> {
    let folder = path.parent().unwrap_or(root);
    let escapes = !std::fs::canonicalize(folder)?.starts_with(root)
        || std::fs::symlink_metadata(path).is_ok_and(|m| m.file_type().is_symlink());
    if escapes {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "a symbolic link leads out of the object store",
        ));
    }
    Ok(())
}

fn named(key: &str) -> impl Fn(io::Error) -> ObjectError + '_ {
    move |e| match e.kind() {
        io::ErrorKind::NotFound => ObjectError::NotFound(key.to_owned()),
        _ => ObjectError::Io(e),
    }
}

async fn blocking<T: Send + 'static>(f: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    spawn_blocking(f).await.map_err(io::Error::other)?
}

#[async_trait::async_trait]
impl Objects for FileObjects {
    async fn create(&self, key: &ObjectKey) -> Result<Box<dyn ObjectWriter>, ObjectError> {
        let target = self.path(key)?;
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let draft = self.root.join(DRAFTS).join(format!("{number}.part"));
        let file = tokio::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&draft)
            .await?;
        Ok(Box::new(FileWriter {
            root: Arc::clone(&self.root),
            disk: self.disk.clone(),
            file: Some(file),
            draft: Draft(draft),
            target,
            size: 0,
            hash: Sha256::new(),
        }))
    }

    async fn read(&self, key: &ObjectKey) -> Result<Vec<u8>, ObjectError> {
        let (root, path) = (Arc::clone(&self.root), self.path(key)?);
        blocking(move || {
            inside(&root, &path)?;
            std::fs::read(path)
        })
        .await
        .map_err(named(key.as_str()))
    }

    async fn read_at(&self, key: &ObjectKey, offset: u64, len: usize) -> Result<Vec<u8>, ObjectError> {
        let (root, path) = (Arc::clone(&self.root), self.path(key)?);
        blocking(move || {
            inside(&root, &path)?;
            let file = File::open(path)?;
            // A caller's huge `len` must not become a huge allocation: no more than there is.
            let rest = file.metadata()?.len().saturating_sub(offset);
            let mut buf = vec![0; usize::try_from(rest).unwrap_or(usize::MAX).min(len)];
            let mut got = 0;
            while got < buf.len() {
                match file.read_at(&mut buf[got..], offset + got as u64)? {
                    0 => break,
                    n => got += n,
                }
            }
            buf.truncate(got);
            Ok(buf)
        })
        .await
        .map_err(named(key.as_str()))
    }

    async fn remove(&self, key: &ObjectKey) -> Result<(), ObjectError> {
        let (root, path, disk) = (Arc::clone(&self.root), self.path(key)?, self.disk.clone());
        let removed = blocking(move || {
            inside(&root, &path)?;
            disk.remove(&path)
        })
        .await;
        match removed {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other.map_err(ObjectError::Io),
        }
    }

    async fn remove_tenant(&self, scope: &TenantScope) -> Result<u64, ObjectError> {
        let disk = self.disk.clone();
        // The prefix that `ObjectKey::tenant` puts in front of every key.
        let folder = self.root.join("tenants").join(scope.id().to_string());
        Ok(blocking(move || match disk.remove_all(&folder) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(0),
            other => other,
        })
        .await?)
    }
}

/// A draft's name; gone when dropped, which after the rename finds nothing.
#[derive(Debug)]
struct Draft(PathBuf);

impl Drop for Draft {
    fn drop(&mut self) {
        // After a rename there is nothing to remove; any other failure is swept at the next start.
        let _ = std::fs::remove_file(&self.0);
    }
}

struct FileWriter {
    root: Arc<Path>,
    disk: Disk,
    file: Option<tokio::fs::File>,
    draft: Draft,
    target: PathBuf,
    size: u64,
    hash: Sha256,
}

#[async_trait::async_trait]
impl ObjectWriter for FileWriter {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), ObjectError> {
        let file = self.file.as_mut().ok_or_else(already_failed)?;
        if let Err(e) = file.write_all(bytes).await {
            // Part of the bytes may be in the file: it can't be finished any more.
            self.file = None;
            return Err(e.into());
        }
        self.hash.update(bytes);
        self.size += bytes.len() as u64;
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<(u64, String), ObjectError> {
        let mut file = self.file.take().ok_or_else(already_failed)?;
        file.flush().await?;
        let file = file.into_std().await;
        let me = *self;
        blocking(move || {
            let Self {
                root,
                disk,
                draft,
                target,
                size,
                hash,
                ..
            } = me;
            disk.sync_file(&file)?;
            let folder = target.parent().unwrap_or(&root);
            disk.make_folders(&root, folder)?;
            inside(&root, &target)?;
            disk.rename(&draft.0, &target)?;
            disk.sync_folder(folder)?;
            Ok((size, hex::encode(hash.finalize())))
        })
        .await
        .map_err(ObjectError::Io)
    }
}

fn already_failed() -> io::Error {
    io::Error::other("an earlier write failed")
}

#[cfg(test)]
mod tests;
