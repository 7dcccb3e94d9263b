//! The operator's ceilings: what a plugin may be granted at all, in every tenant or in one.

use super::refresh;
use crate::{
    App, Ctx, FieldError, Problem, audit,
    plugins::{grants::GrantRequest, grants::normal_host, manifest::INTERFACES},
    quota::unknown_interface,
};
use aistack_core::TenantId;
use serde::{Deserialize, Serialize};
use serde_json::json;

pub(super) const PREFIX: &str = "plugins.policy/ceiling/";

/// What a plugin may be granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ceiling {
    /// Whether it may be used at all.
    pub allowed: bool,
    /// The most it may be granted; what is left out is not bounded here. Hosts may begin with `*.`.
    pub grants: GrantRequest,
}

impl Default for Ceiling {
    fn default() -> Self {
        Self {
            allowed: true,
            grants: GrantRequest::default(),
        }
    }
}

fn setting(plugin: &str, tenant: Option<TenantId>) -> String {
    match tenant {
        Some(tenant) => format!("{PREFIX}{plugin}/{tenant}"),
        None => format!("{PREFIX}{plugin}"),
    }
}

/// Plugin and tenant that a setting is about.
pub(super) fn whose(name: &str) -> Option<(String, Option<TenantId>)> {
    match name.strip_prefix(PREFIX)?.split_once('/') {
        Some((plugin, tenant)) => Some((plugin.to_owned(), Some(tenant.parse().ok()?))),
        None => Some((name[PREFIX.len()..].to_owned(), None)),
    }
}

/// What is set; a ceiling that lets everything through when nothing is.
///
/// # Errors
/// As the store.
pub async fn get(app: &App, plugin: &str, tenant: Option<TenantId>) -> Result<Ceiling, Problem> {
    let name = setting(plugin, tenant);
    let stored = app.store.platform_read().await?.settings().get(&name).await?;
    stored.map_or_else(|| Ok(Ceiling::default()), |bytes| super::document(&name, &bytes))
}

fn check(ceiling: &Ceiling) -> Result<(), Problem> {
    let g = &ceiling.grants;
    let mut wrong = Vec::new();
    for (i, name) in g.interfaces.iter().flatten().enumerate() {
        if !INTERFACES.contains(&name.as_str()) {
            wrong.push(unknown_interface(&format!("/grants/interfaces/{i}"), name));
        }
    }
    let mut hosts = |at: String, all: &[String]| {
        for (i, host) in all.iter().enumerate() {
            let plain = host.strip_prefix("*.").unwrap_or(host);
            if normal_host(plain, 443).is_none() {
                wrong.push(
                    FieldError::new(format!("{at}/{i}"), "format", format!("{host:?} is not host[:port]"))
                        .hint("e.g. api.example.com, *.example.com or 10.0.0.5:8443"),
                );
            }
        }
    };
    for (name, list) in [
        ("http_hosts", &g.http_hosts),
        ("private_hosts", &g.private_hosts),
        ("dial_targets", &g.dial_targets),
    ] {
        hosts(format!("/grants/{name}"), list.as_deref().unwrap_or_default());
    }
    for (name, secret) in g.secrets.iter().flatten() {
        hosts(format!("/grants/secrets/{name}/hosts"), &secret.hosts);
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(Problem::invalid(wrong))
    }
}

/// Sets a ceiling, or with `None` takes it away. Counts at once, for calls in flight too.
///
/// # Errors
/// `not_found` for a plugin of which no version is installed, `validation_failed`, or as the stores.
pub async fn set(
    app: &App,
    ctx: &Ctx,
    plugin: &str,
    tenant: Option<TenantId>,
    ceiling: Option<Ceiling>,
) -> Result<Ceiling, Problem> {
    if let Some(ceiling) = &ceiling {
        check(ceiling)?;
        if app
            .store
            .platform_read()
            .await?
            .plugins()
            .versions(plugin)
            .await?
            .is_empty()
        {
            return Err(Problem::not_found("plugin"));
        }
    }
    let before = get(app, plugin, tenant).await?;
    let name = setting(plugin, tenant);
    let mut tx = app.store.platform().await?;
    match &ceiling {
        Some(ceiling) => {
            let bytes = serde_json::to_vec(ceiling).map_err(|e| Problem::internal(e.to_string()))?;
            tx.settings().put(&name, &bytes, app.clock.now()).await?;
        }
        None => {
            tx.settings().remove(&name).await?;
        }
    }
    let after = ceiling.unwrap_or_default();
    let draft = audit::Draft::new("plugin.policy_changed", "plugin", plugin)
        .details(json!({ "tenant": tenant, "ceiling": { "before": before, "after": after } }));
    audit::commit_platform(app, tx, ctx, draft).await?;
    refresh(app).await?;
    Ok(after)
}
