//! Lines 30 and 31: deliveries to the wrong place, twice, out of order, replayed, and while the database fails.

use super::{Stage, deliver, enable, event, hook, neighbour::with_good_neighbour, order, pending, told};
use aistack_tests::{
    host::{Store, TestHost},
    need,
    peers::{Break, PeerError, Postgres, PostgresProxy},
};
use serde_json::json;

const AMOUNT: i64 = 1_999;

#[tokio::test]
async fn hostile_30_a_delivery_counts_where_it_was_addressed_and_nowhere_else() {
    need!(elsewhere().await);
}

async fn elsewhere() -> Result<(), PeerError> {
    let stage = Stage::set(Store::Sqlite).await?;
    with_good_neighbour(&stage, async {
        let other = super::tenant(&stage.host, &stage.operator, "other").await?;
        let ours = enable(&stage.owner, "test.till", json!({})).await?;
        let second = enable(&stage.owner, "test.till", json!({})).await?;
        let theirs = enable(&other, "test.till", json!({})).await?;
        let order_id = pending(&stage.owner, &ours, "ours", AMOUNT).await?;
        let paid = |name: &str| {
            let money = json!({"minor": AMOUNT, "currency": "USD"});
            json!({"events": [event(name, &order_id, "paid", money)]})
        };
        // To another tenant's address, and to another installation's of the same tenant: received, and of no effect.
        for (to, seen_by) in [(&theirs, &other), (&second, &stage.owner)] {
            let answer = deliver(&stage.host, &hook(to)?, &paid("evt_elsewhere")).await?;
            assert_eq!(answer.status, 200, "{answer}");
            assert_eq!(order(&stage.owner, &order_id).await?["status"], "pending");
            assert_eq!(told(seen_by, "webhook.mismatch", "order_unknown").await?, 1);
        }
        assert_eq!(
            told(&other, "webhook.mismatch", "order_unknown").await?,
            1,
            "each in its own log"
        );
        // Addresses put together from parts of two.
        let (ours_at, theirs_at) = (hook(&ours)?, hook(&theirs)?);
        let parts =
            |url: &url::Url| -> Vec<String> { url.path().trim_matches('/').split('/').map(str::to_owned).collect() };
        let (a, b) = (parts(&ours_at), parts(&theirs_at));
        let n = a.len();
        let mixed = [
            ours_at.join(&format!("/hooks/{}/{}/{}", a[n - 3], a[n - 2], b[n - 1])),
            theirs_at.join(&format!("/hooks/{}/{}/{}", b[n - 3], b[n - 2], a[n - 1])),
            ours_at.join(&format!(
                "/hooks/{}/{}/{}",
                parts(&hook(&second)?)[n - 3],
                a[n - 2],
                a[n - 1]
            )),
            ours_at.join(&format!("/hooks/{}/other/{}", a[n - 3], a[n - 1])),
            // The right path at the other tenant's host.
            stage.host.tenant_base("other").join(ours_at.path()),
        ];
        for to in mixed {
            let answer = deliver(&stage.host, &to?, &paid("evt_mixed")).await?;
            answer.problem(404, "not_found")?;
        }
        assert_eq!(order(&stage.owner, &order_id).await?["status"], "pending");
        // None of it has used the event's name up where it belongs.
        let answer = deliver(&stage.host, &ours_at, &paid("evt_elsewhere")).await?;
        assert_eq!(answer.status, 200, "{answer}");
        assert_eq!(order(&stage.owner, &order_id).await?["status"], "paid");
        assert!(other.all("/api/v1/orders").await?.is_empty());
        Ok(())
    })
    .await?;
    Ok(())
}

#[tokio::test]
async fn hostile_31_however_often_it_is_delivered_it_happens_once() {
    need!(once(Store::Sqlite).await);
    need!(once(Store::Postgres).await);
}

