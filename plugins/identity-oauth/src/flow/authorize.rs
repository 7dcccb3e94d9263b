//! Starting a sign-in: a fresh state, nonce and PKCE verifier, and the URL that the browser is sent to.

use crate::config::{Config, Preset};
use crate::github;
use crate::provider::discovery;
use crate::token::jose;
use aistack_sdk::form::Form;
use aistack_sdk::identity::{Progress, Start, Step};
use aistack_sdk::{Fault, Host};
use serde::{Deserialize, Serialize};

/// How long somebody may take to sign in at the provider.
const EXPIRES_S: u32 = 600;

/// What has to be the same when the browser comes back. The platform seals it, binds it to browser and installation, and
/// hands it back once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pending {
    /// `state` of the request, 128 random bits.
    pub(crate) state: String,
    /// `nonce` of the request, 128 random bits.
    pub(crate) nonce: String,
    /// PKCE verifier, 256 random bits.
    pub(crate) verifier: String,
    /// Exactly as sent.
    pub(crate) redirect_uri: String,
    /// The provider that was asked. A changed configuration ends sign-ins that are under way.
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    /// Seconds, if a bound was asked for.
    pub(crate) max_age: Option<u64>,
}

impl Pending {
    fn fresh(host: &Host, config: &Config, start: &Start) -> Self {
        let max_age = match start.purpose.as_str() {
            // Somebody has to prove again, now, that it is them.
            "reauth" => Some(0),
            _ if config.max_age_minutes > 0 => Some(u64::from(config.max_age_minutes) * 60),
            _ => None,
        };
        Self {
            state: jose::base64url(&host.random::<16>()),
            nonce: jose::base64url(&host.random::<16>()),
            verifier: jose::base64url(&host.random::<32>()),
            redirect_uri: start.return_url.clone(),
            issuer: provider_name(config).to_owned(),
            client_id: config.client_id.clone(),
            max_age,
        }
    }

    /// The PKCE challenge: S256 always.
    pub(crate) fn challenge(&self, host: &Host) -> Result<String, Fault> {
        Ok(jose::base64url(&host.digest("SHA-256", self.verifier.as_bytes())?))
    }
}

/// What a pending sign-in remembers of the provider.
pub(crate) fn provider_name(config: &Config) -> &str {
    if config.provider == Preset::Github {
        &config.github_url
    } else {
        &config.issuer
    }
}

/// Starts a sign-in.
pub(crate) fn begin(host: &Host, start: &Start) -> Result<Progress, Fault> {
    let config = Config::load(host)?;
    let pending = Pending::fresh(host, &config, start);
    let url = if config.provider == Preset::Github {
        github::authorize_url(host, &config, &pending, start)?
    } else {
        openid_url(host, &config, &pending, start)?
    };
    let state = serde_json::to_vec(&pending).map_err(|e| Fault::internal("state", e.to_string()))?;
    Ok(Progress {
        step: Step::Redirect(url),
        state,
        expires_s: EXPIRES_S,
    })
}

fn openid_url(host: &Host, config: &Config, pending: &Pending, start: &Start) -> Result<String, Fault> {
    let metadata = discovery::metadata(host, config)?;
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    // For Google the domain is only a hint to its page; the claim is what is checked.
    let hd = match (config.provider, config.hosted_domains.as_slice()) {
        (Preset::Google, [domain]) => Some(domain.clone()),
        _ => None,
    };
    let prompt = start
        .prompt
        .clone()
        .or_else(|| (start.purpose == "reauth").then(|| "login".to_owned()));
    let form = Form::new()
        .with("response_type", "code")
        .with("client_id", &config.client_id)
        .with("redirect_uri", &pending.redirect_uri)
        .with("scope", config.scopes.join(" "))
        .with("state", &pending.state)
        .with("nonce", &pending.nonce)
        .with("code_challenge", pending.challenge(host)?)
        .with("code_challenge_method", "S256")
        .with_some("prompt", prompt)
        .with_some("login_hint", start.login_hint.as_deref().and_then(some))
        .with_some("max_age", pending.max_age.map(|s| s.to_string()))
        .with_some("acr_values", some(&config.acr_values))
        .with_some("hd", hd);
    Ok(form.append_to(&metadata.authorization_endpoint))
}
