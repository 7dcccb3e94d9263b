//! Stripe: states, idempotency, events. The signature is recomputed here from the definition of HMAC.

use crate::support::{Bench, Delivery, Hook};
use serde_json::{Value, json};
use sha2::Digest as _;
use std::time::Duration;

/// RFC 2104 with SHA-256, for keys of at most 64 bytes.
fn hmac(key: &str, message: &str) -> String {
    let pad = |byte: u8| {
        let mut block = [byte; 64];
        block.iter_mut().zip(key.bytes()).for_each(|(b, k)| *b ^= k);
        block
    };
    let inner = sha2::Sha256::new()
        .chain_update(pad(0x36))
        .chain_update(message)
        .finalize();
    hex::encode(
        sha2::Sha256::new()
            .chain_update(pad(0x5c))
            .chain_update(inner)
            .finalize(),
    )
}

fn verifies(delivery: &Delivery, secret: &str, now: i64) -> bool {
    let header = delivery.header("stripe-signature");
    let mut parts = header.split(',').map(|p| p.split_once('=').unwrap());
    let (_, at) = parts.next().unwrap();
    let expected = hmac(secret, &format!("{at}.{}", delivery.text()));
    (now - at.parse::<i64>().unwrap()).abs() <= 300 && parts.any(|(n, v)| n == "v1" && v == expected)
}

async fn call(bench: &Bench, method: &str, path: &str, key: &str, form: &[(&str, &str)]) -> (u16, Value) {
    let request = if method == "GET" {
        bench.http.get(bench.url(path)).query(form)
    } else {
        bench.http.post(bench.url(path)).form(form)
    };
    let request = request.bearer_auth(bench.secret("api_key"));
    let request = if key.is_empty() {
        request
    } else {
        request.header("idempotency-key", key)
    };
    let answer = request.send().await.unwrap();
    assert!(answer.headers()["request-id"].to_str().unwrap().starts_with("req_"));
    (answer.status().as_u16(), answer.json().await.unwrap())
}

const ORDER: [(&str, &str); 8] = [
    ("mode", "payment"),
    ("client_reference_id", "ord_1"),
    ("success_url", "http://127.0.0.1:9/back"),
    ("line_items[0][quantity]", "1"),
    ("line_items[0][price_data][currency]", "usd"),
    ("line_items[0][price_data][unit_amount]", "1999"),
    ("line_items[0][price_data][product_data][name]", "Plan"),
    ("payment_intent_data[metadata][aistack_order]", "ord_1"),
];

async fn session(bench: &Bench, more: &[(&str, &str)]) -> Value {
    let (status, body) = call(bench, "POST", "/v1/checkout/sessions", "", &[&ORDER, more].concat()).await;
    assert_eq!(status, 200, "{body}");
    body
}

