//! Plugin versions installed on this host: uploaded by operators, checked and compiled by the runtime, kept as objects
//! under their digest so that they are callable again after a restart.

use super::{
    error::PluginError,
    manifest::{self, Manifest, declared_interfaces},
    port::{Inspection, PluginKind, Refusal},
    schema::{self, Schema},
};
use crate::{App, Ctx, Problem, audit, port::ObjectKey, port::put_object};
use aistack_core::PluginVersionId;
use aistack_store::{Audit, Page, PluginVersion, StoreError};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Largest component that is taken.
pub const MAX_COMPONENT: usize = 16 << 20;

/// A plugin version with what is computed from it.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The row.
    pub version: PluginVersion,
    /// Its manifest.
    pub manifest: Manifest,
    /// The config schema that tenants fill in, the platform's part included.
    pub config_schema: Value,
    /// How many installations use it.
    pub installations: i64,
}

/// Where a component's bytes lie.
fn object_key(digest: &str) -> Result<ObjectKey, Problem> {
    ObjectKey::platform(&["plugins", digest])
        .ok_or_else(|| Problem::internal(format!("digest {digest:?} is no object key")))
}

/// Installs a component: inspects and compiles it, stores its bytes, lists it.
///
/// # Errors
/// `plugin_refused` with the reason, `already_exists` for the same component or the same version with other content,
/// or as the stores.
pub async fn install(app: &App, ctx: &Ctx, component: &[u8]) -> Result<Listed, Problem> {
    if component.len() > MAX_COMPONENT {
        return Err(PluginError::from(Refusal::TooLarge {
            size: component.len() as u64,
            max: MAX_COMPONENT as u64,
        })
        .into());
    }
    let digest = hex::encode(Sha256::digest(component));
    if let Some(known) = app
        .store
        .platform_read()
        .await?
        .plugins()
        .find_by_digest(&digest)
        .await?
    {
        return Err(PluginError::Installed(known.id.to_string()).into());
    }
    let inspection = app.runtime.admit(component).await.map_err(PluginError::from)?;
    match keep(app, ctx, component, &inspection).await {
        Ok(listed) => Ok(listed),
        Err(problem) => {
            // Somebody else may have installed the same bytes meanwhile; theirs must stay callable.
            let raced = app
                .store
                .platform_read()
                .await?
                .plugins()
                .find_by_digest(&digest)
                .await?;
            if raced.is_none() {
                app.runtime.forget(&inspection.digest).await;
            }
            Err(problem)
        }
    }
}

async fn keep(app: &App, ctx: &Ctx, component: &[u8], found: &Inspection) -> Result<Listed, Problem> {
    let (manifest, plugin_schema) = judge(found).map_err(|why| PluginError::from(Refusal::Manifest(why)))?;
    let row = PluginVersion {
        id: PluginVersionId::new(&*app.clock, &*app.rng),
        plugin_id: manifest.id.clone(),
        version: manifest.version.to_string(),
        kind: found.kind.to_string(),
        contract: found.contract.clone(),
        digest: found.digest.clone(),
        size: i64::try_from(found.size).unwrap_or(i64::MAX),
        publisher: manifest.publisher.clone(),
        manifest: serde_json::to_string(&manifest).map_err(|e| Problem::internal(e.to_string()))?,
        config_schema: plugin_schema.to_string(),
        imports: json!(found.imports).to_string(),
        installed_at: app.clock.now(),
    };
    put_object(&*app.objects, &object_key(&found.digest)?, component).await?;
    let mut tx = app.store.platform().await?;
    if let Some(other) = tx
        .plugins()
        .versions(&row.plugin_id)
        .await?
        .iter()
        .find(|v| v.version == row.version)
    {
        return Err(if other.digest == row.digest {
            PluginError::Installed(other.id.to_string()).into()
        } else {
            PluginError::VersionTaken {
                plugin_id: row.plugin_id.clone(),
                version: row.version.clone(),
            }
            .into()
        });
    }
    tx.plugins().insert(&row).await.map_err(|e| match e {
        StoreError::AlreadyExists => PluginError::Installed(row.digest.clone()).into(),
        other => Problem::from(other),
    })?;
    let entry = audit::for_platform(
        app,
        ctx,
        audit::Draft::new("plugin.installed", "plugin", row.id).details(json!({
            "plugin_id": row.plugin_id, "version": row.version, "digest": row.digest, "kind": row.kind,
            "publisher": row.publisher, "imports": found.imports,
        })),
    );
    tx.commit(Audit::one(entry)).await?;
    listed(row, 0)
}

/// Everything the platform holds a component's documents to, beyond what the runtime has checked.
fn judge(found: &Inspection) -> Result<(Manifest, Value), String> {
    let manifest = manifest::parse(&found.manifest).map_err(|e| e.to_string())?;
    if manifest.kind() != Some(found.kind) {
        return Err(format!(
            "the manifest says {}, the component is a {} plugin",
            manifest.world, found.kind
        ));
    }
    let contract = manifest.world.rsplit_once('@').map_or("", |(_, v)| v);
    let major = |v: &str| v.split('.').next().unwrap_or_default().to_owned();
    if major(contract) != major(&found.contract) {
        return Err(format!(
            "the manifest says contract {contract}, the component was built for {}",
            found.contract
        ));
    }
    let declared = declared_interfaces(&manifest);
    let beyond: Vec<&str> = found
        .imports
        .iter()
        .map(String::as_str)
        .filter(|i| !declared.iter().any(|d| d == i))
        .collect();
    if !beyond.is_empty() {
        return Err(format!(
            "the component imports {}, but its manifest declares nothing that needs it",
            beyond.join(", ")
        ));
    }
    let plugin_schema: Value =
        serde_json::from_str(&found.config_schema).map_err(|e| format!("the config schema is not JSON: {e}"))?;
    let whole = schema::with_host_part(found.kind, &plugin_schema).map_err(|e| e.to_string())?;
    Schema::compile(&whole).map_err(|e| format!("config schema: {e}"))?;
    Ok((manifest, plugin_schema))
}

