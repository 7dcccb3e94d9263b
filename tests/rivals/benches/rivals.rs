//! A plugin call of ours beside Extism and `wasmtime serve`, for the same work: two JSON documents (150 and 430 bytes)
//! read, one written, three host calls, an HMAC; a fresh instance for each call on every side. `make bench-rivals`.
//!
//! In process: the native function, our host, Extism. Over HTTP, one kept connection on the loopback: the native function
//! and our host behind a thin server of this program, and `wasmtime serve`. Where a rival cannot do a part the same way it
//! is spared it: `wasmtime serve` has no host functions of one's own, so it gets its config with the request and makes
//! the HMAC itself; Extism is called without limits or receipts.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench measures real time, stops on errors and tells what it found"
)]

#[path = "../../../host/plugins/tests/it/harness.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "shared with the tests; the bench needs a part of it"
)]
mod harness;
#[path = "../../../host/plugins/benches/request/mod.rs"]
#[allow(unreachable_pub, reason = "shared with the bench of calls")]
mod request;

use aistack_domain::plugins::port::{Invocation, PaymentAction, PluginRuntime};
use aistack_rivals::{Client, Side, cpu_of, cpu_of_this_process, serve, take_turns};
use extism::{CompiledPlugin, Manifest, PTR, Plugin, PluginBuilder, UserData, Wasm, host_fn};
use harness::Bench;
use request::{config, mac, native, order, payload};
use serde_json::{Value, json};
use std::{
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

/// One call through our host, with everything it does for one: grants, queue, limits, breaker, receipt.
async fn ours(bench: &Bench, inv: Invocation, payload: Value) -> String {
    let paid = bench.host.payment().create(inv, order(payload)).await.unwrap();
    bench.platform.receipts.lock().unwrap().clear();
    match paid.action {
        PaymentAction::Redirect(address) => address,
        other => panic!("{other:?}"),
    }
}

/// Builds a rival's guest; the file.
fn guest(name: &str, target: &str) -> PathBuf {
    let into = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guests");
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .current_dir("guests")
        .args([
            "build",
            "--quiet",
            "--release",
            "-p",
            name,
            "--target",
            target,
            "--target-dir",
        ])
        .arg(&into);
    for name in [
        "RUSTFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_BUILD_TARGET",
        "CARGO_TARGET_DIR",
        "MAKEFLAGS",
    ] {
        cargo.env_remove(name);
    }
    assert!(cargo.status().expect("cargo runs").success(), "{name} must build");
    into.join(target)
        .join("release")
        .join(format!("{}.wasm", name.replace('-', "_")))
}

host_fn!(config_get(config: String;) -> String {
    let config = config.get()?;
    let config = config.lock().unwrap();
    Ok(config.clone())
});
host_fn!(secret_open(_nothing: (); _name: String) -> u64 { Ok(1u64) });
host_fn!(mac_of(_nothing: (); _key: u64, data: Vec<u8>) -> Vec<u8> { Ok(mac(&data)) });

fn extism(config: &str) -> CompiledPlugin {
    let wasm = guest("rival-extism", "wasm32-unknown-unknown");
    PluginBuilder::new(Manifest::new([Wasm::data(std::fs::read(wasm).unwrap())]))
        .with_cache_disabled()
        .with_function("config_get", [], [PTR], UserData::new(config.to_owned()), config_get)
        .with_function("secret_open", [PTR], [PTR], UserData::new(()), secret_open)
        .with_function("mac", [PTR, PTR], [PTR], UserData::new(()), mac_of)
        .compile()
        .unwrap()
}

/// `wasmtime serve`, stopped when dropped.
struct Served(Child, SocketAddr);
impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts `wasmtime serve` with the settings that our engine has, as far as it knows them.
fn wasmtime_serve() -> Option<Served> {
    let program = std::env::var_os("WASMTIME").unwrap_or_else(|| "wasmtime".into());
    let component = guest("rival-http", "wasm32-wasip2");
    // Free a moment ago; nobody else on this machine looks for one just now.
    let at = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let child = Command::new(&program)
        .args(["serve", "--max-instance-reuse-count", "1", "--no-logging-prefix"])
        .args([
            "-O",
            "pooling-allocator=y,pooling-memory-keep-resident=262144,pooling-pagemap-scan=y",
        ])
        .args(["-C", "cache=n", "-S", "cli=y", "--addr", &at.to_string()])
        .arg(component)
        .stdout(Stdio::null())
        .spawn();
    let served = Served(child.ok()?, at);
    let started = Instant::now();
    while TcpStream::connect(at).is_err() {
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "wasmtime serve does not listen"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    Some(served)
}

fn table(title: &str, sides: &[Side<'_>]) {
    println!(
        "\n{title}\n\n| | p50 | p99 | to the native function | to ours | calls per CPU-second |\n|---|---|---|---|---|---|"
    );
    let median = |s: &Side<'_>| s.percentile(50).as_secs_f64();
    for side in sides {
        println!(
            "| {} | {:.1} µs | {:.1} µs | {:.2} | {:.2} | {:.0} |",
            side.name,
            median(side) * 1e6,
            side.percentile(99).as_secs_f64() * 1e6,
            median(side) / median(&sides[0]),
            median(side) / median(&sides[1]),
            side.per_cpu_second()
        );
    }
}

fn in_process(bench: &Bench, inv: &Invocation, calls: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (config, payload_text) = (config().to_string(), payload().to_string());
    let compiled = extism(&config);
    let through_ours = || runtime.block_on(ours(bench, inv.clone(), payload()));
    let through_extism = || {
        let mut plugin = Plugin::new_from_compiled(&compiled).unwrap();
        plugin.call::<&str, String>("create", &payload_text).unwrap()
    };
    let mut sides = [
        Side::new(
            "native function",
            || native(&config, &payload_text),
            cpu_of_this_process,
        ),
        Side::new("aistack", through_ours, cpu_of_this_process),
        Side::new("Extism", through_extism, cpu_of_this_process),
    ];
    take_turns(&mut sides, calls, &native(&config, &payload_text));
    table("In process, a fresh instance per call", &sides);
}

fn over_http(bench: Arc<Bench>, inv: Invocation, calls: usize) {
    let servers = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let asked = json!({ "config": config(), "payload": payload() }).to_string();
    let parts = |body: &[u8]| {
        let mut asked: Value = serde_json::from_slice(body).unwrap();
        (asked["config"].take(), asked["payload"].take())
    };
    let plain = servers
        .block_on(serve(move |body| {
            let (config, payload) = parts(&body);
            std::future::ready(native(&config.to_string(), &payload.to_string()))
        }))
        .unwrap();
    let through = servers
        .block_on(serve(move |body| {
            let (bench, inv, payload) = (Arc::clone(&bench), inv.clone(), parts(&body).1);
            async move { ours(&bench, inv, payload).await }
        }))
        .unwrap();
    let client = |to| {
        let mut client = Client::new(to, &asked).unwrap();
        move || client.call().unwrap()
    };
    let served = wasmtime_serve();
    let mut sides = vec![
        Side::new("native function", client(plain), cpu_of_this_process),
        Side::new("aistack", client(through), cpu_of_this_process),
    ];
    match &served {
        Some(Served(child, at)) => {
            let process = child.id();
            sides.push(Side::new("wasmtime serve", client(*at), move || cpu_of(process)));
        }
        None => println!("\nwasmtime is missing: set WASMTIME to what tests/rivals/tools.sh prints"),
    }
    take_turns(
        &mut sides,
        calls,
        &native(&config().to_string(), &payload().to_string()),
    );
    table(
        "Over HTTP on the loopback, one connection, a fresh instance per call",
        &sides,
    );
}

fn main() {
    let calls = std::env::var("RIVALS_CALLS").ok();
    let calls: usize = calls.map_or(5_000, |n| n.parse().expect("RIVALS_CALLS is a number"));
    let bench = Arc::new(Bench::new());
    let inv = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(async {
            let digest = bench.admit("payment").await;
            Invocation {
                config: Arc::new(config()),
                ..bench.invocation(&digest)
            }
        });
    in_process(&bench, &inv, calls);
    over_http(bench, inv, calls);
    println!(
        "\n{calls} calls each, in turns. The client's processor time counts for the sides that this program serves."
    );
}
