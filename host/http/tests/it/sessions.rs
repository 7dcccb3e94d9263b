//! Set-up, sign-in, sessions and tokens.

use crate::support::{OPERATOR, PASSWORD, Platform};
use aistack_domain::{access, setup};
use serde_json::json;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn set_up_works_once_with_a_fresh_token() {
    let p = Platform::new().await;
    let mut anybody = p.at("localhost");
    let body = |token: &str| json!({ "token": token, "email": OPERATOR, "name": "Olive", "password": PASSWORD });
    assert_eq!(
        anybody.post("/api/v1/setup", body("wrong")).await.problem(),
        (403, "setup_token_invalid")
    );
    let first = setup::new_token(&p.app).await.unwrap().unwrap();
    let second = setup::new_token(&p.app).await.unwrap().unwrap();
    assert_eq!(
        anybody.post("/api/v1/setup", body(first.expose())).await.problem(),
        (403, "setup_token_invalid")
    );
    let weak = json!({ "token": second.expose(), "email": "x", "name": "", "password": "short" });
    let refused = anybody.post("/api/v1/setup", weak).await;
    assert_eq!(refused.problem(), (422, "validation_failed"));
    assert_eq!(refused.pointers(), ["/email", "/name", "/password"]);
    p.clock.advance(HOUR / 2);
    assert_eq!(
        anybody.post("/api/v1/setup", body(second.expose())).await.problem(),
        (403, "setup_token_invalid")
    );
    let third = setup::new_token(&p.app).await.unwrap().unwrap();
    anybody.post("/api/v1/setup", body(third.expose())).await.ok(201);
    let session = anybody.resume().await;
    assert_eq!(
        (&session["realm"], &session["user"]["email"]),
        (&json!("operator"), &json!(OPERATOR))
    );
    assert_eq!(
        anybody.post("/api/v1/setup", body(third.expose())).await.problem(),
        (409, "setup_done")
    );
    assert!(setup::new_token(&p.app).await.unwrap().is_none());
    let actions = anybody.actions("/api/v1/platform/audit-events").await;
    assert_eq!(actions[..2], ["session.opened", "operator.created"]);
}

#[tokio::test]
async fn two_at_once_with_the_same_link_make_one_operator() {
    let p = Platform::new().await;
    let token = setup::new_token(&p.app).await.unwrap().unwrap();
    let body = |email: &str| json!({ "token": token.expose(), "email": email, "name": "O", "password": PASSWORD });
    let (mut a, mut b) = (p.at("localhost"), p.at("localhost"));
    let (a, b) = tokio::join!(
        a.post("/api/v1/setup", body("a@x.test")),
        b.post("/api/v1/setup", body("b@x.test"))
    );
    let mut statuses = [a.status, b.status];
    statuses.sort_unstable();
    assert!(statuses == [201, 409] || statuses == [201, 403], "{statuses:?}");
}

#[tokio::test]
async fn sessions_end_by_sign_out_by_idling_and_by_age() {
    let (p, mut operator) = Platform::set_up().await;
    let mut other = p.at("localhost");
    other.sign_in(OPERATOR).await;
    let stolen = other.clone();
    other.delete("/api/v1/session").await.ok(204);
    assert!(other.cookies.is_empty());
    assert_eq!(
        stolen.clone().get("/api/v1/session").await.problem(),
        (401, "session_expired")
    );
    assert_eq!(other.get("/api/v1/session").await.problem(), (401, "unauthenticated"));
    for _ in 0..13 {
        p.clock.advance(HOUR * 11);
        operator.get("/api/v1/session").await.ok(200);
    }
    p.clock.advance(HOUR * 12);
    assert_eq!(
        operator.get("/api/v1/session").await.problem(),
        (401, "session_expired")
    );
    operator.sign_in(OPERATOR).await;
    for _ in 0..15 {
        p.clock.advance(HOUR * 11);
        operator.get("/api/v1/session").await.ok(200);
    }
    p.clock.advance(HOUR * 4);
    assert_eq!(
        operator.get("/api/v1/session").await.problem(),
        (401, "session_expired")
    );
}

