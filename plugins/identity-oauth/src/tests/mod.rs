//! The plugin against an identity provider of its own: real keys, real signatures, and everything that can be wrong with
//! them.

mod callbacks;
mod claims;
mod clients;
mod github;
mod id_tokens;
mod keys;
mod presets;
mod provider;
mod vectors;

use crate::OAuth;
use aistack_sdk::identity::{Input, Provider as _, Session, Step};
use aistack_sdk::{Context, Fault, HttpRequest, form};
use aistack_sdk_test::conformance::{self, identity::start};
use aistack_sdk_test::keys::TestKey;
use aistack_sdk_test::{FakeHost, context, get, post};
use serde_json::{Value, json};
use std::sync::OnceLock;

const MANIFEST: &str = include_str!("../../aistack-plugin.toml");
const SCHEMA: &str = include_str!("../../config.schema.json");
const ISSUER: &str = "https://id.example.test/realms/main";
const DISCOVERY: &str = "https://id.example.test/realms/main/.well-known/openid-configuration";
const TOKEN: &str = "https://id.example.test/realms/main/token";
const JWKS: &str = "https://id.example.test/realms/main/jwks";
const USERINFO: &str = "https://id.example.test/realms/main/userinfo";
const SECRET: &str = "client-secret-value";

/// One key per algorithm for all tests; RSA keys take a moment.
fn key(alg: &str) -> &'static TestKey {
    static KEYS: OnceLock<Vec<TestKey>> = OnceLock::new();
    let keys = KEYS.get_or_init(|| {
        crate::token::jose::ALGORITHMS
            .iter()
            .map(|alg| TestKey::generate(alg, &format!("key-{alg}")))
            .collect()
    });
    keys.iter().find(|k| k.alg() == alg).expect("a key for each algorithm")
}

fn config() -> Value {
    json!({"provider": "oidc", "issuer": ISSUER, "client_id": "aistack-client"})
}

fn config_with(changes: Value) -> Value {
    let mut config = config();
    for (name, value) in changes.as_object().expect("an object") {
        config[name] = value.clone();
    }
    config
}

fn metadata() -> Value {
    json!({
        "issuer": ISSUER,
        "authorization_endpoint": format!("{ISSUER}/auth"),
        "token_endpoint": TOKEN,
        "jwks_uri": JWKS,
        "userinfo_endpoint": USERINFO,
        "end_session_endpoint": format!("{ISSUER}/logout"),
        "response_types_supported": ["code", "id_token"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "private_key_jwt"],
        "code_challenge_methods_supported": ["plain", "S256"],
    })
}

fn jwks() -> Value {
    let keys: Vec<_> = crate::token::jose::ALGORITHMS
        .iter()
        .map(|alg| key(alg).jwk())
        .collect();
    json!({ "keys": keys })
}

fn bare(config: Value) -> FakeHost {
    FakeHost::for_plugin(MANIFEST, config).secret("client_secret", SECRET)
}

fn with_metadata(config: Value, metadata: &Value) -> FakeHost {
    bare(config)
        .on(get(DISCOVERY))
        .reply_json(200, metadata)
        .on(get(JWKS))
        .reply_json(200, jwks())
}

fn host(config: Value) -> FakeHost {
    with_metadata(config, &metadata())
}

/// A sign-in that was started.
struct Begun {
    state: Vec<u8>,
    url: String,
}

impl Begun {
    fn on(host: &FakeHost) -> Self {
        let progress = OAuth.begin(host, &context(), start()).expect("a sign-in starts");
        let Step::Redirect(url) = progress.step else {
            panic!("a redirect")
        };
        Self {
            state: progress.state,
            url,
        }
    }

    fn param(&self, name: &str) -> Option<String> {
        let (_, query) = self.url.split_once('?').expect("a query");
        form::parse(query).into_iter().find(|(n, _)| n == name).map(|(_, v)| v)
    }

    /// Comes back with these parameters; `STATE` stands for the right state.
    fn back(&self, host: &FakeHost, query: &str) -> Result<Session, Fault> {
        let query = query.replace("STATE", &self.param("state").expect("a state"));
        self.with(host, HttpRequest::get(format!("/callback?{query}")))
    }

    fn with(&self, host: &FakeHost, request: HttpRequest) -> Result<Session, Fault> {
        match OAuth.resume(host, &context(), &self.state, Input::Http(request))?.step {
            Step::Done(session) => Ok(session),
            other => panic!("{other:?}"),
        }
    }
}

/// The claims of a token that is right in every respect, for a sign-in with this nonce.
fn claims(host: &FakeHost, nonce: &str) -> Value {
    let now = host.now_ms() / 1000;
    json!({
        "iss": ISSUER, "sub": "248289761001", "aud": "aistack-client", "exp": now + 300, "iat": now, "nonce": nonce,
        "preferred_username": "zhang", "name": "Zhang San", "email": "zhang@example.test", "email_verified": true,
    })
}

fn answer_with(host: &FakeHost, id_token: &str) {
    let body = json!({"access_token": "access-1", "token_type": "Bearer", "expires_in": 300, "id_token": id_token});
    host.now_on(post(TOKEN), 200, &body);
}

/// A whole sign-in in which the provider issues `make(claims)`.
fn sign_in_on(host: &FakeHost, make: impl Fn(Value) -> String) -> Result<Session, Fault> {
    let begun = Begun::on(host);
    answer_with(host, &make(claims(host, &begun.param("nonce").expect("a nonce"))));
    begun.back(host, "code=c0de&state=STATE")
}

