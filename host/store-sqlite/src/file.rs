//! One open database file: its writer, its readers, its pragmas.

use crate::held::Held;
use crate::sql::settle_error;
use crate::writer::{Writer, WriterStats};
use aistack_store::{Durability, Result, StoreError};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The platform file's migrations.
pub(crate) static PLATFORM: Migrator = sqlx::migrate!("../../migrations/sqlite/platform");
/// A tenant file's migrations.
pub(crate) static TENANT: Migrator = sqlx::migrate!("../../migrations/sqlite/tenant");

/// How long SQLite itself waits for a lock that another connection holds.
const BUSY: Duration = Duration::from_secs(5);
/// How long a reader waits for a connection.
const PATIENCE: Duration = Duration::from_secs(15);

/// A database file that is open.
#[derive(Debug)]
pub(crate) struct DbFile {
    writer: Writer,
    readers: SqlitePool,
    options: SqliteConnectOptions,
}

impl DbFile {
    /// Opens the file, which must exist, and migrates it when it is older than the program.
    pub(crate) async fn open(path: &Path, migrator: &Migrator, durability: Durability, readers: u32) -> Result<Self> {
        let options = options(path, durability);
        let mut conn = options.connect().await.map_err(settle_error)?;
        migrate(&mut conn, migrator).await?;
        let readers = SqlitePoolOptions::new()
            .min_connections(0)
            .max_connections(readers)
            .acquire_timeout(PATIENCE)
            .idle_timeout(Duration::from_secs(60))
            .connect_lazy_with(options.clone().pragma("query_only", "ON"));
        Ok(Self {
            writer: Writer::start(conn, options.clone()),
            readers,
            options,
        })
    }

    /// Makes an empty file and migrates it.
    pub(crate) async fn create(path: &Path, migrator: &Migrator) -> Result<()> {
        let mut conn = options(path, Durability::PowerLoss)
            .create_if_missing(true)
            .connect()
            .await
            .map_err(settle_error)?;
        migrate(&mut conn, migrator).await?;
        // The last connection to close folds the log into the file.
        conn.close().await.map_err(settle_error)
    }

    /// Begins a transaction that may write, once it is its turn.
    pub(crate) async fn write(self: &Arc<Self>) -> Result<Held> {
        Ok(Held::write(self.writer.begin().await?, self.clone()))
    }

    /// Begins a transaction that can't write: a snapshot from its first statement on.
    pub(crate) async fn read(self: &Arc<Self>) -> Result<Held> {
        let tx = self.readers.begin().await.map_err(settle_error)?;
        Ok(Held::read(tx, self.clone()))
    }

    /// Folds the log into the file and empties it: what was deleted is not in the log any more either. False when somebody
    /// was reading or writing meanwhile.
    pub(crate) async fn fold(&self) -> Result<bool> {
        let mut conn = self.options.connect().await.map_err(settle_error)?;
        let (busy, _, _): (i64, i64, i64) = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)")
            .fetch_one(&mut conn)
            .await
            .map_err(settle_error)?;
        conn.close().await.map_err(settle_error)?;
        Ok(busy == 0)
    }

    /// What the writer has done.
    pub(crate) fn stats(&self) -> &WriterStats {
        self.writer.stats()
    }

    /// Finishes what is in flight and closes the connections.
    pub(crate) async fn close(self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

fn options(path: &Path, durability: Durability) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(match durability {
            Durability::PowerLoss => SqliteSynchronous::Full,
            Durability::Crash => SqliteSynchronous::Normal,
        })
        .foreign_keys(true)
        .busy_timeout(BUSY)
        .statement_cache_capacity(256)
        // Deleted personal data is overwritten, not merely unlinked.
        .pragma("secure_delete", "ON")
        .disable_statement_logging()
}

/// A number that stands for a set of migrations, kept in the file's header so that an up-to-date file opens without
/// reading the migration table.
pub(crate) fn fingerprint(migrator: &Migrator) -> i32 {
    let mut folded = [0u8; 4];
    for migration in migrator.iter() {
        for (i, byte) in migration.checksum.iter().enumerate() {
            // Rotating keeps the order of the migrations in the number.
            folded[i % 4] = folded[i % 4].rotate_left(1) ^ byte;
        }
    }
    i32::from_be_bytes(folded)
}

async fn migrate(conn: &mut crate::Conn, migrator: &Migrator) -> Result<()> {
    let wanted = fingerprint(migrator);
    let found: i32 = sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(&mut *conn)
        .await
        .map_err(settle_error)?;
    if found == wanted {
        return Ok(());
    }
    // `run` would do the same, but its future is not `Send` enough for the store's trait.
    migrator
        .run_direct(None, &mut *conn, false)
        .await
        .map_err(migration_failed)?;
    sqlx::query(AssertSqlSafe(format!("PRAGMA user_version = {wanted}")))
        .execute(conn)
        .await
        .map_err(settle_error)?;
    Ok(())
}

fn migration_failed(e: MigrateError) -> StoreError {
    match e {
        MigrateError::VersionMissing(version) => StoreError::Unavailable(format!(
            "migration {version} was applied by a newer version of the program"
        )),
        MigrateError::VersionMismatch(version) => StoreError::Corrupt(format!(
            "migration {version} was applied in another form than this program has it"
        )),
        e => StoreError::Backend(Box::new(e)),
    }
}
