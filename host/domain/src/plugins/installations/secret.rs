//! Setting an installation's secrets.

use super::{
    change::listing,
    config::accept_secret,
    view::{self, InstallationView},
};
use crate::{
    App, Problem, TenantCtx, audit,
    plugins::{error::PluginError, secrets},
};
use aistack_core::InstallationId;
use aistack_store::{Audit, Installation, TenantTx};
use secrecy::SecretString;
use serde_json::json;

/// Writes a secret's next version; its number and the latest one before it.
pub(super) async fn set_secret(
    app: &App,
    t: &TenantCtx,
    tx: &mut dyn TenantTx,
    id: InstallationId,
    (name, value): (&str, &SecretString),
    keep_previous: bool,
) -> Result<(i64, i64), Problem> {
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
    Ok((version, latest))
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
    let (version, latest) = set_secret(app, t, &mut *tx, id, (name, value), keep_previous).await?;
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
