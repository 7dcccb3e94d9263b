//! What can go wrong with plugins, and how it reads from outside.

use super::{
    grants::{Added, digest_of},
    port::{Fault, FaultKind, Refusal},
};
use crate::{FieldError, Problem, port::ObjectError};
use aistack_core::ProblemKind;

/// A refusal of the plugin rules.
#[derive(Debug, thiserror::Error)]
pub enum PluginError {
    /// The upload is not taken.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The manifest or the config schema is not acceptable.
    #[error("manifest: {}", .0.first().map_or("", |e| &e.message))]
    Manifest(Vec<FieldError>),
    /// The very same component is installed already.
    #[error("this component is installed already as {0}")]
    Installed(String),
    /// That version of the plugin is installed with other content.
    #[error("{plugin_id} {version} is installed already with other content; publish a new version instead")]
    VersionTaken {
        /// The plugin.
        plugin_id: String,
        /// Its version.
        version: String,
    },
    /// A tenant still uses it.
    #[error("{0} installation(s) use this version; disable or upgrade them first")]
    InUse(i64),
    /// Config, secrets or grants of an installation are not acceptable.
    #[error("the plugin's configuration is not valid")]
    ConfigInvalid(Vec<FieldError>),
    /// A change asks for more than was granted.
    #[error("version {version} with this config asks for more than was granted")]
    ConsentNeeded {
        /// The version.
        version: String,
        /// What is new, by kind of grant.
        added: Added,
    },
    /// What was agreed to is not what would be done now.
    #[error("what was agreed to is not what this change asks for now")]
    ConsentStale {
        /// What is new, by kind of grant.
        added: Added,
    },
    /// Nothing waits for consent.
    #[error("no change of this installation waits for consent")]
    NothingPending,
    /// There is no earlier version to go back to.
    #[error("{0}")]
    NoWayBack(String),
    /// The plugin's own translation of the config lost settings.
    #[error("the new version's translation of the config loses {}", .0.join(", "))]
    MigrateLostConfig(Vec<String>),
    /// The plugin could not translate its config.
    #[error("the new version can't translate the config: {0}")]
    MigrateFailed(String),
    /// The operator does not let the tenant use the plugin: it can't be enabled.
    #[error("the operator does not let this plugin be used here")]
    NotAllowed,
    /// Likewise: it can't be called.
    #[error("the operator does not let this plugin be used here any more")]
    Withheld,
    /// The installation is switched off.
    #[error("the plugin is switched off in this tenant")]
    Disabled,
    /// The installation is of another kind than the operation needs.
    #[error("the installation is not a plugin of the kind this needs")]
    WrongKind,
    /// Orders are waiting for the installation's provider.
    #[error("orders are open at this provider; settle or cancel them first, or switch the plugin off")]
    OpenOrders,
}

impl From<PluginError> for Problem {
    fn from(e: PluginError) -> Self {
        use ProblemKind as K;
        let text = e.to_string();
        match e {
            PluginError::Refused(r) => {
                // A failure of the host itself is not the uploader's fault.
                if let Refusal::Host(why) = r {
                    return Self::internal(why);
                }
                Self::new(K::PluginRefused, text).with("reason", reason(&r))
            }
            PluginError::Installed(id) => Self::new(K::AlreadyExists, text).with("plugin", id),
            PluginError::VersionTaken { .. } => Self::new(K::AlreadyExists, text),
            PluginError::InUse(n) => Self::new(K::Conflict, text).with("installations", n),
            PluginError::ConfigInvalid(errors) => Self {
                detail: errors.first().map_or(text, |e| e.message.clone()),
                errors,
                ..Self::new(K::PluginConfigInvalid, "")
            },
            PluginError::Manifest(errors) => Self {
                errors,
                ..Self::new(K::PluginRefused, text).with("reason", "manifest")
            },
            PluginError::ConsentNeeded { added, .. } | PluginError::ConsentStale { added } => Self::new(
                K::Conflict,
                text,
            )
            .with("reason", "consent_needed")
            .with("added_digest", digest_of(&added))
            .with("added", serde_json::json!(added))
            .hint(
                "agree by repeating the request with `consent` set to `added_digest` (or with `grants`); or send \
                         `when_consented: true` to let it wait for somebody who agrees",
            ),
            PluginError::NothingPending => Self::new(K::Conflict, text).with("reason", "nothing_pending"),
            PluginError::NoWayBack(_) => Self::new(K::Conflict, text)
                .with("reason", "no_previous_version")
                .hint("change the version instead"),
            PluginError::MigrateLostConfig(pointers) => Self {
                errors: pointers
                    .into_iter()
                    .map(|p| {
                        FieldError::new(
                            p,
                            "migrate_lost_config",
                            "the new version still has this setting, and lost its value",
                        )
                        .hint("send the whole `config` for the new version with the request")
                    })
                    .collect(),
                ..Self::new(K::PluginConfigInvalid, text).with("reason", "migrate_lost_config")
            },
            PluginError::MigrateFailed(_) => Self::new(K::PluginConfigInvalid, text)
                .with("reason", "migrate_failed")
                .hint("send the whole `config` for the new version with the request"),
            PluginError::NotAllowed => Self::new(K::PluginRefused, text)
                .with("reason", "not_allowed")
                .hint("ask the operator: aistack plugin ceiling"),
            PluginError::Withheld => Self::new(K::PluginUnavailable, text)
                .with("reason", "not_allowed")
                .hint("ask the operator: aistack plugin ceiling"),
            PluginError::Disabled => Self::new(K::PluginUnavailable, text),
            PluginError::WrongKind | PluginError::OpenOrders => Self::new(K::Conflict, text),
        }
    }
}

