//! Alipay: requests signed and answers verified with the crate rsa.

use crate::support::{Bench, Hook, public_key_of, rsa_sign, rsa_verifies};
use serde_json::{Value, json};

fn content(fields: &[(String, String)], except: &[&str]) -> String {
    let mut fields: Vec<_> = fields
        .iter()
        .filter(|(n, v)| !except.contains(&n.as_str()) && !v.is_empty())
        .collect();
    fields.sort();
    fields
        .iter()
        .map(|(n, v)| format!("{n}={v}"))
        .collect::<Vec<_>>()
        .join("&")
}

fn request(bench: &Bench, method: &str, business: &Value, more: &[(&str, &str)]) -> Vec<(String, String)> {
    let at = aistack_core::Timestamp::from_secs(bench.clock.seconds() + 8 * 3600).to_string();
    let at = format!("{} {}", &at[..10], &at[11..19]);
    let business = business.to_string();
    let mut fields = vec![
        ("app_id", bench.config("app_id")),
        ("method", method),
        ("charset", "utf-8"),
        ("sign_type", "RSA2"),
        ("timestamp", &at),
        ("version", "1.0"),
        ("biz_content", &business),
    ];
    fields.extend(more);
    let mut fields: Vec<(String, String)> = fields.into_iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
    let sign = rsa_sign(bench.secret("app_private_key"), &content(&fields, &[]));
    fields.push(("sign".to_owned(), sign));
    fields
}

/// Calls and verifies the answer's signature over the node's bytes.
async fn call(bench: &Bench, method: &str, business: Value, more: &[(&str, &str)]) -> Result<Value, Value> {
    let fields = request(bench, method, &business, more);
    let text = bench
        .http
        .post(bench.config("gateway"))
        .form(&fields)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let whole: Value = serde_json::from_str(&text).unwrap();
    let node = format!("{}_response", method.replace('.', "_"));
    let from = text.find(&format!("\"{node}\":")).unwrap() + node.len() + 3;
    let to = text
        .rfind(if whole["alipay_cert_sn"].is_null() {
            ",\"sign\""
        } else {
            ",\"alipay_cert_sn\""
        })
        .unwrap();
    let key = public_key(bench).await;
    assert!(
        rsa_verifies(&key, &text[from..to], whole["sign"].as_str().unwrap()),
        "{text}"
    );
    let body = whole[node].clone();
    if ["10000", "10003"].contains(&body["code"].as_str().unwrap()) {
        Ok(body)
    } else {
        Err(body["sub_code"].clone())
    }
}

