//! An OpenID provider: discovery, authorization code with PKCE, device code, refresh, user information, logout, and ID
//! tokens that are wrong in whichever way is asked for.

mod authorize;
mod device;
mod token;

use crate::material::{RsaKey, fresh, people};
use crate::shell::faults::{Armed, BAD_SIGNATURE, Knob, ROTATE_CERTIFICATE, Rotation, STALE, TIMEOUT_AFTER_CHARGE};
use crate::shell::{Base, Counterpart, Parts, Simulator, StartError};
use crate::wire::{Acknowledged, Call, Notice, Refusal, Reply, Text};
use aistack_core::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(crate) const SIMULATOR: Simulator = Simulator {
    name: "oidc",
    title: Text {
        en: "An OpenID Connect provider.",
        zh: "OpenID Connect 身份提供方。",
    },
    knobs: &[
        Knob::flag(
            "auto",
            "sign in without asking: whom login_hint names, else alice",
            "无需确认直接登录：login_hint 指定的人，否则为 alice",
        ),
        Knob::flag(
            "bad_nonce",
            "the ID token answers another sign-in",
            "ID Token 的 nonce 不符",
        ),
        Knob::flag(
            "wrong_audience",
            "the ID token is for another client",
            "ID Token 的 aud 不符",
        ),
        Knob::flag(
            "wrong_issuer",
            "the ID token names another issuer",
            "ID Token 的 iss 不符",
        ),
        Knob::flag(
            "wrong_iss_parameter",
            "the authorization response names another issuer (RFC 9207)",
            "授权响应的 iss 参数不符（RFC 9207）",
        ),
        Knob::flag(
            "wrong_at_hash",
            "the ID token belongs to another access token",
            "ID Token 的 at_hash 不符",
        ),
        Knob::flag(
            "alg_none",
            "the ID token is not signed",
            "ID Token 不签名（alg 为 none）",
        ),
        Knob::flag(
            "alg_confusion",
            "the ID token is signed with HS256 and the public key",
            "ID Token 以公钥作为 HS256 密钥签名",
        ),
        Knob::flag(
            "wrong_userinfo",
            "the user information is about somebody else",
            "用户信息属于另一个人",
        ),
        STALE,
        BAD_SIGNATURE,
        ROTATE_CERTIFICATE,
        TIMEOUT_AFTER_CHARGE,
    ],
    build,
};

fn build(base: &Base) -> Result<Parts, StartError> {
    let client_id = base.material.token("client id", 20);
    let client_secret = base.material.token("client secret", 40);
    let keys = vec![Key::new(base.material.rsa("signing 0"))];
    Ok(Parts {
        config: json!({"provider": "oidc", "issuer": base.url, "client_id": client_id,
            "client_secret": {"$secret": "client_secret"}}),
        secrets: json!({"client_secret": client_secret}),
        notes: vec![
            Text {
                en: "Any redirect URI is registered. Add &auto=alice to the authorization URL, or arm the knob auto, and nobody is asked. People: alice, bob (address not verified), zhang.",
                zh: "任何回调地址均视为已登记。在授权地址后加 &auto=alice 或启用 auto 开关即可免确认登录。用户：alice、bob（邮箱未验证）、zhang。",
            },
            Text {
                en: "POST /_sim/pay/USER-CODE {\"as\": \"alice\"} approves a device code; POST /_sim/deliver {\"kind\": \"backchannel_logout\", \"sub\": \"…\", \"to\": \"…\"} sends a logout token.",
                zh: "POST /_sim/pay/USER-CODE {\"as\": \"alice\"} 批准设备码；POST /_sim/deliver {\"kind\": \"backchannel_logout\", \"sub\": \"…\", \"to\": \"…\"} 发送注销令牌。",
            },
        ],
        counterpart: Arc::new(Oidc {
            base: base.clone(),
            client_id,
            client_secret,
            state: Mutex::new(State {
                keys,
                ..State::default()
            }),
        }),
        address: None,
        task: None,
    })
}

/// A signing key as it is published.
#[derive(Debug, Clone)]
struct Key {
    id: String,
    key: RsaKey,
}

impl Key {
    fn new(key: RsaKey) -> Self {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, key.modulus());
        Self {
            id: b64(&digest.as_ref()[..12]),
            key,
        }
    }

    fn jwk(&self) -> Value {
        json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.id, "n": b64(self.key.modulus()), "e": "AQAB"})
    }
}

/// Somebody's signing in.
#[derive(Debug, Clone)]
struct Grant {
    person: &'static str,
    nonce: Option<String>,
    scope: String,
    redirect_uri: String,
    challenge: Option<String>,
    acr: Option<String>,
    session: String,
    at: Timestamp,
}

#[derive(Debug, Default)]
struct State {
    /// The last one signs; all are published.
    keys: Vec<Key>,
    rotations: usize,
    codes: BTreeMap<String, Grant>,
    /// Codes that were redeemed, with the access token they led to.
    redeemed: BTreeMap<String, String>,
    access: BTreeMap<String, Grant>,
    refresh: BTreeMap<String, Grant>,
    devices: BTreeMap<String, device::Device>,
}

pub(crate) struct Oidc {
    base: Base,
    client_id: String,
    client_secret: String,
    state: Mutex<State>,
}

