//! Finding a request's tenant among 10, 1,000 and 10,000: remembered, and looked up anew. The last lines say how the times
//! grow with the number of tenants.

#![expect(clippy::unwrap_used, reason = "a bench stops at what it did not expect")]
#![expect(clippy::print_stdout, reason = "it is what a bench is for")]

#[path = "../testing/mod.rs"]
mod testing;

use aistack_core::{Clock, Isolation, TenantId, TenantStatus};
use aistack_domain::{
    Ctx,
    audit::{Draft, commit_platform},
    tenancy::{Asked, Resolved, resolve},
};
use aistack_store::{DomainStatus, Tenant, TenantDomain};
use criterion::{Criterion, criterion_group, criterion_main};
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use testing::TestApp;

const SIZES: [usize; 3] = [10, 1_000, 10_000];

/// Tenants in the catalogue alone, each with a proven domain: routing needs no more of them.
async fn catalogue(t: &TestApp, tenants: usize) {
    let app = &t.app;
    let now = app.clock.now();
    let mut tx = app.store.platform().await.unwrap();
    for n in 0..tenants {
        let tenant = Tenant {
            id: TenantId::new(&*app.clock, &*app.rng),
            slug: format!("tenant-{n}"),
            name: format!("Tenant {n}"),
            status: TenantStatus::Active,
            plan: "basic".to_owned(),
            isolation: Isolation::Row,
            locale: "en".to_owned(),
            time_zone: "UTC".to_owned(),
            currency: "USD".to_owned(),
            demo_at: None,
            created_at: now,
            updated_at: now,
        };
        tx.tenants().insert(&tenant).await.unwrap();
        let domain = TenantDomain {
            tenant_id: tenant.id,
            domain: format!("app.tenant-{n}.test"),
            status: DomainStatus::Verified,
            token: "0".to_owned(),
            is_primary: 1,
            misses: 0,
            last_error: None,
            checked_at: Some(now),
            next_check_at: None,
            verified_at: Some(now),
            failing_since: None,
            created_at: now,
        };
        tx.domains().insert(&domain).await.unwrap();
    }
    let draft = Draft::new("demo.seeded", "platform", "bench");
    commit_platform(app, tx, &Ctx::system(None), draft).await.unwrap();
}

/// One request to a host; what is remembered of its tenant is forgotten first if `anew`.
async fn one(t: &TestApp, host: &str, slug: &str, anew: bool) {
    if anew {
        t.app.directory.forget(slug);
    }
    let asked = Asked {
        authorities: vec![host],
        path: "/v1/chat/completions",
        ..Asked::default()
    };
    let resolved = resolve(&t.app, &asked).await.unwrap();
    assert!(matches!(resolved, Resolved::Tenant { .. }));
}

fn routing(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let mut medians: Vec<(String, Vec<Duration>)> = Vec::new();
    for tenants in SIZES {
        let t = runtime.block_on(async {
            let t = TestApp::new().await;
            catalogue(&t, tenants).await;
            t
        });
        let kinds = [
            ("subdomain", true),
            ("domain", true),
            ("subdomain", false),
            ("domain", false),
        ];
        for (kind, anew) in kinds {
            let name = format!("{kind}, {}", if anew { "looked up" } else { "remembered" });
            let count = AtomicUsize::new(0);
            let next = || {
                let n = match anew {
                    // All over the catalogue, in no order of the index.
                    true => count.fetch_add(7_919, Ordering::Relaxed) % tenants,
                    false => 3,
                };
                let slug = format!("tenant-{n}");
                let host = match kind {
                    "domain" => format!("app.{slug}.test"),
                    _ => format!("{slug}.localhost"),
                };
                (host, slug)
            };
            c.bench_function(&format!("routing/{name}/{tenants} tenants"), |b| {
                b.to_async(&runtime).iter(|| async {
                    let (host, slug) = next();
                    one(&t, &host, &slug, anew).await;
                });
            });
            let mut times: Vec<Duration> = (0..2_000)
                .map(|_| {
                    let (host, slug) = next();
                    let began = t.clock.monotonic();
                    runtime.block_on(one(&t, &host, &slug, anew));
                    t.clock.monotonic() - began
                })
                .collect();
            times.sort_unstable();
            let median = times[times.len() / 2];
            match medians.iter_mut().find(|(known, _)| *known == name) {
                Some((_, all)) => all.push(median),
                None => medians.push((name, vec![median])),
            }
        }
    }
    for (name, all) in medians {
        let growth = all[SIZES.len() - 1].as_secs_f64() / all[0].as_secs_f64();
        println!("routing, {name}: median {all:?} at {SIZES:?} tenants; {growth:.2} times from first to last");
    }
}

criterion_group!(benches, routing);
criterion_main!(benches);
