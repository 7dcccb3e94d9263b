//! `http`: what may be reached, what may be sent, what comes back.

use crate::{harness::*, peer::*};
use aistack_domain::plugins::port::*;
use serde_json::{Value, json};
use std::time::Duration;

pub(crate) async fn send(b: &Bench, grants: Grants, mut what: Value) -> Result<Value, Fault> {
    what["do"] = json!("http");
    let digest = b.admit("identity").await;
    let mut inv = b.invocation(&digest);
    inv.powers = powers(grants);
    inv.installation = aistack_core::InstallationId(uuid::Uuid::now_v7());
    b.ask(inv, what).await
}

pub(crate) fn reach(http: &[&str], private: &[&str]) -> Grants {
    Grants {
        http_hosts: strings(http),
        private_hosts: strings(private),
        ..all_grants()
    }
}

#[tokio::test]
async fn a_granted_peer_is_reached_and_counted() {
    let peer = Peer::new(&[]).await;
    let b = Bench::new();
    let got = send(
        &b,
        reach(&[], &[&peer.host()]),
        json!({ "url": peer.url("/a?x=1#frag"), "method": "POST", "body": "hello", "headers": [{ "name": "X-Mine", "value": "v" }] }),
    )
    .await
    .unwrap();
    assert_eq!((got["status"].as_u64(), got["body"].as_str()), (Some(200), Some("ok")));
    let headers: Vec<&str> = got["headers"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert!(
        headers.contains(&"x-one: a") && headers.contains(&"x-one: b"),
        "{headers:?}"
    );
    let seen = peer.requests().remove(0);
    assert!(seen.starts_with("POST /a?x=1 HTTP/1.1\r\n"), "{seen}");
    assert!(
        seen.contains("x-mine: v\r\n") && seen.ends_with("\r\n\r\nhello"),
        "{seen}"
    );
    let receipt = b.platform.last();
    assert!(receipt.bytes_out > 5 && receipt.bytes_in > 2, "{receipt:?}");
}

#[tokio::test]
async fn large_slow_and_broken_peers_are_faults() {
    let big = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n{}",
        "x".repeat(100_000)
    );
    let endless = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(100_000));
    let peer = Peer::new(&[
        ("/big", &big),
        ("/endless", &endless),
        ("/slow", "slow"),
        ("/drop", "drop"),
        ("/drop-once", "drop-once"),
        ("/garbage", "SMTP ready\r\n"),
    ])
    .await;
    let b = Bench::new();
    let ask = |mut what: Value, path: &str| {
        what["url"] = json!(peer.url(path));
        send(&b, reach(&[], &[&peer.host()]), what)
    };
    for path in ["/big", "/endless"] {
        let fault = ask(json!({ "max_bytes": 1000 }), path).await.unwrap_err();
        assert_eq!(
            (fault.kind, fault.code.as_str()),
            (FaultKind::Provider, "response_too_large"),
            "{path}"
        );
        assert!(ask(json!({}), path).await.is_ok(), "{path}");
    }
    for (method, unknown) in [("GET", false), ("POST", true)] {
        for (path, code) in [
            ("/slow", "timeout"),
            ("/drop", "connection_broken"),
            ("/garbage", "connection_broken"),
        ] {
            let fault = ask(json!({ "method": method, "timeout_ms": 300 }), path)
                .await
                .unwrap_err();
            assert_eq!(
                (fault.kind, fault.code.as_str()),
                (FaultKind::Transport, code),
                "{method} {path}"
            );
            assert_eq!(fault.outcome_unknown, unknown, "{method} {path}");
        }
    }
    let fault = ask(
        json!({ "method": "POST", "timeout_ms": 300, "idempotent": true }),
        "/slow",
    )
    .await
    .unwrap_err();
    assert!(!fault.outcome_unknown, "it may simply be sent again");
    let got = ask(
        json!({ "method": "POST", "body": "b", "idempotent": true }),
        "/drop-once",
    )
    .await
    .unwrap();
    assert_eq!(got["status"], 200, "once more by the host");
    let nobody = send(
        &b,
        reach(&[], &["127.0.0.1:1"]),
        json!({ "url": "http://127.0.0.1:1/", "method": "POST" }),
    )
    .await;
    let nobody = nobody.unwrap_err();
    assert_eq!(
        (nobody.code.as_str(), nobody.outcome_unknown),
        ("connect_failed", false)
    );
}

#[tokio::test]
async fn a_slow_peer_does_not_outlive_the_call() {
    let peer = Peer::new(&[("/slow", "slow")]).await;
    let b = Bench::new();
    let digest = b.admit("identity").await;
    let mut inv = b.invocation(&digest);
    inv.powers = powers(reach(&[], &[&peer.host()]));
    inv.limits.wall = Duration::from_millis(600);
    let fault = b
        .ask(inv, json!({ "do": "http", "url": peer.url("/slow"), "method": "POST" }))
        .await
        .unwrap_err();
    // The guest gets its answer just before its own time is up, and can pass it on.
    assert_eq!((fault.code.as_str(), fault.outcome_unknown), ("timeout", true));
}
