//! PayPal: OAuth tokens, Orders v2, captures, authorizations, refunds, and webhooks signed with a certificate.

mod money;
mod orders;
mod payments;
mod webhooks;

use crate::material::{Certificate, Signer, fresh};
use crate::shell::faults::{
    Armed, BAD_SIGNATURE, DUPLICATE, Knob, OUT_OF_ORDER, ROTATE_CERTIFICATE, Rotation, STALE, TIMEOUT_AFTER_CHARGE,
};
use crate::shell::{Base, Counterpart, Parts, Simulator, StartError};
use crate::wire::{Call, Notice, Refusal, Reply, Text};
use aistack_core::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long an access token is good.
const TOKEN: Duration = Duration::from_secs(32_400);

pub(crate) const SIMULATOR: Simulator = Simulator {
    name: "paypal",
    title: Text {
        en: "PayPal: Orders v2, captures, authorizations, refunds, webhooks.",
        zh: "PayPal：Orders v2、收款、授权、退款与 Webhook。",
    },
    knobs: &[
        TIMEOUT_AFTER_CHARGE,
        DUPLICATE,
        OUT_OF_ORDER,
        BAD_SIGNATURE,
        STALE,
        ROTATE_CERTIFICATE,
        Knob::flag(
            "decline",
            "captures are declined (INSTRUMENT_DECLINED)",
            "收款被拒绝（INSTRUMENT_DECLINED）",
        ),
        Knob::flag(
            "pending",
            "captures stay PENDING until PAYMENT.CAPTURE.COMPLETED is delivered",
            "收款保持 PENDING，直到投递 PAYMENT.CAPTURE.COMPLETED",
        ),
        Knob::flag("token_expired", "the access token is refused", "访问令牌被拒绝"),
    ],
    build,
};

fn build(base: &Base) -> Result<Parts, StartError> {
    let client_id = base.material.token("client id", 80);
    let client_secret = base.material.token("client secret", 80);
    let webhook_id = base.material.token("webhook id", 17).to_uppercase();
    let certificate = certificate(base, 0);
    Ok(Parts {
        config: json!({"api_base": base.url, "client_id": client_id, "client_secret": {"$secret": "client_secret"},
            "webhook_id": webhook_id}),
        secrets: json!({"client_secret": client_secret}),
        notes: vec![
            Text {
                en: "POST /_sim/pay/ORDER lets the payer approve (the order's id, custom_id, invoice_id or reference_id); capturing is the plugin's part. Webhooks go to POST /_sim/webhook {\"url\": …}.",
                zh: "POST /_sim/pay/ORDER 表示付款人批准（订单 ID、custom_id、invoice_id 或 reference_id），收款由插件完成。通知地址用 POST /_sim/webhook {\"url\": …} 登记。",
            },
            Text {
                en: "The certificate of webhooks comes from this simulator, as the header paypal-cert-url says: a plugin that insists on api.paypal.com has to be told.",
                zh: "Webhook 证书由模拟器提供（见 paypal-cert-url 头）；只接受 api.paypal.com 的插件需要相应配置。",
            },
        ],
        counterpart: Arc::new(Paypal {
            base: base.clone(),
            client_id,
            client_secret,
            webhook_id,
            state: Mutex::new(State {
                certificates: vec![Arc::new(certificate)],
                ..State::default()
            }),
        }),
        address: None,
        task: None,
    })
}

fn certificate(base: &Base, number: usize) -> Certificate {
    let name = "messageverificationcerts.paypal.example";
    Certificate::make(
        &base.material,
        &format!("webhooks {number}"),
        name,
        &[],
        &Signer::Authority,
    )
}

/// An error: status, name, issue, description.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Failure(u16, &'static str, &'static str, &'static str);

