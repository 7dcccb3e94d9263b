//! Which tenant, and every answer's shape.

use crate::support::Platform;
use http::Method;
use serde_json::json;

#[tokio::test]
async fn unknown_hosts_and_tenants_are_never_a_default() {
    let (p, mut operator) = Platform::set_up().await;
    let mut owner = p.tenant(&mut operator, "acme").await;
    p.tenant(&mut operator, "globex").await;
    assert_eq!(
        p.at("evil.example").get("/api/v1/meta").await.problem(),
        (421, "unknown_host")
    );
    assert_eq!(
        p.at("nobody.localhost").get("/api/v1/meta").await.problem(),
        (421, "unknown_host")
    );
    assert_eq!(
        p.at("localhost").get("/t/nobody/api/v1/meta").await.problem(),
        (404, "tenant_not_found")
    );
    assert_eq!(
        p.at("acme.localhost").get("/t/globex/api/v1/meta").await.problem(),
        (403, "tenant_mismatch")
    );
    assert_eq!(p.at("").get("/api/v1/meta").await.problem(), (400, "malformed_request"));
    owner.extra.push(("x-tenant-id", "globex".to_owned()));
    assert_eq!(owner.get("/api/v1/tenant").await.problem(), (403, "tenant_mismatch"));
    owner.extra = vec![("x-tenant-id", "acme".to_owned())];
    assert_eq!(owner.get("/api/v1/tenant").await.ok(200)["slug"], "acme");
    for (host, path, slug) in [("ACME.localhost.:8080", "", "acme"), ("127.0.0.1", "/t/acme", "acme")] {
        let meta = p.at(host).get(&format!("{path}/api/v1/meta")).await.ok(200);
        assert_eq!(
            (&meta["realm"], &meta["tenant"]["slug"]),
            (&json!("tenant"), &json!(slug))
        );
    }
    assert_eq!(p.at("evil.example").get("/healthz").await.ok(200), "ok");
    assert_eq!(p.at("evil.example").get("/readyz").await.ok(200)["ready"], true);
}

#[tokio::test]
async fn routes_exist_in_their_realm_only() {
    let (p, mut operator) = Platform::set_up().await;
    let mut owner = p.tenant(&mut operator, "acme").await;
    assert_eq!(owner.get("/api/v1/tenants").await.problem(), (404, "not_found"));
    assert_eq!(operator.get("/api/v1/users").await.problem(), (404, "not_found"));
    assert_eq!(owner.get("/api/v1/nothing").await.problem(), (404, "not_found"));
    assert_eq!(
        operator.delete("/api/v1/tenants").await.problem(),
        (405, "method_not_allowed")
    );
    assert_eq!(
        operator.below("acme").get("/api/v1/users").await.ok(200)["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(p.at("localhost").get("/").await.headers["location"], "/console/");
    assert_eq!(
        p.at("localhost").get("/t/acme/").await.headers["location"],
        "/t/acme/console/"
    );
}

#[tokio::test]
async fn bodies_are_checked_before_anything_happens() {
    let (p, mut operator) = Platform::set_up().await;
    let json = Some("application/json");
    for (body, kind, expected) in [
        (b"{".to_vec(), json, (400, "malformed_request")),
        (b"{\"slug\":1}".to_vec(), json, (400, "malformed_request")),
        (
            b"{\"slug\":\"acme\",\"name\":\"A\",\"extra\":1}".to_vec(),
            json,
            (400, "malformed_request"),
        ),
        (b"{}".to_vec(), Some("text/plain"), (415, "unsupported_media_type")),
        (b"{}".to_vec(), None, (415, "unsupported_media_type")),
        (vec![b' '; 1024 * 1024 + 1], json, (413, "payload_too_large")),
    ] {
        let answer = operator.send(Method::POST, "/api/v1/tenants", kind, body).await;
        assert_eq!(answer.problem(), expected);
    }
    let bad = operator.post(
        "/api/v1/tenants",
        json!({ "slug": "-", "name": "", "owner": { "email": "x", "name": "y", "password": "short" } }),
    );
    let bad = bad.await;
    assert_eq!(bad.problem(), (422, "validation_failed"));
    assert_eq!(bad.pointers(), ["/slug", "/name", "/owner/email", "/owner/password"]);
    assert_eq!(operator.get("/api/v1/tenants").await.ok(200)["items"], json!([]));
    drop(p);
}

#[tokio::test]
async fn every_answer_has_a_fresh_request_id_and_safe_headers() {
    let p = Platform::new().await;
    let mut anybody = p.at("localhost");
    anybody
        .extra
        .push(("x-request-id", "req_00000000000000000000000000000000".to_owned()));
    let a = anybody.get("/api/v1/meta").await;
    let b = anybody.get("/api/v1/nothing").await;
    let id = |a: &crate::support::Answer| a.headers["x-request-id"].to_str().unwrap().to_owned();
    assert!(id(&a).starts_with("req_") && id(&a) != id(&b) && !id(&a).ends_with("0000000000000000"));
    for answer in [&a, &b] {
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert!(
            answer.headers["content-security-policy"]
                .to_str()
                .unwrap()
                .contains("frame-ancestors 'none'")
        );
    }
    assert_eq!(a.body["setup_needed"], true);
}

#[tokio::test]
async fn a_build_without_console_says_how_to_get_it() {
    let p = Platform::new().await;
    let page = p.at("localhost").get("/console/").await;
    assert!(page.headers["content-type"].to_str().unwrap().starts_with("text/html"));
    assert!(page.body.as_str().unwrap().contains("make console"));
}
