//! Sign-in through OpenID Connect (authorization code with PKCE) and, by the same conversation, through GitHub.
//!
//! What comes back from the browser is compared with what was sent, what comes from the provider is verified, and only
//! then somebody is signed in. An e-mail address is never who somebody is.

mod check;
mod claims;
mod config;
mod faults;
mod flow;
mod github;
mod policy;
mod provider;
#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "json!(…) reads better without a reference")]
mod tests;
mod token;

use aistack_sdk::identity::{Input, Progress, Provider, Session, Start, Step};
use aistack_sdk::{Context, Fault, Feature, Finding, Host};

/// The plugin.
#[derive(Default)]
pub struct OAuth;

impl Provider for OAuth {
    fn describe(&self) -> Vec<Feature> {
        vec![Feature::new("login"), Feature::new("logout")]
    }

    fn check(&self, host: &Host, ctx: &Context, deep: bool) -> Vec<Finding> {
        check::check(host, ctx, deep)
    }

    fn begin(&self, host: &Host, ctx: &Context, start: Start) -> Result<Progress, Fault> {
        flow::authorize::begin(host, &start).map_err(|f| faults::explain(f, &ctx.locale))
    }

    fn resume(&self, host: &Host, ctx: &Context, state: &[u8], input: Input) -> Result<Progress, Fault> {
        let Input::Http(request) = input else {
            return Err(Fault::invalid_input(
                "input_unexpected",
                "a sign-in continues with the browser's return",
            ));
        };
        let session = flow::callback::resume(host, state, &request).map_err(|f| faults::explain(f, &ctx.locale))?;
        Ok(Progress {
            step: Step::Done(session),
            state: Vec::new(),
            expires_s: 0,
        })
    }

    fn logout(&self, host: &Host, _ctx: &Context, session: Session, return_url: &str) -> Result<Option<Step>, Fault> {
        flow::logout::logout(host, &session, return_url)
    }
}

aistack_sdk::export_identity!(OAuth);
