//! The peers themselves: each does the real thing the other tests rely on, and refuses what it must.

use aistack_tests::browser::Browser;
use aistack_tests::need;
use aistack_tests::peers::{Command, Keycloak, Nginx, OidcProvider, Postgres, RealmUser, StripeMock, StripeSdk};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::Digest as _;
use std::collections::HashMap;
use std::time::Duration;
use url::Url;

const REDIRECT: &str = "http://127.0.0.1:9/callback";
const VERIFIER: &str = "a-code-verifier-that-is-at-least-forty-three-characters-long";

#[test]
fn a_stubborn_peer_is_gone_with_its_test() {
    // Ignores the polite signal, and so does its child.
    let command = Command::new("sh")
        .unwrap()
        .args(["-c", "trap '' TERM; sleep 1000 & sleep 1000"]);
    let scratch = command.scratch().to_path_buf();
    let process = command.spawn().unwrap();
    let pid = loop {
        match std::fs::read_to_string(scratch.join("pid")) {
            Ok(pid) if !pid.is_empty() => break pid.trim().to_owned(),
            _ => std::thread::sleep(Duration::from_millis(10)),
        }
    };
    let group = || {
        let listed = std::process::Command::new("ps")
            .args(["-o", "pid=,stat=", "-g", &pid])
            .output()
            .unwrap()
            .stdout;
        // Zombies are gone but for their parent's looking.
        String::from_utf8(listed)
            .unwrap()
            .lines()
            .filter(|line| !line.contains('Z'))
            .count()
    };
    assert!(group() >= 1);
    drop(process);
    assert_eq!(group(), 0);
    assert!(!scratch.exists());
}

#[tokio::test]
async fn postgres_clones_templates() {
    let postgres = need!(Postgres::shared().await);
    let mut names = Vec::new();
    for _ in 0..2 {
        let database = postgres
            .database_from("peers", |database| async move {
                postgres
                    .sql(&database.name, "CREATE TABLE t (n int); INSERT INTO t VALUES (1)")
                    .await
                    .map(drop)
            })
            .await
            .unwrap();
        assert_eq!(
            postgres.sql(&database.name, "SELECT count(*) FROM t").await.unwrap(),
            "1"
        );
        // A copy is its own: this row is not in the next copy.
        postgres.sql(&database.name, "INSERT INTO t VALUES (2)").await.unwrap();
        names.push(database.name);
    }
    assert_ne!(names[0], names[1]);
}

#[tokio::test]
async fn postgres_listens_on_loopback_and_asks_for_the_password() {
    let postgres = need!(Postgres::shared().await);
    assert_eq!(
        postgres.sql("postgres", "SHOW listen_addresses").await.unwrap(),
        "127.0.0.1"
    );
    let rules = postgres
        .sql("postgres", "SELECT DISTINCT auth_method FROM pg_hba_file_rules")
        .await
        .unwrap();
    assert_eq!(rules, "scram-sha-256");
}

#[tokio::test]
async fn stripe_sdk_signs_and_tampering_shows() {
    let sdk = need!(StripeSdk::find());
    let payload = r#"{"id":"evt_1","object":"event","type":"checkout.session.completed"}"#;
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs().cast_signed();
    let header = sdk.sign(payload, "whsec_test", now).await.unwrap();

    let good = sdk.verify(payload, "whsec_test", &header).await.unwrap();
    assert!(good.ok, "{good:?}");
    assert_eq!(good.event_type.as_deref(), Some("checkout.session.completed"));

    let tampered = sdk
        .verify(&payload.replace("evt_1", "evt_2"), "whsec_test", &header)
        .await
        .unwrap();
    assert!(!tampered.ok, "{tampered:?}");
    let other_secret = sdk.verify(payload, "whsec_other", &header).await.unwrap();
    assert!(!other_secret.ok, "{other_secret:?}");
    let old = sdk.sign(payload, "whsec_test", now - 3_600).await.unwrap();
    let stale = sdk.verify(payload, "whsec_test", &old).await.unwrap();
    assert!(
        !stale.ok && stale.error.as_deref().unwrap_or_default().contains("tolerance"),
        "{stale:?}"
    );
}

