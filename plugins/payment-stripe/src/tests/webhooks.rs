//! Deliveries: who is believed, and what each event comes to.

use super::*;
use aistack_sdk::{Fault, Kind, Outcome};

fn take(host: &FakeHost, request: HttpRequest) -> Result<Outcome, Fault> {
    Stripe.inbound(host, &context(), "notify", request)
}

fn signed(host: &FakeHost, event: &Value) -> HttpRequest {
    delivery(WEBHOOK_SECRET, now_s(host), &event.to_string())
}

/// Kind, subject and data of the single event.
fn single(event: &Value) -> Option<(String, String, Value)> {
    let host = bare(config());
    let outcome = take(&host, signed(&host, event)).expect("genuine");
    assert!(outcome.events.len() <= 1);
    assert_eq!(outcome.ack.status, 200);
    let event = outcome.events.into_iter().next()?;
    Some((
        event.kind,
        event.subject,
        serde_json::from_str(&event.data).expect("JSON"),
    ))
}

/// The published vector: secret, time stamp, body and signature as they stand.
#[test]
fn the_official_vector_verifies() {
    const BODY: &str = r#"{"id":"evt_test_webhook","object":"event"}"#;
    const SIGNATURE: &str = "e7df43adcf699b3839cf5fe20429cae4712141aee3660a1671b34f77a1be9444";
    assert_eq!(mac_hex("whsec_test_secret", &format!("12345.{BODY}")), SIGNATURE);
    let request = HttpRequest {
        method: "POST".into(),
        url: "/".into(),
        headers: vec![(
            "stripe-signature".into(),
            format!("t=12345,v1={SIGNATURE}").into_bytes(),
        )],
        body: BODY.as_bytes().to_vec(),
    };
    let then = bare(config()).at_ms(12_345_000);
    assert_eq!(take(&then, request.clone()).unwrap().events, Vec::new());
    assert_eq!(take(&bare(config()), request).unwrap_err().code, "signature_too_old");
}

#[test]
fn every_bad_header_is_refused_with_its_code() {
    let host = bare(config());
    let (now, body) = (now_s(&host), fixture("event_completed").to_string());
    let good = mac_hex(WEBHOOK_SECRET, &format!("{now}.{body}"));
    let at = |t: u64| format!("t={t},v1={}", mac_hex(WEBHOOK_SECRET, &format!("{t}.{body}")));
    for (header, code) in [
        (String::new(), "signature_missing"),
        (format!("v1,t={now}"), "signature_malformed"),
        ("t=".into(), "signature_malformed"),
        (format!("v1={good}"), "signature_malformed"),
        (format!("t=soon,v1={good}"), "signature_malformed"),
        (good.clone(), "signature_malformed"),
        (format!("t={now}"), "signature_mismatch"),
        (format!("t={now},v0={good}"), "signature_mismatch"),
        (format!("t={now},v1=zz{good}"), "signature_mismatch"),
        (format!("t={now},v1={}", &good[..62]), "signature_mismatch"),
        (format!("t={},v1={good}", now + 1), "signature_mismatch"),
        (
            format!("t={now},v1={}", mac_hex("whsec_other", &format!("{now}.{body}"))),
            "signature_mismatch",
        ),
        (
            format!("t={now},v1={}", mac_hex(WEBHOOK_SECRET, &body)),
            "signature_mismatch",
        ),
        (at(now - 301), "signature_too_old"),
        (at(now + 301), "signature_from_the_future"),
        ("t=9223372036854775807,v1=aa".into(), "signature_from_the_future"),
        ("t=-9223372036854775808,v1=aa".into(), "signature_too_old"),
    ] {
        let request = HttpRequest {
            headers: vec![("stripe-signature".into(), header.clone().into_bytes())],
            ..delivery(WEBHOOK_SECRET, now, &body)
        };
        let fault = take(&host, request).unwrap_err();
        assert_eq!(
            (fault.kind, fault.code.as_str()),
            (Kind::SignatureInvalid, code),
            "{header}"
        );
    }
    for edge in [
        at(now - 300),
        at(now + 300),
        format!("t={now},v1=aa,v1=zz,v1={good},v0=bb"),
        format!("v1={good},t={now}"),
        format!("t={now},v1={}", good.to_uppercase()),
    ] {
        let headers = vec![("Stripe-Signature".into(), edge.clone().into_bytes())];
        assert!(
            take(
                &host,
                HttpRequest {
                    headers,
                    ..delivery(WEBHOOK_SECRET, now, &body)
                }
            )
            .is_ok(),
            "{edge}"
        );
    }
}

