//! Orders whose payment's outcome is not known, does not fit, or comes late.

use crate::{
    billing::{new_order, payment, pending, status},
    world::World,
};
use aistack_core::{Money, ProblemKind};
use aistack_domain::{
    Problem,
    billing::{self, RefreshOrder, next_status},
    jobs::{JobError, JobHandler},
    plugins::port::*,
};
use aistack_store::{Job, JobState, OrderStatus};

#[tokio::test]
async fn an_unknown_outcome_is_looked_up_until_it_is_known() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let till = w.till(&t).await;
    let mut lost = Fault::new(FaultKind::Transport, "timeout", "no answer");
    lost.outcome_unknown = true;
    let o = billing::create(&w.app, &t, new_order(till.id)).await.unwrap();
    w.script.create.lock().unwrap().push_back(Err(lost));
    billing::pay(&w.app, &t, o.id).await.unwrap_err();
    let message = {
        let mut read = w.app.store.tenant_read(&t.scope).await.unwrap();
        let all = read.machinery().outbox(10).await.unwrap();
        all.into_iter().find(|m| m.kind == "order.refresh").unwrap()
    };
    let now = aistack_core::Clock::now(&*w.clock);
    let job = Job {
        id: message.id,
        tenant_id: Some(t.scope.id()),
        kind: message.kind,
        payload: message.payload,
        state: JobState::Running,
        attempts: 1,
        max_attempts: message.max_attempts,
        run_at: now,
        lease_until: None,
        last_error: None,
        created_at: now,
        updated_at: now,
    };
    let fetched = |p| w.script.fetch.lock().unwrap().push_back(p);
    fetched(Ok(payment(PaymentStatus::Unknown, None)));
    assert!(matches!(RefreshOrder.run(&w.app, &job).await, Err(JobError::Retry(..))));
    fetched(Err(Fault::new(FaultKind::Transport, "connect", "refused")));
    assert!(matches!(RefreshOrder.run(&w.app, &job).await, Err(JobError::Retry(..))));
    assert_eq!(status(&w, &t, o.id).await, OrderStatus::Unknown);
    fetched(Ok(payment(PaymentStatus::Paid, Some(1999))));
    RefreshOrder.run(&w.app, &job).await.unwrap();
    let after = billing::get(&w.app, &t, o.id).await.unwrap();
    assert_eq!(
        (after.status, after.paid.map(|m| m.minor)),
        (OrderStatus::Paid, Some(1999))
    );
}

#[tokio::test]
async fn what_the_provider_never_heard_of_may_be_tried_again() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let till = w.till(&t).await;
    let mut lost = Fault::new(FaultKind::Transport, "timeout", "no answer");
    lost.outcome_unknown = true;
    let o = billing::create(&w.app, &t, new_order(till.id)).await.unwrap();
    w.script.create.lock().unwrap().push_back(Err(lost));
    billing::pay(&w.app, &t, o.id).await.unwrap_err();
    w.script
        .fetch
        .lock()
        .unwrap()
        .push_back(Err(Fault::new(FaultKind::NotFound, "no_session", "none")));
    assert_eq!(
        billing::refresh(&w.app, &t, o.id).await.unwrap().status,
        OrderStatus::Draft
    );
    // A pending order is not forgotten because of a "not found".
    let p = pending(&w, &t, till.id).await;
    w.script
        .fetch
        .lock()
        .unwrap()
        .push_back(Err(Fault::new(FaultKind::NotFound, "no_session", "none")));
    assert!(billing::refresh(&w.app, &t, p.id).await.is_err());
    assert_eq!(status(&w, &t, p.id).await, OrderStatus::Pending);
}

#[tokio::test]
async fn an_answer_that_does_not_fit_changes_nothing() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let till = w.till(&t).await;
    let o = pending(&w, &t, till.id).await;
    let other_ref = Payment {
        provider_ref: "cs_2".to_owned(),
        ..payment(PaymentStatus::Paid, Some(1999))
    };
    let other_currency = Payment {
        paid: Some(Money::new(1999, "CNY".parse().unwrap())),
        ..payment(PaymentStatus::Paid, None)
    };
    for (answer, code) in [
        (payment(PaymentStatus::Paid, Some(1)), "amount_mismatch"),
        (payment(PaymentStatus::Paid, Some(2000)), "amount_mismatch"),
        (payment(PaymentStatus::Paid, Some(-1999)), "amount_mismatch"),
        (payment(PaymentStatus::Paid, None), "amount_missing"),
        (other_currency, "currency_mismatch"),
        (other_ref, "provider_ref_mismatch"),
    ] {
        w.script.fetch.lock().unwrap().push_back(Ok(answer));
        let p = billing::refresh(&w.app, &t, o.id).await.unwrap_err();
        assert_eq!(
            (p.kind, p.extras["fault"].as_str()),
            (ProblemKind::PluginFailed, Some(code))
        );
        assert_eq!(status(&w, &t, o.id).await, OrderStatus::Pending);
    }
    assert_eq!(
        w.trail(&t)
            .await
            .iter()
            .filter(|a| *a == "order.mismatch denied")
            .count(),
        6
    );
}

