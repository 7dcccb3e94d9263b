//! The suite of the payment-provider world.

use super::{
    Suite, Trouble, Verdict, delivery, ensure,
    fixtures::Delivery,
    identity,
    stage::{Stage, agrees, features, of_kind, well_formed},
};
use crate::ops;
use aistack_domain::plugins::port::{FaultKind, PaymentOrder};
use aistack_plugins::{PeerFailure, PeerRequest};
use serde_json::{Value, json};
use std::time::Duration;

pub(super) async fn run(s: &Suite) {
    s.case("payment.create.works", "an order becomes a payment", creating(s))
        .await;
    s.case(
        "payment.create.idempotent",
        "the same order is the same request",
        idempotent(s),
    )
    .await;
    s.case(
        "payment.create.bad_amounts",
        "amounts that are none are refused",
        bad_amounts(s),
    )
    .await;
    s.case(
        "payment.create.connection_lost",
        "a lost answer leaves the outcome open",
        connection_lost(s),
    )
    .await;
    s.case("payment.fetch.works", "a payment can be looked up", fetching(s))
        .await;
    s.case(
        "payment.inbound.genuine",
        "a genuine delivery says that the order was paid",
        genuine(s),
    )
    .await;
    s.case(
        "payment.inbound.repeated",
        "the same delivery has the same event ids",
        repeated(s),
    )
    .await;
    s.case("payment.inbound.forged", "changed deliveries are refused", forged(s))
        .await;
    s.case(
        "payment.inbound.unsigned",
        "unsigned deliveries are refused",
        unsigned(s),
    )
    .await;
    s.case(
        "payment.inbound.unknown",
        "deliveries to unknown endpoints are refused",
        unknown_inbound(s),
    )
    .await;
    s.case("payment.refund.agrees", "describe and refunds agree", refund(s))
        .await;
    s.case("payment.capture.agrees", "describe and capture agree", capture(s))
        .await;
    s.case("payment.cancel.agrees", "describe and cancel agree", cancel(s))
        .await;
    s.case(
        "payment.settlement.agrees",
        "describe and settlement agree",
        settlement(s),
    )
    .await;
    s.case(
        "payment.documents.no_files",
        "documents are not files",
        identity::documents(s),
    )
    .await;
    s.case("payment.jobs.unknown", "unknown jobs are refused", identity::jobs(s))
        .await;
}

fn order(s: &Suite) -> Result<PaymentOrder, Trouble> {
    Ok(ops::payment::order(
        s.fixtures.order.clone(),
        &s.settings.context.base_url,
    )?)
}

async fn create(s: &Suite, stage: &Stage<'_>) -> Result<Value, Trouble> {
    stage
        .works("payments.create", json!({ "order": s.fixtures.order }))
        .await
}

async fn creating(s: &Suite) -> Verdict {
    let stage = Stage::new(s)?;
    let payment = create(s, &stage).await?;
    let reference = payment["provider_ref"].as_str().unwrap_or_default();
    ensure(!reference.is_empty(), || {
        "the payment has no reference of the provider".to_owned()
    })?;
    ensure(payment["raw"].is_object(), || {
        format!("raw is no JSON object: {}", payment["raw"])
    })?;
    ensure(payment["status"] != "paid", || "creating is not paying".to_owned())?;
    if let Some(peer) = &s.peer {
        ensure(!peer.seen().is_empty(), || "nobody was asked".to_owned())?;
    }
    stage.discreet(&[])
}

/// Requests that do something, as they went out.
fn writes(seen: &[PeerRequest]) -> Vec<&PeerRequest> {
    seen.iter().filter(|r| r.method != "GET").collect()
}

async fn idempotent(s: &Suite) -> Verdict {
    let peer = s.peer()?;
    let stage = Stage::new(s)?;
    create(s, &stage).await?;
    let first = peer.seen().len();
    // Later, when the clock has moved: the provider must be able to see that it is the same try.
    s.advance(Duration::from_secs(90));
    create(s, &stage).await?;
    let all = peer.seen();
    let (one, two) = all.split_at(first);
    ensure(writes(one) == writes(two), || {
        let differs = writes(one).into_iter().zip(writes(two)).find(|(a, b)| a != b);
        match differs {
            Some((a, b)) if a.url != b.url => format!("it asked {} and then {}", a.url, b.url),
            Some((a, _)) => format!("headers or body of {} {} differ the second time", a.method, a.url),
            None => "the number of requests differs".to_owned(),
        }
    })
}