#[test]
fn while_the_secret_is_rolled_both_versions_count() {
    let body = fixture("event_completed").to_string();
    let host = bare(config()).secret_versions("webhook_secret", &[b"whsec_new", b"whsec_old"]);
    for (secret, accepted) in [("whsec_new", true), ("whsec_old", true), ("whsec_older", false)] {
        assert_eq!(
            take(&host, delivery(secret, now_s(&host), &body)).is_ok(),
            accepted,
            "{secret}"
        );
    }
    let none = FakeHost::for_plugin(MANIFEST, config()).secret("api_key", KEY);
    let fault = take(&none, delivery("", now_s(&none), &body)).unwrap_err();
    assert_eq!(
        (fault.kind, fault.code.as_str()),
        (Kind::InvalidConfig, "webhook_secret_missing")
    );
}

#[test]
fn a_paid_session_becomes_payment_paid() {
    let (kind, subject, data) = single(&fixture("event_completed")).unwrap();
    assert_eq!((kind.as_str(), subject.as_str()), ("payment.paid", "ord_01jx"));
    assert_eq!(
        data,
        json!({
            "status": "paid",
            "provider_ref": "cs_test_1",
            "paid": {"minor": 1999, "currency": "USD"},
            "provider_event": "checkout.session.completed",
        })
    );
}

#[test]
fn session_events_map_by_type_and_payment_status() {
    for (kind, payment_status, expected) in [
        ("checkout.session.completed", "unpaid", "payment.pending"),
        ("checkout.session.completed", "no_payment_required", "payment.paid"),
        ("checkout.session.async_payment_succeeded", "paid", "payment.paid"),
        ("checkout.session.async_payment_failed", "unpaid", "payment.failed"),
        ("checkout.session.expired", "unpaid", "payment.cancelled"),
    ] {
        let mut event = fixture("event_completed");
        event["type"] = json!(kind);
        event["data"]["object"]["payment_status"] = json!(payment_status);
        let (got, _, data) = single(&event).unwrap();
        assert_eq!(got, expected, "{kind}");
        assert_eq!(
            data.get("paid").is_some(),
            expected == "payment.paid",
            "only paid says how much"
        );
    }
}

#[test]
fn amounts_are_translated() {
    for (amount, currency, minor) in [
        (500, "jpy", 500),
        (150_000, "isk", 1500),
        (5120, "kwd", 5120),
        (5, "mga", 500),
    ] {
        let mut event = fixture("event_completed");
        event["data"]["object"]["amount_total"] = json!(amount);
        event["data"]["object"]["currency"] = json!(currency);
        let (_, _, data) = single(&event).unwrap();
        assert_eq!(
            data["paid"],
            json!({"minor": minor, "currency": currency.to_uppercase()})
        );
    }
}

#[test]
fn what_is_not_ours_is_acknowledged_without_effect() {
    let mut foreign = fixture("event_completed");
    foreign["data"]["object"]["client_reference_id"] = Value::Null;
    let mut subscription = fixture("event_completed");
    subscription["data"]["object"]["mode"] = json!("subscription");
    let mut unmarked = fixture("event_refunded");
    unmarked["data"]["object"]["metadata"] = json!({});
    let unknown = json!({"id": "evt_9", "object": "event", "type": "customer.created", "livemode": false, "data": {"object": {}}});
    let attempt = json!({"id": "evt_9", "type": "payment_intent.payment_failed", "data": {"object": {"metadata": {"aistack_order": "ord_01jx"}}}});
    for event in [
        foreign,
        subscription,
        unmarked,
        unknown,
        attempt,
        json!({"type": 5}),
        json!([]),
    ] {
        assert_eq!(single(&event), None, "{event}");
    }
}