#[tokio::test]
async fn a_payment_goes_from_session_to_refund() {
    let bench = Bench::start("stripe").await;
    let hook = Hook::start("received").await;
    bench.control("webhook", json!({"url": hook.url})).await;
    let made = session(&bench, &[]).await;
    assert_eq!(
        (&made["status"], &made["amount_total"], &made["payment_intent"]),
        (&json!("open"), &json!(1999), &Value::Null)
    );
    assert!(made["_intent"].is_null());
    let paid = bench.control("pay/ord_1", json!({})).await;
    assert!(
        paid["deliveries"]
            .as_array()
            .unwrap()
            .iter()
            .all(|d| d["acknowledged"] == true),
        "{paid}"
    );
    let kinds: Vec<_> = hook
        .take()
        .into_iter()
        .map(|d| {
            assert!(verifies(&d, bench.secret("webhook_secret"), bench.clock.seconds()));
            d.json()["type"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "charge.succeeded",
            "payment_intent.succeeded",
            "checkout.session.completed"
        ]
    );

    let path = format!("/v1/checkout/sessions/{}", made["id"].as_str().unwrap());
    let (_, now) = call(
        &bench,
        "GET",
        &path,
        "",
        &[("expand[0]", "payment_intent.latest_charge")],
    )
    .await;
    assert_eq!(
        (&now["status"], &now["payment_status"], &now["url"]),
        (&json!("complete"), &json!("paid"), &Value::Null)
    );
    let charge = &now["payment_intent"]["latest_charge"];
    assert_eq!(
        (&charge["amount_captured"], &charge["metadata"]["aistack_order"]),
        (&json!(1999), &json!("ord_1"))
    );

    let intent = now["payment_intent"]["id"].as_str().unwrap();
    let (status, refund) = call(
        &bench,
        "POST",
        "/v1/refunds",
        "r1",
        &[
            ("payment_intent", intent),
            ("amount", "500"),
            ("metadata[aistack_refund]", "r1"),
        ],
    )
    .await;
    assert_eq!((status, &refund["status"]), (200, &json!("succeeded")));
    let events = hook.wait(2).await;
    assert_eq!(events[1].json()["data"]["object"]["amount_refunded"], 500);
    assert_eq!(events[1].json()["data"]["previous_attributes"]["amount_refunded"], 0);
    let (status, too_much) = call(
        &bench,
        "POST",
        "/v1/refunds",
        "",
        &[("payment_intent", intent), ("amount", "1500")],
    )
    .await;
    assert_eq!(
        (status, &too_much["error"]["type"]),
        (400, &json!("invalid_request_error"))
    );
    let (_, list) = call(
        &bench,
        "GET",
        "/v1/refunds",
        "",
        &[("payment_intent", intent), ("limit", "100")],
    )
    .await;
    assert_eq!(list["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_idempotency_key_gives_the_first_answer_again() {
    let bench = Bench::start("stripe").await;
    let (_, first) = call(&bench, "POST", "/v1/checkout/sessions", "k1", &ORDER).await;
    let (_, second) = call(&bench, "POST", "/v1/checkout/sessions", "k1", &ORDER).await;
    assert_eq!(first["id"], second["id"]);
    let other = [&ORDER[..], &[("locale", "de")]].concat();
    let (status, body) = call(&bench, "POST", "/v1/checkout/sessions", "k1", &other).await;
    assert_eq!((status, &body["error"]["type"]), (400, &json!("idempotency_error")));
    let (_, third) = call(&bench, "POST", "/v1/checkout/sessions", "k2", &ORDER).await;
    assert_ne!(first["id"], third["id"]);
}

#[tokio::test]
async fn a_timeout_after_charge_has_charged_once() {
    let bench = Bench::start("stripe").await;
    bench
        .control(
            "faults",
            json!({"timeout_after_charge": true, "delay_ms": 50, "next": 1}),
        )
        .await;
    let request = bench
        .http
        .post(bench.url("/v1/checkout/sessions"))
        .bearer_auth(bench.secret("api_key"));
    let request = request
        .header("idempotency-key", "k1")
        .form(&ORDER)
        .timeout(Duration::from_secs(5));
    let error = request.send().await.unwrap_err();
    assert!(!error.is_timeout(), "cut, not hung: {error}");
    let (_, body) = call(&bench, "POST", "/v1/checkout/sessions", "k1", &ORDER).await;
    let (_, list) = call(&bench, "GET", "/v1/checkout/sessions", "", &[]).await;
    assert_eq!(list["data"].as_array().unwrap().len(), 1);
    assert_eq!(list["data"][0]["id"], body["id"]);
}

#[tokio::test]
async fn webhooks_arrive_twice_backwards_forged_and_late() {
    let bench = Bench::start("stripe").await;
    let hook = Hook::start("").await;
    bench.control("webhook", json!({"url": hook.url})).await;
    let now = bench.clock.seconds();
    let secret = bench.secret("webhook_secret").to_owned();
    session(&bench, &[]).await;
    bench
        .control("faults", json!({"duplicate": true, "out_of_order": true, "next": 1}))
        .await;
    bench.control("pay/ord_1", json!({})).await;
    let got = hook.take();
    let kinds: Vec<_> = got
        .iter()
        .map(|d| d.json()["type"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kinds[..2], ["checkout.session.completed"; 2]);
    assert_eq!(kinds[4..], ["charge.succeeded"; 2]);
    assert_eq!(
        got[0].json()["id"],
        got[1].json()["id"],
        "the same event, not another one"
    );

    for (knob, fits) in [("bad_signature", false), ("stale", false), ("duplicate", true)] {
        bench.control("faults", json!({knob: true, "next": 1})).await;
        bench
            .control("deliver", json!({"kind": "resend", "ref": got[0].json()["id"]}))
            .await;
        let sent = hook.take().remove(0);
        assert_eq!(verifies(&sent, &secret, now), fits, "{knob}");
    }
    // One webhook alone is held back until the next.
    bench.control("faults", json!({"out_of_order": true})).await;
    let dispute = bench
        .control("deliver", json!({"kind": "charge.dispute.created", "ref": "ord_1"}))
        .await;
    assert_eq!((&dispute["held"], hook.take().len()), (&json!(1), 0));
    bench
        .control("deliver", json!({"kind": "charge.dispute.closed", "ref": "ord_1"}))
        .await;
    let kinds: Vec<_> = hook.take().iter().map(|d| d.json()["type"].clone()).collect();
    assert_eq!(kinds, [json!("charge.dispute.closed"), json!("charge.dispute.created")]);
}

#[tokio::test]
async fn a_rolled_webhook_secret_signs_beside_the_old_one() {
    let bench = Bench::start("stripe").await;
    let hook = Hook::start("").await;
    bench.control("webhook", json!({"url": hook.url})).await;
    session(&bench, &[]).await;
    bench.control("faults", json!({"rotate_certificate": true})).await;
    bench.control("pay/ord_1", json!({})).await;
    let secrets = bench.get("/_sim/state").await["webhook_secrets"].clone();
    assert_eq!(secrets[0], bench.secret("webhook_secret"));
    for delivery in hook.take() {
        for secret in secrets.as_array().unwrap() {
            assert!(verifies(&delivery, secret.as_str().unwrap(), bench.clock.seconds()));
        }
    }
}

#[tokio::test]
async fn slow_methods_manual_capture_and_expiry() {
    let bench = Bench::start("stripe").await;
    let hook = Hook::start("").await;
    bench.control("webhook", json!({"url": hook.url})).await;
    session(&bench, &[]).await;
    bench.control("pay/ord_1", json!({"outcome": "processing"})).await;
    let completed = hook.take().pop().unwrap().json();
    assert_eq!(completed["data"]["object"]["payment_status"], "unpaid");
    bench.control("pay/ord_1", json!({"outcome": "async_failed"})).await;
    assert_eq!(
        hook.take().pop().unwrap().json()["type"],
        "checkout.session.async_payment_failed"
    );

    let held = session(&bench, &[("payment_intent_data[capture_method]", "manual")]).await;
    let id = held["id"].as_str().unwrap();
    bench.control(&format!("pay/{id}"), json!({})).await;
    let (_, now) = call(
        &bench,
        "GET",
        &format!("/v1/checkout/sessions/{id}"),
        "",
        &[("expand[0]", "payment_intent")],
    )
    .await;
    assert_eq!(
        (&now["payment_status"], &now["payment_intent"]["status"]),
        (&json!("unpaid"), &json!("requires_capture"))
    );
    let path = format!(
        "/v1/payment_intents/{}/capture",
        now["payment_intent"]["id"].as_str().unwrap()
    );
    let (status, captured) = call(&bench, "POST", &path, "c1", &[("amount_to_capture", "1000")]).await;
    assert_eq!((status, &captured["amount_received"]), (200, &json!(1000)));
    hook.wait(5).await;

    let late = session(&bench, &[]).await;
    bench.clock.forward(86_400);
    let (_, now) = call(
        &bench,
        "GET",
        &format!("/v1/checkout/sessions/{}", late["id"].as_str().unwrap()),
        "",
        &[],
    )
    .await;
    assert_eq!(now["status"], "expired");
    assert_eq!(hook.wait(1).await[0].json()["type"], "checkout.session.expired");
}

#[tokio::test]
async fn what_stripe_refuses_is_refused() {
    let bench = Bench::start("stripe").await;
    let wrong = bench
        .http
        .get(bench.url("/v1/balance"))
        .bearer_auth("sk_test_wrong")
        .send()
        .await
        .unwrap();
    assert_eq!(wrong.status(), 401);
    let now = bench.clock.seconds();
    let (soon, late) = ((now + 60).to_string(), (now + 90_000).to_string());
    for (more, param) in [
        (("nonsense", "1"), "nonsense"),
        (("expires_at", soon.as_str()), "expires_at"),
        (("expires_at", late.as_str()), "expires_at"),
        (("mode", "subscription"), "mode"),
    ] {
        let mut form = ORDER.to_vec();
        form.retain(|(n, _)| *n != more.0);
        form.push(more);
        let (status, body) = call(&bench, "POST", "/v1/checkout/sessions", "", &form).await;
        assert_eq!((status, &body["error"]["param"]), (400, &json!(param)));
    }
    let (status, body) = call(&bench, "GET", "/v1/checkout/sessions/cs_test_none", "", &[]).await;
    assert_eq!((status, &body["error"]["code"]), (404, &json!("resource_missing")));
    let form = [
        ("amount", "100"),
        ("currency", "usd"),
        ("confirm", "true"),
        ("payment_method", "pm_card_chargeDeclined"),
    ];
    let (status, body) = call(&bench, "POST", "/v1/payment_intents", "", &form).await;
    assert_eq!(
        (status, &body["error"]["decline_code"]),
        (402, &json!("generic_decline"))
    );
}

#[tokio::test]
async fn the_payer_clicks_through_the_page() {
    let bench = Bench::start("stripe").await;
    let hook = Hook::start("").await;
    bench.control("webhook", json!({"url": hook.url})).await;
    let url = session(&bench, &[]).await["url"].as_str().unwrap().to_owned();
    let page = bench.http.get(&url).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("1999 usd"));
    let answer = bench.http.post(&url).form(&[("choice", "paid")]).send().await.unwrap();
    assert_eq!(answer.headers()["location"], "http://127.0.0.1:9/back");
    assert_eq!(hook.wait(3).await.len(), 3);
}
