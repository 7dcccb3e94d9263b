//! Sign-ins through the official oauth plugin, and the answers that sign nobody in.

use super::Bench;
use aistack_tests::{
    actor::{Actor, Answer},
    need,
    peers::PeerError,
};
use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};
use url::Url;

/// Where a sign-in ended: signed in as somebody, or the error and reason that the sign-in page was told.
enum Ended {
    In(Box<Actor>),
    Refused(String, String),
}

/// Walks through a sign-in as a browser does. The simulator asks nobody.
async fn sign_in(bench: &Bench, person: &str) -> anyhow::Result<Ended> {
    let visitor = bench.stage.host.tenant_visitor("acme");
    let start = visitor
        .get(&format!("/api/v1/login/{}/start?login_hint={person}", bench.id()))
        .await?;
    if !start.header("location").starts_with("http") {
        return ended(&start, visitor);
    }
    let mut url: Url = start.header("location").parse()?;
    url.query_pairs_mut().append_pair("auto", person);
    let sent = visitor.browser.get(&url).await?;
    let back = sent
        .redirect()
        .with_context(|| format!("{} {}", sent.status, sent.body))?;
    let callback = bench.installation["callback_url"].as_str().context("a callback")?;
    ensure!(back.as_str().starts_with(callback), "{back}");
    let base = bench.stage.host.tenant_base("acme");
    let landed = visitor.get(&back.as_str()[base.as_str().len() - 1..]).await?;
    ended(&landed, visitor)
}

fn ended(answer: &Answer, visitor: Actor) -> anyhow::Result<Ended> {
    ensure!((300..400).contains(&answer.status), "{answer}");
    let to = Url::parse("http://localhost/")?.join(answer.header("location"))?;
    let field = |name: &str| {
        to.query_pairs()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    Ok(match field("error") {
        Some(error) => Ended::Refused(error, field("reason").unwrap_or_default()),
        None => Ended::In(Box::new(visitor)),
    })
}

async fn gets_in(bench: &Bench, person: &str) -> anyhow::Result<Value> {
    match sign_in(bench, person).await? {
        Ended::In(mut member) => member.resume().await,
        Ended::Refused(error, reason) => bail!("{person} was refused: {error} {reason}"),
    }
}

async fn is_refused(bench: &Bench, what: &str) -> anyhow::Result<(String, String)> {
    match sign_in(bench, "alice").await? {
        Ended::In(_) => bail!("signed in although {what}"),
        Ended::Refused(error, reason) => Ok((error, reason)),
    }
}

#[tokio::test]
async fn members_sign_in_through_the_simulated_provider() {
    need!(signed_in().await);
}

async fn signed_in() -> Result<(), PeerError> {
    let bench = Bench::set("identity-oauth", "oidc").await?;
    let alice = gets_in(&bench, "alice").await?;
    assert_eq!(
        (&alice["user"]["email"], &alice["user"]["name"]),
        (&json!("alice@example.test"), &json!("Alice Example"))
    );
    let zhang = gets_in(&bench, "zhang").await?;
    assert_eq!(zhang["user"]["name"], "张伟");
    assert_eq!(
        gets_in(&bench, "alice").await?["user"]["id"],
        alice["user"]["id"],
        "the same person again"
    );

    // Keys are rotated: with both published, then with only the new one.
    for how in [json!(true), json!("abrupt")] {
        let fresh = Bench::set("identity-oauth", "oidc").await?;
        gets_in(&fresh, "alice").await?;
        fresh.sim.arm(json!({"rotate_certificate": how})).await?;
        gets_in(&fresh, "alice")
            .await
            .with_context(|| format!("after the rotation {how}"))?;
    }
    Ok(())
}

#[tokio::test]
async fn answers_that_do_not_fit_sign_nobody_in() {
    need!(refused().await);
}

async fn refused() -> Result<(), PeerError> {
    let bench = Bench::set("identity-oauth", "oidc").await?;
    for (knob, reason) in [
        ("bad_nonce", "nonce_mismatch"),
        ("wrong_audience", "id_token_audience"),
        ("wrong_issuer", "id_token_issuer"),
        ("wrong_iss_parameter", "iss_mismatch"),
        ("wrong_at_hash", "at_hash_mismatch"),
        ("stale", "id_token_expired"),
        ("bad_signature", "id_token_signature"),
    ] {
        bench.sim.arm(json!({knob: true})).await?;
        let (error, why) = is_refused(&bench, knob).await?;
        assert_eq!((error.as_str(), why.as_str()), ("login_refused", reason), "{knob}");
        assert!(bench.told("login.refused", reason).await? >= 1, "{knob} is on record");
        bench.sim.disarm().await?;
    }
    for knob in ["alg_none", "alg_confusion"] {
        bench.sim.arm(json!({knob: true})).await?;
        assert_eq!(is_refused(&bench, knob).await?.0, "login_refused", "{knob}");
        bench.sim.disarm().await?;
    }
    // None of this has harmed the connection.
    gets_in(&bench, "alice").await?;
    // The provider is down: no refusal of the person, a failure of the plugin.
    bench.sim.arm(json!({"status": 503})).await?;
    let (error, _) = is_refused(&bench, "the provider is down").await.or_else(|e| {
        // Discovery is cached, so the browser itself may be the first to notice.
        if format!("{e:#}").contains("503") {
            Ok(("plugin_failed".to_owned(), String::new()))
        } else {
            Err(e)
        }
    })?;
    assert_eq!(error, "plugin_failed");
    bench.sim.disarm().await?;
    gets_in(&bench, "alice").await?;
    Ok(())
}
