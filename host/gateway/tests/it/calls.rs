//! What passes, as what, and what it counts.

use crate::support::{Stage, hello};
use aistack_domain::{gateway, quota};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;

#[tokio::test]
async fn a_call_is_routed_named_counted_and_recorded() {
    let s = Stage::new().await;
    let (url, mut seen) = hello().await;
    s.route("/v1/", &url, 5_000).await;
    let answer = s
        .raw(
            "POST /v1/chat?q=1 HTTP/1.1\r\nhost: acme.localhost\r\nconnection: close\r\ncontent-length: 2\r\n\
             authorization: Bearer secret\r\ncookie: __Host-aistack=secret; theme=dark\r\nx-aistack-user: usr_forged\r\n\
             x-forwarded-for: 6.6.6.6\r\ntraceparent: 00-1-2-01\r\n\r\nhi",
        )
        .await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "POST /v1/chat?q=1"));
    assert_eq!(answer.field("x-upstream"), Some("yes"));
    assert_eq!(answer.field("ratelimit-limit"), Some("1000"));
    assert_eq!(answer.field("ratelimit-remaining"), Some("999"));
    assert!(answer.field("ratelimit").unwrap().starts_with("\"api.calls\";r=999;t="));
    assert!(
        answer
            .field("ratelimit-policy")
            .unwrap()
            .starts_with("\"api.calls\";q=1000;w=")
    );

    let request = seen.recv().await.unwrap();
    assert_eq!(request.body(), "hi");
    let field = |name: &str| request.headers().get(name).map(|v| v.to_str().unwrap().to_owned());
    assert_eq!(field("x-aistack-tenant").unwrap(), s.ctx.scope.id().to_string());
    assert_eq!(field("x-aistack-user").unwrap(), s.who.profile().0);
    assert_eq!(field("x-aistack-role").as_deref(), Some("member"));
    assert_eq!(field("x-forwarded-for").as_deref(), Some("203.0.113.9"));
    assert_eq!(field("x-forwarded-host").as_deref(), Some("acme.localhost"));
    assert_eq!(field("cookie").as_deref(), Some("theme=dark"));
    assert_eq!(field("authorization"), None);
    assert_eq!(field("traceparent").as_deref(), Some("00-1-2-01"));
    assert_eq!(field("host").unwrap(), url.trim_start_matches("http://"));

    // The signed identity says the same, by a key that the platform publishes.
    let token = field("x-aistack-identity").unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    let json = |part: &str| -> Value { serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap() };
    let (header, claims) = (json(parts[0]), json(parts[1]));
    assert_eq!(header["typ"], gateway::IDENTITY_TYPE);
    assert_eq!(claims["sub"], s.who.profile().0);
    assert_eq!(claims["tid"], s.ctx.scope.id().to_string());
    assert_eq!(claims["aud"], url);
    assert_eq!(claims["req"], field("x-aistack-request-id").unwrap());
    let jwks = aistack_domain::access::key_ring(&s.t.app).await.unwrap().jwks();
    let key = &jwks["keys"][0];
    assert_eq!(header["kid"], key["kid"]);
    let decoding = jsonwebtoken::DecodingKey::from_ed_components(key["x"].as_str().unwrap()).unwrap();
    let message = format!("{}.{}", parts[0], parts[1]);
    let algorithm = jsonwebtoken::Algorithm::EdDSA;
    assert!(jsonwebtoken::crypto::verify(parts[2], message.as_bytes(), &decoding, algorithm).unwrap());

    assert_eq!(s.counted().await, 1);
    assert_eq!(s.gateway_events().await, ["gateway.called"]);
    let mut read = s.t.app.store.tenant_read(&s.ctx.scope).await.unwrap();
    let events = read.usage().events(&Default::default(), None).await.unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].event_id, field("x-aistack-request-id").unwrap());
    assert_eq!(events[0].subject, s.who.profile().0);
}