#[tokio::test]
async fn changes_with_a_cookie_need_the_csrf_token() {
    let (p, mut operator) = Platform::set_up().await;
    let mut without = operator.clone();
    without.csrf = None;
    let body = json!({ "slug": "acme", "name": "Acme" });
    assert_eq!(
        without.post("/api/v1/tenants", body.clone()).await.problem(),
        (403, "csrf_token_invalid")
    );
    without.csrf = Some("wrong".to_owned());
    assert_eq!(
        without.post("/api/v1/tenants", body.clone()).await.problem(),
        (403, "csrf_token_invalid")
    );
    assert_eq!(
        without.delete("/api/v1/session").await.problem(),
        (403, "csrf_token_invalid")
    );
    without.get("/api/v1/tenants").await.ok(200);
    operator.post("/api/v1/tenants", body).await.ok(201);
    drop(p);
}

#[tokio::test]
async fn wrong_passwords_read_alike_are_audited_and_slow_down() {
    let (p, mut operator) = Platform::set_up().await;
    let mut owner = p.tenant(&mut operator, "acme").await;
    let mut anybody = p.at("acme.localhost");
    let mut attempt = async |email: &str| {
        anybody
            .post(
                "/api/v1/session",
                json!({ "email": email, "password": "not the password" }),
            )
            .await
    };
    let known = attempt("owner@acme.test").await;
    let unknown = attempt("nobody@acme.test").await;
    assert_eq!(known.problem(), (401, "invalid_credentials"));
    assert_eq!(known.body["detail"], unknown.body["detail"]);
    assert_eq!(unknown.problem(), (401, "invalid_credentials"));
    let list = owner.get("/api/v1/audit-events?action=session.refused").await.ok(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
    assert_eq!(list["items"][0]["outcome"], "denied");
    assert_eq!(list["items"][0]["ip"], "192.0.2.7");
    let mut last = known;
    for _ in 0..10 {
        last = attempt("owner@acme.test").await;
    }
    assert_eq!(last.problem(), (429, "rate_limited"));
    assert!(last.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() > 0);
    // The right password does not get through either, from here; the session that is open stays.
    let right = p
        .at("acme.localhost")
        .post(
            "/api/v1/session",
            json!({ "email": "owner@acme.test", "password": PASSWORD }),
        )
        .await;
    assert_eq!(right.problem(), (429, "rate_limited"));
    owner.get("/api/v1/session").await.ok(200);
    p.clock.advance(HOUR);
    p.at("acme.localhost").sign_in("OWNER@acme.test ").await;
}

#[tokio::test]
async fn a_session_of_one_tenant_opens_no_other() {
    let (p, mut operator) = Platform::set_up().await;
    let owner = p.tenant(&mut operator, "acme").await;
    p.tenant(&mut operator, "globex").await;
    let mut elsewhere = owner.clone();
    elsewhere.host = "globex.localhost".to_owned();
    assert_eq!(elsewhere.get("/api/v1/users").await.problem(), (401, "unauthenticated"));
    elsewhere.host = "localhost".to_owned();
    assert_eq!(
        elsewhere.get("/api/v1/tenants").await.problem(),
        (401, "unauthenticated")
    );
    // An operator's cookie works below /t/ of the base host, not on the tenant's own host.
    operator.below("globex").get("/api/v1/users").await.ok(200);
    let mut sent = operator.clone();
    sent.host = "globex.localhost".to_owned();
    assert_eq!(sent.get("/api/v1/users").await.problem(), (401, "unauthenticated"));
}

#[tokio::test]
async fn with_both_cookies_the_csrf_token_says_who_acts() {
    let (p, mut operator) = Platform::set_up().await;
    p.tenant(&mut operator, "acme").await;
    let mut both = operator.below("acme");
    let member = both.sign_in("owner@acme.test").await;
    assert_eq!(
        both.get("/api/v1/session").await.ok(200)["user"]["id"],
        member["user"]["id"]
    );
    both.csrf = operator.csrf.clone();
    assert_eq!(both.get("/api/v1/session").await.ok(200)["realm"], "operator");
    let body = json!({ "email": "a@acme.test", "name": "A", "role": "owner" });
    both.post("/api/v1/users", body).await.ok(201);
    let events = both.get("/api/v1/audit-events?action=user.created").await.ok(200);
    assert_eq!(events["items"][0]["actor"]["kind"], "operator");
    assert_eq!(events["items"][0]["actor"]["label"], format!("Olive <{OPERATOR}>"));
    drop(p);
}

#[tokio::test]
async fn tokens_are_bound_to_session_tenant_and_time() {
    let (p, mut operator) = Platform::set_up().await;
    let mut owner = p.tenant(&mut operator, "acme").await;
    p.tenant(&mut operator, "globex").await;
    let made = owner.post("/api/v1/session/token", json!({})).await.ok(200);
    assert_eq!(
        (&made["token_type"], &made["expires_in"]),
        (&json!("Bearer"), &json!(600))
    );
    let token = made["access_token"].as_str().unwrap().to_owned();
    let with = |host: &str, token: &str| {
        let mut a = p.at(host);
        a.bearer = Some(token.to_owned());
        a
    };
    let mut api = with("acme.localhost", &token);
    assert_eq!(
        api.get("/api/v1/session").await.ok(200)["user"]["email"],
        "owner@acme.test"
    );
    // No CSRF token: no browser sends a bearer token by itself.
    api.post(
        "/api/v1/users",
        json!({ "email": "b@acme.test", "name": "B", "role": "member" }),
    )
    .await
    .ok(201);
    assert_eq!(
        with("globex.localhost", &token).get("/api/v1/session").await.problem(),
        (403, "tenant_mismatch")
    );
    // Where the address names nobody, the token does.
    let by_token = with("localhost", &token).get("/api/v1/session").await.ok(200);
    assert_eq!(by_token["tenant"]["slug"], "acme");

    let ring = access::key_ring(&p.app).await.unwrap();
    let mut claims: serde_json::Value = {
        use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
        let part = token.split('.').nth(1).unwrap();
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    assert_eq!(
        (&claims["iss"], &claims["role"]),
        (&json!("http://acme.localhost:8080"), &json!("owner"))
    );
    let other_type = ring.sign("jwt", &claims).unwrap();
    claims["iss"] = json!("http://globex.localhost:8080");
    let other_issuer = ring.sign("at+jwt", &claims).unwrap();
    let mut forged = token.clone();
    forged.replace_range(token.len() - 4.., "AAAA");
    for bad in [
        &other_type,
        &other_issuer,
        &forged,
        &"x".repeat(9000),
        &"a.b.c".to_owned(),
        &String::new(),
    ] {
        assert_eq!(
            with("acme.localhost", bad).get("/api/v1/session").await.problem(),
            (401, "unauthenticated"),
            "{bad}"
        );
    }
    p.clock.advance(Duration::from_secs(601));
    assert_eq!(api.get("/api/v1/session").await.problem(), (401, "unauthenticated"));
    let fresh = owner.post("/api/v1/session/token", json!({})).await.ok(200);
    let mut api = with("acme.localhost", fresh["access_token"].as_str().unwrap());
    owner.delete("/api/v1/session").await.ok(204);
    assert_eq!(api.get("/api/v1/session").await.problem(), (401, "session_expired"));
    // Operators have no tokens, and the keys are published.
    assert_eq!(
        operator
            .below("acme")
            .post("/api/v1/session/token", json!({}))
            .await
            .problem(),
        (403, "permission_denied")
    );
    let jwks = p.at("acme.localhost").get("/.well-known/jwks.json").await.ok(200);
    assert_eq!(jwks["keys"][0]["crv"], "Ed25519");
}
