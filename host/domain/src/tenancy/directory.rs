//! Recently routed tenants in memory: every request needs its tenant, and it hardly ever changes.
//!
//! A change on this node is visible at once ([`Directory::forget`]); one made by another node within `LIFE`.

use crate::{App, Problem};
use aistack_core::TenantScope;
use aistack_store::Tenant;
use std::{
    collections::HashMap,
    sync::{Arc, RwLock},
    time::Duration,
};

/// How long an entry is believed.
const LIFE: Duration = Duration::from_secs(2);
/// Entries before the memory is emptied; a flood of made-up slugs never gets in, because only existing tenants do.
const MOST: usize = 10_000;

/// A tenant and the key to its data.
#[derive(Debug, Clone)]
pub struct Known {
    /// The key.
    pub scope: TenantScope,
    /// The row.
    pub tenant: Arc<Tenant>,
}

#[derive(Default)]
struct Inner {
    entries: HashMap<String, (Known, Duration)>,
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
        let now = app.clock.monotonic();
        let changes = {
            let inner = self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner);
            match inner.entries.get(slug) {
                Some((known, read)) if now.saturating_sub(*read) < LIFE => return Ok(Some(known.clone())),
                _ => inner.changes,
            }
        };
        let Some(scope) = app.store.scope_by_slug(slug).await? else {
            return Ok(None);
        };
        let Some(tenant) = app.store.platform_read().await?.tenants().get(scope.id()).await? else {
            return Ok(None);
        };
        let known = Known {
            scope,
            tenant: Arc::new(tenant),
        };
        let mut inner = self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if inner.changes == changes {
            if inner.entries.len() >= MOST {
                inner.entries.clear();
            }
            inner.entries.insert(slug.to_owned(), (known.clone(), now));
        }
        Ok(Some(known))
    }

    /// Forgets a tenant that has changed; call it after the commit.
    pub fn forget(&self, slug: &str) {
        let mut inner = self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        inner.changes += 1;
        inner.entries.remove(slug);
    }
}
