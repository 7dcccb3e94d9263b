//! A tenant's file is made by copying a migrated template: a fraction of a millisecond instead of every migration.

use crate::file::{DbFile, TENANT, fingerprint};
use aistack_store::{Result, StoreError};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Tells apart the temporary files of one process.
static TURN: AtomicU64 = AtomicU64::new(0);

/// Makes `target` as a copy of the template unless it is there. A crash leaves either no file or a whole one. The caller
/// makes one at a time, since the last step would replace a file that somebody else made meanwhile.
pub(crate) async fn instantiate(tenants: &Path, target: &Path) -> Result<()> {
    if target.exists() {
        return Ok(());
    }
    let template = template(tenants).await?;
    let target = target.to_owned();
    blocking(move || {
        let dir = target.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(dir)?;
        let temporary = temporary(&target);
        std::fs::copy(&template, &temporary)?;
        File::open(&temporary)?.sync_all()?;
        std::fs::rename(&temporary, &target)?;
        File::open(dir)?.sync_all()
    })
    .await
}

/// The template of this program's migrations, made if it is not there.
async fn template(tenants: &Path) -> Result<PathBuf> {
    let path = tenants.join(format!("template-{:08x}.db", fingerprint(&TENANT)));
    if !path.exists() {
        let temporary = temporary(&path);
        DbFile::create(&temporary, &TENANT).await?;
        let to = path.clone();
        blocking(move || {
            File::open(&temporary)?.sync_all()?;
            std::fs::rename(&temporary, &to)
        })
        .await?;
    }
    Ok(path)
}

fn temporary(path: &Path) -> PathBuf {
    let turn = TURN.fetch_add(1, Ordering::Relaxed);
    path.with_extension(format!("{}-{turn}.tmp", std::process::id()))
}

/// Removes what an earlier process left half-made.
pub(crate) fn sweep(dir: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            sweep(&path)?;
        } else if path
            .file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.contains(".tmp"))
        {
            std::fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Runs file work where it may block.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|e| StoreError::Backend(Box::new(e)))?
        .map_err(|e| StoreError::Unavailable(e.to_string()))
}