async fn bad_amounts(s: &Suite) -> Verdict {
    for minor in [0, -5, i64::MIN] {
        let stage = Stage::new(s)?;
        let mut order = s.fixtures.order.clone();
        order["amount"] = json!({ "minor": minor, "currency": self::order(s)?.amount.currency });
        let what = format!("an amount of {minor}");
        let fault = stage
            .refused("payments.create", json!({ "order": order }), &what)
            .await?;
        of_kind(&fault, &[FaultKind::InvalidInput], &what)?;
        if let Some(peer) = &s.peer {
            ensure(peer.seen().is_empty(), || format!("{what} was sent to the provider"))?;
        }
    }
    Ok(())
}

/// The connection breaks after the request left: nobody knows whether the provider acted.
async fn connection_lost(s: &Suite) -> Verdict {
    s.peer()?.fail(PeerFailure::Broken("the other side hung up".to_owned()));
    let stage = Stage::new(s)?;
    let fault = stage
        .refused("payments.create", json!({ "order": s.fixtures.order }), "no answer")
        .await?;
    of_kind(&fault, &[FaultKind::Transport], "a lost connection")?;
    ensure(fault.outcome_unknown, || {
        format!("the provider may have acted, but the fault does not say so: {fault}")
    })?;
    stage.discreet(&[fault])
}

async fn fetching(s: &Suite) -> Verdict {
    let stage = Stage::new(s)?;
    let payment = create(s, &stage).await?;
    let arguments = json!({ "order_id": order(s)?.id, "provider_ref": payment["provider_ref"] });
    match stage.call("payments.fetch", arguments).await? {
        Ok(found) => ensure(found["provider_ref"] == payment["provider_ref"], || {
            format!("it found {}", found["provider_ref"])
        }),
        Err(fault) if fault.code == "connect_failed" && s.peer.is_some() => Err(Trouble::Skipped(format!(
            "the fixtures do not answer it ({})",
            fault.message
        ))),
        Err(fault) => Err(Trouble::Failed(format!("looking it up failed: {}", stage.told(&fault)))),
    }
}

fn facts(s: &Suite) -> Result<&Delivery, Trouble> {
    let none = || Trouble::Skipped("the fixtures have no [delivery]".to_owned());
    s.fixtures.delivery.as_ref().ok_or_else(none)
}

/// A genuine delivery, as `inbound.handle` takes it.
fn delivered(s: &Suite) -> Result<Value, Trouble> {
    let facts = facts(s)?;
    let request = delivery::make(s, facts, &order(s)?)?;
    Ok(json!({ "endpoint": facts.endpoint, "request": request }))
}

async fn genuine(s: &Suite) -> Verdict {
    let stage = Stage::new(s)?;
    let outcome = stage.works("inbound.handle", delivered(s)?).await?;
    let status = outcome["ack"]["status"].as_u64().unwrap_or(0);
    ensure((200..300).contains(&status), || {
        format!("ack says {status}, which is not \"received\"")
    })?;
    ensure(outcome["ack"] != outcome["nack"], || {
        "nack says the same as ack".to_owned()
    })?;
    let event = &outcome["events"][0];
    let order = order(s)?;
    ensure(event["kind"] == "payment.paid", || {
        format!("the first event is {event}")
    })?;
    ensure(event["subject"] == order.id.as_str(), || {
        format!("the event is about {}, not the order", event["subject"])
    })?;
    let paid = &event["data"]["paid"];
    ensure(event["data"]["status"] == "paid", || {
        format!("its data are {}", event["data"])
    })?;
    let same = paid["minor"] == order.amount.minor && paid["currency"] == order.amount.currency.as_str();
    ensure(same, || {
        format!(
            "{paid} was paid instead of {} {} minor units",
            order.amount.currency, order.amount.minor
        )
    })?;
    stage.discreet(&[])
}

