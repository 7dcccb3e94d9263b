//! Payments through the official stripe plugin, whatever the simulator does to them.

use super::{AMOUNT, Bench};
use aistack_tests::{need, peers::PeerError};
use anyhow::Context as _;
use serde_json::{Value, json};
use url::Url;

fn acknowledged(deliveries: &Value) -> Vec<bool> {
    let all = deliveries.as_array().into_iter().flatten();
    all.map(|d| d["acknowledged"] == true).collect()
}

#[tokio::test]
async fn a_payment_is_made_and_settled_by_the_simulators_webhook() {
    need!(settled().await);
}

async fn settled() -> Result<(), PeerError> {
    let bench = Bench::set("payment-stripe", "stripe").await?;
    let check = format!("/api/v1/installations/{}/check", bench.id());
    let findings = bench.stage.owner.post(&check, json!({"deep": true})).await?.ok(200)?;
    for finding in findings["findings"].as_array().into_iter().flatten() {
        assert_eq!(finding["ok"], true, "{finding}");
    }
    let order = bench.order("plain").await?;
    let pending = bench.pay(&order).await?.ok(200)?;
    assert_eq!(
        (&pending["status"], &pending["action"]["type"]),
        (&json!("pending"), &json!("redirect")),
        "{pending}"
    );
    let page: Url = pending["action"]["url"]
        .as_str()
        .context("a page")?
        .parse()
        .map_err(anyhow::Error::from)?;
    assert!(
        page.as_str()
            .starts_with(bench.sim.told["url"].as_str().context("url")?),
        "{page}"
    );

    // The payer presses the button, and is sent back to us.
    let payer = aistack_tests::browser::Browser::new();
    let shown = payer.get(&page).await?;
    assert!(shown.body.contains(&AMOUNT.to_string()), "{}", shown.body);
    let done = payer
        .send(payer.request(reqwest::Method::POST, &page).form(&[("choice", "paid")]))
        .await?;
    let back = done.redirect().context("back to us")?;
    assert!(back.path().ends_with(&format!("/orders/{order}/return")), "{back}");
    let paid = bench.until(&order, "paid").await?;
    assert_eq!(paid["paid"], json!({"minor": AMOUNT, "currency": "USD"}));
    let landed = payer.get(&back).await?;
    assert!(landed.status.is_redirection(), "{} {}", landed.status, landed.body);
    assert_eq!(bench.told("order.paid", &order).await?, 1);

    // A card that is declined leaves the order open for another try.
    let refused = bench.order("declined").await?;
    bench.pay(&refused).await?.ok(200)?;
    bench
        .sim
        .control(&format!("pay/{refused}"), &json!({"outcome": "declined"}))
        .await?;
    assert_eq!(bench.look(&refused).await?["status"], "pending");
    bench.sim.control(&format!("pay/{refused}"), &json!({})).await?;
    bench.until(&refused, "paid").await?;
    Ok(())
}

#[tokio::test]
async fn a_timeout_after_the_charge_charges_once_and_is_settled_later() {
    need!(timeout().await);
}

async fn timeout() -> Result<(), PeerError> {
    let bench = Bench::set("payment-stripe", "stripe").await?;
    let order = bench.order("in doubt").await?;
    // Whatever is written is done and never answered; questions are answered.
    bench
        .sim
        .arm(json!({"timeout_after_charge": true, "delay_ms": 50}))
        .await?;
    bench.pay(&order).await?.problem(502, "payment_outcome_unknown")?;
    assert_eq!(bench.look(&order).await?["status"], "unknown");
    assert_eq!(
        bench.objects("checkout.session").await?.len(),
        1,
        "it was made, though nobody told"
    );
    // Asking again while it is unknown looks it up instead of making another.
    bench.sim.disarm().await?;
    let again = bench.pay(&order).await?.ok(200)?;
    assert_eq!(again["status"], "pending", "{again}");
    assert_eq!(
        bench.objects("checkout.session").await?.len(),
        1,
        "asked twice, made once"
    );
    bench.sim.control(&format!("pay/{order}"), &json!({})).await?;
    bench.until(&order, "paid").await?;

    // The same without anybody asking: a job finds out, although the webhook got lost.
    let order = bench.order("in doubt again").await?;
    bench
        .sim
        .arm(json!({"timeout_after_charge": true, "delay_ms": 50}))
        .await?;
    bench.pay(&order).await?.problem(502, "payment_outcome_unknown")?;
    bench.sim.disarm().await?;
    bench.sim.control("webhook", &json!({"url": null})).await?;
    bench.sim.control(&format!("pay/{order}"), &json!({})).await?;
    let paid = bench.until(&order, "paid").await?;
    assert_eq!(paid["paid"]["minor"], AMOUNT);
    assert_eq!(
        bench.objects("charge").await?.len(),
        2,
        "one charge for each of two orders"
    );
    assert_eq!(bench.told("order.paid", &order).await?, 1);
    Ok(())
}

#[tokio::test]
async fn webhooks_that_come_twice_backwards_forged_or_stale_do_no_harm() {
    need!(webhooks().await);
}

