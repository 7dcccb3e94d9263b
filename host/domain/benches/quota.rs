//! The quota decision: a reservation and its release, in memory, after the window's counter has been loaded.

#![expect(clippy::unwrap_used, reason = "a bench stops at what it did not expect")]

#[path = "../testing/mod.rs"]
mod testing;

use aistack_domain::quota;
use criterion::{Criterion, criterion_group, criterion_main};
use std::sync::atomic::{AtomicU64, Ordering};
use testing::TestApp;

fn decision(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let (t, ctx) = runtime.block_on(async {
        let t = TestApp::new().await;
        let ctx = t.tenant("acme", "free", "UTC").await;
        quota::set_limit(&t.app, &ctx, "api.calls", Some(1_000_000))
            .await
            .unwrap();
        (t, ctx)
    });
    let app = &t.app;
    let count = AtomicU64::new(0);
    let key = || format!("req_{:032x}", count.fetch_add(1, Ordering::Relaxed));
    let reserve = async |key: &str, amount| {
        app.quota
            .reserve(
                (&*app.store, &*app.clock),
                &ctx.scope,
                &ctx.tenant,
                "api.calls",
                key,
                amount,
            )
            .await
    };
    c.bench_function("quota/reserve and release", |b| {
        b.to_async(&runtime)
            .iter(|| async { drop(reserve(&key(), 1).await.unwrap()) });
    });
    c.bench_function("quota/refuse", |b| {
        b.to_async(&runtime)
            .iter(|| async { reserve(&key(), 2_000_000).await.unwrap_err() });
    });
}

criterion_group!(benches, decision);
criterion_main!(benches);
