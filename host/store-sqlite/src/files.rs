//! The cache of open tenant files: opened when needed, the least recently used closed when there are too many.

use crate::file::{DbFile, TENANT};
use crate::template;
use aistack_core::{Isolation, TenantScope};
use aistack_store::{Durability, Result, StoreError};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::OnceCell;

/// Reading connections of one tenant file.
const READERS: u32 = 4;

/// The tenant files.
pub(crate) struct TenantFiles {
    /// `<data>/tenants`.
    dir: PathBuf,
    durability: Durability,
    most: usize,
    open: Mutex<Open>,
    /// Held while a file is made.
    making: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Open {
    files: HashMap<PathBuf, Slot>,
    /// Counts uses; a slot's number says when it was used last.
    uses: u64,
    closed: bool,
}

struct Slot {
    file: Arc<OnceCell<Arc<DbFile>>>,
    used: u64,
}

impl TenantFiles {
    pub(crate) fn new(dir: PathBuf, durability: Durability, most: usize) -> Self {
        Self {
            dir,
            durability,
            most: most.max(1),
            open: Mutex::default(),
            making: tokio::sync::Mutex::default(),
        }
    }

    /// Closes a tenant's own file, once what is in flight in it is done, and takes it out of the cache.
    pub(crate) async fn let_go(&self, path: &Path) {
        let slot = self.lock().files.remove(path);
        if let Some(file) = slot.as_ref().and_then(|slot| slot.file.get().cloned()) {
            drop(slot);
            crate::store::close_file(file).await;
        }
    }

    /// Who else may enter the folder, as mode bits of group and others; 0 is nobody.
    pub(crate) fn folder_mode(&self) -> u32 {
        use std::os::unix::fs::PermissionsExt;
        std::fs::metadata(&self.dir).map_or(0o077, |m| m.permissions().mode() & 0o077)
    }

    /// Held while files are made or removed.
    pub(crate) async fn alone(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.making.lock().await
    }

    /// Where a tenant's rows live. Ids of one time share their first digits, so the last ones spread the files.
    pub(crate) fn path(&self, scope: &TenantScope) -> Result<PathBuf> {
        match scope.isolation() {
            Isolation::Row => Ok(self.dir.join("shared.db")),
            Isolation::Database => {
                let id = scope.id().0.simple().to_string();
                let spread = id.get(30..).unwrap_or("00");
                Ok(self.dir.join(spread).join(format!("{id}.db")))
            }
            Isolation::Schema => Err(StoreError::Backend(
                "isolation \"schema\" needs PostgreSQL; SQLite has \"row\" and \"database\"".into(),
            )),
        }
    }

    /// Makes the tenant's file if it is not there.
    pub(crate) async fn provision(&self, scope: &TenantScope) -> Result<()> {
        let path = self.path(scope)?;
        let _alone = self.making.lock().await;
        template::instantiate(&self.dir, &path).await
    }

    /// The tenant's file, open.
    pub(crate) async fn get(&self, scope: &TenantScope) -> Result<Arc<DbFile>> {
        let path = self.path(scope)?;
        let slot = self.slot(&path)?;
        let file = slot
            .get_or_try_init(|| async {
                if !path.exists() {
                    // Never made here: a file that got lost must not come back empty.
                    return Err(StoreError::Unavailable(format!(
                        "the storage of {scope:?} is not there"
                    )));
                }
                DbFile::open(&path, &TENANT, self.durability, READERS)
                    .await
                    .map(Arc::new)
            })
            .await?
            .clone();
        drop(slot);
        self.evict();
        Ok(file)
    }

    /// How many files are open.
    pub(crate) fn count(&self) -> usize {
        self.lock()
            .files
            .values()
            .filter(|slot| slot.file.initialized())
            .count()
    }

    fn slot(&self, path: &Path) -> Result<Arc<OnceCell<Arc<DbFile>>>> {
        let mut open = self.lock();
        if open.closed {
            return Err(StoreError::Unavailable("the store is closed".to_owned()));
        }
        open.uses += 1;
        let used = open.uses;
        let slot = open.files.entry(path.to_owned()).or_insert_with(|| Slot {
            file: Arc::default(),
            used,
        });
        slot.used = used;
        Ok(slot.file.clone())
    }

    /// Closes files nobody uses until there are few enough, the longest unused first.
    fn evict(&self) {
        let mut open = self.lock();
        while open.files.len() > self.most {
            let idle = open
                .files
                .iter()
                .filter(|(_, slot)| {
                    // Under the lock nobody can take a new reference, so a count of one means: ours alone.
                    Arc::strong_count(&slot.file) == 1
                        && slot.file.get().is_none_or(|file| Arc::strong_count(file) == 1)
                })
                .min_by_key(|(_, slot)| slot.used)
                .map(|(path, _)| path.clone());
            let Some(slot) = idle.and_then(|path| open.files.remove(&path)) else {
                return;
            };
            if let Some(file) = Arc::into_inner(slot.file)
                .and_then(OnceCell::into_inner)
                .and_then(Arc::into_inner)
            {
                tokio::spawn(file.close());
            }
        }
    }

    /// Closes all files, waiting for the transactions in them; no more can be opened.
    pub(crate) async fn close(&self) {
        let files: Vec<Slot> = {
            let mut open = self.lock();
            open.closed = true;
            open.files.drain().map(|(_, slot)| slot).collect()
        };
        for slot in files {
            if let Some(file) = slot.file.get().cloned() {
                drop(slot);
                crate::store::close_file(file).await;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        // Nothing in the critical sections can leave the map half-changed.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
