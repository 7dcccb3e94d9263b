//! Line 32: money that does not fit, states that go backwards, events about somebody else's order.

use super::{
    Stage, audit_holds, configure, deliver, enable, event, hook, id, neighbour::with_good_neighbour, order, pending,
    told,
};
use aistack_tests::{host::Store, need, peers::PeerError};
use serde_json::{Value, json};

const AMOUNT: i64 = 1_999;

#[tokio::test]
async fn hostile_32_a_webhook_about_money_that_does_not_fit_changes_nothing() {
    need!(webhooks().await);
}

async fn webhooks() -> Result<(), PeerError> {
    let stage = Stage::set(Store::Sqlite).await?;
    with_good_neighbour(&stage, async {
        let till = enable(&stage.owner, "test.till", json!({})).await?;
        let to = hook(&till)?;
        let order_id = pending(&stage.owner, &till, "ours", AMOUNT).await?;
        let another = pending(&stage.owner, &till, "another", AMOUNT).await?;
        let usd = |minor: i64| json!({"minor": minor, "currency": "USD"});
        let raw = |data: Value| json!({"id": "evt", "kind": "payment.paid", "subject": order_id, "data": data});
        for (n, (bad, code)) in [
            (event("", &order_id, "paid", usd(AMOUNT)), "bad_event_id"),
            (
                event("evt", &order_id, "paid", json!({"minor": AMOUNT, "currency": "EUR"})),
                "currency_mismatch",
            ),
            (event("evt", &order_id, "paid", usd(-AMOUNT)), "amount_mismatch"),
            (event("evt", &order_id, "paid", usd(AMOUNT + 1)), "amount_mismatch"),
            (event("evt", &order_id, "paid", usd(AMOUNT - 1)), "amount_mismatch"),
            (event("evt", &order_id, "paid", usd(0)), "amount_mismatch"),
            (event("evt", &order_id, "paid", usd(i64::MAX)), "amount_mismatch"),
            (event("evt", &order_id, "paid", usd(i64::MIN)), "amount_mismatch"),
            (event("evt", &order_id, "refunded", usd(AMOUNT * 2)), "amount_mismatch"),
            (event("evt", &order_id, "paid", Value::Null), "amount_missing"),
            (
                raw(json!({"status": "paid", "paid": {"minor": 9_223_372_036_854_775_808_u64, "currency": "USD"}})),
                "bad_event",
            ),
            (
                raw(json!({"status": "paid", "paid": {"minor": 19.99, "currency": "USD"}})),
                "bad_event",
            ),
            (
                raw(json!({"status": "paid", "paid": {"minor": "1999", "currency": "USD"}})),
                "bad_event",
            ),
            (
                raw(json!({"status": "paid", "paid": {"minor": AMOUNT, "currency": "DOLLARS"}})),
                "bad_event",
            ),
            (raw(json!({"status": "paid", "paid": {"minor": AMOUNT}})), "bad_event"),
            (raw(json!({"status": "very paid", "paid": usd(AMOUNT)})), "bad_event"),
            (raw(json!({"status": 1, "paid": usd(AMOUNT)})), "bad_event"),
            (raw(json!("paid")), "bad_event"),
            (
                raw(json!({"status": "paid", "paid": usd(AMOUNT), "provider_ref": "ref-of-another"})),
                "provider_ref_mismatch",
            ),
            (
                raw(json!({"status": "paid", "paid": usd(AMOUNT), "provider_ref": 7})),
                "bad_event",
            ),
            (
                event("evt", "ord_00000000000000000000000000000000", "paid", usd(AMOUNT)),
                "order_unknown",
            ),
            (event("evt", "", "paid", usd(AMOUNT)), "order_unknown"),
            (event("evt", "../orders", "paid", usd(AMOUNT)), "order_unknown"),
        ]
        .into_iter()
        .enumerate()
        {
            let mut bad = bad;
            if bad["id"] == "evt" {
                bad["id"] = json!(format!("evt_{n}"));
            }
            let answer = deliver(&stage.host, &to, &json!({"events": [bad]})).await?;
            assert!(answer.status == 200 || answer.status == 502, "{n} {code}: {answer}");
            let now = order(&stage.owner, &order_id).await?;
            assert!(now["status"] == "pending" && now["paid"].is_null(), "{n} {code}: {now}");
        }
        for code in [
            "currency_mismatch",
            "amount_mismatch",
            "amount_missing",
            "bad_event",
            "provider_ref_mismatch",
            "order_unknown",
        ] {
            assert!(
                told(&stage.owner, "webhook.mismatch", code).await? >= 1,
                "{code} is on record"
            );
        }
        // Good and bad in one delivery: the bad one does not take the good one along.
        let body = json!({"events": [event("evt_good", &order_id, "paid", usd(AMOUNT)),
            event("evt_bad", &another, "paid", usd(AMOUNT + 1))]});
        deliver(&stage.host, &to, &body).await?;
        assert_eq!(order(&stage.owner, &order_id).await?["status"], "paid");
        assert_eq!(order(&stage.owner, &another).await?["status"], "pending");
        // A status never goes backwards, and what was paid stays what it was.
        for (n, status) in ["pending", "failed", "cancelled", "created", "unknown"]
            .into_iter()
            .enumerate()
        {
            let body = json!({"events": [event(&format!("evt_back_{n}"), &order_id, status, Value::Null)]});
            deliver(&stage.host, &to, &body).await?;
            let now = order(&stage.owner, &order_id).await?;
            assert!(
                now["status"] == "paid" && now["paid"]["minor"] == AMOUNT,
                "{status}: {now}"
            );
        }
        audit_holds(&stage.owner).await
    })
    .await?;
    Ok(())
}

