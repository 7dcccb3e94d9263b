//! Changes of version and of config: translation, consent, waiting, the way back, and what calls in flight hear of it.

use crate::world::{IDENTITY, PAYMENT, World, command, component, issuer_schema, pointers};
use aistack_core::{InstallationId, ProblemKind};
use aistack_domain::{
    Problem, TenantCtx,
    plugins::{
        calls, catalogue,
        grants::GrantRequest,
        installations::{self, Change, InstallationView},
        manifest::CallClass,
        port::{Fault, FaultKind},
        trust::Terms,
    },
};
use aistack_store::InstallationStatus;
use serde_json::{Value, json};

async fn change(w: &World, t: &TenantCtx, id: InstallationId, c: Change) -> Result<InstallationView, Problem> {
    installations::update(&w.app, t, id, c).await
}

fn to(version: &str) -> Change {
    Change {
        version: Some(version.to_owned()),
        ..Change::default()
    }
}

fn schema() -> Value {
    json!({ "type": "object", "properties": {
        "mode": { "type": "string" }, "region": { "type": "string", "default": "eu" },
        "look": { "type": "object", "properties": { "colour": { "type": "string" } } },
    } })
}

/// A till at 1.0.0 with a config of its own, and 2.0.0 installed beside it, changed by `edit`.
async fn till(w: &World, t: &TenantCtx, edit: impl Fn(String) -> String) -> InstallationView {
    w.install(PAYMENT, &schema()).await;
    let config = json!({ "mode": "fast", "region": "eu", "look": { "colour": "red" } });
    let made = w.enable(t, "test.pay", config, &[("key", "k")]).await.unwrap();
    let two = edit(PAYMENT.replace("version = \"1.0.0\"", "version = \"2.0.0\""));
    w.install(&two, &schema()).await;
    made
}

#[tokio::test]
async fn the_new_version_translates_the_config_and_loses_nothing() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let made = till(&w, &t, |m| m).await;
    let say = |answer| w.script.migrate.lock().unwrap().push_back(answer);
    // Lost: a setting that both versions have. The default would put `region` back, so that is no loss.
    say(Ok(json!({ "mode": "quick", "look": {} })));
    let p = change(&w, &t, made.id, to("2.0.0")).await.unwrap_err();
    assert_eq!(
        (p.kind, &p.extras["reason"]),
        (ProblemKind::PluginConfigInvalid, &json!("migrate_lost_config"))
    );
    assert_eq!(pointers(&p), ["/config/look/colour migrate_lost_config"]);
    assert!(p.errors[0].hint.is_some());
    say(Ok(json!([])));
    assert_eq!(
        change(&w, &t, made.id, to("2.0.0")).await.unwrap_err().extras["reason"],
        "migrate_failed"
    );
    say(Err(Fault::new(FaultKind::Internal, "boom", "it broke")));
    let p = change(&w, &t, made.id, to("2.0.0")).await.unwrap_err();
    assert_eq!(
        (p.kind, &p.extras["reason"]),
        (ProblemKind::PluginConfigInvalid, &json!("migrate_failed"))
    );
    assert!(p.detail.contains("it broke (boom)"), "{}", p.detail);
    // Nothing of that has changed anything.
    assert_eq!(installations::get(&w.app, &t, made.id).await.unwrap().version, "1.0.0");
    say(Ok(json!({ "mode": "quick", "look": { "colour": "red" } })));
    let after = change(&w, &t, made.id, to("2.0.0")).await.unwrap();
    assert_eq!(
        (after.version.as_str(), after.config, after.previous_version.as_deref()),
        (
            "2.0.0",
            json!({ "mode": "quick", "region": "eu", "look": { "colour": "red" } }),
            Some("1.0.0")
        )
    );
    // A config that is sent is taken as it is; nobody is asked to translate.
    w.script.asked();
    let with_config = Change {
        config: Some(json!({ "mode": "mine" })),
        ..to("1.0.0")
    };
    assert_eq!(
        change(&w, &t, made.id, with_config).await.unwrap().config["mode"],
        "mine"
    );
    assert_eq!(w.script.asked(), [""; 0]);
}

