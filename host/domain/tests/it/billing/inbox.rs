//! Deliveries from payment providers.

use crate::{
    billing::{new_order, pending},
    world::World,
};
use aistack_core::{OrderId, ProblemKind};
use aistack_domain::{
    Origin, Problem, TenantCtx,
    billing::{self, Answer, Inbound, OrderView},
    plugins::{installations::InstallationView, port::*},
};
use aistack_store::{Delivery, OrderStatus, Page};
use serde_json::{Value, json};
use std::time::Duration;

/// The delivery a provider would make to the installation's URL.
fn delivery(till: &InstallationView, body: &str) -> Inbound {
    let url = &till.endpoints[0].url;
    let mut parts = url.rsplit('/');
    let key = parts.next().unwrap().to_owned();
    Inbound {
        installation: till.id,
        endpoint: "notify".to_owned(),
        key,
        tenant: None,
        request: HttpRequest {
            method: "POST".to_owned(),
            url: "/hooks/x".to_owned(),
            headers: vec![
                ("cookie".to_owned(), b"secret".to_vec()),
                ("signature".to_owned(), b"sig".to_vec()),
            ],
            body: body.as_bytes().to_vec(),
        },
        request_id: None,
        origin: Origin::default(),
    }
}

fn event(id: &str, order: OrderId, data: Value) -> Event {
    Event {
        id: id.to_owned(),
        kind: "payment.paid".to_owned(),
        occurred_at: aistack_core::Timestamp::from_secs(1_700_000_000),
        subject: order.to_string(),
        data,
    }
}

fn paid(minor: i64) -> Value {
    json!({ "status": "paid", "provider_ref": "cs_1", "paid": { "minor": minor, "currency": "USD" } })
}

fn outcome(events: Vec<Event>) -> InboundOutcome {
    let answer = |status, body: &str| HttpResponse {
        status,
        headers: vec![
            ("Content-Type".to_owned(), b"text/plain".to_vec()),
            ("Set-Cookie".to_owned(), b"a=b".to_vec()),
            ("Location".to_owned(), b"https://evil.example".to_vec()),
        ],
        body: body.as_bytes().to_vec(),
    };
    InboundOutcome {
        ack: answer(200, "success"),
        nack: answer(500, "fail"),
        events,
    }
}

async fn deliver(w: &World, till: &InstallationView, answer: Result<InboundOutcome, Fault>) -> Result<Answer, Problem> {
    // Lists go by time: deliveries of one instant have no order.
    w.clock.forward(Duration::from_millis(1));
    w.script.inbound.lock().unwrap().push_back(answer);
    billing::receive(&w.app, delivery(till, "{}")).await
}

async fn order(w: &World, t: &TenantCtx, id: OrderId) -> OrderView {
    billing::get(&w.app, t, id).await.unwrap()
}

/// The installation's deliveries, oldest first.
async fn inbox(w: &World, t: &TenantCtx, till: &InstallationView) -> Vec<Delivery> {
    let page = Page {
        newest_first: false,
        ..Page::default()
    };
    let mut read = w.app.store.tenant_read(&t.scope).await.unwrap();
    read.orders().deliveries(till.id, &page).await.unwrap()
}

fn fate(d: &Delivery) -> (&str, Option<&str>) {
    (d.status.as_str(), d.code.as_deref())
}

#[tokio::test]
async fn a_genuine_delivery_has_its_effect_once_and_the_exact_acknowledgement_every_time() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let till = w.till(&t).await;
    let o = pending(&w, &t, till.id).await;
    let first = deliver(&w, &till, Ok(outcome(vec![event("evt_1", o.id, paid(1999))])))
        .await
        .unwrap();
    assert_eq!((first.status, first.body.as_slice()), (200, b"success".as_slice()));
    assert_eq!(first.headers, [("content-type".to_owned(), b"text/plain".to_vec())]);
    let after = order(&w, &t, o.id).await;
    assert_eq!(
        (after.status, after.paid.map(|m| m.minor)),
        (OrderStatus::Paid, Some(1999))
    );
    assert_eq!(after.paid_at, Some(aistack_core::Timestamp::from_secs(1_700_000_000)));
    assert_eq!(after.action, None);
    let trail = w.trail(&t).await.len();
    let again = deliver(&w, &till, Ok(outcome(vec![event("evt_1", o.id, paid(1999))])))
        .await
        .unwrap();
    assert_eq!(again, first);
    assert_eq!(order(&w, &t, o.id).await, after);
    assert_eq!(
        w.trail(&t).await[trail..],
        ["webhook.received ok", "webhook.repeated ok"]
    );
    let fates: Vec<_> = inbox(&w, &t, &till).await;
    assert_eq!(
        fates.iter().map(fate).collect::<Vec<_>>(),
        [("applied", None), ("duplicate", None)]
    );
    assert!(!fates[0].headers.contains("secret") && fates[0].headers.contains("signature"));
}

