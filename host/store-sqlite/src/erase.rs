//! Erasing a tenant's storage for good, and trying out what keeps two tenants apart here: a file for each, or the
//! predicates of the statements in a shared one.

use crate::files::TenantFiles;
use crate::template::blocking;
use aistack_core::{Isolation, TenantScope};
use aistack_store::{Probe, Result};
use sqlx::AssertSqlSafe;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

/// How often folding the log is tried while others read.
const TRIES: u32 = 50;

impl TenantFiles {
    /// Removes the tenant's file, or its rows in the shared one. Deleted bytes are overwritten (`secure_delete`).
    pub(crate) async fn erase(&self, scope: &TenantScope) -> Result<()> {
        let path = self.path(scope)?;
        if scope.isolation() != Isolation::Row {
            let _alone = self.alone().await;
            self.let_go(&path).await;
            return blocking(move || remove(&path)).await;
        }
        if !path.exists() {
            return Ok(());
        }
        let file = self.get(scope).await?;
        let mut held = file.write().await?;
        let result = delete_rows(held.conn()?, scope).await;
        held.settle(result)?;
        held.commit().await?;
        for _ in 0..TRIES {
            if file.fold().await? {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tracing::warn!(tenant = %scope.id(), "the log of the shared file is in use; it is emptied by the next checkpoint");
        Ok(())
    }

    /// See [`aistack_store::Store::probe`].
    pub(crate) async fn probe(&self, a: &TenantScope, b: &TenantScope) -> Result<Vec<Probe>> {
        let (one, other) = (self.path(a)?, self.path(b)?);
        let own = a.isolation() == Isolation::Database;
        let mode = fs::metadata(&one).map_or(0, |m| m.permissions().mode() & 0o077);
        let folder = self.folder_mode();
        let mut probes = vec![Probe {
            name: "private_files",
            holds: mode == 0 || folder == 0,
            found: "nobody but the user of this program can open the folder of the databases".to_owned(),
        }];
        if own {
            probes.push(Probe {
                name: "own_file",
                holds: one != other && one.exists() && other.exists(),
                found: "each has a database file of its own".to_owned(),
            });
            let file = self.get(a).await?;
            let mut held = file.read().await?;
            let rows = foreign_rows(held.conn()?, a).await;
            let rows = held.settle(rows)?;
            probes.push(Probe {
                name: "only_own_rows",
                holds: rows == 0,
                found: format!("{rows} rows of others in its file"),
            });
        }
        Ok(probes)
    }
}

/// Removes a database file and what SQLite puts beside it, the file last: as long as it is there, so is the tenant.
fn remove(path: &Path) -> io::Result<()> {
    for end in ["-wal", "-shm", ""] {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        match fs::remove_file(&name) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
    }
    match path.parent() {
        Some(dir) if dir.exists() => File::open(dir)?.sync_all(),
        _ => Ok(()),
    }
}

/// The tables with rows of tenants.
async fn tables(conn: &mut crate::Conn) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "SELECT t.name FROM sqlite_schema t WHERE t.type = 'table' AND EXISTS \
         (SELECT 1 FROM pragma_table_info(t.name) c WHERE c.name = 'tenant_id') ORDER BY t.name",
    )
    .fetch_all(conn)
    .await
}

async fn delete_rows(conn: &mut crate::Conn, scope: &TenantScope) -> sqlx::Result<()> {
    // Events are written once: the trigger that says so is away for this transaction alone.
    let guard: Option<String> =
        sqlx::query_scalar("SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name = 'audit_events_no_delete'")
            .fetch_optional(&mut *conn)
            .await?;
    sqlx::query("DROP TRIGGER IF EXISTS audit_events_no_delete")
        .execute(&mut *conn)
        .await?;
    // References inside the tenant are settled when all of its rows are gone.
    sqlx::query("PRAGMA defer_foreign_keys = ON")
        .execute(&mut *conn)
        .await?;
    for table in tables(&mut *conn).await? {
        // The name comes from the schema.
        sqlx::query(AssertSqlSafe(format!("DELETE FROM \"{table}\" WHERE tenant_id = $1")))
            .bind(scope.id().0)
            .execute(&mut *conn)
            .await?;
    }
    if let Some(guard) = guard {
        sqlx::query(AssertSqlSafe(guard)).execute(&mut *conn).await?;
    }
    Ok(())
}

/// How many rows of other tenants there are.
async fn foreign_rows(conn: &mut crate::Conn, scope: &TenantScope) -> sqlx::Result<i64> {
    let mut sum = 0;
    for table in tables(&mut *conn).await? {
        let n: i64 = sqlx::query_scalar(AssertSqlSafe(format!(
            "SELECT COUNT(*) FROM \"{table}\" WHERE tenant_id <> $1"
        )))
        .bind(scope.id().0)
        .fetch_one(&mut *conn)
        .await?;
        sum += n;
    }
    Ok(sum)
}
