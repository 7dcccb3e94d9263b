//! `http`: what may be reached, what may be sent, what comes back.

use crate::{harness::*, peer::*};
use aistack_domain::plugins::port::*;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

async fn send(b: &Bench, grants: Grants, mut what: Value) -> Result<Value, Fault> {
    what["do"] = json!("http");
    let digest = b.admit("identity").await;
    let mut inv = b.invocation(&digest);
    inv.powers = powers(grants);
    inv.installation = aistack_core::InstallationId(uuid::Uuid::now_v7());
    b.ask(inv, what).await
}

fn reach(http: &[&str], private: &[&str]) -> Grants {
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
async fn the_house_and_the_cloud_around_it_are_out_of_reach() {
    let peer = Peer::new(&[]).await;
    let b = Bench::with(|c| {
        c.names = Names::new(&[
            ("rebind.test", &[&["127.0.0.1"]]),
            (
                "metadata.test",
                &[&["169.254.169.254"], &["100.100.100.200", "fd00:ec2::254"]],
            ),
            ("mapped.test", &[&["::ffff:127.0.0.1", "::1", "10.0.0.1"]]),
            ("nowhere.test", &[&["203.0.113.7"]]),
        ]);
    });
    let port = peer.port;
    for (host, code) in [
        (format!("rebind.test:{port}"), "address_not_allowed"),
        (format!("metadata.test:{port}"), "address_not_allowed"),
        (format!("metadata.test:{port}"), "address_not_allowed"),
        (format!("mapped.test:{port}"), "address_not_allowed"),
        ("nowhere.test".to_owned(), "address_not_allowed"),
        ("unknown.test".to_owned(), "connect_failed"),
        (format!("127.0.0.1:{port}"), "address_not_allowed"),
        (format!("2130706433:{port}"), "address_not_allowed"),
        (format!("[::ffff:7f00:1]:{port}"), "address_not_allowed"),
        ("169.254.169.254".to_owned(), "address_not_allowed"),
        (format!("0.0.0.0:{port}"), "address_not_allowed"),
    ] {
        let fault = send(
            &b,
            reach(&[&host], &[]),
            json!({ "url": format!("https://{host}/latest") }),
        )
        .await
        .unwrap_err();
        assert_eq!(fault.code, code, "{host}: {}", fault.message);
    }
    // Even an operator's grant of private addresses does not open the metadata service.
    let fault = send(
        &b,
        reach(&[], &["metadata.test"]),
        json!({ "url": "http://metadata.test/" }),
    )
    .await
    .unwrap_err();
    assert_eq!(fault.code, "address_not_allowed");
    assert_eq!(peer.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn a_name_is_resolved_once_and_used_as_checked() {
    let peer = Peer::new(&[]).await;
    // A second answer would lead elsewhere; it must never be asked for.
    let names = Names::new(&[("flip.test", &[&["127.0.0.1"], &["127.0.0.2"]])]);
    let kept = Arc::clone(&names);
    let b = Bench::with(|c| c.names = names);
    let host = format!("flip.test:{}", peer.port);
    let got = send(&b, reach(&[], &[&host]), json!({ "url": format!("http://{host}/") }))
        .await
        .unwrap();
    assert_eq!(got["status"], 200);
    assert_eq!(kept.asked.lock().unwrap().as_slice(), ["flip.test"]);
}

#[tokio::test]
async fn what_is_not_granted_or_not_clean_is_never_sent() {
    let peer = Peer::new(&[]).await;
    let b = Bench::new();
    let (host, url) = (peer.host(), peer.url("/"));
    let granted = || reach(&[], &[&host]);
    let header = |name: &str, value: &str| json!({ "url": url, "headers": [{ "name": name, "value": value }] });
    for (grants, what, code) in [
        (reach(&[], &[]), json!({ "url": url }), "host_not_granted"),
        (reach(&[&host], &[]), json!({ "url": url }), "scheme_not_allowed"),
        (
            granted(),
            json!({ "url": format!("http://user:pw@{host}/") }),
            "url_user_info",
        ),
        (
            granted(),
            json!({ "url": format!("http://{host}/a\r\nx: y") }),
            "url_invalid",
        ),
        (granted(), json!({ "url": "/relative" }), "url_invalid"),
        (granted(), json!({ "url": "gopher://x/" }), "scheme_not_allowed"),
        (granted(), header("x-a", "b\r\nevil: 1"), "header_invalid"),
        (granted(), header("x a", "b"), "header_invalid"),
        (granted(), header("Host", "internal"), "header_not_allowed"),
        (granted(), header("Content-Length", "0"), "header_not_allowed"),
        (granted(), header("Transfer-Encoding", "chunked"), "header_not_allowed"),
        (granted(), header("Connection", "upgrade"), "header_not_allowed"),
        (granted(), header("TE", "trailers"), "header_not_allowed"),
        (granted(), json!({ "url": url, "method": "CONNECT" }), "method_invalid"),
        (granted(), json!({ "url": url, "method": "G ET" }), "method_invalid"),
    ] {
        let fault = send(&b, grants, what.clone()).await.unwrap_err();
        assert_eq!(fault.code, code, "{what}: {}", fault.message);
    }
    assert_eq!(peer.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn redirects_are_checked_at_each_hop() {
    let inner = Peer::new(&[]).await;
    let to =
        |status: u16, place: &str| format!("HTTP/1.1 {status} x\r\nlocation: {place}\r\ncontent-length: 0\r\n\r\n");
    let outer = Peer::new(&[
        ("/inner", &to(302, &inner.url("/secret"))),
        ("/keep", &to(307, &inner.url("/kept"))),
        ("/metadata", &to(302, "http://169.254.169.254/latest")),
        ("/file", &to(302, "file:///etc/passwd")),
        ("/here", &to(303, "/there")),
        ("/loop", &to(302, "/loop")),
    ])
    .await;
    let b = Bench::new();
    let ask = |path: &str| {
        json!({ "url": outer.url(path), "redirects": 3, "method": "POST", "body": "b",
            "headers": [{ "name": "authorization", "value": "mine" }, { "name": "cookie", "value": "c=1" }] })
    };
    let outer_only = || reach(&[], &[&outer.host()]);
    for (path, code) in [
        ("/inner", "host_not_granted"),
        ("/metadata", "host_not_granted"),
        ("/file", "scheme_not_allowed"),
    ] {
        assert_eq!(
            send(&b, outer_only(), ask(path)).await.unwrap_err().code,
            code,
            "{path}"
        );
    }
    assert_eq!(inner.requests(), Vec::<String>::new());

    // Not followed unless asked for.
    let got = send(&b, outer_only(), json!({ "url": outer.url("/inner") }))
        .await
        .unwrap();
    assert_eq!(got["status"], 302);
    let got = send(&b, outer_only(), ask("/loop")).await.unwrap();
    assert_eq!(got["status"], 302, "the last answer when there are too many");

    // Same origin: headers stay, the method becomes GET.
    send(&b, outer_only(), ask("/here")).await.unwrap();
    let there = outer.requests().into_iter().find(|r| r.contains("/there")).unwrap();
    assert!(
        there.starts_with("GET /there") && there.contains("authorization: mine"),
        "{there}"
    );

    // Another origin, granted: no credentials travel, the body only with 307 and 308.
    let both = || reach(&[], &[&outer.host(), &inner.host()]);
    send(&b, both(), ask("/inner")).await.unwrap();
    send(&b, both(), ask("/keep")).await.unwrap();
    let seen = inner.requests();
    assert!(
        seen[0].starts_with("GET /secret") && seen[1].starts_with("POST /kept"),
        "{seen:?}"
    );
    assert!(seen[1].ends_with("\r\n\r\nb"));
    for r in seen {
        assert!(!r.contains("authorization") && !r.contains("cookie"), "{r}");
    }
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
