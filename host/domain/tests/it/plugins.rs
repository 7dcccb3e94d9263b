//! Installing plugins and enabling them in tenants.

use crate::world::{IDENTITY, PAYMENT, World, command, component, issuer_schema, pointers};
use aistack_core::ProblemKind;
use aistack_domain::plugins::{
    calls::{self},
    catalogue, flush_receipts,
    grants::GrantRequest,
    installations::{self, Change},
    manifest::CallClass,
    port::*,
};
use aistack_store::{InstallationStatus, Page};
use secrecy::ExposeSecret;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn a_component_is_installed_once() {
    let w = World::new().await;
    let listed = w.install(IDENTITY, &issuer_schema()).await;
    assert!(listed.config_schema["properties"]["provisioning"].is_object());
    let bytes = component(IDENTITY, &issuer_schema(), &["config"]);
    let again = catalogue::install(&w.app, &w.operator(), &bytes).await.unwrap_err();
    assert_eq!(again.kind, ProblemKind::AlreadyExists);
    assert_eq!(again.extras["plugin"], listed.version.id.to_string());
    // The same version with other content.
    let other = component(IDENTITY, &json!({ "type": "object" }), &["config"]);
    let taken = catalogue::install(&w.app, &w.operator(), &other).await.unwrap_err();
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
        let p = catalogue::install(&w.app, &w.operator(), &bytes).await.unwrap_err();
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
    let key = aistack_domain::port::ObjectKey::platform(&["plugins", &listed.version.digest]).unwrap();
    aistack_domain::port::put_object(&*w.app.objects, &key, b"something else")
        .await
        .unwrap();
    let restored = catalogue::restore_all(&w.app).await.unwrap();
    assert_eq!((restored.ready, restored.failed.len()), (0, 1));
}

#[tokio::test]
async fn secrets_reach_calls_and_nobody_else() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let made = w.connection(&t, json!({})).await;
    let shown = serde_json::to_string(&made).unwrap();
    assert!(!shown.contains("s3cret"));
    assert!(made.secrets[0].set && made.secrets[0].name == "client_secret");
    let opened = |loaded: &calls::Loaded| -> Vec<String> {
        loaded.secrets.0["client_secret"]
            .iter()
            .map(|s| String::from_utf8(s.expose_secret().clone()).unwrap())
            .collect()
    };
    assert_eq!(
        opened(&calls::load(&w.app, &t, made.id, None).await.unwrap()),
        ["s3cret"]
    );
    // A rollover keeps the one before, a plain change does not; the next call has it at once.
    installations::put_secret(&w.app, &t, made.id, "client_secret", &"two".into(), true)
        .await
        .unwrap();
    assert_eq!(
        opened(&calls::load(&w.app, &t, made.id, None).await.unwrap()),
        ["two", "s3cret"]
    );
    installations::put_secret(&w.app, &t, made.id, "client_secret", &"three".into(), false)
        .await
        .unwrap();
    assert_eq!(
        opened(&calls::load(&w.app, &t, made.id, None).await.unwrap()),
        ["three"]
    );
    let p = installations::put_secret(&w.app, &t, made.id, "nope", &"x".into(), false)
        .await
        .unwrap_err();
    assert_eq!(p.kind, ProblemKind::NotFound);
    // What is stored opens at its own place only: the row of another installation can't be used.
    let other = w
        .enable(
            &t,
            "test.idp",
            json!({ "issuer": "https://x.example" }),
            &[("client_secret", "theirs")],
        )
        .await
        .unwrap();
    let mut read = w.app.store.tenant_read(&t.scope).await.unwrap();
    let row = read.installations().secrets(other.id).await.unwrap().remove(0);
    let aad = [
        t.scope.id().0.as_bytes().as_slice(),
        made.id.0.as_bytes(),
        b"client_secret",
    ]
    .concat();
    assert!(w.app.sealer.open("installation-secret", &aad, &row.sealed).is_err());
    assert!(!row.sealed.windows(6).any(|w| w == b"theirs"));
    // The guest's config has neither secrets nor the platform's own part.
    let loaded = calls::load(&w.app, &t, made.id, None).await.unwrap();
    assert_eq!(
        *loaded.config,
        json!({ "issuer": "https://idp.example", "scopes": ["openid"] })
    );
}

