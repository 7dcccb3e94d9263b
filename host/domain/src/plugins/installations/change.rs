//! Changing an installation: name, config, grants, status, version, and secrets that come along.

use super::{
    config::{accept_config, accept_grants, accept_secret, guest_config, linkable, missing_secrets},
    enable::{choose, fit_for},
    good_name, is_operator, reconcile,
    secret::set_secret,
    upgrade,
    view::{self, InstallationView},
};
use crate::{
    App, FieldError, Problem, TenantCtx, audit, jobs,
    plugins::{
        calls::{self, Fate, in_force},
        catalogue::{self, Listed},
        error::PluginError,
        grants::{self, Added, GrantRequest},
        policy,
        port::Grants,
        schedule,
    },
};
use aistack_core::InstallationId;
use aistack_store::{Audit, Installation, InstallationStatus};
use secrecy::SecretString;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What is to change; what is left out stays.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// Name.
    pub name: Option<String>,
    /// The whole config. Without it, a change of version has the new version translate the old one.
    pub config: Option<Value>,
    /// Grants; when left out, earlier choices are carried over.
    pub grants: Option<GrantRequest>,
    /// On or off.
    pub status: Option<InstallationStatus>,
    /// Another installed version of the same plugin.
    pub version: Option<String>,
    /// Whether releases leave it at its version.
    pub pinned: Option<bool>,
    /// Secrets that the change brings along, e.g. those a new version requires.
    pub secrets: BTreeMap<String, SecretString>,
    /// Agrees to what the change asks for beyond what was granted: the digest of the list that was shown.
    pub consent: Option<String>,
    /// Lets a change that needs consent wait for it.
    pub when_consented: bool,
    /// The release that asks for the change, if one does.
    pub release: Option<String>,
}

/// The listing of a row's version.
pub(super) async fn listing(app: &App, row: &Installation) -> Result<Listed, Problem> {
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

pub(super) fn json_of<T: serde::de::DeserializeOwned>(text: &str, what: &str) -> Result<T, Problem> {
    serde_json::from_str(text).map_err(|e| Problem::internal(format!("stored {what}: {e}")))
}

/// Changes an installation.
///
/// # Errors
/// `not_found`; `plugin_config_invalid`, `validation_failed`; `conflict` when it changed meanwhile or asks for more than
/// was granted; or as the stores.
pub async fn update(app: &App, t: &TenantCtx, id: InstallationId, change: Change) -> Result<InstallationView, Problem> {
    apply(app, t, id, change).await?;
    view::get(app, t, id).await
}

/// The same, for those who do not look at it afterwards.
///
/// # Errors
/// As [`update`].
pub(in crate::plugins) async fn apply(
    app: &App,
    t: &TenantCtx,
    id: InstallationId,
    change: Change,
) -> Result<(), Problem> {
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
        Some(v) if *v != old.version => {
            let chosen = choose(app, &old.plugin_id, Some(v)).await?;
            fit_for(app, t, &chosen).await?;
            chosen
        }
        _ => was.clone(),
    };
    let starts = change.status == Some(InstallationStatus::Active) && old.status != InstallationStatus::Active;
    let same = is.version.digest == old.digest && change.config.is_none() && change.grants.is_none() && !starts;
    // A component that can't be loaded must not keep anybody from switching it off.
    if !same {
        calls::ensure(app, &is.version.digest)
            .await
            .map_err(Problem::internal)?;
    }
    let config = match same {
        true => json_of(&old.config, "config")?,
        false => new_config(app, t, (&was, &old), &is, &change).await?,
    };
    let unfit: Vec<FieldError> = change
        .secrets
        .iter()
        .filter_map(|(name, value)| accept_secret(&is, name, value, &format!("/secrets/{name}")).err())
        .collect();
    let have: BTreeSet<&str> = stored.iter().map(|s| s.name.as_str()).collect();
    let have = have
        .into_iter()
        .chain(change.secrets.keys().map(String::as_str))
        .collect();
    let unfit = [unfit, missing_secrets(&is, &have)].concat();
    if !unfit.is_empty() {
        return Err(PluginError::ConfigInvalid(unfit).into());
    }
    let granted = if same {
        json_of(&old.grants, "grants")?
    } else {
        match regrant(app, t, (&was, &old), (&is, &config), &change)? {
            Regrant::Granted(granted) => granted,
            Regrant::Wait(added) => return upgrade::wait(app, t, old, &is, change, added).await,
        }
    };
    if is.version.digest != old.digest || change.grants.is_some() || starts {
        policy::permit(app, t, &is, &guest_config(&is, &config), &granted)?;
    }
    let new = next_row(app, &old, &is, &config, &granted, &change)?;
    commit(app, t, (&was, &old), (&is, new, &config), Some(&change)).await
}

