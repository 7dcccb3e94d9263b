//! Reading installations: as lists, with their health, their calls, and the plugin's own check.

use super::upgrade::{self, Pending};
use crate::{
    App, Problem, TenantCtx, audit,
    plugins::{
        calls::{self, flush_receipts},
        catalogue::{self, Listed},
        error::{Doing, clean, fault_problem},
        manifest::Manifest,
        policy::{self, Cut},
        port::{Finding, Grants, PluginKind},
        releases,
        schema::PROVISIONING,
    },
    tenancy,
};
use aistack_core::{CallId, InstallationId, Outcome, RequestId, Timestamp};
use aistack_store::{Audit, CallRow, Installation, InstallationStatus, Page, StoredSecret};
use serde::Serialize;
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};

/// A secret as people may see it: that it is there, never what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SecretView {
    /// Name.
    pub name: String,
    /// Whether a value is set.
    pub set: bool,
    /// When it was last set.
    pub updated_at: Option<Timestamp>,
    /// How many versions are in force.
    pub versions: usize,
}

/// An inbound endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EndpointView {
    /// Name in the manifest.
    pub name: String,
    /// Where the provider delivers.
    pub url: String,
}

/// How an installation does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Health {
    /// Calls in the last 24 hours.
    pub calls_24h: i64,
    /// Calls of these that did not end well.
    pub failures_24h: i64,
    /// `closed`, or `open` while calls are refused because too many have failed.
    pub breaker: &'static str,
}

/// An installation as people see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InstallationView {
    /// Id.
    pub id: InstallationId,
    /// Plugin.
    pub plugin_id: String,
    /// Version.
    pub version: String,
    /// Component digest.
    pub digest: String,
    /// `identity`, `payment` or `report`.
    pub kind: String,
    /// Name.
    pub name: String,
    /// Status.
    pub status: InstallationStatus,
    /// Config.
    pub config: Value,
    /// Secrets.
    pub secrets: Vec<SecretView>,
    /// Grants, as the tenant gave them.
    pub grants: Grants,
    /// Grants in force: what is left under the operator's ceilings and the plan.
    pub effective_grants: Grants,
    /// What the manifest declares and is not in force, and who cut it.
    pub cuts: Vec<Cut>,
    /// Grows with every change.
    pub generation: i64,
    /// Whether releases leave it at its version.
    pub pinned: bool,
    /// The version to which it can go back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_version: Option<String>,
    /// A change that waits for consent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending: Option<Pending>,
    /// Inbound endpoints.
    pub endpoints: Vec<EndpointView>,
    /// Where an identity provider sends the browser back to; registered there as redirect URI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback_url: Option<String>,
    /// When made.
    pub created_at: Timestamp,
    /// When last changed.
    pub updated_at: Timestamp,
    /// Health.
    pub health: Health,
}

/// Where an identity provider sends the browser back to.
#[must_use]
pub(crate) fn callback_url(app: &App, t: &TenantCtx, id: InstallationId) -> String {
    let base = tenancy::routing::tenant_url(&app.config.public_url, t.scope.slug());
    format!("{base}/api/v1/login/{id}/callback")
}

/// Where a provider delivers to.
#[must_use]
pub(crate) fn endpoint_url(app: &App, t: &TenantCtx, row: &Installation, endpoint: &str) -> String {
    let base = tenancy::routing::tenant_url(&app.config.public_url, t.scope.slug());
    format!("{base}/hooks/{}/{endpoint}/{}", row.id, row.endpoint_key)
}

