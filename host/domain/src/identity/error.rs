//! Why a sign-in does not come to an end.

use crate::Problem;
use aistack_core::{Outcome, ProblemKind};

/// A sign-in that was refused by the platform's own rules. The code is the problem's `reason`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// No pending sign-in of this browser and connection: unknown, used, lapsed, or of another browser.
    #[error("this sign-in was not started in this browser, was used already, or has lapsed; start again")]
    StateInvalid,
    /// Where to go afterwards is not a local path.
    #[error("return_to is not a path on this site")]
    ReturnTo,
    /// The address belongs to a member who has not linked this connection.
    #[error("an account with this e-mail address exists already; sign in to it the usual way")]
    AccountExists,
    /// Accounts are not made at sign-in here.
    #[error("there is no account for you here; ask an administrator to add you")]
    NotProvisioned,
    /// The address is of a domain the connection may not speak for.
    #[error("your e-mail domain is not allowed to sign in here")]
    DomainNotAllowed,
    /// The member was switched off.
    #[error("this account is disabled")]
    UserDisabled,
    /// The plugin's answer breaks a rule of the contract; the text says which.
    #[error("the identity provider's answer was not acceptable")]
    BadAnswer(&'static str),
}

impl LoginError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::StateInvalid => "state_invalid",
            Self::ReturnTo => "return_to",
            Self::AccountExists => "account_exists",
            Self::NotProvisioned => "not_provisioned",
            Self::DomainNotAllowed => "domain_not_allowed",
            Self::UserDisabled => "user_disabled",
            Self::BadAnswer(code) => code,
        }
    }
    /// How the audit log calls it.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::BadAnswer(_) => Outcome::Failed,
            Self::StateInvalid
            | Self::ReturnTo
            | Self::AccountExists
            | Self::NotProvisioned
            | Self::DomainNotAllowed
            | Self::UserDisabled => Outcome::Denied,
        }
    }
}

impl From<LoginError> for Problem {
    fn from(e: LoginError) -> Self {
        let kind = match &e {
            LoginError::StateInvalid => ProblemKind::LoginStateInvalid,
            LoginError::ReturnTo => ProblemKind::MalformedRequest,
            LoginError::BadAnswer(_) => ProblemKind::PluginFailed,
            LoginError::AccountExists
            | LoginError::NotProvisioned
            | LoginError::DomainNotAllowed
            | LoginError::UserDisabled => ProblemKind::LoginRefused,
        };
        Self::new(kind, e.to_string()).with("reason", e.code())
    }
}
