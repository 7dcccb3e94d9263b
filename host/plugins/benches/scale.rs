//! What the host costs beside calls: loading a component, swapping versions under load, thousands of tenants with eight
//! installations each, and a good tenant's calls among 64 that spin. `cargo bench -p aistack-plugins --bench scale`.
//!
//! What criterion has no figure for (percentiles, failed calls, bytes) is printed as `name: value`.
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

use aistack_core::{InstallationId, TenantId};
use aistack_domain::plugins::port::{Invocation, PluginRuntime};
use aistack_plugins::PluginHost;
use criterion::{Criterion, criterion_group, criterion_main};
use harness::{Bench, CountingRng, clock, component, config, services, start};
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use uuid::Uuid;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

/// A component of about so many bytes: a good one with data behind it, which is checked and kept like code.
fn padded(bytes: usize) -> Vec<u8> {
    let mut c = component("report");
    let name = b"padding";
    let fill = bytes.saturating_sub(c.len() + 16);
    let mut length = 1 + name.len() + fill;
    c.push(0);
    loop {
        let low = u8::try_from(length & 0x7f).unwrap();
        length >>= 7;
        c.push(if length == 0 { low } else { low | 0x80 });
        if length == 0 {
            break;
        }
    }
    c.push(u8::try_from(name.len()).unwrap());
    c.extend_from_slice(name);
    c.resize(c.len() + fill, 7);
    c
}

fn load(c: &mut Criterion) {
    let runtime = runtime();
    let dir = tempfile::tempdir().unwrap();
    let open = || PluginHost::new(config(dir.path()), clock(), Arc::new(CountingRng::default())).unwrap();
    let bytes = padded(1 << 20);
    let digest = runtime.block_on(open().admit(&bytes)).unwrap().digest;
    // A host that has never seen it, with the compiled form on disk: what a start does for each component.
    let mut group = c.benchmark_group("load");
    group.sample_size(20);
    group.bench_function("cached_1_mb", |b| {
        b.iter_custom(|rounds| {
            let mut sum = Duration::ZERO;
            for _ in 0..rounds {
                let host = open();
                let asked = Instant::now();
                runtime.block_on(host.restore(&digest, &bytes)).unwrap();
                sum += asked.elapsed();
            }
            sum
        });
    });
    group.finish();
}

fn swap(c: &mut Criterion) {
    let runtime = runtime();
    let bench = Bench::new();
    let (one, two) = runtime.block_on(async { (bench.admit("identity").await, bench.admit("alloc").await) });
    let bytes = component("alloc");
    let (stop, calls, failed) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(0)),
        Arc::new(AtomicU64::new(0)),
    );
    for i in 0..2u128 {
        let mut inv = bench.invocation(&one);
        inv.installation = InstallationId(Uuid::from_u128(i));
        let (host, stop) = (Arc::clone(&bench.host), Arc::clone(&stop));
        let (calls, failed) = (Arc::clone(&calls), Arc::clone(&failed));
        runtime.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let done = host.describe(inv.clone()).await;
                calls.fetch_add(1, Ordering::Relaxed);
                failed.fetch_add(u64::from(done.is_err()), Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
        });
    }
    let mut group = c.benchmark_group("swap");
    group.sample_size(20);
    // The other version's compiled form is on disk; it is loaded, called once and forgotten while others call.
    group.bench_function("load_and_first_call", |b| {
        b.iter_custom(|rounds| {
            let mut sum = Duration::ZERO;
            for _ in 0..rounds {
                let asked = Instant::now();
                runtime.block_on(async {
                    bench.host.restore(&two, &bytes).await.unwrap();
                    bench.host.describe(bench.invocation(&two)).await.unwrap();
                });
                sum += asked.elapsed();
            }
            sum
        });
    });
    group.finish();
    stop.store(true, Ordering::Relaxed);
    println!("swap/calls: {}", calls.load(Ordering::Relaxed));
    println!("swap/failed: {}", failed.load(Ordering::Relaxed));
}

