//! What enabled plugins have and do: secrets, upgrades, state, the record of their calls.

use crate::world::{PAYMENT, World};
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
use std::{sync::Arc, time::Duration};

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
    assert_eq!((full.kind, full.code.as_str()), (FaultKind::Denied, "kv_full"));
    kv.kv_put("c", vec![0; 10], None, None).await.unwrap();
    let keys = kv.kv_put("d", vec![], None, None).await.unwrap_err();
    assert_eq!(keys.code, "kv_full");
    kv.kv_remove("c").await.unwrap();
    kv.kv_put("d", b"x".to_vec(), Some(Duration::from_secs(60)), None)
        .await
        .unwrap();
    w.clock.forward(Duration::from_secs(61));
    assert!(kv.kv_get("d").await.unwrap().is_none());
    // An expired key is as good as absent for "only if absent".
    kv.kv_put("d", b"y".to_vec(), None, Some(0)).await.unwrap();
    for key in ["", "a\0b", "a\nb", &"k".repeat(257)] {
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
            plugin: Arc::clone(&inv.plugin),
            digest: Arc::clone(&inv.digest),
            lane: inv.lane,
            request: None,
            operation: format!("login.begin{i}"),
            started_at: aistack_core::Clock::now(&*w.clock),
            wall: Duration::from_micros(20),
            guest: Duration::from_micros(10),
            turns: 0,
            memory: 1 << 20,
            host_calls: 3,
            bytes_out: 1,
            bytes_in: 2,
            outcome,
            code: (outcome == CallOutcome::Refused).then(|| "breaker_open".to_owned()),
            fault: None,
            fuel: None,
            frames: Vec::new(),
            tape: None,
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
