//! What the platform keeps, as traits: one per domain, no SQL, no pool. The two stores mount `sql/*.rs` and implement
//! these; the domain knows nothing else of databases.
//!
//! Four ways in, never mixed:
//! - [`TenantTx`] / [`PlatformTx`] change business state and can only be committed together with audit entries;
//! - [`TenantRead`] / [`PlatformRead`] can't commit and offer no writing method;
//! - [`TenantMachine`] / [`PlatformMachine`] keep the machinery going (leases, plugin state, sign-in state, receipts)
//!   and can reach nothing that a person would ask the audit log about.

pub mod domains;
pub mod durability;
pub mod error;
pub mod page;
pub mod platform;
pub mod tenant;

pub use domains::*;
pub use durability::Durability;
pub use error::{Result, StoreError};
pub use page::Page;
pub use platform::*;
pub use tenant::*;

use aistack_core::{AuditEntry, TenantId, TenantScope};

/// Audit entries of one commit: at least one.
#[derive(Debug, Clone)]
pub struct Audit(Vec<AuditEntry>);

impl Audit {
    /// A commit that records one event.
    #[must_use]
    pub fn one(entry: AuditEntry) -> Self {
        Self(vec![entry])
    }
    /// A commit that records several events; `None` when there are none.
    #[must_use]
    pub fn many(entries: Vec<AuditEntry>) -> Option<Self> {
        (!entries.is_empty()).then_some(Self(entries))
    }
    /// The entries, in order.
    #[must_use]
    pub fn entries(&self) -> &[AuditEntry] {
        &self.0
    }
}

/// One thing a database was asked to prove, see [`Store::probe`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// What it is, in `snake_case`.
    pub name: &'static str,
    /// Whether it holds.
    pub holds: bool,
    /// What was found, for people.
    pub found: String,
}

/// A database of the platform and of every tenant.
///
/// The first database error inside a transaction ends it, on both databases alike: whatever is called afterwards answers
/// an error and nothing is committed. A guard that did not hold ([`StoreError::Conflict`]) is an answer, not an error,
/// and ends nothing. Whether a row exists is therefore asked before it is inserted, or the whole transaction is tried again.
///
/// A tenant has one business transaction ([`Store::tenant`]) at a time; later ones wait for it. So a rule that holds
/// over several rows (the last owner stays) may read first and write then.
#[async_trait::async_trait]
pub trait Store: Send + Sync {
    /// `sqlite` or `postgres`.
    fn backend(&self) -> &'static str;

    /// The scope of an existing tenant: the only place where scopes come from.
    async fn scope(&self, id: TenantId) -> Result<Option<TenantScope>>;
    /// The scope of the tenant with this slug.
    async fn scope_by_slug(&self, slug: &str) -> Result<Option<TenantScope>>;
    /// Makes the tenant's storage (file, schema) if it is not there; repeating it changes nothing.
    async fn provision(&self, scope: &TenantScope) -> Result<()>;
    /// Erases everything in the tenant's storage for good, its audit log included; repeating it changes nothing. Whoever
    /// calls has seen to it that nobody works in the tenant any more.
    async fn erase(&self, scope: &TenantScope) -> Result<()>;
    /// What the database itself does to keep these two tenants apart, tried out: each with what was found.
    async fn probe(&self, a: &TenantScope, b: &TenantScope) -> Result<Vec<Probe>>;

    /// Begins a change of platform state.
    async fn platform(&self) -> Result<Box<dyn PlatformTx>>;
    /// Reads platform state, one consistent snapshot.
    async fn platform_read(&self) -> Result<Box<dyn PlatformRead>>;
    /// Begins a change of platform machinery.
    async fn platform_machine(&self) -> Result<Box<dyn PlatformMachine>>;

    /// Begins a change of the tenant's state.
    async fn tenant(&self, scope: &TenantScope) -> Result<Box<dyn TenantTx>>;
    /// Reads the tenant's state, one consistent snapshot.
    async fn tenant_read(&self, scope: &TenantScope) -> Result<Box<dyn TenantRead>>;
    /// Begins a change of the tenant's machinery.
    async fn tenant_machine(&self, scope: &TenantScope) -> Result<Box<dyn TenantMachine>>;

    /// Whether the database answers; the text says what was tried.
    async fn health(&self) -> Result<String>;
    /// Finishes what is in flight and closes all files and connections.
    async fn close(&self);
}

