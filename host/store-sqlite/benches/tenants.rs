//! What tenants cost each other on SQLite: transactions and lookups among 10, 1,000 and 10,000 of them, in one file and
//! with a file for each. `cargo bench -p aistack-store-sqlite --bench tenants`.

#[path = "../../store/testing/fixtures.rs"]
mod fixtures;
#[path = "../../store/testing/growth.rs"]
mod growth;

use aistack_core::Isolation;
use aistack_store::Durability;
use aistack_store_sqlite::{SqliteConfig, SqliteStore};

fn main() {
    // Under `cargo test --benches` there is nothing to measure.
    if std::env::args().any(|a| a == "--test") {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        for isolation in [Isolation::Row, Isolation::Database] {
            let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory on the disk");
            let config = SqliteConfig {
                // What the disk does meanwhile would be most of the figure.
                durability: Durability::Crash,
                ..SqliteConfig::new(dir.path())
            };
            let store = SqliteStore::open(config).await.expect("opens");
            growth::among(&*store, &format!("sqlite/{isolation}"), isolation).await;
            store.close().await;
        }
    });
}
