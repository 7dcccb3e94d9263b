//! Step 6: the owner pays an order through the stripe plugin; only a genuine webhook that fits the order marks it paid.

use super::Story;
use super::plugins::WEBHOOK_SECRET;
use aistack_tests::actor::{Actor, Answer};
use anyhow::{Context as _, bail, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

const AMOUNT: u64 = 19_900;

pub(super) async fn pay(story: &mut Story, installation: &Value) -> anyhow::Result<()> {
    let order = order(story, installation).await?;
    let id = order["id"].as_str().context("an id")?.to_owned();
    let path = format!("/api/v1/orders/{id}");
    let asked = story.owner.post(&format!("{path}/pay"), json!({})).await?;
    let pending = asked.ok(200)?;
    ensure!(
        pending["status"] == "pending" && pending["action"]["type"] == "redirect",
        "{pending}"
    );
    ensure!(
        pending["action"]["url"]
            .as_str()
            .is_some_and(|url| url.starts_with("https://")),
        "{pending}"
    );
    story.changes.push(("order.pending", asked.request_id().to_owned()));
    let again = story.owner.post(&format!("{path}/pay"), json!({})).await?.ok(200)?;
    ensure!(
        again["provider_ref"] == pending["provider_ref"],
        "asked twice, two payments:\n{pending}\n{again}"
    );

    let webhook = Webhook {
        url: installation["endpoints"][0]["url"]
            .as_str()
            .context("an endpoint for webhooks")?
            .parse()?,
        sender: story.host.visitor(),
    };
    let event = |name: &str, amount: u64, currency: &str| {
        json!({
            "id": name,
            "object": "event",
            "api_version": "2025-01-27.acacia",
            "created": now(),
            "livemode": false,
            "type": "checkout.session.completed",
            "data": {"object": {
                "id": pending["provider_ref"],
                "object": "checkout.session",
                "client_reference_id": id,
                "metadata": {"order_id": id},
                "mode": "payment",
                "status": "complete",
                "payment_status": "paid",
                "amount_total": amount,
                "currency": currency,
                "payment_intent": "pi_of_the_story",
                "livemode": false,
            }},
        })
        .to_string()
    };
    let genuine = event("evt_paid", AMOUNT, "usd");

    // What must change nothing.
    let forged = story.sdk.sign(&genuine, "whsec_of_somebody_else", now()).await?;
    webhook
        .deliver(&genuine, &forged)
        .await?
        .problem(400, "signature_invalid")?;
    let stale = story.sdk.sign(&genuine, WEBHOOK_SECRET, now() - 3_600).await?;
    webhook
        .deliver(&genuine, &stale)
        .await?
        .problem(400, "signature_invalid")?;
    let signature = story.sdk.sign(&genuine, WEBHOOK_SECRET, now()).await?;
    webhook
        .deliver(&event("evt_paid", 1, "usd"), &signature)
        .await?
        .problem(400, "signature_invalid")?;
    webhook.deliver(&genuine, "").await?.problem(400, "signature_invalid")?;
    for (name, amount, currency) in [
        ("evt_too_little", AMOUNT - 1, "usd"),
        ("evt_other_money", AMOUNT, "jpy"),
    ] {
        let body = event(name, amount, currency);
        let signature = story.sdk.sign(&body, WEBHOOK_SECRET, now()).await?;
        webhook.deliver(&body, &signature).await?;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let unmoved = story.owner.get(&path).await?.ok(200)?;
    ensure!(unmoved["status"] == "pending" && unmoved["paid"].is_null(), "{unmoved}");

    // What must, once.
    let signature = story.sdk.sign(&genuine, WEBHOOK_SECRET, now()).await?;
    let accepted = webhook.deliver(&genuine, &signature).await?;
    ensure!(accepted.status == 200, "{accepted}");
    let paid = until_paid(&story.owner, &path).await?;
    ensure!(
        paid["paid"] == json!({"minor": AMOUNT, "currency": "USD"}) && paid["paid_at"].is_string(),
        "{paid}"
    );
    story.changes.push(("order.paid", accepted.request_id().to_owned()));

    let events = story.owner.all("/api/v1/audit-events").await?;
    let repeated = webhook.deliver(&genuine, &signature).await?;
    ensure!(
        repeated.status == 200,
        "a provider that repeats itself must be thanked: {repeated}"
    );
    tokio::time::sleep(Duration::from_millis(500)).await;
    ensure!(
        story.owner.get(&path).await?.ok(200)? == paid,
        "a repeated webhook changed the order"
    );
    let paid_events = |events: &[Value]| events.iter().filter(|event| event["action"] == "order.paid").count();
    let events_after = story.owner.all("/api/v1/audit-events").await?;
    ensure!(
        paid_events(&events) == 1 && paid_events(&events_after) == 1,
        "paid more than once"
    );
    Ok(())
}

async fn order(story: &mut Story, installation: &Value) -> anyhow::Result<Value> {
    let body = json!({
        "amount": {"minor": AMOUNT, "currency": "USD"},
        "description": "Professional, one month",
        "installation": installation["id"],
        "idempotency_key": "the-first-order-of-acme",
    });
    let created = story.owner.post("/api/v1/orders", body.clone()).await?;
    let order = created.ok(201)?;
    ensure!(order["status"] == "draft" && order["paid"].is_null(), "{order}");
    story.changes.push(("order.created", created.request_id().to_owned()));
    let again: Value = serde_json::from_str(&story.owner.post("/api/v1/orders", body).await?.body)?;
    ensure!(again["id"] == order["id"], "one idempotency key, two orders: {again}");
    Ok(order)
}

struct Webhook {
    url: url::Url,
    sender: Actor,
}

impl Webhook {
    /// Delivers as Stripe does: straight to the URL, knowing no session.
    async fn deliver(&self, body: &str, signature: &str) -> anyhow::Result<Answer> {
        let mut request = self.sender.browser.request(Method::POST, &self.url);
        if !signature.is_empty() {
            request = request.header("stripe-signature", signature);
        }
        self.sender
            .send(request.header("content-type", "application/json").body(body.to_owned()))
            .await
    }
}

async fn until_paid(owner: &Actor, path: &str) -> anyhow::Result<Value> {
    for _ in 0..200 {
        let order = owner.get(path).await?.ok(200)?;
        if order["status"] == "paid" {
            return Ok(order);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bail!("not paid after ten seconds: {}", owner.get(path).await?)
}

fn now() -> i64 {
    std::time::UNIX_EPOCH
        .elapsed()
        .map_or(0, |since| since.as_secs().cast_signed())
}
