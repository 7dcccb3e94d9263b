//! Upgrades, consent, trust, quarantine and what is seen of calls, over HTTP. The runtime is a stand-in.

use crate::{
    stand_in::StandIn,
    support::{Actor, Answer, Platform},
};
use http::Method;
use serde_json::{Value, json};
use std::sync::Arc;

fn manifest(version: &str, more: &str) -> String {
    format!(
        "id = \"test.pay\"\nversion = \"{version}\"\nworld = \"aistack:payment/payment-provider@1.0\"\npublisher = \"test\"\n\
         name = {{ en = \"Pay\" }}\n{more}\n[[endpoint]]\nname = \"notify\"\n"
    )
}

async fn upload(by: &mut Actor, query: &str, version: &str, more: &str) -> Answer {
    let component = json!({ "manifest": manifest(version, more), "schema": { "type": "object" } });
    let bytes = component.to_string().into_bytes();
    by.send(
        Method::POST,
        &format!("/api/v1/plugins{query}"),
        Some("application/wasm"),
        bytes,
    )
    .await
}

async fn stage() -> (Platform, Actor, Actor, String) {
    let p = Platform::with(Arc::new(StandIn)).await;
    let mut operator = p.first_operator().await;
    let mut owner = p.tenant(&mut operator, "acme").await;
    upload(&mut operator, "", "1.0.0", "").await.ok(201);
    let body = json!({ "plugin_id": "test.pay", "name": "Till", "config": {} });
    let made = owner.post("/api/v1/installations", body).await.ok(201);
    let path = format!("/api/v1/installations/{}", made["id"].as_str().unwrap());
    (p, operator, owner, path)
}

#[tokio::test]
async fn a_change_that_asks_for_more_waits_is_agreed_to_and_goes_back() {
    let (_p, mut operator, mut owner, path) = stage().await;
    let more = "[[egress]]\nkind = \"http\"\nhosts = [\"api.pay.example\"]";
    upload(&mut operator, "", "2.0.0", more).await.ok(201);
    let refused = owner.patch(&path, json!({ "version": "2.0.0" })).await;
    assert_eq!(refused.problem(), (409, "conflict"));
    assert_eq!(
        (&refused.body["reason"], refused.body["hint"].is_string()),
        (&json!("consent_needed"), true)
    );
    assert_eq!(refused.body["added"]["http_hosts"], json!(["api.pay.example:443"]));
    let digest = refused.body["added_digest"].clone();
    let waits = owner
        .patch(&path, json!({ "version": "2.0.0", "when_consented": true }))
        .await
        .ok(200);
    assert_eq!(
        (&waits["version"], &waits["pending"]["added_digest"]),
        (&json!("1.0.0"), &digest)
    );
    let consent = format!("{path}/consent");
    let wrong = owner.post(&consent, json!({ "added_digest": "00" })).await;
    assert_eq!(wrong.body["reason"], "consent_needed");
    let after = owner.post(&consent, json!({ "added_digest": digest })).await.ok(200);
    assert_eq!(
        (&after["version"], &after["previous_version"]),
        (&json!("2.0.0"), &json!("1.0.0"))
    );
    assert!(after.get("pending").is_none());
    assert_eq!(
        owner.post(&consent, json!({ "added_digest": digest })).await.body["reason"],
        "nothing_pending"
    );
    let back = owner.post(&format!("{path}/rollback"), json!({})).await.ok(200);
    assert_eq!(
        (&back["version"], &back["grants"]["http_hosts"]),
        (&json!("1.0.0"), &json!([]))
    );
    let pinned = owner.patch(&path, json!({ "pinned": true })).await.ok(200);
    assert_eq!(
        (&pinned["pinned"], pinned["generation"].as_i64()),
        (&json!(true), Some(5))
    );
}

