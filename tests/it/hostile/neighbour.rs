//! Another tenant on the same platform, calling its plugin all the while.

use super::{Stage, id};
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

/// Longer than this no call of the neighbour may take, on however busy a machine.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs an attack while another tenant calls its own plugin. None of those calls may fail, and they must go on.
pub(super) async fn with_good_neighbour<T>(
    stage: &Stage,
    attack: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let good = stage.good.clone();
    let path = format!("/api/v1/installations/{}/check", id(&stage.report));
    let (stop, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let (stopped, count) = (Arc::clone(&stop), Arc::clone(&calls));
    let neighbour = tokio::spawn(async move {
        let mut worst = Duration::ZERO;
        while !stopped.load(Ordering::Relaxed) {
            let asked = Instant::now();
            let answer = good.post(&path, json!({"deep": false})).await.and_then(|a| a.ok(200));
            let findings = answer.expect("a good neighbour's call must not fail");
            assert!(findings["findings"].is_array(), "{findings}");
            worst = worst.max(asked.elapsed());
            count.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        worst
    });
    let further = async |n: u64| {
        let (seen, since) = (calls.load(Ordering::Relaxed), Instant::now());
        while calls.load(Ordering::Relaxed) < seen + n && !neighbour.is_finished() {
            assert!(since.elapsed() < Duration::from_secs(30), "the neighbour stands still");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    further(1).await;
    let done = attack.await;
    further(3).await;
    stop.store(true, Ordering::Relaxed);
    let worst = neighbour.await.expect("the neighbour was not disturbed");
    assert!(worst < PATIENCE, "the neighbour waited {worst:?}");
    done
}
