//! An enabled plugin as it is answered.

use aistack_core::{InstallationId, Timestamp};
use aistack_domain::plugins::{
    installations::{InstallationView, Pending},
    policy::{Cut, CutBy},
    port::Grants,
};
use aistack_store::InstallationStatus;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A secret: that it is there, never what it is.
#[derive(Debug, Serialize, ToSchema)]
struct Secret {
    /// Name.
    name: String,
    /// Whether a value is set.
    set: bool,
    /// When it was last set.
    #[schema(value_type = Option<String>, format = DateTime)]
    updated_at: Option<Timestamp>,
    /// Versions in force; two during a rollover.
    versions: usize,
}

/// An inbound endpoint.
#[derive(Debug, Serialize, ToSchema)]
struct Endpoint {
    /// Name in the manifest.
    name: String,
    /// Where the provider delivers.
    url: String,
}

/// How an installation does.
#[derive(Debug, Serialize, ToSchema)]
struct Health {
    /// Calls in the last 24 hours.
    calls_24h: i64,
    /// Calls of these that did not end well.
    failures_24h: i64,
    /// `closed` or `open`.
    breaker: &'static str,
}

/// A change that waits for consent.
#[derive(Debug, Serialize, ToSchema)]
struct PendingChange {
    /// The version it leads to.
    version: String,
    /// What it asks for beyond what was granted, by kind.
    #[schema(value_type = HashMap<String, Vec<String>>)]
    added: BTreeMap<String, Vec<String>>,
    /// Names that list; agreeing repeats it.
    added_digest: String,
    /// Since when it waits.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
}

impl From<Pending> for PendingChange {
    fn from(p: Pending) -> Self {
        Self {
            version: p.version,
            added: p.added,
            added_digest: p.added_digest,
            since: p.since,
        }
    }
}

/// Something a plugin asks for that it does not get.
#[derive(Debug, Serialize, ToSchema)]
struct GrantCut {
    /// The member of the grants, e.g. `http_hosts`.
    kind: &'static str,
    /// What of it.
    what: String,
    /// Who cut it: `operator`, `plan` or `tenant`.
    #[schema(value_type = String)]
    by: CutBy,
}

impl From<Cut> for GrantCut {
    fn from(c: Cut) -> Self {
        Self {
            kind: c.kind,
            what: c.what,
            by: c.by,
        }
    }
}

/// A plugin enabled in the tenant.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::routes) struct Installation {
    /// Id.
    #[schema(value_type = String)]
    id: InstallationId,
    /// Plugin.
    plugin_id: String,
    /// Version.
    version: String,
    /// SHA-256 of the component.
    digest: String,
    /// `identity`, `payment` or `report`.
    kind: String,
    /// Name.
    name: String,
    /// `active` or `disabled`.
    #[schema(value_type = String)]
    status: InstallationStatus,
    /// Config.
    #[schema(value_type = Object)]
    config: Value,
    /// Secrets.
    secrets: Vec<Secret>,
    /// What the tenant lets it do.
    #[schema(value_type = Object)]
    grants: Grants,
    /// What of that is in force under the operator's ceilings and the plan.
    #[schema(value_type = Object)]
    effective_grants: Grants,
    /// What it asks for and does not get, and who cut it.
    cuts: Vec<GrantCut>,
    /// Grows with every change.
    generation: i64,
    /// Whether releases leave it at its version.
    pinned: bool,
    /// The version to which it can go back.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_version: Option<String>,
    /// A change that waits for consent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pending: Option<PendingChange>,
    /// Inbound endpoints.
    endpoints: Vec<Endpoint>,
    /// Redirect URI of an identity connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    callback_url: Option<String>,
    /// When made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// Health.
    health: Health,
}

impl From<InstallationView> for Installation {
    fn from(v: InstallationView) -> Self {
        Self {
            id: v.id,
            plugin_id: v.plugin_id,
            version: v.version,
            digest: v.digest,
            kind: v.kind,
            name: v.name,
            status: v.status,
            config: v.config,
            secrets: v
                .secrets
                .into_iter()
                .map(|s| Secret {
                    name: s.name,
                    set: s.set,
                    updated_at: s.updated_at,
                    versions: s.versions,
                })
                .collect(),
            grants: v.grants,
            effective_grants: v.effective_grants,
            cuts: v.cuts.into_iter().map(GrantCut::from).collect(),
            generation: v.generation,
            pinned: v.pinned,
            previous_version: v.previous_version,
            pending: v.pending.map(PendingChange::from),
            endpoints: v
                .endpoints
                .into_iter()
                .map(|e| Endpoint {
                    name: e.name,
                    url: e.url,
                })
                .collect(),
            callback_url: v.callback_url,
            created_at: v.created_at,
            updated_at: v.updated_at,
            health: Health {
                calls_24h: v.health.calls_24h,
                failures_24h: v.health.failures_24h,
                breaker: v.health.breaker,
            },
        }
    }
}
