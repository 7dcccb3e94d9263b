//! A tenant's id does not open its data.

use aistack_core::TenantId;
use aistack_store::{Result, Store};

pub async fn count(store: &dyn Store, id: TenantId) -> Result<i64> {
    store.tenant_read(&id).await?.users().count_active().await
}

fn main() {}
