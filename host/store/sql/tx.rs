//! The transactions themselves: what each kind may reach. Which kind a transaction is, is a type; the database enforces
//! it again (a read runs on a connection or in a transaction that can't write).

use crate::held::Held;
use aistack_core::{TenantId, Timestamp};
use aistack_store::*;

/// A transaction on the platform's tables.
pub(crate) struct PlatformDb {
    pub(super) held: Held,
}

/// A transaction on one tenant's tables.
pub(crate) struct TenantDb {
    pub(super) held: Held,
    pub(super) tenant: TenantId,
}

impl PlatformDb {
    /// Takes a transaction that has begun.
    pub(crate) fn new(held: Held) -> Self {
        Self { held }
    }
    /// As a change of state.
    pub(crate) fn change(self) -> Box<dyn PlatformTx> {
        Box::new(PlatformChange(self))
    }
    /// As a snapshot.
    pub(crate) fn read(self) -> Box<dyn PlatformRead> {
        Box::new(PlatformSnapshot(self))
    }
    /// As a change of the machinery.
    pub(crate) fn machine(self) -> Box<dyn PlatformMachine> {
        Box::new(PlatformEngine(self))
    }
}

impl TenantDb {
    /// Takes a transaction that has begun for this tenant.
    pub(crate) fn new(held: Held, tenant: TenantId) -> Self {
        Self { held, tenant }
    }
    /// As a change of state.
    pub(crate) fn change(self) -> Box<dyn TenantTx> {
        Box::new(TenantChange(self))
    }
    /// As a snapshot.
    pub(crate) fn read(self) -> Box<dyn TenantRead> {
        Box::new(TenantSnapshot(self))
    }
    /// As a change of the machinery.
    pub(crate) fn machine(self) -> Box<dyn TenantMachine> {
        Box::new(TenantEngine(self))
    }
}

struct PlatformChange(PlatformDb);
struct PlatformSnapshot(PlatformDb);
struct PlatformEngine(PlatformDb);
struct TenantChange(TenantDb);
struct TenantSnapshot(TenantDb);
struct TenantEngine(TenantDb);

/// `fn name(&mut self) -> &mut dyn Trait` for each, all answered by the same transaction.
macro_rules! reach {
    ($($name:ident: $trait:ident),+ $(,)?) => {
        $(fn $name(&mut self) -> &mut dyn $trait { &mut self.0 })+
    };
}

#[async_trait::async_trait]
impl PlatformTx for PlatformChange {
    reach! {
        operators: Operators, tenants: Tenants, domains: Domains, plugins: PluginVersions, routes: Routes, settings: Settings,
        jobs: Jobs, audit: AuditRead,
    }
    async fn commit(self: Box<Self>, audit: Audit) -> Result<()> {
        let mut db = self.0;
        db.append(&audit).await?;
        db.held.commit().await
    }
}

impl PlatformRead for PlatformSnapshot {
    reach! {
        operators: OperatorsRead, tenants: TenantsRead, domains: DomainsRead, plugins: PluginVersionsRead, routes: RoutesRead,
        settings: SettingsRead, jobs: JobsRead, audit: AuditRead,
    }
}

#[async_trait::async_trait]
impl PlatformMachine for PlatformEngine {
    reach! { jobs: Jobs }
    async fn note_domain_check(&mut self, row: &TenantDomain, before: Option<Timestamp>) -> Result<bool> {
        self.0.note_domain_check(row, before).await
    }
    async fn touch_operator_session(&mut self, id_hash: &[u8], at: Timestamp) -> Result<()> {
        self.0.touch_operator_session(id_hash, at).await
    }
    async fn commit(self: Box<Self>) -> Result<()> {
        self.0.held.commit().await
    }
}

#[async_trait::async_trait]
impl TenantTx for TenantChange {
    reach! {
        users: Users, installations: Installations, usage: Usage, orders: Orders, reports: Reports,
        subject_keys: SubjectKeys, machinery: Machinery, audit: AuditRead,
    }
    async fn push_outbox(&mut self, message: &OutboxMessage) -> Result<()> {
        self.0.push_outbox(message).await
    }
    async fn commit(self: Box<Self>, audit: Audit) -> Result<()> {
        let mut db = self.0;
        db.append(&audit).await?;
        db.held.commit().await
    }
}

impl TenantRead for TenantSnapshot {
    reach! {
        users: UsersRead, installations: InstallationsRead, usage: UsageRead, orders: OrdersRead, reports: ReportsRead,
        subject_keys: SubjectKeysRead, machinery: MachineryRead, audit: AuditRead,
    }
}

#[async_trait::async_trait]
impl TenantMachine for TenantEngine {
    reach! { machinery: Machinery }
    async fn commit(self: Box<Self>) -> Result<()> {
        self.0.held.commit().await
    }
}
