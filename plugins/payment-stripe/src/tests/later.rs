//! After creating: looking up, cancelling, capturing, refunding, testing the connection.

use super::*;
use aistack_sdk::payment::{Refund, Status};
use aistack_sdk::{Fault, Kind};

const REFUNDS: &str = "https://api.stripe.com/v1/refunds";
const INTENT: &str = "https://api.stripe.com/v1/payment_intents/pi_1";

fn session(changes: &[(&str, Value)]) -> Value {
    let mut session = fixture("session_paid");
    for (pointer, value) in changes {
        *session.pointer_mut(pointer).expect("the field is there") = value.clone();
    }
    session
}

fn with_session(session: Value) -> FakeHost {
    bare(config()).on(get(SESSION)).reply_json(200, session)
}

fn fetched(session: Value) -> Result<Payment, Fault> {
    Stripe.fetch(&with_session(session), &context(), "ord_01jx", Some("cs_test_1"))
}

#[test]
fn a_paid_session_says_how_much_and_when() {
    let host = with_session(fixture("session_paid"));
    let payment = Stripe.fetch(&host, &context(), "ord_01jx", Some("cs_test_1")).unwrap();
    assert_eq!(
        (payment.status, payment.paid),
        (Status::Paid, Some(money(1999, "USD", 2)))
    );
    assert_eq!(payment.occurred_ms, Some(1_767_225_700_000));
    assert_eq!(
        host.requests()[0].url,
        format!("{SESSION}?expand%5B0%5D=payment_intent.latest_charge")
    );
}

#[test]
fn every_state_of_a_session_has_its_status() {
    let charge = |field: &str| format!("/payment_intent/latest_charge/{field}");
    let (refunded, part, disputed) = (charge("refunded"), charge("amount_refunded"), charge("disputed"));
    let table: [(&[(&str, Value)], Status); 12] = [
        (&[(&refunded, json!(true))], Status::Refunded),
        (&[(&part, json!(5))], Status::PartRefunded),
        (&[(&disputed, json!(true))], Status::Disputed),
        (
            &[
                ("/payment_status", json!("unpaid")),
                ("/payment_intent/status", json!("processing")),
            ],
            Status::Pending,
        ),
        (
            &[
                ("/payment_status", json!("unpaid")),
                ("/payment_intent/status", json!("requires_capture")),
            ],
            Status::Authorised,
        ),
        (
            &[
                ("/payment_status", json!("unpaid")),
                ("/payment_intent/status", json!("canceled")),
            ],
            Status::Cancelled,
        ),
        (
            &[
                ("/payment_status", json!("unpaid")),
                ("/payment_intent/status", json!("requires_payment_method")),
            ],
            Status::Failed,
        ),
        (
            &[("/payment_status", json!("unpaid")), ("/payment_intent", Value::Null)],
            Status::Pending,
        ),
        (
            &[("/status", json!("expired")), ("/payment_status", json!("unpaid"))],
            Status::Cancelled,
        ),
        (
            &[
                ("/status", json!("open")),
                ("/url", json!("https://checkout.stripe.com/x")),
            ],
            Status::ActionNeeded,
        ),
        (&[("/status", json!("open"))], Status::Created),
        (&[("/status", Value::Null)], Status::Unknown),
    ];
    for (changes, status) in table {
        assert_eq!(fetched(session(changes)).unwrap().status, status, "{changes:?}");
    }
}

#[test]
fn answers_that_do_not_fit_are_not_believed() {
    for (changes, code) in [
        (("/client_reference_id", json!("ord_other")), "order_mismatch"),
        (("/livemode", json!(true)), "livemode_mismatch"),
        (("/amount_total", Value::Null), "amount_unreadable"),
        (("/amount_total", json!(-1)), "amount_unreadable"),
        (("/currency", json!("us")), "amount_unreadable"),
    ] {
        assert_eq!(fetched(session(&[changes])).unwrap_err().code, code);
    }
}

