//! Guests that take more than they may: each is ended, and nobody else notices.

use crate::harness::*;
use aistack_core::TenantId;
use aistack_domain::plugins::port::*;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Runs a hostile act under small bounds; its receipt.
async fn fate(b: &Bench, what: Value, change: impl FnOnce(&mut CallLimits)) -> (Result<Value, Fault>, CallReceipt) {
    let digest = b.admit("identity").await;
    let mut inv = b.invocation(&digest);
    inv.limits.cpu = Duration::from_millis(100);
    change(&mut inv.limits);
    let result = b.ask(inv, what).await;
    (result, b.platform.last())
}

#[tokio::test]
async fn every_excess_ends_the_call_and_is_named() {
    let b = Bench::new();
    let ended = [
        ("spin", CallOutcome::Timeout, "cpu_time_exceeded"),
        ("cheap", CallOutcome::Limit, "host_calls_exceeded"),
        ("recurse", CallOutcome::Trap, "memory_fault"),
        ("bomb", CallOutcome::Limit, "memory_exceeded"),
        ("huge", CallOutcome::Limit, "transfer_exceeded"),
        ("huge-log", CallOutcome::Limit, "transfer_exceeded"),
        ("handles", CallOutcome::Limit, "handles_exceeded"),
        ("panic", CallOutcome::Trap, "trap"),
        ("exit", CallOutcome::Trap, "exit"),
    ];
    for (i, (what, outcome, code)) in ended.into_iter().enumerate() {
        // A tenant each, so that the breaker stays out of it.
        let digest = b.admit("identity").await;
        let mut inv = b.invocation(&digest);
        inv.tenant = TenantId(Uuid::from_u128(1_000 + i as u128));
        inv.limits.cpu = Duration::from_millis(300);
        inv.limits.wall = Duration::from_secs(20);
        let fault = b.ask(inv, json!({ "do": what, "bytes": 6 << 20 })).await.unwrap_err();
        let receipt = b.platform.last();
        assert_eq!(
            (receipt.outcome, receipt.code.as_deref()),
            (outcome, Some(code)),
            "{what}: {receipt:?}"
        );
        assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Internal, code), "{what}");
        assert!(!fault.outcome_unknown, "{what}: nothing was sent");
        assert!(receipt.memory <= 32 << 20, "{what}");
    }
    assert_eq!(b.host.pool().instances, 0, "everything was given back");
}

#[tokio::test]
async fn waiting_is_bounded_by_wall_time() {
    let b = Bench::new();
    let started = Instant::now();
    let (result, receipt) = fate(&b, json!({ "do": "sleep", "ms": 60_000 }), |l| {
        l.wall = Duration::from_millis(200);
    })
    .await;
    assert_eq!(result.unwrap_err().code, "wall_time_exceeded");
    assert_eq!(receipt.outcome, CallOutcome::Timeout);
    assert!(started.elapsed() < Duration::from_secs(10));
    assert!(
        receipt.guest < Duration::from_millis(150),
        "sleeping is not CPU time: {:?}",
        receipt.guest
    );
}

#[tokio::test]
async fn a_refused_allocation_alone_is_no_failure() {
    let b = Bench::new();
    let (result, _) = fate(&b, json!({ "do": "grow" }), |_| {}).await;
    assert_eq!(result.unwrap(), json!({ "grown": false }));
}

#[tokio::test]
async fn too_many_random_bytes_at_once_are_refused() {
    let b = Bench::new();
    let (result, receipt) = fate(&b, json!({ "do": "random", "n": 1 << 20 }), |_| {}).await;
    assert_eq!(
        (result.unwrap_err().code.as_str(), receipt.outcome),
        ("random_exceeded", CallOutcome::Limit)
    );
    let (a, _) = fate(&b, json!({ "do": "random", "n": 16 }), |_| {}).await;
    let (b2, _) = fate(&b, json!({ "do": "random", "n": 16 }), |_| {}).await;
    assert_ne!(a, b2);
}

#[tokio::test]
async fn a_log_flood_is_cut_and_cleaned() {
    let b = Bench::new();
    let (result, receipt) = fate(&b, json!({ "do": "log-flood", "lines": 5_000 }), |_| {}).await;
    assert!(result.is_ok());
    let (last, lines) = receipt.log.split_last().unwrap();
    assert!(last.message.contains("were dropped"), "{last:?}");
    let bytes: usize = lines.iter().map(|l| l.message.len()).sum();
    assert!(bytes <= 16 << 10, "{bytes}");
    assert!(lines.iter().all(|l| !l.message.contains(['\n', '\u{1b}'])));
}

#[tokio::test]
async fn a_panic_leaves_its_message_in_the_receipt() {
    let b = Bench::new();
    let (_, receipt) = fate(&b, json!({ "do": "panic" }), |_| {}).await;
    assert!(
        receipt.log.iter().any(|l| l.message.contains("on purpose")),
        "{:?}",
        receipt.log
    );
}

#[tokio::test]
async fn no_state_survives_a_call() {
    let b = Bench::new();
    for _ in 0..3 {
        let (result, _) = fate(&b, json!({ "do": "count" }), |_| {}).await;
        assert_eq!(result.unwrap(), json!({ "calls": 0 }));
    }
}

#[tokio::test]
async fn repeated_crashes_open_the_breaker_for_that_operation_alone() {
    let b = Bench::new();
    let digest = b.admit("identity").await;
    for _ in 0..5 {
        let f = b
            .ask(b.invocation(&digest), json!({ "do": "panic" }))
            .await
            .unwrap_err();
        assert_eq!(f.code, "trap");
    }
    let refused = b
        .ask(b.invocation(&digest), json!({ "do": "count" }))
        .await
        .unwrap_err();
    assert_eq!(refused.code, "breaker_open");
    assert!(refused.retry_after.is_some_and(|d| d > Duration::from_secs(20)));
    assert_eq!(b.platform.last().outcome, CallOutcome::Refused);
    assert!(
        b.host.describe(b.invocation(&digest)).await.is_ok(),
        "other operations go on"
    );
    let mut other = b.invocation(&digest);
    other.installation = aistack_core::InstallationId(Uuid::from_u128(77));
    assert!(
        b.ask(other, json!({ "do": "count" })).await.is_ok(),
        "other installations go on"
    );
}

#[tokio::test]
async fn faults_of_the_callers_do_not_open_the_breaker() {
    let b = Bench::new();
    let digest = b.admit("identity").await;
    for _ in 0..10 {
        let f = b
            .host
            .identity()
            .unsolicited(b.invocation(&digest), LoginInput::Poll)
            .await
            .unwrap_err();
        assert_eq!(f.code, "unsupported");
    }
}