#[tokio::test]
async fn an_upgrade_that_asks_for_more_needs_consent() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let made = w.till(&t).await;
    let two = PAYMENT
        .replace("version = \"1.0.0\"", "version = \"1.1.0\"")
        .replace("[\"api.pay.example\"]", "[\"api.pay.example\", \"more.pay.example\"]");
    w.install(
        &two,
        &json!({ "type": "object", "properties": { "mode": { "default": "new" } } }),
    )
    .await;
    let to_two = |grants| Change {
        version: Some("1.1.0".to_owned()),
        grants,
        ..Change::default()
    };
    let p = installations::update(&w.app, &t, made.id, to_two(None))
        .await
        .unwrap_err();
    assert_eq!(p.kind, ProblemKind::Conflict);
    assert_eq!(p.extras["added"], json!({ "http_hosts": ["more.pay.example:443"] }));
    let after = installations::update(&w.app, &t, made.id, to_two(Some(GrantRequest::default())))
        .await
        .unwrap();
    assert_eq!(
        (after.version.as_str(), after.config["mode"].as_str()),
        ("1.1.0", Some("new"))
    );
    let all = catalogue::list(&w.app, &Page::default()).await.unwrap();
    let mut uses: Vec<_> = all
        .iter()
        .map(|l| (l.version.version.as_str(), l.installations))
        .collect();
    uses.sort_unstable();
    assert_eq!(uses, [("1.0.0", 0), ("1.1.0", 1)]);
    // Back again asks for less.
    let back = Change {
        version: Some("1.0.0".to_owned()),
        ..Change::default()
    };
    assert_eq!(
        installations::update(&w.app, &t, made.id, back)
            .await
            .unwrap()
            .grants
            .http_hosts,
        ["api.pay.example:443"]
    );
}

#[tokio::test]
async fn key_value_state_is_bounded_versioned_and_private() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let made = w.connection(&t, json!({})).await;
    let loaded = calls::load(&w.app, &t, made.id, None).await.unwrap();
    let inv = calls::invocation(&w.app, &t, &loaded, CallClass::Ordinary, json!({}));
    let kv = inv.services;
    assert_eq!(kv.kv_put("a", b"1".to_vec(), None, Some(0)).await.unwrap(), 1);
    let clash = kv.kv_put("a", b"2".to_vec(), None, Some(0)).await.unwrap_err();
    assert_eq!(clash.kind, FaultKind::Conflict);
    assert_eq!(kv.kv_put("a", b"2".to_vec(), None, Some(1)).await.unwrap(), 2);
    assert_eq!(kv.kv_get("a").await.unwrap().unwrap().value, b"2");
    // Keys and bytes are counted; replacing a value counts the difference.
    kv.kv_put("b", vec![0; 500], None, None).await.unwrap();
    kv.kv_put("b", vec![0; 900], None, None).await.unwrap();
    let full = kv.kv_put("c", vec![0; 200], None, None).await.unwrap_err();
    assert_eq!((full.kind, full.code.as_str()), (FaultKind::Denied, "state_full"));
    kv.kv_put("c", vec![0; 10], None, None).await.unwrap();
    let keys = kv.kv_put("d", vec![], None, None).await.unwrap_err();
    assert_eq!(keys.code, "state_full");
    kv.kv_remove("c").await.unwrap();
    kv.kv_put("d", b"x".to_vec(), Some(Duration::from_secs(60)), None)
        .await
        .unwrap();
    w.clock.forward(Duration::from_secs(61));
    assert!(kv.kv_get("d").await.unwrap().is_none());
    // An expired key is as good as absent for "only if absent".
    kv.kv_put("d", b"y".to_vec(), None, Some(0)).await.unwrap();
    for key in ["", "a\0b", "a\nb", &"k".repeat(513)] {
        assert_eq!(kv.kv_get(key).await.unwrap_err().kind, FaultKind::InvalidInput);
    }
    // Another installation of the same plugin has a space of its own.
    let other = w
        .enable(
            &t,
            "test.idp",
            json!({ "issuer": "https://x.example" }),
            &[("client_secret", "x")],
        )
        .await
        .unwrap();
    let theirs = calls::load(&w.app, &t, other.id, None).await.unwrap();
    let theirs = calls::invocation(&w.app, &t, &theirs, CallClass::Ordinary, json!({})).services;
    assert!(theirs.kv_get("a").await.unwrap().is_none());
    // Files and datasets belong to report runs.
    assert_eq!(
        kv.create_file("x", "text/csv").await.err().unwrap().code,
        "not_in_a_run"
    );
}

