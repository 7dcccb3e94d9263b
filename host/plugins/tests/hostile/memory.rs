//! Lines 6 to 12: guests that take more than they may.

use super::{fate, forge, stranger, with_good_neighbour};
use crate::{
    downloads::{answer, create, gzip},
    harness::*,
    peer::*,
    requests::{reach, send},
};
use aistack_domain::plugins::port::*;
use serde_json::{Value, json};
use std::time::Duration;

/// Calls `describe` of a report component that was tampered with.
async fn describe(b: &Bench, component: &[u8], memory: usize) -> (Result<Vec<Feature>, Fault>, CallReceipt) {
    let mut inv = stranger(b).await;
    inv.digest = b.host.admit(component).await.unwrap().digest.into();
    inv.limits.memory = memory;
    inv.limits.cpu = Duration::from_secs(5);
    let done = b.host.describe(inv).await;
    (done, b.platform.last())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_06_memory_ends_at_its_limit_to_the_byte() {
    let b = Bench::new();
    with_good_neighbour(&b, async {
        let (done, receipt) = describe(&b, &component("report"), 32 << 20).await;
        assert!(done.is_ok());
        let needed = usize::try_from(receipt.memory).unwrap();
        let (done, _) = describe(&b, &component("report"), needed).await;
        assert!(done.is_ok(), "exactly what it needs");
        let (done, receipt) = describe(&b, &component("report"), needed - 1).await;
        assert_eq!(
            (done.unwrap_err().code.as_str(), receipt.outcome),
            ("memory_exceeded", CallOutcome::Limit)
        );

        let (bombed, receipt) = fate(&b, json!({ "do": "bomb" }), |i| i.limits.cpu = Duration::from_secs(5)).await;
        assert_eq!(bombed.unwrap_err().code, "memory_exceeded");
        assert!(receipt.memory <= 32 << 20, "{}", receipt.memory);
        let (asked, _) = fate(&b, json!({ "do": "grow" }), |_| {}).await;
        assert_eq!(asked.unwrap(), json!({ "grown": false }), "asking alone is no crime");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_07_several_memories_share_one_limit() {
    let b = Bench::new();
    let good = component("report");
    // 25 MiB from the start, beside the guest's own; each for itself would pass.
    let one_more = forge::with_module(&good, &forge::module(forge::MEMORY, &[forge::memory(400)], None), 1);
    // memory.grow 16; then unreachable.
    let growing = forge::grow(&[0x41, 16], &[0x40, 0], &[0x00]);
    let greedy = forge::module(forge::MEMORY, &[forge::memory(1)], Some(&growing));
    let greedy = forge::with_module(&good, &greedy, 1);
    let many = forge::with_module(&good, &forge::module(forge::MEMORY, &[forge::memory(1)], None), 40);
    with_good_neighbour(&b, async {
        assert!(describe(&b, &one_more, 32 << 20).await.0.is_ok());
        let (done, receipt) = describe(&b, &one_more, 26 << 20).await;
        assert_eq!(
            (done.unwrap_err().code.as_str(), receipt.outcome),
            ("memory_exceeded", CallOutcome::Limit)
        );
        let (done, receipt) = describe(&b, &greedy, 8 << 20).await;
        assert_eq!(
            (done.unwrap_err().code.as_str(), receipt.outcome),
            ("memory_exceeded", CallOutcome::Limit)
        );
        assert!(receipt.memory <= 8 << 20, "{}", receipt.memory);
        // A crowd of instances without memory: as many as an interpreter brings along are fine, many more are not.
        let empty = b"\0asm\x01\0\0\0";
        assert!(
            describe(&b, &forge::with_module(&good, empty, 40), 32 << 20)
                .await
                .0
                .is_ok()
        );
        let refused = b.host.admit(&forge::with_module(&good, empty, 70)).await.unwrap_err();
        assert!(
            matches!(&refused, Refusal::Compile(why) if why.contains("core module instances")),
            "{refused:?}"
        );
        let refused = b.host.admit(&many).await.unwrap_err();
        assert!(matches!(refused, Refusal::Compile(_)), "{refused:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_08_tables_grow_no_further_than_they_may() {
    let b = Bench::new();
    let good = component("report");
    // ref.null func; i32.const 1024; table.grow 0 … then a trap, should it have got beyond 65536 elements.
    let grow = forge::grow(
        &[0xd0, 0x70, 0x41, 0x80, 0x08],
        &[0xfc, 0x0f, 0],
        &[0xfc, 0x10, 0, 0x41, 0x80, 0x80, 0x04, 0x4b, 0x04, 0x40, 0x00, 0x0b],
    );
    let growing = forge::with_module(&good, &forge::module(forge::TABLE, &[forge::table(1)], Some(&grow)), 1);
    let huge = forge::with_module(
        &good,
        &forge::module(forge::TABLE, &[forge::table(10_000_000)], None),
        1,
    );
    with_good_neighbour(&b, async {
        let (done, receipt) = describe(&b, &growing, 32 << 20).await;
        assert!(done.is_ok() || receipt.outcome == CallOutcome::Limit, "{receipt:?}");
        let refused = b.host.admit(&huge).await.unwrap_err();
        assert!(matches!(refused, Refusal::Compile(_)), "{refused:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_09_huge_strings_and_lists_do_not_cross() {
    let b = Bench::new();
    with_good_neighbour(&b, async {
        for what in [
            json!({ "do": "huge", "bytes": 6 << 20 }),
            json!({ "do": "huge-log" }),
            json!({ "do": "kv", "op": "big", "key": "a", "bytes": 6 << 20 }),
        ] {
            let (result, receipt) = fate(&b, what.clone(), |i| i.limits.cpu = Duration::from_secs(5)).await;
            assert_eq!(
                (result.unwrap_err().code.as_str(), receipt.outcome),
                ("transfer_exceeded", CallOutcome::Limit),
                "{what}"
            );
        }
    })
    .await;
    assert!(b.platform.kv.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_10_handles_are_counted() {
    let b = Bench::new();
    with_good_neighbour(&b, async {
        let (result, receipt) = fate(&b, json!({ "do": "handles" }), |i| i.limits.handles = 20).await;
        assert_eq!(
            (result.unwrap_err().code.as_str(), receipt.outcome),
            ("handles_exceeded", CallOutcome::Limit)
        );
        assert!(receipt.host_calls <= 21, "{}", receipt.host_calls);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_11_headers_log_lines_and_values_have_a_size() {
    let many = |n: usize| (0..n).map(|i| format!("x-{i}: v\r\n")).collect::<String>();
    let with = |headers: &str| format!("HTTP/1.1 200 OK\r\n{headers}content-length: 2\r\n\r\nok");
    let peer = Peer::new(&[
        ("/many", &with(&many(80))),
        ("/long", &with(&format!("x-long: {}\r\n", "v".repeat(40 << 10)))),
        ("/fine", &with(&many(40))),
    ])
    .await;
    let b = Bench::new();
    let host = peer.host();
    let ask = |path: &str, headers: Value| {
        let what = json!({ "url": peer.url(path), "method": "POST", "headers": headers });
        send(&b, reach(&[], &[&host]), what)
    };
    with_good_neighbour(&b, async {
        assert!(ask("/fine", json!([])).await.is_ok());
        for path in ["/many", "/long"] {
            let fault = ask(path, json!([])).await.unwrap_err();
            assert_eq!(
                (fault.kind, fault.code.as_str()),
                (FaultKind::Provider, "headers_exceeded"),
                "{path}"
            );
            assert!(fault.outcome_unknown, "{path}: the request was made");
            assert_eq!(b.platform.last().outcome, CallOutcome::Limit, "{path}");
        }
        let sent = peer.requests().len();
        let header = |value: String| json!({ "name": "x-mine", "value": value });
        for headers in [vec![header("v".to_owned()); 65], vec![header("v".repeat(33 << 10))]] {
            let fault = ask("/fine", json!(headers)).await.unwrap_err();
            assert_eq!(
                (fault.kind, fault.code.as_str()),
                (FaultKind::InvalidInput, "headers_exceeded")
            );
            assert!(!fault.outcome_unknown);
        }
        assert_eq!(peer.requests().len(), sent, "nothing of it was sent");

        let (_, receipt) = fate(&b, json!({ "do": "log-flood", "lines": 5_000 }), |_| {}).await;
        assert!(receipt.log.iter().map(|l| l.message.len()).sum::<usize>() <= 17 << 10);
        let (big, _) = fate(
            &b,
            json!({ "do": "kv", "op": "big", "key": "a" , "bytes": 65 << 10 }),
            |_| {},
        )
        .await;
        assert_eq!(big.unwrap_err().code, "kv_value_too_large");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_12_deep_json_and_packed_bombs_end_at_their_bounds() {
    let peer = Peer::with(vec![("/bomb".to_owned(), answer("200 OK", &gzip(&vec![0; 8 << 20])))]).await;
    let b = Bench::new();
    with_good_neighbour(&b, async {
        let mut inv = stranger(&b).await;
        inv.limits.cpu = Duration::from_secs(2);
        for deep in ["deep-json", "bad-json"] {
            let what = start(json!({ "do": deep }));
            let fault = b.host.identity().begin(inv.clone(), what).await.unwrap_err();
            assert_eq!(fault.code, "bad_output", "{deep}");
        }
        let (result, receipt) = fate(&b, json!({ "do": "xml-bomb" }), |_| {}).await;
        assert!(
            matches!(receipt.outcome, CallOutcome::Limit | CallOutcome::Timeout),
            "{result:?}"
        );
        let fetch =
            |unpack: &str, max: u64| json!({ "do": "fetch", "url": peer.url("/bomb"), "unpack": unpack, "max": max });
        for (what, downloads, code) in [
            (fetch("gzip", 1 << 20), 64 << 20, "response_too_large"),
            (fetch("gzip", u64::MAX), 1 << 20, "downloads_exceeded"),
            (fetch("zip", 1 << 20), 64 << 20, "unsupported_packing"),
        ] {
            let fault = create(&b, &peer, what.clone(), |i| i.limits.downloads = downloads)
                .await
                .unwrap_err();
            assert_eq!(fault.code, code, "{what}");
        }
        assert!(create(&b, &peer, fetch("gzip", 9 << 20), |_| {}).await.is_ok());
        // Many small ones are a large one.
        let mut all = fetch("gzip", 9 << 20);
        all["do"] = json!("fetch-all");
        let raw = create(&b, &peer, all, |i| i.limits.downloads = 20 << 20)
            .await
            .unwrap()
            .raw;
        assert_eq!(raw, json!({ "done": 2, "code": "downloads_exceeded" }));
    })
    .await;
}