#[test]
fn looking_never_leaves_anything_in_doubt() {
    for status in [409, 500, 503] {
        let host = bare(config()).on(get(SESSION)).reply_json(status, json!({}));
        let fault = Stripe
            .fetch(&host, &context(), "ord_01jx", Some("cs_test_1"))
            .unwrap_err();
        assert!(!fault.outcome_unknown, "{status}");
    }
    let host = bare(config())
        .on(get(SESSION))
        .fail(Fault::transport("timeout", "slow").outcome_unknown());
    assert!(
        !Stripe
            .fetch(&host, &context(), "ord_01jx", Some("cs_test_1"))
            .unwrap_err()
            .outcome_unknown
    );
}

#[test]
fn a_payment_whose_answer_got_lost_is_searched_by_order() {
    let other = |n: u32| json!({"id": format!("cs_other_{n}"), "client_reference_id": format!("ord_{n}")});
    let first: Vec<_> = (0..100).map(other).collect();
    let paged = |second: Value| {
        bare(config())
            .on(get(&format!("{SESSIONS}?limit=100")))
            .reply_json(200, json!({"data": first, "has_more": true}))
            .on(get(&format!("{SESSIONS}?limit=100&starting_after=cs_other_99")))
            .reply_json(200, second)
            .on(get(SESSION))
            .reply_json(200, fixture("session_open"))
    };
    let found =
        paged(json!({"data": [other(100), {"id": "cs_test_1", "client_reference_id": "ord_01jx"}], "has_more": false}));
    assert_eq!(
        Stripe.fetch(&found, &context(), "ord_01jx", None).unwrap().provider_ref,
        "cs_test_1"
    );
    let missing = paged(json!({"data": [other(100)], "has_more": false}));
    let fault = Stripe.fetch(&missing, &context(), "ord_01jx", None).unwrap_err();
    assert_eq!(fault.kind, Kind::NotFound, "the platform may create it again");

    let endless = bare(config())
        .on(get(SESSIONS))
        .reply_json(200, json!({"data": [other(1)], "has_more": true}));
    let fault = Stripe.fetch(&endless, &context(), "ord_01jx", None).unwrap_err();
    assert_eq!(
        (fault.kind, endless.requests().len()),
        (Kind::Conflict, 5),
        "not found is not the same as not seen"
    );
}

#[test]
fn a_reference_is_a_path_segment_and_nothing_else() {
    let host = bare(config());
    let _ = Stripe.fetch(&host, &context(), "ord_01jx", Some("../refunds?x=1#"));
    assert!(
        host.requests()[0]
            .url
            .starts_with(&format!("{SESSIONS}/..%2Frefunds%3Fx%3D1%23?expand"))
    );
}

#[test]
fn the_browsers_return_is_no_proof() {
    let host = host(config());
    let payment = created(&host);
    let back = HttpRequest::get("/return?session_id=cs_test_1&payment_status=paid&redirect_status=succeeded");
    assert_eq!(
        Stripe.resume(&host, &context(), payment, back).unwrap().status,
        Status::ActionNeeded
    );
}

#[test]
fn an_open_session_is_expired_and_a_paid_one_is_not() {
    let mut expired = fixture("session_open");
    expired["status"] = json!("expired");
    let open_then = |then: Value, answer: u16| {
        bare(config())
            .on(post(SESSIONS))
            .reply_json(200, fixture("session_open"))
            .on(get(SESSION))
            .once()
            .reply_json(200, fixture("session_open"))
            .on(post(&format!("{SESSION}/expire")))
            .reply_json(answer, json!({"error": {"type": "invalid_request_error"}}))
            .on(get(SESSION))
            .reply_json(200, then)
    };
    let host = open_then(expired.clone(), 200);
    let payment = created(&host);
    assert_eq!(
        Stripe
            .cancel(&host, &context(), payment.clone(), "cancel-1")
            .unwrap()
            .status,
        Status::Cancelled
    );
    let expire = host
        .requests()
        .into_iter()
        .find(|r| r.url.ends_with("/expire"))
        .unwrap();
    assert_eq!(expire.header("idempotency-key"), Some("cancel-1"));

    // Paid while we asked: Stripe refuses to expire it, and the truth is told.
    let host = open_then(fixture("session_paid"), 400);
    let fault = Stripe
        .cancel(&host, &context(), payment.clone(), "cancel-1")
        .unwrap_err();
    assert_eq!((fault.kind, fault.code.as_str()), (Kind::Conflict, "not_cancellable"));
    // Expired by itself while we asked.
    assert!(
        Stripe
            .cancel(&open_then(expired, 400), &context(), payment.clone(), "cancel-1")
            .is_ok()
    );
    // Nobody knows.
    let fault = Stripe
        .cancel(
            &open_then(fixture("session_open"), 500),
            &context(),
            payment,
            "cancel-1",
        )
        .unwrap_err();
    assert!(fault.outcome_unknown);
}

