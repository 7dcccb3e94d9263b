//! Another tenant on the same host, calling all the while.

use crate::harness::*;
use aistack_core::{InstallationId, TenantId};
use aistack_domain::plugins::port::*;
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use uuid::Uuid;

/// Longer than this no call of the neighbour may take, on however busy a machine.
const PATIENCE: Duration = Duration::from_secs(5);
/// Calls before the attack begins, to compare with.
const CALM: usize = 25;

/// Runs an attack while another tenant calls every few milliseconds. None of those calls may fail, and they must go on.
/// How long they took before and meanwhile is printed, for people to read; no test depends on it, for the machine may
/// have other work.
pub(crate) async fn with_good_neighbour<T>(b: &Bench, attack: impl Future<Output = T>) -> T {
    let digest = b.admit("report").await;
    let platform = Arc::<Platform>::default();
    let mut inv = b.invocation(&digest);
    inv.tenant = TenantId(Uuid::from_u128(0x600d));
    inv.installation = InstallationId(Uuid::from_u128(0x600d));
    inv.services = services(&platform);
    inv.limits.wall = Duration::from_secs(60);
    let host = Arc::clone(&b.host);
    let call = async move || {
        let asked = Instant::now();
        let request = ReportRequest {
            report: "usage".to_owned(),
            params: json!({}),
            format: "csv".to_owned(),
        };
        let done = host.report().run(inv.clone(), request).await;
        assert_eq!(done.expect("a good neighbour's call must not fail")["rows"], 4);
        let took = asked.elapsed();
        tokio::time::sleep(Duration::from_millis(5)).await;
        took
    };
    let mut before = Vec::new();
    for _ in 0..CALM {
        before.push(call().await);
    }
    let (stop, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let (stopped, count) = (Arc::clone(&stop), Arc::clone(&calls));
    let neighbour = tokio::spawn(async move {
        let mut meanwhile = Vec::new();
        while !stopped.load(Ordering::Relaxed) {
            meanwhile.push(call().await);
            count.fetch_add(1, Ordering::Relaxed);
        }
        meanwhile
    });
    let further = async |n: u64| {
        let seen = calls.load(Ordering::Relaxed);
        let since = Instant::now();
        while calls.load(Ordering::Relaxed) < seen + n && !neighbour.is_finished() {
            assert!(since.elapsed() < Duration::from_secs(30), "the neighbour stands still");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    further(1).await;
    let done = attack.await;
    further(3).await;
    stop.store(true, Ordering::Relaxed);
    let meanwhile = neighbour.await.expect("the neighbour was not disturbed");
    report(before, meanwhile.clone());
    let worst = meanwhile.iter().max().copied().unwrap_or_default();
    assert!(worst < PATIENCE, "the neighbour waited {worst:?}");
    assert!(
        platform
            .receipts
            .lock()
            .unwrap()
            .iter()
            .all(|r| r.outcome == CallOutcome::Ok),
        "every receipt says so"
    );
    done
}

/// Prints the neighbour's waiting times; `cargo test -- --nocapture` shows them.
fn report(mut before: Vec<Duration>, mut meanwhile: Vec<Duration>) {
    let of = |all: &mut Vec<Duration>, percent: usize| {
        all.sort_unstable();
        all[(all.len() - 1) * percent / 100]
    };
    let mut line = format!(
        "neighbour of {}: {} calls before, {} meanwhile, 0 failed",
        std::thread::current().name().unwrap_or("a test"),
        before.len(),
        meanwhile.len()
    );
    for percent in [50, 99] {
        let (calm, busy) = (of(&mut before, percent), of(&mut meanwhile, percent));
        let ratio = busy.as_secs_f64() / calm.as_secs_f64().max(1e-9);
        line += &format!("; p{percent} {calm:?} before, {busy:?} meanwhile ({ratio:.1} x)");
    }
    eprintln!("{line}");
}
