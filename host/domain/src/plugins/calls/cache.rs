//! What a call needs of its installation, read from the stores once per generation. The hot path asks memory. On a
//! database that several nodes share it asks every [`RECHECK`] whether the generation still is the one remembered; on
//! SQLite this process makes all changes, and says so.

use super::live::Fate;
use crate::{
    App, Problem, TenantCtx,
    plugins::{
        catalogue,
        installations::guest_config,
        manifest::Manifest,
        policy::{self, Whose},
        port::{Grants, PluginKind, Powers, SecretSet},
        schema::PROVISIONING,
        secrets,
    },
    quota::PluginTerms,
};
use aistack_core::{InstallationId, TenantId};
use aistack_store::{Installation, InstallationStatus, PluginVersion, StoredSecret};
use serde_json::Value;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// How long a remembered installation is believed without asking for its generation, where other nodes may change it.
const RECHECK: Duration = Duration::from_millis(200);
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
    /// What the tenant may use.
    pub terms: Arc<PluginTerms>,
    /// The plan and the epoch of the rules that grants and terms were made under.
    pub(super) made_under: (String, u64),
    /// False when its config says `test_mode`.
    pub live: bool,
}

impl Loaded {
    /// The plan and the epoch of the rules that its grants and terms were made under.
    pub(in crate::plugins) fn made_under(&self) -> &(String, u64) {
        &self.made_under
    }
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
    fn get(&self, key: (TenantId, InstallationId), now: Duration, shared: bool) -> (Option<(Arc<Loaded>, bool)>, u64) {
        self.with(|c| {
            c.tick += 1;
            let tick = c.tick;
            let hit = c.slots.get_mut(&key).map(|s| {
                s.used = tick;
                (
                    Arc::clone(&s.loaded),
                    shared && now.saturating_sub(s.checked) >= RECHECK,
                )
            });
            (hit, c.epoch)
        })
    }