async fn repeated(s: &Suite) -> Verdict {
    let stage = Stage::new(s)?;
    let delivery = delivered(s)?;
    let ids = |outcome: &Value| -> Vec<Value> {
        outcome["events"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|e| e["id"].clone())
            .collect()
    };
    let one = ids(&stage.works("inbound.handle", delivery.clone()).await?);
    let two = ids(&stage.works("inbound.handle", delivery).await?);
    ensure(one == two && !one.contains(&json!("")), || {
        format!("the ids are {one:?} and then {two:?}")
    })
}

async fn refuse(stage: &Stage<'_>, delivery: Value, what: &str) -> Verdict {
    let fault = stage.refused("inbound.handle", delivery, what).await?;
    of_kind(&fault, &[FaultKind::SignatureInvalid], what)?;
    stage.discreet(&[fault])
}

async fn forged(s: &Suite) -> Verdict {
    let stage = Stage::new(s)?;
    let delivery = delivered(s)?;
    if facts(s)?.sign.is_none() {
        return Err(Trouble::Skipped(
            "[delivery.sign] of the fixtures does not say how deliveries are signed".to_owned(),
        ));
    }
    let body = delivery["request"]["body"]
        .as_str()
        .unwrap_or_default()
        .as_bytes()
        .to_vec();
    let with = |body: &[u8]| {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let mut forged = delivery.clone();
        forged["request"]["body"] = Value::Null;
        forged["request"]["body_base64"] = STANDARD.encode(body).into();
        forged
    };
    for at in (0..body.len()).step_by((body.len() / 64).max(1)) {
        let mut changed = body.clone();
        changed[at] ^= 1;
        refuse(&stage, with(&changed), &format!("a body with byte {at} changed")).await?;
    }
    refuse(&stage, with(b""), "an empty body").await?;
    refuse(&stage, with(&[body.as_slice(), b" "].concat()), "a longer body").await?;
    let Some(peer) = &s.peer else { return Ok(()) };
    ensure(peer.seen().is_empty(), || {
        "a forged delivery made the plugin send something".to_owned()
    })
}

async fn unsigned(s: &Suite) -> Verdict {
    let Some(name) = &facts(s)?.signature_header else {
        return Err(Trouble::Skipped(
            "the signature is not in a header of its own".to_owned(),
        ));
    };
    let stage = Stage::new(s)?;
    let mut delivery = delivered(s)?;
    if let Some(headers) = delivery["request"]["headers"].as_object_mut() {
        headers.remove(&name.to_ascii_lowercase());
    }
    refuse(&stage, delivery, "a delivery without its signature").await
}

async fn unknown_inbound(s: &Suite) -> Verdict {
    let stage = Stage::new(s)?;
    let mut delivery = match delivered(s) {
        Ok(delivery) => delivery,
        Err(Trouble::Skipped(_)) => json!({ "request": { "method": "POST", "body": "{}" } }),
        Err(e) => return Err(e),
    };
    delivery["endpoint"] = "no-such-endpoint".into();
    let fault = stage.refused("inbound.handle", delivery, "an unknown endpoint").await?;
    of_kind(
        &fault,
        &[FaultKind::Unsupported, FaultKind::NotFound],
        "an unknown endpoint",
    )
}

async fn optional(s: &Suite, feature: &str, operation: &str, more: Value) -> Verdict {
    let features = features(s).await?;
    let stage = Stage::new(s)?;
    let mut arguments = more;
    if operation != "settlement.pull" {
        arguments["payment"] = create(s, &stage).await?;
    }
    let done = stage.call(operation, arguments).await?;
    if let Err(fault) = &done {
        well_formed(fault)?;
    }
    agrees(feature, &features, &done)
}

async fn refund(s: &Suite) -> Verdict {
    let refund = json!({ "refund": { "id": "rfd_1", "amount": order(s)?.amount } });
    optional(s, "refund", "refunds.create", refund).await
}

async fn capture(s: &Suite) -> Verdict {
    optional(
        s,
        "capture",
        "payments.capture",
        json!({ "amount": order(s)?.amount, "key": "k" }),
    )
    .await
}

async fn cancel(s: &Suite) -> Verdict {
    optional(s, "cancel", "payments.cancel", json!({ "key": "k" })).await
}

async fn settlement(s: &Suite) -> Verdict {
    optional(
        s,
        "settlement",
        "settlement.pull",
        json!({ "kind": "trade", "date": "2026-01-01" }),
    )
    .await
}
