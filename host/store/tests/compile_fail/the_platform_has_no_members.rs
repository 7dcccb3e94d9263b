//! The platform's transaction reaches no table of tenants.

use aistack_store::{Result, Store};

pub async fn count(store: &dyn Store) -> Result<i64> {
    store.platform().await?.users().count_active().await
}

fn main() {}
