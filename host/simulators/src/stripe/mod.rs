//! Stripe: Checkout Sessions, PaymentIntents, refunds, disputes, idempotency keys and signed events.
//!
//! Amounts, states and the shapes of objects follow the API version of the official plugin. Parameters that Stripe does
//! not know are refused as Stripe refuses them.

mod checkout;
mod events;
mod form;
mod intents;
mod refunds;

use crate::material::fresh;
use crate::shell::faults::{
    Armed, BAD_SIGNATURE, DUPLICATE, Knob, OUT_OF_ORDER, ROTATE_CERTIFICATE, Rotation, STALE, TIMEOUT_AFTER_CHARGE,
};
use crate::shell::{Base, Counterpart, Parts, Simulator, StartError};
use crate::wire::{Call, Notice, Refusal, Reply, Text};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use form::{Failure, nest};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The version that events are written in.
const VERSION: &str = "2026-07-29.dahlia";

pub(crate) const SIMULATOR: Simulator = Simulator {
    name: "stripe",
    title: Text {
        en: "Stripe: Checkout, PaymentIntents, refunds, disputes, webhooks.",
        zh: "Stripe：Checkout 收银、PaymentIntent、退款、争议与 Webhook。",
    },
    knobs: &[
        TIMEOUT_AFTER_CHARGE,
        DUPLICATE,
        OUT_OF_ORDER,
        BAD_SIGNATURE,
        STALE,
        ROTATE_CERTIFICATE,
        Knob::flag("decline", "cards are declined", "银行卡被拒绝"),
        Knob::flag(
            "refund_pending",
            "refunds stay pending until refund.updated or refund.failed is delivered",
            "退款保持处理中，直到投递 refund.updated 或 refund.failed",
        ),
    ],
    build,
};

fn build(base: &Base) -> Result<Parts, StartError> {
    let key = format!("sk_test_{}", base.material.token("api key", 48));
    let secret = webhook_secret(base, 0);
    Ok(Parts {
        config: json!({"test_mode": true, "api_base": base.url, "api_key": {"$secret": "api_key"},
            "webhook_secret": {"$secret": "webhook_secret"}}),
        secrets: json!({"api_key": key, "webhook_secret": secret}),
        notes: vec![
            Text {
                en: "Tell it where webhooks go: POST /_sim/webhook {\"url\": the installation's notify endpoint}. POST /_sim/pay/REF takes a session id or the order's id; {\"outcome\": \"paid\" | \"processing\" | \"async_succeeded\" | \"async_failed\" | \"declined\"}.",
                zh: "先登记通知地址：POST /_sim/webhook {\"url\": 安装实例的 notify 地址}。POST /_sim/pay/REF 接受会话 ID 或订单号；{\"outcome\": \"paid\" | \"processing\" | \"async_succeeded\" | \"async_failed\" | \"declined\"}。",
            },
            Text {
                en: "POST /_sim/deliver {\"kind\": \"charge.dispute.created\", \"ref\": …} makes things happen that only a dashboard or a bank can; after a rotation GET /_sim/state shows the new webhook secret.",
                zh: "POST /_sim/deliver {\"kind\": \"charge.dispute.created\", \"ref\": …} 触发只有控制台或银行才会产生的事件；轮换后在 GET /_sim/state 查看新的 Webhook 密钥。",
            },
        ],
        counterpart: Arc::new(Stripe {
            base: base.clone(),
            key,
            state: Mutex::new(State {
                secrets: vec![secret],
                ..State::default()
            }),
        }),
        address: None,
        task: None,
    })
}

fn webhook_secret(base: &Base, number: usize) -> String {
    format!("whsec_{}", base.material.token(&format!("webhook secret {number}"), 32))
}

/// An answer that is given again when its idempotency key comes back.
#[derive(Debug, Clone)]
struct Remembered {
    request: Vec<u8>,
    status: u16,
    body: Value,
}

#[derive(Debug, Default)]
struct State {
    /// All objects by id: sessions, intents, charges, refunds, disputes.
    objects: BTreeMap<String, Value>,
    /// Ids in the order of their creation.
    created: Vec<String>,
    events: Vec<Value>,
    idempotency: BTreeMap<String, Remembered>,
    /// Webhook secrets; several while one is rolled.
    secrets: Vec<String>,
    rotations: usize,
    /// Notices of what happened during the operation at hand.
    outbox: Vec<Notice>,
}

