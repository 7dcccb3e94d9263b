//! No change of a tenant's or the platform's state without saying what was done.

use aistack_core::TenantScope;
use aistack_store::{Result, Store};

pub async fn tenant(store: &dyn Store, scope: &TenantScope) -> Result<()> {
    store.tenant(scope).await?.commit().await
}

pub async fn platform(store: &dyn Store) -> Result<()> {
    store.platform().await?.commit().await
}

fn main() {}
