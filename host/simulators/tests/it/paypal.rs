//! PayPal: orders, and webhooks verified with the crates rsa and x509-parser.

use crate::support::{Bench, Delivery, Hook, public_key_of, rsa_verifies};
use serde_json::{Value, json};

/// The definition, bit by bit: remainder of the division by the polynomial.
fn crc32(bytes: &[u8]) -> u32 {
    let mut register = u32::MAX;
    for bit in bytes.iter().flat_map(|b| (0..8).map(move |i| b >> i & 1)) {
        let carry = register & 1 != u32::from(bit);
        register >>= 1;
        if carry {
            register ^= 0xedb8_8320;
        }
    }
    !register
}

async fn verifies(bench: &Bench, delivery: &Delivery) -> bool {
    let get = |name: &str| delivery.header(name);
    let pem = bench
        .http
        .get(get("paypal-cert-url"))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let message = format!(
        "{}|{}|{}|{}",
        get("paypal-transmission-id"),
        get("paypal-transmission-time"),
        bench.config("webhook_id"),
        crc32(&delivery.body)
    );
    rsa_verifies(&public_key_of(&pem), &message, get("paypal-transmission-sig"))
}

async fn token(bench: &Bench) -> String {
    let request = bench
        .http
        .post(bench.url("/v1/oauth2/token"))
        .form(&[("grant_type", "client_credentials")]);
    let request = request.basic_auth(bench.config("client_id"), Some(bench.secret("client_secret")));
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    answer["access_token"].as_str().unwrap().to_owned()
}

async fn call(bench: &Bench, method: &str, path: &str, request_id: &str, body: Value) -> (u16, Value) {
    let url = bench.url(path);
    let request = if method == "GET" {
        bench.http.get(url)
    } else {
        bench.http.post(url).json(&body)
    };
    let request = request.bearer_auth(token(bench).await);
    let request = if request_id.is_empty() {
        request
    } else {
        request.header("paypal-request-id", request_id)
    };
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or_default())
}

fn order(intent: &str) -> Value {
    json!({"intent": intent, "purchase_units": [{"custom_id": "ord_1", "amount": {"currency_code": "USD", "value": "19.99"}}],
        "application_context": {"return_url": "http://127.0.0.1:9/back", "cancel_url": "http://127.0.0.1:9/cancel"}})
}

async fn bench() -> (Bench, Hook) {
    let (bench, hook) = (Bench::start("paypal").await, Hook::start("").await);
    bench.control("webhook", json!({"url": hook.url})).await;
    (bench, hook)
}