impl State {
    fn put(&mut self, object: &Value) {
        let id = object["id"].as_str().unwrap_or_default().to_owned();
        if self.objects.insert(id.clone(), object.clone()).is_none() {
            self.created.push(id);
        }
    }

    /// The newest objects of a kind first.
    fn newest<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        let objects = self.created.iter().rev().filter_map(|id| self.objects.get(id));
        objects.filter(move |o| o["object"] == kind)
    }

    /// A session by its id, its order's id, or its PaymentIntent.
    fn session(&self, reference: &str) -> Option<Value> {
        let fits = |s: &&Value| {
            ["id", "client_reference_id", "payment_intent"]
                .iter()
                .any(|f| s[*f] == reference)
        };
        self.newest("checkout.session").find(fits).cloned()
    }

    fn get(&self, id: &Value) -> Option<Value> {
        self.objects.get(id.as_str()?).cloned()
    }
}

pub(crate) struct Stripe {
    base: Base,
    key: String,
    state: Mutex<State>,
}

impl Stripe {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn id(&self, prefix: &str) -> String {
        format!("{prefix}_{}", fresh(&*self.base.rng, 24))
    }

    fn now(&self) -> i64 {
        self.base.clock.now().as_secs()
    }

    fn authenticate(&self, call: &Call) -> Result<(), Failure> {
        let header = call.header("authorization");
        let bearer = header.strip_prefix("Bearer ").map(str::to_owned);
        let basic = header.strip_prefix("Basic ").and_then(|text| {
            let text = String::from_utf8(STANDARD.decode(text).ok()?).ok()?;
            Some(text.split(':').next().unwrap_or_default().to_owned())
        });
        match bearer.or(basic) {
            Some(key) if key == self.key => Ok(()),
            Some(key) => {
                let end: String = key
                    .chars()
                    .rev()
                    .take(4)
                    .collect::<Vec<_>>()
                    .into_iter()
                    .rev()
                    .collect();
                Err(Failure::new(
                    401,
                    "invalid_request_error",
                    "",
                    &format!("Invalid API Key provided: ****{end}"),
                ))
            }
            None => Err(Failure::new(
                401,
                "invalid_request_error",
                "",
                "You did not provide an API key.",
            )),
        }
    }

    fn api(&self, call: &Call, armed: &Armed) -> Reply {
        let key = call.header("idempotency-key").to_owned();
        let writes = call.method == http::Method::POST;
        let request = [call.path.as_bytes(), b"\0", &call.body].concat();
        let mut state = self.state();
        if let Some(before) = state.idempotency.get(&key).filter(|_| writes && !key.is_empty()) {
            if before.request != request {
                let why =
                    "Keys for idempotent requests can only be used with the same parameters they were first used with.";
                return Failure::new(400, "idempotency_error", "", why).reply();
            }
            return Reply::json(before.status, &before.body)
                .with("idempotent-replayed", "true")
                .charging();
        }
        let fields = if writes { call.form() } else { call.query() };
        let form = nest(&fields);
        let result = self.route(&mut state, call, &form, armed);
        let reply = match result {
            Ok(mut body) => {
                form::expand(&state.objects, &mut body, &form["expand"]);
                Reply::json(200, &body)
            }
            Err(failure) => failure.reply(),
        };
        // What was refused before anything happened may be corrected and sent with the same key.
        if writes && !key.is_empty() && (reply.status < 400 || reply.status == 402) {
            let body = serde_json::from_slice(&reply.body).unwrap_or_default();
            let status = reply.status;
            state.idempotency.insert(key, Remembered { request, status, body });
        }
        let notices = std::mem::take(&mut state.outbox);
        let reply = if writes && reply.status < 400 {
            reply.charging()
        } else {
            reply
        };
        reply.notify(notices)
    }

