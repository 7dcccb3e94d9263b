//! Machinery, which commits without an audit entry, reaches nothing that somebody would ask the log about.

use aistack_core::TenantScope;
use aistack_store::{Result, Store, User};

pub async fn add(store: &dyn Store, scope: &TenantScope, user: &User) -> Result<()> {
    store.tenant_machine(scope).await?.users().insert(user).await
}

fn main() {}
