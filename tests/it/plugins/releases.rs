//! New versions on trial on a running platform, the ceilings over what plugins may do, and what they do by the clock.

use super::{
    Stage,
    steered::{enabled, steered},
};
use aistack_tests::host::Store;
use serde_json::{Value, json};
use std::time::Duration;

const RELEASES: &str = "/api/v1/plugins/test.steered/releases";

async fn said(stage: &Stage, path: &str) -> String {
    let answer = stage
        .owner
        .post(&format!("{path}/check"), json!({}))
        .await
        .unwrap()
        .ok(200)
        .unwrap();
    answer["findings"][0]["message"].as_str().unwrap().to_owned()
}

/// Waits until an installation is at a version.
async fn becomes(stage: &Stage, path: &str, version: &str) -> Value {
    for _ in 0..200 {
        let now = stage.owner.get(path).await.unwrap().ok(200).unwrap();
        if now["version"] == version {
            return now;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{path} does not become {version}");
}

async fn act(stage: &Stage, release: &Value, what: &str) -> Value {
    let path = format!("{RELEASES}/{}/{what}", release["id"].as_str().unwrap());
    stage.operator.post(&path, json!({})).await.unwrap().ok(200).unwrap()
}

#[tokio::test]
async fn a_version_is_tried_promoted_and_taken_back_on_sqlite() {
    tried(Store::Sqlite).await;
}

#[tokio::test]
async fn a_version_is_tried_promoted_and_taken_back_on_postgres() {
    tried(Store::Postgres).await;
}

async fn tried(store: Store) {
    let stage = Stage::set(store).await;
    steered(&stage).await;
    // The candidate's translation of the config says so, which tells the versions apart.
    let path = enabled(&stage.owner, json!({ "migrate": "note" })).await;
    let start = async |body: Value| stage.operator.post(RELEASES, body).await.unwrap();
    assert_eq!(said(&stage, &path).await, "fine");

    let shadow = start(json!({ "to": "2.0.0", "mode": "shadow" })).await.ok(201).unwrap();
    assert_eq!(said(&stage, &path).await, "fine", "a shadow answers nobody");
    let diffs = format!("{RELEASES}/{}/diffs", shadow["id"].as_str().unwrap());
    let diffs = stage.operator.get(&diffs).await.unwrap().ok(200).unwrap();
    let diff = &diffs["items"][0];
    assert_eq!(
        (&diff["tenant"], &diff["operation"]),
        (&json!("acme"), &json!("lifecycle.check"))
    );
    assert_eq!(
        (&diff["was"][0]["message"], &diff["would"][0]["message"]),
        (&json!("fine"), &json!("from 1.0.0"))
    );
    start(json!({ "to": "2.0.0", "mode": "canary", "share": "5%" }))
        .await
        .problem(409, "conflict")
        .unwrap();
    assert_eq!(act(&stage, &shadow, "cancel").await["state"], "cancelled");

    let bad = start(json!({ "to": "2.0.0", "mode": "canary", "share": "5 of 100" })).await;
    assert_eq!(
        bad.problem(422, "validation_failed").unwrap()["errors"][0]["pointer"],
        "/share"
    );
    let canary = json!({ "to": "2.0.0", "mode": "canary", "by": "calls", "share": "50%" });
    let canary = start(canary).await.ok(201).unwrap();
    let mut new = 0;
    for _ in 0..60 {
        new += u64::from(said(&stage, &path).await == "from 1.0.0");
    }
    assert!((10..50).contains(&new), "{new} of 60 at half");
    let seen = stage
        .operator
        .get(&format!("{RELEASES}/{}", canary["id"].as_str().unwrap()))
        .await
        .unwrap();
    let seen = seen.ok(200).unwrap();
    // Its translation of the config was a call too.
    let counted = seen["candidate"]["calls"].as_u64().unwrap();
    assert!((new..new + 5).contains(&counted), "{seen}");
    act(&stage, &canary, "rollback").await;
    assert_eq!(said(&stage, &path).await, "fine");

    let all = start(json!({ "to": "2.0.0", "mode": "all" })).await.ok(201).unwrap();
    assert_eq!(all["state"], "promoted");
    let now = becomes(&stage, &path, "2.0.0").await;
    assert_eq!(
        (&now["previous_version"], &now["config"]["note"]),
        (&json!("1.0.0"), &json!("from 1.0.0"))
    );
    act(&stage, &all, "rollback").await;
    let back = becomes(&stage, &path, "1.0.0").await;
    assert_eq!(back["config"], json!({ "migrate": "note" }));
    let log = stage.owner.all("/api/v1/audit-events").await.unwrap();
    let actions: Vec<_> = log.iter().filter_map(|e| e["action"].as_str()).collect();
    assert!(
        actions.contains(&"installation.upgraded") && actions.contains(&"installation.rolled_back"),
        "{actions:?}"
    );
}

#[tokio::test]
async fn a_candidate_that_crashes_is_taken_back_by_itself() {
    let stage = Stage::set(Store::Sqlite).await;
    steered(&stage).await;
    let path = enabled(&stage.owner, json!({ "create": "trap", "note": "x" })).await;
    let body = json!({ "to": "2.0.0", "mode": "canary", "share": "100%", "min_calls": 4 });
    let release = stage.operator.post(RELEASES, body).await.unwrap().ok(201).unwrap();
    for _ in 0..4 {
        assert_eq!(
            stage
                .owner
                .post(&format!("{path}/check"), json!({}))
                .await
                .unwrap()
                .status,
            502
        );
    }
    let one = format!("{RELEASES}/{}", release["id"].as_str().unwrap());
    let mut now = Value::Null;
    for _ in 0..100 {
        now = stage.operator.get(&one).await.unwrap().ok(200).unwrap();
        if now["state"] != "running" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(now["state"], "rolled_back", "{now}");
    assert!(now["reason"].as_str().unwrap().contains("calls failed"), "{now}");
}

#[tokio::test]
async fn operators_bound_what_plugins_do_and_plugins_work_by_the_clock() {
    let stage = Stage::set(Store::Sqlite).await;
    steered(&stage).await;
    let path = enabled(&stage.owner, json!({ "host": "pay.example" })).await;
    // The job ran when the plugin was enabled, three pages at once.
    let mut runs = 0;
    for _ in 0..200 {
        let calls = stage.owner.all(&format!("{path}/calls")).await.unwrap();
        runs = calls
            .iter()
            .filter(|c| c["operation"] == "jobs.start" && c["outcome"] == "ok")
            .count();
        if runs == 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(runs, 3);
    let log = stage.owner.all("/api/v1/audit-events").await.unwrap();
    let applied = log.iter().filter(|e| e["action"] == "webhook.applied").count();
    assert_eq!(applied, 3, "each event once");

    let ceiling = "/api/v1/plugins/test.steered/ceiling";
    let set = json!({ "grants": { "http_hosts": ["*.other.example"] } });
    stage.operator.put(ceiling, set).await.unwrap().ok(200).unwrap();
    let now = stage.owner.get(&path).await.unwrap().ok(200).unwrap();
    assert_eq!(
        (&now["effective_grants"]["http_hosts"], &now["grants"]["http_hosts"]),
        (&json!([]), &json!(["pay.example:443"]))
    );
    assert_eq!(
        now["cuts"],
        json!([{ "kind": "http_hosts", "what": "pay.example:443", "by": "operator" }])
    );
    stage
        .owner
        .put(ceiling, json!({}))
        .await
        .unwrap()
        .problem(404, "not_found")
        .unwrap();
    let forbid = json!({ "allowed": false });
    let of_tenant = "/api/v1/tenants/acme/plugins/test.steered/ceiling";
    stage.operator.put(of_tenant, forbid).await.unwrap().ok(200).unwrap();
    let refused = stage.owner.post(&format!("{path}/check"), json!({})).await.unwrap();
    assert_eq!(
        refused.problem(503, "plugin_unavailable").unwrap()["reason"],
        "not_allowed"
    );
    stage.operator.delete(of_tenant).await.unwrap().ok(204).unwrap();
    said(&stage, &path).await;

    // Published to whoever asks, and safe to be shown.
    let visitor = stage.host.tenant_visitor("acme");
    let found = visitor.get(&format!("{path}/documents/metadata.xml")).await.unwrap();
    assert_eq!(
        (found.status, found.header("content-type"), found.body.as_str()),
        (200, "application/xml", "<metadata/>")
    );
    assert_eq!(
        (found.header("cache-control"), found.header("x-content-type-options")),
        ("public, max-age=60", "nosniff")
    );
    visitor
        .get(&format!("{path}/documents/none"))
        .await
        .unwrap()
        .problem(404, "not_found")
        .unwrap();
    visitor
        .get(&format!("{path}/documents/huge"))
        .await
        .unwrap()
        .problem(502, "plugin_failed")
        .unwrap();
}
