//! Enabling a plugin in a tenant.

use super::{
    config::{accept_config, accept_grants, accept_secrets, guest_config},
    endpoint_key, good_name, is_operator, reconcile,
    view::{InstallationView, view},
};
use crate::{
    App, FieldError, Problem, TenantCtx, audit, jobs,
    plugins::{
        calls, catalogue,
        catalogue::Listed,
        error::PluginError,
        grants::GrantRequest,
        policy, schedule, secrets,
        trust::{self, TrustError},
    },
};
use aistack_core::{Entropy, InstallationId};
use aistack_store::{Audit, Installation, InstallationStatus};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What somebody wants to enable.
#[derive(Debug, Clone)]
pub struct Enable {
    /// Plugin, e.g. `official.stripe`.
    pub plugin_id: String,
    /// Version; the highest installed one when left out.
    pub version: Option<String>,
    /// Name people see.
    pub name: String,
    /// Config.
    pub config: Value,
    /// Secrets by name.
    pub secrets: BTreeMap<String, SecretString>,
    /// Grants; everything the manifest declares when left out.
    pub grants: Option<GrantRequest>,
}

/// The installed version that is meant.
pub(super) async fn choose(app: &App, plugin_id: &str, version: Option<&str>) -> Result<Listed, Problem> {
    let rows = app.store.platform_read().await?.plugins().versions(plugin_id).await?;
    if rows.is_empty() {
        return Err(Problem::invalid(vec![FieldError::new(
            "/plugin_id",
            "not_found",
            format!(
                "no plugin {:?} is installed on this platform",
                plugin_id.chars().take(100).collect::<String>()
            ),
        )]));
    }
    let row = match version {
        Some(v) => rows.into_iter().find(|r| r.version == v).ok_or_else(|| {
            Problem::invalid(vec![FieldError::new(
                "/version",
                "not_found",
                format!(
                    "version {:?} of {plugin_id} is not installed",
                    v.chars().take(40).collect::<String>()
                ),
            )])
        })?,
        // Pre-releases are taken only when nothing else is there, or by name.
        None => rows
            .into_iter()
            .filter(|r| app.held.reason(&r.digest).is_none())
            .max_by_key(|r| {
                let v = semver::Version::parse(&r.version).ok();
                (v.as_ref().is_some_and(|v| v.pre.is_empty()), v)
            })
            .ok_or_else(|| Problem::not_found("plugin"))?,
    };
    catalogue::listed(row, 0)
}

/// Whether a version may be put into use in this tenant: trusted enough, and not out of service.
pub(super) async fn fit_for(app: &App, t: &TenantCtx, listed: &Listed) -> Result<(), Problem> {
    let digest = &listed.version.digest;
    if let Some(why) = app.held.reason(digest) {
        return Err(TrustError::Quarantined(why).into());
    }
    trust::tenant_demand(app, digest, t.scope.id()).await
}

/// Enables a plugin.
///
/// # Errors
/// `validation_failed` for name, plugin or version; `plugin_config_invalid` for config, secrets or grants; or as the
/// stores.
pub async fn enable(app: &App, t: &TenantCtx, command: Enable) -> Result<InstallationView, Problem> {
    let name = good_name(&command.name).ok_or_else(|| {
        Problem::invalid(vec![FieldError::new(
            "/name",
            "format",
            "the name has 1 to 100 characters, none of them control characters",
        )])
    })?;
    let listed = choose(app, &command.plugin_id, command.version.as_deref()).await?;
    fit_for(app, t, &listed).await?;
    // Config and secrets are reported together: a form shows all its errors at once.
    let mut errors = accept_secrets(&listed, &command.secrets);
    let config = match accept_config(&listed, command.config) {
        Ok(config) => config,
        Err(mut p) if !p.errors.is_empty() => {
            p.errors.append(&mut errors);
            return Err(p);
        }
        Err(p) => return Err(p),
    };
    if !errors.is_empty() {
        return Err(PluginError::ConfigInvalid(errors).into());
    }
    calls::ensure(app, &listed.version.digest)
        .await
        .map_err(Problem::internal)?;
    let asked = command.grants.unwrap_or_default();
    let grants = accept_grants(app, &listed, &config, &asked, is_operator(t))?;
    policy::permit(app, t, &listed, &guest_config(&listed, &config), &grants)?;
    let now = app.clock.now();
    let row = Installation {
        id: InstallationId::new(&*app.clock, &*app.rng),
        plugin_id: listed.version.plugin_id.clone(),
        version: listed.version.version.clone(),
        digest: listed.version.digest.clone(),
        kind: listed.version.kind.clone(),
        name,
        config: config.to_string(),
        grants: serde_json::to_string(&grants).map_err(|e| Problem::internal(e.to_string()))?,
        status: InstallationStatus::Active,
        endpoint_key: endpoint_key(t.scope.id(), app.rng.bytes()),
        generation: 1,
        pinned: 0,
        previous: None,
        pending: None,
        created_at: now,
        updated_at: now,
    };
    // The claim comes first: from here on the version can't be removed. If we die before the tenant's commit, the
    // job written with the claim takes it back.
    reconcile::claim(app, t, &listed.version, row.id).await?;
    let written = async {
        let mut tx = app.store.tenant(&t.scope).await?;
        policy::one_more(app, t, &mut *tx).await?;
        tx.installations().insert(&row).await?;
        for (name, value) in &command.secrets {
            let sealed = secrets::seal(app, t.scope.id(), row.id, name, 1, value);
            tx.installations().insert_secret(&sealed).await?;
        }
        schedule::begin(app, &mut *tx, row.id, &listed.manifest).await?;
        let draft = audit::Draft::new("installation.enabled", "installation", row.id).details(json!({
            "plugin_id": row.plugin_id, "version": row.version, "digest": row.digest, "name": row.name,
            "config": config, "secrets": command.secrets.keys().collect::<Vec<_>>(), "grants": grants,
        }));
        let entry = audit::for_tenant(app, &mut *tx, t, draft).await?;
        tx.commit(Audit::one(entry)).await?;
        Ok::<(), Problem>(())
    }
    .await;
    if let Err(problem) = written {
        reconcile::release(app, t, row.id).await;
        return Err(problem);
    }
    if !listed.manifest.job.is_empty() {
        jobs::wake(app, &t.scope);
    }
    let stored = app
        .store
        .tenant_read(&t.scope)
        .await?
        .installations()
        .secrets(row.id)
        .await?;
    view(app, t, &row, &stored, &listed.manifest, (0, 0), false)
}
