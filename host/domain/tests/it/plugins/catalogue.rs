//! Installing plugins and enabling them in tenants.

use crate::world::{IDENTITY, PAYMENT, World, command, component, issuer_schema, pointers};
use aistack_core::ProblemKind;
use aistack_domain::plugins::{
    calls::{self},
    catalogue,
    grants::GrantRequest,
    installations::{self, Change},
    trust::Terms,
};
use aistack_store::Page;
use serde_json::json;

#[tokio::test]
async fn a_component_is_installed_once() {
    let w = World::new().await;
    let listed = w.install(IDENTITY, &issuer_schema()).await;
    assert!(listed.config_schema["properties"]["provisioning"].is_object());
    let bytes = component(IDENTITY, &issuer_schema(), &["config"]);
    let again = catalogue::install(&w.app, &w.operator(), &bytes, &Terms::default())
        .await
        .unwrap_err();
    assert_eq!(again.kind, ProblemKind::AlreadyExists);
    assert_eq!(again.extras["plugin"], listed.version.id.to_string());
    // The same version with other content.
    let other = component(IDENTITY, &json!({ "type": "object" }), &["config"]);
    let taken = catalogue::install(&w.app, &w.operator(), &other, &Terms::default())
        .await
        .unwrap_err();
    assert_eq!(taken.kind, ProblemKind::AlreadyExists);
    assert!(taken.detail.contains("other content"));
    assert_eq!(catalogue::list(&w.app, &Page::default()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_can_not_be_held_to_its_word_is_refused() {
    let w = World::new().await;
    let bad_ref = json!({ "$ref": "https://evil.example/x" });
    let claims = json!({ "type": "object", "properties": { "provisioning": {} } });
    for (bytes, reason, detail) in [
        (b"not a component".to_vec(), "not_a_component", ""),
        (component("x", &json!({}), &[]), "wrong_world", ""),
        (component(IDENTITY, &bad_ref, &[]), "manifest", "another document"),
        (component(IDENTITY, &claims, &[]), "manifest", "platform's"),
        (component(IDENTITY, &json!([]), &[]), "manifest", "not an object"),
        (
            component(IDENTITY, &json!({}), &["dial", "reveal"]),
            "manifest",
            "dial, reveal",
        ),
        (
            component(&IDENTITY.replace("provider@1.0", "provider@2.0"), &json!({}), &[]),
            "manifest",
            "contract 2.0",
        ),
        (vec![0; catalogue::MAX_COMPONENT + 1], "too_large", ""),
    ] {
        let p = catalogue::install(&w.app, &w.operator(), &bytes, &Terms::default())
            .await
            .unwrap_err();
        assert_eq!(
            (p.kind, p.extras["reason"].as_str()),
            (ProblemKind::PluginRefused, Some(reason)),
            "{p}"
        );
        assert!(p.detail.contains(detail), "{p}");
    }
    assert!(catalogue::list(&w.app, &Page::default()).await.unwrap().is_empty());
}

#[tokio::test]
async fn config_secrets_and_grants_are_all_checked_before_anything_is_kept() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    w.install(IDENTITY, &issuer_schema()).await;
    for (config, secrets, expected) in [
        (
            json!({}),
            vec![],
            vec!["/config/issuer required", "/secrets/client_secret required"],
        ),
        (
            json!({ "issuer": "ftp://x" }),
            vec![("client_secret", "x")],
            vec!["/config/issuer pattern"],
        ),
        (
            json!({ "issuer": "https://x.example", "x": 1 }),
            vec![("client_secret", "x")],
            vec!["/config/x unknown_member"],
        ),
        (
            json!({ "issuer": "https://x.example", "client_secret": "oops" }),
            vec![("client_secret", "x")],
            vec!["/config/client_secret secret_in_config"],
        ),
        (
            json!({ "issuer": "https://x.example" }),
            vec![("client_secret", "")],
            vec!["/secrets/client_secret too_short"],
        ),
        (
            json!({ "issuer": "https://x.example" }),
            vec![("client_secret", "x"), ("other", "y")],
            vec!["/secrets/other unknown_secret"],
        ),
        (json!("x"), vec![("client_secret", "x")], vec!["/config type"]),
    ] {
        let p = w.enable(&t, "test.idp", config.clone(), &secrets).await.unwrap_err();
        assert_eq!(p.kind, ProblemKind::PluginConfigInvalid, "{config}");
        assert_eq!(pointers(&p), expected, "{config}");
        assert!(!format!("{p:?}").contains("oops"));
    }
    let p = w.enable(&t, "test.nothing", json!({}), &[]).await.unwrap_err();
    assert_eq!(
        (p.kind, pointers(&p)),
        (ProblemKind::ValidationFailed, vec!["/plugin_id not_found".to_owned()])
    );
    let mut without = command(
        "test.idp",
        json!({ "issuer": "https://x.example" }),
        &[("client_secret", "x")],
    );
    without.grants = Some(GrantRequest {
        interfaces: Some(vec!["log".to_owned()]),
        ..GrantRequest::default()
    });
    let p = installations::enable(&w.app, &t, without).await.unwrap_err();
    assert_eq!(pointers(&p), ["/grants/interfaces not_granted"]);
    assert!(
        installations::list(&w.app, &t, &Page::default(), None)
            .await
            .unwrap()
            .is_empty()
    );
    // Nothing refused has claimed the version.
    assert_eq!(
        catalogue::list(&w.app, &Page::default()).await.unwrap()[0].installations,
        0
    );
}

#[tokio::test]
async fn private_hosts_are_opened_by_operators_alone_and_survive_others_changes() {
    let w = World::new().await;
    let op = w.tenant("acme").await;
    let admin = w.admin(&op);
    w.install(IDENTITY, &issuer_schema()).await;
    let mut wanted = command(
        "test.idp",
        json!({ "issuer": "http://127.0.0.1:8080/r" }),
        &[("client_secret", "x")],
    );
    wanted.grants = Some(GrantRequest {
        private_hosts: Some(vec!["127.0.0.1:8080".to_owned()]),
        ..GrantRequest::default()
    });
    let p = installations::enable(&w.app, &admin, wanted.clone()).await.unwrap_err();
    assert_eq!(pointers(&p), ["/grants/private_hosts operator_only"]);
    let made = installations::enable(&w.app, &op, wanted).await.unwrap();
    assert_eq!(made.grants.private_hosts, ["127.0.0.1:8080"]);
    // An administrator narrows something else.
    let change = Change {
        grants: Some(GrantRequest {
            kv_bytes: Some(10),
            ..GrantRequest::default()
        }),
        ..Change::default()
    };
    let after = installations::update(&w.app, &admin, made.id, change).await.unwrap();
    assert_eq!(
        (after.grants.kv_bytes, after.grants.private_hosts),
        (10, vec!["127.0.0.1:8080".to_owned()])
    );
    // An administrator points it elsewhere: the new host is not private.
    let change = Change {
        config: Some(json!({ "issuer": "http://10.0.0.1/r" })),
        ..Change::default()
    };
    let after = installations::update(&w.app, &admin, made.id, change).await.unwrap();
    assert_eq!(after.grants.http_hosts, ["10.0.0.1:80"]);
    assert!(after.grants.private_hosts.is_empty());
}

#[tokio::test]
async fn a_used_version_stays_until_its_last_use_is_gone() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let listed = w.install(PAYMENT, &json!({ "type": "object" })).await;
    let made = w.enable(&t, "test.pay", json!({}), &[("key", "k")]).await.unwrap();
    let id = listed.version.id;
    let p = catalogue::remove(&w.app, &w.operator(), id).await.unwrap_err();
    assert_eq!(
        (p.kind, p.extras["installations"].as_i64()),
        (ProblemKind::Conflict, Some(1))
    );
    installations::delete(&w.app, &t, made.id).await.unwrap();
    catalogue::remove(&w.app, &w.operator(), id).await.unwrap();
    assert_eq!(
        catalogue::get(&w.app, id).await.unwrap_err().kind,
        ProblemKind::NotFound
    );
    assert!(calls::load(&w.app, &t, made.id, None).await.is_err());
}

#[tokio::test]
async fn installed_components_are_callable_again_after_a_restart() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let made = w.till(&t).await;
    let listed = catalogue::list(&w.app, &Page::default()).await.unwrap().remove(0);
    w.app.runtime.forget(&listed.version.digest).await;
    assert!(
        w.app
            .runtime
            .check_grants(&listed.version.digest, &made.grants)
            .is_err()
    );
    let restored = catalogue::restore_all(&w.app).await.unwrap();
    assert_eq!((restored.ready, restored.failed.len()), (1, 0));
    assert!(w.app.runtime.check_grants(&listed.version.digest, &made.grants).is_ok());
    // Bytes that are not what was admitted are not run.
    let row = aistack_store::PluginVersion {
        id: aistack_core::PluginVersionId::new(&*w.clock, &*w.rng),
        version: "9.9.9".to_owned(),
        digest: "ab".repeat(32),
        ..listed.version
    };
    let mut tx = w.app.store.platform().await.unwrap();
    tx.plugins().insert(&row, b"something else").await.unwrap();
    let draft = aistack_domain::audit::Draft::new("plugin.installed", "plugin", row.id);
    let entry = aistack_domain::audit::for_platform(&w.app, &w.operator(), draft);
    tx.commit(aistack_store::Audit::one(entry)).await.unwrap();
    let restored = catalogue::restore_all(&w.app).await.unwrap();
    assert_eq!((restored.ready, restored.failed.len()), (1, 1));
}
