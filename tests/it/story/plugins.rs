//! Step 3: plugins are loaded into the running host and enabled for the tenant with config and secrets.

use super::Story;
use aistack_tests::actor::Actor;
use aistack_tests::host::{TestHost, plugin};
use aistack_tests::peers::RealmUser;
use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

pub(super) const CLIENT_ID: &str = "acme-console";
pub(super) const CLIENT_SECRET: &str = "keycloak-and-acme-know-this";
pub(super) const STRIPE_KEY: &str = "sk_test_aKeyForStripeMock";
pub(super) const WEBHOOK_SECRET: &str = "whsec_for_the_story_of_acme";

pub(super) const ALICE: RealmUser<'_> = RealmUser {
    username: "alice",
    password: "correct horse",
    email: "alice@acme.test",
    first_name: "Alice",
    last_name: "张",
};

/// The plugins as the operator installed them.
pub(super) struct Installed {
    pub(super) oauth: Value,
    pub(super) stripe: Value,
    pub(super) report: Value,
}

/// The plugins as the tenant enabled them.
pub(super) struct Enabled {
    pub(super) oauth: Value,
    pub(super) stripe: Value,
    pub(super) report: Value,
}

/// The operator uploads three files; the process that serves the tenant is never restarted.
pub(super) async fn install(host: &TestHost, operator: &Actor) -> anyhow::Result<Installed> {
    let mut installed = Vec::new();
    for (file, kind) in [
        ("identity-oauth", "identity"),
        ("payment-stripe", "payment"),
        ("report-usage", "report"),
    ] {
        let component = plugin(file)?;
        let version = operator.install_plugin(component.clone()).await?.ok(201)?;
        ensure!(version["kind"] == kind, "{version}");
        ensure!(
            version["config_schema"].is_object() && version["name"]["zh-CN"].is_string(),
            "{version}"
        );
        operator
            .install_plugin(component)
            .await?
            .problem(409, "already_exists")?;
        installed.push(version);
    }
    let listed = operator.all("/api/v1/plugins").await?;
    ensure!(listed.len() >= 3, "{listed:?}");
    host.tenant_visitor("acme")
        .get("/api/v1/plugins/available")
        .await?
        .problem(401, "unauthenticated")?;
    let mut installed = installed.into_iter();
    let mut next = || installed.next().context("three plugins");
    Ok(Installed {
        oauth: next()?,
        stripe: next()?,
        report: next()?,
    })
}

/// The owner enables them.
pub(super) async fn enable(story: &mut Story) -> anyhow::Result<Enabled> {
    let available = story.owner.all("/api/v1/plugins/available").await?;
    ensure!(available.len() >= 3, "{available:?}");

    let realm = story.keycloak.realm().await?;
    realm.add_user(ALICE).await?;
    let config = json!({"issuer": realm.issuer(), "client_id": CLIENT_ID, "scopes": ["openid", "email", "profile"]});
    let oauth = enable_one(
        story,
        &story.installed.oauth.clone(),
        "Company login",
        config,
        json!({"client_secret": CLIENT_SECRET}),
    )
    .await?;
    let callback = oauth["callback_url"]
        .as_str()
        .context("an identity installation has a callback")?;
    realm.add_client(CLIENT_ID, CLIENT_SECRET, &[callback]).await?;

    let config = json!({"api_base": story.stripe.url()});
    let secrets = json!({"api_key": STRIPE_KEY, "webhook_secret": WEBHOOK_SECRET});
    let stripe = enable_one(story, &story.installed.stripe.clone(), "Stripe", config, secrets).await?;
    let report = enable_one(
        story,
        &story.installed.report.clone(),
        "Usage reports",
        json!({}),
        json!({}),
    )
    .await?;
    Ok(Enabled { oauth, stripe, report })
}

pub(super) async fn enable_one(
    story: &mut Story,
    version: &Value,
    name: &str,
    config: Value,
    secrets: Value,
) -> anyhow::Result<Value> {
    let plugin_id = &version["plugin_id"];
    let wrong = json!({"plugin_id": plugin_id, "name": name, "config": {"no_such_setting": 1}, "secrets": {}});
    let refused = story
        .owner
        .post("/api/v1/installations", wrong)
        .await?
        .problem(422, "plugin_config_invalid")?;
    ensure!(
        refused["errors"].as_array().is_some_and(|errors| !errors.is_empty()),
        "{refused}"
    );

    let body = json!({"plugin_id": plugin_id, "name": name, "config": config, "secrets": secrets});
    let answer = story.owner.post("/api/v1/installations", body).await?;
    let installation = answer.ok(201)?;
    ensure!(
        installation["status"] == "active" && contains(&installation["config"], &config),
        "{installation}"
    );
    for (name, value) in secrets.as_object().into_iter().flatten() {
        ensure!(
            !answer.body.contains(value.as_str().context("a secret is a text")?),
            "{name} is shown: {answer}"
        );
        let shown = installation["secrets"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|secret| secret["name"] == *name);
        ensure!(
            shown.is_some_and(|secret| secret["set"] == true),
            "{name} is not set: {installation}"
        );
    }
    story
        .changes
        .push(("installation.enabled", answer.request_id().to_owned()));
    Ok(installation)
}

/// Whether every given setting stands in the stored configuration; the schema's defaults stand beside them.
fn contains(stored: &Value, given: &Value) -> bool {
    given
        .as_object()
        .is_some_and(|given| given.iter().all(|(key, value)| stored.get(key) == Some(value)))
}
