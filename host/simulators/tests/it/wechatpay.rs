//! WeChat Pay: requests signed and answers verified with the crate rsa, resources opened with the crate aes-gcm.

use crate::support::{Bench, Delivery, Hook, public_key_of, rsa_sign, rsa_verifies};
use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use base64::Engine as _;
use serde_json::{Value, json};

fn authorization(bench: &Bench, method: &str, target: &str, body: &str) -> String {
    let at = bench.clock.seconds();
    let sign = rsa_sign(
        bench.secret("merchant_private_key"),
        &format!("{method}\n{target}\n{at}\nnonce\n{body}\n"),
    );
    let (mchid, serial) = (bench.config("mchid"), bench.config("merchant_serial"));
    format!(
        "WECHATPAY2-SHA256-RSA2048 mchid=\"{mchid}\",nonce_str=\"nonce\",signature=\"{sign}\",timestamp=\"{at}\",serial_no=\"{serial}\""
    )
}

/// Whether time stamp, nonce and body are signed by the key, recently.
fn signed(headers: &http::HeaderMap, body: &str, key: &str, now: i64) -> bool {
    let get = |name: &str| headers[name].to_str().unwrap();
    let message = format!("{}\n{}\n{body}\n", get("wechatpay-timestamp"), get("wechatpay-nonce"));
    let recent = (now - get("wechatpay-timestamp").parse::<i64>().unwrap()).abs() <= 300;
    let probe = get("wechatpay-signature").starts_with("WECHATPAY/SIGNTEST/");
    recent && !probe && rsa_verifies(key, &message, get("wechatpay-signature"))
}

async fn call(bench: &Bench, method: &str, target: &str, body: Value) -> (u16, Value) {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let url = bench.url(target);
    let request = if method == "GET" {
        bench.http.get(url)
    } else {
        bench.http.post(url).body(body.clone())
    };
    let request = request
        .header("authorization", authorization(bench, method, target, &body))
        .header("accept", "application/json")
        .header("user-agent", "test")
        .header("content-type", "application/json");
    let answer = request.send().await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let text = answer.text().await.unwrap();
    let key = public_key_of(bench.secret("platform_certificate"));
    assert!(signed(&headers, &text, &key, bench.clock.seconds()), "{text}");
    (status, serde_json::from_str(&text).unwrap_or_default())
}

fn open(bench: &Bench, sealed: &Value) -> Option<Vec<u8>> {
    let key = aes_gcm::Aes256Gcm::new_from_slice(bench.secret("api_v3_key").as_bytes()).unwrap();
    let text = |name: &str| sealed[name].as_str().unwrap().as_bytes();
    let msg = base64::engine::general_purpose::STANDARD
        .decode(text("ciphertext"))
        .unwrap();
    let payload = Payload {
        msg: &msg,
        aad: text("associated_data"),
    };
    key.decrypt(aes_gcm::Nonce::from_slice(text("nonce")), payload).ok()
}

fn resource(bench: &Bench, delivery: &Delivery) -> Value {
    serde_json::from_slice(&open(bench, &delivery.json()["resource"]).unwrap()).unwrap()
}

fn order(bench: &Bench, hook: &Hook) -> Value {
    json!({"appid": bench.config("appid"), "mchid": bench.config("mchid"), "description": "会员", "out_trade_no": "order_1",
        "notify_url": hook.url, "amount": {"total": 1999, "currency": "CNY"}})
}

#[tokio::test]
async fn a_native_payment_goes_from_code_to_refund() {
    let bench = Bench::start("wechatpay").await;
    let hook = Hook::start("").await;
    let (status, made) = call(&bench, "POST", "/v3/pay/transactions/native", order(&bench, &hook)).await;
    assert!(
        status == 200 && made["code_url"].as_str().unwrap().starts_with("weixin://"),
        "{made}"
    );
    let query = format!(
        "/v3/pay/transactions/out-trade-no/order_1?mchid={}",
        bench.config("mchid")
    );
    let (_, now) = call(&bench, "GET", &query, Value::Null).await;
    assert_eq!(
        (&now["trade_state"], &now["transaction_id"]),
        (&json!("NOTPAY"), &Value::Null)
    );
    bench.control("pay/order_1", json!({})).await;
    let delivery = hook.take().remove(0);
    let key = public_key_of(bench.secret("platform_certificate"));
    assert!(signed(&delivery.headers, delivery.text(), &key, bench.clock.seconds()));
    let told = resource(&bench, &delivery);
    assert_eq!(
        (&told["trade_state"], &told["amount"]["total"]),
        (&json!("SUCCESS"), &json!(1999))
    );
    assert_eq!(told["success_time"], "2026-01-01T08:00:00+08:00");
    let (_, now) = call(&bench, "GET", &query, Value::Null).await;
    assert_eq!(now, told);

    let refund = |amount: i64, number: &str| json!({"out_trade_no": "order_1", "out_refund_no": number, "amount": {"refund": amount, "total": 1999, "currency": "CNY"}});
    let (status, under_way) = call(&bench, "POST", "/v3/refund/domestic/refunds", refund(500, "r1")).await;
    assert_eq!((status, &under_way["status"]), (200, &json!("PROCESSING")));
    let told = resource(&bench, &hook.wait(1).await[0]);
    assert_eq!(
        (&told["refund_status"], &told["amount"]["refund"]),
        (&json!("SUCCESS"), &json!(500))
    );
    let (status, again) = call(&bench, "POST", "/v3/refund/domestic/refunds", refund(500, "r1")).await;
    assert_eq!((status, &again["refund_id"]), (200, &under_way["refund_id"]));
    let (status, body) = call(&bench, "POST", "/v3/refund/domestic/refunds", refund(1500, "r2")).await;
    assert_eq!((status, &body["code"]), (403, &json!("NOT_ENOUGH")));
    let (status, body) = call(&bench, "POST", "/v3/pay/transactions/native", order(&bench, &hook)).await;
    assert_eq!((status, &body["code"]), (400, &json!("ORDERPAID")));
}

