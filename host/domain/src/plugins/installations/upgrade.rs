//! Another version of a plugin: its translation of the config, waiting for consent, and the way back.

use super::{
    change::{Change, Regrant, commit, guest, json_of, listing, new_config, next_row, regrant, update},
    config::{guest_config, missing_secrets},
    enable::fit_for,
    view::{self, InstallationView},
};
use crate::{
    App, FieldError, Problem, TenantCtx, audit,
    plugins::{
        calls,
        catalogue::{self, Listed},
        error::{Doing, PluginError, fault_problem},
        grants::{self, Added},
        policy,
        port::{FaultKind, Grants},
        schema::PROVISIONING,
    },
};
use aistack_core::{InstallationId, ProblemKind, Timestamp};
use aistack_store::Installation;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What an installation was before its last change of version.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Previous {
    version: String,
    digest: String,
    config: Value,
    grants: Value,
}

/// A change that waits for consent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pending {
    /// The version it leads to.
    pub version: String,
    /// The config it brings along, if one was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<Value>,
    /// What it asks for, by kind of grant.
    pub added: BTreeMap<String, Vec<String>>,
    /// Names that list; agreeing repeats it.
    pub added_digest: String,
    /// Since when it waits.
    pub since: Timestamp,
    /// The release that asks; what one asked that came to nothing is not asked any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// Whether somebody has said no. Kept for a release only: it must not ask again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub declined: bool,
}

/// The version to go back to, as people see it.
pub(super) fn previous_version(row: &Installation) -> Option<String> {
    let previous: Previous = serde_json::from_str(row.previous.as_deref()?).ok()?;
    Some(previous.version)
}

fn stored(row: &Installation) -> Option<Pending> {
    serde_json::from_str(row.pending.as_deref()?).ok()
}

/// What waits, as people see it.
pub(super) fn pending(app: &App, row: &Installation) -> Option<Pending> {
    stored(row).filter(|p| !p.declined && p.release.as_ref().is_none_or(|id| app.releases.still_asks(id)))
}

/// Whether a release has asked for consent here; it waits, or the answer was no.
pub(in crate::plugins) fn waits_for(row: &Installation, release: &str) -> bool {
    stored(row).is_some_and(|p| p.release.as_deref() == Some(release))
}

/// The component an installation had before its last change of version.
pub(in crate::plugins) fn came_from(row: &Installation) -> Option<String> {
    let previous: Previous = serde_json::from_str(row.previous.as_deref()?).ok()?;
    Some(previous.digest)
}

/// A row as it is kept for the way back.
pub(super) fn snapshot(row: &Installation) -> String {
    let value = |text: &str| serde_json::from_str::<Value>(text).unwrap_or(Value::Null);
    json!({
        "version": row.version, "digest": row.digest, "config": value(&row.config), "grants": value(&row.grants),
    })
    .to_string()
}

/// The old config as the new version understands it: the new component translates it, and must not lose anything on
/// the way.
pub(super) async fn translated(
    app: &App,
    t: &TenantCtx,
    (was, old): (&Listed, &Installation),
    is: &Listed,
) -> Result<Value, Problem> {
    let whole: Value = json_of(&old.config, "config")?;
    let before = guest_config(was, &whole);
    let inv = calls::powerless(app, t, old, is, before.clone());
    let mut after = match app.runtime.migrate(inv, &was.version.version, before.clone()).await {
        Ok(after) => after,
        Err(fault) if fault.kind == FaultKind::Unsupported => return Ok(whole),
        Err(fault) => {
            let problem = fault_problem(&fault, Doing::Other);
            // Not the plugin's word: it was not asked.
            if matches!(problem.kind, ProblemKind::PluginUnavailable | ProblemKind::RateLimited) {
                return Err(problem);
            }
            let why = calls_message(&fault.code, &fault.message);
            return Err(PluginError::MigrateFailed(why).into());
        }
    };
    if !after.is_object() {
        return Err(PluginError::MigrateFailed("it answered with no object".to_owned()).into());
    }
    let mut lost = Vec::new();
    lose(&is.config_schema, &before, &after, "/config", &mut lost);
    if !lost.is_empty() {
        return Err(PluginError::MigrateLostConfig(lost).into());
    }
    // The platform's own part was not shown to the plugin.
    if before != whole
        && let Some(platform) = whole.get(PROVISIONING)
    {
        after[PROVISIONING] = platform.clone();
    }
    Ok(after)
}