async fn public_key(bench: &Bench) -> String {
    bench.get("/_sim/state").await["alipay_public_key"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn order(amount: &str) -> Value {
    json!({"out_trade_no": "ord_1", "total_amount": amount, "subject": "会员 & plan"})
}

#[tokio::test]
async fn a_qr_payment_goes_from_code_to_refund() {
    let bench = Bench::start("alipay").await;
    let hook = Hook::start("success").await;
    let notify = [("notify_url", hook.url.as_str())];
    let made = call(&bench, "alipay.trade.precreate", order("19.99"), &notify)
        .await
        .unwrap();
    assert!(made["qr_code"].as_str().unwrap().ends_with("/pay/ord_1"));
    let ask = || call(&bench, "alipay.trade.query", json!({"out_trade_no": "ord_1"}), &[]);
    assert_eq!(
        ask().await.unwrap_err(),
        "ACQ.TRADE_NOT_EXIST",
        "nobody has scanned it yet"
    );
    bench.control("pay/ord_1", json!({"outcome": "opened"})).await;
    assert_eq!(ask().await.unwrap()["trade_status"], "WAIT_BUYER_PAY");
    let paid = bench.control("pay/ord_1", json!({})).await;
    assert_eq!(paid["deliveries"][0]["acknowledged"], true);
    let notice = hook.take().remove(0).form();
    let get = |name: &str| notice.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.as_str());
    assert!(rsa_verifies(
        bench.config("alipay_public_key"),
        &content(&notice, &["sign", "sign_type"]),
        get("sign")
    ));
    assert_eq!(
        (get("trade_status"), get("total_amount"), get("subject")),
        ("TRADE_SUCCESS", "19.99", "会员 & plan")
    );
    assert_eq!(get("notify_time"), "2026-01-01 08:00:00");
    assert_eq!(ask().await.unwrap()["trade_status"], "TRADE_SUCCESS");

    let refund = |amount: &'static str, number: &'static str| {
        let business = json!({"out_trade_no": "ord_1", "refund_amount": amount, "out_request_no": number});
        call(&bench, "alipay.trade.refund", business, &[])
    };
    assert_eq!(refund("5.00", "r1").await.unwrap()["fund_change"], "Y");
    assert_eq!(
        refund("5.00", "r1").await.unwrap()["fund_change"],
        "N",
        "the same number moves money once"
    );
    assert_eq!(refund("6.00", "r1").await.unwrap_err(), "ACQ.DISCORDANT_REPEAT_REQUEST");
    assert_eq!(
        refund("15.00", "r2").await.unwrap_err(),
        "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL"
    );
    assert_eq!(refund("14.99", "r2").await.unwrap()["refund_fee"], "19.99");
    assert_eq!(ask().await.unwrap()["trade_status"], "TRADE_CLOSED");
    let asked = json!({"out_trade_no": "ord_1", "out_request_no": "r1"});
    let known = call(&bench, "alipay.trade.fastpay.refund.query", asked, &[])
        .await
        .unwrap();
    assert_eq!(
        (&known["refund_amount"], &known["refund_status"]),
        (&json!("5.00"), &json!("REFUND_SUCCESS"))
    );
}

#[tokio::test]
async fn only_the_body_success_is_an_acknowledgement() {
    let bench = Bench::start("alipay").await;
    let hook = Hook::start("success\n").await;
    call(
        &bench,
        "alipay.trade.create",
        order("1.00"),
        &[("notify_url", &hook.url)],
    )
    .await
    .unwrap();
    let paid = bench.control("pay/ord_1", json!({})).await;
    assert_eq!(
        (&paid["deliveries"][0]["status"], &paid["deliveries"][0]["acknowledged"]),
        (&json!(200), &json!(false))
    );
}

#[tokio::test]
async fn forged_stale_and_foreign_requests_are_refused() {
    let bench = Bench::start("alipay").await;
    let send = async |fields: Vec<(String, String)>| {
        let answer = bench
            .http
            .post(bench.config("gateway"))
            .form(&fields)
            .send()
            .await
            .unwrap();
        answer.json::<Value>().await.unwrap()["alipay_trade_create_response"]["sub_code"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let good = request(&bench, "alipay.trade.create", &order("1.00"), &[]);
    for (name, value, code) in [
        ("biz_content", "{}", "isv.invalid-signature"),
        ("app_id", "2021000000000000", "isv.invalid-app-id"),
        ("sign_type", "RSA", "isv.invalid-signature-type"),
    ] {
        let mut fields = good.clone();
        fields.iter_mut().find(|(n, _)| n == name).unwrap().1 = value.to_owned();
        assert_eq!(send(fields).await, code);
    }
    bench.clock.forward(2 * 86_400);
    assert_eq!(send(good).await, "isv.invalid-timestamp");
    for amount in ["0", "1.234", "x", "-1"] {
        assert_eq!(
            call(&bench, "alipay.trade.create", order(amount), &[])
                .await
                .unwrap_err(),
            "ACQ.INVALID_PARAMETER"
        );
    }
}

#[tokio::test]
async fn the_knobs_bend_answers_and_notifications() {
    let bench = Bench::start("alipay").await;
    let hook = Hook::start("success").await;
    call(
        &bench,
        "alipay.trade.create",
        order("1.00"),
        &[("notify_url", &hook.url)],
    )
    .await
    .unwrap();
    bench.control("pay/ord_1", json!({})).await;
    hook.take();
    let key = bench.config("alipay_public_key").to_owned();
    for (knob, field, changed) in [
        ("bad_signature", "sign", false),
        ("wrong_app", "app_id", true),
        ("wrong_amount", "total_amount", true),
        ("stale", "notify_time", true),
    ] {
        bench.control("faults", json!({knob: true, "next": 1})).await;
        bench
            .control("deliver", json!({"kind": "resend", "ref": "ord_1"}))
            .await;
        let bent = hook.take().remove(0).form();
        bench
            .control("deliver", json!({"kind": "resend", "ref": "ord_1"}))
            .await;
        let right = hook.take().remove(0).form();
        let get = |form: &[(String, String)], name: &str| form.iter().find(|(n, _)| n == name).unwrap().1.clone();
        assert_ne!(get(&bent, field), get(&right, field), "{knob}");
        assert_eq!(
            rsa_verifies(&key, &content(&bent, &["sign", "sign_type"]), &get(&bent, "sign")),
            changed,
            "{knob}"
        );
    }
    bench.control("faults", json!({"system_error": true, "next": 1})).await;
    let refund = json!({"out_trade_no": "ord_1", "refund_amount": "1.00", "out_request_no": "r1"});
    assert_eq!(
        call(&bench, "alipay.trade.refund", refund.clone(), &[])
            .await
            .unwrap_err(),
        "isp.unknow-error"
    );
    let asked = json!({"out_trade_no": "ord_1", "out_request_no": "r1"});
    let known = call(&bench, "alipay.trade.fastpay.refund.query", asked, &[])
        .await
        .unwrap();
    assert_eq!(
        known["refund_status"], "REFUND_SUCCESS",
        "the money moved although the answer was an error"
    );
}

#[tokio::test]
async fn certificates_are_named_as_the_official_libraries_name_them() {
    let bench = Bench::start("alipay").await;
    let app = sn(bench.secret("app_certificate"));
    let root = sn(bench.secret("alipay_root_certificate"));
    let cert = [("app_cert_sn", app.as_str()), ("alipay_root_cert_sn", root.as_str())];
    call(&bench, "alipay.trade.create", order("1.00"), &cert).await.unwrap();
    let fields = request(&bench, "alipay.trade.create", &order("1.00"), &cert);
    let answer: Value = bench
        .http
        .post(bench.config("gateway"))
        .form(&fields)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(answer["alipay_cert_sn"], sn(bench.secret("alipay_certificate")));
    assert_eq!(
        public_key_of(bench.secret("alipay_certificate")),
        bench.config("alipay_public_key")
    );
    let wrong = [("app_cert_sn", root.as_str()), ("alipay_root_cert_sn", root.as_str())];
    assert_eq!(
        call(&bench, "alipay.trade.create", order("1.00"), &wrong)
            .await
            .unwrap_err(),
        "isv.app-cert-sn-invalid"
    );

    bench.control("faults", json!({"rotate_certificate": true})).await;
    let fields = request(&bench, "alipay.trade.create", &order("1.00"), &cert);
    let answer: Value = bench
        .http
        .post(bench.config("gateway"))
        .form(&fields)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let new = answer["alipay_cert_sn"].as_str().unwrap();
    assert_ne!(new, sn(bench.secret("alipay_certificate")));
    let got = call(
        &bench,
        "alipay.open.app.alipaycert.download",
        json!({"alipay_cert_sn": new}),
        &cert,
    )
    .await
    .unwrap();
    let pem = base64::Engine::decode(
        &base64::engine::general_purpose::STANDARD,
        got["alipay_cert_content"].as_str().unwrap(),
    )
    .unwrap();
    assert_eq!(sn(std::str::from_utf8(&pem).unwrap()), new);
}

/// MD5 over the issuer's attributes, last first, and the serial as a decimal number.
fn sn(pem: &str) -> String {
    use md5::Digest as _;
    let (_, pem) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).unwrap();
    let certificate = pem.parse_x509().unwrap();
    let mut names: Vec<_> = certificate
        .issuer()
        .iter_attributes()
        .map(|a| {
            let kind = match a.attr_type().to_id_string().as_str() {
                "2.5.4.3" => "CN",
                "2.5.4.10" => "O",
                _ => "C",
            };
            format!("{kind}={}", a.as_str().unwrap())
        })
        .collect();
    names.reverse();
    hex::encode(md5::Md5::digest(format!("{}{}", names.join(","), certificate.serial)))
}
