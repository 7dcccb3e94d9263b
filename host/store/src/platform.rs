//! Rows and traits of the platform store: operators, the tenant catalogue, plugin versions, routes, settings, jobs.

use crate::{Page, Result};
use aistack_core::{
    AuditEventId, Isolation, JobId, OperatorId, OperatorRole, PluginVersionId, RouteId, SessionId, TenantId,
    TenantStatus, Timestamp, text_enum,
};
use uuid::Uuid;

/// A person who runs the platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// Id.
    pub id: OperatorId,
    /// Address, lower case; unique.
    pub email: String,
    /// Name.
    pub name: String,
    /// Argon2id PHC string.
    pub password_hash: String,
    /// Role.
    pub role: OperatorRole,
    /// When made.
    pub created_at: Timestamp,
    /// When disabled.
    pub disabled_at: Option<Timestamp>,
}

/// A signed-in browser or CLI; ids are stored as SHA-256 of the cookie value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Public id.
    pub id: SessionId,
    /// SHA-256 of the secret in the cookie.
    pub id_hash: Vec<u8>,
    /// The person: operator or user, by the table it stands in.
    pub person: Uuid,
    /// CSRF token, as sent to the page.
    pub csrf_token: String,
    /// How they signed in: `password` or `connection:<installation id>`.
    pub method: String,
    /// When.
    pub created_at: Timestamp,
    /// Last use, to the minute.
    pub last_seen_at: Timestamp,
    /// Absolute end.
    pub expires_at: Timestamp,
    /// When ended early.
    pub revoked_at: Option<Timestamp>,
}

/// Reading operators.
#[async_trait::async_trait]
pub trait OperatorsRead: Send {
    /// How many there are.
    async fn count(&mut self) -> Result<i64>;
    /// By id.
    async fn get(&mut self, id: OperatorId) -> Result<Option<Operator>>;
    /// By address (lower case).
    async fn find_by_email(&mut self, email: &str) -> Result<Option<Operator>>;
    /// The session with this hash, revoked and expired ones included.
    async fn find_session(&mut self, id_hash: &[u8]) -> Result<Option<Session>>;
}

/// Changing operators.
#[async_trait::async_trait]
pub trait Operators: OperatorsRead {
    /// Adds one.
    async fn insert(&mut self, operator: &Operator) -> Result<()>;
    /// Replaces the password hash.
    async fn set_password_hash(&mut self, id: OperatorId, hash: &str) -> Result<()>;
    /// Adds a session.
    async fn insert_session(&mut self, session: &Session) -> Result<()>;
    /// Ends a session; false when there is none in force.
    async fn revoke_session(&mut self, id_hash: &[u8], at: Timestamp) -> Result<bool>;
}

/// A tenant as the catalogue has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Id.
    pub id: TenantId,
    /// DNS label; unique.
    pub slug: String,
    /// Name.
    pub name: String,
    /// State.
    pub status: TenantStatus,
    /// Plan code.
    pub plan: String,
    /// Where its rows live.
    pub isolation: Isolation,
    /// BCP 47.
    pub locale: String,
    /// IANA.
    pub time_zone: String,
    /// ISO 4217.
    pub currency: String,
    /// Set when the tenant was made by `--demo`.
    pub demo_at: Option<Timestamp>,
    /// When made.
    pub created_at: Timestamp,
    /// When last changed; the version for optimistic updates.
    pub updated_at: Timestamp,
}

/// Reading the tenant catalogue.
#[async_trait::async_trait]
pub trait TenantsRead: Send {
    /// By id.
    async fn get(&mut self, id: TenantId) -> Result<Option<Tenant>>;
    /// By slug.
    async fn find_by_slug(&mut self, slug: &str) -> Result<Option<Tenant>>;
    /// A page; `q` looks in slug and name.
    async fn list(&mut self, page: &Page, status: Option<TenantStatus>) -> Result<Vec<Tenant>>;
    /// Number of tenants per state.
    async fn count_by_status(&mut self) -> Result<Vec<(TenantStatus, i64)>>;
    /// Every tenant that may have a storage, oldest first: neither purged nor waiting to be let in.
    async fn ids(&mut self) -> Result<Vec<TenantId>>;
}

/// Changing the tenant catalogue.
#[async_trait::async_trait]
pub trait Tenants: TenantsRead {
    /// Adds one.
    async fn insert(&mut self, tenant: &Tenant) -> Result<()>;
    /// Replaces everything but id and slug, if `updated_at` in the row still equals `expected`; else `Conflict`.
    async fn update(&mut self, tenant: &Tenant, expected: Timestamp) -> Result<()>;
    /// Takes a purged tenant out of the catalogue altogether, so that its slug is free: for tenants that never were
    /// anybody's. False when it is not there or not purged.
    async fn forget(&mut self, id: TenantId) -> Result<bool>;
    /// Gives it the slug in the row, if `updated_at` still equals `expected`; else `Conflict`.
    async fn rename(&mut self, tenant: &Tenant, expected: Timestamp) -> Result<()>;
}

