//! A sign-in through a service of your own: the browser goes there and comes back with a code, the code is exchanged for a
//! person. Real providers want more; see `plugins/identity-oauth`.

use aistack_sdk::form::{self, Form};
use aistack_sdk::host::{Credential, SendOptions};
use aistack_sdk::identity::{Input, Progress, Provider, Session, Start, Step, User};
use aistack_sdk::json::SecretName;
use aistack_sdk::{Context, Fault, Feature, Finding, Host, HttpRequest, json};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    service_url: String,
    #[allow(dead_code, reason = "the secret's name is fixed; a config may refer to it")]
    service_key: Option<SecretName>,
}

/// What has to be the same when the browser comes back. The platform seals it and hands it back once.
#[derive(Serialize, Deserialize)]
struct Pending {
    state: String,
}

/// The plugin.
#[derive(Default)]
pub struct SignIn;

impl Provider for SignIn {
    fn describe(&self) -> Vec<Feature> {
        vec![Feature::new("login")]
    }

    fn check(&self, host: &Host, _ctx: &Context, deep: bool) -> Vec<Finding> {
        let answer = host.config::<Config>().and_then(|config| {
            if deep {
                call(host, &HttpRequest::get(format!("{}/health", config.service_url))).map(drop)
            } else {
                Ok(())
            }
        });
        vec![match answer {
            Ok(()) => Finding::ok("fine"),
            Err(fault) => Finding::problem(fault.message).at("/service_url"),
        }]
    }

    fn begin(&self, host: &Host, _ctx: &Context, start: Start) -> Result<Progress, Fault> {
        let config: Config = host.config()?;
        let state: String = host.random::<16>().iter().map(|b| format!("{b:02x}")).collect();
        let url = Form::new()
            .with("redirect_uri", &start.return_url)
            .with("state", &state)
            .append_to(&format!("{}/authorize", config.service_url));
        let state = serde_json::to_vec(&Pending { state }).map_err(|e| Fault::internal("state", e.to_string()))?;
        Ok(Progress {
            step: Step::Redirect(url),
            state,
            expires_s: 600,
        })
    }

    fn resume(&self, host: &Host, _ctx: &Context, state: &[u8], input: Input) -> Result<Progress, Fault> {
        let Input::Http(request) = input else {
            return Err(Fault::invalid_input(
                "input_unexpected",
                "a sign-in continues with the browser's return",
            ));
        };
        let pending: Pending = serde_json::from_slice(state)
            .map_err(|_| Fault::invalid_input("state_unreadable", "the sign-in's state is not ours"))?;
        let fields = form::parse(request.query());
        let field = |name: &str| fields.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
        if field("state") != Some(pending.state.as_str()) {
            return Err(Fault::denied(
                "state_mismatch",
                "the response does not belong to this sign-in",
            ));
        }
        let code = field("code").ok_or_else(|| Fault::denied("user_cancelled", "there is no code"))?;
        let config: Config = host.config()?;
        let exchange = HttpRequest::post_form(
            format!("{}/exchange", config.service_url),
            Form::new().with("code", code).encode(),
        );
        let person = call(host, &exchange)?;
        let text = |name: &str| person[name].as_str().filter(|t| !t.is_empty()).map(str::to_owned);
        let subject =
            text("id").ok_or_else(|| Fault::denied("subject_invalid", "the service did not say who it was"))?;
        let user = User {
            subject,
            alternate_ids: Vec::new(),
            username: text("login"),
            email: text("email"),
            email_verified: person["email_verified"] == true,
            phone: None,
            display_name: text("name"),
            avatar: None,
            groups: Vec::new(),
            attributes: "{}".into(),
        };
        let session = Session {
            user,
            provider_session: None,
            expires_ms: None,
            acr: None,
            amr: Vec::new(),
            tokens: None,
        };
        Ok(Progress {
            step: Step::Done(session),
            state: Vec::new(),
            expires_s: 0,
        })
    }
}

/// Asks the service, with the key that only the host knows.
fn call(host: &Host, request: &HttpRequest) -> Result<serde_json::Value, Fault> {
    let key = host.secret("service_key")?;
    let options = SendOptions {
        timeout_ms: 5000,
        max_bytes: 64 << 10,
        redirects: 0,
        idempotent: false,
        ca: None,
    };
    let answer = host.send(request, Credential::Bearer(&key), &options)?;
    if answer.status != 200 {
        return Err(Fault::provider(
            "service_refused",
            format!("the service answered {}", answer.status),
        ));
    }
    json::parse(&answer.body)
}

aistack_sdk::export_identity!(SignIn);

#[cfg(test)]
mod tests {
    use super::*;
    use aistack_sdk_test::conformance::identity::{Facts, run, start};
    use aistack_sdk_test::{FakeHost, conformance, context, get, post};
    use serde_json::{Value, json};

    const MANIFEST: &str = include_str!("../aistack-plugin.toml");
    const SCHEMA: &str = include_str!("../config.schema.json");

    fn config() -> Value {
        json!({"service_url": "https://accounts.example.test"})
    }

    fn host(config: Value) -> FakeHost {
        FakeHost::for_plugin(MANIFEST, config)
            .secret("service_key", "key-1")
            .on(get("https://accounts.example.test/health"))
            .reply_json(200, json!({}))
            .on(post("https://accounts.example.test/exchange"))
            .reply_json(
                200,
                json!({"id": "42", "login": "zhang", "email": "zhang@example.test"}),
            )
    }

    #[test]
    fn conforms() {
        let suite = conformance::Plugin {
            plugin: SignIn,
            manifest: MANIFEST,
            schema: SCHEMA,
            config: config(),
            host: &host,
        };
        run(&suite, &Facts { secrets: &["key-1"] });
    }

    #[test]
    fn signs_in() {
        let host = host(config());
        let begun = SignIn.begin(&host, &context(), start()).unwrap();
        let Step::Redirect(url) = &begun.step else {
            panic!("a redirect")
        };
        let query = url.split_once('?').unwrap().1;
        let back = HttpRequest::get(format!("/callback?code=c0de&{query}"));
        let Step::Done(session) = SignIn
            .resume(&host, &context(), &begun.state, Input::Http(back))
            .unwrap()
            .step
        else {
            panic!("done");
        };
        assert_eq!(session.user.subject, "42");
        assert_eq!(host.requests()[0].header("authorization"), Some("Bearer key-1"));
    }
}
