//! A plugin call in a fresh instance against the same component under wasmtime alone, metered in three ways, and against
//! the same function native. The work: two JSON documents (150 and 430 bytes) read, one written, three host calls, an
//! HMAC. `cargo bench -p aistack-plugins --bench call`.
//!
//! Before criterion's figures of each come the ratios: all take turns, a few calls each, so that whatever else the machine
//! does meets all of them alike. They are printed as `name: value`.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench measures real time, stops on errors and tells what it found"
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
use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

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

/// Processor time of this process, all its threads.
fn cpu() -> Duration {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(t.tv_sec.unsigned_abs(), u32::try_from(t.tv_nsec).unwrap())
}

/// What calls of one kind took.
struct Side<'a> {
    name: &'static str,
    call: Box<dyn FnMut() + 'a>,
    took: Vec<Duration>,
    cpu: Duration,
}

impl<'a> Side<'a> {
    fn new(name: &'static str, call: impl FnMut() + 'a) -> Self {
        Self {
            name,
            call: Box::new(call),
            took: Vec::new(),
            cpu: Duration::ZERO,
        }
    }

    fn median(&mut self) -> f64 {
        self.took.sort_unstable();
        self.took[self.took.len() / 2].as_secs_f64()
    }
}

/// Rounds in which every side makes [`TURN`] calls.
const ROUNDS: usize = 200;
const TURN: usize = 25;

/// All sides in turns. The first one is what the others are compared with; `full` is compared with `raw_epoch` as well.
fn ratios(mut sides: Vec<Side<'_>>) {
    for round in 0..ROUNDS + 20 {
        for side in &mut sides {
            let before = cpu();
            for _ in 0..TURN {
                let asked = Instant::now();
                (side.call)();
                side.took.push(asked.elapsed());
            }
            side.cpu += cpu().saturating_sub(before);
            if round < 20 {
                (side.took, side.cpu) = (Vec::new(), Duration::ZERO);
            }
        }
    }
    let native = sides[0].median();
    let mut medians = std::collections::BTreeMap::new();
    for side in &mut sides {
        let (name, calls, median) = (side.name, side.took.len(), side.median());
        medians.insert(name, median);
        println!(
            "ratio/{name}: p50 {:.1} µs, {:.1} x native, {:.0} calls per CPU-second",
            median * 1e6,
            median / native,
            f64::from(u32::try_from(calls).unwrap()) / side.cpu.as_secs_f64()
        );
    }
    println!("ratio/full_to_raw: {:.2}", medians["full"] / medians["raw_epoch"]);
    println!(
        "ratio/epoch_to_none: {:.2}",
        medians["raw_epoch"] / medians["raw_unmetered"]
    );
    println!(
        "ratio/fuel_to_none: {:.2}",
        medians["raw_fuel"] / medians["raw_unmetered"]
    );
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

    let (config, payload_text) = (config().to_string(), payload().to_string());
    let inv = invocation();
    let raw = [
        ("raw_epoch", Metering::Epoch),
        ("raw_fuel", Metering::Fuel),
        ("raw_unmetered", Metering::Nothing),
    ]
    .map(|(name, metering)| {
        let raw = Raw::new(&harness::component("payment"), metering, &config, &payload_text);
        assert_eq!(runtime.block_on(raw.call()), native_with(&config, &payload_text));
        (name, raw)
    });
    // The others have theirs ready as well.
    let asked = order(payload());
    let full = async || {
        let done = bench.host.payment().create(inv.clone(), asked.clone()).await;
        bench.platform.receipts.lock().unwrap().clear();
        done.unwrap()
    };
    let native = || drop(black_box(native_with(black_box(&config), black_box(&payload_text))));
    let mut sides = vec![
        Side::new("native", native),
        Side::new("full", || drop(runtime.block_on(full()))),
    ];
    sides.extend(
        raw.iter()
            .map(|(name, raw)| Side::new(name, || drop(runtime.block_on(raw.call())))),
    );
    ratios(sides);

    let mut group = c.benchmark_group("plugin_call");
    group.bench_function("native", |b| {
        b.iter(|| native_with(black_box(&config), black_box(&payload_text)));
    });
    group.bench_function("fresh_instance", |b| b.to_async(&runtime).iter(full));
    for (name, raw) in &raw {
        group.bench_function(*name, |b| b.to_async(&runtime).iter(|| raw.call()));
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