#[tokio::test]
async fn a_translation_runs_without_any_power() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let made = w.connection(&t, json!({ "create": false })).await;
    let two = IDENTITY.replace("version = \"1.0.0\"", "version = \"2.0.0\"");
    w.install(&two, &issuer_schema()).await;
    w.script.migrate.lock().unwrap().push_back(Ok(
        json!({ "issuer": "https://idp.example", "scopes": ["openid", "email"] }),
    ));
    let provisioning = made.config["provisioning"].clone();
    let after = change(&w, &t, made.id, to("2.0.0")).await.unwrap();
    // The platform's own part is neither shown to the plugin nor lost.
    assert_eq!(after.config["provisioning"], provisioning);
    assert_eq!(after.config["scopes"], json!(["openid", "email"]));
    let asked = w.script.asked();
    assert_eq!(
        asked,
        ["migrate 1.0.0 {\"issuer\":\"https://idp.example\",\"scopes\":[\"openid\"]} hosts=0 secrets=0 kv=0"]
    );
}

#[tokio::test]
async fn what_asks_for_more_waits_until_somebody_agrees() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let made = till(&w, &t, |m| {
        m.replace("[\"api.pay.example\"]", "[\"api.pay.example\", \"more.pay.example\"]")
            .replace("[[endpoint]]", "[[endpoint]]\nname = \"second\"\n[[endpoint]]")
            + "\n[limits]\nmemory = \"48MiB\"\n[grants]\nkv = { bytes = \"1KiB\", keys = 2 }\n"
    })
    .await;
    let p = change(&w, &t, made.id, to("2.0.0")).await.unwrap_err();
    assert_eq!(
        (p.kind, &p.extras["reason"]),
        (ProblemKind::Conflict, &json!("consent_needed"))
    );
    assert_eq!(
        p.extras["added"],
        json!({
            "http_hosts": ["more.pay.example:443"], "endpoints": ["second"], "interfaces": ["kv"],
            "kv": ["bytes 0 → 1024", "keys 0 → 2"], "limits": ["memory bytes 33554432 → 50331648"],
        })
    );
    assert!(p.extras["hint"].as_str().unwrap().contains("consent"));
    let shown = p.extras["added_digest"].as_str().unwrap().to_owned();
    assert_eq!(
        installations::consent(&w.app, &t, made.id, shown.clone())
            .await
            .unwrap_err()
            .extras["reason"],
        "nothing_pending"
    );
    let waiting = Change {
        when_consented: true,
        ..to("2.0.0")
    };
    // What waits is a version; a name sent along would be lost.
    let named = Change {
        name: Some("Other".to_owned()),
        when_consented: true,
        ..to("2.0.0")
    };
    let lost = change(&w, &t, made.id, named).await.unwrap_err();
    assert_eq!(pointers(&lost), ["/name not_allowed"]);
    let waits = change(&w, &t, made.id, waiting).await.unwrap();
    assert_eq!((waits.version.as_str(), waits.grants.http_hosts.len()), ("1.0.0", 1));
    assert_eq!(waits.pending.as_ref().unwrap().added_digest, shown);
    // No is an answer, and said once; asked again, it waits again.
    let no = installations::decline(&w.app, &t, made.id).await.unwrap();
    assert_eq!((no.version.as_str(), no.pending), ("1.0.0", None));
    let again = installations::decline(&w.app, &t, made.id).await.unwrap_err();
    assert_eq!(again.extras["reason"], "nothing_pending");
    let waiting = Change {
        when_consented: true,
        ..to("2.0.0")
    };
    change(&w, &t, made.id, waiting).await.unwrap();
    // Agreeing to something else than what was shown is agreeing to nothing.
    let stale = installations::consent(&w.app, &t, made.id, "0".repeat(64))
        .await
        .unwrap_err();
    assert_eq!(stale.extras["reason"], "consent_needed");
    let after = installations::consent(&w.app, &t, made.id, shown).await.unwrap();
    assert_eq!((after.version.as_str(), after.grants.http_hosts.len()), ("2.0.0", 2));
    assert!(after.pending.is_none());
    assert_eq!(
        w.trail(&t).await[2..],
        [
            "installation.consent_asked ok",
            "installation.consent_declined ok",
            "installation.consent_asked ok",
            "installation.consented ok",
            "installation.upgraded ok"
        ]
    );
    // And back: the config and the grants it had.
    let back = installations::rollback(&w.app, &t, made.id).await.unwrap();
    assert_eq!(
        (back.version, back.grants, back.config),
        (made.version, made.grants, made.config)
    );
    assert_eq!(back.previous_version.as_deref(), Some("2.0.0"));
    assert!(back.generation > after.generation);
    assert_eq!(w.trail(&t).await.last().unwrap(), "installation.rolled_back ok");
}