impl Failure {
    fn unprocessable(issue: &'static str, why: &'static str) -> Self {
        Self(422, "UNPROCESSABLE_ENTITY", issue, why)
    }
    fn invalid(issue: &'static str, why: &'static str) -> Self {
        Self(400, "INVALID_REQUEST", issue, why)
    }
    const MISSING: Self = Self(
        404,
        "RESOURCE_NOT_FOUND",
        "INVALID_RESOURCE_ID",
        "there is no such resource",
    );
}

#[derive(Debug, Default)]
struct State {
    /// The last one signs; all can be fetched.
    certificates: Vec<Arc<Certificate>>,
    rotations: usize,
    tokens: BTreeMap<String, Timestamp>,
    /// Orders, captures, authorizations and refunds by id.
    objects: BTreeMap<String, Value>,
    /// Answers by PayPal-Request-Id and path.
    answered: BTreeMap<String, (u16, Value)>,
    events: Vec<Value>,
    /// Bodies of deliveries by transmission.
    sent: BTreeMap<String, Vec<u8>>,
    outbox: Vec<Notice>,
}

pub(crate) struct Paypal {
    base: Base,
    client_id: String,
    client_secret: String,
    webhook_id: String,
    state: Mutex<State>,
}

impl Paypal {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn id(&self) -> String {
        fresh(&*self.base.rng, 17).to_uppercase()
    }
    /// Whole seconds, as PayPal writes times.
    fn now(&self) -> String {
        let seconds = self.base.clock.now().as_secs();
        Timestamp::from_secs(seconds).to_string()
    }

    fn token(&self, call: &Call) -> Reply {
        let basic = call.header("authorization").strip_prefix("Basic ").unwrap_or_default();
        let expected = format!("{}:{}", self.client_id, self.client_secret);
        if STANDARD.decode(basic).unwrap_or_default() != expected.as_bytes() {
            let body = json!({"error": "invalid_client", "error_description": "Client Authentication failed"});
            return Reply::json(401, &body);
        }
        if call.form().get("grant_type") != "client_credentials" {
            return Reply::json(
                400,
                &json!({"error": "unsupported_grant_type", "error_description": "only client_credentials"}),
            );
        }
        let token = format!("A21AA{}", fresh(&*self.base.rng, 60));
        self.state().tokens.insert(token.clone(), call.at);
        Reply::json(
            200,
            &json!({"scope": "https://uri.paypal.com/services/payments", "access_token": token,
            "token_type": "Bearer", "app_id": "APP-80W284485P519543T", "expires_in": TOKEN.as_secs(), "nonce": self.id()}),
        )
    }

    fn api(&self, call: &Call, armed: &Armed) -> Reply {
        let debug = fresh(&*self.base.rng, 13).to_lowercase();
        let token = call.header("authorization").strip_prefix("Bearer ").unwrap_or_default();
        let mut state = self.state();
        let known = state.tokens.get(token).is_some_and(|at| call.at.since(*at) < TOKEN);
        if !known || armed.on("token_expired") {
            state.tokens.remove(token);
            let body = json!({"error": "invalid_token", "error_description": "Token signature verification failed"});
            return Reply::json(401, &body).with("paypal-debug-id", debug);
        }
        let writes = call.method == http::Method::POST;
        let request_id = call.header("paypal-request-id");
        let slot = (writes && !request_id.is_empty()).then(|| format!("{} {request_id}", call.path));
        if let Some((status, body)) = slot.as_ref().and_then(|s| state.answered.get(s)) {
            return Reply::json(*status, body).with("paypal-debug-id", debug).charging();
        }
        let mut reply = match self.route(&mut state, call, armed) {
            Ok((status, body)) => {
                if let Some(slot) = slot {
                    state.answered.insert(slot, (status, body.clone()));
                }
                let reply = if body.is_null() {
                    Reply::default().status(status)
                } else {
                    Reply::json(status, &body)
                };
                if writes { reply.charging() } else { reply }
            }
            Err(Failure(status, name, issue, why)) => {
                let body = json!({"name": name, "message": why, "debug_id": debug, "details": [{"issue": issue, "description": why}]});
                Reply::json(status, &body)
            }
        };
        reply.notices = std::mem::take(&mut state.outbox);
        reply.with("paypal-debug-id", debug)
    }

