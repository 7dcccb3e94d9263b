//! The control: how it is meant to be used compiles.

use aistack_core::{AuditEntry, TenantScope};
use aistack_store::{Audit, Page, Result, Store};

pub async fn rename(store: &dyn Store, scope: &TenantScope, entry: AuditEntry) -> Result<()> {
    let mut tx = store.tenant(scope).await?;
    if let Some(user) = tx.users().list(&Page::default()).await?.pop() {
        tx.users().update(&user).await?;
    }
    tx.commit(Audit::one(entry)).await
}

fn main() {}