#[tokio::test]
async fn the_way_back_does_not_lead_to_what_was_taken_away_since() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let host = "[[egress]]\nkind = \"http\"\nhosts = [\"api.pay.example\"]\n";
    w.install(&format!("{PAYMENT}{host}"), &json!({ "type": "object" }))
        .await;
    let made = w.enable(&t, "test.pay", json!({}), &[("key", "k")]).await.unwrap();
    assert_eq!(made.grants.http_hosts, ["api.pay.example:443"]);
    let two = PAYMENT.replace("version = \"1.0.0\"", "version = \"2.0.0\"");
    w.install(&format!("{two}{host}"), &json!({ "type": "object" })).await;
    change(&w, &t, made.id, to("2.0.0")).await.unwrap();
    let without = Change {
        grants: Some(GrantRequest {
            http_hosts: Some(vec![]),
            ..GrantRequest::default()
        }),
        ..Change::default()
    };
    change(&w, &t, made.id, without).await.unwrap();
    let back = installations::rollback(&w.app, &t, made.id).await.unwrap();
    assert_eq!((back.version.as_str(), back.grants.http_hosts), ("1.0.0", vec![]));
}

#[tokio::test]
async fn there_is_a_way_back_only_to_what_is_installed() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let made = till(&w, &t, |m| m).await;
    let none = installations::rollback(&w.app, &t, made.id).await.unwrap_err();
    assert_eq!(
        (none.kind, &none.extras["reason"]),
        (ProblemKind::Conflict, &json!("no_previous_version"))
    );
    change(&w, &t, made.id, to("2.0.0")).await.unwrap();
    let mut read = w.app.store.platform_read().await.unwrap();
    let one = read.plugins().find_by_digest(&made.digest).await.unwrap().unwrap();
    drop(read);
    catalogue::remove(&w.app, &w.operator(), one.id).await.unwrap();
    let gone = installations::rollback(&w.app, &t, made.id).await.unwrap_err();
    assert_eq!(gone.extras["reason"], "no_previous_version");
}

#[tokio::test]
async fn a_host_that_comes_with_the_config_is_agreed_to_by_writing_it_down() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let made = w.connection(&t, json!({})).await;
    let elsewhere = |host: &str, grants| Change {
        config: Some(json!({ "issuer": format!("https://{host}") })),
        grants,
        ..Change::default()
    };
    let after = change(&w, &t, made.id, elsewhere("other.example", None)).await.unwrap();
    assert_eq!(after.grants.http_hosts, ["other.example:443"]);
    let agreed = w.recorded(Some(&t), "installation.consented").await;
    assert_eq!(
        agreed[0]["details"]["added"],
        json!({ "http_hosts": ["other.example:443"], "secrets": ["client_secret: to other.example:443"] })
    );
    // Whoever sends grants with the config has said what they want, and less stays less.
    let none = GrantRequest {
        http_hosts: Some(vec![]),
        ..GrantRequest::default()
    };
    let after = change(&w, &t, made.id, elsewhere("third.example", Some(none)))
        .await
        .unwrap();
    assert!(after.grants.http_hosts.is_empty(), "{:?}", after.grants);
}

#[tokio::test]
async fn a_new_version_may_bring_a_secret_along() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let made = till(&w, &t, |m| m + "\n[[secret]]\nname = \"second\"\n").await;
    let p = change(&w, &t, made.id, to("2.0.0")).await.unwrap_err();
    assert_eq!(pointers(&p), ["/secrets/second required"]);
    let with = Change {
        secrets: [("second".to_owned(), "hush".to_owned().into())].into(),
        grants: Some(GrantRequest::default()),
        ..to("2.0.0")
    };
    let after = change(&w, &t, made.id, with).await.unwrap();
    assert!(after.secrets.iter().all(|s| s.set), "{:?}", after.secrets);
}

