//! Domains that tenants bring along: added, proven by a TXT record, looked at again and again, and one of them the
//! address that links use.
//!
//! Invariants: only a proven domain routes; it is proven for one tenant at a time, and stays theirs until their own
//! proof has been missing for [`watch::GRACE`]; nobody learns whether somebody else has a domain without controlling its
//! DNS; the DNS is never asked while a transaction is open.

mod manage;
mod name;
mod proof;
mod watch;

pub use manage::{MOST, add, list, make_primary, remove};
pub use name::check_domain;
pub use proof::{Miss, challenge_name, challenge_value, verify};
pub use watch::{CheckDomain, GRACE, enqueue_due};

use super::routing;
use crate::{App, Problem};
use aistack_core::TenantId;
use aistack_store::Tenant;
use std::collections::HashMap;

/// Where a tenant is reached: at its primary domain, else under the public URL. Without trailing slash. Addresses that
/// are registered elsewhere (a provider's callbacks, a token's issuer) do not follow the domain: they stay with the slug.
///
/// # Errors
/// As the store.
pub async fn address(app: &App, id: TenantId, slug: &str) -> Result<String, Problem> {
    let found = app.store.platform_read().await?.domains().primaries(id, id).await?;
    Ok(match found.first() {
        Some((_, domain)) => routing::domain_url(&app.config.public_url, domain),
        None => routing::tenant_url(&app.config.public_url, slug),
    })
}

/// The same for many, in the order of the rows.
///
/// # Errors
/// As the store.
pub async fn addresses(app: &App, tenants: &[Tenant]) -> Result<Vec<String>, Problem> {
    let ids = tenants.iter().map(|t| t.id);
    let (Some(first), Some(last)) = (ids.clone().min(), ids.max()) else {
        return Ok(Vec::new());
    };
    let found = app
        .store
        .platform_read()
        .await?
        .domains()
        .primaries(first, last)
        .await?;
    let found: HashMap<TenantId, String> = found.into_iter().collect();
    let url = &app.config.public_url;
    let address = |t: &Tenant| match found.get(&t.id) {
        Some(domain) => routing::domain_url(url, domain),
        None => routing::tenant_url(url, &t.slug),
    };
    Ok(tenants.iter().map(address).collect())
}
