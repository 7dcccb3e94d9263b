//! Who may sign in: the presets' gates on proven claims, and groups.

use crate::config::{Config, MICROSOFT_CONSUMERS, Preset};
use aistack_sdk::Fault;
use aistack_sdk::identity::User;
use serde_json::Value;

fn denied(why: impl Into<String>) -> Fault {
    Fault::denied("policy_denied", why)
}

/// The gate of the provider's preset.
pub(crate) fn check(config: &Config, claims: &Value) -> Result<(), Fault> {
    match config.provider {
        Preset::Google => google(config, claims),
        Preset::Microsoft => microsoft(config, claims),
        Preset::Oidc | Preset::Github => Ok(()),
    }
}

/// The `hd` claim decides; the `hd` request parameter is only a hint to Google's page.
fn google(config: &Config, claims: &Value) -> Result<(), Fault> {
    let domain = claims["hd"].as_str();
    let allowed = |d: &str| config.hosted_domains.iter().any(|h| h.eq_ignore_ascii_case(d));
    if config.hosted_domains.is_empty() || domain.is_some_and(allowed) {
        return Ok(());
    }
    Err(denied("the account is not of an allowed Google Workspace domain"))
}

/// Directories by allow-list; personal accounts only when their directory is on it, or when exactly they were asked for.
fn microsoft(config: &Config, claims: &Value) -> Result<(), Fault> {
    let tid = claims["tid"].as_str().unwrap_or_default();
    let listed = config.allowed_tenants.iter().any(|t| t.eq_ignore_ascii_case(tid));
    let personal = tid == MICROSOFT_CONSUMERS;
    let open = config.allowed_tenants.is_empty() && (!personal || config.microsoft_tenant == "consumers");
    if !tid.is_empty() && (listed || open) {
        return Ok(());
    }
    Err(denied("the account is not of an allowed Microsoft directory"))
}

/// Membership of one of the required groups.
pub(crate) fn check_groups(config: &Config, user: &User) -> Result<(), Fault> {
    if config.required_groups.is_empty() || user.groups.iter().any(|g| config.required_groups.contains(g)) {
        return Ok(());
    }
    Err(denied("the account is in none of the required groups"))
}
