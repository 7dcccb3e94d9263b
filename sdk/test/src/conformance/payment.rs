//! The suite of the payment-provider world.

use super::lifecycle::{Lifecycle, Plugin, assert_discreet, assert_well_formed};
use crate::{FakeHost, context, money};
use aistack_sdk::payment::{Order, Provider, Refund, Status};
use aistack_sdk::{Fault, HttpRequest, Kind};
use std::collections::BTreeSet;

/// What the suite needs to know beside the plugin.
pub struct Facts<'a> {
    /// An order that works.
    pub order: Order,
    /// The values of the secrets, which must not show up anywhere.
    pub secrets: &'a [&'a str],
    /// The endpoint for deliveries.
    pub endpoint: &'a str,
    /// A genuine delivery that says that the order was paid, as of the host's clock.
    pub delivery: &'a dyn Fn(&FakeHost) -> HttpRequest,
    /// The header that carries the signature, if the signature is not part of the body.
    pub signature_header: Option<&'a str>,
}

/// Runs the suite.
pub fn run<P: Provider>(suite: &Plugin<'_, P>, facts: &Facts<'_>) {
    let plugin = &suite.plugin;
    let features = suite.lifecycle(
        "payment-provider",
        &Lifecycle {
            describe: &|| plugin.describe(),
            check: &|h, c, deep| plugin.check(h, c, deep),
            migrate: &|h, c, from, config| plugin.migrate(h, c, from, config),
        },
    );
    creating(suite, facts);
    bad_amounts(suite, facts);
    unreachable_provider(suite, facts);
    deliveries(suite, facts);
    what_is_not_offered(suite, facts, &features);
}

fn creating<P: Provider>(suite: &Plugin<'_, P>, facts: &Facts<'_>) {
    let host = suite.working();
    let payment = suite
        .plugin
        .create(&host, &context(), facts.order.clone())
        .expect("the payment is created");
    assert!(
        !payment.provider_ref.is_empty(),
        "a payment has the provider's reference"
    );
    assert!(payment.state.len() <= 16 << 10, "a payment's state has at most 16 KiB");
    assert!(
        serde_json::from_str::<serde_json::Value>(&payment.raw).is_ok_and(|v| v.is_object()),
        "raw is an object"
    );
    assert_ne!(payment.status, Status::Paid, "creating is not paying");
    let first = host.requests();
    assert!(!first.is_empty(), "creating asks the provider");

    // Later, after the clock moved: the provider must be able to see that it is the same try.
    host.advance(std::time::Duration::from_secs(90));
    suite
        .plugin
        .create(&host, &context(), facts.order.clone())
        .expect("the same order again");
    let all = host.requests();
    let (first, again) = all.split_at(first.len());
    let wire = |r: &crate::Request| (r.method.clone(), r.url.clone(), r.headers.clone(), r.body.clone());
    let writes = |rs: &[crate::Request]| rs.iter().filter(|r| r.method != "GET").map(wire).collect::<Vec<_>>();
    assert_eq!(
        writes(first),
        writes(again),
        "the same order is the same request, so that the provider acts once"
    );
    assert_discreet(&host, facts.secrets, &[]);
}

fn bad_amounts<P: Provider>(suite: &Plugin<'_, P>, facts: &Facts<'_>) {
    for amount in [
        money(0, "USD", 2),
        money(-5, "USD", 2),
        money(i64::MIN, "USD", 2),
        money(100, "usd", 2),
        money(100, "", 2),
        money(100, "XXXX", 2),
    ] {
        let host = suite.working();
        let order = Order {
            amount: amount.clone(),
            ..facts.order.clone()
        };
        let fault = suite.plugin.create(&host, &context(), order).expect_err("refused");
        assert_eq!(fault.kind, Kind::InvalidInput, "{amount:?}");
        assert_well_formed(&fault);
        assert!(host.requests().is_empty(), "nothing is sent for {amount:?}");
    }
}

/// The connection breaks after the request left: nobody knows whether the provider acted.
fn unreachable_provider<P: Provider>(suite: &Plugin<'_, P>, facts: &Facts<'_>) {
    let host = suite.working();
    host.break_network(Fault::transport("connection_lost", "the connection broke").outcome_unknown());
    let fault = suite
        .plugin
        .create(&host, &context(), facts.order.clone())
        .expect_err("no answer, no payment");
    assert!(fault.outcome_unknown, "the provider may have acted: {fault:?}");
    assert_eq!(fault.kind, Kind::Transport);
    assert_well_formed(&fault);
    assert_discreet(&host, facts.secrets, &[fault]);
}

