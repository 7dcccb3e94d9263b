//! What every side of a comparison is asked, here and in `tests/rivals`: two JSON documents (150 and 430 bytes) to be read,
//! one to be written, and an HMAC; and the native function that does it.

#[path = "../../../../tests/hostile/common/src/work.rs"]
mod work;

use aistack_core::{Currency, Money};
use aistack_domain::plugins::port::PaymentOrder;
use aws_lc_rs::hmac;
use serde_json::{Value, json};
use std::convert::Infallible;

/// The config of the installation.
pub fn config() -> Value {
    json!({ "merchant": "m_1029384756", "gateway": "https://pay.example.com", "notify": "https://acme.example.com/hooks/1",
        "key": { "$secret": "key" }, "mode": "live" })
}

/// What comes with the order, for the plugin alone.
pub fn payload() -> Value {
    let item = |n: u32| json!({ "name": format!("item number {n}"), "sku": format!("sku-{n:08}"), "price": 1999, "quantity": n });
    json!({ "do": "work", "order": "ord_0192f0c1a2b3", "currency": "CNY", "items": (1..=5).map(item).collect::<Vec<_>>() })
}

/// The order around it.
pub fn order(extra: Value) -> PaymentOrder {
    PaymentOrder {
        id: "ord_0192f0c1a2b3".to_owned(),
        amount: Money::new(1999, Currency::CNY),
        description: "Plan".to_owned(),
        method: String::new(),
        payer: Value::Null,
        capture: true,
        return_url: "https://acme.example.com/back".to_owned(),
        notify_url: "https://acme.example.com/hooks/1".to_owned(),
        expires_ms: None,
        idempotency_key: "k".to_owned(),
        metadata: vec![],
        extra,
    }
}

/// The HMAC under the installation's secret.
pub fn mac(data: &[u8]) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"newest");
    hmac::sign(&key, data).as_ref().to_vec()
}

/// The same work without any sandbox: the address it comes to.
pub fn native(config: &str, payload: &str) -> String {
    work::create_payment(config, payload, |body| Ok::<_, Infallible>(mac(body))).unwrap()
}
