//! Plugin versions installed on this platform: uploaded by operators, checked and compiled by the runtime, kept in the
//! platform's database so that they are callable again after a restart, and on every node.

use super::{
    error::{PluginError, clean},
    manifest::{self, Manifest, declared_interfaces},
    port::{Inspection, PluginKind, Refusal},
    releases,
    schema::{self, Schema},
    trust::{self, Terms, Tier},
};
use crate::{App, Ctx, FieldError, Problem, audit, port::ObjectKey};
use aistack_core::{Outcome, PluginVersionId, ProblemKind};
use aistack_store::{Audit, Page, PluginVersion, StoreError};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;

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
    /// How far its publisher is trusted; `None` for an unsigned one, and where nobody asked.
    pub tier: Option<Tier>,
    /// Why it is out of service, if it is.
    pub quarantined: Option<String>,
}

impl Listed {
    /// Id and version, for people and receipts.
    #[must_use]
    pub fn name_and_version(&self) -> Arc<str> {
        format!("{} {}", self.version.plugin_id, self.version.version).into()
    }
}

/// Where a component's bytes lie when it was installed before the database kept them.
fn object_key(digest: &str) -> Result<ObjectKey, Problem> {
    ObjectKey::platform(&["plugins", digest])
        .ok_or_else(|| Problem::internal(format!("digest {digest:?} is no object key")))
}

/// Installs a component: inspects and compiles it, checks whose it is, stores its bytes, lists it. A refusal is written
/// to the audit log too: somebody wanted to run this here.
///
/// # Errors
/// `plugin_refused` with the reason, `already_exists` for the same component or the same version with other content,
/// or as the stores.
pub async fn install(app: &App, ctx: &Ctx, component: &[u8], terms: &Terms) -> Result<Listed, Problem> {
    let digest = hex::encode(Sha256::digest(component));
    let installed = admit(app, ctx, component, &digest, terms).await;
    if let Err(problem) = &installed
        && problem.kind == ProblemKind::PluginRefused
    {
        let found = Some((digest.as_str(), component.len()));
        record_refusal(app, ctx, problem, found, terms.source.as_deref()).await?;
    }
    installed
}

/// Writes to the audit log that a component was not taken; `found` is its digest and size, when it was read at all.
pub(super) async fn record_refusal(
    app: &App,
    ctx: &Ctx,
    problem: &Problem,
    found: Option<(&str, usize)>,
    source: Option<&str>,
) -> Result<(), Problem> {
    let target = found.map(|(digest, _)| digest).or(source).unwrap_or_default();
    let entry = audit::for_platform(
        app,
        ctx,
        audit::Draft::new("plugin.refused", "plugin", clean(target, 300))
            .outcome(Outcome::Denied)
            .details(json!({
                "reason": problem.extras.get("reason"), "detail": clean(&problem.detail, 500),
                "digest": found.map(|(digest, _)| digest), "size": found.map(|(_, size)| size), "source": source,
            })),
    );
    app.store.platform().await?.commit(Audit::one(entry)).await?;
    Ok(())
}

async fn admit(app: &App, ctx: &Ctx, component: &[u8], digest: &str, terms: &Terms) -> Result<Listed, Problem> {
    if component.len() > MAX_COMPONENT {
        return Err(PluginError::from(Refusal::TooLarge {
            size: component.len() as u64,
            max: MAX_COMPONENT as u64,
        })
        .into());
    }
    let known = async || -> Result<Option<PluginVersion>, Problem> {
        Ok(app
            .store
            .platform_read()
            .await?
            .plugins()
            .find_by_digest(digest)
            .await?)
    };
    if let Some(known) = known().await? {
        return Err(PluginError::Installed(known.id.to_string()).into());
    }
    let inspection = app.runtime.admit(component).await.map_err(PluginError::from)?;
    match keep(app, ctx, component, &inspection, terms).await {
        Ok(listed) => Ok(listed),
        Err(problem) => {
            // Somebody else may have installed the same bytes meanwhile; theirs must stay callable.
            if known().await?.is_none() {
                app.runtime.forget(&inspection.digest).await;
            }
            Err(problem)
        }
    }
}

async fn keep(app: &App, ctx: &Ctx, component: &[u8], found: &Inspection, terms: &Terms) -> Result<Listed, Problem> {
    let (manifest, plugin_schema) = judge(found).map_err(PluginError::Manifest)?;
    let carried = (found.signatures.as_slice(), &found.payload_sha256);
    let signed = trust::verify(app, &found.digest, carried, &manifest, terms).await?;
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
    tx.plugins().insert(&row, component).await.map_err(|e| match e {
        StoreError::AlreadyExists => PluginError::Installed(row.digest.clone()).into(),
        other => Problem::from(other),
    })?;
    trust::keep_signatures(app, &mut *tx, &row.digest, &signed).await?;
    let entry = audit::for_platform(
        app,
        ctx,
        audit::Draft::new("plugin.installed", "plugin", row.id).details(json!({
            "plugin_id": row.plugin_id, "version": row.version, "digest": row.digest, "kind": row.kind,
            "publisher": row.publisher, "imports": found.imports, "signed": signed, "source": terms.source,
            "allow_downgrade": terms.allow_downgrade,
        })),
    );
    tx.commit(Audit::one(entry)).await?;
    let tier = trust::tier_of(app, &row.digest).await?;
    Ok(Listed {
        tier,
        ..listed(row, 0)?
    })
}

