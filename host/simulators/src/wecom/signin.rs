//! Signing in: the QR code page, the page inside the app, and redeeming the code.

use super::{State, Wecom, answer, refused};
use crate::material::fresh;
use crate::shell::faults::Armed;
use crate::shell::page;
use crate::wire::{Call, Reply, append_query};
use aistack_core::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

/// How long a code is good.
const CODE: Duration = Duration::from_mins(5);

/// A code that was given out.
#[derive(Debug, Clone)]
pub(super) struct Code {
    /// Nobody when an outsider signed in.
    user: Option<String>,
    private: bool,
    at: Timestamp,
    used: bool,
}

impl Wecom {
    pub(super) fn sign_in(&self, call: &Call, armed: &Armed) -> Reply {
        let query = call.query();
        let wrong = |why: &str| Reply::html(400, page::document("Refused · 已拒绝", &format!("<p>{why}</p>")));
        if query.get("appid") != self.corpid {
            return wrong("appid is not the company's");
        }
        let to = query.get("redirect_uri");
        if !to.starts_with("http") || url::Url::parse(to).is_err() {
            return wrong("redirect_uri (50001)");
        }
        let state_fits = query.get("state").len() <= 128 && query.get("state").bytes().all(|b| b.is_ascii_graphic());
        let inside = call.path == "/connect/oauth2/authorize";
        if inside && (query.get("response_type") != "code" || !query.get("scope").starts_with("snsapi_")) {
            return wrong("response_type or scope");
        }
        if !inside && call.path == "/wwlogin/sso/login" && query.get("login_type") != "CorpApp" {
            return wrong("login_type is not CorpApp");
        }
        if !state_fits {
            return wrong("state: at most 128 bytes of ASCII");
        }
        let chosen = match (call.method.as_str(), query.some("auto")) {
            ("POST", _) => call.form().get("choice").to_owned(),
            (_, Some(who)) => who.to_owned(),
            _ if armed.on("auto") => "zhangsan".to_owned(),
            _ => {
                let state = self.state();
                let mut options: Vec<_> = state.users.keys().map(|id| (id.as_str(), id.as_str())).collect();
                options.push(("deny", "Cancel · 取消"));
                return Reply::html(
                    200,
                    page::document("企业微信登录 · WeCom", &page::choices(&call.target(), &options)),
                );
            }
        };
        if chosen == "deny" {
            // Whoever refuses comes back with the state alone.
            return Reply::redirect(&append_query(to, &[("state", query.get("state"))]));
        }
        let outsider = armed.on("outsider");
        let mut state = self.state();
        if !state.users.contains_key(&chosen) {
            return wrong("there is no such member");
        }
        let code = fresh(&*self.base.rng, 43);
        let entry = Code {
            user: (!outsider).then_some(chosen),
            private: query.get("scope") == "snsapi_privateinfo",
            at: call.at,
            used: false,
        };
        state.codes.insert(code.clone(), entry);
        Reply::redirect(&append_query(to, &[("code", &code), ("state", query.get("state"))]))
    }

    /// `old` is the spelling of the former endpoint.
    pub(super) fn user_info(&self, state: &mut State, call: &Call, old: bool) -> Reply {
        let query = call.query();
        let Some(code) = state.codes.get_mut(query.get("code")) else {
            return refused(40029, "invalid code");
        };
        if std::mem::replace(&mut code.used, true) {
            return refused(40163, "code been used");
        }
        if call.at.since(code.at) > CODE {
            return refused(42003, "code expired");
        }
        let Code { user, private, .. } = code.clone();
        match user {
            None if old => answer(0, "ok", json!({"OpenId": "oSimOutsider0001", "DeviceId": ""})),
            None => answer(
                0,
                "ok",
                json!({"openid": "oSimOutsider0001", "external_userid": "wmSimOutsider0001"}),
            ),
            Some(user) if old => answer(0, "ok", json!({"UserId": user, "DeviceId": ""})),
            Some(user) => {
                let mut body = json!({"userid": user});
                if private {
                    let ticket = fresh(&*self.base.rng, 64);
                    state.tickets.insert(ticket.clone(), user);
                    body["user_ticket"] = json!(ticket);
                }
                answer(0, "ok", body)
            }
        }
    }

    pub(super) fn user_detail(&self, state: &State, asked: &Value) -> Reply {
        let user = state.tickets.get(asked["user_ticket"].as_str().unwrap_or_default());
        let Some(user) = user else {
            return refused(40029, "invalid user_ticket");
        };
        answer(
            0,
            "ok",
            json!({"userid": user, "gender": "1", "avatar": "", "qr_code": "", "mobile": "13800000000",
            "email": format!("{user}@example.test"), "biz_mail": format!("{user}@corp.example.test"), "address": ""}),
        )
    }
}