fn issue(body: &Value) -> &str {
    body["details"][0]["issue"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn an_order_goes_from_approval_to_refund() {
    let (bench, hook) = bench().await;
    let (status, made) = call(&bench, "POST", "/v2/checkout/orders", "o1", order("CAPTURE")).await;
    assert_eq!((status, &made["status"]), (201, &json!("CREATED")));
    let path = format!("/v2/checkout/orders/{}", made["id"].as_str().unwrap());
    let capture = format!("{path}/capture");
    let (status, body) = call(&bench, "POST", &capture, "", json!({})).await;
    assert_eq!((status, issue(&body)), (422, "ORDER_NOT_APPROVED"));
    let approve = made["links"][1]["href"].as_str().unwrap();
    let back = bench
        .http
        .post(approve)
        .form(&[("choice", "approve")])
        .send()
        .await
        .unwrap();
    assert!(
        back.headers()["location"]
            .to_str()
            .unwrap()
            .starts_with("http://127.0.0.1:9/back?token=")
    );
    let (status, done) = call(&bench, "POST", &capture, "c1", json!({})).await;
    assert_eq!((status, &done["status"]), (201, &json!("COMPLETED")));
    let (status, again) = call(&bench, "POST", &capture, "c1", json!({})).await;
    assert_eq!(
        (status, &again),
        (201, &done),
        "the same request id is the same request"
    );
    let (_, body) = call(&bench, "POST", &capture, "c2", json!({})).await;
    assert_eq!(issue(&body), "ORDER_ALREADY_CAPTURED");
    let got = hook.wait(2).await;
    assert_eq!(got[0].json()["event_type"], "CHECKOUT.ORDER.APPROVED");
    let taken = got[1].json();
    assert_eq!(
        (&taken["event_type"], &taken["resource"]["custom_id"]),
        (&json!("PAYMENT.CAPTURE.COMPLETED"), &json!("ord_1"))
    );
    assert_eq!(
        taken["resource"]["seller_receivable_breakdown"]["paypal_fee"]["value"],
        "0.87"
    );
    for delivery in &got {
        assert!(verifies(&bench, delivery).await);
    }
    let id = done["purchase_units"][0]["payments"]["captures"][0]["id"]
        .as_str()
        .unwrap();
    let refund = format!("/v2/payments/captures/{id}/refund");
    let part = json!({"amount": {"currency_code": "USD", "value": "5.00"}});
    assert_eq!(call(&bench, "POST", &refund, "r1", part).await.0, 201);
    let (_, now) = call(&bench, "GET", &path, "", Value::Null).await;
    assert_eq!(
        now["purchase_units"][0]["payments"]["captures"][0]["status"],
        "PARTIALLY_REFUNDED"
    );
    let much = json!({"amount": {"currency_code": "USD", "value": "15.00"}});
    assert_eq!(
        issue(&call(&bench, "POST", &refund, "r2", much).await.1),
        "REFUND_AMOUNT_EXCEEDED"
    );
    assert_eq!(
        call(&bench, "POST", &refund, "r3", json!({})).await.1["amount"]["value"],
        "14.99"
    );
    assert_eq!(
        issue(&call(&bench, "POST", &refund, "r4", json!({})).await.1),
        "CAPTURE_FULLY_REFUNDED"
    );
}

#[tokio::test]
async fn the_judging_api_knows_genuine_from_forged() {
    let (bench, hook) = bench().await;
    let (_, made) = call(&bench, "POST", "/v2/checkout/orders", "", order("CAPTURE")).await;
    bench.control("pay/ord_1", json!({})).await;
    let got = hook.take().remove(0);
    let ask = |change: Option<(&'static str, Value)>| {
        let mut asked = json!({"webhook_id": bench.config("webhook_id"), "webhook_event": got.json()});
        for name in [
            "auth_algo",
            "cert_url",
            "transmission_id",
            "transmission_sig",
            "transmission_time",
        ] {
            asked[name] = json!(got.header(&format!("paypal-{}", name.replace('_', "-"))));
        }
        if let Some((name, value)) = change {
            asked[name] = value;
        }
        call(&bench, "POST", "/v1/notifications/verify-webhook-signature", "", asked)
    };
    assert_eq!(ask(None).await.1["verification_status"], "SUCCESS");
    let mut event = got.json();
    event["resource"]["id"] = json!("X");
    for change in [
        ("webhook_event", event),
        ("webhook_id", json!("OTHER")),
        ("transmission_time", json!("2026-01-01T00:00:01Z")),
        ("transmission_id", json!("x")),
        ("cert_url", json!("http://evil.example/cert")),
    ] {
        let name = change.0;
        assert_eq!(ask(Some(change)).await.1["verification_status"], "FAILURE", "{name}");
    }
    assert!(made["id"].is_string());
}

#[tokio::test]
async fn authorizations_pending_captures_and_declines() {
    let (bench, hook) = bench().await;
    let (_, made) = call(&bench, "POST", "/v2/checkout/orders", "", order("AUTHORIZE")).await;
    let path = format!("/v2/checkout/orders/{}", made["id"].as_str().unwrap());
    bench.control("pay/ord_1", json!({})).await;
    assert_eq!(
        issue(&call(&bench, "POST", &format!("{path}/capture"), "", json!({})).await.1),
        "ACTION_DOES_NOT_MATCH_INTENT"
    );
    let (_, done) = call(&bench, "POST", &format!("{path}/authorize"), "", json!({})).await;
    let id = done["purchase_units"][0]["payments"]["authorizations"][0]["id"]
        .as_str()
        .unwrap();
    let capture = format!("/v2/payments/authorizations/{id}/capture");
    bench.control("faults", json!({"pending": true, "next": 1})).await;
    let (status, pending) = call(
        &bench,
        "POST",
        &capture,
        "",
        json!({"amount": {"currency_code": "USD", "value": "10.00"}}),
    )
    .await;
    assert_eq!((status, &pending["status"]), (201, &json!("PENDING")));
    hook.wait(3).await;
    bench
        .control(
            "deliver",
            json!({"kind": "PAYMENT.CAPTURE.COMPLETED", "ref": pending["id"]}),
        )
        .await;
    assert_eq!(hook.take()[0].json()["resource"]["status"], "COMPLETED");

    let (_, made) = call(&bench, "POST", "/v2/checkout/orders", "", order("CAPTURE")).await;
    let id = made["id"].as_str().unwrap();
    bench.control(&format!("pay/{id}"), json!({})).await;
    bench.control("faults", json!({"decline": true})).await;
    let (_, body) = call(
        &bench,
        "POST",
        &format!("/v2/checkout/orders/{id}/capture"),
        "",
        json!({}),
    )
    .await;
    assert_eq!(issue(&body), "INSTRUMENT_DECLINED");
}

#[tokio::test]
async fn bad_signatures_new_certificates_and_expired_tokens() {
    let (bench, hook) = bench().await;
    call(&bench, "POST", "/v2/checkout/orders", "", order("CAPTURE")).await;
    bench.control("faults", json!({"bad_signature": true, "next": 1})).await;
    bench.control("pay/ord_1", json!({})).await;
    let forged = hook.take().remove(0);
    assert!(!verifies(&bench, &forged).await);
    bench.control("faults", json!({"rotate_certificate": true})).await;
    bench
        .control("deliver", json!({"kind": "resend", "ref": forged.json()["id"]}))
        .await;
    let renewed = hook.take().remove(0);
    assert_ne!(renewed.header("paypal-cert-url"), forged.header("paypal-cert-url"));
    assert!(verifies(&bench, &renewed).await);
    let old = token(&bench).await;
    bench.clock.forward(32_400);
    let answer = bench
        .http
        .get(bench.url("/v2/checkout/orders/X"))
        .bearer_auth(old)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 401);
    bench.control("faults", json!({"token_expired": true, "next": 1})).await;
    assert_eq!(
        call(&bench, "GET", "/v2/checkout/orders/X", "", Value::Null).await.0,
        401
    );
    assert_eq!(
        call(&bench, "GET", "/v2/checkout/orders/X", "", Value::Null).await.0,
        404
    );
    for wrong in [
        json!({}),
        json!({"intent": "CAPTURE"}),
        json!({"intent": "CAPTURE", "purchase_units": [{"amount": {"currency_code": "JPY", "value": "1.5"}}]}),
    ] {
        assert_eq!(call(&bench, "POST", "/v2/checkout/orders", "", wrong).await.0, 400);
    }
}
