//! The story of the platform, told over real HTTP on both stores: an operator sets it up, a tenant gets plugins, a member
//! signs in and is metered, the owner pays and reads a report, all of it is audited, and a power cut takes nothing away.

mod money;
mod plugins;
mod report;
mod sign_in;
mod usage;

use aistack_tests::actor::Actor;
use aistack_tests::host::{Store, TestHost};
use aistack_tests::need;
use aistack_tests::peers::{Keycloak, PeerError, StripeMock, StripeSdk};
use aistack_tests::upstream::Upstream;
use anyhow::ensure;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

const OWNER: (&str, &str) = ("olga@acme.test", "the owner's long password");

#[tokio::test]
async fn on_sqlite() {
    need!(story(Store::Sqlite).await);
}

#[tokio::test]
async fn on_postgres() {
    need!(story(Store::Postgres).await);
}

/// The parties of the story and what they have made so far.
struct Story {
    host: TestHost,
    operator: Actor,
    owner: Actor,
    upstream: Upstream,
    keycloak: &'static Keycloak,
    stripe: StripeMock,
    sdk: StripeSdk,
    installed: plugins::Installed,
    /// Every change a party made in the tenant: the action the audit log must name, and the request that made it.
    changes: Vec<(&'static str, String)>,
}

async fn story(store: Store) -> Result<(), PeerError> {
    // All the peers first: a missing one ends the story before it starts.
    let sdk = StripeSdk::find()?;
    let keycloak = Keycloak::shared().await?;
    let stripe = StripeMock::start().await?;
    let host = TestHost::start(store).await?;
    let upstream = Upstream::start().await?;

    let operator = first_start(&host).await?;
    let (owner, changes) = tenant(&host, &operator).await?;
    let installed = plugins::install(&host, &operator).await?;
    let mut story = Story {
        host,
        operator,
        owner,
        upstream,
        keycloak,
        stripe,
        sdk,
        installed,
        changes,
    };
    let enabled = plugins::enable(&mut story).await?;
    let member = sign_in::with_keycloak(&mut story, &enabled.oauth).await?;
    sign_in::with_oidc_provider(&mut story).await?;
    usage::until_the_quota(&mut story, &member).await?;
    money::pay(&mut story, &enabled.stripe).await?;
    report::csv_and_xlsx(&mut story, &enabled.report).await?;
    audited(&story).await?;
    power_cut(&mut story).await?;
    Ok(())
}

/// Step 1: an empty folder becomes a running platform, and the printed link makes the first operator, once.
async fn first_start(host: &TestHost) -> anyhow::Result<Actor> {
    let ready_after = host.started().ready_after;
    // One second is promised for a release build on a quiet machine; this is neither.
    ensure!(
        ready_after < Duration::from_secs(10),
        "ready only after {ready_after:?}"
    );

    let visitor = host.visitor();
    let meta = visitor.get("/api/v1/meta").await?.ok(200)?;
    ensure!(meta["setup_needed"] == true && meta["realm"] == "operator", "{meta}");
    visitor.get("/api/v1/tenants").await?.problem(401, "unauthenticated")?;
    let guess = json!({"token": "guessed", "email": "eve@example.test", "name": "Eve", "password": "long enough, eve"});
    visitor
        .post("/api/v1/setup", guess)
        .await?
        .problem(403, "setup_token_invalid")?;

    let operator = host.set_up().await?;
    let session = operator.get("/api/v1/session").await?.ok(200)?;
    ensure!(session["realm"] == "operator", "{session}");
    let meta = visitor.get("/api/v1/meta").await?.ok(200)?;
    ensure!(meta["setup_needed"] == false, "{meta}");
    ensure!(host.set_up().await.is_err(), "the set-up link works twice");
    Ok(operator)
}

/// Step 2: the operator creates the tenant, and its host name leads to it.
async fn tenant(host: &TestHost, operator: &Actor) -> anyhow::Result<(Actor, Vec<(&'static str, String)>)> {
    let before = host.tenant_visitor("acme").get("/api/v1/meta").await?;
    before.problem(421, "unknown_host")?;

    let owner = json!({"email": OWNER.0, "name": "Olga Owner", "password": OWNER.1});
    let created = operator
        .post(
            "/api/v1/tenants",
            json!({"slug": "acme", "name": "Acme 公司", "owner": owner}),
        )
        .await?;
    let tenant = created.ok(201)?;
    ensure!(tenant["slug"] == "acme" && tenant["status"] == "active", "{tenant}");

    let meta = host.tenant_visitor("acme").get("/api/v1/meta").await?.ok(200)?;
    ensure!(
        meta["realm"] == "tenant" && meta["tenant"]["id"] == tenant["id"],
        "{meta}"
    );
    let by_path = host
        .visitor()
        .at(host.tenant_path("acme"))
        .get("/api/v1/meta")
        .await?
        .ok(200)?;
    ensure!(by_path["tenant"]["id"] == tenant["id"], "{by_path}");

    let mut owner = host.tenant_visitor("acme");
    owner
        .post("/api/v1/session", json!({"email": OWNER.0, "password": "wrong"}))
        .await?
        .problem(401, "invalid_credentials")?;
    let session = owner.sign_in(OWNER.0, OWNER.1).await?;
    ensure!(
        session["user"]["role"] == "owner" && session["tenant"]["slug"] == "acme",
        "{session}"
    );
    Ok((owner, vec![("tenant.created", created.request_id().to_owned())]))
}

/// Step 8: each change is in the tenant's audit log under the request that made it, and the log proves to be whole.
async fn audited(story: &Story) -> anyhow::Result<()> {
    let events = story.owner.all("/api/v1/audit-events").await?;
    let recorded: BTreeSet<(&str, &str)> = events
        .iter()
        .filter_map(|event| Some((event["action"].as_str()?, event["request_id"].as_str()?)))
        .collect();
    for (action, request) in &story.changes {
        ensure!(
            recorded.contains(&(action, request)),
            "{action} of {request} is not audited; there is: {recorded:#?}"
        );
    }
    let mut numbers: Vec<i64> = events.iter().filter_map(|event| event["seq"].as_i64()).collect();
    numbers.sort_unstable();
    ensure!(
        numbers.windows(2).all(|pair| pair[1] == pair[0] + 1),
        "the log has gaps: {numbers:?}"
    );
    let secrets = serde_json::to_string(&events)?;
    for secret in [
        OWNER.1,
        plugins::CLIENT_SECRET,
        plugins::STRIPE_KEY,
        plugins::WEBHOOK_SECRET,
    ] {
        ensure!(!secrets.contains(secret), "a secret is in the audit log");
    }
    let verdict = story.owner.get("/api/v1/audit/verify").await?.ok(200)?;
    ensure!(
        verdict["ok"] == true && verdict["size"].as_u64() >= Some(events.len() as u64),
        "{verdict}"
    );

    // The same, looked up by request.
    let (action, request) = &story.changes[0];
    let found = story
        .owner
        .all(&format!("/api/v1/audit-events?request_id={request}"))
        .await?;
    ensure!(found.iter().any(|event| event["action"] == *action), "{found:?}");
    Ok(())
}

/// Step 9: SIGKILL, start again, and everything that was acknowledged is still there.
async fn power_cut(story: &mut Story) -> anyhow::Result<()> {
    let before = everything(story).await?;
    let last = story
        .owner
        .patch("/api/v1/tenant", json!({"name": "Acme, renamed at the last moment"}))
        .await?;
    last.ok(200)?;
    story.host.kill()?;
    ensure!(
        story.owner.get("/api/v1/tenant").await.is_err(),
        "killed and still answering"
    );
    story.host.restart().await?;

    // The session survives, too: it was acknowledged like everything else.
    let tenant = story.owner.get("/api/v1/tenant").await?.ok(200)?;
    ensure!(tenant["name"] == "Acme, renamed at the last moment", "{tenant}");
    let after = everything(story).await?;
    for ((path, was), (_, is)) in before.iter().zip(&after) {
        ensure!(was == is, "{path} changed over the restart:\n{was:#}\n{is:#}");
    }
    let verdict = story.owner.get("/api/v1/audit/verify").await?.ok(200)?;
    ensure!(verdict["ok"] == true, "{verdict}");
    let renamed = story
        .owner
        .all(&format!("/api/v1/audit-events?request_id={}", last.request_id()))
        .await?;
    ensure!(renamed.len() == 1, "the last change has {} audit events", renamed.len());
    ensure!(
        story.host.set_up().await.is_err(),
        "the restart opened the set-up again"
    );
    Ok(())
}

/// What the tenant and the operator own, read over the API.
async fn everything(story: &Story) -> anyhow::Result<Vec<(&'static str, Value)>> {
    let mut all = Vec::new();
    for path in [
        "/api/v1/users",
        "/api/v1/orders",
        "/api/v1/installations",
        "/api/v1/report-runs",
    ] {
        let mut items = story.owner.all(path).await?;
        for item in &mut items {
            // Figures of the last day's calls and of last use are not business state.
            for volatile in ["health", "last_login_at"] {
                item.as_object_mut().and_then(|fields| fields.remove(volatile));
            }
        }
        all.push((path, Value::Array(items)));
    }
    let mut quotas = story.owner.get("/api/v1/quotas").await?.ok(200)?;
    for quota in quotas["items"].as_array_mut().into_iter().flatten() {
        quota.as_object_mut().and_then(|fields| fields.remove("reset_at"));
    }
    all.push(("/api/v1/quotas", quotas));
    for path in [
        "/api/v1/plugins",
        "/api/v1/routes",
        "/api/v1/tenants?q=nothing-is-called-this",
    ] {
        all.push((path, Value::Array(story.operator.all(path).await?)));
    }
    Ok(all)
}