#[tokio::test]
async fn calls_in_flight_hear_of_what_is_taken_away() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let made = till(&w, &t, |m| m).await;
    let call = async |id| {
        let loaded = calls::load(&w.app, &t, id, None).await.unwrap();
        calls::invocation(&w.app, &t, &loaded, CallClass::Ordinary, json!({})).powers
    };
    let first = call(made.id).await;
    assert_eq!(first.now().http_hosts, ["api.pay.example:443"]);
    let fewer = Change {
        grants: Some(GrantRequest {
            http_hosts: Some(vec![]),
            ..GrantRequest::default()
        }),
        ..Change::default()
    };
    change(&w, &t, made.id, fewer).await.unwrap();
    assert!(first.now().http_hosts.is_empty() && first.ended().is_none());
    assert_eq!(w.trail(&t).await.last().unwrap(), "installation.grant_revoked ok");
    // More does not reach a call that began with less.
    let all = Change {
        grants: Some(GrantRequest::default()),
        ..Change::default()
    };
    change(&w, &t, made.id, all).await.unwrap();
    let second = call(made.id).await;
    assert!(first.now().http_hosts.is_empty() && second.now().http_hosts.len() == 1);
    // An upgrade lets calls finish as they began; switching off does not.
    change(&w, &t, made.id, to("2.0.0")).await.unwrap();
    let third = call(made.id).await;
    assert!(second.ended().is_none() && second.now().http_hosts.len() == 1);
    let off = Change {
        status: Some(InstallationStatus::Disabled),
        ..Change::default()
    };
    change(&w, &t, made.id, off).await.unwrap();
    assert_eq!((second.ended(), third.ended()), (Some("disabled"), Some("disabled")));
    let other = w.enable(&t, "test.pay", json!({}), &[("key", "k")]).await.unwrap();
    let fourth = call(other.id).await;
    installations::delete(&w.app, &t, other.id).await.unwrap();
    assert_eq!((fourth.ended(), third.ended()), (Some("removed"), Some("disabled")));
}

#[tokio::test]
async fn a_component_that_this_node_lacks_is_fetched() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let made = w.till(&t).await;
    // As on a node that has never seen it.
    w.app.runtime.forget(&made.digest).await;
    installations::check(&w.app, &t, made.id, false).await.unwrap();
    w.app.runtime.forget(&made.digest).await;
    installations::enable(&w.app, &t, command("test.pay", json!({}), &[("key", "k")]))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_manifest_is_told_everything_that_is_wrong_with_it() {
    let w = World::new().await;
    let bad = "id = \"pay\"\nversion = \"1.0.0\"\nworld = \"aistack:payment/payment-provider@1.0\"\npublisher = \"x\"\n\
               name = { en = \"Pay\" }\negres = []\n[[secret]]\nname = \"a\"\nuses = [\"mac:HS256\"]\n[[endpoint]]\nmethods = [\"POST\"]\n";
    let upload = async |manifest: &str| {
        let bytes = component(manifest, &json!({ "type": "object" }), &["config"]);
        catalogue::install(&w.app, &w.operator(), &bytes, &Terms::default())
            .await
            .unwrap_err()
    };
    let p = upload(bad).await;
    assert_eq!(
        (p.kind, &p.extras["reason"]),
        (ProblemKind::PluginRefused, &json!("manifest"))
    );
    let said: Vec<_> = p
        .errors
        .iter()
        .map(|e| (e.pointer.as_str(), e.code.as_str(), e.line))
        .collect();
    assert_eq!(
        said,
        [
            ("/egres", "unknown_member", Some(6)),
            ("/endpoint/0/name", "required", Some(10)),
            ("/secret/0/uses", "unknown_member", Some(9)),
        ]
    );
    assert_eq!(p.errors[0].hint.as_deref(), Some("did you mean `egress`?"));
    assert_eq!(p.errors[2].hint.as_deref(), Some("did you mean `use`?"));
    // Well-formed, and still wrong in three places.
    let p = upload(
        &bad.replace("egres = []\n", "")
            .replace("uses", "use")
            .replace("[[endpoint]]\n", "[[endpoint]]\nname = \"B\"\n")
            .replace("\"POST\"", "\"DELETE\""),
    )
    .await;
    assert_eq!(
        pointers(&p),
        [
            "/id format",
            "/endpoint/0/name format",
            "/endpoint/0/methods not_allowed"
        ]
    );
    let p = upload("# aistack:payment/\nid = ").await;
    assert_eq!((p.errors[0].code.as_str(), p.errors[0].line), ("syntax", Some(2)));
}
