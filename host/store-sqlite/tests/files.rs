//! What is SQLite's own: one process per directory, files that come and go, group commit, and what a killed process
//! leaves behind.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests may panic and talk"
)]

#[path = "../../store/testing/mod.rs"]
mod testing;

use aistack_core::{Isolation, TenantScope};
use aistack_store::{Durability, Store, StoreError};
use aistack_store_sqlite::{SqliteConfig, SqliteStore};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use testing::fixtures::{page, user};
use testing::{audit, demo_tenant, scope_of};

async fn open(dir: &Path) -> Arc<SqliteStore> {
    SqliteStore::open_concrete(SqliteConfig::new(dir)).await.expect("opens")
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

#[tokio::test]
async fn a_directory_belongs_to_one_process() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path()).await;
    let Err(second) = SqliteStore::open(SqliteConfig::new(dir.path())).await else {
        panic!("a second store opened the same directory");
    };
    assert!(second.to_string().contains("another process is using"), "{second}");
    first.close().await;
    drop(first);
    open(dir.path()).await;
}

#[tokio::test]
async fn each_isolation_has_its_files() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let shared = scope_of(&*store, "shared", Isolation::Row).await;
    let own = scope_of(&*store, "own", Isolation::Database).await;
    for scope in [&shared, &own] {
        let tx = store.tenant(scope).await.unwrap();
        tx.commit(audit("a.b")).await.unwrap();
    }
    let id = own.id().0.simple().to_string();
    let tenants = dir.path().join("tenants");
    assert!(tenants.join("shared.db").exists());
    assert!(tenants.join(&id[30..]).join(format!("{id}.db")).exists());
    assert_eq!(store.open_tenants(), 2);
    // Provisioning again keeps what is there.
    store.provision(&own).await.unwrap();
    let mut read = store.tenant_read(&own).await.unwrap();
    assert_eq!(read.audit().frontier().await.unwrap().0, 1);
    // The strategy of another database is refused, not replaced.
    let tenant = demo_tenant("schema", Isolation::Schema);
    let mut tx = store.platform().await.unwrap();
    tx.tenants().insert(&tenant).await.unwrap();
    tx.commit(audit("tenant.created")).await.unwrap();
    let scope = store.scope(tenant.id).await.unwrap().unwrap();
    let refused = store.provision(&scope).await.unwrap_err();
    assert!(refused.to_string().contains("schema"), "{refused}");
}

/// A tenant whose file is not there is an error: an empty file in its place would look like a tenant without data.
#[tokio::test]
async fn a_lost_file_is_not_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let tenant = demo_tenant("lost", Isolation::Database);
    let store = open(dir.path()).await;
    let mut tx = store.platform().await.unwrap();
    tx.tenants().insert(&tenant).await.unwrap();
    tx.commit(audit("tenant.created")).await.unwrap();
    let scope = store.scope(tenant.id).await.unwrap().unwrap();
    for _ in 0..2 {
        assert!(matches!(
            store.tenant(&scope).await.err(),
            Some(StoreError::Unavailable(_))
        ));
    }
    store.provision(&scope).await.unwrap();
    store.tenant(&scope).await.unwrap();
}

#[tokio::test]
async fn the_least_used_files_are_closed() {
    let dir = tempfile::tempdir().unwrap();
    let config = SqliteConfig {
        max_open_tenants: 3,
        ..SqliteConfig::new(dir.path())
    };
    let store = SqliteStore::open_concrete(config).await.unwrap();
    let mut scopes = Vec::new();
    for i in 0..8 {
        scopes.push(scope_of(&*store, &format!("t{i}"), Isolation::Database).await);
    }
    // One transaction stays open all the time: its file must not be closed under it.
    let mut kept = store.tenant(&scopes[0]).await.unwrap();
    kept.users().insert(&user("a@example.com", "A")).await.unwrap();
    for round in 0..3 {
        for (i, scope) in scopes.iter().enumerate().skip(1) {
            let mut tx = store.tenant(scope).await.unwrap();
            let address = format!("u{round}@example.com");
            tx.users().insert(&user(&address, "U")).await.unwrap();
            tx.commit(audit("user.created")).await.unwrap();
            assert!(
                store.open_tenants() <= 4,
                "{} open after tenant {i}",
                store.open_tenants()
            );
        }
    }
    kept.commit(audit("user.created")).await.unwrap();
    for (i, scope) in scopes.iter().enumerate() {
        let mut read = store.tenant_read(scope).await.unwrap();
        let expected = if i == 0 { 1 } else { 3 };
        assert_eq!(read.users().count_active().await.unwrap(), expected);
    }
}

