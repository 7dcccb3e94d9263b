//! A plugin call in a fresh instance against the same component under wasmtime alone, metered in three ways, and against
//! the same function native. The work: two JSON documents (150 and 430
//! bytes) read, one written, three host calls, an HMAC. `cargo bench -p aistack-plugins`.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a bench measures real time and stops on errors"
)]

#[path = "../tests/it/harness.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "shared with the tests; the bench needs a part of it"
)]
mod harness;
#[path = "raw/mod.rs"]
#[allow(
    unreachable_pub,
    dead_code,
    reason = "a module of this bench; members of records cross the border unread"
)]
mod raw;
#[path = "../../../tests/hostile/common/src/work.rs"]
#[allow(unreachable_pub, reason = "shared with the component")]
mod work;

use aistack_core::{Currency, Money};
use aistack_domain::plugins::port::{CallOutcome, Invocation, PaymentAction, PaymentOrder, PluginRuntime, Powers};
use aws_lc_rs::hmac;
use criterion::{Criterion, criterion_group, criterion_main};
use harness::{Bench, all_grants};
use raw::{Metering, Raw};
use serde_json::{Value, json};
use std::{hint::black_box, sync::Arc};

fn config() -> Value {
    json!({ "merchant": "m_1029384756", "gateway": "https://pay.example.com", "notify": "https://acme.example.com/hooks/1",
        "key": { "$secret": "key" }, "mode": "live" })
}

fn payload() -> Value {
    let item = |n: u32| json!({ "name": format!("item number {n}"), "sku": format!("sku-{n:08}"), "price": 1999, "quantity": n });
    json!({ "do": "work", "order": "ord_0192f0c1a2b3", "currency": "CNY", "items": (1..=5).map(item).collect::<Vec<_>>() })
}

fn order(extra: Value) -> PaymentOrder {
    PaymentOrder {
        id: "ord_0192f0c1a2b3".to_owned(),
        amount: Money::new(1999, Currency::CNY),
        description: "Plan".to_owned(),
        method: String::new(),
        payer: Value::Null,
        capture: true,
        return_url: "https://acme.example.com/back".to_owned(),
        notify_url: "https://acme.example.com/hooks/1".to_owned(),
        expires_ms: None,
        idempotency_key: "k".to_owned(),
        metadata: vec![],
        extra,
    }
}

fn native() -> String {
    let (config, payload) = (config().to_string(), payload().to_string());
    native_with(&config, &payload)
}

fn native_with(config: &str, payload: &str) -> String {
    work::create_payment(config, payload, |body| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"newest");
        Ok::<_, std::convert::Infallible>(hmac::sign(&key, body).as_ref().to_vec())
    })
    .unwrap()
}

fn benches(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let bench = Bench::new();
    let digest = runtime.block_on(bench.admit("payment"));
    let invocation = || Invocation {
        config: Arc::new(config()),
        powers: Arc::new(Powers::new(Arc::new(all_grants()))),
        ..bench.invocation(&digest)
    };
    // Both sides must come to the same address, or the comparison means nothing.
    let paid = runtime
        .block_on(bench.host.payment().create(invocation(), order(payload())))
        .unwrap();
    assert_eq!(paid.action, PaymentAction::Redirect(native()));
    assert_eq!(bench.platform.last().outcome, CallOutcome::Ok);

    let mut group = c.benchmark_group("plugin_call");
    let (config, payload_text) = (config().to_string(), payload().to_string());
    group.bench_function("native", |b| {
        b.iter(|| native_with(black_box(&config), black_box(&payload_text)));
    });
    let inv = invocation();
    group.bench_function("fresh_instance", |b| {
        b.to_async(&runtime).iter(|| async {
            let done = bench.host.payment().create(inv.clone(), order(payload())).await;
            bench.platform.receipts.lock().unwrap().clear();
            done.unwrap()
        });
    });
    for (name, metering) in [
        ("raw_epoch", Metering::Epoch),
        ("raw_fuel", Metering::Fuel),
        ("raw_unmetered", Metering::Nothing),
    ] {
        let raw = Raw::new(&harness::component("payment"), metering, &config, &payload_text);
        assert_eq!(runtime.block_on(raw.call()), native_with(&config, &payload_text));
        group.bench_function(name, |b| b.to_async(&runtime).iter(|| raw.call()));
    }
    // What a call costs before the plugin does anything: queue, breaker, instance, receipt.
    group.bench_function("fresh_instance_idle", |b| {
        b.to_async(&runtime).iter(|| async {
            let done = bench.host.describe(inv.clone()).await;
            bench.platform.receipts.lock().unwrap().clear();
            done.unwrap()
        });
    });
    group.finish();
}

criterion_group!(plugin_call, benches);
criterion_main!(plugin_call);
