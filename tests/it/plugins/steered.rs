//! Lines 37, 38 and 40 of the hostile list through the API: the real binary, a component that does what its config says,
//! another tenant beside it whose calls go on.

use super::{Stage, another_version, dist};
use aistack_tests::{actor::Actor, host::Store, upstream::Upstream};
use bytes::Bytes;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{task::JoinSet, time::Instant};

/// Installs the steered component, and a second version of it; the version's id of each.
pub(super) async fn steered(stage: &Stage) -> [Value; 2] {
    let one = dist("hostile", "steered");
    let two = another_version(one.clone(), "1.0.0", "2.0.0");
    let mut made = Vec::new();
    for component in [one, two] {
        made.push(stage.operator.install_plugin(component).await.unwrap().ok(201).unwrap());
    }
    made.try_into().unwrap()
}

/// Enables version 1 of it and answers the path of the installation.
pub(super) async fn enabled(owner: &Actor, config: Value) -> String {
    let body = json!({ "plugin_id": "test.steered", "version": "1.0.0", "name": "Steered", "config": config });
    let made = owner
        .post("/api/v1/installations", body)
        .await
        .unwrap()
        .ok(201)
        .unwrap();
    format!("/api/v1/installations/{}", made["id"].as_str().unwrap())
}

async fn check(owner: &Actor, path: &str) -> u16 {
    owner
        .post(&format!("{path}/check"), json!({ "deep": false }))
        .await
        .unwrap()
        .status
}

/// Calls of a good tenant while `work` runs: none fails.
async fn with_good_neighbour(neighbour: (&Actor, &str), work: impl Future<Output = ()>) {
    let (owner, path) = neighbour;
    let calls = async {
        let mut calls = 0u32;
        loop {
            assert_eq!(check(owner, path).await, 200, "a good tenant's call fails");
            calls += 1;
            tokio::time::sleep(Duration::from_millis(10)).await;
            if calls == u32::MAX {
                break;
            }
        }
    };
    tokio::select! {
        () = work => {}
        () = calls => {}
    }
    assert_eq!(check(owner, path).await, 200);
}

/// The newest receipt of a payment; the plugin's job leaves others.
async fn last_create(owner: &Actor, path: &str) -> Value {
    let calls = owner.all(&format!("{path}/calls")).await.unwrap();
    calls.into_iter().find(|c| c["operation"] == "payments.create").unwrap()
}