/// The config after a change: as sent, or the old one as the new version understands it.
pub(super) async fn new_config(
    app: &App,
    t: &TenantCtx,
    (was, old): (&Listed, &Installation),
    is: &Listed,
    change: &Change,
) -> Result<Value, Problem> {
    let config = match &change.config {
        Some(config) => config.clone(),
        None if was.version.digest != is.version.digest => upgrade::translated(app, t, (was, old), is).await?,
        None => json_of(&old.config, "config")?,
    };
    accept_config(is, config)
}

pub(super) fn next_row(
    app: &App,
    old: &Installation,
    is: &Listed,
    config: &Value,
    granted: &Grants,
    change: &Change,
) -> Result<Installation, Problem> {
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
    let upgraded = is.version.digest != old.digest;
    Ok(Installation {
        version: is.version.version.clone(),
        digest: is.version.digest.clone(),
        kind: is.version.kind.clone(),
        name,
        config: config.to_string(),
        grants: serde_json::to_string(granted).map_err(|e| Problem::internal(e.to_string()))?,
        status: change.status.unwrap_or(old.status),
        pinned: change.pinned.map_or(old.pinned, i64::from),
        previous: if upgraded {
            Some(upgrade::snapshot(old))
        } else {
            old.previous.clone()
        },
        // What waited is done with, or was about a version that is gone.
        pending: if upgraded || change.consent.is_some() {
            None
        } else {
            old.pending.clone()
        },
        generation: old.generation + 1,
        updated_at: app.clock.now(),
        ..old.clone()
    })
}

/// Writes a changed row with its secrets and its audit event, and tells calls in flight. Without a `change` it goes back
/// to the version before.
pub(super) async fn commit(
    app: &App,
    t: &TenantCtx,
    (was, old): (&Listed, &Installation),
    (is, new, config): (&Listed, Installation, &Value),
    change: Option<&Change>,
) -> Result<(), Problem> {
    let id = old.id;
    let nothing = BTreeMap::new();
    let new_secrets = change.map_or(&nothing, |c| &c.secrets);
    let upgraded = new.digest != old.digest;
    if upgraded {
        reconcile::claim(app, t, &is.version, id).await?;
    }
    let mut tx = app.store.tenant(&t.scope).await?;
    tx.installations().update(&new).await?;
    for (name, value) in new_secrets {
        set_secret(app, t, &mut *tx, id, (name, value), false).await?;
    }
    if upgraded {
        // Should this process die before the claim is settled, the count is compared with what was committed here.
        tx.push_outbox(&reconcile::message(app, id, new.updated_at)).await?;
    }
    let starts = new.status == InstallationStatus::Active && (upgraded || old.status != new.status);
    if starts {
        schedule::begin(app, &mut *tx, id, &is.manifest).await?;
    }
    let mut details = difference(old, &new)?;
    if !new_secrets.is_empty() {
        details["secrets"] = json!(new_secrets.keys().collect::<Vec<_>>());
    }
    if let Some(release) = change.and_then(|c| c.release.as_ref()) {
        details["release"] = json!(release);
    }
    let mut entries = Vec::new();
    let agreed = grants::added(
        (&was.manifest, &guest(was, old)?),
        (&is.manifest, &guest_config(is, config)),
    );
    let by_config = change.is_some_and(|c| c.config.is_some() && c.grants.is_none() && !upgraded);
    if change.is_some_and(|c| c.consent.is_some()) || (by_config && !agreed.is_empty()) {
        let draft = audit::Draft::new("installation.consented", "installation", id)
            .details(json!({ "version": new.version, "added": agreed, "added_digest": grants::digest_of(&agreed) }));
        entries.push(audit::for_tenant(app, &mut *tx, t, draft).await?);
    }
    let action = action(change, old, &new)?;
    let draft = audit::Draft::new(action, "installation", id).details(details);
    entries.push(audit::for_tenant(app, &mut *tx, t, draft).await?);
    let entries = Audit::many(entries).ok_or_else(|| Problem::internal("a change without an event"))?;
    tx.commit(entries).await?;
    let granted = in_force(
        app,
        calls::whose(t),
        &is.manifest,
        &guest_config(is, config),
        &json_of(&new.grants, "grants")?,
    );
    let fate = match new.status {
        InstallationStatus::Disabled => Fate::End("disabled"),
        InstallationStatus::Active => Fate::Keep {
            digest: &new.digest,
            grants: &granted,
        },
    };
    app.calls.settle(t.scope.id(), id, fate);
    if upgraded || starts {
        jobs::wake(app, &t.scope);
    }
    Ok(())
}

