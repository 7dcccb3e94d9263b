//! The store itself: opening a data directory, and the way to each kind of transaction.

use crate::file::{DbFile, PLATFORM};
use crate::files::TenantFiles;
use crate::sql::{PlatformDb, TenantDb, settle_error};
use crate::template;
use aistack_core::{TenantId, TenantScope};
use aistack_store::{
    Durability, PlatformMachine, PlatformRead, PlatformTx, Probe, Result, Store, StoreError, TenantMachine, TenantRead,
    TenantTx,
};
use sqlx::Connection;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Older versions can damage a WAL database that has two writers.
const OLDEST_SQLITE: (u32, u32, u32) = (3, 51, 3);
/// Reading connections of the platform file.
const READERS: u32 = 8;
/// How long closing waits for transactions in flight.
const GRACE: Duration = Duration::from_secs(10);

/// Where and how to keep data.
#[derive(Debug, Clone)]
pub struct SqliteConfig {
    /// The data directory; made if it is not there. One process at a time.
    pub data_dir: PathBuf,
    /// What an acknowledged commit survives.
    pub durability: Durability,
    /// How many tenant files may be open at a time (about 0.3 MB each).
    pub max_open_tenants: usize,
}

impl SqliteConfig {
    /// The defaults for a data directory: safe against power loss, 128 open tenant files.
    #[must_use]
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            durability: Durability::default(),
            max_open_tenants: 128,
        }
    }
}

/// The store on SQLite files.
pub struct SqliteStore {
    platform: Mutex<Option<Arc<DbFile>>>,
    tenants: TenantFiles,
    /// Of the SQLite library.
    version: String,
    /// Held while the store lives, so that no second process writes here.
    _lock: File,
}

/// What the group commit has done, summed over the open files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitStats {
    /// Transactions acknowledged as durable.
    pub transactions: u64,
    /// Commits they needed.
    pub commits: u64,
}

impl SqliteStore {
    /// Opens a data directory, making and migrating what is missing or old. Tenant files are migrated when they are
    /// opened.
    ///
    /// # Errors
    /// When another process has the directory, when it can't be written, when the SQLite library is too old, or when the
    /// files were migrated by a newer program.
    pub async fn open(config: SqliteConfig) -> Result<Arc<dyn Store>> {
        Ok(Self::open_concrete(config).await?)
    }

    /// Like [`SqliteStore::open`], for callers that want [`SqliteStore::commit_stats`].
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub async fn open_concrete(config: SqliteConfig) -> Result<Arc<Self>> {
        let version = version().await?;
        check_version(&version)?;
        let dir = config.data_dir.clone();
        let lock = template::blocking(move || take_directory(&dir)).await?;
        let Some(lock) = lock else {
            return Err(StoreError::Unavailable(format!(
                "another process is using {}",
                config.data_dir.display()
            )));
        };
        let path = config.data_dir.join("platform.db");
        if !path.exists() {
            DbFile::create(&path, &PLATFORM).await?;
        }
        let platform = DbFile::open(&path, &PLATFORM, config.durability, READERS).await?;
        Ok(Arc::new(Self {
            platform: Mutex::new(Some(Arc::new(platform))),
            tenants: TenantFiles::new(
                config.data_dir.join("tenants"),
                config.durability,
                config.max_open_tenants,
            ),
            version,
            _lock: lock,
        }))
    }

    /// Migrates the platform and every tenant of a data directory that no other process uses; answers how many tenants
    /// there are.
    ///
    /// # Errors
    /// As [`SqliteStore::open`], for any of the files.
    pub async fn migrate(config: SqliteConfig) -> Result<usize> {
        let store = Self::open_concrete(config).await?;
        let mut count = 0;
        let ids = store.platform_read().await?.tenants().ids().await?;
        for id in ids {
            let Some(scope) = store.scope(id).await? else { continue };
            store.provision(&scope).await?;
            store.tenants.get(&scope).await?;
            count += 1;
        }
        store.close().await;
        Ok(count)
    }

    /// What the platform file's group commit has done.
    ///
    /// # Errors
    /// When the store is closed.
    pub fn commit_stats(&self) -> Result<CommitStats> {
        let file = self.platform_file()?;
        Ok(stats(&file))
    }

    /// What the group commit of a tenant's file has done since the file was opened.
    ///
    /// # Errors
    /// When the file can't be opened.
    pub async fn tenant_commit_stats(&self, scope: &TenantScope) -> Result<CommitStats> {
        let file = self.tenants.get(scope).await?;
        Ok(stats(&file))
    }

    /// How many tenant files are open.
    #[must_use]
    pub fn open_tenants(&self) -> usize {
        self.tenants.count()
    }

    fn platform_file(&self) -> Result<Arc<DbFile>> {
        self.platform
            .lock()
            .ok()
            .and_then(|file| file.clone())
            .ok_or_else(|| StoreError::Unavailable("the store is closed".to_owned()))
    }

    async fn catalogue(&self) -> Result<PlatformDb> {
        Ok(PlatformDb::new(self.platform_file()?.read().await?))
    }
}