pub(super) fn view(
    app: &App,
    t: &TenantCtx,
    row: &Installation,
    stored: &[StoredSecret],
    manifest: &Manifest,
    (calls, failures): (i64, i64),
    breaker_open: bool,
) -> Result<InstallationView, Problem> {
    let corrupt = |what: &str, e: String| Problem::internal(format!("{what} of {}: {e}", row.id));
    let mut by_name: BTreeMap<&str, (usize, Option<Timestamp>)> =
        manifest.secret.iter().map(|s| (s.name.as_str(), (0, None))).collect();
    for s in stored {
        let slot = by_name.entry(&s.name).or_default();
        slot.0 += 1;
        slot.1 = slot.1.max(Some(s.created_at));
    }
    let mut guest: Value = serde_json::from_str(&row.config).map_err(|e| corrupt("config", e.to_string()))?;
    if let Some(members) = guest
        .as_object_mut()
        .filter(|_| row.kind == PluginKind::Identity.as_str())
    {
        members.remove(PROVISIONING);
    }
    let grants: Grants = serde_json::from_str(&row.grants).map_err(|e| corrupt("grants", e.to_string()))?;
    let (effective_grants, cuts) = policy::in_force(app, calls::whose(t), manifest, &guest, &grants);
    Ok(InstallationView {
        id: row.id,
        plugin_id: row.plugin_id.clone(),
        version: row.version.clone(),
        digest: row.digest.clone(),
        kind: row.kind.clone(),
        name: row.name.clone(),
        status: row.status,
        config: serde_json::from_str(&row.config).map_err(|e| corrupt("config", e.to_string()))?,
        secrets: by_name
            .into_iter()
            .map(|(name, (versions, updated_at))| SecretView {
                name: name.to_owned(),
                set: versions > 0,
                updated_at,
                versions,
            })
            .collect(),
        grants,
        effective_grants,
        cuts,
        generation: row.generation,
        pinned: row.pinned == 1,
        previous_version: upgrade::previous_version(row),
        pending: upgrade::pending(app, row),
        endpoints: manifest
            .endpoint
            .iter()
            .map(|e| EndpointView {
                name: e.name.clone(),
                url: endpoint_url(app, t, row, &e.name),
            })
            .collect(),
        callback_url: (row.kind == PluginKind::Identity.as_str()).then(|| callback_url(app, t, row.id)),
        created_at: row.created_at,
        updated_at: row.updated_at,
        health: Health {
            calls_24h: calls,
            failures_24h: failures,
            breaker: if breaker_open { "open" } else { "closed" },
        },
    })
}

/// Whether the newest call says that the breaker is open. It opens for half a minute, so an older refusal says nothing.
fn breaker_open(newest: Option<&CallRow>, now: Timestamp) -> bool {
    newest
        .is_some_and(|c| c.code.as_deref() == Some("breaker_open") && now.since(c.started_at) < Duration::from_secs(30))
}

async fn with_health(app: &App, t: &TenantCtx, rows: Vec<Installation>) -> Result<Vec<InstallationView>, Problem> {
    let now = app.clock.now();
    let mut manifests: BTreeMap<String, Manifest> = BTreeMap::new();
    {
        let mut read = app.store.platform_read().await?;
        for row in &rows {
            if !manifests.contains_key(&row.digest)
                && let Some(v) = read.plugins().find_by_digest(&row.digest).await?
            {
                manifests.insert(row.digest.clone(), catalogue::listed(v, 0)?.manifest);
            }
        }
    }
    let mut read = app.store.tenant_read(&t.scope).await?;
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        let stored = read.installations().secrets(row.id).await?;
        let since = now.minus(Duration::from_secs(24 * 3600));
        let counts = read.machinery().call_counts(row.id, since).await?;
        let one = Page {
            limit: 1,
            ..Page::default()
        };
        let newest = read.machinery().calls(row.id, &one).await?;
        let manifest = manifests
            .get(&row.digest)
            .ok_or_else(|| Problem::internal(format!("{} uses a digest that is not installed", row.id)))?;
        all.push(view(
            app,
            t,
            &row,
            &stored,
            manifest,
            counts,
            breaker_open(newest.first(), now),
        )?);
    }
    Ok(all)
}

/// A page of installations.
///
/// # Errors
/// As the stores.
pub async fn list(
    app: &App,
    t: &TenantCtx,
    page: &Page,
    kind: Option<PluginKind>,
) -> Result<Vec<InstallationView>, Problem> {
    // So that the figures include what has just been done; a failure to write them is logged where it happens.
    let _ = flush_receipts(app).await;
    let rows = {
        let mut read = app.store.tenant_read(&t.scope).await?;
        read.installations().list(page, kind.map(PluginKind::as_str)).await?
    };
    with_health(app, t, rows).await
}

