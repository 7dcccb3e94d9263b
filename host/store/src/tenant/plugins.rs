//! What the tenant has enabled: installations and their sealed secrets.

use super::Recording;
use crate::{Page, Result};
use aistack_core::{InstallationId, Timestamp, text_enum};

text_enum! {
    /// Whether an installation answers.
    pub enum InstallationStatus {
        /// Yes.
        Active = "active",
        /// Switched off.
        Disabled = "disabled",
    }
}

/// A plugin enabled in this tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// Id.
    pub id: InstallationId,
    /// E.g. `official.stripe`.
    pub plugin_id: String,
    /// Pinned version.
    pub version: String,
    /// Component digest, hex.
    pub digest: String,
    /// `identity`, `payment`, `report`.
    pub kind: String,
    /// Name people see.
    pub name: String,
    /// Schema-valid configuration (JSON).
    pub config: String,
    /// Grants (JSON).
    pub grants: String,
    /// Status.
    pub status: InstallationStatus,
    /// Unguessable part of its inbound URLs.
    pub endpoint_key: String,
    /// Grows with every change of version, config, grants, secrets or status.
    pub generation: i64,
    /// 1 when releases leave it at its version.
    pub pinned: i64,
    /// What it was before the last change of version (JSON), to go back to.
    pub previous: Option<String>,
    /// A change that waits for consent (JSON).
    pub pending: Option<String>,
    /// When made.
    pub created_at: Timestamp,
    /// When last changed.
    pub updated_at: Timestamp,
}

/// A sealed secret of an installation. Several versions may be in force during a rollover, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSecret {
    /// Installation.
    pub installation_id: InstallationId,
    /// Name in the manifest.
    pub name: String,
    /// From 1, growing.
    pub version: i64,
    /// The sealed value.
    pub sealed: Vec<u8>,
    /// When set.
    pub created_at: Timestamp,
}

/// Reading installations.
#[async_trait::async_trait]
pub trait InstallationsRead: Send {
    /// By id.
    async fn get(&mut self, id: InstallationId) -> Result<Option<Installation>>;
    /// A page; `q` looks in name and plugin id.
    async fn list(&mut self, page: &Page, kind: Option<&str>) -> Result<Vec<Installation>>;
    /// All secrets of an installation, by name, newest version first.
    async fn secrets(&mut self, id: InstallationId) -> Result<Vec<StoredSecret>>;
    /// Whether its next calls are recorded; a recording that is over may still be there.
    async fn recording(&mut self, id: InstallationId) -> Result<Option<Recording>>;
}

/// Changing installations.
#[async_trait::async_trait]
pub trait Installations: InstallationsRead {
    /// Adds one.
    async fn insert(&mut self, installation: &Installation) -> Result<()>;
    /// Replaces it if `generation` in the row is one less; else `Conflict`.
    async fn update(&mut self, installation: &Installation) -> Result<()>;
    /// Removes it with its secrets and key-value state; false when it was not there.
    async fn delete(&mut self, id: InstallationId) -> Result<bool>;
    /// Has the next calls recorded, in place of a recording that was there.
    async fn start_recording(&mut self, recording: &Recording) -> Result<()>;
    /// Ends it; false when there was none.
    async fn end_recording(&mut self, id: InstallationId) -> Result<bool>;
    /// Adds a version of a secret.
    async fn insert_secret(&mut self, secret: &StoredSecret) -> Result<()>;
    /// Removes the versions of a secret older than `keep_from`; how many.
    async fn prune_secret(&mut self, id: InstallationId, name: &str, keep_from: i64) -> Result<i64>;
}