    fn route(&self, state: &mut State, call: &Call, armed: &Armed) -> Result<(u16, Value), Failure> {
        let body = call.json();
        let get = |state: &State, kind: &str, id: &str| {
            let found = state.objects.get(id).filter(|o| o["_kind"] == kind);
            found.map(|o| (200, money::shown(o))).ok_or(Failure::MISSING)
        };
        match (call.method.as_str(), call.segments().as_slice()) {
            ("POST", ["v2", "checkout", "orders"]) => self.create(state, &body),
            ("GET", ["v2", "checkout", "orders", id]) => get(state, "order", id),
            ("POST", ["v2", "checkout", "orders", id, "capture"]) => self.capture_order(state, id, armed),
            ("POST", ["v2", "checkout", "orders", id, "authorize"]) => self.authorize_order(state, id, armed),
            ("GET", ["v2", "payments", "captures", id]) => get(state, "capture", id),
            ("GET", ["v2", "payments", "refunds", id]) => get(state, "refund", id),
            ("GET", ["v2", "payments", "authorizations", id]) => get(state, "authorization", id),
            ("POST", ["v2", "payments", "captures", id, "refund"]) => self.refund(state, id, &body, armed),
            ("POST", ["v2", "payments", "authorizations", id, "capture"]) => {
                self.capture_authorization(state, id, &body, armed)
            }
            ("POST", ["v2", "payments", "authorizations", id, "void"]) => self.void(state, id, armed),
            ("POST", ["v1", "notifications", "verify-webhook-signature"]) => Ok((200, self.judge(state, &body))),
            _ => Err(Failure(404, "NOT_FOUND", "NOT_FOUND", "there is no such endpoint")),
        }
    }
}

impl Counterpart for Paypal {
    fn handle(&self, call: &Call, armed: &Armed) -> Reply {
        match (call.method.as_str(), call.segments().as_slice()) {
            ("POST", ["v1", "oauth2", "token"]) => self.token(call),
            ("GET", ["v1", "notifications", "certs", serial]) => {
                let state = self.state();
                let found = state.certificates.iter().find(|c| c.serial == *serial);
                found.map_or_else(
                    || Reply::new(404, "text/plain", "no such certificate"),
                    |c| Reply::new(200, "application/x-pem-file", c.pem()),
                )
            }
            (_, ["checkoutnow"]) => self.page(call, armed),
            _ => self.api(call, armed),
        }
    }

    fn pay(&self, reference: &str, _: &Value, armed: &Armed) -> Result<Vec<Notice>, Refusal> {
        let mut state = self.state();
        self.approve(&mut state, reference, armed)?;
        Ok(std::mem::take(&mut state.outbox))
    }

    fn deliver(&self, what: &Value, armed: &Armed) -> Result<Vec<Notice>, Refusal> {
        let mut state = self.state();
        self.happen(&mut state, what, armed)?;
        Ok(std::mem::take(&mut state.outbox))
    }

    fn rotate(&self, how: Rotation) {
        let number = {
            let mut state = self.state();
            state.rotations += 1;
            state.rotations
        };
        let next = Arc::new(certificate(&self.base, number));
        let mut state = self.state();
        if how == Rotation::Abrupt {
            state.certificates.clear();
        }
        state.certificates.push(next);
    }

    fn reset(&self) {
        let mut state = self.state();
        *state = State {
            certificates: std::mem::take(&mut state.certificates),
            rotations: state.rotations,
            ..State::default()
        };
    }

    fn state(&self) -> Value {
        let state = self.state();
        json!({"objects": state.objects.values().map(money::shown).collect::<Vec<_>>(), "events": state.events,
            "certificates": state.certificates.iter().map(|c| c.pem()).collect::<Vec<_>>()})
    }
}