async fn once(store: Store) -> Result<(), PeerError> {
    let stage = Stage::set(store).await?;
    with_good_neighbour(&stage, async {
        let till = enable(&stage.owner, "test.till", json!({})).await?;
        let to = hook(&till)?;
        let order_id = pending(&stage.owner, &till, "once", AMOUNT).await?;
        let money = json!({"minor": AMOUNT, "currency": "USD"});
        let paid = json!({"events": [event("evt_paid", &order_id, "paid", money.clone())]});
        // At the same time.
        let all = futures_util::future::join_all((0..8).map(|_| deliver(&stage.host, &to, &paid))).await;
        for answer in all {
            let answer = answer?;
            assert_eq!((answer.status, answer.body.as_str()), (200, "thank you"), "{answer}");
        }
        let settled = order(&stage.owner, &order_id).await?;
        assert_eq!(settled["status"], "paid", "{settled}");
        assert_eq!(told(&stage.owner, "order.paid", &order_id).await?, 1);
        // Afterwards, under the same name and under new ones, and what was before it.
        for (name, status) in [
            ("evt_paid", "paid"),
            ("evt_paid_2", "paid"),
            ("evt_old", "pending"),
            ("evt_older", "failed"),
            ("evt_oldest", "cancelled"),
        ] {
            let body = json!({"events": [event(name, &order_id, status, json!(null))]});
            let body = if status == "paid" {
                json!({"events": [event(name, &order_id, status, money.clone())]})
            } else {
                body
            };
            let answer = deliver(&stage.host, &to, &body).await?;
            assert_eq!(answer.status, 200, "{name}: {answer}");
            assert_eq!(order(&stage.owner, &order_id).await?, settled, "{name}");
        }
        assert_eq!(told(&stage.owner, "order.paid", &order_id).await?, 1);
        // One delivery that says the same thing three times over.
        let order_id = pending(&stage.owner, &till, "thrice", AMOUNT).await?;
        let one = event("evt_thrice", &order_id, "paid", money.clone());
        let answer = deliver(&stage.host, &to, &json!({"events": [one, one, one]})).await?;
        assert_eq!(answer.status, 200, "{answer}");
        assert_eq!(told(&stage.owner, "order.paid", &order_id).await?, 1);
        super::audit_holds(&stage.owner).await
    })
    .await?;
    Ok(())
}

#[tokio::test]
async fn hostile_31_what_could_not_be_committed_is_not_acknowledged() {
    need!(not_committed().await);
}

async fn not_committed() -> Result<(), PeerError> {
    let cluster = Postgres::shared().await?;
    let proxy = PostgresProxy::start(cluster.port()).await?;
    let host = TestHost::start_on(Store::Postgres, toml::Table::new(), |url| {
        proxy.through(&url, cluster.port())
    })
    .await?;
    let stage = Stage::on(host).await?;
    with_good_neighbour(&stage, async {
        let till = enable(&stage.owner, "test.till", json!({})).await?;
        let to = hook(&till)?;
        let order_id = pending(&stage.owner, &till, "in vain", AMOUNT).await?;
        let money = json!({"minor": AMOUNT, "currency": "USD"});
        let paid = json!({"events": [event("evt_the_one_in_vain", &order_id, "paid", money)]});
        // The delivery itself is kept; what it says can't be.
        proxy.arm(Break::BeforeCommit, "evt_the_one_in_vain", 1);
        let answer = deliver(&stage.host, &to, &paid).await?;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (503, "again, please"),
            "{answer}"
        );
        proxy.broken().await;
        assert_eq!(order(&stage.owner, &order_id).await?["status"], "pending");
        assert_eq!(told(&stage.owner, "order.paid", &order_id).await?, 0);
        // It comes again, as providers do.
        let answer = deliver(&stage.host, &to, &paid).await?;
        assert_eq!((answer.status, answer.body.as_str()), (200, "thank you"), "{answer}");
        assert_eq!(order(&stage.owner, &order_id).await?["status"], "paid");
        assert_eq!(told(&stage.owner, "order.paid", &order_id).await?, 1);
        super::audit_holds(&stage.owner).await
    })
    .await?;
    Ok(())
}
