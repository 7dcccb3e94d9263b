//! A plugin that behaves: every operation of every world, end to end.

use crate::harness::*;
use aistack_core::{Currency, Money};
use aistack_domain::plugins::port::*;
use serde_json::{Value, json};
use std::sync::Arc;

#[tokio::test]
async fn an_identity_plugin_sees_its_context_and_answers() {
    let b = Bench::new();
    let digest = b.admit("identity").await;
    let seen = b.ask(b.invocation(&digest), json!({ "do": "context" })).await.unwrap();
    assert_eq!(seen["tenant"], "ten_00000000000000000000000000000001");
    assert_eq!(seen["budget"], 5000);
    assert_eq!(seen["zone"], "Asia/Shanghai");
    let receipt = b.platform.last();
    assert_eq!(
        (receipt.outcome, receipt.operation.as_str()),
        (CallOutcome::Ok, "login.begin")
    );
    assert!(receipt.memory >= 1 << 16);
    assert!(receipt.guest <= receipt.wall);

    let config = b.ask(b.invocation(&digest), json!({ "do": "config" })).await.unwrap();
    assert_eq!(config["config"], r#"{"a":1,"key":{"$secret":"key"}}"#);
    assert_eq!(b.platform.last().host_calls, 1);
}

#[tokio::test]
async fn a_session_is_cleaned_on_its_way_in() {
    let b = Bench::new();
    let digest = b.admit("identity").await;
    let name = |v: &str| LoginInput::Fields(vec![("user".to_owned(), v.to_owned())]);
    let p = b
        .host
        .identity()
        .resume(b.invocation(&digest), b"s".to_vec(), name("u1"))
        .await
        .unwrap();
    assert_eq!(p.state, b"s");
    let LoginStep::Done(session) = p.step else {
        panic!("{p:?}")
    };
    assert_eq!(session.user.subject, "u1");
    assert_eq!(session.user.display_name.as_deref(), Some("A\u{fffd}B"));
    assert_eq!(session.user.avatar, None, "not an https address");
    assert_eq!(session.tokens, Some(json!({ "access": 1 })));
    let refused = b
        .host
        .identity()
        .resume(b.invocation(&digest), vec![], name(""))
        .await
        .unwrap_err();
    assert_eq!(refused.code, "bad_output", "no subject");
    let out = b
        .host
        .identity()
        .logout(b.invocation(&digest), *session, "https://x.test/bye".to_owned())
        .await;
    assert_eq!(out, Ok(Some(LoginStep::Redirect("https://x.test/bye".to_owned()))));
}

#[tokio::test]
async fn answers_that_break_the_contract_are_faults() {
    let b = Bench::new();
    let digest = b.admit("identity").await;
    for what in [
        json!({ "do": "bad-json" }),
        json!({ "do": "deep-json" }),
        json!({ "do": "redirect", "to": "javascript:alert(1)" }),
        json!({ "do": "redirect", "to": "/relative" }),
    ] {
        let fault = b
            .host
            .identity()
            .begin(b.invocation(&digest), start(what.clone()))
            .await
            .unwrap_err();
        assert_eq!(fault.code, "bad_output", "{what}");
    }
}

#[tokio::test]
async fn a_typed_fault_arrives_as_it_was_made() {
    let b = Bench::new();
    let digest = b.admit("identity").await;
    let fault = b
        .host
        .identity()
        .unsolicited(b.invocation(&digest), LoginInput::Poll)
        .await
        .unwrap_err();
    assert_eq!(
        (fault.kind, fault.code.as_str()),
        (FaultKind::Unsupported, "unsupported")
    );
    let receipt = b.platform.last();
    assert_eq!(
        (receipt.outcome, receipt.code.as_deref()),
        (CallOutcome::Fault, Some("unsupported"))
    );
}

pub(crate) fn order(extra: Value) -> PaymentOrder {
    PaymentOrder {
        id: "ord_1".to_owned(),
        amount: Money::new(1999, Currency::USD),
        description: "Plan".to_owned(),
        method: String::new(),
        payer: Value::Null,
        capture: true,
        return_url: "https://x.test/back".to_owned(),
        notify_url: "https://x.test/notify".to_owned(),
        expires_ms: None,
        idempotency_key: "k".to_owned(),
        metadata: vec![],
        extra,
    }
}

#[tokio::test]
async fn payments_cross_the_border_and_wrong_money_does_not() {
    let b = Bench::new();
    let digest = b.admit("payment").await;
    let pay = b.host.payment();
    let paid = pay.create(b.invocation(&digest), order(Value::Null)).await.unwrap();
    assert_eq!(paid.paid, Some(Money::new(1999, Currency::USD)));
    assert_eq!(paid.state, [1, 2, 3]);
    let cancelled = pay
        .cancel(b.invocation(&digest), paid.clone(), "k".to_owned())
        .await
        .unwrap();
    assert_eq!(cancelled.status, PaymentStatus::Cancelled);
    let refund = Refund {
        id: "ref_1".to_owned(),
        provider_ref: None,
        status: PaymentStatus::Created,
        amount: Money::new(500, "JPY".parse().unwrap()),
        reason: "r".to_owned(),
    };
    let refunded = pay.refund(b.invocation(&digest), paid, refund.clone()).await.unwrap();
    assert_eq!((refunded.status, refunded.amount), (PaymentStatus::Paid, refund.amount));
    for what in ["exponent", "negative", "state", "script"] {
        let fault = pay
            .create(b.invocation(&digest), order(json!({ "do": what })))
            .await
            .unwrap_err();
        assert_eq!(fault.code, "bad_output", "{what}");
    }
}

#[tokio::test]
async fn deliveries_become_events() {
    let b = Bench::new();
    let digest = b.admit("payment").await;
    let delivery = HttpRequest {
        method: "POST".to_owned(),
        url: "/x".to_owned(),
        headers: vec![],
        body: br#"{"status":"paid"}"#.to_vec(),
    };
    let got = b.host.inbound(b.invocation(&digest), "notify", delivery).await.unwrap();
    assert_eq!((got.ack.status, got.ack.body.as_slice()), (200, &b"notify"[..]));
    assert_eq!(got.nack.status, 500);
    assert_eq!(got.events[0].data, json!({ "status": "paid" }));
    let report = b.admit("report").await;
    let none = b
        .host
        .inbound(b.invocation(&report), "notify", HttpRequest::default())
        .await
        .unwrap_err();
    assert_eq!(none.kind, FaultKind::Unsupported);
}

#[tokio::test]
async fn a_report_reads_its_dataset_and_writes_its_file() {
    let b = Bench::new();
    let digest = b.admit("report").await;
    let request = |dataset: &str, file: &str| ReportRequest {
        report: "usage".to_owned(),
        params: json!({ "dataset": dataset, "file": file }),
        format: "csv".to_owned(),
    };
    let run = |r| b.host.report().run(b.invocation(&digest), r);
    let summary = run(request("usage", "用量.csv")).await.unwrap();
    assert_eq!(
        summary,
        json!({ "rows": 4, "files": ["用量.csv"], "finish_twice_refused": true })
    );
    let files = b.platform.files.lock().unwrap().clone();
    let text = String::from_utf8(files["用量.csv"].clone()).unwrap();
    assert!(
        text.starts_with("day,calls,note,at,cost,paid\n2026-01-01,0,,1700000000000,1.50,true\n"),
        "{text}"
    );
    assert_eq!(
        run(request("payroll", "x.csv")).await.unwrap_err().code,
        "dataset_not_granted"
    );
    assert_eq!(
        run(request("usage", "../x.csv")).await.unwrap_err().code,
        "file_name_invalid"
    );
}

#[tokio::test]
async fn describe_and_check_work_in_every_world() {
    let b = Bench::new();
    for name in ["identity", "payment", "report"] {
        let digest = b.admit(name).await;
        let features = b.host.describe(b.invocation(&digest)).await.unwrap();
        assert_eq!(features[0].name, "login");
        let findings = b.host.check(b.invocation(&digest), true).await.unwrap();
        assert!(!findings[0].ok);
        let other: Arc<str> = digest;
        if name != "identity" {
            let fault = b
                .host
                .identity()
                .begin(b.invocation(&other), start(Value::Null))
                .await
                .unwrap_err();
            assert_eq!(fault.code, "unsupported");
        }
    }
}

#[tokio::test]
async fn std_needs_no_grants_and_gets_nothing() {
    let b = Bench::new();
    let digest = b.admit("identity").await;
    let env = b.ask(b.invocation(&digest), json!({ "do": "env" })).await.unwrap();
    assert_eq!(env, json!({ "vars": 0, "args": 0, "stdin": "" }));
    let map = b.ask(b.invocation(&digest), json!({ "do": "map" })).await.unwrap();
    assert_eq!(map["len"], 100);
    assert!(map["now"].as_u64().unwrap() > 1_700_000_000_000);
}
