//! Durable tenant transactions per second on SQLite, for both durability settings: alone, and 32 at a time (where group
//! commit shows). `cargo bench -p aistack-store-sqlite`.

#[path = "../../store/testing/bench.rs"]
mod bench;
#[path = "../../store/testing/fixtures.rs"]
mod fixtures;

use aistack_core::Isolation;
use aistack_store::{Durability, Store};
use aistack_store_sqlite::{SqliteConfig, SqliteStore};
use criterion::{Criterion, criterion_group, criterion_main};
use fixtures::scope_of;
use std::sync::Arc;

fn tenant_tx(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    for durability in Durability::ALL {
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory on the disk");
        let config = SqliteConfig {
            durability: *durability,
            ..SqliteConfig::new(dir.path())
        };
        let (store, scope) = runtime.block_on(async {
            let store: Arc<dyn Store> = SqliteStore::open(config).await.expect("opens");
            let scope = scope_of(&*store, "one", Isolation::Database).await;
            (store, scope)
        });
        bench::tenant_tx(c, &runtime, &format!("sqlite/{durability}"), &store, &scope);
        runtime.block_on(store.close());
    }
}

criterion_group!(benches, tenant_tx);
criterion_main!(benches);