/// The config of a row as its guest sees it.
pub(super) fn guest(listed: &Listed, row: &Installation) -> Result<Value, Problem> {
    Ok(guest_config(listed, &json_of(&row.config, "config")?))
}

/// What a change is called in the audit log.
fn action(change: Option<&Change>, old: &Installation, new: &Installation) -> Result<&'static str, Problem> {
    let Some(change) = change else {
        return Ok("installation.rolled_back");
    };
    if new.digest != old.digest {
        return Ok("installation.upgraded");
    }
    if change.status == Some(InstallationStatus::Disabled) && old.status == InstallationStatus::Active {
        return Ok("installation.disabled");
    }
    let (before, after): (Grants, Grants) = (json_of(&old.grants, "grants")?, json_of(&new.grants, "grants")?);
    let revoked = change.grants.is_some() && after != before && grants::kept(&before, &after) == after;
    Ok(if revoked {
        "installation.grant_revoked"
    } else {
        "installation.updated"
    })
}

pub(super) enum Regrant {
    Granted(Grants),
    /// It asks for this, and nobody has agreed yet.
    Wait(Added),
}

/// The grants after a change: as asked for, or the earlier choices carried over. A version that asks for more than before
/// waits for consent. A config that names other hosts is consent itself: who writes the host down wants it called.
pub(super) fn regrant(
    app: &App,
    t: &TenantCtx,
    (was, old): (&Listed, &Installation),
    (is, config): (&Listed, &Value),
    change: &Change,
) -> Result<Regrant, Problem> {
    let old_grants: Grants = json_of(&old.grants, "grants")?;
    let (then, now) = (guest(was, old)?, guest_config(is, config));
    let declared_then = grants::declared(&was.manifest, &then);
    if let Some(asked) = &change.grants {
        // What an operator opened stays open when somebody else changes other grants.
        let mut granted = accept_grants(app, is, config, asked, is_operator(t))?;
        if asked.private_hosts.is_none() {
            granted.private_hosts = grants::carry_over(&declared_then, &old_grants, &granted).private_hosts;
        }
        return Ok(Regrant::Granted(granted));
    }
    let added = grants::added((&was.manifest, &then), (&is.manifest, &now));
    let upgraded = is.version.digest != old.digest;
    if !added.is_empty() && (upgraded || change.config.is_none()) {
        match &change.consent {
            Some(digest) if *digest == grants::digest_of(&added) => {}
            Some(_) => return Err(PluginError::ConsentStale { added }.into()),
            None if change.when_consented => return Ok(Regrant::Wait(added)),
            None => {
                let version = is.version.version.clone();
                return Err(PluginError::ConsentNeeded { version, added }.into());
            }
        }
    }
    let granted = grants::carry_over(&declared_then, &old_grants, &grants::declared(&is.manifest, &now));
    linkable(app, &is.version.digest, &granted)?;
    Ok(Regrant::Granted(granted))
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
    note("pinned", json!(old.pinned == 1), json!(new.pinned == 1));
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
