//! Lines 21 to 26: where a guest may connect to, and what it may send there.

use super::with_good_neighbour;
use crate::{
    dialling::{directory, talk},
    harness::*,
    peer::*,
    requests::{reach, send},
};
use aistack_domain::plugins::port::*;
use serde_json::{Value, json};
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_21_the_house_and_the_cloud_around_it_are_out_of_reach() {
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
    with_good_neighbour(&b, async {
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
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_22_a_name_is_resolved_once_and_used_as_checked() {
    let peer = Peer::new(&[]).await;
    // A second answer would lead elsewhere; it must never be asked for.
    let names = Names::new(&[("flip.test", &[&["127.0.0.1"], &["127.0.0.2"]])]);
    let kept = Arc::clone(&names);
    let b = Bench::with(|c| c.names = names);
    with_good_neighbour(&b, async {
        let host = format!("flip.test:{}", peer.port);
        let got = send(&b, reach(&[], &[&host]), json!({ "url": format!("http://{host}/") }))
            .await
            .unwrap();
        assert_eq!(got["status"], 200);
        assert_eq!(kept.asked.lock().unwrap().as_slice(), ["flip.test"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_23_redirects_are_checked_at_each_hop() {
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
    with_good_neighbour(&b, async {
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
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_24_what_is_not_granted_or_not_clean_is_never_sent() {
    let peer = Peer::new(&[]).await;
    let b = Bench::new();
    with_good_neighbour(&b, async {
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
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_25_endpoints_and_certificates_are_checked() {
    let b = Bench::new();
    with_good_neighbour(&b, async {
        let d = directory("tls").await;
        let hello = || json!([{ "do": "write", "text": "x" }, { "do": "read" }]);
        assert!(talk(&b, &d, "direct", hello(), |_, _| {}).await.is_ok());
        let code = |r: Result<Value, Fault>| r.unwrap_err().code;
        assert_eq!(
            code(talk(&b, &d, "direct", hello(), |g, _| g.dial_targets.clear()).await),
            "target_not_granted"
        );
        assert_eq!(
            code(talk(&b, &d, "direct", hello(), |g, _| g.private_hosts.clear()).await),
            "address_not_allowed"
        );
        assert_eq!(
            code(talk(&b, &d, "none", hello(), |g, _| g.private_hosts.clear()).await),
            "not_protected"
        );
        assert_eq!(
            code(talk(&b, &d, "direct", hello(), |_, w| w["ca"] = Value::Null).await),
            "tls_failed",
            "unknown authority"
        );
        assert_eq!(
            code(
                talk(&b, &d, "direct", hello(), |_, w| w["server_name"] =
                    json!("ldap.example.com"))
                .await
            ),
            "tls_failed",
            "another name"
        );
        assert_eq!(
            code(talk(&b, &d, "direct", hello(), |_, w| w["ca"] = json!("nonsense")).await),
            "tls_material_invalid"
        );
        let other = directory("tls").await;
        let ca = other.ca.clone();
        assert_eq!(
            code(talk(&b, &d, "direct", hello(), |_, w| w["ca"] = json!(ca)).await),
            "tls_failed",
            "another authority"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_25_starttls_can_neither_be_skipped_nor_injected_into() {
    let b = Bench::new();
    with_good_neighbour(&b, async {
        let d = directory("starttls").await;
        let flood = json!([{ "do": "write", "text": "x".repeat(5_000) }]);
        assert_eq!(
            talk(&b, &d, "starttls", flood, |_, _| {}).await.unwrap_err().code,
            "not_protected"
        );
        let twice =
            json!([{ "do": "write", "text": "s" }, { "do": "read" }, { "do": "start-tls" }, { "do": "start-tls" }]);
        assert_eq!(
            talk(&b, &d, "starttls", twice, |_, _| {}).await.unwrap_err().code,
            "tls_state"
        );
        let direct = directory("tls").await;
        let again = json!([{ "do": "start-tls" }]);
        assert_eq!(
            talk(&b, &direct, "direct", again, |_, _| {}).await.unwrap_err().code,
            "tls_state"
        );
        let forging = directory("inject").await;
        let steps = json!([{ "do": "write", "text": "s" }, { "do": "read" }, { "do": "pause" }, { "do": "start-tls" }]);
        assert_eq!(
            talk(&b, &forging, "starttls", steps, |_, _| {}).await.unwrap_err().code,
            "starttls_injection"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_24_answers_that_contradict_themselves_are_not_passed_on() {
    let both = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\nsmuggled";
    let two = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 20\r\n\r\nok";
    let peer = Peer::new(&[("/both", both), ("/two", two)]).await;
    let b = Bench::new();
    with_good_neighbour(&b, async {
        let ask = |path: &str| send(&b, reach(&[], &[&peer.host()]), json!({ "url": peer.url(path) }));
        // One reading of the message and no rest that could become the next one's.
        match ask("/both").await {
            Ok(got) => assert_eq!(got["body"], "ok"),
            Err(fault) => assert_eq!(fault.code, "connection_broken"),
        }
        assert_eq!(ask("/two").await.unwrap_err().code, "connection_broken");
        assert_eq!(ask("/plain").await.unwrap()["body"], "ok");
        // An absolute address in the path is a path.
        let inner = Peer::new(&[]).await;
        let what = json!({ "url": format!("http://{}/{}", peer.host(), inner.url("/x")) });
        assert_eq!(
            send(&b, reach(&[], &[&peer.host()]), what).await.unwrap()["status"],
            200
        );
        assert!(inner.requests().is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_26_hoarded_connections_are_counted_and_nobody_waits_for_them() {
    let b = Bench::with(|c| c.instances = 256);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut ports = vec![listener.local_addr().unwrap().port()];
    let mut listeners = vec![listener];
    for _ in 0..8 {
        let more = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        ports.push(more.local_addr().unwrap().port());
        listeners.push(more);
    }
    for listener in listeners {
        tokio::spawn(async move {
            let mut kept = Vec::new();
            while let Ok(tcp) = listener.accept().await {
                kept.push(tcp);
            }
        });
    }
    let targets: Vec<String> = ports.iter().map(|p| format!("127.0.0.1:{p}")).collect();
    let digest = b.admit("identity").await;
    let hoard = |tenant: u128, port: u16, ms: u64| {
        let mut inv = b.invocation(&digest);
        inv.tenant = aistack_core::TenantId(uuid::Uuid::from_u128(tenant));
        inv.limits.wall = std::time::Duration::from_secs(30);
        inv.powers = powers(Grants {
            private_hosts: targets.clone(),
            dial_targets: targets.clone(),
            ..all_grants()
        });
        let what = json!({ "do": "hoard", "host": "127.0.0.1", "port": port, "ms": ms });
        (inv, what)
    };
    with_good_neighbour(&b, async {
        let (mut inv, what) = hoard(1, ports[0], 0);
        inv.limits.connections = 3;
        let seen = b.ask(inv, what).await.unwrap();
        assert_eq!(
            seen,
            json!({ "held": 3, "code": "too_many_connections" }),
            "of one call"
        );
        let (inv, what) = hoard(1, ports[0], 0);
        let seen = b.ask(inv, what).await.unwrap();
        assert_eq!(
            seen,
            json!({ "held": 8, "code": "too_many_connections" }),
            "to one endpoint"
        );
        // Eight endpoints, eight each, held; the ninth finds none left. Another tenant does.
        let held: Vec<_> = ports[..8].iter().map(|port| hoard(1, *port, 3_000)).collect();
        let mut calls = tokio::task::JoinSet::new();
        for (inv, what) in held {
            let host = Arc::clone(&b.host);
            calls.spawn(async move { host.identity().begin(inv, start(what)).await });
        }
        tokio::time::sleep(std::time::Duration::from_millis(1_000)).await;
        let asked = std::time::Instant::now();
        let (inv, what) = hoard(1, ports[8], 0);
        let seen = b.ask(inv, what).await.unwrap();
        assert_eq!(
            seen,
            json!({ "held": 0, "code": "too_many_connections" }),
            "of one tenant"
        );
        assert!(asked.elapsed() < std::time::Duration::from_secs(2), "it did not wait");
        let (inv, what) = hoard(2, ports[8], 0);
        assert_eq!(b.ask(inv, what).await.unwrap()["held"], 8);
        while let Some(done) = calls.join_next().await {
            assert!(done.unwrap().is_ok());
        }
        let (inv, what) = hoard(1, ports[8], 0);
        assert_eq!(b.ask(inv, what).await.unwrap()["held"], 8, "they came back");
    })
    .await;
}