fn calls_message(code: &str, message: &str) -> String {
    use crate::plugins::error::clean;
    format!("{} ({})", clean(message, 300), clean(code, 100))
}

/// Settings that were set, that the new schema still has, and that are gone.
fn lose(schema: &Value, before: &Value, after: &Value, at: &str, lost: &mut Vec<String>) {
    let (Some(properties), Some(members)) = (schema["properties"].as_object(), before.as_object()) else {
        return;
    };
    for (name, sub) in properties {
        let Some(value) = members.get(name).filter(|v| !v.is_null()) else {
            continue;
        };
        let at = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
        match after.get(name) {
            // The default would put the same value back.
            None if sub.get("default") == Some(value) => {}
            None => lost.push(at),
            Some(kept) => lose(sub, value, kept, &at, lost),
        }
    }
}

/// Stores a change that waits for consent. The installation goes on as it is.
pub(super) async fn wait(
    app: &App,
    t: &TenantCtx,
    old: Installation,
    is: &Listed,
    change: Change,
    added: Added,
) -> Result<(), Problem> {
    let beside = [
        ("/secrets", !change.secrets.is_empty()),
        ("/name", change.name.is_some()),
        ("/status", change.status.is_some()),
        ("/pinned", change.pinned.is_some()),
    ];
    let lost = beside.into_iter().filter(|(_, sent)| *sent).map(|(at, _)| {
        let text = "a change that waits for consent holds a version and a config, nothing else";
        FieldError::new(at, "not_allowed", text).hint("send it by itself, or agree at once with `consent`")
    });
    let lost: Vec<FieldError> = lost.collect();
    if !lost.is_empty() {
        return Err(Problem::invalid(lost));
    }
    let id = old.id;
    let pending = Pending {
        version: is.version.version.clone(),
        config: change.config,
        added_digest: grants::digest_of(&added),
        added: added.into_iter().map(|(k, v)| (k.to_owned(), v)).collect(),
        since: app.clock.now(),
        release: change.release,
        declined: false,
    };
    let text = serde_json::to_string(&pending).map_err(|e| Problem::internal(e.to_string()))?;
    let new = Installation {
        pending: Some(text),
        generation: old.generation + 1,
        updated_at: app.clock.now(),
        ..old
    };
    let mut tx = app.store.tenant(&t.scope).await?;
    tx.installations().update(&new).await?;
    let draft = audit::Draft::new("installation.consent_asked", "installation", id).details(json!({
        "version": pending.version, "added": pending.added, "added_digest": pending.added_digest,
    }));
    audit::commit_tenant(app, tx, t, draft).await?;
    app.calls.forget(t.scope.id(), id);
    Ok(())
}

/// An installation as it would be at another version, if nobody has to be asked for that.
///
/// # Errors
/// Why it can't be used there: trust, config, secrets, or consent that is missing.
pub(in crate::plugins) async fn trial(
    app: &App,
    t: &TenantCtx,
    old: &Installation,
    is: &Listed,
) -> Result<Installation, Problem> {
    let was = listing(app, old).await?;
    fit_for(app, t, is).await?;
    calls::ensure(app, &is.version.digest)
        .await
        .map_err(Problem::internal)?;
    let change = Change::default();
    let config = new_config(app, t, (&was, old), is, &change).await?;
    let stored = app
        .store
        .tenant_read(&t.scope)
        .await?
        .installations()
        .secrets(old.id)
        .await?;
    let have = stored.iter().map(|s| s.name.as_str()).collect();
    let missing = missing_secrets(is, &have);
    if !missing.is_empty() {
        return Err(PluginError::ConfigInvalid(missing).into());
    }
    match regrant(app, t, (&was, old), (is, &config), &change)? {
        Regrant::Granted(granted) => {
            policy::permit(app, t, is, &guest_config(is, &config), &granted)?;
            Ok(Installation {
                generation: old.generation,
                ..next_row(app, old, is, &config, &granted, &change)?
            })
        }
        Regrant::Wait(added) => Err(PluginError::ConsentStale { added }.into()),
    }
}

