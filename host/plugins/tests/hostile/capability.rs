//! Lines 17 to 20: reaching for what was not given.

use super::{fate, stranger, with_good_neighbour};
use crate::{dialling::directory, harness::*, peer::*};
use aistack_domain::plugins::port::*;
use serde_json::{Value, json};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_17_files_and_sockets_are_refused_with_the_list() {
    let b = Bench::new();
    with_good_neighbour(&b, async {
        let Err(Refusal::UnknownImports(list)) = b.host.admit(&component("files")).await else {
            panic!("must be refused");
        };
        for wanted in [
            "wasi:filesystem/types@",
            "wasi:filesystem/preopens@",
            "wasi:sockets/tcp@",
        ] {
            assert!(list.iter().any(|i| i.starts_with(wanted)), "{wanted} in {list:?}");
        }
        assert!(
            list.iter()
                .all(|i| !i.starts_with("wasi:io") && !i.starts_with("aistack:")),
            "{list:?}"
        );
    })
    .await;
}

/// Runs acts one after the other and changes what is granted meanwhile; what became of each.
async fn meanwhile(b: &Bench, before: Grants, acts: Value, after: impl FnOnce(&mut Grants)) -> Vec<Value> {
    let mut inv = stranger(b).await;
    inv.powers = powers(before.clone());
    let live = Arc::clone(&inv.powers);
    let mut changed = before;
    after(&mut changed);
    let call = b.ask(inv, json!({ "do": "each", "all": acts }));
    let change = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        live.change(Arc::new(changed));
    };
    let (done, ()) = tokio::join!(call, change);
    done.unwrap()["each"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_18_a_grant_taken_away_is_gone_for_calls_in_flight() {
    let b = Bench::new();
    let peer = Peer::new(&[]).await;
    let dir = directory("tls").await;
    let target = format!("127.0.0.1:{}", dir.port);
    let all = Grants {
        private_hosts: vec![peer.host(), target.clone()],
        dial_targets: vec![target.clone()],
        ..all_grants()
    };
    let nap = || json!({ "do": "sleep", "ms": 600 });
    let http = || json!({ "do": "http", "url": peer.url("/") });
    let kv = || json!({ "do": "kv", "op": "put", "key": "a", "value": "1" });
    let mac = || json!({ "do": "mac", "alg": "HS256", "name": "key", "data": "x" });
    with_good_neighbour(&b, async {
        let lose = |interface: &'static str| move |g: &mut Grants| g.interfaces.retain(|i| i != interface);
        for (act, interface) in [(http(), "http"), (kv(), "kv"), (mac(), "crypto"), (mac(), "secrets")] {
            let became = meanwhile(&b, all.clone(), json!([act, nap(), act]), lose(interface)).await;
            assert_eq!(became[0]["fault"], Value::Null, "{interface}: {became:?}");
            assert_eq!(became[2]["fault"], "grant_revoked", "{interface}");
        }
        let became = meanwhile(&b, all.clone(), json!([http(), nap(), http()]), |g| g.private_hosts.clear()).await;
        assert_eq!(became[2]["fault"], "host_not_granted");
        let became = meanwhile(&b, all.clone(), json!([mac(), nap(), mac()]), |g| g.secrets.clear()).await;
        assert_eq!(became[2]["fault"], "use_not_granted");

        // An open socket is cut when its target is gone.
        let talk = json!({ "do": "dial", "host": "127.0.0.1", "port": dir.port, "tls": "direct", "ca": dir.ca,
            "steps": [{ "do": "write", "text": "a" }, { "do": "read" }, { "do": "pause" }, { "do": "write", "text": "b" }] });
        let became = meanwhile(&b, all.clone(), json!([talk.clone()]), |g| g.dial_targets.clear()).await;
        assert_eq!(became[0]["fault"], "grant_revoked");
        let became = meanwhile(&b, all.clone(), json!([talk]), |_| {}).await;
        assert_eq!(became[0]["heard"], json!(["[a]"]), "otherwise it stays open");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_18_an_installation_switched_off_ends_its_calls() {
    let peer = Peer::new(&[("/slow", "slow")]).await;
    let b = Bench::new();
    with_good_neighbour(&b, async {
        let post = json!({ "do": "http", "method": "POST", "url": peer.url("/slow") });
        for (what, unknown) in [
            (json!({ "do": "spin" }), false),
            (json!({ "do": "sleep", "ms": 20_000 }), false),
            (post, true),
        ] {
            let mut inv = stranger(&b).await;
            inv.limits.cpu = Duration::from_secs(20);
            inv.limits.wall = Duration::from_secs(30);
            inv.powers = powers(Grants {
                private_hosts: vec![peer.host()],
                ..all_grants()
            });
            let (live, next) = (Arc::clone(&inv.powers), inv.clone());
            let end = async {
                tokio::time::sleep(Duration::from_millis(200)).await;
                live.end("disabled");
                Instant::now()
            };
            let (done, ended) = tokio::join!(b.ask(inv, what.clone()), end);
            let fault = done.unwrap_err();
            assert_eq!(
                (fault.kind, fault.code.as_str()),
                (FaultKind::Denied, "disabled"),
                "{what}"
            );
            assert_eq!(fault.outcome_unknown, unknown, "{what}");
            assert!(ended.elapsed() < Duration::from_secs(5), "{what}");
            assert_eq!(b.platform.last().outcome, CallOutcome::Refused);
            assert_eq!(
                b.ask(next, json!({ "do": "count" })).await.unwrap_err().code,
                "disabled",
                "nor does another start"
            );
        }
    })
    .await;
    assert_eq!(b.host.pool().instances, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_19_exit_environment_and_arguments_lead_nowhere() {
    let b = Bench::new();
    with_good_neighbour(&b, async {
        let (env, _) = fate(&b, json!({ "do": "env" }), |_| {}).await;
        assert_eq!(env.unwrap(), json!({ "vars": 0, "args": 0, "stdin": "" }));
        let (exit, receipt) = fate(&b, json!({ "do": "exit" }), |_| {}).await;
        assert_eq!(
            (exit.unwrap_err().code.as_str(), receipt.outcome),
            ("exit", CallOutcome::Trap)
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_20_names_lead_into_no_other_space() {
    let b = Bench::new();
    let other = Arc::<Platform>::default();
    with_good_neighbour(&b, async {
        // Whoever the guest claims to be, its services are those of its call.
        let put = |key: &str| json!({ "do": "kv", "op": "put", "key": key, "value": "mine" });
        let odd = [
            "../other",
            "ten_00000000000000000000000000000002/secret",
            "a/../../b",
            "%2e%2e%2f",
            // Composed and decomposed: two keys, not one.
            "\u{e9}",
            "e\u{301}",
            "\u{202e}x",
        ];
        for key in odd {
            let mut inv = stranger(&b).await;
            inv.services = services(&other);
            assert_eq!(b.ask(inv, put(key)).await.unwrap()["version"], 1, "{key:?}");
        }
        assert_eq!(other.kv.lock().unwrap().len(), odd.len());
        assert!(
            b.platform.kv.lock().unwrap().is_empty(),
            "nothing arrived anywhere else"
        );
        for key in ["", "a\0b", "a\nb", "\u{7f}", &"k".repeat(257)] {
            let (done, _) = fate(&b, put(key), |_| {}).await;
            assert_eq!(done.unwrap_err().code, "kv_key_invalid", "{key:?}");
        }
        let what = json!({ "do": "context", "tenant": "ten_00000000000000000000000000000002" });
        let mut inv = stranger(&b).await;
        inv.limits.cpu = Duration::from_secs(1);
        let tenant = inv.tenant.to_string();
        assert_eq!(b.ask(inv, what).await.unwrap()["tenant"], tenant);
    })
    .await;
}
