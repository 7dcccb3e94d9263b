//! The measured tenant transaction: a usage event and its hour's bucket, a quota count, an audit leaf, a commit. And the
//! same with one audit leaf more: the difference is what an audit row costs where an operation writes one.

#![allow(clippy::expect_used, unreachable_pub, reason = "a bench may panic")]

use super::fixtures::*;
use aistack_core::TenantScope;
use aistack_store::{Audit, Store};
use criterion::{Criterion, Throughput};
use std::sync::Arc;
use tokio::runtime::Runtime;

/// How many run at a time in the second figure.
const CONCURRENT: u64 = 32;

/// Measures a store alone and under concurrency; elements per second are durable commits per second.
pub fn tenant_tx(c: &mut Criterion, runtime: &Runtime, name: &str, store: &Arc<dyn Store>, scope: &TenantScope) {
    let mut group = c.benchmark_group(format!("tenant_tx/{name}"));
    group.sample_size(20);
    group.throughput(Throughput::Elements(1));
    group.bench_function("single", |b| {
        b.to_async(runtime).iter(|| one(store.clone(), scope.clone()));
    });
    group.bench_function("single_with_another_audit_row", |b| {
        b.to_async(runtime).iter(|| with_audit(store.clone(), scope.clone(), 2));
    });
    group.throughput(Throughput::Elements(CONCURRENT));
    group.bench_function(format!("{CONCURRENT}_concurrent"), |b| {
        b.to_async(runtime).iter(|| async {
            let tasks: Vec<_> = (0..CONCURRENT)
                .map(|_| tokio::spawn(one(store.clone(), scope.clone())))
                .collect();
            for task in tasks {
                task.await.expect("no panic");
            }
        });
    });
    group.finish();
}

async fn one(store: Arc<dyn Store>, scope: TenantScope) {
    with_audit(store, scope, 1).await;
}

async fn with_audit(store: Arc<dyn Store>, scope: TenantScope, rows: usize) {
    let mut tx = store.tenant(&scope).await.expect("begins");
    let event = usage_event("api.calls", 1, at(0));
    tx.usage().record(&event).await.expect("records");
    tx.usage().count("api.calls", at(0), 1, None).await.expect("counts");
    let entries = (0..rows).map(|_| audit_entry("usage.recorded"));
    let audit = Audit::many(entries.collect()).expect("at least one");
    tx.commit(audit).await.expect("commits");
}
