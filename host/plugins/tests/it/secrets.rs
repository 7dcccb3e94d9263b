//! Secrets: used as granted, where granted, and never seen elsewhere.

use crate::{harness::*, peer::*};
use aistack_domain::plugins::port::*;
use serde_json::{Value, json};

pub(crate) fn grants(uses: &[&str], bound: &[String], reach: &[String]) -> Grants {
    Grants {
        private_hosts: reach.to_vec(),
        secrets: [(
            "key".to_owned(),
            SecretGrant {
                uses: strings(uses),
                hosts: bound.to_vec(),
            },
        )]
        .into(),
        ..all_grants()
    }
}

pub(crate) async fn ask(b: &Bench, grants: Grants, what: Value) -> Result<Value, Fault> {
    let digest = b.admit("identity").await;
    let mut inv = b.invocation(&digest);
    inv.powers = powers(grants);
    b.ask(inv, what).await
}

#[tokio::test]
async fn credentials_are_injected_into_requests_to_bound_hosts() {
    let peer = Peer::new(&[]).await;
    let b = Bench::new();
    let host = vec![peer.host()];
    let all = || {
        grants(
            &["http:bearer", "http:basic", "http:header", "http:query", "http:form"],
            &host,
            &host,
        )
    };
    let base = |way: &str, name: &str| {
        json!({ "do": "http", "url": peer.url("/p?a=1"), "method": "POST", "body": if way == "form" { "grant_type=x" } else { "" },
            "secret": "key", "as": way, "as_name": name })
    };
    for (way, name, wanted) in [
        ("bearer", "", "authorization: Bearer newest\r\n"),
        ("basic", "client", "authorization: Basic Y2xpZW50Om5ld2VzdA==\r\n"),
        ("header", "X-Key", "x-key: newest\r\n"),
        ("query", "secret", "POST /p?a=1&secret=newest HTTP/1.1"),
        ("form", "client_secret", "\r\n\r\ngrant_type=x&client_secret=newest"),
    ] {
        ask(&b, all(), base(way, name))
            .await
            .unwrap_or_else(|f| panic!("{way}: {f}"));
        let seen = peer.requests().pop().unwrap();
        assert!(seen.contains(wanted), "{way}: {seen}");
    }
    let before = peer.requests().len();
    let refusals = [
        (
            grants(&["http:basic"], &host, &host),
            base("bearer", ""),
            "use_not_granted",
        ),
        (
            grants(&["mac:HS256"], &host, &host),
            base("bearer", ""),
            "use_not_granted",
        ),
        (
            grants(&["http:bearer"], &[], &host),
            base("bearer", ""),
            "secret_not_bound",
        ),
        (
            grants(&["http:bearer"], &["127.0.0.1".to_owned()], &host),
            base("bearer", ""),
            "secret_not_bound",
        ),
        (all(), base("header", "Host"), "header_invalid"),
        (all(), base("basic", "a:b"), "user_invalid"),
    ];
    for (grants, what, code) in refusals {
        assert_eq!(ask(&b, grants, what).await.unwrap_err().code, code);
    }
    assert_eq!(peer.requests().len(), before, "nothing was sent");
}

#[tokio::test]
async fn a_secret_does_not_appear_in_faults_logs_or_receipts() {
    let b = Bench::new();
    let nobody = vec!["127.0.0.1:1".to_owned()];
    let what = json!({ "do": "http", "url": "http://127.0.0.1:1/", "secret": "key", "as": "query", "as_name": "s" });
    let fault = ask(&b, grants(&["http:query"], &nobody, &nobody), what)
        .await
        .unwrap_err();
    assert_eq!(fault.code, "connect_failed");
    assert!(
        !format!("{fault:?}{:?}", b.platform.last()).contains("newest"),
        "{fault:?}"
    );
}

#[tokio::test]
async fn reveal_needs_both_grants() {
    let b = Bench::new();
    let what = || json!({ "do": "reveal", "name": "key" });
    assert_eq!(
        ask(&b, grants(&["mac"], &[], &[]), what()).await.unwrap_err().code,
        "use_not_granted"
    );
    let shown = ask(&b, grants(&["reveal"], &[], &[]), what()).await.unwrap();
    assert_eq!(shown["size"], 6);
    let mut without = grants(&["reveal"], &[], &[]);
    without.interfaces.retain(|i| i != "reveal");
    assert_eq!(ask(&b, without, what()).await.unwrap_err().code, "not_granted");
}

#[tokio::test]
async fn every_version_of_a_rolled_secret_can_be_tried() {
    let b = Bench::new();
    let all = || grants(&["mac:HS256"], &[], &[]);
    let sizes = ask(&b, all(), json!({ "do": "versions", "name": "key" }))
        .await
        .unwrap();
    assert_eq!(sizes["sizes"], json!([6, 9]));
    let tag = |key: &str| {
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, key.as_bytes());
        hex::encode(aws_lc_rs::hmac::sign(&key, b"payload").as_ref())
    };
    let valid = |tag: String| json!({ "do": "mac-any", "name": "key", "data": "payload", "tag": tag });
    for (key, want) in [("newest", true), ("older-one", true), ("forged", false)] {
        assert_eq!(ask(&b, all(), valid(tag(key))).await.unwrap()["valid"], want, "{key}");
    }
    let made = ask(
        &b,
        all(),
        json!({ "do": "mac", "alg": "HS256", "name": "key", "data": "payload" }),
    )
    .await
    .unwrap();
    assert_eq!(made["tag"], json!(tag("newest")));
    for (alg, name, code) in [
        ("HS512", "key", "use_not_granted"),
        ("HS256", "other", "secret_not_found"),
    ] {
        let f = ask(&b, all(), json!({ "do": "mac", "alg": alg, "name": name, "data": "" }))
            .await
            .unwrap_err();
        assert_eq!(f.code, code);
    }
    let f = ask(
        &b,
        grants(&["mac"], &[], &[]),
        json!({ "do": "mac", "alg": "SM3", "name": "key", "data": "" }),
    )
    .await;
    assert_eq!(f.unwrap_err().code, "unsupported_algorithm");
}

#[tokio::test]
async fn keys_of_the_kv_space_are_checked() {
    let b = Bench::new();
    let kv = |op: &str, key: &str, value: &str| json!({ "do": "kv", "op": op, "key": key, "value": value });
    let grants = || all_grants();
    assert_eq!(ask(&b, grants(), kv("put", "a", "1")).await.unwrap()["version"], 1);
    assert_eq!(ask(&b, grants(), kv("get", "a", "")).await.unwrap()["value"], "1");
    let mut once = kv("put", "a", "2");
    once["if_version"] = json!(0);
    assert_eq!(ask(&b, grants(), once).await.unwrap_err().kind, FaultKind::Conflict);
    for bad in ["", "a\0b", "a\nb", &"k".repeat(257)] {
        assert_eq!(
            ask(&b, grants(), kv("put", bad, "1")).await.unwrap_err().code,
            "kv_key_invalid",
            "{bad:?}"
        );
    }
    assert_eq!(
        ask(&b, grants(), kv("big", "a", "")).await.unwrap_err().code,
        "kv_value_too_large"
    );
}
