//! What operators run the platform with, and what tenants use: gateway routes, quotas, usage, jobs, figures, streams.

use crate::support::Platform;
use aistack_core::JobId;
use aistack_domain::{Ctx, audit};
use aistack_store::{Job, JobState};
use http::{Method, header};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use std::time::Duration;
use tower::ServiceExt as _;

#[tokio::test]
async fn routes_are_made_replaced_and_removed_by_operators_alone() {
    let (p, mut operator) = Platform::set_up().await;
    let mut owner = p.tenant(&mut operator, "acme").await;
    let new = json!({ "path_prefix": "/v1/", "upstream": "http://127.0.0.1:9000", "tenant": "acme" });
    let made = operator.post("/api/v1/routes", new.clone()).await.ok(201);
    assert_eq!(
        (&made["meter"], &made["strip_prefix"], &made["timeout_ms"]),
        (&json!("api.calls"), &json!(false), &json!(30_000))
    );
    assert_eq!(
        operator.post("/api/v1/routes", new.clone()).await.problem(),
        (409, "already_exists")
    );
    let wrong = json!({ "path_prefix": "v1", "upstream": "ftp://x", "meter": "no.such", "timeout_ms": 0 });
    let refused = operator.post("/api/v1/routes", wrong).await;
    assert_eq!(refused.problem(), (422, "validation_failed"));
    for pointer in ["/path_prefix", "/upstream", "/meter", "/timeout_ms"] {
        assert!(refused.pointers().contains(&pointer), "{pointer}: {}", refused.body);
    }
    let stranger = json!({ "path_prefix": "/v2/", "upstream": "http://127.0.0.1:9000", "tenant": "nobody" });
    assert_eq!(operator.post("/api/v1/routes", stranger).await.status, 422);
    assert_eq!(
        owner.get("/api/v1/routes").await.problem().0,
        404,
        "routes are not a tenant's"
    );

    let path = format!("/api/v1/routes/{}", made["id"].as_str().unwrap());
    let other = json!({ "path_prefix": "/v1/", "upstream": "http://127.0.0.1:9001", "strip_prefix": true });
    let body = other.to_string().into_bytes();
    let replaced = operator
        .send(Method::PUT, &path, Some("application/json"), body)
        .await
        .ok(200);
    assert_eq!(
        (&replaced["tenant"], &replaced["upstream"], &replaced["strip_prefix"]),
        (&Value::Null, &json!("http://127.0.0.1:9001"), &json!(true))
    );
    let list = operator.get("/api/v1/routes").await.ok(200);
    assert_eq!(list["items"], json!([replaced]));
    assert_eq!(operator.delete(&path).await.status, 204);
    assert_eq!(operator.delete(&path).await.problem(), (404, "not_found"));
    let log = operator.actions("/api/v1/platform/audit-events").await;
    assert_eq!(log[..3], ["route.deleted", "route.updated", "route.created"]);
    let own = owner.actions("/api/v1/audit-events").await;
    assert!(!own.iter().any(|a| a.starts_with("route.")), "{own:?}");
}

