//! The device authorization grant (RFC 8628).

use super::{Grant, Oidc, error};
use crate::material::people::{self, PEOPLE};
use crate::shell::page;
use crate::wire::{Call, Notice, Refusal, Reply};
use aistack_core::{Rng, Timestamp};
use serde_json::{Value, json};
use std::time::Duration;

pub(super) const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// How long a device code is good.
const LIFETIME: Duration = Duration::from_mins(10);
/// How often a device may ask.
const INTERVAL: Duration = Duration::from_secs(5);

/// A device that waits for somebody.
#[derive(Debug, Clone)]
pub(super) struct Device {
    user_code: String,
    scope: String,
    at: Timestamp,
    polled: Option<Timestamp>,
    /// Who approved; an empty name is a refusal.
    answer: Option<&'static str>,
}

impl Device {
    pub(super) fn shown(&self) -> Value {
        json!({"user_code": self.user_code, "approved_by": self.answer})
    }
}

impl Oidc {
    pub(super) fn device_authorization(&self, call: &Call) -> Reply {
        let form = call.form();
        if let Err(reply) = self.authenticate(call, &form) {
            return reply;
        }
        let code = self.fresh(40);
        let user_code = user_code(&*self.base.rng);
        let page = format!("{}/device", self.base.url);
        let answer = json!({"device_code": code, "user_code": user_code, "verification_uri": page,
            "verification_uri_complete": format!("{page}?user_code={user_code}"),
            "expires_in": LIFETIME.as_secs(), "interval": INTERVAL.as_secs()});
        let device = Device {
            user_code,
            scope: form.get("scope").to_owned(),
            at: call.at,
            polled: None,
            answer: None,
        };
        self.state().devices.insert(code, device);
        Reply::json(200, &answer)
    }

    pub(super) fn poll_device(&self, call: &Call, code: &str) -> Result<Grant, Reply> {
        let mut state = self.state();
        let device = state
            .devices
            .get_mut(code)
            .ok_or_else(|| error(400, "invalid_grant", "the code is unknown"))?;
        if call.at.since(device.at) > LIFETIME {
            return Err(error(400, "expired_token", "the code is too old"));
        }
        let hurried = device.polled.is_some_and(|at| call.at.since(at) < INTERVAL);
        device.polled = Some(call.at);
        match device.answer {
            None if hurried => Err(error(400, "slow_down", "wait five seconds between two questions")),
            None => Err(error(400, "authorization_pending", "nobody has answered yet")),
            Some("") => Err(error(400, "access_denied", "the person said no")),
            Some(person) => {
                let grant = Grant {
                    person,
                    nonce: None,
                    scope: device.scope.clone(),
                    redirect_uri: String::new(),
                    challenge: None,
                    acr: None,
                    session: self.fresh(16),
                    at: call.at,
                };
                state.devices.remove(code);
                Ok(grant)
            }
        }
    }

    pub(super) fn device_page(&self, call: &Call) -> Reply {
        let mut fields = call.query();
        fields.0.extend(call.form().0);
        let code = fields.get("user_code").to_owned();
        if call.method == http::Method::GET {
            if code.is_empty() {
                let form = "<form><input name=\"user_code\" autofocus><button>Continue · 继续</button></form>";
                return Reply::html(200, page::document("Device code · 设备码", form));
            }
            let mut options: Vec<_> = PEOPLE.iter().map(|p| (p.name, p.name)).collect();
            options.push(("deny", "Cancel · 取消"));
            return Reply::html(
                200,
                page::document(
                    "Who are you? · 请选择登录身份",
                    &page::choices(&call.target(), &options),
                ),
            );
        }
        match self.approve_device(&code, fields.get("choice")) {
            Ok(_) => Reply::html(200, page::document("Go back to the device · 请返回设备", "")),
            Err(refusal) => refusal.reply(),
        }
    }

    pub(super) fn approve_device(&self, user_code: &str, who: &str) -> Result<Vec<Notice>, Refusal> {
        let answer = match who {
            "deny" => "",
            who => {
                let person = people::find(who);
                person.map(|p| p.name).ok_or_else(|| {
                    Refusal::new(
                        400,
                        "person_unknown",
                        format!("there is no {who:?}"),
                        "alice, bob, zhang, or deny",
                    )
                })?
            }
        };
        let mut state = self.state();
        let device = state.devices.values_mut().find(|d| d.user_code == user_code);
        device.ok_or_else(|| Refusal::unknown_order(user_code))?.answer = Some(answer);
        Ok(Vec::new())
    }
}

/// Eight letters that are not mistaken for each other, in two groups.
fn user_code(rng: &dyn Rng) -> String {
    const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
    let mut bytes = [0; 8];
    rng.fill(&mut bytes);
    let letters: String = bytes
        .iter()
        .map(|b| char::from(LETTERS[usize::from(*b) % LETTERS.len()]))
        .collect();
    format!("{}-{}", &letters[..4], &letters[4..])
}
