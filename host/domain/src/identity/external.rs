//! A person as the provider describes them, after our own checks: a plugin's word is not taken for form or size.

use super::LoginError;
use crate::plugins::{error::clean, port::ExternalSession};
use aistack_core::InstallationId;
use sha2::{Digest, Sha256};

/// Most groups that are looked at.
const MAX_GROUPS: usize = 5_000;

/// Who signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claimed {
    pub(super) issuer: String,
    pub(super) subject: String,
    pub(super) email: Option<String>,
    /// The provider vouches for the address.
    pub(super) email_verified: bool,
    pub(super) name: String,
    pub(super) groups: Vec<String>,
    pub(super) amr: Vec<String>,
}

impl Claimed {
    /// Checks and normalises what the plugin returned.
    pub(super) fn read(installation: InstallationId, session: &ExternalSession) -> Result<Self, LoginError> {
        let user = &session.user;
        let key_part =
            |s: &str, max: usize| !s.is_empty() && s.len() <= max && s.trim() == s && !s.chars().any(char::is_control);
        if !key_part(&user.subject, 255) {
            return Err(LoginError::BadAnswer("bad_subject"));
        }
        let issuer = match user.alternate_ids.iter().find(|(k, _)| k == "issuer") {
            Some((_, v)) if key_part(v, 500) => v.clone(),
            Some(_) => return Err(LoginError::BadAnswer("bad_issuer")),
            // Providers without issuers (LDAP, WeCom): the connection itself is the authority.
            None => installation.to_string(),
        };
        let email = user.email.as_deref().and_then(address);
        let name = [user.display_name.as_deref(), user.username.as_deref()]
            .into_iter()
            .flatten()
            .map(|n| clean(n, 120))
            .find(|n| !n.is_empty())
            .or_else(|| email.as_deref().and_then(|e| e.split('@').next()).map(str::to_owned))
            .unwrap_or_else(|| "—".to_owned());
        Ok(Self {
            email_verified: user.email_verified && email.is_some(),
            issuer,
            subject: user.subject.clone(),
            email,
            name,
            groups: user.groups.iter().take(MAX_GROUPS).cloned().collect(),
            amr: session.amr.iter().take(10).map(|a| clean(a, 40)).collect(),
        })
    }

    /// The address of the account: the provider's, or one that is nobody's and can receive nothing (RFC 2606).
    pub(super) fn account_email(&self, installation: InstallationId) -> String {
        self.email.clone().unwrap_or_else(|| {
            let mut h = Sha256::new();
            h.update((self.issuer.len() as u64).to_be_bytes());
            h.update(self.issuer.as_bytes());
            h.update(self.subject.as_bytes());
            let digest = hex::encode(&h.finalize()[..12]);
            format!("{digest}@{}.invalid", installation.0.simple())
        })
    }
}

/// A usable address, lower case; anything doubtful counts as none.
pub(super) fn address(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    let (local, domain) = text.rsplit_once('@')?;
    let atom = |b: u8| b.is_ascii_alphanumeric() || b".!#$%&'*+-/=?^_`{|}~".contains(&b);
    let local_ok = (1..=64).contains(&local.len()) && local.bytes().all(atom);
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let domain_ok = domain.len() <= 190 && domain.split('.').all(label);
    // Reserved for addresses the platform makes up itself.
    let reserved = domain == "invalid" || domain.ends_with(".invalid");
    (local_ok && domain_ok && !reserved).then_some(text)
}