#[tokio::test]
async fn a_tenants_own_limit_is_the_operators_to_set() {
    let (p, mut operator) = Platform::set_up().await;
    let mut owner = p.tenant(&mut operator, "acme").await;
    let quota = |list: &Value| {
        let found = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .find(|q| q["meter"] == "api.calls");
        found.unwrap().clone()
    };
    let before = quota(&owner.get("/api/v1/quotas").await.ok(200));
    assert_eq!((&before["kind"], &before["used"]), (&json!("window"), &json!(0)));
    let path = "/api/v1/quotas/api.calls";
    let put = |limit: Value| json!({ "limit": limit }).to_string().into_bytes();
    let own = owner
        .send(Method::PUT, path, Some("application/json"), put(json!(1_000_000)))
        .await;
    assert_eq!(
        own.problem(),
        (403, "permission_denied"),
        "nobody raises their own limit"
    );
    let mut inside = operator.below("acme");
    for (wrong, status) in [(json!(-1), 422), (json!("7"), 400), (json!(1.5), 400)] {
        let refused = inside
            .send(Method::PUT, path, Some("application/json"), put(wrong))
            .await;
        assert_eq!(refused.problem().0, status, "{}", refused.body);
    }
    let set = inside
        .send(Method::PUT, path, Some("application/json"), put(json!(7)))
        .await
        .ok(200);
    assert_eq!((&set["limit"], &set["remaining"]), (&json!(7), &json!(7)));
    let unlimited = inside
        .send(Method::PUT, path, Some("application/json"), put(Value::Null))
        .await
        .ok(200);
    assert_eq!(unlimited["limit"], Value::Null);
    assert_eq!(inside.delete(path).await.ok(200)["limit"], before["limit"]);
    let strange = inside
        .send(
            Method::PUT,
            "/api/v1/quotas/no.such",
            Some("application/json"),
            put(json!(1)),
        )
        .await;
    assert_eq!(strange.problem().0, 404);
    let log = owner.actions("/api/v1/audit-events").await;
    assert_eq!(
        log[..3],
        ["quota.limit_cleared", "quota.limit_set", "quota.limit_set"],
        "the tenant sees who changed it"
    );
}

#[tokio::test]
async fn reported_usage_counts_once_and_says_what_was_not_taken() {
    let (p, mut operator) = Platform::set_up().await;
    let mut owner = p.tenant(&mut operator, "acme").await;
    let now = p.app.clock.now().to_string();
    let event = |id: &str, meter: &str, quantity: i64| json!({ "source": "product", "id": id, "meter": meter, "quantity": quantity, "occurred_at": now });
    let batch = json!([
        event("a", "api.calls", 3),
        event("a", "api.calls", 3),
        event("b", "no.such", 1),
        event("c", "api.calls", -1),
    ]);
    let done = owner.post("/api/v1/usage/events", batch).await.ok(200);
    assert_eq!((&done["accepted"], &done["duplicates"]), (&json!(1), &json!(1)));
    assert_eq!(done["errors"][0], json!({ "index": 2, "code": "unknown_meter" }));
    assert_eq!(done["errors"][1]["index"], 3);
    let series = owner.get("/api/v1/usage?bucket=hour").await.ok(200);
    assert_eq!((&series["total"], &series["meter"]), (&json!(3), &json!("api.calls")));
    let events = owner.get("/api/v1/usage/events?meter=api.calls").await.ok(200);
    assert_eq!(events["items"].as_array().unwrap().len(), 1);
    assert_eq!(events["items"][0]["quantity"], 3);
    for (wrong, status) in [("bucket=year", 400), ("from=yesterday", 400), ("meter=no.such", 404)] {
        let refused = owner.get(&format!("/api/v1/usage?{wrong}")).await;
        assert_eq!(refused.problem().0, status, "{wrong}: {}", refused.body);
    }
    let mut other = p.tenant(&mut operator, "other").await;
    assert_eq!(other.get("/api/v1/usage?bucket=hour").await.ok(200)["total"], 0);
}