/// A change of platform state in progress. Dropping it undoes everything.
#[async_trait::async_trait]
pub trait PlatformTx: Send {
    /// Operators and their sessions.
    fn operators(&mut self) -> &mut dyn Operators;
    /// The tenant catalogue.
    fn tenants(&mut self) -> &mut dyn Tenants;
    /// Tenants' own domains and former slugs.
    fn domains(&mut self) -> &mut dyn Domains;
    /// Installed plugin versions.
    fn plugins(&mut self) -> &mut dyn PluginVersions;
    /// Gateway routes.
    fn routes(&mut self) -> &mut dyn Routes;
    /// Platform settings and keys.
    fn settings(&mut self) -> &mut dyn Settings;
    /// Durable jobs.
    fn jobs(&mut self) -> &mut dyn Jobs;
    /// The operator's audit log.
    fn audit(&mut self) -> &mut dyn AuditRead;
    /// Makes everything durable, together with its audit entries.
    async fn commit(self: Box<Self>, audit: Audit) -> Result<()>;
}

/// A snapshot of platform state.
pub trait PlatformRead: Send {
    /// Operators and their sessions.
    fn operators(&mut self) -> &mut dyn OperatorsRead;
    /// The tenant catalogue.
    fn tenants(&mut self) -> &mut dyn TenantsRead;
    /// Tenants' own domains and former slugs.
    fn domains(&mut self) -> &mut dyn DomainsRead;
    /// Installed plugin versions.
    fn plugins(&mut self) -> &mut dyn PluginVersionsRead;
    /// Gateway routes.
    fn routes(&mut self) -> &mut dyn RoutesRead;
    /// Platform settings and keys.
    fn settings(&mut self) -> &mut dyn SettingsRead;
    /// Durable jobs.
    fn jobs(&mut self) -> &mut dyn JobsRead;
    /// The operator's audit log.
    fn audit(&mut self) -> &mut dyn AuditRead;
}

/// A change of platform machinery: the job queue's leases and the sessions' last use.
#[async_trait::async_trait]
pub trait PlatformMachine: Send {
    /// Durable jobs.
    fn jobs(&mut self) -> &mut dyn Jobs;
    /// Records a look at a domain's proof that changed nothing in its state; false when somebody else was faster.
    async fn note_domain_check(&mut self, row: &TenantDomain, before: Option<aistack_core::Timestamp>) -> Result<bool>;
    /// Records that an operator's session was used.
    async fn touch_operator_session(&mut self, id_hash: &[u8], at: aistack_core::Timestamp) -> Result<()>;
    /// Makes it durable.
    async fn commit(self: Box<Self>) -> Result<()>;
}

/// A change of one tenant's state in progress. Dropping it undoes everything.
#[async_trait::async_trait]
pub trait TenantTx: Send {
    /// Members, their identities and sessions.
    fn users(&mut self) -> &mut dyn Users;
    /// Enabled plugins and their secrets.
    fn installations(&mut self) -> &mut dyn Installations;
    /// Usage events, rollups and quota counters.
    fn usage(&mut self) -> &mut dyn Usage;
    /// Orders and received deliveries.
    fn orders(&mut self) -> &mut dyn Orders;
    /// Report runs and files.
    fn reports(&mut self) -> &mut dyn Reports;
    /// Keys under which personal data is sealed.
    fn subject_keys(&mut self) -> &mut dyn SubjectKeys;
    /// The machinery's tables, where a change of business state needs both in one transaction.
    fn machinery(&mut self) -> &mut dyn Machinery;
    /// The tenant's audit log.
    fn audit(&mut self) -> &mut dyn AuditRead;
    /// Leaves a message that becomes a durable job once this transaction is committed.
    async fn push_outbox(&mut self, message: &OutboxMessage) -> Result<()>;
    /// Makes everything durable, together with its audit entries as leaves of the tenant's Merkle log.
    async fn commit(self: Box<Self>, audit: Audit) -> Result<()>;
}

/// A snapshot of one tenant's state.
pub trait TenantRead: Send {
    /// Members, their identities and sessions.
    fn users(&mut self) -> &mut dyn UsersRead;
    /// Enabled plugins and their secrets.
    fn installations(&mut self) -> &mut dyn InstallationsRead;
    /// Usage events, rollups and quota counters.
    fn usage(&mut self) -> &mut dyn UsageRead;
    /// Orders and received deliveries.
    fn orders(&mut self) -> &mut dyn OrdersRead;
    /// Report runs and files.
    fn reports(&mut self) -> &mut dyn ReportsRead;
    /// Keys under which personal data is sealed.
    fn subject_keys(&mut self) -> &mut dyn SubjectKeysRead;
    /// The machinery's tables.
    fn machinery(&mut self) -> &mut dyn MachineryRead;
    /// The tenant's audit log.
    fn audit(&mut self) -> &mut dyn AuditRead;
}

/// A change of one tenant's machinery.
#[async_trait::async_trait]
pub trait TenantMachine: Send {
    /// Plugin key-value state, sign-in state, call receipts, session use, outbox relay.
    fn machinery(&mut self) -> &mut dyn Machinery;
    /// Makes it durable.
    async fn commit(self: Box<Self>) -> Result<()>;
}
