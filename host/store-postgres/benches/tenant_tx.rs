//! Durable tenant transactions per second on PostgreSQL, for both durability settings: alone, and 32 at a time for one
//! tenant. `cargo bench -p aistack-store-postgres`.

#[path = "../../store/testing/bench.rs"]
mod bench;
#[path = "../../store/testing/fixtures.rs"]
mod fixtures;
#[path = "../tests/support/mod.rs"]
mod support;

use aistack_core::Isolation;
use aistack_store::{Durability, Store};
use aistack_store_postgres::{PostgresConfig, PostgresStore};
use criterion::{Criterion, criterion_group, criterion_main};
use fixtures::scope_of;
use std::sync::Arc;

fn tenant_tx(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    for durability in Durability::ALL {
        let Some(database) = support::durable_database() else {
            return;
        };
        let config = PostgresConfig {
            durability: *durability,
            max_connections: 40,
            ..database.config()
        };
        let (store, scope) = runtime.block_on(async {
            let store: Arc<dyn Store> = PostgresStore::connect(config).await.expect("connects");
            let scope = scope_of(&*store, "one", Isolation::Row).await;
            (store, scope)
        });
        bench::tenant_tx(c, &runtime, &format!("postgres/{durability}"), &store, &scope);
        runtime.block_on(store.close());
    }
}

criterion_group!(benches, tenant_tx);
criterion_main!(benches);
