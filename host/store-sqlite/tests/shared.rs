//! The shared body of store tests, on SQLite: with all tenants in one file, and with a file each.

#[path = "../../store/testing/mod.rs"]
mod testing;

use aistack_core::Isolation;
use aistack_store::Store;
use aistack_store_sqlite::{SqliteConfig, SqliteStore};
use std::sync::Arc;
use tempfile::TempDir;

async fn fresh() -> Option<(TempDir, Arc<dyn Store>)> {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let config = SqliteConfig::new(dir.path());
    let store = SqliteStore::open(config).await.expect("an empty directory opens");
    Some((dir, store))
}

fn isolations() -> [Isolation; 2] {
    [Isolation::Row, Isolation::Database]
}

every_store!();