impl Oidc {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fresh(&self, length: usize) -> String {
        fresh(&*self.base.rng, length)
    }

    fn metadata(&self) -> Value {
        let at = |path: &str| format!("{}{path}", self.base.url);
        json!({
            "issuer": self.base.url,
            "authorization_endpoint": at("/authorize"),
            "token_endpoint": at("/token"),
            "userinfo_endpoint": at("/userinfo"),
            "jwks_uri": at("/jwks"),
            "end_session_endpoint": at("/logout"),
            "device_authorization_endpoint": at("/device_authorization"),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query", "form_post"],
            "grant_types_supported": ["authorization_code", "refresh_token", device::GRANT],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": ["openid", "profile", "email", "phone", "groups", "offline_access"],
            "claims_supported": ["sub", "name", "preferred_username", "email", "email_verified", "groups", "locale"],
            "authorization_response_iss_parameter_supported": true,
            "backchannel_logout_supported": true,
            "backchannel_logout_session_supported": true,
        })
    }

    fn logout(&self, call: &Call) -> Reply {
        let mut fields = call.query();
        fields.0.extend(call.form().0);
        match fields
            .some("post_logout_redirect_uri")
            .filter(|u| url::Url::parse(u).is_ok())
        {
            Some(uri) => match fields.some("state") {
                Some(state) => Reply::redirect(&crate::wire::append_query(uri, &[("state", state)])),
                None => Reply::redirect(uri),
            },
            None => Reply::html(200, crate::shell::page::document("Signed out · 已退出", "")),
        }
    }
}

impl Counterpart for Oidc {
    fn handle(&self, call: &Call, armed: &Armed) -> Reply {
        match (call.method.as_str(), call.path.as_str()) {
            ("GET", "/.well-known/openid-configuration") => Reply::json(200, &self.metadata()),
            ("GET", "/jwks") => {
                let keys: Vec<_> = self.state().keys.iter().map(Key::jwk).collect();
                Reply::json(200, &json!({"keys": keys}))
            }
            ("GET" | "POST", "/authorize") => self.authorize(call, armed),
            ("POST", "/token") => self.token(call, armed),
            ("GET" | "POST", "/userinfo") => self.userinfo(call, armed),
            ("GET" | "POST", "/logout") => self.logout(call),
            ("POST", "/device_authorization") => self.device_authorization(call),
            ("GET" | "POST", "/device") => self.device_page(call),
            _ => error(404, "not_found", "there is no such endpoint"),
        }
    }

    fn pay(&self, reference: &str, how: &Value, _: &Armed) -> Result<Vec<Notice>, Refusal> {
        self.approve_device(reference, how["as"].as_str().unwrap_or("alice"))
    }

    fn deliver(&self, what: &Value, armed: &Armed) -> Result<Vec<Notice>, Refusal> {
        if what["kind"] != "backchannel_logout" {
            return Err(Refusal::unknown_kind(&what["kind"], "backchannel_logout"));
        }
        let now = self.base.clock.now().as_secs();
        let mut claims = json!({"iss": self.base.url, "aud": self.client_id, "iat": now, "exp": now + 120,
            "jti": self.fresh(22), "events": {"http://schemas.openid.net/event/backchannel-logout": {}}});
        let sub = what["sub"].as_str().unwrap_or(people::PEOPLE[0].sub);
        claims["sub"] = json!(sub);
        if what["sid"].is_string() {
            claims["sid"] = what["sid"].clone();
        }
        if armed.on("stale") {
            claims["iat"] = json!(now - 7200);
            claims["exp"] = json!(now - 3600);
        }
        let token = self.sign("logout+jwt", &claims, armed);
        let body = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("logout_token", &token)
            .finish();
        Ok(vec![Notice {
            kind: "backchannel_logout".into(),
            to: None,
            method: Method::POST,
            headers: vec![("content-type", "application/x-www-form-urlencoded".into())],
            body: body.into_bytes(),
            acknowledged: Acknowledged::By2xx,
        }])
    }

    fn rotate(&self, how: Rotation) {
        let number = {
            let mut state = self.state();
            state.rotations += 1;
            state.rotations
        };
        let key = Key::new(self.base.material.rsa(&format!("signing {number}")));
        let mut state = self.state();
        if how == Rotation::Abrupt {
            state.keys.clear();
        }
        state.keys.push(key);
    }

    fn reset(&self) {
        let mut state = self.state();
        *state = State {
            keys: std::mem::take(&mut state.keys),
            rotations: state.rotations,
            ..State::default()
        };
    }

    fn state(&self) -> Value {
        let state = self.state();
        let keys: Vec<_> = state.keys.iter().map(|k| k.id.clone()).collect();
        let devices: Vec<_> = state.devices.values().map(device::Device::shown).collect();
        json!({"people": people::PEOPLE.iter().map(people::Person::claims).collect::<Vec<_>>(), "keys": keys,
            "codes": state.codes.len(), "access_tokens": state.access.len(), "devices": devices})
    }
}

fn b64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// An OAuth error.
fn error(status: u16, code: &str, description: &str) -> Reply {
    Reply::json(status, &json!({"error": code, "error_description": description}))
}
