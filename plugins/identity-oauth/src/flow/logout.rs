//! Signing out at the provider too (OpenID Connect RP-Initiated Logout 1.0), when it offers that.

use crate::config::{Config, Preset};
use crate::provider::discovery;
use aistack_sdk::form::Form;
use aistack_sdk::identity::{Session, Step};
use aistack_sdk::{Fault, Host, json};

pub(crate) fn logout(host: &Host, session: &Session, return_url: &str) -> Result<Option<Step>, Fault> {
    let config = Config::load(host)?;
    if config.provider == Preset::Github || !config.provider_logout {
        return Ok(None);
    }
    let Some(endpoint) = discovery::metadata(host, &config)?.end_session_endpoint else {
        return Ok(None);
    };
    let tokens = session
        .tokens
        .as_deref()
        .and_then(|t| json::parse(t.as_bytes()).ok())
        .unwrap_or_default();
    let form = Form::new()
        .with_some("id_token_hint", tokens["id_token"].as_str())
        .with("client_id", &config.client_id)
        .with("post_logout_redirect_uri", return_url);
    Ok(Some(Step::Redirect(form.append_to(&endpoint))))
}
