//! WeCom (企业微信), as a self-built application sees it: sign-in by QR code or inside the app, access tokens, people,
//! departments, and encrypted callbacks.

mod crypt;
mod directory;
mod signin;

use crate::material::fresh;
use crate::shell::faults::{Armed, BAD_SIGNATURE, DUPLICATE, Knob, OUT_OF_ORDER, STALE};
use crate::shell::{Base, Counterpart, Parts, Simulator, StartError};
use crate::wire::{Acknowledged, Call, Notice, Refusal, Reply, Text};
use aistack_core::Timestamp;
use crypt::Callback;
use http::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long an access token is good.
const TOKEN: Duration = Duration::from_secs(7200);

pub(crate) const SIMULATOR: Simulator = Simulator {
    name: "wecom",
    title: Text {
        en: "WeCom: sign-in, access tokens, directory, encrypted callbacks.",
        zh: "企业微信：登录、access_token、通讯录与加密回调。",
    },
    knobs: &[
        DUPLICATE,
        OUT_OF_ORDER,
        BAD_SIGNATURE,
        STALE,
        Knob::flag(
            "auto",
            "sign in without asking, as zhangsan",
            "无需确认，以 zhangsan 登录",
        ),
        Knob::flag(
            "token_expired",
            "the access token is refused (42001)",
            "access_token 被拒绝（42001）",
        ),
        Knob::flag(
            "ip_not_allowed",
            "the caller's address is not trusted (60020)",
            "来源 IP 不可信（60020）",
        ),
        Knob::flag("throttled", "too many calls (45009)", "接口调用超过限制（45009）"),
        Knob::flag("outsider", "whoever signs in is not a member", "登录者不是企业成员"),
        Knob::flag(
            "wrong_receiver",
            "callbacks are for another company",
            "回调的 receiveid 不符",
        ),
    ],
    build,
};

fn build(base: &Base) -> Result<Parts, StartError> {
    let material = &base.material;
    let corpid = format!("ww{}", hex::encode(material.bytes::<8>("corpid")));
    let secret = material.token("corpsecret", 43);
    let token = material.token("callback token", 16);
    let aes_key = material.token("encoding aes key", 43);
    let callback = Callback::new(&token, &aes_key)
        .ok_or_else(|| StartError::Material("the callback key has not 32 bytes".to_owned()))?;
    Ok(Parts {
        config: json!({"api_base": base.url, "login_base": base.url, "corpid": corpid, "agentid": "1000002",
            "corpsecret": {"$secret": "corpsecret"}, "callback_token": {"$secret": "callback_token"},
            "encoding_aes_key": {"$secret": "encoding_aes_key"}}),
        secrets: json!({"corpsecret": secret, "callback_token": token, "encoding_aes_key": aes_key}),
        notes: vec![
            Text {
                en: "Sign-in pages: /wwlogin/sso/login and /connect/oauth2/authorize; &auto=lisi signs in without asking. People: zhangsan, lisi, wangwu (disabled).",
                zh: "登录页：/wwlogin/sso/login 与 /connect/oauth2/authorize；加 &auto=lisi 免确认登录。成员：zhangsan、lisi、wangwu（已禁用）。",
            },
            Text {
                en: "POST /_sim/deliver {\"kind\": \"echostr\", \"to\": …} checks the callback address; kinds create_user, update_user, delete_user, create_party, update_party, delete_party change the directory and tell about it.",
                zh: "POST /_sim/deliver {\"kind\": \"echostr\", \"to\": …} 验证回调地址；create_user、update_user、delete_user、create_party、update_party、delete_party 修改通讯录并发送回调。",
            },
        ],
        counterpart: Arc::new(Wecom {
            base: base.clone(),
            corpid,
            secret,
            callback,
            state: Mutex::new(State::fresh()),
        }),
        address: None,
        task: None,
    })
}

#[derive(Debug, Default)]
struct State {
    tokens: BTreeMap<String, Timestamp>,
    codes: BTreeMap<String, signin::Code>,
    tickets: BTreeMap<String, String>,
    users: BTreeMap<String, Value>,
    parties: BTreeMap<u64, Value>,
}

impl State {
    fn fresh() -> Self {
        Self {
            users: directory::users(),
            parties: directory::parties(),
            ..Self::default()
        }
    }
}

pub(crate) struct Wecom {
    base: Base,
    corpid: String,
    secret: String,
    callback: Callback,
    state: Mutex<State>,
}

/// An answer of the API: everything is status 200, the body says how it went.
fn answer(code: i64, message: &str, mut body: Value) -> Reply {
    body["errcode"] = json!(code);
    body["errmsg"] = json!(message);
    Reply::json(200, &body)
}

fn refused(code: i64, message: &str) -> Reply {
    answer(code, message, json!({}))
}