/// Everything the platform holds a component's documents to, beyond what the runtime has checked.
fn judge(found: &Inspection) -> Result<(Manifest, Value), Vec<FieldError>> {
    let manifest = manifest::lint(&found.manifest)?;
    let mut wrong = Vec::new();
    let mut say = |at: &str, code: &str, message: String, hint: &str| {
        wrong.push(FieldError::new(at, code, message).hint(hint));
    };
    if manifest.kind() != Some(found.kind) {
        say(
            "/world",
            "mismatch",
            format!(
                "the manifest says {}, the component is a {} plugin",
                manifest.world, found.kind
            ),
            "build the component for the world its manifest names",
        );
    }
    let contract = manifest.world.rsplit_once('@').map_or("", |(_, v)| v);
    let major = |v: &str| v.split('.').next().unwrap_or_default().to_owned();
    if major(contract) != major(&found.contract) {
        say(
            "/world",
            "mismatch",
            format!(
                "the manifest says contract {contract}, the component was built for {}",
                found.contract
            ),
            "name the contract's version that the component was built for",
        );
    }
    let declared = declared_interfaces(&manifest);
    let beyond: Vec<&str> = found
        .imports
        .iter()
        .map(String::as_str)
        .filter(|i| !declared.iter().any(|d| d == i))
        .collect();
    if !beyond.is_empty() {
        say(
            "",
            "not_declared",
            format!(
                "the component imports {}, but its manifest declares nothing that needs it",
                beyond.join(", ")
            ),
            "declare it: [[egress]] for http and dial, [[secret]] for secrets, [grants] kv for state; or don't import it",
        );
    }
    let at = "/config/schema";
    let plugin_schema: Value = match serde_json::from_str(&found.config_schema) {
        Ok(schema) => schema,
        Err(e) => {
            say(
                at,
                "format",
                format!("the config schema is not JSON: {e}"),
                "it is a JSON Schema of an object",
            );
            return Err(wrong);
        }
    };
    let whole = schema::with_host_part(found.kind, &plugin_schema).and_then(|whole| Schema::compile(&whole));
    if let Err(e) = whole {
        say(
            at,
            "schema",
            format!("config schema: {e}"),
            "it is a JSON Schema of an object, complete in itself",
        );
    }
    if wrong.is_empty() {
        Ok((manifest, plugin_schema))
    } else {
        Err(wrong)
    }
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
        tier: None,
        quarantined: None,
    })
}

/// A listing with what is known of it beyond its row.
async fn full(app: &App, row: PluginVersion, installations: i64) -> Result<Listed, Problem> {
    let tier = trust::tier_of(app, &row.digest).await?;
    let quarantined = app.held.reason(&row.digest);
    Ok(Listed {
        tier,
        quarantined,
        ..listed(row, installations)?
    })
}

/// A page of installed versions.
///
/// # Errors
/// As the store.
pub async fn list(app: &App, page: &Page) -> Result<Vec<Listed>, Problem> {
    let mut rows = Vec::new();
    {
        let mut read = app.store.platform_read().await?;
        for row in read.plugins().list(page).await? {
            let uses = read.plugins().uses(&row.digest).await?;
            rows.push((row, uses));
        }
    }
    let mut all = Vec::with_capacity(rows.len());
    for (row, uses) in rows {
        all.push(full(app, row, uses).await?);
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
    drop(read);
    full(app, row, uses).await
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
    if releases::on_trial(&mut *tx, &row).await? {
        return Err(
            Problem::new(ProblemKind::Conflict, "a running release is about this version")
                .with("reason", "release_running")
                .hint("promote, roll back or cancel it first: aistack plugin releases"),
        );
    }
    tx.plugins().delete(id).await?;
    let draft = audit::Draft::new("plugin.removed", "plugin", id).details(json!({
        "plugin_id": row.plugin_id, "version": row.version, "digest": row.digest,
    }));
    audit::commit_platform(app, tx, ctx, draft).await?;
    app.calls.retire(row.digest.clone(), app.clock.monotonic());
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

/// Makes an installed component callable on this node, if the node still trusts it.
pub(crate) async fn restore(app: &App, digest: &str) -> Result<(), String> {
    let trusted = trust::demand(app, digest, app.config.plugin_trust).await;
    trusted.map_err(|p| p.detail)?;
    if app.runtime.recall(digest).await {
        return Ok(());
    }
    let bytes = bytes(app, digest).await?;
    app.runtime.restore(digest, &bytes).await.map_err(|e| e.to_string())
}

/// The bytes of an installed component, as they were admitted.
///
/// # Errors
/// Why they are not to be had.
pub(super) async fn bytes(app: &App, digest: &str) -> Result<Vec<u8>, String> {
    let stored = async { app.store.platform_read().await?.plugins().bytes(digest).await };
    let bytes = match stored.await.map_err(|e| e.to_string())? {
        Some(bytes) => bytes,
        None => {
            let key = object_key(digest).map_err(|p| p.detail)?;
            app.objects.read(&key).await.map_err(|e| e.to_string())?
        }
    };
    // Whatever gave them back: they have to be what was admitted.
    let found = hex::encode(Sha256::digest(&bytes));
    if found != digest {
        return Err(format!("the stored bytes have digest {found}"));
    }
    Ok(bytes)
}