#[tokio::test]
async fn hostile_32_an_answer_about_money_that_does_not_fit_changes_nothing() {
    need!(answers().await);
}

async fn answers() -> Result<(), PeerError> {
    let stage = Stage::set(Store::Sqlite).await?;
    with_good_neighbour(&stage, async {
        let till = enable(&stage.owner, "test.till", json!({})).await?;
        let usd = |minor: i64| json!({"minor": minor, "currency": "USD"});
        // When the payment is made.
        for (n, told_to) in [
            json!({"status": "paid", "paid": usd(AMOUNT - 1)}),
            json!({"status": "paid", "paid": usd(-AMOUNT)}),
            json!({"status": "paid", "paid": {"minor": AMOUNT, "currency": "EUR"}}),
            json!({"status": "paid", "paid": {"minor": AMOUNT, "currency": "USD", "exponent": 9}}),
            json!({"status": "paid", "paid": {"minor": AMOUNT, "currency": "??"}}),
            json!({"status": "paid"}),
            json!({"status": "pending", "ref": ""}),
            json!({"status": "pending", "ref": "a\nb"}),
            json!({"status": "pending", "ref": "r".repeat(300)}),
            json!({"status": "pending", "state": 80_000}),
            json!({"status": "pending", "action": {"redirect": "javascript:alert(1)"}}),
            json!({"status": "pending", "action": {"redirect": "http://evil.example/pay"}}),
            json!({"status": "pending", "action": {"redirect": "https://ok@evil.example/"}}),
            json!({"status": "pending", "action": {"form_post": "data:text/html,hello"}}),
        ]
        .into_iter()
        .enumerate()
        {
            configure(&stage.owner, &till, json!({"create": told_to})).await?;
            let body = json!({"amount": usd(AMOUNT), "description": "x", "installation": id(&till), "idempotency_key": format!("create-{n}")});
            let made = stage.owner.post("/api/v1/orders", body).await?.ok(201)?;
            let answer = stage.owner.post(&format!("/api/v1/orders/{}/pay", id(&made)), json!({})).await?;
            assert_eq!(answer.status, 502, "{told_to}: {answer}");
            let now = order(&stage.owner, id(&made)).await?;
            assert!(now["status"] != "paid" && now["status"] != "pending" && now["paid"].is_null(), "{told_to}: {now}");
            assert!(now["action"].is_null(), "{told_to}: {now}");
        }
        // When it is looked up.
        configure(&stage.owner, &till, json!({})).await?;
        let order_id = pending(&stage.owner, &till, "looked up", AMOUNT).await?;
        for told_to in [
            json!({"status": "paid", "paid": usd(AMOUNT + 1)}),
            json!({"status": "paid", "paid": {"minor": AMOUNT, "currency": "JPY", "exponent": 0}}),
            json!({"status": "paid"}),
            json!({"status": "paid", "paid": usd(AMOUNT), "ref": "ref-of-another"}),
        ] {
            configure(&stage.owner, &till, json!({"fetch": told_to})).await?;
            let answer = stage.owner.post(&format!("/api/v1/orders/{order_id}/refresh"), json!({})).await?;
            answer.problem(502, "plugin_failed")?;
            assert_eq!(order(&stage.owner, &order_id).await?["status"], "pending", "{told_to}");
        }
        assert!(told(&stage.owner, "order.mismatch", &order_id).await? >= 4);
        configure(&stage.owner, &till, json!({"fetch": {"status": "paid", "paid": usd(AMOUNT)}})).await?;
        let paid = stage.owner.post(&format!("/api/v1/orders/{order_id}/refresh"), json!({})).await?.ok(200)?;
        assert_eq!(paid["status"], "paid", "{paid}");
        audit_holds(&stage.owner).await
    })
    .await?;
    Ok(())
}