/// An installed plugin version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginVersion {
    /// Id.
    pub id: PluginVersionId,
    /// E.g. `official.stripe`.
    pub plugin_id: String,
    /// Semantic version.
    pub version: String,
    /// `identity`, `payment`, `report`.
    pub kind: String,
    /// Contract version.
    pub contract: String,
    /// SHA-256 of the component, hex; unique.
    pub digest: String,
    /// Bytes.
    pub size: i64,
    /// Publisher.
    pub publisher: String,
    /// Manifest as JSON.
    pub manifest: String,
    /// Config schema as JSON.
    pub config_schema: String,
    /// Imported interfaces as a JSON array.
    pub imports: String,
    /// When installed.
    pub installed_at: Timestamp,
}

/// Reading plugin versions.
#[async_trait::async_trait]
pub trait PluginVersionsRead: Send {
    /// By id.
    async fn get(&mut self, id: PluginVersionId) -> Result<Option<PluginVersion>>;
    /// By component digest.
    async fn find_by_digest(&mut self, digest: &str) -> Result<Option<PluginVersion>>;
    /// All versions of a plugin, newest installation first.
    async fn versions(&mut self, plugin_id: &str) -> Result<Vec<PluginVersion>>;
    /// A page; `q` looks in the plugin id.
    async fn list(&mut self, page: &Page) -> Result<Vec<PluginVersion>>;
    /// How many installations use a digest, by the catalogue's own count.
    async fn uses(&mut self, digest: &str) -> Result<i64>;
    /// The component's bytes; versions from before the table was made have none here.
    async fn bytes(&mut self, digest: &str) -> Result<Option<Vec<u8>>>;
}

/// Changing plugin versions.
#[async_trait::async_trait]
pub trait PluginVersions: PluginVersionsRead {
    /// Adds one with its component.
    async fn insert(&mut self, version: &PluginVersion, bytes: &[u8]) -> Result<()>;
    /// Removes one with its component; false when it was not there.
    async fn delete(&mut self, id: PluginVersionId) -> Result<bool>;
    /// Notes that a tenant's installation uses (or, `None`, no longer uses) a digest.
    async fn set_use(&mut self, tenant: TenantId, installation: Uuid, digest: Option<&str>) -> Result<()>;
    /// Notes that a tenant uses nothing any more; how many installations that were.
    async fn clear_uses(&mut self, tenant: TenantId) -> Result<u64>;
}

/// A gateway route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Id.
    pub id: RouteId,
    /// Only for this tenant, or for all.
    pub tenant_id: Option<TenantId>,
    /// Path prefix with leading slash.
    pub path_prefix: String,
    /// `http(s)://host[:port][/base]`.
    pub upstream: String,
    /// Meter counted by one per call.
    pub meter: String,
    /// Whether the prefix is cut off: 0 or 1.
    pub strip_prefix: i64,
    /// Time to the first byte of the answer, milliseconds.
    pub timeout_ms: i64,
    /// When made.
    pub created_at: Timestamp,
    /// When last changed.
    pub updated_at: Timestamp,
}

/// Reading routes.
#[async_trait::async_trait]
pub trait RoutesRead: Send {
    /// By id.
    async fn get(&mut self, id: RouteId) -> Result<Option<Route>>;
    /// All of them, oldest first.
    async fn all(&mut self) -> Result<Vec<Route>>;
}

/// Changing routes.
#[async_trait::async_trait]
pub trait Routes: RoutesRead {
    /// Adds one; `AlreadyExists` when tenant and prefix are taken.
    async fn insert(&mut self, route: &Route) -> Result<()>;
    /// Replaces one; `Conflict` when it is gone.
    async fn update(&mut self, route: &Route) -> Result<()>;
    /// Removes one; false when it was not there.
    async fn delete(&mut self, id: RouteId) -> Result<bool>;
}

/// Reading platform settings: small named values (sealed ones are opaque here).
#[async_trait::async_trait]
pub trait SettingsRead: Send {
    /// The value under a name.
    async fn get(&mut self, name: &str) -> Result<Option<Vec<u8>>>;
    /// All names with this prefix and their values.
    async fn with_prefix(&mut self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>>;
}

/// Changing platform settings.
#[async_trait::async_trait]
pub trait Settings: SettingsRead {
    /// Sets a value.
    async fn put(&mut self, name: &str, value: &[u8], at: Timestamp) -> Result<()>;
    /// Sets a value only if the name is free; false when it was taken.
    async fn put_new(&mut self, name: &str, value: &[u8], at: Timestamp) -> Result<bool>;
    /// Removes a name; false when it was not there.
    async fn remove(&mut self, name: &str) -> Result<bool>;
}

text_enum! {
    /// Where a job stands.
    pub enum JobState {
        /// Waiting for its time.
        Ready = "ready",
        /// Leased by a worker.
        Running = "running",
        /// Finished.
        Done = "done",
        /// Given up after its last try; an operator may retry it.
        Dead = "dead",
    }
}

/// A durable job. Leases make a crashed worker's job ready again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Id; an outbox message's id becomes its job's id, so relaying twice changes nothing.
    pub id: JobId,
    /// Whose, if a tenant's.
    pub tenant_id: Option<TenantId>,
    /// What to do, e.g. `report.run`.
    pub kind: String,
    /// JSON.
    pub payload: String,
    /// State.
    pub state: JobState,
    /// Tries so far.
    pub attempts: i64,
    /// Most tries.
    pub max_attempts: i64,
    /// Not before.
    pub run_at: Timestamp,
    /// The lease's end while running.
    pub lease_until: Option<Timestamp>,
    /// Why the last try failed.
    pub last_error: Option<String>,
    /// When made.
    pub created_at: Timestamp,
    /// When last changed.
    pub updated_at: Timestamp,
}