#[tokio::test]
async fn stripe_mock_knows_the_api() {
    let stripe = need!(StripeMock::start().await);
    let client = reqwest::Client::new();
    let session = |fields: &'static [(&'static str, &'static str)]| {
        client
            .post(format!("{}/v1/checkout/sessions", stripe.url()))
            .basic_auth("sk_test_123", Some(""))
            .form(fields)
            .send()
    };
    let good = session(&[
        ("mode", "payment"),
        ("success_url", "http://acme.localhost/return"),
        ("line_items[0][price_data][currency]", "usd"),
        ("line_items[0][price_data][unit_amount]", "1999"),
        ("line_items[0][price_data][product_data][name]", "Order 1"),
        ("line_items[0][quantity]", "1"),
    ])
    .await
    .unwrap();
    assert_eq!(good.status(), 200);
    let body: Value = good.json().await.unwrap();
    assert_eq!(body["object"], "checkout.session");

    let unknown = session(&[("mode", "payment"), ("no_such_parameter", "1")])
        .await
        .unwrap();
    assert_eq!(unknown.status(), 400);
}

#[tokio::test]
async fn nginx_answers_and_logs() {
    let nginx = need!(Nginx::start().await);
    let answer = reqwest::Client::new()
        .get(format!("{}/v1/models?x=1", nginx.url()))
        .header("x-aistack-tenant", "ten_1")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.text().await.unwrap(), "nginx was here\n");
    // nginx writes its log after the answer has left.
    let mut requests = nginx.requests().unwrap();
    for _ in 0..100 {
        if !requests.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        requests = nginx.requests().unwrap();
    }
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0]["uri"], "/v1/models?x=1");
    assert_eq!(requests[0]["tenant"], "ten_1");
}

#[tokio::test]
async fn oidc_provider_signs_people_in() {
    let users = json!({"alice": {"email": "alice@example.test", "email_verified": true}});
    let provider = need!(OidcProvider::start(&[REDIRECT], &users).await);
    let client = (OidcProvider::CLIENT_ID, OidcProvider::CLIENT_SECRET);
    let tokens = code_flow(provider.issuer(), client, "alice", "any").await.unwrap();
    let claims = unchecked_claims(tokens["id_token"].as_str().unwrap());
    assert_eq!(claims["sub"], "alice");
    assert_eq!(claims["nonce"], "n-1");
    assert_eq!(claims["iss"], provider.issuer());
}

#[tokio::test]
async fn keycloak_signs_people_in() {
    let keycloak = need!(Keycloak::shared().await);
    let realm = keycloak.realm().await.unwrap();
    let alice = RealmUser {
        username: "alice",
        password: "correct horse",
        email: "alice@example.test",
        first_name: "Alice",
        last_name: "张",
    };
    realm.add_user(alice).await.unwrap();
    realm.add_client("app", "s3cret", &[REDIRECT]).await.unwrap();

    let tokens = code_flow(&realm.issuer(), ("app", "s3cret"), "alice", "correct horse")
        .await
        .unwrap();
    let claims = unchecked_claims(tokens["id_token"].as_str().unwrap());
    assert_eq!(claims["email"], "alice@example.test");
    assert_eq!(claims["family_name"], "张");
    assert_eq!(claims["nonce"], "n-1");

    let refused = code_flow(&realm.issuer(), ("app", "s3cret"), "alice", "wrong")
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("refused the password"), "{refused:#}");
}

/// The whole code flow with PKCE, in the part of both the browser and the client.
async fn code_flow(issuer: &str, client: (&str, &str), user: &str, password: &str) -> anyhow::Result<Value> {
    let discovery: Value = reqwest::get(format!("{issuer}/.well-known/openid-configuration"))
        .await?
        .error_for_status()?
        .json()
        .await?;
    assert_eq!(discovery["issuer"], issuer);
    let endpoint = |name: &str| discovery[name].as_str().expect("a required endpoint").to_owned();

    let mut authorize: Url = endpoint("authorization_endpoint").parse()?;
    authorize.query_pairs_mut().extend_pairs([
        ("client_id", client.0),
        ("response_type", "code"),
        ("scope", "openid email profile"),
        ("redirect_uri", REDIRECT),
        ("state", "s-1"),
        ("nonce", "n-1"),
        (
            "code_challenge",
            &URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(VERIFIER)),
        ),
        ("code_challenge_method", "S256"),
    ]);
    let back = Browser::new()
        .login_with_form(&authorize, user, password, REDIRECT)
        .await?;
    let answer: HashMap<_, _> = back.query_pairs().into_owned().collect();
    assert_eq!(answer["state"], "s-1");

    let tokens = reqwest::Client::new()
        .post(endpoint("token_endpoint"))
        .basic_auth(urlencode(client.0), Some(urlencode(client.1)))
        .form(&[
            ("grant_type", "authorization_code"),
            ("code", &answer["code"]),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ])
        .send()
        .await?
        .error_for_status()?;
    Ok(tokens.json().await?)
}

/// As RFC 6749 2.3.1 wants client credentials before they go into Basic.
fn urlencode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn unchecked_claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).expect("three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64url")).expect("JSON")
}
