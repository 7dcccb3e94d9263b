//! Why a component is not trusted.

use super::{Tier, Trust};
use crate::Problem;
use aistack_core::ProblemKind;

/// Why a component is not taken, enabled or loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// No known publisher has signed it.
    #[error("no publisher known here has signed the component; {0} is demanded")]
    Unsigned(Trust),
    /// A signature does not fit.
    #[error("signature: {0}")]
    SignatureInvalid(String),
    /// Somebody signed what is published under another name.
    #[error("{signer:?} signed a component whose manifest says publisher {publisher:?} and id {id:?}")]
    PublisherMismatch {
        /// Who signed.
        signer: String,
        /// Who the manifest names.
        publisher: String,
        /// The plugin's id.
        id: String,
    },
    /// The key is no longer believed.
    #[error("key {0} has been revoked")]
    KeyRevoked(String),
    /// The publisher is known, but not trusted enough.
    #[error("the publisher is trusted as {has}; {needed} is demanded")]
    TierTooLow {
        /// What it has.
        has: Tier,
        /// What is demanded.
        needed: Trust,
    },
    /// An older version than the highest signed one.
    #[error("version {found} is older than {highest}, which is installed and signed")]
    Downgrade {
        /// The version.
        found: String,
        /// The highest signed one.
        highest: String,
    },
    /// Not the bytes that were expected.
    #[error("the component has digest {found}; {expected} was expected")]
    DigestMismatch {
        /// What was expected.
        expected: String,
        /// What came.
        found: String,
    },
    /// It needs a newer host.
    #[error("the plugin needs host {needed} or newer; this is {have}")]
    MinHost {
        /// What it needs.
        needed: String,
        /// What this is.
        have: String,
    },
    /// An operator or the platform took it out of service.
    #[error("this version is quarantined: {0}")]
    Quarantined(String),
}

impl TrustError {
    /// The stable reason.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Unsigned(_) => "unsigned",
            Self::SignatureInvalid(_) => "signature_invalid",
            Self::PublisherMismatch { .. } => "publisher_mismatch",
            Self::KeyRevoked(_) => "key_revoked",
            Self::TierTooLow { .. } => "tier_too_low",
            Self::Downgrade { .. } => "downgrade",
            Self::DigestMismatch { .. } => "digest_mismatch",
            Self::MinHost { .. } => "min_host",
            Self::Quarantined(_) => "quarantined",
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Unsigned(_) => {
                "have the publisher sign it and add their key: aistack plugin trust add; for development alone: [plugins] trust = \
                 \"development\""
            }
            Self::SignatureInvalid(_) => {
                "the component was changed after it was signed, or the signature is another's: get both anew"
            }
            Self::PublisherMismatch { .. } => {
                "the key's publisher, the manifest's publisher and the first part of the id have to agree"
            }
            Self::KeyRevoked(_) => "have it signed with a key that is in force",
            Self::TierTooLow { .. } => {
                "add the publisher's key at a higher tier, if you trust them that far: aistack plugin trust add --tier"
            }
            Self::Downgrade { .. } => "if it is meant, say so: --allow-downgrade",
            Self::DigestMismatch { .. } => "get the component anew from where the digest came from",
            Self::MinHost { .. } => "update the platform, or take an older version of the plugin",
            Self::Quarantined(_) => "take another version, or lift the quarantine: aistack plugin quarantine --lift",
        }
    }
}

impl From<TrustError> for Problem {
    fn from(e: TrustError) -> Self {
        let kind = match &e {
            TrustError::Quarantined(_) => ProblemKind::PluginUnavailable,
            _ => ProblemKind::PluginRefused,
        };
        Self::new(kind, e.to_string()).with("reason", e.reason()).hint(e.hint())
    }
}
