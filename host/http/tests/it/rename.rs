//! Another slug: the old one sends on for a while, and is nobody else's ever.

use crate::support::{PASSWORD, Platform};
use http::Method;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn the_old_slug_sends_on_by_host_and_by_path() {
    let (p, mut operator) = Platform::set_up().await;
    let mut owner = p.tenant(&mut operator, "acme").await;
    let renamed = operator
        .put("/api/v1/tenants/acme/slug", json!({ "slug": "acme-corp" }))
        .await
        .ok(200);
    assert_eq!(
        (&renamed["slug"], &renamed["url"]),
        (&json!("acme-corp"), &json!("http://acme-corp.localhost:8080"))
    );
    for (host, path, to) in [
        (
            "acme.localhost",
            "/api/v1/users?limit=2&q=%20x",
            "http://acme-corp.localhost/api/v1/users?limit=2&q=%20x",
        ),
        (
            "ACME.localhost.:8080",
            "/console/usage",
            "http://acme-corp.localhost:8080/console/usage",
        ),
        ("acme.localhost", "/", "http://acme-corp.localhost/"),
        (
            "acme.localhost",
            "//evil.example/x",
            "http://acme-corp.localhost//evil.example/x",
        ),
        ("acme.localhost", "/v1/chat", "http://acme-corp.localhost/v1/chat"),
        (
            "localhost",
            "/t/acme/api/v1/tenant?x=1",
            "/t/acme-corp/api/v1/tenant?x=1",
        ),
        ("localhost:8080", "/t/ACME//evil.example", "/t/acme-corp//evil.example"),
        ("127.0.0.1", "/t/acme", "/t/acme-corp/"),
        (
            "acme.localhost",
            "/t/acme/api/v1/tenant",
            "http://acme-corp.localhost/t/acme-corp/api/v1/tenant",
        ),
        (
            "acme-corp.localhost",
            "/t/acme/api/v1/tenant",
            "/t/acme-corp/api/v1/tenant",
        ),
    ] {
        for method in [Method::GET, Method::HEAD] {
            let answer = p.at(host).send(method.clone(), path, None, Vec::new()).await;
            assert!(
                answer.headers.contains_key("location"),
                "{method} {host}{path}: {answer:?}"
            );
            assert_eq!(
                (answer.status, answer.headers["location"].to_str().unwrap()),
                (301, to),
                "{method} {host}{path}"
            );
        }
    }
    // What changes something is to be repeated as it was.
    for (host, path) in [("acme.localhost", "/api/v1/users"), ("localhost", "/t/acme/v1/chat")] {
        let answer = p.at(host).post(path, json!({ "x": 1 })).await;
        assert_eq!(answer.status, 308, "{answer:?}");
    }
    // Whatever is served everywhere is served here too.
    assert_eq!(p.at("acme.localhost").get("/healthz").await.ok(200), "ok");
    // A conflict stays one.
    p.tenant(&mut operator, "globex").await;
    assert_eq!(
        p.at("acme.localhost").get("/t/globex/api/v1/meta").await.problem(),
        (403, "tenant_mismatch")
    );
    let mut named = p.at("acme.localhost");
    named.extra.push(("x-tenant-id", "globex".to_owned()));
    assert_eq!(named.get("/api/v1/meta").await.problem(), (403, "tenant_mismatch"));
    owner.host = "acme-corp.localhost".to_owned();
    let own = owner.actions("/api/v1/audit-events").await;
    assert_eq!(
        own[..3],
        ["security.tenant_mismatch", "security.tenant_mismatch", "tenant.renamed"]
    );
    assert_eq!(operator.get("/api/v1/tenants/acme-corp").await.ok(200)["users"], 1);
    assert_eq!(
        operator.get("/api/v1/tenants?q=acme-corp").await.ok(200)["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn an_old_slug_is_nobody_elses_ever() {
    let (p, mut operator) = Platform::set_up().await;
    p.tenant(&mut operator, "acme").await;
    p.tenant(&mut operator, "globex").await;
    operator
        .put("/api/v1/tenants/acme/slug", json!({ "slug": "acme-two" }))
        .await
        .ok(200);
    let refused = |answer: crate::support::Answer| assert_eq!(answer.problem(), (409, "already_exists"));
    for days in [0, 89, 1000] {
        p.clock.advance(Duration::from_secs(days * 24 * 3600));
        let mut operator = p.at("localhost");
        operator.sign_in(crate::support::OPERATOR).await;
        refused(
            operator
                .post("/api/v1/tenants", json!({ "slug": "acme", "name": "Thief" }))
                .await,
        );
        refused(
            operator
                .put("/api/v1/tenants/globex/slug", json!({ "slug": "acme" }))
                .await,
        );
        refused(
            operator
                .put("/api/v1/tenants/globex/slug", json!({ "slug": "acme-two" }))
                .await,
        );
        let answer = p.at("acme.localhost").get("/api/v1/meta").await;
        let by_path = p.at("localhost").get("/t/acme/api/v1/meta").await;
        match days {
            1000 => {
                assert_eq!(answer.problem(), (421, "unknown_host"));
                assert_eq!(by_path.problem(), (404, "tenant_not_found"));
            }
            _ => assert_eq!((answer.status, by_path.status), (301, 301), "{days}"),
        }
    }
    // Its own tenant may have it again, and then the other one sends on.
    let mut operator = p.at("localhost");
    operator.sign_in(crate::support::OPERATOR).await;
    operator
        .put("/api/v1/tenants/acme-two/slug", json!({ "slug": "acme" }))
        .await
        .ok(200);
    assert_eq!(
        p.at("acme.localhost").get("/api/v1/meta").await.ok(200)["tenant"]["slug"],
        "acme"
    );
    let sent = p.at("acme-two.localhost").get("/api/v1/meta").await;
    assert_eq!(sent.headers["location"], "http://acme.localhost/api/v1/meta");
}

#[tokio::test]
async fn owners_rename_and_the_rules_hold() {
    let (p, mut operator) = Platform::set_up().await;
    let mut owner = p.tenant(&mut operator, "acme").await;
    let admin = json!({ "email": "ada@acme.test", "name": "Ada", "role": "admin", "password": PASSWORD });
    owner.post("/api/v1/users", admin).await.ok(201);
    let mut ada = p.at("acme.localhost");
    ada.sign_in("ada@acme.test").await;
    assert_eq!(
        ada.put("/api/v1/tenant/slug", json!({ "slug": "ada" })).await.problem(),
        (403, "permission_denied")
    );
    for bad in ["", "a", "Acme", "www", "a--b", "a.b", "xn--a", "../x", "a%2fb", "12345"] {
        let refused = owner.put("/api/v1/tenant/slug", json!({ "slug": bad })).await;
        assert_eq!(
            (refused.problem(), refused.pointers()),
            ((422, "validation_failed"), vec!["/slug"]),
            "{bad}"
        );
    }
    let read = owner.get("/api/v1/tenant").await.ok(200);
    owner.patch("/api/v1/tenant", json!({ "name": "Acme" })).await.ok(200);
    let late = json!({ "slug": "acme-two", "if_updated_at": read["updated_at"] });
    assert_eq!(
        owner.put("/api/v1/tenant/slug", late).await.problem(),
        (409, "conflict")
    );
    assert_eq!(
        owner
            .put("/api/v1/tenant/slug", json!({ "slug": "acme" }))
            .await
            .ok(200)["slug"],
        "acme"
    );
    // Names are not hoarded.
    for n in 0..10 {
        let path = "/api/v1/tenant/slug";
        owner.put(path, json!({ "slug": format!("acme-{n}") })).await.ok(200);
        owner.host = format!("acme-{n}.localhost");
    }
    let refused = owner.put("/api/v1/tenant/slug", json!({ "slug": "acme-ten" })).await;
    assert_eq!(refused.problem(), (409, "conflict"));
    owner
        .put("/api/v1/tenant/slug", json!({ "slug": "acme-3" }))
        .await
        .ok(200);
}