#[test]
fn an_authorised_payment_is_captured_or_voided() {
    let authorised = session(&[
        ("/payment_status", json!("unpaid")),
        ("/payment_intent/status", json!("requires_capture")),
    ]);
    let payment = fetched(authorised.clone()).unwrap();
    let captured = with_session(fixture("session_paid"))
        .on(post(&format!("{INTENT}/capture")))
        .reply_json(200, json!({"id": "pi_1"}));
    let after = Stripe
        .capture(&captured, &context(), payment.clone(), money(1500, "USD", 2), "cap-1")
        .unwrap();
    assert_eq!(after.status, Status::Paid);
    assert_eq!(
        captured.requests()[0].field("amount_to_capture").as_deref(),
        Some("1500")
    );

    let voided = session(&[
        ("/payment_status", json!("unpaid")),
        ("/payment_intent/status", json!("canceled")),
    ]);
    let host = bare(config())
        .on(get(SESSION))
        .once()
        .reply_json(200, authorised)
        .on(post(&format!("{INTENT}/cancel")))
        .reply_json(200, json!({"id": "pi_1"}))
        .on(get(SESSION))
        .reply_json(200, voided);
    assert_eq!(
        Stripe.cancel(&host, &context(), payment, "void-1").unwrap().status,
        Status::Cancelled
    );
}

fn refund(minor: i64) -> Refund {
    Refund {
        id: "rfd_1".into(),
        provider_ref: None,
        status: Status::Created,
        amount: money(minor, "USD", 2),
        reason: "requested_by_customer".into(),
    }
}

#[test]
fn a_refund_moves_money_once() {
    let answer = json!({"id": "re_1", "object": "refund", "amount": 500, "currency": "usd", "status": "succeeded", "livemode": false});
    let host = with_session(fixture("session_paid"))
        .on(post(REFUNDS))
        .reply_json(200, answer);
    let payment = Stripe.fetch(&host, &context(), "ord_01jx", Some("cs_test_1")).unwrap();
    let done = Stripe.refund(&host, &context(), payment, refund(500)).unwrap();
    assert_eq!(
        (done.status, done.provider_ref.as_deref()),
        (Status::Paid, Some("re_1"))
    );
    let request = host.requests().into_iter().find(|r| r.url == REFUNDS).unwrap();
    assert_eq!(request.header("idempotency-key"), Some("refund-rfd_1"));
    for (name, value) in [
        ("payment_intent", "pi_1"),
        ("amount", "500"),
        ("metadata[aistack_refund]", "rfd_1"),
        ("metadata[aistack_order]", "ord_01jx"),
        ("reason", "requested_by_customer"),
    ] {
        assert_eq!(request.field(name).as_deref(), Some(value), "{name}");
    }
}