#[tokio::test]
async fn calls_are_recorded_behind_the_call() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let made = w.connection(&t, json!({})).await;
    let loaded = calls::load(&w.app, &t, made.id, None).await.unwrap();
    let inv = calls::invocation(&w.app, &t, &loaded, CallClass::Ordinary, json!({}));
    for (i, outcome) in [CallOutcome::Ok, CallOutcome::Trap, CallOutcome::Refused]
        .into_iter()
        .enumerate()
    {
        inv.services.receipt(CallReceipt {
            call: aistack_core::CallId::new(&*w.clock, &*w.rng),
            tenant: inv.tenant,
            installation: inv.installation,
            request: None,
            operation: format!("login.begin{i}"),
            started_at: aistack_core::Clock::now(&*w.clock),
            wall: Duration::from_micros(20),
            guest: Duration::from_micros(10),
            memory: 1 << 20,
            host_calls: 3,
            bytes_out: 1,
            bytes_in: 2,
            outcome,
            code: (outcome == CallOutcome::Refused).then(|| "breaker_open".to_owned()),
            log: vec![LogLine {
                level: "info".to_owned(),
                message: "hello".to_owned(),
                fields: vec![],
            }],
        });
        w.clock.forward(Duration::from_secs(1));
    }
    let calls = installations::calls(&w.app, &t, made.id, &Page::default())
        .await
        .unwrap();
    assert_eq!(calls.len(), 3);
    assert_eq!(calls[0].log[0]["message"], "hello");
    let health = installations::get(&w.app, &t, made.id).await.unwrap().health;
    assert_eq!((health.calls_24h, health.failures_24h, health.breaker), (3, 2, "open"));
    w.clock.forward(Duration::from_secs(31));
    assert_eq!(
        installations::get(&w.app, &t, made.id).await.unwrap().health.breaker,
        "closed"
    );
    flush_receipts(&w.app).await.unwrap();
}

#[tokio::test]
async fn a_switched_off_plugin_is_not_called() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let made = w.connection(&t, json!({})).await;
    let findings = installations::check(&w.app, &t, made.id, true).await.unwrap();
    assert_eq!(findings[0].message, "fine[31m");
    let off = Change {
        status: Some(InstallationStatus::Disabled),
        ..Change::default()
    };
    installations::update(&w.app, &t, made.id, off).await.unwrap();
    let p = installations::check(&w.app, &t, made.id, false).await.unwrap_err();
    assert_eq!(p.kind, ProblemKind::PluginUnavailable);
    assert_eq!(
        w.trail(&t).await[1..],
        [
            "installation.enabled ok",
            "installation.checked ok",
            "installation.disabled ok"
        ]
    );
    assert_eq!(w.script.asked(), ["check true"]);
}

#[tokio::test]
async fn one_tenant_can_not_name_anothers_installation() {
    let w = World::new().await;
    let a = w.tenant("acme").await;
    let b = w.tenant("globex").await;
    let made = w.connection(&a, json!({})).await;
    assert_eq!(
        installations::get(&w.app, &b, made.id).await.unwrap_err().kind,
        ProblemKind::NotFound
    );
    assert_eq!(
        installations::delete(&w.app, &b, made.id).await.unwrap_err().kind,
        ProblemKind::NotFound
    );
    // Loaded for one tenant, it still is not there for the other.
    calls::load(&w.app, &a, made.id, None).await.unwrap();
    assert_eq!(
        calls::load(&w.app, &b, made.id, None).await.unwrap_err().kind,
        ProblemKind::NotFound
    );
}