    fn route(&self, state: &mut State, call: &Call, form: &Value, armed: &Armed) -> Result<Value, Failure> {
        self.expire_overdue(state, armed);
        let segments = call.segments();
        match (call.method.as_str(), &segments[1..]) {
            ("GET", ["balance"]) => Ok(json!({"object": "balance", "livemode": false,
                "available": [{"amount": 0, "currency": "usd"}], "pending": []})),
            ("POST", ["checkout", "sessions"]) => self.create_session(state, form),
            ("GET", ["checkout", "sessions"]) => {
                form::list(state.newest("checkout.session"), form, &["payment_intent"])
            }
            ("POST", ["checkout", "sessions", id, "expire"]) => self.expire_session(state, id, armed),
            ("POST", ["payment_intents"]) => self.create_intent(state, form, armed),
            ("GET", ["payment_intents"]) => form::list(state.newest("payment_intent"), form, &[]),
            ("POST", ["payment_intents", id, "confirm"]) => self.confirm_intent(state, id, form, armed),
            ("POST", ["payment_intents", id, "capture"]) => self.capture_intent(state, id, form, armed),
            ("POST", ["payment_intents", id, "cancel"]) => self.cancel_intent(state, id, armed),
            ("POST", ["refunds"]) => self.create_refund(state, form, armed),
            ("GET", ["refunds"]) => form::list(state.newest("refund"), form, &["payment_intent", "charge"]),
            ("GET", ["events"]) => form::list(state.events.iter().rev(), form, &["type"]),
            ("GET", ["events", id]) => {
                let event = state.events.iter().find(|e| e["id"] == *id).cloned();
                event.ok_or_else(|| Failure::missing("event", id))
            }
            ("GET", ["checkout", "sessions", id]) => form::object(state, "checkout.session", id),
            ("GET", ["payment_intents", id]) => form::object(state, "payment_intent", id),
            ("GET", ["charges", id]) => form::object(state, "charge", id),
            ("GET", ["refunds", id]) => form::object(state, "refund", id),
            ("GET", ["disputes", id]) => form::object(state, "dispute", id),
            _ => {
                let why = format!("Unrecognized request URL ({}: {}).", call.method, call.path);
                Err(Failure::new(404, "invalid_request_error", "", &why))
            }
        }
    }
}

impl Counterpart for Stripe {
    fn handle(&self, call: &Call, armed: &Armed) -> Reply {
        if call.path.starts_with("/c/pay/") {
            return self.page(call, armed);
        }
        if !call.path.starts_with("/v1/") {
            return Failure::new(404, "invalid_request_error", "", "the API is below /v1").reply();
        }
        let reply = match self.authenticate(call) {
            Ok(()) => self.api(call, armed),
            Err(failure) => failure.reply(),
        };
        let id = self.id("req");
        reply.with("request-id", id).with("stripe-version", VERSION)
    }

    fn pay(&self, reference: &str, how: &Value, armed: &Armed) -> Result<Vec<Notice>, Refusal> {
        let mut state = self.state();
        let session = state
            .session(reference)
            .ok_or_else(|| Refusal::unknown_order(reference))?;
        let outcome = how["outcome"].as_str().unwrap_or("paid");
        self.settle(&mut state, session, outcome, armed)?;
        Ok(std::mem::take(&mut state.outbox))
    }

    fn deliver(&self, what: &Value, armed: &Armed) -> Result<Vec<Notice>, Refusal> {
        let mut state = self.state();
        self.happen(&mut state, what, armed)?;
        Ok(std::mem::take(&mut state.outbox))
    }

    fn rotate(&self, how: Rotation) {
        let mut state = self.state();
        state.rotations += 1;
        let secret = webhook_secret(&self.base, state.rotations);
        if how == Rotation::Abrupt {
            state.secrets.clear();
        }
        state.secrets.push(secret);
    }

    fn reset(&self) {
        let mut state = self.state();
        *state = State {
            secrets: std::mem::take(&mut state.secrets),
            rotations: state.rotations,
            ..State::default()
        };
    }

    fn state(&self) -> Value {
        let state = self.state();
        let objects: Vec<_> = state.created.iter().filter_map(|id| state.objects.get(id)).collect();
        json!({"objects": objects, "events": state.events, "webhook_secrets": state.secrets})
    }
}
