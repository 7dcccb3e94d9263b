//! A snapshot can't be committed.

use aistack_core::TenantScope;
use aistack_store::{Audit, Result, Store};

pub async fn end(store: &dyn Store, scope: &TenantScope, audit: Audit) -> Result<()> {
    store.tenant_read(scope).await?.commit(audit).await
}

fn main() {}
