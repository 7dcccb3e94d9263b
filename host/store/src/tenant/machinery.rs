//! State that keeps the machinery going and that nobody would ask the audit log about.

use crate::{Page, Result};
use aistack_core::{CallId, InstallationId, JobId, LoginId, ReportRunId, RequestId, Timestamp};

/// A message that becomes a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxMessage {
    /// Becomes the job's id.
    pub id: JobId,
    /// Job kind.
    pub kind: String,
    /// JSON.
    pub payload: String,
    /// Not before.
    pub run_at: Timestamp,
    /// Most tries.
    pub max_attempts: i64,
    /// When pushed.
    pub created_at: Timestamp,
}

/// A value in an installation's key-value space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KvRow {
    /// Value.
    pub value: Vec<u8>,
    /// Version, from 1.
    pub version: i64,
    /// End of life.
    pub expires_at: Option<Timestamp>,
}

/// Size of an installation's key-value space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KvUse {
    /// Keys.
    pub keys: i64,
    /// Bytes of keys and values.
    pub bytes: i64,
}

/// A half-finished sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingLogin {
    /// Id.
    pub id: LoginId,
    /// SHA-256 of the secret in the browser's cookie.
    pub browser_hash: Vec<u8>,
    /// Connection.
    pub installation_id: InstallationId,
    /// `login`, `link`, `test`, …
    pub purpose: String,
    /// Where to go afterwards: a local path.
    pub return_to: String,
    /// The plugin's state, sealed.
    pub state: Vec<u8>,
    /// When it lapses.
    pub expires_at: Timestamp,
    /// When started.
    pub created_at: Timestamp,
}

/// A recorded plugin call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRow {
    /// Id.
    pub id: CallId,
    /// Installation.
    pub installation_id: InstallationId,
    /// Request.
    pub request_id: Option<RequestId>,
    /// Operation.
    pub operation: String,
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
    /// Outcome text (`ok`, `fault`, …).
    pub outcome: String,
    /// Fault or trap code.
    pub code: Option<String>,
    /// Log lines (JSON array).
    pub log: String,
    /// Id and version of the plugin; empty in rows older than the column.
    pub plugin: String,
    /// Component digest; empty in rows older than the column.
    pub digest: String,
    /// The queue it stood in.
    pub lane: String,
    /// Turns on a processor.
    pub turns: i64,
    /// Where in its source it crashed (JSON array).
    pub frames: String,
}

/// An installation whose next calls are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recording {
    /// The installation.
    pub installation_id: InstallationId,
    /// How many more.
    pub calls: i64,
    /// Until then.
    pub until: Timestamp,
    /// Since then.
    pub started_at: Timestamp,
}

/// A recorded call, sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalRow {
    /// The call.
    pub call_id: CallId,
    /// Its installation.
    pub installation_id: InstallationId,
    /// The journal, sealed.
    pub sealed: Vec<u8>,
    /// When.
    pub created_at: Timestamp,
}

/// Reading machinery.
#[async_trait::async_trait]
pub trait MachineryRead: Send {
    /// A key of an installation, expired or not.
    async fn kv_get(&mut self, installation: InstallationId, key: &str) -> Result<Option<KvRow>>;
    /// How full the space is.
    async fn kv_use(&mut self, installation: InstallationId) -> Result<KvUse>;
    /// Bytes of keys and values in all of the tenant's spaces.
    async fn kv_total(&mut self) -> Result<i64>;
    /// Recorded calls of an installation.
    async fn calls(&mut self, installation: InstallationId, page: &Page) -> Result<Vec<CallRow>>;
    /// One recorded call.
    async fn call(&mut self, id: CallId) -> Result<Option<CallRow>>;
    /// Number of calls and of calls that did not end `ok`, since.
    async fn call_counts(&mut self, installation: InstallationId, since: Timestamp) -> Result<(i64, i64)>;
    /// The journal of a call.
    async fn journal(&mut self, call: CallId) -> Result<Option<JournalRow>>;
    /// Oldest messages that have not been relayed.
    async fn outbox(&mut self, limit: i64) -> Result<Vec<OutboxMessage>>;
}

/// Changing machinery.
#[async_trait::async_trait]
pub trait Machinery: MachineryRead {
    /// Writes a key. `if_version`: `Some(0)` only if absent (or expired at `now`), `Some(v)` only if unchanged; else `Conflict`.
    async fn kv_put(
        &mut self,
        installation: InstallationId,
        key: &str,
        value: &[u8],
        expires_at: Option<Timestamp>,
        if_version: Option<i64>,
        now: Timestamp,
    ) -> Result<i64>;
    /// Removes a key.
    async fn kv_remove(&mut self, installation: InstallationId, key: &str) -> Result<()>;
    /// Stores a half-finished sign-in.
    async fn insert_login(&mut self, login: &PendingLogin) -> Result<()>;
    /// Takes (and removes) the sign-in of this browser and installation: single use.
    async fn take_login(
        &mut self,
        id: LoginId,
        browser_hash: &[u8],
        installation: InstallationId,
    ) -> Result<Option<PendingLogin>>;
    /// Removes lapsed sign-ins and expired keys; how many.
    async fn sweep(&mut self, now: Timestamp) -> Result<i64>;
    /// Records calls.
    async fn insert_calls(&mut self, calls: &[CallRow]) -> Result<()>;
    /// Removes calls older than; how many.
    async fn prune_calls(&mut self, before: Timestamp) -> Result<i64>;
    /// Keeps a journal if its installation's recording, begun before the call, has a place left, and takes the place;
    /// then removes those beyond the newest `keep` of the installation. False when there was no place.
    async fn keep_journal(&mut self, journal: &JournalRow, keep: i64) -> Result<bool>;
    /// Removes journals older than `before` and recordings that are over; how many.
    async fn prune_journals(&mut self, before: Timestamp, now: Timestamp) -> Result<i64>;
    /// Removes relayed messages.
    async fn delete_outbox(&mut self, ids: &[JobId]) -> Result<()>;
    /// Records that a member's session was used.
    async fn touch_session(&mut self, id_hash: &[u8], at: Timestamp) -> Result<()>;
    /// Records a run's progress while it runs; false when it no longer runs (cancelled).
    async fn set_progress(&mut self, run: ReportRunId, percent: i64) -> Result<bool>;
}
