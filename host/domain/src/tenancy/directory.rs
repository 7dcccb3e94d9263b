//! Recently routed tenants in memory: every request needs its tenant, and it hardly ever changes.
//!
//! A change on this node is visible at once ([`Directory::forget`]); one made by another node within `LIFE`.

use crate::{App, Problem};
use aistack_core::{TenantId, TenantScope};
use aistack_store::Tenant;
use std::{
    collections::HashMap,
    sync::{Arc, RwLock},
    time::Duration,
};

/// How long an entry is believed.
const LIFE: Duration = Duration::from_secs(2);
/// Entries before the memory is emptied; a flood of made-up names never gets in, because only existing tenants do.
const MOST: usize = 10_000;

/// A tenant and the key to its data.
#[derive(Debug, Clone)]
pub struct Known {
    /// The key.
    pub scope: TenantScope,
    /// The row.
    pub tenant: Arc<Tenant>,
}

/// By what a tenant is looked up. The three can't be mistaken for one another: a slug has no dot, a domain has one, an
/// id has an underscore.
#[derive(Debug, Clone, Copy)]
enum By<'a> {
    Slug(&'a str),
    Domain(&'a str),
    Id(TenantId),
}

#[derive(Default)]
struct Inner {
    entries: HashMap<String, (Known, Duration)>,
    /// Under which names a tenant is remembered, by the slug it had then, so that forgetting one need not look at all of them.
    names: HashMap<String, Vec<String>>,
    /// Counts changes, so that a row read before a change is not remembered after it.
    changes: u64,
}

/// The memory.
#[derive(Default)]
pub struct Directory(RwLock<Inner>);

impl Directory {
    /// The tenant with a slug, in any state; `None` when there is none.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find(&self, app: &App, slug: &str) -> Result<Option<Known>, Problem> {
        self.recall(app, slug, By::Slug(slug)).await
    }

    /// The tenant that has proven a domain, in any state.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find_by_domain(&self, app: &App, domain: &str) -> Result<Option<Known>, Problem> {
        self.recall(app, domain, By::Domain(domain)).await
    }

    /// The tenant with an id, in any state.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find_by_id(&self, app: &App, id: TenantId) -> Result<Option<Known>, Problem> {
        self.recall(app, &id.to_string(), By::Id(id)).await
    }

    async fn recall(&self, app: &App, name: &str, by: By<'_>) -> Result<Option<Known>, Problem> {
        let now = app.clock.monotonic();
        let changes = {
            let inner = self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner);
            match inner.entries.get(name) {
                Some((known, read)) if now.saturating_sub(*read) < LIFE => return Ok(Some(known.clone())),
                _ => inner.changes,
            }
        };
        let Some(known) = load(app, by).await? else {
            return Ok(None);
        };
        let mut inner = self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if inner.changes == changes {
            if inner.entries.len() >= MOST {
                inner.entries.clear();
                inner.names.clear();
            }
            let names = inner.names.entry(known.tenant.slug.clone()).or_default();
            if !names.iter().any(|n| n == name) {
                names.push(name.to_owned());
            }
            inner.entries.insert(name.to_owned(), (known.clone(), now));
        }
        Ok(Some(known))
    }

    /// Forgets a tenant that has changed, by whatever name it is known; call it after the commit. After a rename, once
    /// with each slug.
    pub fn forget(&self, slug: &str) {
        let mut inner = self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        inner.changes += 1;
        inner.entries.remove(slug);
        for name in inner.names.remove(slug).unwrap_or_default() {
            inner.entries.remove(&name);
        }
    }
}

async fn load(app: &App, by: By<'_>) -> Result<Option<Known>, Problem> {
    let scope = match by {
        By::Slug(slug) => app.store.scope_by_slug(slug).await?,
        By::Id(id) => app.store.scope(id).await?,
        By::Domain(domain) => {
            let row = app.store.platform_read().await?.domains().routed(domain).await?;
            match row {
                Some(row) => app.store.scope(row.tenant_id).await?,
                None => None,
            }
        }
    };
    let Some(scope) = scope else { return Ok(None) };
    let tenant = app.store.platform_read().await?.tenants().get(scope.id()).await?;
    Ok(tenant.map(|tenant| Known {
        scope,
        tenant: Arc::new(tenant),
    }))
}