#[tokio::test]
async fn a_dead_job_is_seen_and_tried_again_by_operators() {
    let (p, mut operator) = Platform::set_up().await;
    let mut owner = p.tenant(&mut operator, "acme").await;
    assert_eq!(owner.get("/api/v1/platform/jobs").await.problem().0, 404);
    let now = p.app.clock.now();
    let job = Job {
        id: JobId::new(&*p.app.clock, &*p.app.rng),
        tenant_id: None,
        kind: "test.broken".to_owned(),
        payload: "{}".to_owned(),
        state: JobState::Ready,
        attempts: 0,
        max_attempts: 1,
        run_at: now,
        lease_until: None,
        last_error: None,
        created_at: now,
        updated_at: now,
    };
    let mut tx = p.app.store.platform().await.unwrap();
    tx.jobs().enqueue(&job).await.unwrap();
    let later = p.app.clock.now();
    let leased = tx
        .jobs()
        .lease(later, later.plus(Duration::from_secs(60)))
        .await
        .unwrap()
        .unwrap();
    tx.jobs()
        .bury(leased.id, leased.attempts, "the provider is gone", later)
        .await
        .unwrap();
    let draft = audit::Draft::new("test.buried", "job", job.id);
    audit::commit_platform(&p.app, tx, &Ctx::system(None), draft)
        .await
        .unwrap();

    let dead = operator.get("/api/v1/platform/jobs?state=dead").await.ok(200);
    assert_eq!(dead["items"][0]["last_error"], "the provider is gone");
    for (wrong, status) in [("state=asleep", 400), ("limit=0", 422), ("cursor=x", 422)] {
        let refused = operator.get(&format!("/api/v1/platform/jobs?{wrong}")).await;
        assert_eq!(refused.problem().0, status, "{wrong}: {}", refused.body);
    }
    let path = format!("/api/v1/platform/jobs/{}/retry", job.id);
    let again = operator.post(&path, json!({})).await.ok(200);
    assert_eq!((&again["state"], &again["attempts"]), (&json!("ready"), &json!(0)));
    assert_eq!(operator.post(&path, json!({})).await.problem(), (409, "conflict"));
    let unknown = format!("/api/v1/platform/jobs/{}/retry", JobId::new(&*p.app.clock, &*p.app.rng));
    assert_eq!(operator.post(&unknown, json!({})).await.problem(), (404, "not_found"));
    assert_eq!(
        operator.actions("/api/v1/platform/audit-events").await[0],
        "job.retried"
    );
}

#[tokio::test]
async fn the_operators_figures_count_what_is_there() {
    let (p, mut operator) = Platform::set_up().await;
    p.tenant(&mut operator, "acme").await;
    p.tenant(&mut operator, "other").await;
    operator
        .post("/api/v1/tenants/other/suspend", json!({ "reason": "unpaid" }))
        .await
        .ok(200);
    p.clock.advance(Duration::from_secs(60));
    let figures = operator.get("/api/v1/platform/overview").await.ok(200);
    assert_eq!(
        figures["tenants"],
        json!({ "total": 2, "by_status": { "active": 1, "suspended": 1 } })
    );
    assert_eq!(figures["usage_today"]["calls"], 0);
    assert_eq!(figures["node"]["store"], "sqlite");
    assert!(figures["node"]["rss_bytes"].as_u64().unwrap() > 1 << 20);
}

#[tokio::test]
async fn a_stream_tells_of_what_happens_to_those_who_may_hear_it() {
    let (p, mut operator) = Platform::set_up().await;
    let mut owner = p.tenant(&mut operator, "acme").await;
    assert_eq!(p.at("acme.localhost").get("/api/v1/live").await.problem().0, 401);
    let mut request = http::Request::get("/api/v1/live").header(header::HOST, "acme.localhost");
    for (name, value) in &owner.cookies {
        request = request.header(header::COOKIE, format!("{name}={value}"));
    }
    let request = request.body(axum::body::Body::empty()).unwrap();
    let stream = p.router.clone().oneshot(request).await.unwrap();
    assert_eq!(stream.headers()[header::CONTENT_TYPE], "text/event-stream");
    let mut body = stream.into_body();
    let now = p.app.clock.now().to_string();
    let used = json!([{ "source": "product", "id": "a", "meter": "api.calls", "quantity": 3, "occurred_at": now }]);
    owner.post("/api/v1/usage/events", used).await.ok(200);
    let heard = tokio::time::timeout(Duration::from_secs(20), async {
        let mut heard = String::new();
        while !heard.contains("event: audit") {
            let frame = body.frame().await.unwrap().unwrap();
            heard.push_str(std::str::from_utf8(&frame.into_data().unwrap()).unwrap());
        }
        heard
    });
    let heard = heard.await.expect("the change is told within seconds");
    assert!(heard.contains("data: {"), "{heard}");
}