/// One installation.
///
/// # Errors
/// `not_found`, or as the stores.
pub async fn get(app: &App, t: &TenantCtx, id: InstallationId) -> Result<InstallationView, Problem> {
    let _ = flush_receipts(app).await;
    let row = app.store.tenant_read(&t.scope).await?.installations().get(id).await?;
    let row = row.ok_or_else(|| Problem::not_found("installation"))?;
    let mut all = with_health(app, t, vec![row]).await?;
    all.pop().ok_or_else(|| Problem::not_found("installation"))
}

/// A plugin version a tenant may enable.
pub type Available = Listed;

/// Plugin versions that tenants may enable, newest installation first.
///
/// # Errors
/// As the store.
pub async fn available(app: &App, page: &Page) -> Result<Vec<Available>, Problem> {
    catalogue::list(app, page).await
}

/// A recorded call as people see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CallView {
    /// Id.
    pub id: CallId,
    /// Operation.
    pub operation: String,
    /// Request that caused it.
    pub request_id: Option<RequestId>,
    /// When.
    pub started_at: Timestamp,
    /// Wall time, microseconds.
    pub wall_us: i64,
    /// Guest time, microseconds.
    pub guest_us: i64,
    /// Peak memory, bytes.
    pub memory: i64,
    /// Host calls.
    pub host_calls: i64,
    /// Bytes out.
    pub bytes_out: i64,
    /// Bytes in.
    pub bytes_in: i64,
    /// How it ended.
    pub outcome: String,
    /// Fault or trap code.
    pub code: Option<String>,
    /// Log lines.
    pub log: Value,
    /// Where it crashed.
    pub frames: Value,
}

/// A page of an installation's calls.
///
/// # Errors
/// `not_found`, or as the store.
pub async fn calls(app: &App, t: &TenantCtx, id: InstallationId, page: &Page) -> Result<Vec<CallView>, Problem> {
    let _ = flush_receipts(app).await;
    let mut read = app.store.tenant_read(&t.scope).await?;
    if read.installations().get(id).await?.is_none() {
        return Err(Problem::not_found("installation"));
    }
    let rows = read.machinery().calls(id, page).await?;
    Ok(rows.into_iter().map(CallView::from).collect())
}

impl From<CallRow> for CallView {
    fn from(r: CallRow) -> Self {
        Self {
            id: r.id,
            operation: r.operation,
            request_id: r.request_id,
            started_at: r.started_at,
            wall_us: r.wall_us,
            guest_us: r.guest_us,
            memory: r.memory,
            host_calls: r.host_calls,
            bytes_out: r.bytes_out,
            bytes_in: r.bytes_in,
            outcome: r.outcome,
            code: r.code,
            log: serde_json::from_str(&r.log).unwrap_or(Value::Null),
            frames: serde_json::from_str(&r.frames).unwrap_or(Value::Null),
        }
    }
}

/// Has the plugin check its configuration; `deep` also talks to the provider. Recorded in the audit log, because a
/// deep check uses the installation's secrets.
///
/// # Errors
/// `not_found`, `plugin_unavailable`, `plugin_failed`, or as the stores.
pub async fn check(app: &App, t: &TenantCtx, id: InstallationId, deep: bool) -> Result<Vec<Finding>, Problem> {
    let loaded = calls::load(app, t, id, None).await?;
    let inv = calls::check_invocation(app, t, &loaded);
    let answer = app.runtime.check(inv, deep).await;
    if !deep {
        releases::compare(app, t, &loaded, &answer).await;
    }
    let outcome = match &answer {
        Ok(findings) if findings.iter().all(|f| f.ok) => Outcome::Ok,
        Ok(_) | Err(_) => Outcome::Failed,
    };
    let mut tx = app.store.tenant(&t.scope).await?;
    let draft = audit::Draft::new("installation.checked", "installation", id)
        .outcome(outcome)
        .details(json!({ "deep": deep, "fault": answer.as_ref().err().map(|f| clean(&f.code, 100)) }));
    let entry = audit::for_tenant(app, &mut *tx, t, draft).await?;
    tx.commit(Audit::one(entry)).await?;
    let findings = answer.map_err(|f| fault_problem(&f, Doing::Other))?;
    Ok(findings
        .into_iter()
        .take(100)
        .map(|f| Finding {
            field: f.field.map(|p| clean(&p, 200)),
            ok: f.ok,
            message: clean(&f.message, 500),
        })
        .collect())
}
