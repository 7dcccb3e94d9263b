//! Versions are swapped under load from two threads, and no call fails.

use super::{OWNER, Stage, another_version};
use aistack_tests::host::{Store, TestHost, plugin};
use serde_json::{Value, json};
use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};
use tokio::time::Instant;

/// Changes of version to be seen.
const SWAPS: u64 = 60;
/// And for so long at most.
const LONGEST: Duration = Duration::from_secs(90);

#[tokio::test]
async fn no_call_fails_while_versions_are_swapped_on_sqlite() {
    swapped(Store::Sqlite).await;
}

#[tokio::test]
async fn no_call_fails_while_versions_are_swapped_on_postgres() {
    swapped(Store::Postgres).await;
}

async fn swapped(store: Store) {
    let stage = Stage::set(store).await;
    let one = stage
        .operator
        .install_plugin(plugin("report-usage").unwrap())
        .await
        .unwrap()
        .ok(201)
        .unwrap();
    let was = one["version"].as_str().unwrap().to_owned();
    let is = {
        let (head, last) = was.split_at(was.len() - 1);
        format!("{head}{}", if last == "9" { "8" } else { "9" })
    };
    let two = another_version(plugin("report-usage").unwrap(), &was, &is);
    stage.operator.install_plugin(two).await.unwrap().ok(201).unwrap();
    let body = json!({ "plugin_id": one["plugin_id"], "version": was, "name": "Reports", "config": {}, "secrets": {} });
    let made = stage
        .owner
        .post("/api/v1/installations", body)
        .await
        .unwrap()
        .ok(201)
        .unwrap();
    let path = format!("/api/v1/installations/{}", made["id"].as_str().unwrap());

    let (stop, swaps, calls) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let versions = [was.as_str(), is.as_str()];
    std::thread::scope(|threads| {
        let host = &stage.host;
        let (path, versions, stop, swaps, calls) = (&path, &versions, &stop, &swaps, &calls);
        let swappers: Vec<_> = (0..2)
            .map(|n| threads.spawn(move || block_on(swap(host, path, versions, n, stop, swaps))))
            .collect();
        let callers: Vec<_> = (0..2)
            .map(|_| threads.spawn(move || block_on(call(host, path, stop, calls))))
            .collect();
        let began = Instant::now();
        while swaps.load(Ordering::Relaxed) < SWAPS && began.elapsed() < LONGEST {
            let over = swappers
                .iter()
                .chain(&callers)
                .any(std::thread::ScopedJoinHandle::is_finished);
            if over {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        stop.store(true, Ordering::Relaxed);
        for thread in swappers.into_iter().chain(callers) {
            thread.join().expect("no thread has seen anything fail");
        }
    });
    let (swaps, calls) = (swaps.into_inner(), calls.into_inner());
    assert!(swaps >= 10 && calls >= swaps, "{swaps} swaps, {calls} calls");
    let after = stage.owner.get(&path).await.unwrap().ok(200).unwrap();
    let generation = after["generation"].as_u64().unwrap();
    assert_eq!(generation, swaps + 1, "each swap is a generation of its own");
    assert_eq!(after["health"]["failures_24h"], 0, "{after}");
}

fn block_on(work: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(work);
}

/// Changes the version to and fro. Another thread may have been faster: that is said, and nothing has happened.
async fn swap(host: &TestHost, path: &str, versions: &[&str; 2], first: usize, stop: &AtomicBool, swaps: &AtomicU64) {
    let mut owner = host.tenant_visitor("acme");
    owner.sign_in(OWNER.0, OWNER.1).await.unwrap();
    let mut turn = first;
    while !stop.load(Ordering::Relaxed) {
        turn += 1;
        let version = versions[turn % 2];
        let before: Value = owner.get(path).await.unwrap().ok(200).unwrap();
        if before["version"] == version {
            continue;
        }
        let answer = owner.patch(path, json!({ "version": version })).await.unwrap();
        if answer.status == 409 {
            answer.problem(409, "conflict").unwrap();
            continue;
        }
        let after = answer.ok(200).unwrap();
        swaps.fetch_add(1, Ordering::Relaxed);
        assert!(
            after["generation"].as_u64() > before["generation"].as_u64(),
            "{before} {after}"
        );
    }
}

/// Calls the plugin all the time.
async fn call(host: &TestHost, path: &str, stop: &AtomicBool, calls: &AtomicU64) {
    let mut owner = host.tenant_visitor("acme");
    owner.sign_in(OWNER.0, OWNER.1).await.unwrap();
    while !stop.load(Ordering::Relaxed) {
        let answer = owner
            .post(&format!("{path}/check"), json!({ "deep": false }))
            .await
            .unwrap();
        let findings = answer.ok(200).unwrap();
        assert!(findings["findings"].is_array(), "{findings}");
        calls.fetch_add(1, Ordering::Relaxed);
    }
}