#[test]
fn refunds_name_order_and_amount_but_no_session() {
    let (kind, subject, data) = single(&fixture("event_refunded")).unwrap();
    assert_eq!((kind.as_str(), subject.as_str()), ("payment.refunded", "ord_01jx"));
    assert_eq!(data["paid"], json!({"minor": 1999, "currency": "USD"}));
    assert_eq!(
        data.get("provider_ref"),
        None,
        "the charge is not what the platform knows the payment by"
    );
    let mut part = fixture("event_refunded");
    part["data"]["object"]["refunded"] = json!(false);
    part["data"]["object"]["amount_refunded"] = json!(5);
    assert_eq!(single(&part).unwrap().0, "payment.part-refunded");

    let refund = |status: &str| {
        json!({"id": "evt_3", "type": "refund.updated", "created": 1, "data": {"object": {
            "id": "re_1", "status": status, "metadata": {"aistack_order": "ord_01jx", "aistack_refund": "rfd_1"}}}})
    };
    let (kind, _, data) = single(&refund("failed")).unwrap();
    assert_eq!((kind.as_str(), &data["refund"]), ("refund.failed", &json!("rfd_1")));
    assert_eq!(single(&refund("succeeded")).unwrap().0, "refund.paid");
    assert_eq!(single(&refund("pending")), None);
}

#[test]
fn a_dispute_is_traced_to_its_order() {
    let dispute = |kind: &str, status: &str| {
        json!({"id": "evt_4", "type": kind, "created": 1, "livemode": false,
            "data": {"object": {"id": "dp_1", "payment_intent": "pi_1", "status": status}}})
    };
    let mut intent = fixture("session_paid")["payment_intent"].clone();
    intent["latest_charge"]["disputed"] = json!(true);
    intent["latest_charge"]["metadata"] = json!({});
    let told = |event: Value| {
        let host = bare(config())
            .on(get("https://api.stripe.com/v1/payment_intents/pi_1"))
            .reply_json(200, &intent);
        take(&host, signed(&host, &event)).unwrap().events.remove(0)
    };
    let opened = told(dispute("charge.dispute.created", "needs_response"));
    assert_eq!(
        (opened.kind.as_str(), opened.subject.as_str()),
        ("payment.disputed", "ord_01jx")
    );
    assert_eq!(told(dispute("charge.dispute.closed", "won")).kind, "payment.paid");
    assert_eq!(told(dispute("charge.dispute.closed", "lost")).kind, "payment.disputed");

    // Stripe can't be asked now: the delivery fails and comes again.
    let host = bare(config());
    let fault = take(
        &host,
        signed(&host, &dispute("charge.dispute.created", "needs_response")),
    )
    .unwrap_err();
    assert_eq!(fault.kind, Kind::Transport);
}

#[test]
fn live_and_test_do_not_mix() {
    let host = bare(config());
    let mut event = fixture("event_completed");
    event["livemode"] = json!(true);
    let fault = take(&host, signed(&host, &event)).unwrap_err();
    assert_eq!((fault.kind, fault.code.as_str()), (Kind::Denied, "livemode_mismatch"));
    let fault = Stripe
        .inbound(&host, &live(), "notify", signed(&host, &fixture("event_completed")))
        .unwrap_err();
    assert_eq!(fault.code, "livemode_mismatch");
}

#[test]
fn a_signed_body_that_makes_no_sense_is_refused_and_no_panic() {
    let host = bare(config());
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    for body in ["", "{", "null x", "\u{feff}{}", r#"{"id":"a","id":"b"}"#, deep.as_str()] {
        let fault = take(&host, delivery(WEBHOOK_SECRET, now_s(&host), body)).unwrap_err();
        assert_eq!(
            (fault.kind, fault.code.as_str()),
            (Kind::InvalidInput, "event_malformed"),
            "{body:.20}"
        );
    }
    let binary = [0xff, 0xfe, 0x00];
    let request = HttpRequest {
        body: binary.to_vec(),
        ..delivery(WEBHOOK_SECRET, now_s(&host), "")
    };
    assert_eq!(take(&host, request).unwrap_err().kind, Kind::SignatureInvalid);
}