/// Transactions that wait at the same time share a commit; all of them are durable, and one that is undone or fails takes
/// nothing from the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn group_commit() {
    const TASKS: u64 = 64;
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let scope = scope_of(&*store, "one", Isolation::Database).await;
    // While this one runs, the others queue up.
    let gate = store.tenant(&scope).await.unwrap();
    let tasks: Vec<_> = (0..TASKS)
        .map(|i| {
            let (store, scope) = (store.clone(), scope.clone());
            tokio::spawn(async move {
                let mut tx = store.tenant(&scope).await.unwrap();
                tx.users()
                    .insert(&user(&format!("u{i}@example.com"), "U"))
                    .await
                    .unwrap();
                match i % 8 {
                    // Undone.
                    6 => false,
                    // Failed: the address is taken.
                    7 => {
                        let again = user(&format!("u{i}@example.com"), "U");
                        assert!(tx.users().insert(&again).await.is_err());
                        assert!(tx.commit(audit("user.created")).await.is_err());
                        false
                    }
                    _ => tx.commit(audit("user.created")).await.is_ok(),
                }
            })
        })
        .collect();
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    drop(gate);
    let mut kept = 0;
    for task in tasks {
        kept += u64::from(task.await.unwrap());
    }
    assert_eq!(kept, TASKS / 8 * 6);
    let stats = store.tenant_commit_stats(&scope).await.unwrap();
    assert_eq!(stats.transactions, kept);
    assert!(stats.commits * 4 <= kept, "{stats:?}");
    store.close().await;
    drop(store);

    let store = open(dir.path()).await;
    let mut read = store.tenant_read(&scope).await.unwrap();
    assert_eq!(u64::try_from(read.users().count_active().await.unwrap()).unwrap(), kept);
    let (size, _) = read.audit().frontier().await.unwrap();
    assert_eq!(u64::try_from(size).unwrap(), kept);
}

/// A database of a newer program is left alone, with words that say why; a damaged history too.
#[tokio::test]
async fn a_newer_database_is_refused() {
    use sqlx::Connection;
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).await.close().await;
    let url = format!("sqlite://{}", dir.path().join("platform.db").display());
    let mut conn = sqlx::SqliteConnection::connect(&url).await.unwrap();
    sqlx::raw_sql("PRAGMA user_version = 7; UPDATE _sqlx_migrations SET version = 9999 WHERE version = 1")
        .execute(&mut conn)
        .await
        .unwrap();
    conn.close().await.unwrap();
    let Err(refused) = SqliteStore::open(SqliteConfig::new(dir.path())).await else {
        panic!("a newer database was opened");
    };
    assert!(
        refused.to_string().contains("newer version of the program"),
        "{refused}"
    );
}

/// The audit log can't be rewritten even by a statement of ours.
#[tokio::test]
async fn audit_events_are_written_once() {
    use sqlx::Connection;
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let scope = scope_of(&*store, "one", Isolation::Row).await;
    store.tenant(&scope).await.unwrap().commit(audit("a.b")).await.unwrap();
    store.close().await;
    for (file, table) in [
        ("platform.db", "platform_audit_events"),
        ("tenants/shared.db", "audit_events"),
    ] {
        let url = format!("sqlite://{}", dir.path().join(file).display());
        let mut conn = sqlx::SqliteConnection::connect(&url).await.unwrap();
        for sql in [
            format!("UPDATE {table} SET action = 'x'"),
            format!("DELETE FROM {table}"),
        ] {
            let refused = sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut conn).await;
            assert!(refused.unwrap_err().to_string().contains("written once"));
        }
    }
}