#[tokio::test]
async fn the_browsers_return_is_never_proof() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let till = w.till(&t).await;
    let o = pending(&w, &t, till.id).await;
    let back = HttpRequest {
        method: "GET".to_owned(),
        url: format!("/api/v1/orders/{}/return?status=paid", o.id),
        ..HttpRequest::default()
    };
    // The plugin believes what the browser carries; the provider does not confirm it.
    w.script
        .pay_resume
        .lock()
        .unwrap()
        .push_back(Ok(payment(PaymentStatus::Paid, Some(1999))));
    w.script
        .fetch
        .lock()
        .unwrap()
        .push_back(Ok(payment(PaymentStatus::Pending, None)));
    billing::browser_return(&w.app, &t, o.id, back.clone()).await.unwrap();
    assert_eq!(status(&w, &t, o.id).await, OrderStatus::Pending);
    // The provider is away: the person still gets their page.
    w.script
        .pay_resume
        .lock()
        .unwrap()
        .push_back(Err(Fault::new(FaultKind::Unsupported, "unsupported", "no")));
    w.script
        .fetch
        .lock()
        .unwrap()
        .push_back(Err(Fault::new(FaultKind::Transport, "connect", "refused")));
    billing::browser_return(&w.app, &t, o.id, back.clone()).await.unwrap();
    // Confirmed by our own question.
    w.script
        .pay_resume
        .lock()
        .unwrap()
        .push_back(Err(Fault::new(FaultKind::Unsupported, "unsupported", "no")));
    w.script
        .fetch
        .lock()
        .unwrap()
        .push_back(Ok(payment(PaymentStatus::Paid, Some(1999))));
    billing::browser_return(&w.app, &t, o.id, back.clone()).await.unwrap();
    assert_eq!(status(&w, &t, o.id).await, OrderStatus::Paid);
    // After that nobody is asked any more.
    w.script.asked();
    billing::browser_return(&w.app, &t, o.id, back).await.unwrap();
    assert!(w.script.asked().is_empty());
}

#[tokio::test]
async fn cancelling_ends_what_is_not_paid() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let till = w.till(&t).await;
    let draft = billing::create(&w.app, &t, new_order(till.id)).await.unwrap();
    assert_eq!(
        billing::cancel(&w.app, &t, draft.id).await.unwrap().status,
        OrderStatus::Cancelled
    );
    assert_eq!(
        billing::cancel(&w.app, &t, draft.id).await.unwrap().status,
        OrderStatus::Cancelled
    );
    let o = pending(&w, &t, till.id).await;
    w.script
        .cancel
        .lock()
        .unwrap()
        .push_back(Ok(payment(PaymentStatus::Cancelled, None)));
    let after = billing::cancel(&w.app, &t, o.id).await.unwrap();
    assert_eq!((after.status, after.action), (OrderStatus::Cancelled, None));
    // The payer was quicker.
    let o = pending(&w, &t, till.id).await;
    w.script
        .cancel
        .lock()
        .unwrap()
        .push_back(Ok(payment(PaymentStatus::Paid, Some(1999))));
    let p: Problem = billing::cancel(&w.app, &t, o.id).await.unwrap_err();
    assert_eq!(
        (p.kind, p.extras["order_status"].as_str()),
        (ProblemKind::Conflict, Some("paid"))
    );
    assert_eq!(status(&w, &t, o.id).await, OrderStatus::Paid);
}

#[tokio::test]
async fn a_payer_is_sent_to_safe_places_only() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let till = w.till(&t).await;
    for url in [
        "javascript:alert(1)",
        "http://pay.example/x",
        "https://a:b@pay.example/",
    ] {
        let o = billing::create(&w.app, &t, new_order(till.id)).await.unwrap();
        let answer = Payment {
            action: PaymentAction::Redirect(url.to_owned()),
            ..payment(PaymentStatus::Pending, None)
        };
        w.script.create.lock().unwrap().push_back(Ok(answer));
        let p = billing::pay(&w.app, &t, o.id).await.unwrap_err();
        assert_eq!(
            (p.kind, p.extras["fault"].as_str()),
            (ProblemKind::PluginFailed, Some("bad_action_url"))
        );
        assert_eq!(status(&w, &t, o.id).await, OrderStatus::Draft);
    }
}

#[test]
fn a_status_never_goes_backwards() {
    use {OrderStatus as O, PaymentStatus as P};
    for at_provider in P::ALL {
        assert_eq!(next_status(O::Refunded, *at_provider), None);
        let after_paid = next_status(O::Paid, *at_provider);
        assert_eq!(after_paid, (*at_provider == P::Refunded).then_some(O::Refunded));
        for now in [O::Failed, O::Cancelled] {
            // Only money changes the end of an order.
            let money = matches!(at_provider, P::Paid | P::PartRefunded | P::Refunded);
            assert_eq!(next_status(now, *at_provider).is_some(), money, "{now} {at_provider}");
        }
        for now in [O::Draft, O::Pending, O::Unknown] {
            assert_ne!(next_status(now, *at_provider), Some(O::Draft));
            assert_ne!(next_status(now, *at_provider), Some(now), "{now} {at_provider}");
        }
    }
}
