//! What all simulators share: control plane, faults, log, page.

use crate::support::{Bench, Hook};
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn every_simulator_explains_itself_and_is_the_same_again() {
    for simulator in aistack_simulators::all() {
        let (one, other) = (Bench::start(simulator.name).await, Bench::start(simulator.name).await);
        assert_eq!(
            one.sim.secrets, other.sim.secrets,
            "the same seed gives the same secrets"
        );
        let page = one.http.get(one.url("/")).send().await.unwrap().text().await.unwrap();
        assert!(
            page.contains(simulator.title.en) && page.contains(simulator.title.zh),
            "{page}"
        );
        let overview = one.get("/_sim").await;
        assert_eq!(overview["config"], one.sim.config);
        assert!(overview["knobs"].as_array().unwrap().len() >= 3);
        // Every secret that the configuration points to is there.
        let config = one.sim.config.as_object().unwrap();
        for name in config.values().filter_map(|v| v["$secret"].as_str()) {
            assert!(one.sim.secrets[name].as_str().is_some_and(|s| !s.is_empty()), "{name}");
        }
        one.sim.stop().await;
    }
}

#[tokio::test]
async fn foreign_pages_and_nonsense_are_refused() {
    let bench = Bench::start("oidc").await;
    let post = |path: &str| bench.http.post(bench.url(path));
    let foreign = post("/_sim/reset")
        .header("origin", "https://evil.example")
        .send()
        .await
        .unwrap();
    assert_eq!(foreign.status(), 403);
    let answers = [
        (post("/_sim/faults").body("{"), 400, "not_json"),
        (post("/_sim/faults").json(&json!({"bad": true})), 400, "knob_unknown"),
        (post("/_sim/nothing"), 404, "no_such_control"),
        (post("/_sim/pay/none"), 404, "order_unknown"),
        (post("/_sim/deliver").json(&json!({"kind": "x"})), 400, "kind_unknown"),
        (
            post("/_sim/webhook").json(&json!({"url": "ftp://x"})),
            400,
            "url_invalid",
        ),
    ];
    for (request, status, code) in answers {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status);
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["code"], code);
        assert!(body["hint"].as_str().is_some_and(|h| !h.is_empty()));
    }
    let large = post("/token").body(vec![b'a'; (1 << 20) + 1]).send().await;
    // Refused, or cut while it was still being sent.
    assert!(large.is_err() || large.unwrap().status() == 413);
}

#[tokio::test]
async fn status_and_delay_hold_for_as_many_requests_as_said() {
    let bench = Bench::start("oidc").await;
    bench.control("faults", json!({"status": 503, "next": 2})).await;
    let jwks = || async {
        bench
            .http
            .get(bench.url("/jwks"))
            .send()
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    assert_eq!([jwks().await, jwks().await, jwks().await], [503, 503, 200]);
    bench.control("faults", json!({"delay_ms": 300, "next": 1})).await;
    let impatient = bench
        .http
        .get(bench.url("/jwks"))
        .timeout(Duration::from_millis(100))
        .send()
        .await;
    assert!(impatient.unwrap_err().is_timeout());
    assert_eq!(jwks().await, 200);
    let log = bench.get("/_sim/log").await;
    assert_eq!(log[0]["faults"], json!(["status"]));
    assert_eq!(log[0]["status"], 503);
}

#[tokio::test]
async fn the_log_keeps_no_secrets() {
    let bench = Bench::start("oidc").await;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", "HUSH1"),
        ("client_secret", "HUSH2"),
    ];
    bench
        .http
        .post(bench.url("/token?code=HUSH3"))
        .basic_auth("x", Some("HUSH4"))
        .form(&form)
        .send()
        .await
        .unwrap();
    let log = bench.get("/_sim/log").await.to_string();
    assert!(log.contains("/token") && !log.contains("HUSH"), "{log}");
}

#[tokio::test]
async fn a_webhook_that_is_not_taken_is_reported_as_such() {
    let bench = Bench::start("oidc").await;
    let hook = Hook::start("no").await;
    hook.answer_with(500);
    let sent = bench
        .control("deliver", json!({"kind": "backchannel_logout", "to": hook.url}))
        .await;
    assert_eq!(
        (&sent["deliveries"][0]["status"], &sent["deliveries"][0]["acknowledged"]),
        (&json!(500), &json!(false))
    );
    let nowhere = bench.control("deliver", json!({"kind": "backchannel_logout"})).await;
    assert!(
        nowhere["deliveries"][0]["error"]
            .as_str()
            .unwrap()
            .contains("no address")
    );
    let tls = bench
        .control(
            "deliver",
            json!({"kind": "backchannel_logout", "to": "https://example.test/"}),
        )
        .await;
    assert!(tls["deliveries"][0]["error"].as_str().unwrap().contains("plain http"));
}
