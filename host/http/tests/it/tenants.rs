//! Making and changing tenants.

use crate::support::{PASSWORD, Platform};
use aistack_core::TenantStatus;
use aistack_domain::tenancy;
use serde_json::json;

#[tokio::test]
async fn a_tenant_is_made_with_its_owner_and_both_logs_say_so() {
    let (p, mut operator) = Platform::set_up().await;
    let mut owner = p.tenant(&mut operator, "acme").await;
    let tenant = operator.get("/api/v1/tenants/acme").await.ok(200);
    assert_eq!(
        (&tenant["status"], &tenant["users"], &tenant["isolation"]),
        (&json!("active"), &json!(1), &json!("database"))
    );
    assert_eq!(tenant["url"], "http://acme.localhost:8080");
    let by_id = operator
        .get(&format!("/api/v1/tenants/{}", tenant["id"].as_str().unwrap()))
        .await
        .ok(200);
    assert_eq!(by_id["slug"], "acme");
    let own = owner.actions("/api/v1/audit-events").await;
    assert_eq!(own, ["session.opened", "user.created", "tenant.created"]);
    let platform = operator.actions("/api/v1/platform/audit-events").await;
    assert_eq!(platform[..2], ["tenant.activated", "tenant.created"]);
    for path in ["/api/v1/platform/audit/verify"] {
        assert_eq!(operator.get(path).await.ok(200)["ok"], true);
    }
    let verdict = owner.get("/api/v1/audit/verify").await.ok(200);
    assert_eq!((&verdict["ok"], &verdict["size"]), (&json!(true), &json!(3)));
    let again = operator
        .post("/api/v1/tenants", json!({ "slug": "acme", "name": "Other" }))
        .await;
    assert_eq!(again.problem(), (409, "already_exists"));
    assert_eq!(
        operator.get("/api/v1/tenants/nobody").await.problem(),
        (404, "tenant_not_found")
    );
}

#[tokio::test]
async fn provisioning_that_was_interrupted_is_finished_at_the_next_start() {
    let (p, mut operator) = Platform::set_up().await;
    p.tenant(&mut operator, "acme").await;
    // As a crash right after the first commit leaves it: the row is there, nothing else is.
    let mut row = tenancy::find(&p.app, "acme").await.unwrap();
    row.id = aistack_core::TenantId::new(&*p.app.clock, &*p.app.rng);
    row.slug = "halfway".to_owned();
    row.status = TenantStatus::Provisioning;
    let mut tx = p.app.store.platform().await.unwrap();
    tx.tenants().insert(&row).await.unwrap();
    let ctx = aistack_domain::Ctx::system(None);
    let draft = aistack_domain::audit::Draft::new("tenant.created", "tenant", row.id);
    aistack_domain::audit::commit_platform(&p.app, tx, &ctx, draft)
        .await
        .unwrap();
    assert_eq!(
        p.at("halfway.localhost")
            .post("/api/v1/session", json!({ "email": "a@b.test", "password": PASSWORD }))
            .await
            .problem(),
        (403, "tenant_state_forbids")
    );
    assert_eq!(tenancy::resume_all(&p.app).await.unwrap(), 1);
    assert_eq!(tenancy::resume_all(&p.app).await.unwrap(), 0);
    assert_eq!(
        operator.get("/api/v1/tenants/halfway").await.ok(200)["status"],
        "active"
    );
    assert_eq!(
        operator.below("halfway").actions("/api/v1/audit-events").await,
        ["tenant.created"]
    );
}

#[tokio::test]
async fn suspended_tenants_are_closed_to_their_people_at_once() {
    let (p, mut operator) = Platform::set_up().await;
    let mut owner = p.tenant(&mut operator, "acme").await;
    owner.get("/api/v1/users").await.ok(200);
    let no_reason = operator
        .post("/api/v1/tenants/acme/suspend", json!({ "reason": " " }))
        .await;
    assert_eq!(no_reason.problem(), (422, "validation_failed"));
    let suspended = operator
        .post("/api/v1/tenants/acme/suspend", json!({ "reason": "unpaid" }))
        .await
        .ok(200);
    assert_eq!(suspended["status"], "suspended");
    let refused = owner.get("/api/v1/users").await;
    assert_eq!(refused.problem(), (403, "tenant_state_forbids"));
    assert_eq!(refused.body["tenant_status"], "suspended");
    operator.below("acme").get("/api/v1/users").await.ok(200);
    let twice = operator
        .post("/api/v1/tenants/acme/suspend", json!({ "reason": "unpaid" }))
        .await;
    assert_eq!(twice.problem(), (403, "tenant_state_forbids"));
    operator
        .post("/api/v1/tenants/acme/activate", json!({ "reason": "paid" }))
        .await
        .ok(200);
    assert_eq!(
        owner.actions("/api/v1/audit-events").await[..2],
        ["tenant.activated", "tenant.suspended"]
    );
}

