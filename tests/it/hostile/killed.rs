//! Line 39: the power goes between the commit and the acknowledgement.

use super::{
    Stage, audit_holds, deliver, enable, event, hook, id, neighbour::with_good_neighbour, order, pending, told,
};
use aistack_tests::{
    host::{Store, TestHost},
    need,
    peers::{Break, PeerError, Postgres, PostgresProxy},
};
use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use std::time::Duration;
use url::Url;

const AMOUNT: i64 = 1_999;

fn paid(name: &str, order: &str) -> Value {
    json!({"events": [event(name, order, "paid", json!({"minor": AMOUNT, "currency": "USD"}))]})
}

/// Delivers in the background: the one who waits for the answer must not be the one who pulls the plug.
fn deliver_behind(to: &Url, body: &Value) -> tokio::task::JoinHandle<Option<u16>> {
    let (to, body) = (to.clone(), body.clone());
    tokio::spawn(async move {
        let browser = aistack_tests::browser::Browser::new();
        let request = browser.request(reqwest::Method::POST, &to).json(&body);
        browser.send(request).await.ok().map(|page| page.status.as_u16())
    })
}

/// What must be so after the restart, whatever was lost: the provider delivers again until it is thanked, and the order
/// was paid once.
async fn settled_once(stage: &Stage, to: &Url, body: &Value, order_id: &str) -> anyhow::Result<()> {
    for _ in 0..20 {
        let answer = deliver(&stage.host, to, body).await?;
        if answer.status == 200 {
            let now = order(&stage.owner, order_id).await?;
            ensure!(now["status"] == "paid" && now["paid"]["minor"] == AMOUNT, "{now}");
            let times = told(&stage.owner, "order.paid", order_id).await?;
            ensure!(times == 1, "paid {times} times");
            return audit_holds(&stage.owner).await;
        }
        ensure!(answer.status >= 500, "{answer}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    anyhow::bail!("never thanked")
}

#[tokio::test]
async fn hostile_39_a_kill_between_commit_and_acknowledgement_pays_once() {
    need!(between().await);
}

async fn between() -> Result<(), PeerError> {
    let cluster = Postgres::shared().await?;
    let proxy = PostgresProxy::start(cluster.port()).await?;
    let host = TestHost::start_on(Store::Postgres, toml::Table::new(), |url| {
        proxy.through(&url, cluster.port())
    })
    .await?;
    let mut stage = Stage::on(host).await?;
    let till = enable(&stage.owner, "test.till", json!({})).await?;
    let to = hook(&till)?;
    let order_id = pending(&stage.owner, &till, "between", AMOUNT).await?;
    let body = paid("evt_between_commit_and_ack", &order_id);
    let bystander = with_good_neighbour(&stage, async { stage.good.all("/api/v1/installations").await }).await?;

    // The delivery is kept in a first transaction and applied in a second; that one commits, and nobody hears of it.
    proxy.arm(Break::AfterCommit, "evt_between_commit_and_ack", 1);
    let provider = deliver_behind(&to, &body);
    tokio::time::timeout(Duration::from_secs(30), proxy.broken())
        .await
        .context("the second commit never came")?;
    stage.host.kill()?;
    assert_eq!(
        provider.await.context("the provider")?,
        None,
        "nothing was acknowledged"
    );
    stage.host.restart().await?;
    let now = order(&stage.owner, &order_id).await?;
    assert_eq!(now["status"], "paid", "what was committed is there: {now}");
    settled_once(&stage, &to, &body, &order_id).await?;
    assert_eq!(
        told(&stage.owner, "webhook.repeated", "").await?,
        1,
        "the second delivery was seen to be one"
    );
    // The other tenant lost nothing either, and goes on.
    with_good_neighbour(&stage, async {
        let after = stage.good.all("/api/v1/installations").await?;
        ensure!(
            after.len() == bystander.len() && id(&after[0]) == id(&bystander[0]),
            "{after:?}"
        );
        audit_holds(&stage.good).await
    })
    .await?;
    Ok(())
}

#[tokio::test]
async fn hostile_39_a_kill_at_any_moment_of_a_delivery_pays_once() {
    need!(any_moment().await);
}

async fn any_moment() -> Result<(), PeerError> {
    let mut stage = Stage::set(Store::Sqlite).await?;
    let till = enable(&stage.owner, "test.till", json!({})).await?;
    let to = hook(&till)?;
    for (n, delay) in [0_u64, 1, 2, 4, 7, 12, 20].into_iter().enumerate() {
        let order_id = pending(&stage.owner, &till, &format!("moment {n}"), AMOUNT).await?;
        let body = paid(&format!("evt_moment_{n}"), &order_id);
        let provider = deliver_behind(&to, &body);
        tokio::time::sleep(Duration::from_millis(delay)).await;
        stage.host.kill()?;
        let heard = provider.await.context("the provider")?;
        stage.host.restart().await?;
        if heard == Some(200) {
            let now = order(&stage.owner, &order_id).await?;
            assert_eq!(now["status"], "paid", "thanked after {delay} ms, and lost: {now}");
        }
        with_good_neighbour(&stage, settled_once(&stage, &to, &body, &order_id))
            .await
            .with_context(|| format!("killed after {delay} ms"))?;
    }
    audit_holds(&stage.good).await?;
    Ok(())
}
