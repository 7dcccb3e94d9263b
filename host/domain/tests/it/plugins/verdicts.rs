//! What counts for and against a version on trial, and against a component as such.

use crate::{
    plugins::releases::{canary, start, till, two, version},
    world::World,
};
use aistack_core::{CallId, Timestamp};
use aistack_domain::{
    TenantCtx,
    plugins::{
        calls,
        installations::InstallationView,
        manifest::CallClass,
        port::{CallOutcome, CallReceipt, FaultKind},
        quarantine,
        releases::{self, By, State},
    },
};
use serde_json::json;
use std::{sync::Arc, time::Duration};

async fn call(w: &World, t: &TenantCtx, i: &InstallationView, outcome: CallOutcome) {
    faulty(w, t, i, outcome, None).await;
}

async fn faulty(w: &World, t: &TenantCtx, i: &InstallationView, outcome: CallOutcome, fault: Option<FaultKind>) {
    let loaded = calls::load(&w.app, t, i.id, None).await.unwrap();
    let inv = calls::invocation(&w.app, t, &loaded, CallClass::Ordinary, json!({}));
    inv.services.receipt(CallReceipt {
        call: CallId::new(&*w.clock, &*w.rng),
        tenant: inv.tenant,
        installation: inv.installation,
        plugin: Arc::clone(&inv.plugin),
        digest: Arc::clone(&inv.digest),
        lane: inv.lane,
        request: None,
        operation: "payments.create".to_owned(),
        started_at: Timestamp(0),
        wall: Duration::ZERO,
        guest: Duration::ZERO,
        turns: 0,
        memory: 0,
        host_calls: 0,
        bytes_out: 0,
        bytes_in: 0,
        outcome,
        code: None,
        fault,
        log: Vec::new(),
        fuel: None,
        frames: Vec::new(),
        tape: None,
    });
}

#[tokio::test]
async fn what_people_refuse_does_not_speak_against_a_candidate() {
    let w = World::new().await;
    two(&w, |m| m).await;
    let t = w.tenant("acme").await;
    let made = till(&w, &t).await;
    let release = start(&w, canary(By::Tenants, 1000)).await.unwrap();
    for _ in 0..30 {
        faulty(&w, &t, &made, CallOutcome::Fault, Some(FaultKind::Declined)).await;
        faulty(&w, &t, &made, CallOutcome::Refused, Some(FaultKind::RateLimited)).await;
    }
    watch(&w).await;
    let (_, to) = w.app.releases.tallies(&release.id).unwrap();
    assert_eq!((to.calls, to.failed), (30, 0));
    for _ in 0..2 {
        faulty(&w, &t, &made, CallOutcome::Fault, Some(FaultKind::Provider)).await;
    }
    watch(&w).await;
    assert_eq!(
        releases::get(&w.app, &release.id).await.unwrap().state,
        State::RolledBack
    );
}

#[tokio::test]
async fn a_candidate_out_of_service_ends_its_release() {
    let w = World::new().await;
    two(&w, |m| m).await;
    let t = w.tenant("acme").await;
    let made = till(&w, &t).await;
    let release = start(&w, canary(By::Tenants, 1000)).await.unwrap();
    assert_eq!(version(&w, &t, &made).await, "2.0.0");
    let two = w.version_of("test.pay", "2.0.0").await;
    quarantine::set(&w.app, &w.operator(), two.id, "it leaks")
        .await
        .unwrap();
    assert_eq!(version(&w, &t, &made).await, "1.0.0", "at once");
    watch(&w).await;
    let ended = releases::get(&w.app, &release.id).await.unwrap();
    assert_eq!(ended.state, State::RolledBack);
    assert!(ended.reason.unwrap().contains("it leaks"));
}

#[tokio::test]
async fn a_candidate_that_fails_too_often_is_taken_back_by_itself() {
    let w = World::new().await;
    two(&w, |m| m).await;
    let t = w.tenant("acme").await;
    let made = till(&w, &t).await;
    let release = start(&w, canary(By::Tenants, 1000)).await.unwrap();
    for _ in 0..19 {
        call(&w, &t, &made, CallOutcome::Timeout).await;
    }
    watch(&w).await;
    assert_eq!(version(&w, &t, &made).await, "2.0.0", "too few calls to judge");
    call(&w, &t, &made, CallOutcome::Timeout).await;
    watch(&w).await;
    assert_eq!(version(&w, &t, &made).await, "1.0.0");
    let ended = releases::get(&w.app, &release.id).await.unwrap();
    assert_eq!(ended.state, State::RolledBack);
    assert!(ended.reason.unwrap().starts_with("20 of 20 calls failed"));
    assert_eq!(w.recorded(None, "plugin.rolled_back").await.len(), 1);
}

/// Lets the background look around once.
async fn watch(w: &World) {
    let stop = tokio::time::sleep(Duration::from_millis(600));
    aistack_domain::plugins::keep_watch(&w.app, stop).await;
}

#[tokio::test]
async fn what_crashes_again_and_again_goes_out_of_service_by_itself() {
    let w = World::new().await;
    two(&w, |m| m).await;
    let t = w.tenant("acme").await;
    let made = till(&w, &t).await;
    for _ in 0..20 {
        call(&w, &t, &made, CallOutcome::Trap).await;
    }
    watch(&w).await;
    let p = calls::load(&w.app, &t, made.id, None).await.unwrap_err();
    assert_eq!(p.extras["reason"], "quarantined");
    // A candidate that is out of service is not released either.
    let two = w.version_of("test.pay", "2.0.0").await;
    quarantine::set(&w.app, &w.operator(), two.id, "no").await.unwrap();
    assert_eq!(
        start(&w, canary(By::Calls, 10)).await.unwrap_err().extras["reason"],
        "quarantined"
    );
}
