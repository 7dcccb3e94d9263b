//! Creating a session: the request, the idempotency of trying again, and what each failure means for the money.

use super::*;
use aistack_sdk::payment::{Action, Status};
use aistack_sdk::{Fault, HttpResponse, Kind};
use std::time::Duration;

#[test]
fn the_request_is_what_stripe_documents() {
    let host = host(config());
    let payment = created(&host);
    assert_eq!(payment.provider_ref, "cs_test_1");
    assert_eq!(payment.status, Status::ActionNeeded);
    assert_eq!(
        payment.action,
        Action::Redirect("https://checkout.stripe.com/c/pay/cs_test_1".into())
    );
    assert_eq!(payment.paid, None);
    let request = &host.requests()[0];
    assert_eq!((request.method.as_str(), request.url.as_str()), ("POST", SESSIONS));
    assert_eq!(request.header("authorization"), Some(format!("Bearer {KEY}").as_str()));
    assert_eq!(request.header("stripe-version"), Some("2026-07-29.dahlia"));
    assert_eq!(request.header("idempotency-key"), Some("ord_01jx"));
    assert_eq!(
        request.header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    let pairs: Vec<_> = request.form();
    let pairs: Vec<_> = pairs.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(
        pairs,
        [
            ("mode", "payment"),
            ("client_reference_id", "ord_01jx"),
            ("success_url", "https://acme.example.test/api/v1/orders/ord_01jx/return"),
            (
                "cancel_url",
                "https://acme.example.test/api/v1/orders/ord_01jx/return?cancelled=1"
            ),
            ("line_items[0][quantity]", "1"),
            ("line_items[0][price_data][currency]", "usd"),
            ("line_items[0][price_data][unit_amount]", "1999"),
            ("line_items[0][price_data][product_data][name]", "Pro plan, January"),
            ("customer_email", "payer@example.test"),
            ("locale", "zh"),
            ("metadata[aistack_order]", "ord_01jx"),
            ("metadata[tenant_id]", "ten_1"),
            ("payment_intent_data[metadata][aistack_order]", "ord_01jx"),
            ("payment_intent_data[metadata][tenant_id]", "ten_1"),
        ]
    );
    assert!(
        !payment.raw.contains("payer@example.test"),
        "no personal data in what support sees"
    );
}

#[test]
fn config_and_order_shape_the_page() {
    let mut config = config();
    config["payment_method_types"] = json!(["card", "wechat_pay"]);
    config["statement_descriptor_suffix"] = json!("ACME");
    let host = host(config);
    let order = Order {
        capture: false,
        amount: money(5000, "JPY", 0),
        description: "  ".into(),
        payer: "{}".into(),
        ..order()
    };
    Stripe.create(&host, &context(), order).unwrap();
    let request = &host.requests()[0];
    for (name, value) in [
        ("payment_method_types[0]", "card"),
        ("payment_method_types[1]", "wechat_pay"),
        ("payment_intent_data[statement_descriptor_suffix]", "ACME"),
        ("payment_intent_data[capture_method]", "manual"),
        ("line_items[0][price_data][unit_amount]", "5000"),
        ("line_items[0][price_data][product_data][name]", "ord_01jx"),
        ("locale", "auto"),
    ] {
        assert_eq!(request.field(name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(request.field("customer_email"), None);
}

#[test]
fn the_end_of_the_offer_fits_stripe_and_stays_what_it_was() {
    const MINUTE: u64 = 60_000;
    for (offered, sent) in [
        (10 * MINUTE, 31 * 60),
        (60 * MINUTE, 3600),
        (72 * 60 * MINUTE, (24 * 60 - 1) * 60),
    ] {
        let host = host(config());
        let start = host.now_ms();
        let order = Order {
            expires_ms: Some(start + offered),
            ..order()
        };
        Stripe.create(&host, &context(), order.clone()).unwrap();
        // Long after; a fresh choice would differ, and Stripe would refuse the repeated key.
        host.advance(Duration::from_secs(5 * 60));
        Stripe.create(&host, &context(), order).unwrap();
        let chosen: Vec<_> = host.requests().iter().map(|r| r.field("expires_at").unwrap()).collect();
        let expected = (start / 1000 + sent).to_string();
        assert_eq!(chosen, [expected.clone(), expected]);
    }
    let host = host(config());
    let order = Order {
        expires_ms: Some(host.now_ms()),
        ..order()
    };
    let fault = Stripe.create(&host, &context(), order).unwrap_err();
    assert_eq!((fault.kind, fault.code.as_str()), (Kind::Expired, "order_expired"));
}

#[test]
fn orders_that_can_not_be_expressed_are_refused_before_anything_is_sent() {
    let long = |n: usize| "x".repeat(n);
    let pair = |key: &str, value: &str| {
        vec![Pair {
            key: key.into(),
            value: value.into(),
        }]
    };
    for (order, code) in [
        (
            Order {
                amount: money(5123, "KWD", 3),
                ..order()
            },
            "amount_not_representable",
        ),
        (
            Order {
                amount: money(100, "JPY", 2),
                ..order()
            },
            "exponent_mismatch",
        ),
        (
            Order {
                amount: money(100, "LYD", 3),
                ..order()
            },
            "currency_not_offered",
        ),
        (
            Order {
                method: "native".into(),
                ..order()
            },
            "method_unknown",
        ),
        (
            Order {
                agreement: Some("agr_1".into()),
                ..order()
            },
            "unsupported",
        ),
        (
            Order {
                id: String::new(),
                ..order()
            },
            "order_id_invalid",
        ),
        (
            Order {
                id: long(201),
                ..order()
            },
            "order_id_invalid",
        ),
        (
            Order {
                idempotency_key: String::new(),
                ..order()
            },
            "idempotency_key_invalid",
        ),
        (
            Order {
                idempotency_key: long(256),
                ..order()
            },
            "idempotency_key_invalid",
        ),
        (
            Order {
                idempotency_key: "a\r\nb: c".into(),
                ..order()
            },
            "idempotency_key_invalid",
        ),
        (
            Order {
                metadata: pair("k", &long(501)),
                ..order()
            },
            "metadata_too_large",
        ),
        (
            Order {
                metadata: pair("a][b", "x"),
                ..order()
            },
            "metadata_too_large",
        ),
        (
            Order {
                payer: "not json".into(),
                ..order()
            },
            "json_invalid",
        ),
    ] {
        let host = host(config());
        assert_eq!(Stripe.create(&host, &context(), order).unwrap_err().code, code);
        assert!(host.requests().is_empty(), "{code}: nothing was sent");
    }
}

#[test]
fn metadata_can_not_rename_the_order() {
    let host = host(config());
    let metadata = vec![Pair {
        key: "aistack_order".into(),
        value: "ord_other".into(),
    }];
    Stripe.create(&host, &context(), Order { metadata, ..order() }).unwrap();
    let form = host.requests()[0].form();
    let ours: Vec<_> = form
        .iter()
        .filter(|(k, _)| k.contains("aistack_order"))
        .map(|(_, v)| v.as_str())
        .collect();
    assert_eq!(ours, ["ord_01jx", "ord_01jx"]);
}

/// Status, error body, and what the platform learns: kind, code, whether money may have moved.
#[test]
fn every_answer_of_stripe_says_whether_money_may_have_moved() {
    let error = |kind: &str, code: &str| json!({"error": {"type": kind, "code": code, "message": "words"}});
    for (status, body, kind, code, unknown) in [
        (
            400,
            error("invalid_request_error", "parameter_unknown"),
            Kind::InvalidInput,
            "refused_by_stripe",
            false,
        ),
        (
            400,
            error("idempotency_error", ""),
            Kind::Conflict,
            "idempotency_key_reused",
            false,
        ),
        (
            401,
            error("invalid_request_error", ""),
            Kind::InvalidConfig,
            "api_key_rejected",
            false,
        ),
        (
            402,
            error("card_error", "card_declined"),
            Kind::Declined,
            "payment_declined",
            false,
        ),
        (
            403,
            error("invalid_request_error", ""),
            Kind::InvalidConfig,
            "api_key_lacks_permission",
            false,
        ),
        (
            404,
            error("invalid_request_error", "resource_missing"),
            Kind::NotFound,
            "not_found_at_stripe",
            false,
        ),
        (
            409,
            error("invalid_request_error", "lock_timeout"),
            Kind::Conflict,
            "busy_at_stripe",
            true,
        ),
        (
            429,
            error("rate_limit_error", "rate_limit"),
            Kind::RateLimited,
            "rate_limited_by_stripe",
            false,
        ),
        (500, error("api_error", ""), Kind::Provider, "stripe_failed", true),
        (502, json!("<html>"), Kind::Provider, "stripe_failed", true),
        (200, json!("not an object"), Kind::Provider, "answer_unreadable", true),
        (
            200,
            json!({"object": "checkout.session"}),
            Kind::Provider,
            "answer_unreadable",
            true,
        ),
        (302, json!({}), Kind::Provider, "stripe_failed", true),
    ] {
        let host = bare(config()).on(post(SESSIONS)).reply_json(status, body);
        let fault = Stripe.create(&host, &context(), order()).unwrap_err();
        assert_eq!(
            (fault.kind, fault.code.as_str(), fault.outcome_unknown),
            (kind, code, unknown),
            "{status}"
        );
        assert_eq!(host.requests().len(), 1, "{status}: one try");
    }
}

#[test]
fn details_of_a_failure_reach_operator_and_payer() {
    let body = json!({"error": {"type": "card_error", "code": "card_declined", "decline_code": "insufficient_funds", "message": "Your card has insufficient funds."}});
    let answer = HttpResponse {
        status: 402,
        headers: vec![("Request-Id".into(), b"req_1".to_vec())],
        body: body.to_string().into_bytes(),
    };
    let host = bare(config()).on(post(SESSIONS)).reply(answer);
    let zh = Context {
        locale: "zh-CN".into(),
        ..context()
    };
    let fault = Stripe.create(&host, &zh, order()).unwrap_err();
    assert!(fault.message.contains("insufficient_funds"));
    assert_eq!(fault.user_message.as_deref(), Some("付款被拒绝，请更换付款方式。"));
    assert_eq!(fault.provider_ref.as_deref(), Some("req_1"));

    let slow = HttpResponse {
        status: 429,
        headers: vec![("retry-after".into(), b"7".to_vec())],
        body: b"{}".to_vec(),
    };
    let host = bare(config()).on(post(SESSIONS)).reply(slow);
    assert_eq!(
        Stripe.create(&host, &context(), order()).unwrap_err().retry_after_ms,
        Some(7000)
    );
}

#[test]
fn a_broken_connection_leaves_the_outcome_open_but_a_refused_one_does_not() {
    for (fault, unknown) in [
        (Fault::transport("timeout", "no answer in time"), true),
        (Fault::provider("response_too_large", "too large"), true),
        (Fault::denied("address_not_allowed", "private address"), false),
    ] {
        let host = bare(config()).on(post(SESSIONS)).fail(fault.clone());
        let got = Stripe.create(&host, &context(), order()).unwrap_err();
        assert_eq!((got.kind, got.outcome_unknown), (fault.kind, unknown));
    }
}

#[test]
fn answers_about_something_else_are_refused() {
    for (field, value, code) in [
        ("livemode", json!(true), "livemode_mismatch"),
        ("client_reference_id", json!("ord_other"), "order_mismatch"),
        ("url", Value::Null, "checkout_without_url"),
    ] {
        let mut session = fixture("session_open");
        session[field] = value;
        let host = bare(config()).on(post(SESSIONS)).reply_json(200, session);
        assert_eq!(Stripe.create(&host, &context(), order()).unwrap_err().code, code);
    }
    // A live installation with a test key.
    let host = bare(config())
        .on(post(SESSIONS))
        .reply_json(200, fixture("session_open"));
    assert_eq!(
        Stripe.create(&host, &live(), order()).unwrap_err().code,
        "livemode_mismatch"
    );
}

#[test]
fn without_a_key_or_outside_the_granted_host_nothing_happens() {
    let keyless = FakeHost::for_plugin(MANIFEST, config());
    let fault = Stripe.create(&keyless, &context(), order()).unwrap_err();
    assert_eq!(
        (fault.kind, fault.code.as_str()),
        (Kind::InvalidConfig, "api_key_missing")
    );

    // The grants were resolved from one address, the config now says another.
    let mut moved = config();
    moved["api_base"] = json!("https://evil.example");
    let host = bare(config())
        .config(moved)
        .on(post("https://evil.example/v1/checkout/sessions"))
        .reply_json(200, fixture("session_open"));
    let fault = Stripe.create(&host, &context(), order()).unwrap_err();
    assert_eq!((fault.kind, fault.code.as_str()), (Kind::Denied, "host_not_granted"));
    assert!(host.requests().is_empty(), "the key went nowhere");
}
