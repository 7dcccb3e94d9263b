//! Line 27: secrets are used as granted, where granted, and seen nowhere else.

use super::{fate, with_good_neighbour};
use crate::{
    dialling::directory,
    downloads::create,
    harness::*,
    peer::*,
    secrets::{ask, grants},
};
use aistack_domain::plugins::port::*;
use serde_json::{Value, json};

const SECRET: &str = "s3cr3t/value+of-the-tenant";

/// Grants under which the guest sees the secret.
fn revealing(peer: &Peer, bound: &[String]) -> Grants {
    Grants {
        private_hosts: vec![peer.host()],
        secrets: [(
            "key".to_owned(),
            SecretGrant {
                uses: strings(&["reveal"]),
                hosts: bound.to_vec(),
            },
        )]
        .into(),
        ..all_grants()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_27_a_revealed_secret_does_not_leave_by_any_door() {
    let peer = Peer::new(&[]).await;
    let b = Bench::new();
    with_good_neighbour(&b, async {
        for spelt in ["plain", "hex"] {
            let leak = |how: &str| json!({ "do": "leak", "name": "key", "as": spelt, "how": how, "url": peer.url("/"), "method": "POST" });
            for (how, code) in [
                ("log", None),
                ("stderr", None),
                ("panic", Some("trap")),
                ("fault", Some("***")),
                ("output", Some("secret_in_output")),
                ("kv", Some("secret_in_state")),
                ("kv-key", Some("secret_in_state")),
                ("body", Some("secret_leak")),
                ("url", Some("secret_leak")),
                ("header", Some("secret_leak")),
            ] {
                let (result, receipt) = fate(&b, leak(how), |i| {
                    i.powers = powers(revealing(&peer, &[]));
                    i.secrets = std::sync::Arc::new(secrets(&[("key", &[SECRET])]));
                })
                .await;
                assert_eq!(result.as_ref().err().map(|f| f.code.as_str()), code, "{how}: {result:?}");
                let seen = format!("{result:?} {receipt:?} {:?}", b.platform.lines.lock().unwrap()).to_lowercase();
                for shown in [SECRET.to_owned(), hex::encode(SECRET)] {
                    assert!(!seen.contains(&shown), "{how} as {spelt}: {seen}");
                }
                if matches!(how, "log" | "stderr" | "panic") {
                    assert!(seen.contains("it is ***"), "{how}: {seen}");
                }
            }
        }
        assert!(peer.requests().is_empty() && b.platform.kv.lock().unwrap().is_empty());

        // To where it is bound it may go: that is what it was revealed for.
        let what = json!({ "do": "leak", "name": "key", "how": "body", "url": peer.url("/"), "method": "POST" });
        let (sent, _) = fate(&b, what, |i| {
            i.powers = powers(revealing(&peer, &[peer.host()]));
            i.secrets = std::sync::Arc::new(secrets(&[("key", &[SECRET])]));
        })
        .await;
        assert!(sent.is_ok(), "{sent:?}");
        assert!(peer.requests()[0].ends_with(SECRET));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_27_an_echo_of_the_credential_is_covered() {
    let echo = |text: &str| {
        format!(
            "HTTP/1.1 200 OK\r\nx-echo: {text}\r\ncontent-length: {}\r\n\r\n{text}",
            text.len()
        )
    };
    let peer = Peer::new(&[
        ("/plain", &echo("you sent newest, thanks")),
        ("/basic", &echo("Basic Y2xpZW50Om5ld2VzdA==")),
        ("/hex", &echo("6E6577657374")),
    ])
    .await;
    let b = Bench::new();
    let host = vec![peer.host()];
    with_good_neighbour(&b, async {
        for (path, way, left) in [
            ("/plain", "bearer", "you sent ***, thanks"),
            ("/plain", "query", "you sent ***, thanks"),
            ("/basic", "basic", "***"),
            ("/hex", "header", "***"),
        ] {
            let what = json!({ "do": "http", "url": peer.url(path), "secret": "key", "as": way, "as_name": "x-user" });
            let got = ask(&b, grants(&["http"], &host, &host), what).await.unwrap();
            assert!(got["body"].as_str().unwrap().ends_with(left) || got["body"].as_str().unwrap().contains(left), "{got}");
            let all = got.to_string().to_lowercase();
            for shown in ["newest", "om5ld2vzda", "6e6577657374"] {
                assert!(!all.contains(shown), "{path} {way}: {all}");
            }
        }
        // The same in a file that the host fetches, and on a socket.
        let what = json!({ "do": "fetch-with-secret", "url": peer.url("/plain") });
        let allowed = grants(&["http"], &host, &host);
        let paid = create(&b, &peer, what, |i| i.powers = powers(allowed)).await.unwrap();
        assert_eq!(paid.raw, json!({ "text": "you sent ***, thanks" }));
        let dir = directory("tls").await;
        let target = format!("127.0.0.1:{}", dir.port);
        let steps: Vec<Value> = [json!({ "do": "secret", "name": "key" })]
            .into_iter()
            .chain((0..10).map(|_| json!({ "do": "read", "max": 1 })))
            .collect();
        let what = json!({ "do": "dial", "host": "127.0.0.1", "port": dir.port, "tls": "direct", "ca": dir.ca, "steps": steps });
        let mut allowed = grants(&["dial:write"], std::slice::from_ref(&target), std::slice::from_ref(&target));
        allowed.dial_targets = vec![target];
        let heard = ask(&b, allowed, what).await.unwrap();
        let heard: String = heard["heard"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert_eq!(heard, "[<******>]", "byte for byte");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_27_a_signing_key_is_no_oracle_for_other_algorithms() {
    let b = Bench::new();
    with_good_neighbour(&b, async {
        let mac = |alg: &str| json!({ "do": "mac", "alg": alg, "name": "key", "data": "anything" });
        let granted = || grants(&["mac:HS256"], &[], &[]);
        assert!(ask(&b, granted(), mac("HS256")).await.is_ok());
        for alg in ["HS512", "HS384", "hs256", "HS256 ", ""] {
            let code = ask(&b, granted(), mac(alg)).await.unwrap_err().code;
            assert_eq!(code, "use_not_granted", "{alg:?}");
        }
        let reveal = ask(&b, granted(), json!({ "do": "reveal", "name": "key" })).await;
        assert_eq!(reveal.unwrap_err().code, "use_not_granted");
        // A wrong tag is wrong wherever it differs; the comparison is aws-lc's own, in constant time.
        for tag in ["00", "", &"ff".repeat(32)] {
            let checked = ask(
                &b,
                granted(),
                json!({ "do": "mac-any", "name": "key", "data": "x", "tag": tag }),
            )
            .await;
            assert_eq!(checked.unwrap()["valid"], false, "{tag}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_27_a_redirect_never_carries_a_credential_away() {
    let inner = Peer::new(&[]).await;
    let location = |p: &Peer| {
        format!(
            "HTTP/1.1 307 x\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n",
            p.url("/stolen")
        )
    };
    let outer = Peer::new(&[("/go", &location(&inner))]).await;
    let b = Bench::new();
    with_good_neighbour(&b, async {
    // Even where the secret is bound to both: an origin the plugin did not name gets nothing.
    let both = vec![outer.host(), inner.host()];
    for way in ["bearer", "header", "query", "form"] {
        let what = json!({ "do": "http", "url": outer.url("/go"), "method": "POST", "redirects": 2, "secret": "key", "as": way, "as_name": "x" });
        ask(&b, grants(&["http"], &both, &both), what).await.unwrap();
    }
    let seen = inner.requests();
    assert_eq!(seen.len(), 4);
    assert!(seen.iter().all(|r| !r.contains("newest")), "{seen:?}");
    })
    .await;
}