/// The stable `reason` of a refused upload.
#[must_use]
pub fn reason(r: &Refusal) -> &'static str {
    match r {
        Refusal::NotAComponent(_) => "not_a_component",
        Refusal::WrongWorld(_) => "wrong_world",
        Refusal::WrongVersion { .. } => "wrong_version",
        Refusal::TooLarge { .. } => "too_large",
        Refusal::UnknownImports(_) => "unknown_imports",
        Refusal::NotGranted(_) => "not_granted",
        Refusal::Manifest(_) => "manifest",
        Refusal::Signatures(_) => "signature_invalid",
        Refusal::Compile(_) => "compile",
        Refusal::Missing(_) => "missing",
        Refusal::Host(_) => "host",
    }
}

impl From<ObjectError> for Problem {
    fn from(e: ObjectError) -> Self {
        match e {
            ObjectError::NotFound(_) => Self::not_found("file"),
            ObjectError::Io(_) => {
                tracing::error!(error = %crate::problem::error_chain(&e), "the object store failed");
                Self::new(ProblemKind::Unavailable, "files can't be read or written right now")
            }
        }
    }
}

/// What somebody was doing when a plugin returned a fault; decides how the fault reads from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// Signing in.
    SignIn,
    /// Paying.
    Pay,
    /// Delivering a provider's message.
    Deliver,
    /// Anything else: checks, reports.
    Other,
}

/// How a plugin's fault reads from outside. `message` is written for operators and goes to the log, not to the caller;
/// `user_message` is what a plugin wants the person at the screen to see.
#[must_use]
pub fn fault_problem(fault: &Fault, doing: Doing) -> Problem {
    tracing::info!(kind = %fault.kind, code = %fault.code, message = %fault.message, ?doing, "a plugin returned a fault");
    let kind = fault_kind(fault, doing);
    let detail = match &fault.user_message {
        Some(text) if !text.trim().is_empty() => clean(text, 300),
        _ => general(kind).to_owned(),
    };
    let mut p = Problem::new(kind, detail).with("fault", clean(&fault.code, 100));
    if matches!(kind, ProblemKind::LoginRefused | ProblemKind::RateLimited) {
        p = p.with("reason", clean(&fault.code, 100));
    }
    if kind == ProblemKind::RateLimited {
        p = p.hint("wait, or have the operator raise the tenant's budget: aistack plugin limits");
    }
    if let Some(after) = fault.retry_after {
        p = p.with("retry_after", after.as_secs().max(1));
    }
    if let Some(reference) = &fault.provider_ref {
        p = p.with("provider_ref", clean(reference, 200));
    }
    p
}

fn fault_kind(fault: &Fault, doing: Doing) -> ProblemKind {
    use ProblemKind as K;
    if fault.outcome_unknown && doing == Doing::Pay {
        return K::PaymentOutcomeUnknown;
    }
    if fault.is_over_budget() {
        return K::RateLimited;
    }
    // The runtime's own refusals: nothing was started.
    if matches!(
        fault.code.as_str(),
        "breaker_open"
            | "pool_full"
            | "busy"
            | "not_loaded"
            | "too_many_calls"
            | "disabled"
            | "removed"
            | "quarantined"
            | "not_allowed"
    ) {
        return K::PluginUnavailable;
    }
    match (fault.kind, doing) {
        (
            FaultKind::Denied
            | FaultKind::Expired
            | FaultKind::SignatureInvalid
            | FaultKind::InvalidInput
            | FaultKind::NotFound
            | FaultKind::Conflict
            | FaultKind::Declined,
            Doing::SignIn,
        ) => K::LoginRefused,
        (FaultKind::Declined, Doing::Pay) => K::PaymentDeclined,
        (
            FaultKind::SignatureInvalid | FaultKind::Expired | FaultKind::Denied | FaultKind::InvalidInput,
            Doing::Deliver,
        ) => K::SignatureInvalid,
        (
            FaultKind::Unsupported
            | FaultKind::InvalidConfig
            | FaultKind::InvalidInput
            | FaultKind::Denied
            | FaultKind::NotFound
            | FaultKind::Conflict
            | FaultKind::Declined
            | FaultKind::Expired
            | FaultKind::SignatureInvalid
            | FaultKind::RateLimited
            | FaultKind::Transport
            | FaultKind::Provider
            | FaultKind::Internal,
            _,
        ) => K::PluginFailed,
    }
}

fn general(kind: ProblemKind) -> &'static str {
    match kind {
        ProblemKind::LoginRefused => "the identity provider's answer was not accepted",
        ProblemKind::PaymentDeclined => "the payment provider declined",
        ProblemKind::PaymentOutcomeUnknown => "the payment provider did not answer; the outcome is being looked up",
        ProblemKind::SignatureInvalid => "the delivery is not genuine or too old",
        ProblemKind::RateLimited => "the tenant's plugins have used up what they may for now",
        ProblemKind::PluginUnavailable => "the plugin can't be called right now; try again shortly",
        _ => "the plugin failed; the code in `fault` and its call log say why",
    }
}

/// A text from a plugin, fit to be shown: no control characters, cut to `max` characters.
#[must_use]
pub fn clean(text: &str, max: usize) -> String {
    text.chars()
        .filter(|c| !c.is_control() && !is_direction_override(*c))
        .take(max)
        .collect::<String>()
        .trim()
        .to_owned()
}

/// Characters that make text read in another order than it is stored (Trojan Source).
fn is_direction_override(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}')
}
