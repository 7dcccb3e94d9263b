//! What a call needs of its installation, read from the stores once per generation. The hot path asks memory; every
//! [`RECHECK`] it asks the database whether the generation still is the one remembered, so that a change made by
//! another node is seen too.

use crate::{
    App, Problem, TenantCtx,
    plugins::{
        catalogue, grants,
        manifest::Manifest,
        port::{Grants, PluginKind, Powers, SecretSet},
        schema::PROVISIONING,
        secrets,
    },
};
use aistack_core::{InstallationId, TenantId};
use aistack_store::Installation;
use serde_json::Value;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// How long a remembered installation is believed without asking for its generation.
const RECHECK: Duration = Duration::from_secs(2);
/// Installations remembered at most.
const CAPACITY: usize = 10_000;

/// An installation as calls see it.
pub struct Loaded {
    /// The row.
    pub installation: Installation,
    /// Its kind.
    pub kind: PluginKind,
    /// Its component.
    pub digest: Arc<str>,
    /// The manifest of its version.
    pub manifest: Arc<Manifest>,
    /// Config as the guest sees it: without the platform's own part.
    pub config: Arc<Value>,
    /// The platform's part of the config.
    pub host_config: Value,
    /// Secrets, opened.
    pub secrets: Arc<SecretSet>,
    /// Grants, as they were read.
    pub grants: Arc<Grants>,
    /// The same, alive: calls in flight look here.
    pub powers: Arc<Powers>,
    /// Id and version of the plugin.
    pub plugin: Arc<str>,
    /// False when its config says `test_mode`.
    pub live: bool,
}

impl core::fmt::Debug for Loaded {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Loaded")
            .field("installation", &self.installation.id)
            .finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct Slot {
    loaded: Arc<Loaded>,
    checked: Duration,
    used: u64,
}

#[derive(Debug, Default)]
struct Inner {
    slots: HashMap<(TenantId, InstallationId), Slot>,
    /// Grows with every use; the smallest is the least recently used.
    tick: u64,
    /// Grows with every change: what was read before a change is not remembered after it.
    epoch: u64,
}

/// The memory.
#[derive(Debug, Default)]
pub(super) struct Cache(Mutex<Inner>);

impl Cache {
    fn with<T>(&self, f: impl FnOnce(&mut Inner) -> T) -> T {
        // Nothing in here can be left half done by a panic.
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn forget(&self, tenant: TenantId, installation: InstallationId) {
        self.with(|c| {
            c.epoch += 1;
            c.slots.remove(&(tenant, installation));
        });
    }

    /// What is remembered, whether it has to be checked, and the epoch.
    fn get(&self, key: (TenantId, InstallationId), now: Duration) -> (Option<(Arc<Loaded>, bool)>, u64) {
        self.with(|c| {
            c.tick += 1;
            let tick = c.tick;
            let hit = c.slots.get_mut(&key).map(|s| {
                s.used = tick;
                (Arc::clone(&s.loaded), now.saturating_sub(s.checked) >= RECHECK)
            });
            (hit, c.epoch)
        })
    }

    fn put(&self, key: (TenantId, InstallationId), loaded: &Arc<Loaded>, now: Duration, epoch: u64) {
        self.with(|c| {
            if c.epoch != epoch {
                return;
            }
            if c.slots.len() >= CAPACITY
                && !c.slots.contains_key(&key)
                && let Some(oldest) = c.slots.iter().min_by_key(|(_, s)| s.used).map(|(k, _)| *k)
            {
                c.slots.remove(&oldest);
            }
            c.tick += 1;
            let slot = Slot {
                loaded: Arc::clone(loaded),
                checked: now,
                used: c.tick,
            };
            c.slots.insert(key, slot);
        });
    }
}

/// The installation, from memory or from the stores.
pub(super) async fn load(app: &App, t: &TenantCtx, id: InstallationId) -> Result<Arc<Loaded>, Problem> {
    let key = (t.scope.id(), id);
    let now = app.clock.monotonic();
    let (hit, epoch) = app.calls.cache.get(key, now);
    if let Some((loaded, false)) = &hit {
        return Ok(Arc::clone(loaded));
    }
    let (row, stored) = {
        let mut read = app.store.tenant_read(&t.scope).await?;
        let row = read.installations().get(id).await?;
        let row = row.ok_or_else(|| Problem::not_found("installation"))?;
        if let Some((loaded, true)) = &hit
            && loaded.installation.generation == row.generation
        {
            app.calls.cache.put(key, loaded, now, epoch);
            return Ok(Arc::clone(loaded));
        }
        let stored = read.installations().secrets(id).await?;
        (row, stored)
    };
    let version = app
        .store
        .platform_read()
        .await?
        .plugins()
        .find_by_digest(&row.digest)
        .await?;
    let version =
        version.ok_or_else(|| Problem::internal(format!("{id} uses digest {} that is not installed", row.digest)))?;
    let listed = catalogue::listed(version, 0)?;
    let corrupt = |what: &str, e: String| Problem::internal(format!("{what} of {id}: {e}"));
    let mut config: Value = serde_json::from_str(&row.config).map_err(|e| corrupt("config", e.to_string()))?;
    let granted: Grants = serde_json::from_str(&row.grants).map_err(|e| corrupt("grants", e.to_string()))?;
    let kind: PluginKind = row.kind.parse().map_err(|_| corrupt("kind", row.kind.clone()))?;
    let host_config = match (kind, config.as_object_mut()) {
        (PluginKind::Identity, Some(members)) => members.remove(PROVISIONING).unwrap_or_default(),
        _ => Value::Null,
    };
    // Defence in depth: whatever the row says, nothing beyond the manifest of this version is ever linked.
    let declared = grants::declared(&listed.manifest, &config);
    let mut granted = grants::within(granted, &declared);
    if app.config.allow_private_addresses {
        granted.private_hosts = [granted.http_hosts.as_slice(), &granted.dial_targets].concat();
    }
    let granted = Arc::new(granted);
    let loaded = Arc::new(Loaded {
        kind,
        powers: Arc::new(Powers::new(Arc::clone(&granted))),
        plugin: format!("{} {}", listed.manifest.id, listed.manifest.version).into(),
        digest: row.digest.as_str().into(),
        live: config.get("test_mode").and_then(Value::as_bool) != Some(true),
        secrets: Arc::new(secrets::open_all(app, t.scope.id(), &stored)?),
        grants: granted,
        manifest: Arc::new(listed.manifest),
        config: Arc::new(config),
        host_config,
        installation: row,
    });
    app.calls.cache.put(key, &loaded, now, epoch);
    Ok(loaded)
}