fn deliveries<P: Provider>(suite: &Plugin<'_, P>, facts: &Facts<'_>) {
    let host = suite.working();
    let genuine = (facts.delivery)(&host);
    let take = |request: &HttpRequest| suite.plugin.inbound(&host, &context(), facts.endpoint, request.clone());
    let outcome = take(&genuine).expect("a genuine delivery is taken");
    assert!((200..300).contains(&outcome.ack.status), "ack says received");
    assert_ne!(outcome.ack, outcome.nack, "nack says something else");
    let event = outcome.events.first().expect("it carries an event");
    assert_eq!(event.kind, "payment.paid");
    assert_eq!(event.subject, facts.order.id, "an event is about the order");
    let data: serde_json::Value = serde_json::from_str(&event.data).expect("data is JSON");
    assert_eq!(data["status"], "paid");
    assert_eq!(
        data["paid"]["minor"], facts.order.amount.minor,
        "amounts come back in the platform's minor units"
    );
    assert_eq!(data["paid"]["currency"], facts.order.amount.currency);
    let ids: Vec<_> = outcome.events.iter().map(|e| e.id.clone()).collect();
    assert!(ids.iter().all(|id| !id.is_empty()));
    let repeated = take(&genuine).expect("a repeated delivery is genuine too; the host drops it by id");
    assert_eq!(
        repeated.events.into_iter().map(|e| e.id).collect::<Vec<_>>(),
        ids,
        "the same delivery has the same ids"
    );

    let mut faults = Vec::new();
    let mut forged = |request: HttpRequest, what: &str| {
        let fault = take(&request).expect_err(what);
        assert_eq!(fault.kind, Kind::SignatureInvalid, "{what}");
        assert_well_formed(&fault);
        faults.push(fault);
    };
    for at in (0..genuine.body.len()).step_by((genuine.body.len() / 64).max(1)) {
        let mut request = genuine.clone();
        request.body[at] ^= 1;
        forged(request, "a changed body");
    }
    forged(
        HttpRequest {
            body: Vec::new(),
            ..genuine.clone()
        },
        "an empty body",
    );
    forged(
        HttpRequest {
            body: [genuine.body.as_slice(), b" "].concat(),
            ..genuine.clone()
        },
        "a longer body",
    );
    if let Some(name) = facts.signature_header {
        let unsigned = genuine
            .headers
            .iter()
            .filter(|(n, _)| !n.eq_ignore_ascii_case(name))
            .cloned()
            .collect();
        forged(
            HttpRequest {
                headers: unsigned,
                ..genuine.clone()
            },
            "no signature",
        );
    }
    assert!(
        host.requests().is_empty(),
        "a forged delivery makes nobody send anything"
    );
    assert_discreet(&host, facts.secrets, &faults);

    let fault = suite
        .plugin
        .inbound(&host, &context(), "no-such-endpoint", genuine)
        .expect_err("unknown endpoint");
    assert!([Kind::Unsupported, Kind::NotFound].contains(&fault.kind));
}

fn what_is_not_offered<P: Provider>(suite: &Plugin<'_, P>, facts: &Facts<'_>, features: &BTreeSet<String>) {
    let host = suite.working();
    let plugin = &suite.plugin;
    let payment = plugin.create(&host, &context(), facts.order.clone()).expect("created");
    let refund = Refund {
        id: "rfd_1".into(),
        provider_ref: None,
        status: Status::Created,
        amount: facts.order.amount.clone(),
        reason: String::new(),
    };
    let unsupported = |r: Result<(), Fault>| r.is_err_and(|f| f.kind == Kind::Unsupported);
    let offered = |name: &str, refused: bool| {
        assert_eq!(
            features.contains(name),
            !refused,
            "describe and behaviour agree about {name:?}"
        );
    };
    offered(
        "refund",
        unsupported(plugin.refund(&host, &context(), payment.clone(), refund).map(drop)),
    );
    offered(
        "capture",
        unsupported(
            plugin
                .capture(&host, &context(), payment.clone(), facts.order.amount.clone(), "k")
                .map(drop),
        ),
    );
    offered(
        "cancel",
        unsupported(plugin.cancel(&host, &context(), payment, "k").map(drop)),
    );
    offered(
        "settlement",
        unsupported(
            plugin
                .settlement(&host, &context(), "trade", "2026-01-01", None)
                .map(drop),
        ),
    );
    assert!(
        plugin.document(&host, &context(), "../secret").is_err(),
        "documents are not files"
    );
    assert!(plugin.job(&host, &context(), "no-such-job", None).is_err());
}
