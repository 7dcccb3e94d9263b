//! What tenants cost each other on PostgreSQL: transactions and lookups among 10, 1,000 and 10,000 of them.
//! `cargo bench -p aistack-store-postgres --bench tenants`.

#[path = "../../store/testing/fixtures.rs"]
mod fixtures;
#[path = "../../store/testing/growth.rs"]
mod growth;
#[path = "../tests/support/mod.rs"]
mod support;

use aistack_core::Isolation;
use aistack_store::Durability;
use aistack_store_postgres::{PostgresConfig, PostgresStore};

fn main() {
    // Under `cargo test --benches` there is nothing to measure.
    if std::env::args().any(|a| a == "--test") {
        return;
    }
    let Some(database) = support::durable_database() else {
        return;
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let config = PostgresConfig {
            // What the disk does meanwhile would be most of the figure.
            durability: Durability::Crash,
            ..database.config()
        };
        let store = PostgresStore::connect(config).await.expect("connects");
        growth::among(&*store, "postgres/row", Isolation::Row).await;
        store.close().await;
    });
}