#[test]
fn refunds_that_can_not_be_are_refused_and_states_are_told_apart() {
    let payment = fetched(fixture("session_paid")).unwrap();
    let quiet = bare(config());
    for wrong in [
        refund(2000),
        refund(0),
        Refund {
            amount: money(100, "EUR", 2),
            ..refund(1)
        },
    ] {
        assert_eq!(
            Stripe
                .refund(&quiet, &context(), payment.clone(), wrong)
                .unwrap_err()
                .kind,
            Kind::InvalidInput
        );
    }
    assert!(quiet.requests().is_empty());
    for (status, expected) in [
        ("pending", Status::Pending),
        ("requires_action", Status::Pending),
        ("failed", Status::Failed),
        ("canceled", Status::Cancelled),
        ("new", Status::Unknown),
    ] {
        let answer = json!({"id": "re_1", "amount": 500, "currency": "usd", "status": status});
        let host = bare(config()).on(post(REFUNDS)).reply_json(200, answer);
        let free_text = Refund {
            reason: "goodwill".into(),
            ..refund(500)
        };
        assert_eq!(
            Stripe
                .refund(&host, &context(), payment.clone(), free_text)
                .unwrap()
                .status,
            expected
        );
        assert_eq!(
            host.requests()[0].field("metadata[reason]").as_deref(),
            Some("goodwill")
        );
    }
    let host = bare(config())
        .on(post(REFUNDS))
        .fail(Fault::transport("timeout", "slow"));
    assert!(
        Stripe
            .refund(&host, &context(), payment, refund(500))
            .unwrap_err()
            .outcome_unknown
    );
}

#[test]
fn nothing_unpaid_is_refunded_and_a_refund_is_found_again() {
    let host = host(config());
    let payment = created(&host);
    assert_eq!(
        Stripe.refund(&host, &context(), payment, refund(500)).unwrap_err().code,
        "not_paid"
    );

    let payment = fetched(fixture("session_paid")).unwrap();
    let list = json!({"data": [
        {"id": "re_0", "amount": 100, "currency": "usd", "status": "succeeded", "metadata": {}},
        {"id": "re_1", "amount": 500, "currency": "usd", "status": "pending", "metadata": {"aistack_refund": "rfd_1"}},
    ]});
    let host = bare(config())
        .on(get(&format!("{REFUNDS}?payment_intent=pi_1&limit=100")))
        .reply_json(200, list);
    let found = Stripe
        .fetch_refund(&host, &context(), payment.clone(), "rfd_1")
        .unwrap();
    assert_eq!(
        (found.provider_ref.as_deref(), found.status),
        (Some("re_1"), Status::Pending)
    );
    assert_eq!(
        Stripe
            .fetch_refund(&host, &context(), payment, "rfd_2")
            .unwrap_err()
            .kind,
        Kind::NotFound
    );
}

#[test]
fn the_check_names_what_is_wrong_and_where() {
    let problems = |host: &FakeHost, ctx: &Context, deep: bool| -> Vec<(String, String)> {
        let bad = Stripe.check(host, ctx, deep).into_iter().filter(|f| !f.ok);
        bad.map(|f| (f.field.unwrap_or_default(), f.message)).collect()
    };
    let fields = |found: Vec<(String, String)>| found.into_iter().map(|(f, _)| f).collect::<Vec<_>>();
    let empty = FakeHost::for_plugin(MANIFEST, config());
    assert_eq!(
        fields(problems(&empty, &context(), false)),
        ["/api_key", "/webhook_secret"]
    );
    let balance = "https://api.stripe.com/v1/balance";
    let wrong = bare(config())
        .on(get(balance))
        .reply_json(401, json!({"error": {"message": "Invalid API Key provided"}}));
    assert_eq!(fields(problems(&wrong, &context(), true)), ["/api_key"]);
    let live_key = bare(config())
        .on(get(balance))
        .reply_json(200, json!({"livemode": true}));
    assert_eq!(fields(problems(&live_key, &context(), true)), ["/test_mode"]);
    let restricted = bare(config()).on(get(balance)).reply_json(403, json!({"error": {}}));
    assert_eq!(problems(&restricted, &context(), true), []);
    let plain = bare(json!({"test_mode": false, "api_base": "http://stripe.internal"}));
    assert_eq!(fields(problems(&plain, &live(), false)), ["/api_base"]);
}