#[tokio::test]
async fn at_the_limit_the_next_call_is_refused_and_recorded() {
    let s = Stage::new().await;
    let (url, mut seen) = hello().await;
    s.route("/v1/", &url, 5_000).await;
    quota::set_limit(&s.t.app, &s.ctx, "api.calls", Some(2)).await.unwrap();
    let answers = [s.get("/v1/a").await, s.get("/v1/b").await, s.get("/v1/c").await];
    assert_eq!(answers.each_ref().map(|a| a.status), [200, 200, 429]);
    let refused = &answers[2];
    assert_eq!(refused.field("ratelimit-limit"), Some("2"));
    assert_eq!(refused.field("ratelimit-remaining"), Some("0"));
    assert_eq!(refused.field("ratelimit-reset"), refused.field("retry-after"));
    assert_eq!(s.counted().await, 2);
    assert_eq!(
        s.gateway_events().await,
        ["gateway.called", "gateway.called", "gateway.denied"]
    );
    seen.close();
    assert_eq!(
        std::iter::from_fn(|| seen.try_recv().ok()).count(),
        2,
        "the third never left"
    );
}

#[tokio::test]
async fn racing_calls_pass_no_more_than_the_limit() {
    let s = std::sync::Arc::new(Stage::new().await);
    let (url, _seen) = hello().await;
    s.route("/v1/", &url, 5_000).await;
    quota::set_limit(&s.t.app, &s.ctx, "api.calls", Some(7)).await.unwrap();
    let calls: Vec<_> = (0..40)
        .map(|n| {
            let s = s.clone();
            tokio::spawn(async move { s.get(&format!("/v1/{n}")).await.status })
        })
        .collect();
    let mut passed = 0;
    for call in calls {
        match call.await.unwrap() {
            200 => passed += 1,
            status => assert_eq!(status, 429),
        }
    }
    assert_eq!((passed, s.counted().await), (7, 7));
}

#[tokio::test]
async fn a_path_that_could_be_read_in_two_ways_goes_nowhere() {
    let s = Stage::new().await;
    let (url, mut seen) = hello().await;
    s.route("/v1/", &url, 5_000).await;
    for path in [
        "/v1/../admin",
        "/v1/%2e%2e/admin",
        "/v1%2f..%2fadmin",
        "/v1/..;/admin",
        "/v1/%00",
    ] {
        assert_eq!(s.get(path).await.status, 400, "{path}");
    }
    assert_eq!(s.get("/v2/x").await.status, 404);
    assert_eq!(
        s.get("/%761/x").await.status,
        200,
        "one spelling for matching and for sending"
    );
    assert_eq!(seen.recv().await.unwrap().uri(), "/v1/x");
    assert_eq!(s.counted().await, 1);
}

#[tokio::test]
async fn the_longest_prefix_wins_and_changes_hold_at_once() {
    let s = Stage::new().await;
    let (a, _) = crate::support::upstream(|_| http::Response::new(http_body_util::Full::from("a"))).await;
    let (b, _) = crate::support::upstream(|_| http::Response::new(http_body_util::Full::from("b"))).await;
    s.route("/v1/", &a, 5_000).await;
    assert_eq!(s.get("/v1/deep/x").await.body, "a");
    s.route("/v1/deep/", &b, 5_000).await;
    assert_eq!(s.get("/v1/deep/x").await.body, "b");
    let system = aistack_domain::Ctx::system(None);
    let routes = gateway::list(&s.t.app).await.unwrap();
    let deep = routes.iter().find(|r| r.route.path_prefix == "/v1/deep/").unwrap();
    gateway::delete(&s.t.app, &system, deep.route.id).await.unwrap();
    assert_eq!(s.get("/v1/deep/x").await.body, "a");
}

#[tokio::test]
async fn one_request_stays_one_request() {
    let s = Stage::new().await;
    let (url, mut seen) = hello().await;
    s.route("/v1/", &url, 5_000).await;
    // Both lengths at once: the chunked one is the true one, and the rest is no second request to the upstream.
    let _ = s
        .raw(
            "POST /v1/a HTTP/1.1\r\nhost: acme.localhost\r\nconnection: close\r\ncontent-length: 5\r\n\
             transfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /v1/smuggled HTTP/1.1\r\nhost: x\r\n\r\n",
        )
        .await;
    let mut paths = Vec::new();
    while let Ok(Some(r)) = tokio::time::timeout(std::time::Duration::from_millis(300), seen.recv()).await {
        assert!(!(r.headers().contains_key("content-length") && r.headers().contains_key("transfer-encoding")));
        paths.push(r.uri().path().to_owned());
    }
    assert!(!paths.iter().any(|p| p == "/v1/smuggled"), "{paths:?}");
}
