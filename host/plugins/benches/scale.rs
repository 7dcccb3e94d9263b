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
#[path = "raw/mod.rs"]
#[allow(
    unreachable_pub,
    dead_code,
    reason = "shared with the bench of calls; this one needs the engine"
)]
mod raw;

use aistack_core::{InstallationId, TenantId};
use aistack_domain::plugins::port::{Invocation, PluginRuntime};
use aistack_plugins::PluginHost;
use criterion::{Criterion, criterion_group, criterion_main};
use harness::{Bench, CountingRng, clock, component, config, services, start};
use serde_json::json;
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use uuid::Uuid;

/// Where a host keeps a compiled component.
fn kept_file(dir: &Path, digest: &str, kind: &str) -> PathBuf {
    dir.join("compiled").join(format!("{digest}.{kind}"))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

/// A component with so many bytes of data behind it, which are checked and kept like code. It is another version of the
/// same plugin.
fn padded(name: &str, fill: usize) -> Vec<u8> {
    let mut c = component(name);
    let section = b"padding";
    let mut length = 1 + section.len() + fill;
    c.push(0);
    loop {
        let low = u8::try_from(length & 0x7f).unwrap();
        length >>= 7;
        c.push(if length == 0 { low } else { low | 0x80 });
        if length == 0 {
            break;
        }
    }
    c.push(u8::try_from(section.len()).unwrap());
    c.extend_from_slice(section);
    c.resize(c.len() + fill, 7);
    c
}

/// A component of a megabyte: the report plugin that is delivered, if it has been built; else a small one with data
/// behind it, whose compiled form is small.
fn megabyte() -> (&'static str, Vec<u8>) {
    match std::fs::read("../../dist/plugins/report-usage.wasm") {
        Ok(bytes) => ("report-usage", bytes),
        Err(_) => ("padded", padded("report", 1 << 20)),
    }
}

fn load(c: &mut Criterion) {
    let runtime = runtime();
    let dir = tempfile::tempdir().unwrap();
    let host = PluginHost::new(config(dir.path()), clock(), Arc::new(CountingRng::default())).unwrap();
    let (name, bytes) = megabyte();
    let digest = runtime.block_on(host.admit(&bytes)).unwrap().digest;
    let files = ["cwasm", "seal"].map(|kind| kept_file(dir.path(), &digest, kind));
    let kept = files.each_ref().map(|f| std::fs::read(f).unwrap());
    println!("load/{name}: {} bytes, compiled {}", bytes.len(), kept[0].len());
    // What is not in memory, with the compiled form on disk: what a start does for each component.
    let mut group = c.benchmark_group("load");
    group.sample_size(20);
    group.bench_function("cached_1_mb", |b| {
        b.iter_custom(|rounds| {
            let mut sum = Duration::ZERO;
            for _ in 0..rounds {
                runtime.block_on(host.forget(&digest));
                files.iter().zip(&kept).for_each(|(f, k)| std::fs::write(f, k).unwrap());
                let asked = Instant::now();
                assert!(runtime.block_on(host.recall(&digest)));
                sum += asked.elapsed();
            }
            sum
        });
    });
    // Wasmtime alone on the same component: mapped and believed, without asking whose it is, and not linked.
    let engine = raw::engine(raw::Metering::Epoch);
    let file = dir.path().join("raw.cwasm");
    std::fs::write(&file, engine.precompile_component(&bytes).unwrap()).unwrap();
    group.bench_function("raw_1_mb", |b| {
        b.iter(|| {
            #[expect(unsafe_code, reason = "compiled a moment ago")]
            // SAFETY: the file is what this engine made, and nobody else knows of it.
            unsafe {
                wasmtime::component::Component::deserialize_file(&engine, &file).unwrap()
            }
        });
    });
    group.finish();
}

/// Two versions of one plugin take turns while two threads call whichever is current. A swap is: load the other one,
/// whose compiled form is on disk, make it the current one, and have the first call answered by it.
fn swap(c: &mut Criterion) {
    let runtime = runtime();
    let dir = tempfile::tempdir().unwrap();
    let bench = Bench::with(|c| c.dir = dir.path().to_owned());
    let versions: Vec<(Arc<str>, Vec<u8>)> = [padded("identity", 1), padded("identity", 2)]
        .into_iter()
        .map(|bytes| {
            let admitted = runtime.block_on(bench.host.admit(&bytes)).unwrap();
            (Arc::from(admitted.digest), bytes)
        })
        .collect();
    let files = |digest: &str| ["cwasm", "seal"].map(|kind| kept_file(dir.path(), digest, kind));
    let kept: Vec<[Vec<u8>; 2]> = versions
        .iter()
        .map(|(d, _)| files(d).map(|f| std::fs::read(f).unwrap()))
        .collect();
    let current = Arc::new(Mutex::new(Arc::clone(&versions[0].0)));
    let (stop, calls, failed) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(0)),
        Arc::new(AtomicU64::new(0)),
    );
    for i in 0..2u128 {
        let mut inv = bench.invocation(&versions[0].0);
        inv.installation = InstallationId(Uuid::from_u128(i));
        let (host, stop, current) = (Arc::clone(&bench.host), Arc::clone(&stop), Arc::clone(&current));
        let (calls, failed, platform) = (Arc::clone(&calls), Arc::clone(&failed), Arc::clone(&bench.platform));
        runtime.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                inv.digest = Arc::clone(&current.lock().unwrap());
                let done = host.describe(inv.clone()).await;
                calls.fetch_add(1, Ordering::Relaxed);
                failed.fetch_add(u64::from(done.is_err()), Ordering::Relaxed);
                platform.receipts.lock().unwrap().clear();
                tokio::task::yield_now().await;
            }
        });
    }
    let (mut now, mut worst) = (0, Duration::ZERO);
    let mut group = c.benchmark_group("swap");
    group.sample_size(20);
    group.bench_function("load_and_first_call", |b| {
        b.iter_custom(|rounds| {
            let mut sum = Duration::ZERO;
            for _ in 0..rounds {
                let other = 1 - now;
                let digest = &versions[other].0;
                // Out of memory, with its compiled form where it was. Nobody calls it since the last swap: calls that
                // had begun are over after a while.
                runtime.block_on(async {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    bench.host.forget(digest).await;
                });
                for (file, bytes) in files(digest).iter().zip(&kept[other]) {
                    std::fs::write(file, bytes).unwrap();
                }
                let asked = Instant::now();
                runtime.block_on(async {
                    assert!(bench.host.recall(digest).await);
                    *current.lock().unwrap() = Arc::clone(digest);
                    bench.host.describe(bench.invocation(digest)).await.unwrap();
                });
                let took = asked.elapsed();
                (now, sum, worst) = (other, sum + took, worst.max(took));
            }
            sum
        });
    });
    group.finish();
    stop.store(true, Ordering::Relaxed);
    println!("swap/worst: {worst:?}");
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

/// Resident memory of a process of its own kind: what calls need anyhow is there before anything is counted.
fn warmed(runtime: &tokio::runtime::Runtime, bench: &Bench, digest: &Arc<str>) -> u64 {
    runtime.block_on(async {
        for _ in 0..20_000 {
            let inv = of(bench, digest, u128::MAX, u128::MAX).await;
            bench.ask(inv, json!({ "do": "count" })).await.unwrap();
            bench.platform.receipts.lock().unwrap().clear();
        }
    });
    resident()
}

fn tenants(_: &mut Criterion) {
    let runtime = runtime();
    let mut few: Option<(Duration, Duration)> = None;
    for tenants in [10u128, 1_000, 10_000] {
        let bench = Bench::new();
        let digest = runtime.block_on(bench.admit("identity"));
        let before = warmed(&runtime, &bench, &digest);
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
        let (p50_of_few, p99_of_few) = *few.get_or_insert((p50, p99));
        println!(
            "tenants/{tenants}_to_10: p50 {:.2} x, p99 {:.2} x",
            p50.as_secs_f64() / p50_of_few.as_secs_f64(),
            p99.as_secs_f64() / p99_of_few.as_secs_f64()
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
