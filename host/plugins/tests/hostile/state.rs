//! Lines 28, 35 to 37 and 40: what outlives a call, what the host tells of it, and who is in the way of whom.

use super::{fate, stranger, with_good_neighbour};
use crate::{harness::*, peer::*, requests::reach};
use aistack_core::InstallationId;
use aistack_domain::plugins::port::*;
use serde_json::json;
use std::{sync::Arc, time::Duration};
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_28_nothing_in_memory_passes_from_call_to_call() {
    let b = Bench::with(|c| c.instances = 16);
    with_good_neighbour(&b, async {
        let (one, two) = (stranger(&b).await, stranger(&b).await);
        for _ in 0..20 {
            for inv in [&one, &two] {
                let seen = b.ask(inv.clone(), json!({ "do": "count" })).await.unwrap();
                assert_eq!(seen, json!({ "calls": 0 }));
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_35_a_flood_of_log_lines_is_cut_cleaned_and_forges_nothing() {
    let b = Bench::new();
    with_good_neighbour(&b, async {
        let (done, receipt) = fate(&b, json!({ "do": "log-flood", "lines": 5_000 }), |_| {}).await;
        assert!(done.is_ok());
        let (last, lines) = receipt.log.split_last().unwrap();
        assert!(last.message.contains("were dropped"), "{last:?}");
        assert!(lines.len() <= 256 && lines.iter().map(|l| l.message.len()).sum::<usize>() <= 16 << 10);
        let plain = |l: &LogLine| !l.message.contains(['\n', '\r', '\u{1b}']);
        assert!(lines.iter().all(plain));
        assert_eq!(
            *b.platform.lines.lock().unwrap(),
            receipt.log,
            "the live tail is the same, no longer"
        );
        // Operations are the host's own words; a guest can't make up labels.
        assert_eq!(receipt.operation, "login.begin");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_36_a_plugin_that_traps_is_left_alone_and_tried_again() {
    let b = Bench::new();
    with_good_neighbour(&b, async {
        let mut inv = stranger(&b).await;
        inv.breaker = BreakerFigures {
            errors: 2,
            window: Duration::from_secs(60),
            open: Duration::from_millis(800),
        };
        let act = |what: &str| b.ask(inv.clone(), json!({ "do": what }));
        for _ in 0..2 {
            assert_eq!(act("panic").await.unwrap_err().code, "trap");
        }
        let refused = act("count").await.unwrap_err();
        assert_eq!(refused.code, "breaker_open");
        assert!(refused.retry_after.is_some_and(|d| d <= Duration::from_millis(800)));
        let open = b.host.breakers(inv.tenant, inv.installation);
        assert_eq!(
            (open.len(), open[0].operation, open[0].probing),
            (1, "login.begin", false)
        );
        assert!(b.host.describe(inv.clone()).await.is_ok(), "other operations go on");
        let mut other = inv.clone();
        other.installation = InstallationId(Uuid::now_v7());
        assert!(
            b.ask(other, json!({ "do": "count" })).await.is_ok(),
            "other installations go on"
        );

        tokio::time::sleep(Duration::from_millis(900)).await;
        assert_eq!(act("panic").await.unwrap_err().code, "trap", "one may try");
        assert_eq!(act("count").await.unwrap_err().code, "breaker_open", "and failed");
        tokio::time::sleep(Duration::from_millis(900)).await;
        assert!(act("count").await.is_ok());
        assert!(act("count").await.is_ok(), "closed again");
        assert!(b.host.breakers(inv.tenant, inv.installation).is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_37_a_hundred_calls_in_flight_outlive_their_component() {
    let b = Bench::with(|c| {
        c.instances = 256;
        c.tenant_calls = 128;
    });
    let old = b.admit("identity").await;
    with_good_neighbour(&b, async {
        let mut callers = tokio::task::JoinSet::new();
        for _ in 0..100 {
            let (host, mut inv) = (Arc::clone(&b.host), b.invocation(&old));
            inv.limits.concurrency = 128;
            inv.limits.wall = Duration::from_secs(60);
            callers.spawn(async move {
                let nap = start(json!({ "do": "sleep", "ms": 1_500 }));
                host.identity().begin(inv, nap).await
            });
        }
        while b.host.pool().instances < 100 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // Swap, roll back, uninstall: the runtime's part of it is to forget and to load.
        for _ in 0..5 {
            b.host.forget(&old).await;
            b.host.forget(&b.admit("payment").await).await;
            b.admit("identity").await;
        }
        b.host.forget(&old).await;
        while let Some(done) = callers.join_next().await {
            let done = done.unwrap();
            assert!(done.is_ok(), "calls in flight finish on what they started on: {done:?}");
        }
        assert_eq!(
            b.host.describe(b.invocation(&old)).await.unwrap_err().code,
            "not_loaded"
        );
    })
    .await;
    assert_eq!(b.host.pool().instances, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_40_a_budget_used_up_in_the_middle_is_a_clean_fault() {
    let big = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n{}",
        "x".repeat(100_000)
    );
    let peer = Peer::new(&[("/big", &big)]).await;
    let b = Bench::new();
    with_good_neighbour(&b, async {
        let again =
            |pass: bool| json!({ "do": "repeat", "pass": pass, "what": { "do": "http", "url": peer.url("/big") } });
        let small = |i: &mut Invocation| {
            i.limits.egress = 350_000;
            i.limits.cpu = Duration::from_secs(5);
            i.powers = powers(reach(&[], &[&peer.host()]));
        };
        let (done, receipt) = fate(&b, again(false), small).await;
        assert_eq!(done.unwrap(), json!({ "done": 3, "code": "egress_exceeded" }));
        assert_eq!(receipt.outcome, CallOutcome::Ok, "the guest chose to go on without");
        let before = b.platform.receipts.lock().unwrap().len();
        let (done, receipt) = fate(&b, again(true), small).await;
        let fault = done.unwrap_err();
        assert_eq!(
            (fault.kind, fault.code.as_str()),
            (FaultKind::Denied, "egress_exceeded")
        );
        assert_eq!(
            (receipt.outcome, receipt.code.as_deref()),
            (CallOutcome::Limit, Some("egress_exceeded"))
        );
        assert!(receipt.bytes_in <= 500_000, "{}", receipt.bytes_in);
        assert_eq!(
            b.platform.receipts.lock().unwrap().len(),
            before + 1,
            "and a receipt in any case"
        );
    })
    .await;
}