impl Wecom {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn token(&self, call: &Call) -> Reply {
        let query = call.query();
        if query.get("corpid") != self.corpid {
            return refused(40013, "invalid corpid");
        }
        if query.get("corpsecret") != self.secret {
            return refused(40001, "invalid credential");
        }
        let mut state = self.state();
        // As long as one is good, asking again gives the same one.
        let good = state
            .tokens
            .iter()
            .find(|(_, at)| call.at.since(**at) < TOKEN)
            .map(|(t, at)| (t.clone(), *at));
        let (token, at) = good.unwrap_or_else(|| (fresh(&*self.base.rng, 64), call.at));
        state.tokens.insert(token.clone(), at);
        let left = TOKEN.saturating_sub(call.at.since(at)).as_secs();
        answer(0, "ok", json!({"access_token": token, "expires_in": left}))
    }

    fn api(&self, call: &Call, armed: &Armed) -> Reply {
        if armed.on("ip_not_allowed") {
            return refused(60020, "not allow to access from your ip, from ip: 203.0.113.9");
        }
        if armed.on("throttled") {
            return refused(45009, "api freq out of limit");
        }
        let query = call.query();
        let token = query.get("access_token");
        let mut state = self.state();
        if armed.on("token_expired") {
            state.tokens.remove(token);
            return refused(42001, "access_token expired");
        }
        match state.tokens.get(token) {
            None if token.is_empty() => return refused(41001, "access_token missing"),
            None => return refused(40014, "invalid access_token"),
            Some(at) if call.at.since(*at) >= TOKEN => return refused(42001, "access_token expired"),
            Some(_) => {}
        }
        match (call.method.as_str(), call.path.as_str()) {
            ("GET", "/cgi-bin/auth/getuserinfo") => self.user_info(&mut state, call, false),
            ("GET", "/cgi-bin/user/getuserinfo") => self.user_info(&mut state, call, true),
            ("POST", "/cgi-bin/auth/getuserdetail") => self.user_detail(&state, &call.json()),
            (method, path) => directory::answer(&state, method, path, &query, &call.json()),
        }
    }
}

impl Counterpart for Wecom {
    fn handle(&self, call: &Call, armed: &Armed) -> Reply {
        match call.path.as_str() {
            "/cgi-bin/gettoken" => self.token(call),
            "/wwlogin/sso/login" | "/wwopen/sso/qrConnect" | "/connect/oauth2/authorize" => self.sign_in(call, armed),
            path if path.starts_with("/cgi-bin/") => self.api(call, armed),
            _ => Reply::new(404, "text/plain", "no such endpoint"),
        }
    }

    fn deliver(&self, what: &Value, armed: &Armed) -> Result<Vec<Notice>, Refusal> {
        let kind = what["kind"].as_str().unwrap_or_default();
        let to = what["to"].as_str().map(str::to_owned);
        let at = self.base.clock.now().as_secs() - if armed.on("stale") { 3600 } else { 0 };
        let nonce = fresh(&*self.base.rng, 10);
        let (message, method) = if kind == "echostr" {
            (crate::material::fresh_digits(&*self.base.rng, 19), Method::GET)
        } else {
            (self.change(kind, what)?, Method::POST)
        };
        let mut random = [0; 16];
        self.base.rng.fill(&mut random);
        let receiver = if armed.on("wrong_receiver") {
            "ww0000000000000000"
        } else {
            &self.corpid
        };
        let sealed = self.callback.seal(&random, message.as_bytes(), receiver);
        let mut signature = self.callback.signature(&at.to_string(), &nonce, &sealed);
        if armed.on("bad_signature") {
            signature = signature.chars().rev().collect();
        }
        let at = at.to_string();
        let mut query = vec![
            ("msg_signature", signature.as_str()),
            ("timestamp", &at),
            ("nonce", &nonce),
        ];
        if method == Method::GET {
            query.push(("echostr", &sealed));
        }
        let to = to.ok_or_else(|| Refusal {
            field: Some("to"),
            ..Refusal::new(
                400,
                "address_missing",
                "a callback needs an address",
                "the inbound endpoint of the installation",
            )
        })?;
        let body = format!(
            "<xml><ToUserName><![CDATA[{}]]></ToUserName><AgentID><![CDATA[1000002]]></AgentID><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>",
            self.corpid
        );
        let get = method == Method::GET;
        Ok(vec![Notice {
            kind: kind.to_owned(),
            to: Some(crate::wire::append_query(&to, &query)),
            method,
            headers: if get {
                Vec::new()
            } else {
                vec![("content-type", "text/xml".into())]
            },
            body: if get { Vec::new() } else { body.into_bytes() },
            acknowledged: if get {
                Acknowledged::ByBody(message)
            } else {
                Acknowledged::By2xx
            },
        }])
    }

    fn reset(&self) {
        *self.state() = State::fresh();
    }

    fn state(&self) -> Value {
        let state = self.state();
        json!({"users": state.users.values().collect::<Vec<_>>(), "departments": state.parties.values().collect::<Vec<_>>(),
            "tokens": state.tokens.len()})
    }
}
