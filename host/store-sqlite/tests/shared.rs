//! The shared body of store tests, on SQLite: once with all tenants in one file, once with a file each.

#[path = "../../store/testing/mod.rs"]
mod testing;

use aistack_store::Store;
use aistack_store_sqlite::{SqliteConfig, SqliteStore};
use std::sync::Arc;
use tempfile::TempDir;

async fn fresh() -> (TempDir, Arc<dyn Store>) {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(SqliteConfig::new(dir.path())).await.unwrap();
    (dir, store)
}

/// One test per function of the shared body.
macro_rules! shared {
    ($($module:ident: $($name:ident),+;)+) => {$(
        mod $module {
            $(
                #[tokio::test]
                async fn $name() {
                    let (_dir, store) = super::fresh().await;
                    super::testing::$module::$name(&*store).await;
                    store.close().await;
                }
            )+
        }
    )+};
}

shared! {
    platform: operators, tenants, plugins, routes, settings, jobs;
}
