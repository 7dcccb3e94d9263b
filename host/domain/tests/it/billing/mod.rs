//! Orders and what the provider's answers do to them.

mod inbox;
mod outcomes;

use crate::world::{World, pointers};
use aistack_core::{InstallationId, Money, OrderId, ProblemKind};
use aistack_domain::{
    TenantCtx,
    billing::{self, NewOrder, OrderView},
    plugins::port::*,
};
use aistack_store::OrderStatus;
use serde_json::{Value, json};

pub(crate) fn new_order(installation: InstallationId) -> NewOrder {
    NewOrder {
        minor: 1999,
        currency: "USD".to_owned(),
        description: "March".to_owned(),
        installation,
        idempotency_key: None,
    }
}

pub(crate) fn payment(status: PaymentStatus, paid: Option<i64>) -> Payment {
    Payment {
        provider_ref: "cs_1".to_owned(),
        status,
        action: PaymentAction::Redirect("https://pay.example/cs_1".to_owned()),
        paid: paid.map(|m| Money::new(m, "USD".parse().unwrap())),
        fee: None,
        occurred_at: None,
        state: b"s".to_vec(),
        raw: Value::Null,
    }
}

/// An order the provider has.
pub(crate) async fn pending(w: &World, t: &TenantCtx, installation: InstallationId) -> OrderView {
    let o = billing::create(&w.app, t, new_order(installation)).await.unwrap();
    w.script
        .create
        .lock()
        .unwrap()
        .push_back(Ok(payment(PaymentStatus::ActionNeeded, None)));
    billing::pay(&w.app, t, o.id).await.unwrap()
}

pub(crate) async fn status(w: &World, t: &TenantCtx, id: OrderId) -> OrderStatus {
    billing::get(&w.app, t, id).await.unwrap().status
}

#[tokio::test]
async fn an_order_needs_sensible_values() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let till = w.till(&t).await;
    let idp = w.connection(&t, json!({})).await;
    let good = new_order(till.id);
    for (bad, expected) in [
        (
            NewOrder {
                minor: 0,
                ..good.clone()
            },
            "/amount/minor too_small",
        ),
        (
            NewOrder {
                minor: -1,
                ..good.clone()
            },
            "/amount/minor too_small",
        ),
        (
            NewOrder {
                minor: i64::MAX,
                ..good.clone()
            },
            "/amount/minor too_large",
        ),
        (
            NewOrder {
                currency: "usd".into(),
                ..good.clone()
            },
            "/amount/currency not_allowed",
        ),
        (
            NewOrder {
                currency: "XXX".into(),
                ..good.clone()
            },
            "/amount/currency not_allowed",
        ),
        (
            NewOrder {
                description: "  ".into(),
                ..good.clone()
            },
            "/description too_short",
        ),
        (
            NewOrder {
                description: "a\0".into(),
                ..good.clone()
            },
            "/description format",
        ),
        (
            NewOrder {
                idempotency_key: Some(String::new()),
                ..good.clone()
            },
            "/idempotency_key format",
        ),
        (
            NewOrder {
                installation: idp.id,
                ..good.clone()
            },
            "/installation not_found",
        ),
    ] {
        let p = billing::create(&w.app, &t, bad).await.unwrap_err();
        assert_eq!(
            (p.kind, pointers(&p)),
            (ProblemKind::ValidationFailed, vec![expected.to_owned()])
        );
    }
    // Numbers have no gaps: what was refused took none.
    let first = billing::create(&w.app, &t, good.clone()).await.unwrap();
    let second = billing::create(&w.app, &t, good).await.unwrap();
    assert_eq!((first.number, second.number, first.status), (1, 2, OrderStatus::Draft));
}

#[tokio::test]
async fn an_idempotency_key_stands_for_one_order() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let till = w.till(&t).await;
    let keyed = NewOrder {
        idempotency_key: Some("k-1".to_owned()),
        ..new_order(till.id)
    };
    let (a, b) = tokio::join!(
        billing::create(&w.app, &t, keyed.clone()),
        billing::create(&w.app, &t, keyed.clone())
    );
    assert_eq!(a.unwrap().id, b.unwrap().id);
    let other = NewOrder { minor: 2000, ..keyed };
    let p = billing::create(&w.app, &t, other).await.unwrap_err();
    assert_eq!(p.kind, ProblemKind::Conflict);
    assert!(p.extras.contains_key("order"));
}

#[tokio::test]
async fn paying_asks_once_and_repeating_it_gives_the_same_action() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let till = w.till(&t).await;
    let o = pending(&w, &t, till.id).await;
    assert_eq!(
        (o.status, o.provider_ref.as_deref()),
        (OrderStatus::Pending, Some("cs_1"))
    );
    assert_eq!(
        o.action,
        Some(json!({ "type": "redirect", "url": "https://pay.example/cs_1" }))
    );
    let again = billing::pay(&w.app, &t, o.id).await.unwrap();
    assert_eq!(again, o);
    assert_eq!(w.script.asked(), [format!("create {} 19.99 USD", o.id)]);
    assert_eq!(w.trail(&t).await[2..], ["order.created ok", "order.pending ok"]);
}

#[tokio::test]
async fn a_decline_an_unknown_outcome_and_a_failure_are_three_things() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let till = w.till(&t).await;
    let declined = Fault::new(FaultKind::Declined, "card_declined", "do not honour");
    let mut lost = Fault::new(FaultKind::Transport, "timeout", "no answer");
    lost.outcome_unknown = true;
    let down = Fault::new(FaultKind::Transport, "connect", "refused");
    let failed = payment(PaymentStatus::Failed, None);
    for (answer, kind, after) in [
        (Err(declined), ProblemKind::PaymentDeclined, OrderStatus::Failed),
        (Ok(failed), ProblemKind::PaymentDeclined, OrderStatus::Failed),
        (Err(lost), ProblemKind::PaymentOutcomeUnknown, OrderStatus::Unknown),
        (Err(down), ProblemKind::PluginFailed, OrderStatus::Draft),
    ] {
        let o = billing::create(&w.app, &t, new_order(till.id)).await.unwrap();
        w.script.create.lock().unwrap().push_back(answer);
        let p = billing::pay(&w.app, &t, o.id).await.unwrap_err();
        assert_eq!(
            (p.kind, p.extras["order"].as_str()),
            (kind, Some(o.id.to_string().as_str()))
        );
        assert_eq!(status(&w, &t, o.id).await, after);
        if after == OrderStatus::Failed {
            assert_eq!(
                billing::pay(&w.app, &t, o.id).await.unwrap_err().kind,
                ProblemKind::Conflict
            );
        }
    }
}