    /// False when something was changed since `epoch`: what was read may be old.
    fn put(&self, key: (TenantId, InstallationId), loaded: &Arc<Loaded>, now: Duration, epoch: u64) -> bool {
        self.with(|c| {
            if c.epoch != epoch {
                return false;
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
            true
        })
    }
}

/// Reads repeated because something was changed meanwhile.
const TRIES: usize = 3;

/// The installation, from memory or from the stores.
pub(super) async fn load(app: &App, t: &TenantCtx, id: InstallationId) -> Result<Arc<Loaded>, Problem> {
    let mut tries = 0;
    loop {
        let (loaded, settled) = read(app, t, id).await?;
        tries += 1;
        // A change committed while we read does not know of the powers we have made; so they are made anew.
        if settled || tries == TRIES {
            return Ok(loaded);
        }
    }
}

/// The installation, and whether it is certain that no change was missed.
async fn read(app: &App, t: &TenantCtx, id: InstallationId) -> Result<(Arc<Loaded>, bool), Problem> {
    let key = (t.scope.id(), id);
    let now = app.clock.monotonic();
    let (hit, epoch) = app.calls.cache.get(key, now, app.store.backend() != "sqlite");
    let rules = (t.tenant.plan.as_str(), app.policies.epoch());
    // Made under other rules, or ended with its component, which may be back in service: it is made anew.
    let hit = hit.filter(|(loaded, _)| {
        (loaded.made_under.0.as_str(), loaded.made_under.1) == rules && loaded.powers.ended().is_none()
    });
    if let Some((loaded, false)) = &hit {
        return Ok((Arc::clone(loaded), true));
    }
    let (row, stored) = {
        let mut read = app.store.tenant_read(&t.scope).await?;
        let row = read.installations().get(id).await?;
        let row = row.ok_or_else(|| Problem::not_found("installation"))?;
        if let Some((loaded, true)) = &hit
            && loaded.installation.generation == row.generation
        {
            // Another node may have begun or ended a recording, which is no change of the installation.
            let recording = read.installations().recording(id).await?;
            app.calls.recordings.know(key.0, id, recording);
            let settled = app.calls.cache.put(key, loaded, now, epoch);
            return Ok((Arc::clone(loaded), settled));
        }
        let stored = read.installations().secrets(id).await?;
        let recording = read.installations().recording(id).await?;
        app.calls.recordings.know(key.0, id, recording);
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
    let loaded = make(app, t, row, version, &stored, hit.is_some())?;
    let settled = app.calls.cache.put(key, &loaded, now, epoch);
    Ok((loaded, settled))
}

/// An installation as calls see it, from its rows. `changed` says that it was remembered otherwise.
fn make(
    app: &App,
    t: &TenantCtx,
    row: Installation,
    version: PluginVersion,
    stored: &[StoredSecret],
    changed: bool,
) -> Result<Arc<Loaded>, Problem> {
    let (key, id) = ((t.scope.id(), row.id), row.id);
    // Before the grants are made: a change in between has them made anew.
    let made_under = (t.tenant.plan.clone(), app.policies.epoch());
    let listed = catalogue::listed(version, 0)?;
    let corrupt = |what: &str, e: String| Problem::internal(format!("{what} of {id}: {e}"));
    let mut config: Value = serde_json::from_str(&row.config).map_err(|e| corrupt("config", e.to_string()))?;
    let granted: Grants = serde_json::from_str(&row.grants).map_err(|e| corrupt("grants", e.to_string()))?;
    let kind: PluginKind = row.kind.parse().map_err(|_| corrupt("kind", row.kind.clone()))?;
    let host_config = match (kind, config.as_object_mut()) {
        (PluginKind::Identity, Some(members)) => members.remove(PROVISIONING).unwrap_or_default(),
        _ => Value::Null,
    };
    let granted = Arc::new(in_force(app, whose(t), &listed.manifest, &config, &granted));
    if changed {
        // Somebody else has changed it: calls that began before hear of it too.
        app.calls.live.settle(key, fate(app, t.scope.id(), &row, &granted));
    }
    let digest: Arc<str> = row.digest.as_str().into();
    let powers = Arc::new(Powers::new(Arc::clone(&granted)));
    app.calls.live.add(key, &powers, &digest, row.generation);
    Ok(Arc::new(Loaded {
        kind,
        powers,
        plugin: listed.name_and_version(),
        terms: Arc::new(app.policies.terms(t.scope.id(), &t.tenant.plan)),
        made_under,
        digest,
        live: config.get("test_mode").and_then(Value::as_bool) != Some(true),
        secrets: Arc::new(secrets::open_all(app, t.scope.id(), stored)?),
        grants: granted,
        manifest: Arc::new(listed.manifest),
        config: Arc::new(config),
        host_config,
        installation: row,
    }))
}

/// An installation as another version sees it, for trials. Calls in flight hear of changes as if they were at the
/// version in use, `instead_of`.
pub(in crate::plugins) async fn candidate(
    app: &App,
    t: &TenantCtx,
    row: Installation,
    version: PluginVersion,
    instead_of: &str,
) -> Result<Arc<Loaded>, Problem> {
    super::ensure(app, &version.digest).await.map_err(Problem::internal)?;
    let stored = app
        .store
        .tenant_read(&t.scope)
        .await?
        .installations()
        .secrets(row.id)
        .await?;
    let (key, generation) = ((t.scope.id(), row.id), row.generation);
    let loaded = make(app, t, row, version, &stored, false)?;
    app.calls.live.add(key, &loaded.powers, &instead_of.into(), generation);
    Ok(loaded)
}

/// A tenant's rules.
pub(in crate::plugins) fn whose(t: &TenantCtx) -> Whose<'_> {
    Whose {
        tenant: t.scope.id(),
        plan: &t.tenant.plan,
    }
}

/// What a row means for calls in flight.
fn fate<'a>(app: &App, tenant: TenantId, row: &'a Installation, grants: &'a Grants) -> Fate<'a> {
    match row.status {
        InstallationStatus::Active if !app.policies.allows(&row.plugin_id, tenant) => Fate::End("not_allowed"),
        InstallationStatus::Active => Fate::Keep {
            digest: &row.digest,
            grants,
        },
        InstallationStatus::Disabled => Fate::End("disabled"),
    }
}

/// The grants that calls get: whatever the row says, nothing beyond the manifest of its version, the operator's ceilings
/// and the plan is ever linked.
pub(in crate::plugins) fn in_force(
    app: &App,
    whose: Whose<'_>,
    manifest: &Manifest,
    guest_config: &Value,
    consent: &Grants,
) -> Grants {
    let (mut granted, _) = policy::in_force(app, whose, manifest, guest_config, consent);
    if app.config.allow_private_addresses {
        granted.private_hosts = [granted.http_hosts.as_slice(), &granted.dial_targets].concat();
    }
    granted
}

/// Tells calls in flight what their installation is now; with a `generation`, only when it is another.
pub(super) async fn follow(
    app: &App,
    tenant: TenantId,
    installation: InstallationId,
    generation: Option<i64>,
) -> Result<(), Problem> {
    let gone = || app.calls.settle(tenant, installation, Fate::End("removed"));
    let Some(scope) = app.store.scope(tenant).await? else {
        gone();
        return Ok(());
    };
    let row = app
        .store
        .tenant_read(&scope)
        .await?
        .installations()
        .get(installation)
        .await?;
    let Some(row) = row else {
        gone();
        return Ok(());
    };
    if generation == Some(row.generation) {
        return Ok(());
    }
    let (version, plan) = {
        let mut read = app.store.platform_read().await?;
        let version = read.plugins().find_by_digest(&row.digest).await?;
        (version, read.tenants().get(tenant).await?.map(|t| t.plan))
    };
    let (Some(version), Some(plan)) = (version, plan) else {
        return Ok(());
    };
    let listed = catalogue::listed(version, 0)?;
    let corrupt = |e: serde_json::Error| Problem::internal(format!("{installation}: {e}"));
    let config = guest_config(&listed, &serde_json::from_str(&row.config).map_err(corrupt)?);
    let granted: Grants = serde_json::from_str(&row.grants).map_err(corrupt)?;
    let whose = Whose { tenant, plan: &plan };
    let granted = in_force(app, whose, &listed.manifest, &config, &granted);
    app.calls
        .settle(tenant, installation, fate(app, tenant, &row, &granted));
    Ok(())
}
