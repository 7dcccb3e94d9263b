//! Whose components are taken: signatures, tiers, what node and tenant demand, and what is taken out of service.

use crate::world::{PAYMENT, World, command, component};
use aistack_core::ProblemKind;
use aistack_domain::{
    App, Problem,
    plugins::{
        calls, catalogue,
        installations::{self, Change},
        manifest::CallClass,
        port::signed_message,
        quarantine,
        trust::{self, NewPublisher, Terms, Tier, Trust},
    },
    port::Ed25519Pair,
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use secrecy::ExposeSecret;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// The plugin of publisher `test`, id `test.pay`, in some version.
fn bytes(version: &str, more: &str) -> Vec<u8> {
    let manifest = PAYMENT.replace("version = \"1.0.0\"", &format!("version = \"{version}\"")) + more;
    component(&manifest, &json!({ "type": "object" }), &["config"])
}

fn sign(pair: &Ed25519Pair, who: &str, component: &[u8]) -> String {
    let message = signed_message(&Sha256::digest(component).into());
    let key = jsonwebtoken::EncodingKey::from_ed_der(pair.pkcs8.expose_secret());
    let sig = jsonwebtoken::crypto::sign(&message, &key, jsonwebtoken::Algorithm::EdDSA).unwrap();
    let sig = STANDARD.encode(URL_SAFE_NO_PAD.decode(sig).unwrap());
    let key_id = &hex::encode(Sha256::digest(&pair.public))[..16];
    json!([{ "publisher": who, "key_id": key_id, "alg": "Ed25519", "sig": sig }]).to_string()
}

fn with(signatures: String) -> Terms {
    Terms {
        signatures: Some(signatures),
        ..Terms::default()
    }
}

async fn install(w: &World, bytes: &[u8], terms: &Terms) -> Result<catalogue::Listed, Problem> {
    catalogue::install(&w.app, &w.operator(), bytes, terms).await
}

fn reason(p: &Problem) -> &str {
    assert!(p.extras["hint"].is_string(), "{p:?}");
    p.extras["reason"].as_str().unwrap()
}

/// A world whose node demands something, and a key of publisher `test` at a tier.
async fn demanding(trust: Trust, tier: Tier) -> (World, Ed25519Pair) {
    let mut w = World::new().await;
    let app: &mut App = Arc::get_mut(&mut w.app).unwrap();
    app.config.plugin_trust = trust;
    let pair = w.app.sealer.generate_ed25519();
    add(&w, &pair, "test", tier).await;
    (w, pair)
}

async fn add(w: &World, pair: &Ed25519Pair, publisher: &str, tier: Tier) {
    let new = NewPublisher {
        publisher: publisher.to_owned(),
        public_key: hex::encode(&pair.public),
        tier,
        note: String::new(),
    };
    trust::add(&w.app, &w.operator(), new).await.unwrap();
}

#[tokio::test]
async fn a_node_takes_what_a_trusted_publisher_has_signed() {
    let (w, pair) = demanding(Trust::Verified, Tier::Community).await;
    let one = bytes("1.0.0", "");
    assert_eq!(
        reason(&install(&w, &one, &Terms::default()).await.unwrap_err()),
        "unsigned"
    );
    let signed = with(sign(&pair, "test", &one));
    assert_eq!(reason(&install(&w, &one, &signed).await.unwrap_err()), "tier_too_low");
    add(&w, &pair, "test", Tier::Verified).await;
    // A signature of other bytes, of nobody known, or by somebody else's key.
    let wrong = with(sign(&pair, "test", b"other"));
    assert_eq!(
        reason(&install(&w, &one, &wrong).await.unwrap_err()),
        "signature_invalid"
    );
    let unknown = with(sign(&w.app.sealer.generate_ed25519(), "test", &one));
    assert_eq!(reason(&install(&w, &one, &unknown).await.unwrap_err()), "unsigned");
    let evil = w.app.sealer.generate_ed25519();
    add(&w, &evil, "evil", Tier::Core).await;
    let theirs = with(sign(&evil, "evil", &one));
    assert_eq!(
        reason(&install(&w, &one, &theirs).await.unwrap_err()),
        "publisher_mismatch"
    );
    for text in ["", "{}", "[{}]"] {
        assert_eq!(
            reason(&install(&w, &one, &with(text.to_owned())).await.unwrap_err()),
            "signature_invalid"
        );
    }
    let listed = install(&w, &one, &signed).await.unwrap();
    assert_eq!(listed.tier, Some(Tier::Verified));
    // Every refusal stands in the log, with its reason.
    let refused = w.recorded(None, "plugin.refused").await;
    assert_eq!(refused.len(), 8);
    let last = &refused[7];
    assert_eq!(
        (&last["details"]["reason"], &last["outcome"]),
        (&json!("unsigned"), &json!("denied"))
    );
}

#[tokio::test]
async fn a_revoked_key_counts_for_nothing_from_then_on() {
    let (w, pair) = demanding(Trust::Community, Tier::Core).await;
    let t = w.tenant("acme").await;
    let (one, two) = (bytes("1.0.0", ""), bytes("2.0.0", ""));
    install(&w, &one, &with(sign(&pair, "test", &one))).await.unwrap();
    let key = trust::list(&w.app).await.unwrap().remove(0).key_id;
    trust::revoke(&w.app, &w.operator(), &key).await.unwrap();
    let signed = with(sign(&pair, "test", &two));
    assert_eq!(reason(&install(&w, &two, &signed).await.unwrap_err()), "key_revoked");
    let p = installations::enable(&w.app, &t, command("test.pay", json!({}), &[("key", "k")]))
        .await
        .unwrap_err();
    assert_eq!((p.kind, reason(&p)), (ProblemKind::PluginRefused, "key_revoked"));
    // Nor is it loaded again after a start.
    assert_eq!(catalogue::restore_all(&w.app).await.unwrap().failed.len(), 1);
    let again = NewPublisher {
        publisher: "test".to_owned(),
        public_key: hex::encode(&pair.public),
        tier: Tier::Core,
        note: String::new(),
    };
    let p = trust::add(&w.app, &w.operator(), again).await.unwrap_err();
    assert_eq!(reason(&p), "key_revoked");
}

#[tokio::test]
async fn a_tenant_may_demand_more_than_its_node() {
    let (w, pair) = demanding(Trust::Development, Tier::Verified).await;
    let t = w.tenant("acme").await;
    let (one, two) = (bytes("1.0.0", ""), bytes("2.0.0", ""));
    install(&w, &one, &Terms::default()).await.unwrap();
    let made = installations::enable(&w.app, &t, command("test.pay", json!({}), &[("key", "k")]))
        .await
        .unwrap();
    trust::set_tenant(&w.app, &w.operator(), t.scope.id(), Trust::Verified)
        .await
        .unwrap();
    let more = installations::enable(&w.app, &t, command("test.pay", json!({}), &[("key", "k")])).await;
    assert_eq!(reason(&more.unwrap_err()), "unsigned");
    install(&w, &two, &with(sign(&pair, "test", &two))).await.unwrap();
    let up = Change {
        version: Some("2.0.0".to_owned()),
        ..Change::default()
    };
    installations::update(&w.app, &t, made.id, up).await.unwrap();
    // The way back leads to an unsigned version.
    assert_eq!(
        reason(&installations::rollback(&w.app, &t, made.id).await.unwrap_err()),
        "unsigned"
    );
    let other = w.tenant("globex").await;
    let back = Change {
        version: Some("1.0.0".to_owned()),
        ..Change::default()
    };
    let theirs = installations::enable(&w.app, &other, command("test.pay", json!({}), &[("key", "k")]))
        .await
        .unwrap();
    installations::update(&w.app, &other, theirs.id, back).await.unwrap();
}

#[tokio::test]
async fn what_was_closed_is_not_opened_again_by_an_older_version() {
    let (w, pair) = demanding(Trust::Development, Tier::Community).await;
    let (one, two, three) = (bytes("1.0.0", ""), bytes("2.0.0", ""), bytes("3.0.0", ""));
    install(&w, &two, &with(sign(&pair, "test", &two))).await.unwrap();
    assert_eq!(
        reason(&install(&w, &one, &with(sign(&pair, "test", &one))).await.unwrap_err()),
        "downgrade"
    );
    let meant = Terms {
        allow_downgrade: true,
        ..Terms::default()
    };
    install(&w, &one, &meant).await.unwrap();
    // Only what is signed protects: an unsigned upload can't lock out.
    install(&w, &bytes("9.0.0", ""), &Terms::default()).await.unwrap();
    install(&w, &three, &Terms::default()).await.unwrap();
}

#[tokio::test]
async fn digests_and_hosts_are_held_to() {
    let mut w = World::new().await;
    let one = bytes("1.0.0", "");
    let digest = hex::encode(Sha256::digest(&one));
    let expect = |digest: String| Terms {
        digest: Some(digest),
        ..Terms::default()
    };
    assert_eq!(
        reason(&install(&w, &one, &expect("00".repeat(32))).await.unwrap_err()),
        "digest_mismatch"
    );
    let app = Arc::get_mut(&mut w.app).unwrap();
    app.config.version = "0.4.7";
    app.config.plugin_pins = [("test.pay".to_owned(), format!("sha256:{digest}"))].into();
    let two = bytes("2.0.0", "");
    assert_eq!(
        reason(&install(&w, &two, &Terms::default()).await.unwrap_err()),
        "digest_mismatch"
    );
    install(&w, &one, &expect(format!("sha256:{}", digest.to_uppercase())))
        .await
        .unwrap();
    Arc::get_mut(&mut w.app).unwrap().config.plugin_pins.clear();
    let newer = |v: &str| {
        let manifest = PAYMENT.replace(
            "version = \"1.0.0\"",
            &format!("version = \"3.0.0\"\nmin-host = \"{v}\""),
        );
        component(&manifest, &json!({ "type": "object" }), &["config"])
    };
    assert_eq!(
        reason(&install(&w, &newer("0.5"), &Terms::default()).await.unwrap_err()),
        "min_host"
    );
    install(&w, &newer("0.4.9"), &Terms::default()).await.unwrap();
}

#[tokio::test]
async fn a_quarantined_version_is_out_of_service_until_it_is_lifted() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let made = w.till(&t).await;
    let loaded = calls::load(&w.app, &t, made.id, None).await.unwrap();
    let flying = calls::invocation(&w.app, &t, &loaded, CallClass::Ordinary, json!({})).powers;
    let id = catalogue::list(&w.app, &aistack_store::Page::default()).await.unwrap()[0]
        .version
        .id;
    assert!(quarantine::set(&w.app, &w.operator(), id, " ").await.is_err());
    let held = quarantine::set(&w.app, &w.operator(), id, "it leaks").await.unwrap();
    assert_eq!(held.quarantined.as_deref(), Some("it leaks"));
    assert_eq!(flying.ended(), Some("quarantined"));
    let p = calls::load(&w.app, &t, made.id, None).await.unwrap_err();
    assert_eq!((p.kind, reason(&p)), (ProblemKind::PluginUnavailable, "quarantined"));
    assert!(p.detail.contains("it leaks"));
    assert!(
        installations::enable(&w.app, &t, command("test.pay", json!({}), &[("key", "k")]))
            .await
            .is_err()
    );
    quarantine::lift(&w.app, &w.operator(), id).await.unwrap();
    let back = calls::load(&w.app, &t, made.id, None).await.unwrap();
    assert_eq!(back.powers.ended(), None, "calls are made again");
}
