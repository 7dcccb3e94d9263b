//! The lines of the hostile-plugin list that need sessions, orders or a directory: through the API of the real server,
//! each beside a tenant that must not notice. The other lines are in `host/plugins/tests/hostile`.

mod directories;
mod killed;
mod logins;
mod money;
mod neighbour;
mod screens;
mod webhooks;

use aistack_tests::{
    actor::{Actor, Answer},
    host::{Store, TestHost, hostile, plugin},
    peers::PeerError,
};
use anyhow::Context as _;
use serde_json::{Value, json};
use url::Url;

const PASSWORD: &str = "a long password for everybody";

/// A platform with the hostile plugins, a tenant that enables them, and a tenant that minds its own business.
struct Stage {
    host: TestHost,
    operator: Actor,
    /// The owner of the tenant `acme`, where the hostile plugins are.
    owner: Actor,
    /// The owner of the tenant `good`.
    good: Actor,
    /// What `good` has enabled.
    report: Value,
}

impl Stage {
    async fn set(store: Store) -> Result<Self, PeerError> {
        Self::on(TestHost::start(store).await?).await
    }

    async fn on(host: TestHost) -> Result<Self, PeerError> {
        let operator = host.set_up().await?;
        for component in [hostile("door")?, hostile("till")?, plugin("report-usage")?] {
            operator.install_plugin(component).await?.ok(201)?;
        }
        let owner = tenant(&host, &operator, "acme").await?;
        let good = tenant(&host, &operator, "good").await?;
        let report = enable(&good, "official.usage-report", json!({})).await?;
        Ok(Self {
            host,
            operator,
            owner,
            good,
            report,
        })
    }
}

/// A tenant with its owner, signed in.
async fn tenant(host: &TestHost, operator: &Actor, slug: &str) -> anyhow::Result<Actor> {
    let email = format!("owner@{slug}.test");
    let owner = json!({"email": email, "name": "Owner", "password": PASSWORD});
    let body = json!({"slug": slug, "name": slug, "plan": "professional", "owner": owner});
    operator.post("/api/v1/tenants", body).await?.ok(201)?;
    let mut owner = host.tenant_visitor(slug);
    owner.sign_in(&email, PASSWORD).await?;
    Ok(owner)
}

async fn enable(owner: &Actor, plugin: &str, config: Value) -> anyhow::Result<Value> {
    let body = json!({"plugin_id": plugin, "name": plugin, "config": config, "secrets": {}});
    owner.post("/api/v1/installations", body).await?.ok(201)
}

async fn configure(owner: &Actor, installation: &Value, config: Value) -> anyhow::Result<()> {
    let path = format!("/api/v1/installations/{}", id(installation));
    owner.patch(&path, json!({"config": config})).await?.ok(200).map(drop)
}

fn id(thing: &Value) -> &str {
    thing["id"].as_str().unwrap_or_default()
}

/// Where a provider delivers.
fn hook(installation: &Value) -> anyhow::Result<Url> {
    Ok(installation["endpoints"][0]["url"]
        .as_str()
        .context("an endpoint")?
        .parse()?)
}

/// Delivers as a provider does: knowing the address and nothing else.
async fn deliver(host: &TestHost, to: &Url, body: &Value) -> anyhow::Result<Answer> {
    let provider = host.visitor();
    let request = provider.browser.request(reqwest::Method::POST, to).json(body);
    provider.send(request).await
}

/// An order that waits for its payment at the till.
async fn pending(owner: &Actor, till: &Value, name: &str, minor: i64) -> anyhow::Result<String> {
    let body = json!({"amount": {"minor": minor, "currency": "USD"}, "description": name, "installation": id(till),
        "idempotency_key": name.replace(' ', "-")});
    let order = owner.post("/api/v1/orders", body).await?.ok(201)?;
    let paying = owner
        .post(&format!("/api/v1/orders/{}/pay", id(&order)), json!({}))
        .await?
        .ok(200)?;
    anyhow::ensure!(paying["status"] == "pending", "{paying}");
    Ok(id(&order).to_owned())
}

async fn order(owner: &Actor, id: &str) -> anyhow::Result<Value> {
    owner.get(&format!("/api/v1/orders/{id}")).await?.ok(200)
}

/// An event that says what became of an order.
fn event(name: &str, order: &str, status: &str, paid: Value) -> Value {
    let mut data = json!({"status": status});
    data["paid"] = paid;
    json!({"id": name, "kind": format!("payment.{status}"), "subject": order, "data": data})
}

/// How often the tenant's audit log tells of `action` with `needle` in it.
async fn told(owner: &Actor, action: &str, needle: &str) -> anyhow::Result<usize> {
    let events = owner.all("/api/v1/audit-events").await?;
    let about = |e: &&Value| e["action"] == action && e.to_string().contains(needle);
    Ok(events.iter().filter(about).count())
}

async fn audit_holds(owner: &Actor) -> anyhow::Result<()> {
    let verdict = owner.get("/api/v1/audit/verify").await?.ok(200)?;
    anyhow::ensure!(verdict["ok"] == true, "{verdict}");
    Ok(())
}
