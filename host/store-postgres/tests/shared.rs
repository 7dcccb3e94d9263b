//! The shared body of store tests, on PostgreSQL.

mod support;
#[path = "../../store/testing/mod.rs"]
mod testing;

use aistack_core::Isolation;
use aistack_store::Store;
use aistack_store_postgres::PostgresStore;
use std::sync::Arc;

async fn fresh() -> Option<((), Arc<dyn Store>)> {
    let database = support::database()?;
    let store = PostgresStore::connect(database.config())
        .await
        .expect("a fresh database connects");
    Some(((), store))
}

fn isolations() -> [Isolation; 1] {
    [Isolation::Row]
}

every_store!();