#[tokio::test]
async fn many_copies_at_the_same_time_have_one_effect() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let till = w.till(&t).await;
    let o = pending(&w, &t, till.id).await;
    let copies = (0..8).map(|_| deliver(&w, &till, Ok(outcome(vec![event("evt_1", o.id, paid(1999))]))));
    for answer in futures_util::future::join_all(copies).await {
        assert_eq!(answer.unwrap().status, 200);
    }
    let paid = w.trail(&t).await.into_iter().filter(|a| a == "order.paid ok").count();
    assert_eq!(paid, 1);
    assert_eq!(order(&w, &t, o.id).await.status, OrderStatus::Paid);
}

#[tokio::test]
async fn a_forged_or_stale_delivery_changes_nothing_and_is_told_so() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let till = w.till(&t).await;
    let o = pending(&w, &t, till.id).await;
    for (kind, code) in [
        (FaultKind::SignatureInvalid, "no_match"),
        (FaultKind::Expired, "too_old"),
    ] {
        let p = deliver(&w, &till, Err(Fault::new(kind, code, "x"))).await.unwrap_err();
        assert_eq!((p.kind, p.kind.status()), (ProblemKind::SignatureInvalid, 400));
    }
    // The provider's certificate can't be fetched: that is no forgery, it should come again.
    let p = deliver(&w, &till, Err(Fault::new(FaultKind::Transport, "connect", "x")))
        .await
        .unwrap_err();
    assert_eq!(p.kind.status(), 502);
    assert_eq!(order(&w, &t, o.id).await.status, OrderStatus::Pending);
    let all = inbox(&w, &t, &till).await;
    assert_eq!(
        all.iter().map(fate).collect::<Vec<_>>(),
        [
            ("rejected", Some("no_match")),
            ("rejected", Some("too_old")),
            ("failed", Some("connect"))
        ]
    );
    let trail = w.trail(&t).await;
    assert_eq!(trail.iter().filter(|a| *a == "webhook.rejected denied").count(), 2);
}

#[tokio::test]
async fn money_that_does_not_fit_marks_nothing_paid() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let till = w.till(&t).await;
    let second = w.enable(&t, "test.pay", json!({}), &[("key", "k")]).await.unwrap();
    let o = pending(&w, &t, till.id).await;
    let elsewhere = billing::create(&w.app, &t, new_order(second.id)).await.unwrap();
    let yuan = json!({ "status": "paid", "provider_ref": "cs_1", "paid": { "minor": 1999, "currency": "CNY" } });
    let other_ref = json!({ "status": "paid", "provider_ref": "cs_9", "paid": { "minor": 1999, "currency": "USD" } });
    let unsaid = json!({ "status": "paid", "provider_ref": "cs_1" });
    let nobody = OrderId(uuid::Uuid::from_u128(7));
    for (i, (id, data, code)) in [
        (o.id, paid(1998), "amount_mismatch"),
        (o.id, paid(199_900), "amount_mismatch"),
        (o.id, yuan, "currency_mismatch"),
        (o.id, other_ref, "provider_ref_mismatch"),
        (o.id, unsaid, "amount_missing"),
        (nobody, paid(1999), "order_unknown"),
        (elsewhere.id, paid(1999), "order_unknown"),
        (
            o.id,
            json!({ "status": "paid", "paid": { "minor": 19.99, "currency": "USD" } }),
            "bad_event",
        ),
        (o.id, json!("x"), "bad_event"),
    ]
    .into_iter()
    .enumerate()
    {
        // Sending it again would not help, so it is acknowledged; what is wrong is on record.
        let answer = deliver(&w, &till, Ok(outcome(vec![event(&format!("evt_{i}"), id, data)])))
            .await
            .unwrap();
        assert_eq!(answer.status, 200);
        let all = inbox(&w, &t, &till).await;
        assert_eq!(fate(all.last().unwrap()), ("failed", Some(code)), "{i}");
        assert_eq!(order(&w, &t, o.id).await.status, OrderStatus::Pending);
        assert_eq!(order(&w, &t, elsewhere.id).await.status, OrderStatus::Draft);
    }
    let trail = w.trail(&t).await;
    assert_eq!(trail.iter().filter(|a| *a == "webhook.mismatch denied").count(), 9);
    assert!(!trail.contains(&"order.paid ok".to_owned()));
}

