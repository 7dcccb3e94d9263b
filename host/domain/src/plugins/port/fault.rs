//! How an operation of a plugin fails.

use aistack_core::text_enum;
use std::time::Duration;

text_enum! {
    /// The kind of a fault a plugin reports (`aistack:core/types.kind`).
    pub enum FaultKind {
        /// The operation is not offered.
        Unsupported = "unsupported",
        /// The installation's configuration can't work.
        InvalidConfig = "invalid-config",
        /// The caller's input can't work.
        InvalidInput = "invalid-input",
        /// Policy or the provider said no.
        Denied = "denied",
        /// The thing does not exist at the provider.
        NotFound = "not-found",
        /// The provider's state does not allow this.
        Conflict = "conflict",
        /// The payment was declined.
        Declined = "declined",
        /// The sign-in, code or session is too old.
        Expired = "expired",
        /// A signature is missing, wrong or too old.
        SignatureInvalid = "signature-invalid",
        /// The provider asked to slow down.
        RateLimited = "rate-limited",
        /// The provider could not be reached.
        Transport = "transport",
        /// The provider answered with an error of its own.
        Provider = "provider",
        /// A defect of the plugin; traps are mapped here.
        Internal = "internal",
    }
}

/// A typed failure of a plugin operation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {code}: {message}")]
pub struct Fault {
    /// The kind; decides the breaker and the answer.
    pub kind: FaultKind,
    /// A stable code, e.g. `id_token_expired`.
    pub code: String,
    /// For operators.
    pub message: String,
    /// For the person at the screen.
    pub user_message: Option<String>,
    /// When to try again.
    pub retry_after: Option<Duration>,
    /// The provider may have acted; look it up before doing anything again.
    pub outcome_unknown: bool,
    /// The provider's own reference of the failure.
    pub provider_ref: Option<String>,
}

/// The tenant has made as many calls in this second as it may.
pub const TENANT_CALLS: &str = "tenant_calls_exceeded";
/// The tenant's calls have computed as long in this minute as they may.
pub const TENANT_CPU: &str = "tenant_cpu_exceeded";
/// The tenant's calls have sent and received as much today as they may.
pub const TENANT_EGRESS: &str = "tenant_egress_exceeded";

/// Whether a code says that a tenant has used up what it may.
#[must_use]
pub fn over_budget(code: &str) -> bool {
    [TENANT_CALLS, TENANT_CPU, TENANT_EGRESS].contains(&code)
}

impl Fault {
    /// A fault with neither user text nor hints.
    #[must_use]
    pub fn new(kind: FaultKind, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            kind,
            code: code.into(),
            message: message.into(),
            user_message: None,
            retry_after: None,
            outcome_unknown: false,
            provider_ref: None,
        }
    }
    /// Whether the tenant has used up what it may: neither the plugin nor its provider has anything to do with that.
    #[must_use]
    pub fn is_over_budget(&self) -> bool {
        over_budget(&self.code)
    }
    /// Whether this failure speaks of the plugin's or the provider's health, and so feeds the breaker.
    #[must_use]
    pub fn feeds_breaker(&self) -> bool {
        !self.is_over_budget()
            && matches!(
                self.kind,
                FaultKind::Transport | FaultKind::RateLimited | FaultKind::Provider | FaultKind::Internal
            )
    }
}
