//! Making faults: one constructor per kind, and the hints a host acts on.

use crate::types::{Fault, Kind};

/// Defines a constructor per kind.
macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident = $kind:ident;)*) => {
        impl Fault {
            $($(#[$doc])*
            #[must_use]
            pub fn $name(code: impl Into<String>, message: impl Into<String>) -> Self {
                Self::new(Kind::$kind, code, message)
            })*
        }
    };
}

constructors! {
    /// The installation's configuration can't work.
    invalid_config = InvalidConfig;
    /// The caller's input can't work.
    invalid_input = InvalidInput;
    /// Policy, or the provider, said no.
    denied = Denied;
    /// The provider does not know the thing.
    not_found = NotFound;
    /// The state of the thing does not allow this.
    conflict = Conflict;
    /// The payment was declined.
    declined = Declined;
    /// Too old.
    expired = Expired;
    /// A signature is missing, wrong or too old.
    signature_invalid = SignatureInvalid;
    /// The provider asked to slow down.
    rate_limited = RateLimited;
    /// The provider could not be reached.
    transport = Transport;
    /// The provider answered with an error of its own, or with nonsense.
    provider = Provider;
    /// A defect of the plugin.
    internal = Internal;
}

impl Fault {
    /// A fault without hints. `code` is stable and machine-readable, `message` is for operators; neither may carry a
    /// secret.
    #[must_use]
    pub fn new(kind: Kind, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            kind,
            code: code.into(),
            message: message.into(),
            user_message: None,
            retry_after_ms: None,
            outcome_unknown: false,
            provider_ref: None,
        }
    }

    /// The operation is not offered by this plugin.
    #[must_use]
    pub fn unsupported(operation: &str) -> Self {
        Self::new(
            Kind::Unsupported,
            "unsupported",
            format!("{operation} is not offered by this plugin"),
        )
    }

    /// Adds what the person at the screen may read.
    #[must_use]
    pub fn user_message(mut self, text: impl Into<String>) -> Self {
        self.user_message = Some(text.into());
        self
    }

    /// Adds when to try again.
    #[must_use]
    pub fn retry_after_ms(mut self, ms: u32) -> Self {
        self.retry_after_ms = Some(ms);
        self
    }

    /// Says that the provider may have acted: the host looks it up before it does anything again.
    #[must_use]
    pub fn outcome_unknown(mut self) -> Self {
        self.outcome_unknown = true;
        self
    }

    /// Adds the provider's own reference of the failure (a request id).
    #[must_use]
    pub fn provider_ref(mut self, reference: impl Into<String>) -> Self {
        self.provider_ref = Some(reference.into());
        self
    }
}