/// Reads a stored row's documents.
pub(crate) fn listed(version: PluginVersion, installations: i64) -> Result<Listed, Problem> {
    let corrupt = |what: &str, e: String| Problem::internal(format!("{what} of {}: {e}", version.id));
    let manifest: Manifest = serde_json::from_str(&version.manifest).map_err(|e| corrupt("manifest", e.to_string()))?;
    let plugin_schema: Value =
        serde_json::from_str(&version.config_schema).map_err(|e| corrupt("schema", e.to_string()))?;
    let kind: PluginKind = version
        .kind
        .parse()
        .map_err(|_| corrupt("kind", version.kind.clone()))?;
    let config_schema = schema::with_host_part(kind, &plugin_schema).map_err(|e| corrupt("schema", e.to_string()))?;
    Ok(Listed {
        version,
        manifest,
        config_schema,
        installations,
    })
}

/// A page of installed versions.
///
/// # Errors
/// As the store.
pub async fn list(app: &App, page: &Page) -> Result<Vec<Listed>, Problem> {
    let mut read = app.store.platform_read().await?;
    let mut all = Vec::new();
    for row in read.plugins().list(page).await? {
        let uses = read.plugins().uses(&row.digest).await?;
        all.push(listed(row, uses)?);
    }
    Ok(all)
}

/// One installed version.
///
/// # Errors
/// `not_found`, or as the store.
pub async fn get(app: &App, id: PluginVersionId) -> Result<Listed, Problem> {
    let mut read = app.store.platform_read().await?;
    let row = read
        .plugins()
        .get(id)
        .await?
        .ok_or_else(|| Problem::not_found("plugin"))?;
    let uses = read.plugins().uses(&row.digest).await?;
    listed(row, uses)
}

/// Removes a version nobody uses.
///
/// # Errors
/// `not_found`, `conflict` while installations use it, or as the stores.
pub async fn remove(app: &App, ctx: &Ctx, id: PluginVersionId) -> Result<(), Problem> {
    let mut tx = app.store.platform().await?;
    let row = tx
        .plugins()
        .get(id)
        .await?
        .ok_or_else(|| Problem::not_found("plugin"))?;
    let uses = tx.plugins().uses(&row.digest).await?;
    if uses > 0 {
        return Err(PluginError::InUse(uses).into());
    }
    tx.plugins().delete(id).await?;
    let entry = audit::for_platform(
        app,
        ctx,
        audit::Draft::new("plugin.removed", "plugin", id).details(json!({
            "plugin_id": row.plugin_id, "version": row.version, "digest": row.digest,
        })),
    );
    tx.commit(Audit::one(entry)).await?;
    app.runtime.forget(&row.digest).await;
    if let Err(e) = app.objects.remove(&object_key(&row.digest)?).await {
        // The listing is gone; bytes that stay behind cost space, nothing else.
        tracing::warn!(digest = %row.digest, error = %e, "the component's bytes could not be removed");
    }
    Ok(())
}

/// What came of [`restore_all`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restored {
    /// Digests that are callable.
    pub ready: usize,
    /// Digests that are not, with the reason.
    pub failed: Vec<(String, String)>,
}

/// Makes every installed component callable after a start. One that can't be restored is reported and left out: its
/// installations answer `plugin_unavailable`, everything else works.
///
/// # Errors
/// When the catalogue can't be read.
pub async fn restore_all(app: &App) -> Result<Restored, Problem> {
    let mut done = Restored::default();
    let mut page = Page {
        limit: 200,
        ..Page::default()
    };
    loop {
        let rows = app.store.platform_read().await?.plugins().list(&page).await?;
        let Some(last) = rows.last() else { break };
        page.after = Some(last.id.0);
        for row in rows {
            match restore(app, &row.digest).await {
                Ok(()) => done.ready += 1,
                Err(why) => {
                    tracing::error!(plugin = %row.plugin_id, version = %row.version, digest = %row.digest, %why,
                        "an installed plugin can't be loaded");
                    done.failed.push((row.digest, why));
                }
            }
        }
    }
    Ok(done)
}

async fn restore(app: &App, digest: &str) -> Result<(), String> {
    let key = object_key(digest).map_err(|p| p.detail)?;
    let bytes = app.objects.read(&key).await.map_err(|e| e.to_string())?;
    // The object store is outside the database's checksums: what it gives back has to be what was admitted.
    let found = hex::encode(Sha256::digest(&bytes));
    if found != digest {
        return Err(format!("the stored bytes have digest {found}"));
    }
    app.runtime.restore(digest, &bytes).await.map_err(|e| e.to_string())
}
