//! Changing an installation: name, config, grants, status, version, secrets; and removing it.

use super::{
    config::{accept_config, accept_grants, accept_secret, guest_config, linkable, missing_secrets},
    enable::choose,
    good_name, is_operator, reconcile,
    view::{self, InstallationView},
};
use crate::{
    App, FieldError, Problem, TenantCtx, audit, jobs,
    plugins::{
        catalogue::{self, Listed},
        error::PluginError,
        grants::{self, GrantRequest},
        port::Grants,
        secrets,
    },
};
use aistack_core::InstallationId;
use aistack_store::{Audit, Installation, InstallationStatus, OrderStatus, Page, TenantTx};
use secrecy::SecretString;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// What is to change; what is left out stays.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// Name.
    pub name: Option<String>,
    /// The whole config.
    pub config: Option<Value>,
    /// Grants; when left out, earlier choices are carried over.
    pub grants: Option<GrantRequest>,
    /// On or off.
    pub status: Option<InstallationStatus>,
    /// Another installed version of the same plugin.
    pub version: Option<String>,
}

/// The listing of a row's version.
async fn listing(app: &App, row: &Installation) -> Result<Listed, Problem> {
    let version = app
        .store
        .platform_read()
        .await?
        .plugins()
        .find_by_digest(&row.digest)
        .await?;
    let version =
        version.ok_or_else(|| Problem::internal(format!("{} uses a digest that is not installed", row.id)))?;
    catalogue::listed(version, 0)
}

fn json_of<T: serde::de::DeserializeOwned>(text: &str, what: &str) -> Result<T, Problem> {
    serde_json::from_str(text).map_err(|e| Problem::internal(format!("stored {what}: {e}")))
}

/// Changes an installation.
///
/// # Errors
/// `not_found`; `plugin_config_invalid`, `validation_failed`; `conflict` when it changed meanwhile or an upgrade needs
/// consent; or as the stores.
pub async fn update(app: &App, t: &TenantCtx, id: InstallationId, change: Change) -> Result<InstallationView, Problem> {
    let (old, stored) = {
        let mut read = app.store.tenant_read(&t.scope).await?;
        let row = read
            .installations()
            .get(id)
            .await?
            .ok_or_else(|| Problem::not_found("installation"))?;
        (row, read.installations().secrets(id).await?)
    };
    let was = listing(app, &old).await?;
    let is = match &change.version {
        Some(v) if *v != old.version => choose(app, &old.plugin_id, Some(v)).await?,
        _ => was.clone(),
    };
    let old_config: Value = json_of(&old.config, "config")?;
    let old_grants: Grants = json_of(&old.grants, "grants")?;
    let config = accept_config(&is, change.config.clone().unwrap_or_else(|| old_config.clone()))?;
    let have: BTreeSet<&str> = stored.iter().map(|s| s.name.as_str()).collect();
    let missing = missing_secrets(&is, &have);
    if !missing.is_empty() {
        return Err(PluginError::ConfigInvalid(missing).into());
    }
    let granted = regrant(
        app,
        t,
        (&was, &old_config, &old_grants),
        (&is, &config),
        change.grants.as_ref(),
    )?;
    let name = match &change.name {
        Some(n) => good_name(n).ok_or_else(|| {
            Problem::invalid(vec![FieldError::new(
                "/name",
                "format",
                "the name has 1 to 100 characters, none of them control characters",
            )])
        })?,
        None => old.name.clone(),
    };
    let new = Installation {
        version: is.version.version.clone(),
        digest: is.version.digest.clone(),
        kind: is.version.kind.clone(),
        name,
        config: config.to_string(),
        grants: serde_json::to_string(&granted).map_err(|e| Problem::internal(e.to_string()))?,
        status: change.status.unwrap_or(old.status),
        generation: old.generation + 1,
        updated_at: app.clock.now(),
        ..old.clone()
    };
    let upgraded = new.digest != old.digest;
    if upgraded {
        reconcile::claim(app, t, &is.version, id).await?;
    }
    let mut tx = app.store.tenant(&t.scope).await?;
    tx.installations().update(&new).await?;
    if upgraded {
        // Should this process die before the claim is settled, the count is compared with what was committed here.
        tx.push_outbox(&reconcile::message(app, id, new.updated_at)).await?;
    }
    let action = match (change.status, old.status) {
        (Some(InstallationStatus::Disabled), InstallationStatus::Active) => "installation.disabled",
        _ => "installation.updated",
    };
    let draft = audit::Draft::new(action, "installation", id).details(difference(&old, &new)?);
    let entry = audit::for_tenant(app, &mut *tx, t, draft).await?;
    tx.commit(Audit::one(entry)).await?;
    app.calls.forget(t.scope.id(), id);
    if upgraded {
        jobs::wake(app, &t.scope);
    }
    view::get(app, t, id).await
}