/// What an earlier process left half-made is cleared away; closing leaves no log files.
#[tokio::test]
async fn nothing_is_left_lying_about() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    scope_of(&*store, "one", Isolation::Database).await;
    store.close().await;
    drop(store);
    let tenants = dir.path().join("tenants");
    std::fs::write(tenants.join("template-00.1-0.tmp"), b"half").unwrap();
    let store = open(dir.path()).await;
    let scope = store.scope_by_slug("one").await.unwrap().unwrap();
    store.tenant(&scope).await.unwrap().commit(audit("a.b")).await.unwrap();
    store.close().await;
    for file in files(dir.path()) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        assert!(!name.contains(".tmp") && !name.ends_with("-wal"), "{name} is left");
    }
    assert_eq!(
        SqliteStore::migrate(SqliteConfig::new(dir.path()))
            .await
            .err()
            .map(|e| e.to_string()),
        {
            // `store` still has the directory.
            Some(format!(
                "the database is not available: another process is using {}",
                dir.path().display()
            ))
        }
    );
    drop(store);
    assert_eq!(SqliteStore::migrate(SqliteConfig::new(dir.path())).await.unwrap(), 1);
}

const CHILD: &str = "AISTACK_TEST_KILLED_CHILD";

/// The other half of the next test: writes until it is killed, saying each commit once it is acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_child() {
    let Some(dir) = std::env::var_os(CHILD) else { return };
    let config = SqliteConfig {
        durability: Durability::Crash,
        ..SqliteConfig::new(PathBuf::from(dir))
    };
    let store = SqliteStore::open_concrete(config).await.unwrap();
    let scope = scope_of(&*store, "one", Isolation::Database).await;
    let mut workers = Vec::new();
    for worker in 0..4 {
        let (store, scope): (Arc<SqliteStore>, TenantScope) = (store.clone(), scope.clone());
        workers.push(tokio::spawn(async move {
            for i in 0.. {
                let address = format!("u{worker}.{i}@example.com");
                let mut tx = store.tenant(&scope).await.unwrap();
                tx.users().insert(&user(&address, "U")).await.unwrap();
                tx.commit(audit("user.created")).await.unwrap();
                eprintln!("acknowledged {address}");
            }
        }));
    }
    for worker in workers {
        worker.await.unwrap();
    }
}

#[tokio::test]
async fn a_killed_process_loses_nothing_it_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed_child", "--nocapture"])
        .env(CHILD, dir.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut acknowledged = Vec::new();
    while acknowledged.len() < 100 {
        let line = lines.next().expect("the child goes on").unwrap();
        if let Some(address) = line.strip_prefix("acknowledged ") {
            acknowledged.push(address.to_owned());
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // What it said before the signal counts too.
    for line in lines.map_while(Result::ok) {
        if let Some(address) = line.strip_prefix("acknowledged ")
            && address.ends_with(".com")
        {
            acknowledged.push(address.to_owned());
        }
    }
    let store = open(dir.path()).await;
    let scope = store.scope_by_slug("one").await.unwrap().unwrap();
    let mut read = store.tenant_read(&scope).await.unwrap();
    for address in &acknowledged {
        assert!(
            read.users().find_by_email(address).await.unwrap().is_some(),
            "{address}"
        );
    }
    // And what is there is whole: as many leaves as members.
    let members = read.users().count_active().await.unwrap();
    assert_eq!(read.audit().frontier().await.unwrap().0, members);
    assert!(!read.users().list(&page(1)).await.unwrap().is_empty());
}
