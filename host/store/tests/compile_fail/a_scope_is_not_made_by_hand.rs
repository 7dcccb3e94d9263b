//! A scope has no constructor and no field that could be set.

use aistack_core::{Isolation, TenantId, TenantScope};

pub fn literal(id: TenantId) -> TenantScope {
    TenantScope { id, slug: "acme".into(), isolation: Isolation::Row }
}

pub fn made(id: TenantId) -> TenantScope {
    TenantScope::new(id)
}

pub fn changed(mut scope: TenantScope, id: TenantId) -> TenantScope {
    scope.id = id;
    scope
}

fn main() {}