#[tokio::test]
async fn events_may_come_in_any_order() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let till = w.till(&t).await;
    let o = pending(&w, &t, till.id).await;
    let say = |id: &str, status: &str, minor: Option<i64>| {
        let money = minor.map(|m| json!({ "minor": m, "currency": "USD" }));
        let data = json!({ "status": status, "provider_ref": "cs_1", "paid": money });
        Ok(outcome(vec![Event {
            kind: format!("payment.{status}"),
            ..event(id, o.id, data)
        }]))
    };
    deliver(&w, &till, say("e3", "paid", Some(1999))).await.unwrap();
    for (id, late) in [
        ("e1", "pending"),
        ("e2", "failed"),
        ("e4", "cancelled"),
        ("e5", "unknown"),
    ] {
        deliver(&w, &till, say(id, late, None)).await.unwrap();
        assert_eq!(order(&w, &t, o.id).await.status, OrderStatus::Paid, "{late}");
    }
    deliver(&w, &till, say("e6", "refunded", Some(1999))).await.unwrap();
    assert_eq!(order(&w, &t, o.id).await.status, OrderStatus::Refunded);
    deliver(&w, &till, say("e7", "paid", Some(1999))).await.unwrap();
    assert_eq!(order(&w, &t, o.id).await.status, OrderStatus::Refunded);
    // An event the platform has no use for is acknowledged.
    let other = Event {
        kind: "customer.created".to_owned(),
        ..event("e8", o.id, json!({}))
    };
    assert_eq!(deliver(&w, &till, Ok(outcome(vec![other]))).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_payment_that_arrives_before_we_noted_the_order_as_sent_is_not_lost() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let till = w.till(&t).await;
    let o = billing::create(&w.app, &t, new_order(till.id)).await.unwrap();
    deliver(&w, &till, Ok(outcome(vec![event("e1", o.id, paid(1999))])))
        .await
        .unwrap();
    let after = order(&w, &t, o.id).await;
    assert_eq!(
        (after.status, after.provider_ref.as_deref()),
        (OrderStatus::Paid, Some("cs_1"))
    );
}

#[tokio::test]
async fn an_address_that_is_not_exactly_ours_does_not_exist() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let other = w.tenant("globex").await;
    let till = w.till(&t).await;
    let theirs = w.enable(&other, "test.pay", json!({}), &[("key", "k")]).await.unwrap();
    let good = delivery(&till, "{}");
    let mut wrong_key = good.clone();
    let last = if wrong_key.key.ends_with('0') { '1' } else { '0' };
    wrong_key.key.pop();
    wrong_key.key.push(last);
    let cases = [
        wrong_key,
        Inbound {
            key: String::new(),
            ..good.clone()
        },
        Inbound {
            key: "x".repeat(80),
            ..good.clone()
        },
        Inbound {
            key: "é".repeat(40),
            ..good.clone()
        },
        Inbound {
            key: delivery(&theirs, "").key,
            ..good.clone()
        },
        Inbound {
            installation: theirs.id,
            ..good.clone()
        },
        Inbound {
            endpoint: "other".to_owned(),
            ..good.clone()
        },
        Inbound {
            tenant: Some(other.scope.id()),
            ..good.clone()
        },
    ];
    for (i, d) in cases.into_iter().enumerate() {
        let p = billing::receive(&w.app, d).await.unwrap_err();
        assert_eq!(p.kind, ProblemKind::NotFound, "{i}");
    }
    let mut get = good.clone();
    get.request.method = "GET".to_owned();
    assert_eq!(
        billing::receive(&w.app, get).await.unwrap_err().kind,
        ProblemKind::MethodNotAllowed
    );
    let mut big = good.clone();
    big.request.body = vec![b'x'; 1025];
    assert_eq!(
        billing::receive(&w.app, big).await.unwrap_err().kind,
        ProblemKind::PayloadTooLarge
    );
    assert!(inbox(&w, &t, &till).await.is_empty(), "nothing of this was kept");
    assert!(w.script.asked().is_empty(), "no plugin was asked");
    // The tenant's own host is fine.
    w.script.inbound.lock().unwrap().push_back(Ok(outcome(vec![])));
    let named = Inbound {
        tenant: Some(t.scope.id()),
        ..good
    };
    assert_eq!(billing::receive(&w.app, named).await.unwrap().status, 200);
}