#[tokio::test]
async fn closing_forgery_and_wrong_input() {
    let bench = Bench::start("wechatpay").await;
    let hook = Hook::start("").await;
    call(&bench, "POST", "/v3/pay/transactions/native", order(&bench, &hook)).await;
    let path = "/v3/pay/transactions/out-trade-no/order_1/close";
    assert_eq!(
        call(&bench, "POST", path, json!({"mchid": bench.config("mchid")}))
            .await
            .0,
        204
    );
    let (_, body) = call(&bench, "POST", "/v3/pay/transactions/native", order(&bench, &hook)).await;
    assert_eq!(body["code"], "ORDER_CLOSED");
    for (pointer, wrong, code) in [
        ("/amount/total", json!(0), "PARAM_ERROR"),
        ("/amount/total", json!("1"), "PARAM_ERROR"),
        ("/appid", json!("wx0"), "APPID_MCHID_NOT_MATCH"),
        ("/out_trade_no", json!("x"), "PARAM_ERROR"),
        ("/description", json!(""), "PARAM_ERROR"),
    ] {
        let mut asked = order(&bench, &hook);
        *asked.pointer_mut(pointer).unwrap() = wrong;
        assert_eq!(
            call(&bench, "POST", "/v3/pay/transactions/native", asked).await.1["code"],
            code,
            "{pointer}"
        );
    }
    let target = "/v3/certificates";
    for forged in [
        authorization(&bench, "GET", "/v3/other", ""),
        authorization(&bench, "POST", target, ""),
        "Bearer x".into(),
    ] {
        let request = bench
            .http
            .get(bench.url(target))
            .header("accept", "*/*")
            .header("user-agent", "t");
        let answer = request.header("authorization", forged).send().await.unwrap();
        assert_eq!(answer.status(), 401);
    }
    let late = authorization(&bench, "GET", target, "");
    bench.clock.forward(301);
    let request = bench
        .http
        .get(bench.url(target))
        .header("accept", "*/*")
        .header("user-agent", "t");
    assert_eq!(
        request.header("authorization", late).send().await.unwrap().status(),
        401
    );
}

#[tokio::test]
async fn platform_certificates_are_sealed_and_rotate() {
    let bench = Bench::start("wechatpay").await;
    let hook = Hook::start("").await;
    let (_, list) = call(&bench, "GET", "/v3/certificates", Value::Null).await;
    let pem = open(&bench, &list["data"][0]["encrypt_certificate"]).unwrap();
    assert_eq!(String::from_utf8(pem).unwrap(), bench.secret("platform_certificate"));
    call(&bench, "POST", "/v3/pay/transactions/native", order(&bench, &hook)).await;
    bench.control("faults", json!({"rotate_certificate": true})).await;
    bench.control("pay/order_1", json!({})).await;
    let delivery = hook.take().remove(0);
    let state = bench.get("/_sim/state").await;
    let known = state["platform_certificates"].as_array().unwrap();
    assert_eq!(known.len(), 2);
    assert_eq!(
        delivery.header("wechatpay-serial"),
        known[1]["serial"].as_str().unwrap()
    );
    let (old, new) = (
        public_key_of(known[0]["pem"].as_str().unwrap()),
        public_key_of(known[1]["pem"].as_str().unwrap()),
    );
    let now = bench.clock.seconds();
    assert!(
        signed(&delivery.headers, delivery.text(), &new, now) && !signed(&delivery.headers, delivery.text(), &old, now)
    );
}

#[tokio::test]
async fn the_knobs_bend_notifications() {
    let bench = Bench::start("wechatpay").await;
    let hook = Hook::start("").await;
    call(&bench, "POST", "/v3/pay/transactions/native", order(&bench, &hook)).await;
    bench.control("pay/order_1", json!({})).await;
    hook.take();
    let key = public_key_of(bench.secret("platform_certificate"));
    for knob in ["bad_signature", "stale", "sign_test", "bad_ciphertext", "wrong_amount"] {
        bench.control("faults", json!({knob: true, "next": 1})).await;
        bench
            .control("deliver", json!({"kind": "TRANSACTION.SUCCESS", "ref": "order_1"}))
            .await;
        let bent = hook.take().remove(0);
        let fits = signed(&bent.headers, bent.text(), &key, bench.clock.seconds());
        let opened = open(&bench, &bent.json()["resource"]);
        let total = opened
            .as_ref()
            .map(|r| serde_json::from_slice::<Value>(r).unwrap()["amount"]["total"].clone());
        match knob {
            "bad_ciphertext" => assert!(fits && opened.is_none()),
            "wrong_amount" => assert!(fits && total == Some(json!(1998))),
            _ => assert!(!fits && total == Some(json!(1999)), "{knob}"),
        }
    }
    // With the public key instead of certificates.
    let target = format!(
        "/v3/pay/transactions/out-trade-no/order_1?mchid={}",
        bench.config("mchid")
    );
    let request = bench
        .http
        .get(bench.url(&target))
        .header("accept", "*/*")
        .header("user-agent", "t");
    let request = request.header("wechatpay-serial", bench.config("public_key_id"));
    let answer = request
        .header("authorization", authorization(&bench, "GET", &target, ""))
        .send()
        .await
        .unwrap();
    let headers = answer.headers().clone();
    assert_eq!(headers["wechatpay-serial"], bench.config("public_key_id"));
    let text = answer.text().await.unwrap();
    assert!(signed(
        &headers,
        &text,
        bench.config("public_key"),
        bench.clock.seconds()
    ));
}
