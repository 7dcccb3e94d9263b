//! What tenants cost each other: the same transaction and the same lookup while 10, 1,000 and 10,000 tenants exist.
//!
//! Criterion has no word for "the same among more", so this prints `name: value` lines, with the ratio to ten.

#![allow(
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a bench measures real time, tells what it found and may panic"
)]

use super::fixtures::*;
use aistack_core::{Isolation, TenantScope};
use aistack_store::{Audit, Store};
use std::time::{Duration, Instant};

/// How many tenants there are, step by step.
const STEPS: [usize; 3] = [10, 1_000, 10_000];
/// Tenants that work; the others only exist.
const BUSY: usize = 10;
/// Measured turns of each kind.
const TURNS: usize = 1_000;

/// Measures one strategy on an empty store.
pub async fn among(store: &dyn Store, name: &str, isolation: Isolation) {
    let mut scopes: Vec<TenantScope> = Vec::new();
    let mut slugs: Vec<String> = Vec::new();
    let mut first: Option<[Duration; 2]> = None;
    for step in STEPS {
        let began = Instant::now();
        let from = slugs.len();
        add(store, isolation, step, &mut slugs, &mut scopes).await;
        let each = began.elapsed() / u32::try_from(step - from).expect("few");
        println!("growth/{name}/{step}: made {} tenants, {each:?} each", step - from);
        // Whoever was made last must not be warmer than who was there.
        for turn in 0..200 {
            transaction(store, &scopes[turn % BUSY]).await;
        }
        let (mut changes, mut lookups) = (Vec::new(), Vec::new());
        for turn in 0..TURNS {
            let now = Instant::now();
            transaction(store, &scopes[turn % BUSY]).await;
            changes.push(now.elapsed());
            // Any of them: 7,919 is prime, so all take a turn.
            let slug = &slugs[(turn * 7_919) % slugs.len()];
            let now = Instant::now();
            store.scope_by_slug(slug).await.expect("reads").expect("is there");
            lookups.push(now.elapsed());
        }
        let [change, lookup] = [changes, lookups].map(|mut all| {
            all.sort_unstable();
            all[TURNS / 2]
        });
        let ratio = |now: Duration, then: Duration| now.as_secs_f64() / then.as_secs_f64();
        let [change_1, lookup_1] = *first.get_or_insert([change, lookup]);
        println!(
            "growth/{name}/{step}: transaction p50 {change:?}, {:.2} x of ten",
            ratio(change, change_1)
        );
        println!(
            "growth/{name}/{step}: lookup p50 {lookup:?}, {:.2} x of ten",
            ratio(lookup, lookup_1)
        );
    }
}

async fn add(
    store: &dyn Store,
    isolation: Isolation,
    until: usize,
    slugs: &mut Vec<String>,
    scopes: &mut Vec<TenantScope>,
) {
    while slugs.len() < until {
        let mut made = Vec::new();
        let mut tx = store.platform().await.expect("begins");
        while slugs.len() < until && made.len() < 500 {
            let tenant = demo_tenant(&format!("tenant-{}", slugs.len()), isolation);
            tx.tenants().insert(&tenant).await.expect("inserts");
            slugs.push(tenant.slug.clone());
            made.push(tenant.id);
        }
        tx.commit(audit("tenant.created")).await.expect("commits");
        for id in made {
            let scope = store.scope(id).await.expect("reads").expect("is there");
            store.provision(&scope).await.expect("provisions");
            scopes.push(scope);
        }
    }
}

async fn transaction(store: &dyn Store, scope: &TenantScope) {
    let mut tx = store.tenant(scope).await.expect("begins");
    let event = usage_event("api.calls", 1, at(0));
    tx.usage().record(&event).await.expect("records");
    tx.usage().count("api.calls", at(0), 1, None).await.expect("counts");
    tx.commit(Audit::one(audit_entry("usage.recorded")))
        .await
        .expect("commits");
}
