//! Rows and traits of what tenants are called in addresses besides their slug: their own domains, and former slugs.

use crate::Result;
use aistack_core::{TenantId, Timestamp, text_enum};

text_enum! {
    /// How the proof of a domain stands.
    pub enum DomainStatus {
        /// Not proven yet; routes nothing.
        Pending = "pending",
        /// Proven; routes to its tenant.
        Verified = "verified",
        /// The proof was not found lately; still routes, for a time.
        Failing = "failing",
        /// The proof was missing too long; routes nothing until proven again.
        Unverified = "unverified",
    }
}

impl DomainStatus {
    /// Whether requests for the domain go to its tenant.
    #[must_use]
    pub fn routes(self) -> bool {
        matches!(self, Self::Verified | Self::Failing)
    }
}

/// A domain of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantDomain {
    /// Whose.
    pub tenant_id: TenantId,
    /// Lower case, ASCII, without trailing dot. Many tenants may have the row, one of them proven.
    pub domain: String,
    /// How its proof stands.
    pub status: DomainStatus,
    /// What the TXT record has to say; public once it is in the DNS.
    pub token: String,
    /// Whether links to the tenant use it: 0 or 1; at most one per tenant.
    pub is_primary: i64,
    /// Looks in a row that did not find the proof.
    pub misses: i64,
    /// Code of why the last look did not find the proof.
    pub last_error: Option<String>,
    /// When the DNS was last asked.
    pub checked_at: Option<Timestamp>,
    /// When it is to be asked again; `None` while nothing is proven.
    pub next_check_at: Option<Timestamp>,
    /// When it was last proven by its tenant.
    pub verified_at: Option<Timestamp>,
    /// Since when it is failing.
    pub failing_since: Option<Timestamp>,
    /// When made.
    pub created_at: Timestamp,
}

/// A slug that a tenant gave up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldSlug {
    /// The slug.
    pub slug: String,
    /// Whose it was and stays.
    pub tenant_id: TenantId,
    /// When it was given up.
    pub released_at: Timestamp,
    /// Until when requests for it are sent on.
    pub redirect_until: Timestamp,
}

/// Reading domains and former slugs.
#[async_trait::async_trait]
pub trait DomainsRead: Send {
    /// A tenant's domain.
    async fn get(&mut self, tenant: TenantId, domain: &str) -> Result<Option<TenantDomain>>;
    /// All of a tenant, by name.
    async fn of_tenant(&mut self, tenant: TenantId) -> Result<Vec<TenantDomain>>;
    /// The row by which a domain routes, if one does.
    async fn routed(&mut self, domain: &str) -> Result<Option<TenantDomain>>;
    /// Primary domains that route, of tenants whose ids lie between the two (both included).
    async fn primaries(&mut self, first: TenantId, last: TenantId) -> Result<Vec<(TenantId, String)>>;
    /// Domains whose next check is due, the longest waiting first.
    async fn due(&mut self, now: Timestamp, limit: i64) -> Result<Vec<TenantDomain>>;
    /// A former slug.
    async fn old_slug(&mut self, slug: &str) -> Result<Option<OldSlug>>;
    /// How many former slugs a tenant has.
    async fn count_old_slugs(&mut self, tenant: TenantId) -> Result<i64>;
}

/// Changing domains and former slugs.
#[async_trait::async_trait]
pub trait Domains: DomainsRead {
    /// Adds one.
    async fn insert(&mut self, row: &TenantDomain) -> Result<()>;
    /// Replaces everything but tenant, name and making; `Conflict` when it is gone, `AlreadyExists` when another tenant
    /// has proven the domain or the tenant has another primary one.
    async fn update(&mut self, row: &TenantDomain) -> Result<()>;
    /// Takes the mark of the primary domain from whichever of the tenant's has it.
    async fn clear_primary(&mut self, tenant: TenantId) -> Result<()>;
    /// Removes one; false when it was not there.
    async fn delete(&mut self, tenant: TenantId, domain: &str) -> Result<bool>;
    /// Keeps a slug that a tenant gives up.
    async fn keep_old_slug(&mut self, row: &OldSlug) -> Result<()>;
    /// Forgets a former slug because its own tenant takes it again; false when it is not that tenant's.
    async fn take_back_slug(&mut self, tenant: TenantId, slug: &str) -> Result<bool>;
}