/// Reading jobs.
#[async_trait::async_trait]
pub trait JobsRead: Send {
    /// By id.
    async fn get(&mut self, id: JobId) -> Result<Option<Job>>;
    /// A page; `q` looks in the kind.
    async fn list(&mut self, page: &Page, state: Option<JobState>) -> Result<Vec<Job>>;
    /// Number of jobs per state.
    async fn count_by_state(&mut self) -> Result<Vec<(JobState, i64)>>;
    /// When the next job is due.
    async fn next_due(&mut self) -> Result<Option<Timestamp>>;
}

/// Changing jobs.
#[async_trait::async_trait]
pub trait Jobs: JobsRead {
    /// Adds a job unless its id is known already; false then.
    async fn enqueue(&mut self, job: &Job) -> Result<bool>;
    /// Leases the next due job (ready and due, or running with a lease that ended), counting the attempt.
    async fn lease(&mut self, now: Timestamp, until: Timestamp) -> Result<Option<Job>>;
    /// Extends a lease that is still ours (`attempts` equal); false when it was lost.
    async fn extend(&mut self, id: JobId, attempts: i64, until: Timestamp) -> Result<bool>;
    /// Marks done if the lease is still ours; false when it was lost.
    async fn finish(&mut self, id: JobId, attempts: i64, at: Timestamp) -> Result<bool>;
    /// Back to ready at `run_at`, or dead when the attempts are used up; false when the lease was lost.
    async fn fail(&mut self, id: JobId, attempts: i64, error: &str, run_at: Timestamp, at: Timestamp) -> Result<bool>;
    /// Dead at once, whatever attempts are left; false when the lease was lost.
    async fn bury(&mut self, id: JobId, attempts: i64, error: &str, at: Timestamp) -> Result<bool>;
    /// A dead job becomes ready with fresh attempts; false when it is not dead.
    async fn retry(&mut self, id: JobId, at: Timestamp) -> Result<bool>;
    /// Removes jobs done before.
    async fn prune(&mut self, before: Timestamp) -> Result<i64>;
}

/// A stored audit event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Leaf index in the log, from 0 without gaps.
    pub seq: i64,
    /// Id.
    pub id: AuditEventId,
    /// When.
    pub at: Timestamp,
    /// Action.
    pub action: String,
    /// Actor kind.
    pub actor_kind: aistack_core::ActorKind,
    /// Actor id.
    pub actor_id: Option<Uuid>,
    /// Target kind.
    pub target_kind: String,
    /// Target id.
    pub target_id: String,
    /// Outcome.
    pub outcome: aistack_core::Outcome,
    /// Request.
    pub request_id: Option<aistack_core::RequestId>,
    /// The exact leaf bytes.
    pub body: Vec<u8>,
    /// RFC 6962 leaf hash.
    pub leaf_hash: Vec<u8>,
}

/// Which audit events are wanted. All given conditions must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Action; a trailing `*` matches any ending.
    pub action: Option<String>,
    /// Actor id.
    pub actor_id: Option<Uuid>,
    /// Target kind.
    pub target_kind: Option<String>,
    /// Target id.
    pub target_id: Option<String>,
    /// Outcome.
    pub outcome: Option<aistack_core::Outcome>,
    /// Request.
    pub request_id: Option<aistack_core::RequestId>,
    /// From (inclusive).
    pub from: Option<Timestamp>,
    /// To (exclusive).
    pub to: Option<Timestamp>,
    /// Only before this sequence number (newest first) …
    pub before_seq: Option<i64>,
    /// … at most so many.
    pub limit: i64,
}

/// Reading an audit log (the tenant's or the operator's, by where it was taken from).
#[async_trait::async_trait]
pub trait AuditRead: Send {
    /// Matching events, newest first.
    async fn list(&mut self, filter: &AuditFilter) -> Result<Vec<AuditRow>>;
    /// By id.
    async fn get(&mut self, id: AuditEventId) -> Result<Option<AuditRow>>;
    /// Leaves from a sequence number on, oldest first, for verification and export.
    async fn leaves(&mut self, from_seq: i64, limit: i64) -> Result<Vec<AuditRow>>;
    /// Size of the log and its stored frontier.
    async fn frontier(&mut self) -> Result<(i64, Vec<u8>)>;
}