#[tokio::test]
async fn changes_are_refused_when_somebody_else_was_faster() {
    let (p, mut operator) = Platform::set_up().await;
    let mut owner = p.tenant(&mut operator, "acme").await;
    let read = owner.get("/api/v1/tenant").await.ok(200);
    let changed = operator
        .patch(
            "/api/v1/tenants/acme",
            json!({ "name": "Acme Robotics", "if_updated_at": read["updated_at"] }),
        )
        .await
        .ok(200);
    assert_eq!(changed["name"], "Acme Robotics");
    let late = owner
        .patch(
            "/api/v1/tenant",
            json!({ "name": "Mine", "if_updated_at": read["updated_at"] }),
        )
        .await;
    assert_eq!(late.problem(), (409, "conflict"));
    let plan = owner.patch("/api/v1/tenant", json!({ "plan": "enterprise" })).await;
    assert_eq!(plan.problem(), (400, "malformed_request"));
    owner
        .patch("/api/v1/tenant", json!({ "time_zone": "Asia/Shanghai" }))
        .await
        .ok(200);
    let events = owner.get("/api/v1/audit-events?action=tenant.updated").await.ok(200);
    assert_eq!(
        events["items"][0]["details"]["time_zone"],
        json!({ "from": "UTC", "to": "Asia/Shanghai" })
    );
    assert_eq!(events["items"].as_array().unwrap().len(), 2);
    drop(p);
}

#[tokio::test]
async fn lists_are_paged_and_searched() {
    let (p, mut operator) = Platform::set_up().await;
    for slug in ["alpha", "beta", "gamma"] {
        operator
            .post("/api/v1/tenants", json!({ "slug": slug, "name": slug.to_uppercase() }))
            .await
            .ok(201);
    }
    let slugs = |v: &serde_json::Value| {
        v["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|t| t["slug"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let first = operator.get("/api/v1/tenants?limit=2").await.ok(200);
    assert_eq!(slugs(&first), ["gamma", "beta"]);
    let second = operator
        .get(&format!(
            "/api/v1/tenants?limit=2&cursor={}",
            first["next"].as_str().unwrap()
        ))
        .await
        .ok(200);
    assert_eq!(
        (slugs(&second), &second["next"]),
        (vec!["alpha".to_owned()], &serde_json::Value::Null)
    );
    assert_eq!(
        slugs(&operator.get("/api/v1/tenants?sort=created_at&limit=1").await.ok(200)),
        ["alpha"]
    );
    assert_eq!(slugs(&operator.get("/api/v1/tenants?q=ET").await.ok(200)), ["beta"]);
    assert_eq!(
        slugs(&operator.get("/api/v1/tenants?status=suspended").await.ok(200)),
        Vec::<String>::new()
    );
    assert_eq!(
        operator.get("/api/v1/tenants?status=odd").await.problem(),
        (400, "malformed_request")
    );
    assert_eq!(
        operator.get("/api/v1/tenants?limit=0").await.problem(),
        (422, "validation_failed")
    );
    let mut cursor = String::new();
    let mut seqs = Vec::new();
    loop {
        let page = operator
            .get(&format!("/api/v1/platform/audit-events?limit=3&cursor={cursor}"))
            .await
            .ok(200);
        seqs.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|e| e["seq"].as_i64().unwrap()),
        );
        match page["next"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seqs, (0..i64::try_from(seqs.len()).unwrap()).rev().collect::<Vec<_>>());
    let found = operator.get("/api/v1/platform/audit-events?q=BETA").await.ok(200);
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    drop(p);
}