/// Agrees to the change that waits, and does it.
///
/// # Errors
/// `conflict` when nothing waits, or when it asks for something else by now; else as [`update`].
pub async fn consent(
    app: &App,
    t: &TenantCtx,
    id: InstallationId,
    added_digest: String,
) -> Result<InstallationView, Problem> {
    let row = app.store.tenant_read(&t.scope).await?.installations().get(id).await?;
    let row = row.ok_or_else(|| Problem::not_found("installation"))?;
    let pending = pending(app, &row).ok_or(PluginError::NothingPending)?;
    let change = Change {
        version: Some(pending.version),
        config: pending.config,
        consent: Some(added_digest),
        ..Change::default()
    };
    update(app, t, id, change).await
}

/// Says no to the change that waits: the installation stays as it is, and a release that asked does not ask again.
///
/// # Errors
/// `conflict` when nothing waits; else as the store.
pub async fn decline(app: &App, t: &TenantCtx, id: InstallationId) -> Result<InstallationView, Problem> {
    let row = app.store.tenant_read(&t.scope).await?.installations().get(id).await?;
    let old = row.ok_or_else(|| Problem::not_found("installation"))?;
    let waited = pending(app, &old).ok_or(PluginError::NothingPending)?;
    let draft = audit::Draft::new("installation.consent_declined", "installation", id).details(json!({
        "version": waited.version, "added": waited.added, "release": waited.release,
    }));
    let kept = waited.release.is_some().then_some(Pending {
        declined: true,
        ..waited
    });
    let text = kept.map(|p| serde_json::to_string(&p)).transpose();
    let new = Installation {
        pending: text.map_err(|e| Problem::internal(e.to_string()))?,
        generation: old.generation + 1,
        updated_at: app.clock.now(),
        ..old
    };
    let mut tx = app.store.tenant(&t.scope).await?;
    tx.installations().update(&new).await?;
    audit::commit_tenant(app, tx, t, draft).await?;
    app.calls.forget(t.scope.id(), id);
    view::get(app, t, id).await
}

/// Goes back to the version before the last change of version, with the config it had, and the grants it had as far as
/// nobody has taken them away since. Doing it twice leads forward again.
///
/// # Errors
/// `conflict` when there is no earlier version or it is no longer installed; else as [`update`].
pub async fn rollback(app: &App, t: &TenantCtx, id: InstallationId) -> Result<InstallationView, Problem> {
    go_back(app, t, id).await?;
    view::get(app, t, id).await
}

/// The same, for those who do not look at it afterwards.
///
/// # Errors
/// As [`rollback`].
pub(in crate::plugins) async fn go_back(app: &App, t: &TenantCtx, id: InstallationId) -> Result<(), Problem> {
    let row = app.store.tenant_read(&t.scope).await?.installations().get(id).await?;
    let old = row.ok_or_else(|| Problem::not_found("installation"))?;
    let way_back = |why: &str| PluginError::NoWayBack(why.to_owned());
    let previous = old
        .previous
        .as_deref()
        .ok_or_else(|| way_back("this installation has had no other version"))?;
    let previous: Previous = json_of(previous, "previous version")?;
    let version = app
        .store
        .platform_read()
        .await?
        .plugins()
        .find_by_digest(&previous.digest)
        .await?
        .ok_or_else(|| way_back("the earlier version is no longer installed on this platform"))?;
    let is = catalogue::listed(version, 0)?;
    fit_for(app, t, &is).await?;
    calls::ensure(app, &previous.digest).await.map_err(Problem::internal)?;
    let was = listing(app, &old).await?;
    let had: Grants = json_of(&previous.grants.to_string(), "previous grants")?;
    let declared = grants::declared(&was.manifest, &guest(&was, &old)?);
    let granted = grants::carry_over(&declared, &json_of(&old.grants, "grants")?, &had);
    policy::permit(app, t, &is, &guest_config(&is, &previous.config), &granted)?;
    let new = Installation {
        version: previous.version,
        digest: previous.digest,
        config: previous.config.to_string(),
        grants: serde_json::to_string(&granted).map_err(|e| Problem::internal(e.to_string()))?,
        previous: Some(snapshot(&old)),
        pending: None,
        generation: old.generation + 1,
        updated_at: app.clock.now(),
        ..old.clone()
    };
    commit(app, t, (&was, &old), (&is, new, &previous.config), None).await
}