#[async_trait::async_trait]
impl Store for SqliteStore {
    fn backend(&self) -> &'static str {
        "sqlite"
    }

    async fn scope(&self, id: TenantId) -> Result<Option<TenantScope>> {
        self.catalogue().await?.scope(id).await
    }
    async fn scope_by_slug(&self, slug: &str) -> Result<Option<TenantScope>> {
        self.catalogue().await?.scope_by_slug(slug).await
    }
    async fn provision(&self, scope: &TenantScope) -> Result<()> {
        self.tenants.provision(scope).await
    }
    async fn erase(&self, scope: &TenantScope) -> Result<()> {
        self.tenants.erase(scope).await
    }
    async fn probe(&self, a: &TenantScope, b: &TenantScope) -> Result<Vec<Probe>> {
        self.tenants.probe(a, b).await
    }

    async fn platform(&self) -> Result<Box<dyn PlatformTx>> {
        Ok(PlatformDb::new(self.platform_file()?.write().await?).change())
    }
    async fn platform_read(&self) -> Result<Box<dyn PlatformRead>> {
        Ok(self.catalogue().await?.read())
    }
    async fn platform_machine(&self) -> Result<Box<dyn PlatformMachine>> {
        Ok(PlatformDb::new(self.platform_file()?.write().await?).machine())
    }

    async fn tenant(&self, scope: &TenantScope) -> Result<Box<dyn TenantTx>> {
        let held = self.tenants.get(scope).await?.write().await?;
        Ok(TenantDb::new(held, scope.id()).change())
    }
    async fn tenant_read(&self, scope: &TenantScope) -> Result<Box<dyn TenantRead>> {
        let held = self.tenants.get(scope).await?.read().await?;
        Ok(TenantDb::new(held, scope.id()).read())
    }
    async fn tenant_machine(&self, scope: &TenantScope) -> Result<Box<dyn TenantMachine>> {
        let held = self.tenants.get(scope).await?.write().await?;
        Ok(TenantDb::new(held, scope.id()).machine())
    }

    async fn health(&self) -> Result<String> {
        // Asks the writer too: a full disk still reads.
        let file = self.platform_file()?;
        drop(file.write().await?);
        let tenants = self.catalogue().await?.read().tenants().count_by_status().await?;
        let tenants: i64 = tenants.into_iter().map(|(_, n)| n).sum();
        Ok(format!(
            "SQLite {}: platform file writable, {tenants} tenants, {} tenant files open",
            self.version,
            self.tenants.count()
        ))
    }

    async fn close(&self) {
        let platform = self.platform.lock().ok().and_then(|mut file| file.take());
        self.tenants.close().await;
        if let Some(platform) = platform {
            close_file(platform).await;
        }
    }
}

/// Closes a file once its last transaction has let go of it; gives up waiting after a while.
pub(crate) async fn close_file(mut file: Arc<DbFile>) {
    let mut waited = Duration::ZERO;
    let step = Duration::from_millis(5);
    loop {
        match Arc::try_unwrap(file) {
            Ok(file) => return file.close().await,
            Err(shared) if waited < GRACE => file = shared,
            Err(_) => {
                tracing::warn!("a transaction is still open; its file is left to the operating system");
                return;
            }
        }
        tokio::time::sleep(step).await;
        waited += step;
    }
}

fn stats(file: &DbFile) -> CommitStats {
    let stats = file.stats();
    CommitStats {
        transactions: stats.transactions.load(Ordering::Relaxed),
        commits: stats.commits.load(Ordering::Relaxed),
    }
}

/// Makes the directories, private to us, and locks them against a second process; `None` when one has the lock.
fn take_directory(dir: &Path) -> std::io::Result<Option<File>> {
    let tenants = dir.join("tenants");
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&tenants)?;
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(dir.join("store.lock"))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(e)) => return Err(e),
    }
    template::sweep(&tenants)?;
    Ok(Some(lock))
}

/// The version of the linked SQLite library, as it says itself.
async fn version() -> Result<String> {
    let mut conn = sqlx::SqliteConnection::connect("sqlite::memory:")
        .await
        .map_err(settle_error)?;
    sqlx::query_scalar("SELECT sqlite_version()")
        .fetch_one(&mut conn)
        .await
        .map_err(settle_error)
}

/// Refuses a library that is older than `OLDEST_SQLITE`.
fn check_version(text: &str) -> Result<()> {
    let mut parts = text.split('.').map(|part| part.parse().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    let found: (u32, u32, u32) = (next(), next(), next());
    if found < OLDEST_SQLITE {
        let (a, b, c) = OLDEST_SQLITE;
        return Err(StoreError::Unavailable(format!(
            "SQLite {text} is too old: it can damage its files; {a}.{b}.{c} is needed"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check_version;

    #[test]
    fn a_library_that_can_damage_files_is_refused() {
        for old in ["3.51.2", "3.40.1", "2.99.99", "nonsense", ""] {
            assert!(check_version(old).is_err(), "{old}");
        }
        for good in ["3.51.3", "3.52.0", "4.0.0"] {
            assert!(check_version(good).is_ok(), "{good}");
        }
    }
}