async fn webhooks() -> Result<(), PeerError> {
    let bench = Bench::set("payment-stripe", "stripe").await?;
    // Twice.
    let order = bench.order("twice").await?;
    bench.pay(&order).await?.ok(200)?;
    bench.sim.arm(json!({"duplicate": true})).await?;
    let sent = bench.sim.control(&format!("pay/{order}"), &json!({})).await?;
    bench.sim.disarm().await?;
    let thanked = acknowledged(&sent["deliveries"]);
    assert!(thanked.len() >= 2 && thanked.iter().all(|ok| *ok), "{sent}");
    bench.until(&order, "paid").await?;
    assert_eq!(bench.told("order.paid", &order).await?, 1);
    assert!(bench.told("webhook.repeated", "").await? >= 1);
    let paid = bench.look(&order).await?;
    let completed = bench.event("checkout.session.completed").await?;
    for _ in 0..3 {
        assert_eq!(acknowledged(&bench.sim.resend(&completed).await?), [true]);
    }
    assert_eq!(bench.look(&order).await?, paid, "an old event again changes nothing");

    // Backwards: the refund arrives before the payment it takes back.
    let order = bench.order("backwards").await?;
    bench.pay(&order).await?.ok(200)?;
    let hook = bench.installation["endpoints"][0]["url"].clone();
    bench.sim.control("webhook", &json!({"url": null})).await?;
    bench.sim.control(&format!("pay/{order}"), &json!({})).await?;
    bench
        .sim
        .control("deliver", &json!({"kind": "charge.refunded", "ref": order}))
        .await?;
    assert_eq!(
        bench.look(&order).await?["status"],
        "pending",
        "nothing has arrived yet"
    );
    bench.sim.control("webhook", &json!({"url": hook})).await?;
    let (completed, refunded) = (
        bench.event("checkout.session.completed").await?,
        bench.event("charge.refunded").await?,
    );
    assert_eq!(acknowledged(&bench.sim.resend(&refunded).await?), [true]);
    bench.until(&order, "refunded").await?;
    assert_eq!(acknowledged(&bench.sim.resend(&completed).await?), [true]);
    assert_eq!(
        bench.look(&order).await?["status"],
        "refunded",
        "a status never goes backwards"
    );

    // The simulator's own knob: the later of two first.
    let order = bench.order("reversed").await?;
    bench.pay(&order).await?.ok(200)?;
    bench.sim.arm(json!({"out_of_order": true})).await?;
    let sent = bench.sim.control(&format!("pay/{order}"), &json!({})).await?;
    bench.sim.disarm().await?;
    assert!(acknowledged(&sent["deliveries"]).iter().all(|ok| *ok), "{sent}");
    bench.until(&order, "paid").await?;

    // Forged and stale: refused, not acknowledged, and without effect until the genuine one comes.
    for knob in ["bad_signature", "stale"] {
        let order = bench.order(knob).await?;
        bench.pay(&order).await?.ok(200)?;
        bench.sim.arm(json!({knob: true})).await?;
        let sent = bench.sim.control(&format!("pay/{order}"), &json!({})).await?;
        bench.sim.disarm().await?;
        for delivery in sent["deliveries"].as_array().into_iter().flatten() {
            assert_eq!(
                (&delivery["status"], &delivery["acknowledged"]),
                (&json!(400), &json!(false)),
                "{delivery}"
            );
        }
        assert_eq!(bench.look(&order).await?["status"], "pending", "{knob}");
        let genuine = bench.event("checkout.session.completed").await?;
        assert_eq!(acknowledged(&bench.sim.resend(&genuine).await?), [true], "{knob}");
        bench.until(&order, "paid").await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_webhook_secret_is_rolled_without_losing_an_event() {
    need!(rolled().await);
}

async fn rolled() -> Result<(), PeerError> {
    let bench = Bench::set("payment-stripe", "stripe").await?;
    // Overlapping: signed with both, the old one is still ours.
    bench.sim.arm(json!({"rotate_certificate": true})).await?;
    let order = bench.order("overlapping").await?;
    bench.pay(&order).await?.ok(200)?;
    bench.sim.control(&format!("pay/{order}"), &json!({})).await?;
    bench.until(&order, "paid").await?;
    // Abrupt: nothing fits until the new secret is typed in, at once and without a restart.
    bench.sim.arm(json!({"rotate_certificate": "abrupt"})).await?;
    let order = bench.order("abrupt").await?;
    bench.pay(&order).await?.ok(200)?;
    let sent = bench.sim.control(&format!("pay/{order}"), &json!({})).await?;
    assert!(acknowledged(&sent["deliveries"]).iter().all(|ok| !ok), "{sent}");
    assert_eq!(bench.look(&order).await?["status"], "pending");
    let state = bench.sim.look("state").await?;
    let secret = state["webhook_secrets"][0].clone();
    let path = format!("/api/v1/installations/{}", bench.id());
    bench
        .stage
        .owner
        .patch(&path, json!({"secrets": {"webhook_secret": secret}}))
        .await?
        .ok(200)?;
    let completed = bench.event("checkout.session.completed").await?;
    assert_eq!(acknowledged(&bench.sim.resend(&completed).await?), [true]);
    bench.until(&order, "paid").await?;
    Ok(())
}
