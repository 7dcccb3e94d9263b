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

/// Runs an attack while another tenant calls every few milliseconds. None of those calls may fail, and they must go on.
pub(super) async fn with_good_neighbour<T>(b: &Bench, attack: impl Future<Output = T>) -> T {
    let digest = b.admit("report").await;
    let platform = Arc::<Platform>::default();
    let mut inv = b.invocation(&digest);
    inv.tenant = TenantId(Uuid::from_u128(0x600d));
    inv.installation = InstallationId(Uuid::from_u128(0x600d));
    inv.services = services(&platform);
    inv.limits.wall = Duration::from_secs(60);
    let (stop, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let (stopped, count, host) = (Arc::clone(&stop), Arc::clone(&calls), Arc::clone(&b.host));
    let neighbour = tokio::spawn(async move {
        let mut worst = Duration::ZERO;
        while !stopped.load(Ordering::Relaxed) {
            let asked = Instant::now();
            let request = ReportRequest {
                report: "usage".to_owned(),
                params: json!({}),
                format: "csv".to_owned(),
            };
            let done = host.report().run(inv.clone(), request).await;
            assert_eq!(done.expect("a good neighbour's call must not fail")["rows"], 4);
            worst = worst.max(asked.elapsed());
            count.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        worst
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
    let worst = neighbour.await.expect("the neighbour was not disturbed");
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
