//! The tenant as a type: its states, where its data lives, and the scope without which no tenant query compiles.

use crate::{TenantId, text_enum};
use std::sync::Arc;

text_enum! {
    /// The tenant's state (product §1). What each state allows is decided in `domain::tenancy`.
    pub enum TenantStatus {
        /// Contact not yet verified.
        PendingVerification = "pending_verification",
        /// Verified, waiting for a reviewer.
        PendingApproval = "pending_approval",
        /// Store and defaults are being created; resumes after a crash.
        Provisioning = "provisioning",
        /// In normal use.
        Active = "active",
        /// A payment is overdue.
        PastDue = "past_due",
        /// Reads only.
        ReadOnly = "read_only",
        /// Nobody but operators may act.
        Suspended = "suspended",
        /// Leaving; export is possible.
        Closing = "closing",
        /// All data gone.
        Purged = "purged",
    }
}

text_enum! {
    /// Where the tenant's rows live.
    pub enum Isolation {
        /// Shared tables (one shared tenant file on SQLite, forced row-level security on PostgreSQL).
        Row = "row",
        /// Own schema (PostgreSQL).
        Schema = "schema",
        /// Own database, or own file on SQLite.
        Database = "database",
    }
}

/// Proof that a tenant exists in the catalogue, and the only key to its data.
///
/// Every tenant query takes its tenant from a scope; there is no other way to name one. Scopes come from the
/// stores' tenant catalogue alone (a lint bans the constructor everywhere else), so a scope for a tenant that was
/// never created cannot be had.
#[derive(Clone, PartialEq, Eq)]
pub struct TenantScope {
    id: TenantId,
    slug: Arc<str>,
    isolation: Isolation,
}

impl TenantScope {
    /// For the tenant catalogue alone.
    #[doc(hidden)]
    #[must_use]
    pub fn from_catalogue(id: TenantId, slug: &str, isolation: Isolation) -> Self {
        Self {
            id,
            slug: slug.into(),
            isolation,
        }
    }
    /// The tenant.
    #[must_use]
    pub fn id(&self) -> TenantId {
        self.id
    }
    /// Its slug, for logs.
    #[must_use]
    pub fn slug(&self) -> &str {
        &self.slug
    }
    /// Where its rows live.
    #[must_use]
    pub fn isolation(&self) -> Isolation {
        self.isolation
    }
}

impl core::fmt::Debug for TenantScope {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "TenantScope({})", self.slug)
    }
}