/// The grants after a change: as asked for, or the earlier choices carried over. An upgrade that declares more than
/// the old version did is not carried over silently.
fn regrant(
    app: &App,
    t: &TenantCtx,
    (was, old_config, old_grants): (&Listed, &Value, &Grants),
    (is, config): (&Listed, &Value),
    asked: Option<&GrantRequest>,
) -> Result<Grants, Problem> {
    let operator = is_operator(t);
    let declared_then = grants::declared(&was.manifest, &guest_config(was, old_config));
    let declared_now = grants::declared(&is.manifest, &guest_config(is, config));
    if let Some(asked) = asked {
        // What an operator opened stays open when somebody else changes other grants.
        let mut granted = accept_grants(app, is, config, asked, operator)?;
        if asked.private_hosts.is_none() {
            granted.private_hosts = grants::carry_over(&declared_then, old_grants, &granted).private_hosts;
        }
        return Ok(granted);
    }
    if was.version.digest != is.version.digest {
        let added = grants::added(
            &grants::declared(&was.manifest, &guest_config(was, config)),
            &declared_now,
        );
        if !added.is_empty() {
            return Err(PluginError::ConsentNeeded {
                version: is.version.version.clone(),
                added,
            }
            .into());
        }
    }
    let granted = grants::carry_over(&declared_then, old_grants, &declared_now);
    linkable(app, &is.version.digest, &granted)?;
    Ok(granted)
}

/// Before and after of what changed.
fn difference(old: &Installation, new: &Installation) -> Result<Value, Problem> {
    let mut changed = Map::new();
    let mut note = |what: &str, before: Value, after: Value| {
        if before != after {
            changed.insert(what.to_owned(), json!({ "before": before, "after": after }));
        }
    };
    note("name", json!(old.name), json!(new.name));
    note("version", json!(old.version), json!(new.version));
    note("digest", json!(old.digest), json!(new.digest));
    note("status", json!(old.status), json!(new.status));
    note(
        "config",
        json_of(&old.config, "config")?,
        json_of(&new.config, "config")?,
    );
    note(
        "grants",
        json_of(&old.grants, "grants")?,
        json_of(&new.grants, "grants")?,
    );
    Ok(Value::Object(changed))
}

/// Sets a secret. The new value replaces the old one at once, unless `keep_previous` asks for a rollover: then the one
/// before stays valid until the next change.
///
/// # Errors
/// `not_found`, `plugin_config_invalid`, or as the store.
pub async fn put_secret(
    app: &App,
    t: &TenantCtx,
    id: InstallationId,
    name: &str,
    value: &SecretString,
    keep_previous: bool,
) -> Result<InstallationView, Problem> {
    let old = app.store.tenant_read(&t.scope).await?.installations().get(id).await?;
    let old = old.ok_or_else(|| Problem::not_found("installation"))?;
    let listed = listing(app, &old).await?;
    if listed.manifest.secret(name).is_none() {
        return Err(Problem::not_found("secret"));
    }
    accept_secret(&listed, name, value, "/value").map_err(|e| PluginError::ConfigInvalid(vec![e]))?;
    let mut tx = app.store.tenant(&t.scope).await?;
    let latest = tx
        .installations()
        .secrets(id)
        .await?
        .iter()
        .filter(|s| s.name == name)
        .map(|s| s.version)
        .max()
        .unwrap_or(0);
    let version = latest + 1;
    let sealed = secrets::seal(app, t.scope.id(), id, name, version, value);
    tx.installations().insert_secret(&sealed).await?;
    let keep_from = if keep_previous { version - 1 } else { version };
    tx.installations().prune_secret(id, name, keep_from).await?;
    let new = Installation {
        generation: old.generation + 1,
        updated_at: app.clock.now(),
        ..old
    };
    tx.installations().update(&new).await?;
    let draft = audit::Draft::new("installation.secret_set", "installation", id)
        .details(json!({ "secret": name, "version": version, "previous_kept": keep_previous && latest > 0 }));
    let entry = audit::for_tenant(app, &mut *tx, t, draft).await?;
    tx.commit(Audit::one(entry)).await?;
    app.calls.forget(t.scope.id(), id);
    view::get(app, t, id).await
}

/// Removes an installation with its secrets and key-value state. Orders, deliveries and reports stay.
///
/// # Errors
/// `not_found`, `conflict` while orders are open at its provider, or as the stores.
pub async fn delete(app: &App, t: &TenantCtx, id: InstallationId) -> Result<(), Problem> {
    let mut tx = app.store.tenant(&t.scope).await?;
    let row = tx
        .installations()
        .get(id)
        .await?
        .ok_or_else(|| Problem::not_found("installation"))?;
    if has_open_orders(&mut *tx, id).await? {
        return Err(PluginError::OpenOrders.into());
    }
    tx.installations().delete(id).await?;
    tx.push_outbox(&reconcile::message(app, id, app.clock.now())).await?;
    let draft = audit::Draft::new("installation.removed", "installation", id).details(json!({
        "plugin_id": row.plugin_id, "version": row.version, "digest": row.digest, "name": row.name,
    }));
    let entry = audit::for_tenant(app, &mut *tx, t, draft).await?;
    tx.commit(Audit::one(entry)).await?;
    app.calls.forget(t.scope.id(), id);
    reconcile::release(app, t, id).await;
    jobs::wake(app, &t.scope);
    Ok(())
}

async fn has_open_orders(tx: &mut dyn TenantTx, id: InstallationId) -> Result<bool, Problem> {
    for status in [OrderStatus::Pending, OrderStatus::Unknown] {
        let mut page = Page {
            limit: 200,
            ..Page::default()
        };
        loop {
            let orders = tx.orders().list(&page, Some(status)).await?;
            if orders.iter().any(|o| o.installation_id == id) {
                return Ok(true);
            }
            match orders.last() {
                Some(last) => page.after = Some(last.id.0),
                None => break,
            }
        }
    }
    Ok(false)
}
