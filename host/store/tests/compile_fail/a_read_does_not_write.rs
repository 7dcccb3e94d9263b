//! A snapshot offers no writing method.

use aistack_core::TenantScope;
use aistack_store::{Result, Store, User};

pub async fn add(store: &dyn Store, scope: &TenantScope, user: &User) -> Result<()> {
    store.tenant_read(scope).await?.users().insert(user).await
}

fn main() {}