/// Resident bytes of this process.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace()
        .nth(1)
        .and_then(|n| n.parse::<u64>().ok())
        .unwrap_or(0)
        * 1024
}

/// Median and 99th percentile.
fn percentiles(mut took: Vec<Duration>) -> (Duration, Duration) {
    took.sort();
    (took[took.len() / 2], took[took.len() * 99 / 100])
}

async fn of(bench: &Bench, digest: &Arc<str>, tenant: u128, installation: u128) -> Invocation {
    Invocation {
        tenant: TenantId(Uuid::from_u128(tenant)),
        installation: InstallationId(Uuid::from_u128(installation)),
        ..bench.invocation(digest)
    }
}

fn tenants(_: &mut Criterion) {
    let runtime = runtime();
    for tenants in [10u128, 1_000, 10_000] {
        let bench = Bench::new();
        let digest = runtime.block_on(bench.admit("identity"));
        let before = resident();
        // Every installation is called once: whatever the host remembers of it is there.
        let took = runtime.block_on(async {
            for t in 0..tenants {
                for i in 0..8 {
                    let inv = of(&bench, &digest, t, t * 8 + i).await;
                    bench.ask(inv, json!({ "do": "count" })).await.unwrap();
                    bench.platform.receipts.lock().unwrap().clear();
                }
            }
            let mut took = Vec::new();
            for n in 0..4_000u128 {
                let t = n * 7 % tenants;
                let inv = of(&bench, &digest, t, t * 8 + n % 8).await;
                let asked = Instant::now();
                bench.ask(inv, json!({ "do": "count" })).await.unwrap();
                took.push(asked.elapsed());
                bench.platform.receipts.lock().unwrap().clear();
            }
            took
        });
        let (p50, p99) = percentiles(took);
        let per = resident().saturating_sub(before) / u64::try_from(tenants * 8).unwrap();
        println!(
            "tenants/{tenants}: p50 {p50:?} p99 {p99:?}, {per} bytes per installation, {} instances",
            bench.host.pool().instances
        );
    }
}

fn crowd(_: &mut Criterion) {
    let runtime = runtime();
    let bench = Bench::with(|c| c.instances = 256);
    let digest = runtime.block_on(bench.admit("identity"));
    let pace = async || {
        let mut took = Vec::new();
        for _ in 0..2_000 {
            let inv = of(&bench, &digest, 99, 99).await;
            let asked = Instant::now();
            bench.ask(inv, json!({ "do": "count" })).await.unwrap();
            took.push(asked.elapsed());
            bench.platform.receipts.lock().unwrap().clear();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        percentiles(took)
    };
    let alone = runtime.block_on(pace());
    let silent = Arc::default();
    let spinning: Vec<_> = (0..64u128)
        .map(|i| {
            let mut inv = runtime.block_on(of(&bench, &digest, 1_000 + i, 1_000 + i));
            inv.limits.cpu = Duration::from_secs(600);
            inv.limits.wall = Duration::from_secs(600);
            inv.services = services(&silent);
            let (powers, host) = (Arc::clone(&inv.powers), Arc::clone(&bench.host));
            runtime.spawn(async move { host.identity().begin(inv, start(json!({ "do": "spin" }))).await });
            powers
        })
        .collect();
    std::thread::sleep(Duration::from_secs(1));
    let crowded = runtime.block_on(pace());
    spinning.iter().for_each(|p| p.end("over"));
    println!("crowd/alone: p50 {:?} p99 {:?}", alone.0, alone.1);
    println!("crowd/among_64: p50 {:?} p99 {:?}", crowded.0, crowded.1);
    println!(
        "crowd/p99_ratio: {:.2}",
        crowded.1.as_secs_f64() / alone.1.as_secs_f64()
    );
}

criterion_group!(scale, load, swap, tenants, crowd);
criterion_main!(scale);