async fn order(owner: &Actor, path: &str) -> String {
    let installation = path.rsplit('/').next().unwrap();
    let body =
        json!({ "amount": { "minor": 100, "currency": "USD" }, "description": "x", "installation": installation });
    let made = owner.post("/api/v1/orders", body).await.unwrap().ok(201).unwrap();
    format!("/api/v1/orders/{}/pay", made["id"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_37_a_hundred_calls_in_flight_see_swap_rollback_and_uninstall() {
    let stage = Stage::set(Store::Sqlite).await;
    steered(&stage).await;
    let good = stage.tenant("good").await;
    let neighbour = enabled(&good, json!({})).await;
    let slow = json!({ "check_ms": 2_000 });
    let mut parties = Vec::new();
    for slug in ["swapped", "rolled", "removed", "switched-off"] {
        let owner = stage.tenant(slug).await;
        let path = enabled(&owner, slow.clone()).await;
        parties.push((owner, path));
    }
    let [swapped, rolled, removed, off] = parties.as_slice() else {
        unreachable!("four of them");
    };
    // One of them has somewhere to go back to.
    let two = json!({ "version": "2.0.0" });
    rolled.0.patch(&rolled.1, two.clone()).await.unwrap().ok(200).unwrap();
    with_good_neighbour((&good, &neighbour), async {
        let mut flights: Vec<JoinSet<u16>> = Vec::new();
        for (actor, path) in &parties {
            let mut flight = JoinSet::new();
            for _ in 0..25 {
                let (actor, path) = (actor.clone(), path.clone());
                flight.spawn(async move { check(&actor, &path).await });
            }
            flights.push(flight);
        }
        // They have begun and none has ended.
        tokio::time::sleep(Duration::from_millis(900)).await;
        let began = Instant::now();
        swapped.0.patch(&swapped.1, two).await.unwrap().ok(200).unwrap();
        let back = format!("{}/rollback", rolled.1);
        rolled.0.post(&back, json!({})).await.unwrap().ok(200).unwrap();
        removed.0.delete(&removed.1).await.unwrap().ok(204).unwrap();
        let disabled = json!({ "status": "disabled" });
        off.0.patch(&off.1, disabled).await.unwrap().ok(200).unwrap();
        let mut ended = Vec::new();
        for flight in flights {
            ended.push(flight.join_all().await);
        }
        assert!(began.elapsed() < Duration::from_secs(20));
        for finishes in &ended[..2] {
            assert!(
                finishes.iter().all(|s| *s == 200),
                "calls finish on what they began with: {finishes:?}"
            );
        }
        for cut in &ended[2..] {
            // A clean answer each, and not a success of something that is gone.
            assert!(cut.iter().all(|s| matches!(s, 404 | 502 | 503)), "{cut:?}");
        }
    })
    .await;
    for ((owner, path), version) in [(swapped, "2.0.0"), (rolled, "1.0.0")] {
        let now = owner.get(path).await.unwrap().ok(200).unwrap();
        assert_eq!(now["version"], version);
        assert_eq!(check(owner, path).await, 200);
    }
    assert_eq!(removed.0.get(&removed.1).await.unwrap().status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_38_a_migrate_that_loses_config_changes_nothing() {
    let stage = Stage::set(Store::Sqlite).await;
    steered(&stage).await;
    let owner = &stage.owner;
    let good = stage.tenant("good").await;
    let neighbour = enabled(&good, json!({})).await;
    with_good_neighbour((&good, &neighbour), async {
        let path = enabled(owner, json!({ "migrate": "lose", "note": "mine" })).await;
        let before = owner.get(&path).await.unwrap().ok(200).unwrap();
        let upgrade = json!({ "version": "2.0.0" });
        let refused = owner.patch(&path, upgrade.clone()).await.unwrap();
        let problem = refused.problem(422, "plugin_config_invalid").unwrap();
        assert_eq!(problem["reason"], "migrate_lost_config");
        let lost: Vec<_> = problem["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| &e["pointer"])
            .collect();
        assert_eq!(lost, ["/config/migrate", "/config/note"]);
        assert!(problem["errors"][0]["hint"].is_string());
        let after = owner.get(&path).await.unwrap().ok(200).unwrap();
        for same in ["version", "config", "generation", "grants"] {
            assert_eq!(after[same], before[same], "{same}");
        }
        // Neither can a release take it along.
        let release = json!({ "to": "2.0.0", "mode": "canary", "share": "100%" });
        let started = stage
            .operator
            .post("/api/v1/plugins/test.steered/releases", release)
            .await
            .unwrap();
        let started = started.ok(201).unwrap();
        let checked = owner
            .post(&format!("{path}/check"), json!({}))
            .await
            .unwrap()
            .ok(200)
            .unwrap();
        assert_eq!(checked["findings"][0]["message"], "mine");
        let end = format!(
            "/api/v1/plugins/test.steered/releases/{}/cancel",
            started["id"].as_str().unwrap()
        );
        stage.operator.post(&end, json!({})).await.unwrap().ok(200).unwrap();
        // Whoever sends the whole config gets there.
        let meant = json!({ "version": "2.0.0", "config": { "note": "sent" } });
        let moved = owner.patch(&path, meant).await.unwrap().ok(200).unwrap();
        assert_eq!(
            (&moved["version"], &moved["config"]["note"]),
            (&json!("2.0.0"), &json!("sent"))
        );
        // A fault of the translation is told as such.
        let path = enabled(owner, json!({ "migrate": "fail" })).await;
        let failed = owner.patch(&path, upgrade).await.unwrap();
        assert_eq!(
            failed.problem(422, "plugin_config_invalid").unwrap()["reason"],
            "migrate_failed"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_40_a_tenants_budget_used_up_in_mid_call_is_a_clean_refusal() {
    let peer = Upstream::start_with(|_| http::Response::new(Bytes::from(vec![b'x'; 100_000])))
        .await
        .unwrap();
    let stage = Stage::set(Store::Sqlite).await;
    steered(&stage).await;
    let good = stage.tenant("good").await;
    let neighbour = enabled(&good, json!({})).await;
    let owner = &stage.owner;
    with_good_neighbour((&good, &neighbour), async {
        let host = peer
            .url()
            .trim_start_matches("http://")
            .trim_end_matches('/')
            .to_owned();
        let greedy = enabled(owner, json!({ "create": "fetch", "host": host })).await;
        let terms = "/api/v1/tenants/acme/plugin-terms";
        let set = json!({ "egress_bytes_per_day": 350_000 });
        stage.operator.put(terms, set).await.unwrap().ok(200).unwrap();
        let pay = order(owner, &greedy).await;
        let refused = owner.post(&pay, json!({})).await.unwrap();
        let problem = refused.problem(429, "rate_limited").unwrap();
        assert_eq!(
            (&problem["reason"], &problem["fault"]),
            (&json!("tenant_egress_exceeded"), &json!("tenant_egress_exceeded"))
        );
        let wait: u64 = refused.header("retry-after").parse().unwrap();
        assert!((1..=86_400).contains(&wait), "{wait}");
        assert!(problem["hint"].is_string());
        // A receipt in any case, and an order that can still be paid.
        let last = last_create(owner, &greedy).await;
        assert_eq!(
            (&last["outcome"], &last["code"]),
            (&json!("limit"), &json!("tenant_egress_exceeded")),
            "{last}"
        );
        assert!(last["bytes_in"].as_u64().unwrap() >= 350_000 && last["bytes_in"].as_u64().unwrap() < 600_000);
        let order = owner.get(pay.trim_end_matches("/pay")).await.unwrap().ok(200).unwrap();
        assert_eq!(order["status"], "draft");
        // Now nothing of this tenant begins any more: that is said before anything is sent.
        let again = owner.post(&pay, json!({})).await.unwrap();
        again.problem(429, "rate_limited").unwrap();
        let last = last_create(owner, &greedy).await;
        assert_eq!((&last["outcome"], &last["bytes_out"]), (&json!("refused"), &json!(0)));
        let budget = owner.get("/api/v1/plugins/budget").await.unwrap().ok(200).unwrap();
        assert_eq!(budget["terms"]["egress_bytes_per_day"], 350_000);
        assert!(budget["egress_bytes"].as_u64().unwrap() >= 350_000);

        // Processor time: the guest that computes without end is ended when its tenant's minute is used up.
        let set = json!({ "cpu_ms_per_minute": 300 });
        stage.operator.put(terms, set).await.unwrap().ok(200).unwrap();
        let spinner = enabled(owner, json!({ "create": "spin" })).await;
        let pay = self::order(owner, &spinner).await;
        let began = Instant::now();
        let refused = owner.post(&pay, json!({})).await.unwrap();
        assert_eq!(
            refused.problem(429, "rate_limited").unwrap()["reason"],
            "tenant_cpu_exceeded"
        );
        assert!(
            began.elapsed() < Duration::from_secs(4),
            "long before the call's own five seconds"
        );
        assert!(refused.header("retry-after").parse::<u64>().unwrap() <= 60);

        // Calls per second.
        let set = json!({ "calls_per_second": 2 });
        stage.operator.put(terms, set).await.unwrap().ok(200).unwrap();
        let calm = enabled(owner, json!({})).await;
        let mut seen = Vec::new();
        for _ in 0..24 {
            seen.push(check(owner, &calm).await);
        }
        assert!(seen[..4].iter().all(|s| *s == 200) && seen.contains(&429), "{seen:?}");
        stage.operator.delete(terms).await.unwrap().ok(204).unwrap();
        assert_eq!(check(owner, &calm).await, 200);
    })
    .await;
}