/// A whole sign-in with changed claims; `null` removes a claim.
fn sign_in(host: &FakeHost, changes: &Value) -> Result<Session, Fault> {
    sign_in_on(host, |claims| key("RS256").jws(&changed(claims, changes)))
}

fn changed(mut claims: Value, changes: &Value) -> Value {
    let object = claims.as_object_mut().expect("claims");
    for (name, value) in changes.as_object().expect("an object") {
        if value.is_null() {
            object.remove(name);
        } else {
            object.insert(name.clone(), value.clone());
        }
    }
    claims
}

fn zh() -> Context {
    Context {
        locale: "zh-CN".into(),
        ..context()
    }
}

#[test]
fn conforms() {
    let suite = conformance::Plugin {
        plugin: OAuth,
        manifest: MANIFEST,
        schema: SCHEMA,
        config: config(),
        host: &host,
    };
    conformance::identity::run(&suite, &conformance::identity::Facts { secrets: &[SECRET] });
}

#[test]
fn a_sign_in_from_redirect_to_person() {
    let host = host(config());
    let begun = Begun::on(&host);
    assert!(begun.url.starts_with(&format!("{ISSUER}/auth?")));
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "aistack-client"),
        ("redirect_uri", start().return_url.as_str()),
        ("scope", "openid profile email"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(begun.param(name).as_deref(), Some(value), "{name}");
    }
    // 128 bits are 22 characters, 256 bits are 43.
    for (name, length) in [("state", 22), ("nonce", 22), ("code_challenge", 43)] {
        assert_eq!(begun.param(name).map(|v| v.len()), Some(length), "{name}");
    }
    assert_eq!(begun.param("max_age"), None);

    answer_with(&host, &key("RS256").jws(&claims(&host, &begun.param("nonce").unwrap())));
    let session = begun.back(&host, "code=c0de&state=STATE").unwrap();
    assert_eq!(session.user.subject, "248289761001");
    assert_eq!(
        (
            session.user.alternate_ids[0].key.as_str(),
            session.user.alternate_ids[0].value.as_str()
        ),
        ("issuer", ISSUER)
    );
    assert_eq!(session.user.email.as_deref(), Some("zhang@example.test"));
    assert!(session.user.email_verified);
    assert_eq!(session.user.username.as_deref(), Some("zhang"));

    let token = host.requests().into_iter().find(|r| r.url == TOKEN).unwrap();
    assert_eq!(token.field("grant_type").as_deref(), Some("authorization_code"));
    assert_eq!(token.field("code").as_deref(), Some("c0de"));
    assert_eq!(token.field("redirect_uri"), begun.param("redirect_uri"));
    let verifier = token.field("code_verifier").unwrap();
    let digest = host.digest("SHA-256", verifier.as_bytes()).unwrap();
    assert_eq!(
        Some(crate::token::jose::base64url(&digest)),
        begun.param("code_challenge"),
        "the verifier fits the challenge"
    );
    assert_eq!(verifier.len(), 43);
}

#[test]
fn what_the_platform_asks_for_reaches_the_provider() {
    let host = host(config_with(
        json!({"acr_values": "mfa", "max_age_minutes": 5, "scopes": ["email"]}),
    ));
    let start = aistack_sdk::identity::Start {
        login_hint: Some("a b@example.test".into()),
        prompt: Some("consent".into()),
        ..start()
    };
    let Step::Redirect(url) = OAuth.begin(&host, &context(), start).unwrap().step else {
        panic!()
    };
    for part in [
        "login_hint=a+b%40example.test",
        "prompt=consent",
        "acr_values=mfa",
        "max_age=300",
        "scope=openid+email",
    ] {
        assert!(url.contains(part), "{part} in {url}");
    }
    let again = aistack_sdk::identity::Start {
        purpose: "reauth".into(),
        ..conformance::identity::start()
    };
    let Step::Redirect(url) = OAuth.begin(&host, &context(), again).unwrap().step else {
        panic!()
    };
    assert!(url.contains("max_age=0") && url.contains("prompt=login"), "{url}");
}

#[test]
fn signing_out_ends_at_the_provider() {
    let host1 = host(config());
    let session = sign_in(&host1, &json!({"sid": "s-1"})).unwrap();
    assert_eq!(session.provider_session.as_deref(), Some("s-1"));
    let Some(Step::Redirect(url)) = OAuth
        .logout(&host1, &context(), session.clone(), "https://acme.example.test/bye")
        .unwrap()
    else {
        panic!("a redirect");
    };
    assert!(url.starts_with(&format!("{ISSUER}/logout?id_token_hint=ey")), "{url}");
    assert!(url.ends_with("&client_id=aistack-client&post_logout_redirect_uri=https%3A%2F%2Facme.example.test%2Fbye"));

    let mut silent = metadata();
    silent.as_object_mut().unwrap().remove("end_session_endpoint");
    let host2 = with_metadata(config(), &silent);
    assert_eq!(
        OAuth.logout(&host2, &context(), session.clone(), "https://x").unwrap(),
        None
    );
    let host3 = host(config_with(json!({"provider_logout": false})));
    let kept = sign_in(&host3, &json!({})).unwrap();
    assert_eq!(kept.tokens, None, "tokens that serve no purpose are not handed on");
    assert_eq!(OAuth.logout(&host3, &context(), session, "https://x").unwrap(), None);
}