#[tokio::test]
async fn operators_say_whose_plugins_are_taken() {
    let (_p, mut operator, mut owner, path) = stage().await;
    let key = json!({ "publisher": "test", "public_key": "07".repeat(32), "tier": "verified", "note": "by phone" });
    assert_eq!(owner.post("/api/v1/publishers", key.clone()).await.problem().0, 404);
    let added = operator.post("/api/v1/publishers", key).await.ok(201);
    let bad = json!({ "publisher": "Test!", "public_key": "x" });
    let bad = operator.post("/api/v1/publishers", bad).await;
    assert_eq!(bad.problem(), (422, "validation_failed"));
    assert_eq!(bad.pointers(), ["/publisher", "/public_key"]);
    assert!(bad.body["errors"][1]["hint"].is_string());
    let revoke = format!("/api/v1/publishers/{}", added["key_id"].as_str().unwrap());
    operator.delete(&revoke).await.ok(204);
    let all = operator.get("/api/v1/publishers").await.ok(200);
    assert_eq!(
        (&all["trust"], all["items"][0]["revoked_at"].is_string()),
        (&json!("development"), true)
    );
    let bytes = json!({ "min_tier": "community" }).to_string().into_bytes();
    let trust = "/api/v1/tenants/acme/plugin-trust";
    operator
        .send(Method::PUT, trust, Some("application/json"), bytes)
        .await
        .ok(200);
    assert_eq!(operator.get(trust).await.ok(200)["min_tier"], "community");
    upload(&mut operator, "", "2.0.0", "").await.ok(201);
    let unsigned = owner.patch(&path, json!({ "version": "2.0.0" })).await;
    assert_eq!(unsigned.problem(), (422, "plugin_refused"));
    assert_eq!(unsigned.body["reason"], "unsigned");
    let other = upload(&mut operator, "?digest=sha256:00", "3.0.0", "").await;
    assert_eq!(
        (other.problem(), &other.body["reason"]),
        ((422, "plugin_refused"), &json!("digest_mismatch"))
    );
    let wrong = upload(&mut operator, "", "3.0.0", "[[egres]]\nkind = \"http\"").await;
    assert_eq!(
        (&wrong.body["reason"], &wrong.body["errors"][0]["pointer"]),
        (&json!("manifest"), &json!("/egres"))
    );
    assert_eq!(
        (
            &wrong.body["errors"][0]["line"],
            wrong.body["errors"][0]["hint"].is_string()
        ),
        (&json!(6), true)
    );
}

#[tokio::test]
async fn a_quarantine_reaches_tenants_and_is_lifted() {
    let (_p, mut operator, mut owner, path) = stage().await;
    let plugins = operator.get("/api/v1/plugins").await.ok(200);
    let id = plugins["items"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        (&plugins["items"][0]["tier"], &plugins["items"][0]["quarantined"]),
        (&json!("unsigned"), &Value::Null)
    );
    let quarantine = format!("/api/v1/plugins/{id}/quarantine");
    let held = operator
        .post(&quarantine, json!({ "reason": "it leaks" }))
        .await
        .ok(200);
    assert_eq!(held["quarantined"], "it leaks");
    let check = format!("{path}/check");
    let refused = owner.post(&check, json!({})).await;
    assert_eq!(refused.body["reason"], "quarantined");
    operator
        .post(&format!("/api/v1/plugins/{id}/release-quarantine"), json!({}))
        .await
        .ok(200);
    owner.post(&check, json!({})).await.ok(200);
}

#[tokio::test]
async fn what_is_asked_about_calls_is_checked() {
    let (_p, mut operator, mut owner, path) = stage().await;
    let none = format!("{path}/calls/call_0198c6a0-0000-7000-8000-000000000000");
    assert_eq!(owner.get(&none).await.problem().0, 404);
    assert_eq!(
        owner.get(&format!("{path}/logs?level=loud")).await.problem(),
        (422, "validation_failed")
    );
    let top = operator
        .get("/api/v1/platform/plugins/top?by=errors&window=1h")
        .await
        .ok(200);
    assert_eq!(top["items"], json!([]));
    let wrong = operator.get("/api/v1/platform/plugins/top?window=2d").await;
    assert_eq!(wrong.pointers(), ["/window"]);
    assert_eq!(owner.get("/api/v1/platform/plugins/top").await.problem().0, 404);
}
