//! There is no transaction on tenants' rows without one tenant.

use aistack_store::{Result, Store};

pub async fn count(store: &dyn Store) -> Result<i64> {
    store.tenant_read().await?.users().count_active().await
}

fn main() {}
