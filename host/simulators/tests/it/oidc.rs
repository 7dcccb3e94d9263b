//! The OpenID provider, judged by the crate jsonwebtoken.

use crate::support::{Bench, Hook};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};
use sha2::Digest as _;

const REDIRECT: &str = "http://127.0.0.1:9/callback";
const VERIFIER: &str = "dBjftJeZ4CVP-mBP92K1uhbUJU1p1r_wW1gFWFOEjXk";

fn b64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

fn challenge() -> String {
    b64(&sha2::Sha256::digest(VERIFIER))
}

/// Goes to the authorization endpoint and returns the parameters that came back.
async fn authorize(bench: &Bench, more: &[(&str, &str)]) -> Vec<(String, String)> {
    let challenge = challenge();
    let mut query = vec![
        ("response_type", "code"),
        ("client_id", bench.config("client_id")),
        ("redirect_uri", REDIRECT),
        ("scope", "openid profile email"),
        ("state", "s t&a"),
        ("nonce", "n-1"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    query.retain(|(name, _)| !more.iter().any(|(n, _)| n == name));
    query.extend(more);
    let answer = bench
        .http
        .get(bench.url("/authorize"))
        .query(&query)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 303);
    let location = url::Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
    assert!(location.as_str().starts_with(REDIRECT));
    location.query_pairs().into_owned().collect()
}

fn get<'a>(pairs: &'a [(String, String)], name: &str) -> &'a str {
    pairs.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v)
}

async fn exchange(bench: &Bench, code: &str, more: &[(&str, &str)]) -> (u16, Value) {
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    form.retain(|(name, _)| !more.iter().any(|(n, _)| n == name));
    form.extend(more);
    let request = bench.http.post(bench.url("/token")).form(&form);
    let answer = request
        .basic_auth(bench.config("client_id"), Some(bench.secret("client_secret")))
        .send()
        .await
        .unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn sign_in(bench: &Bench) -> Value {
    let back = authorize(bench, &[("auto", "alice")]).await;
    let (status, tokens) = exchange(bench, get(&back, "code"), &[]).await;
    assert_eq!(status, 200, "{tokens}");
    tokens
}

/// Verifies as a careful client does, at the simulator's time.
async fn verify(bench: &Bench, token: &str) -> Result<Value, String> {
    let header = decode_header(token).map_err(|e| e.to_string())?;
    let keys = bench.get("/jwks").await;
    let key = keys["keys"]
        .as_array()
        .unwrap()
        .iter()
        .find(|k| k["kid"] == json!(header.kid))
        .ok_or("unknown key")?;
    let key = DecodingKey::from_rsa_components(key["n"].as_str().unwrap(), key["e"].as_str().unwrap()).unwrap();
    let mut rules = Validation::new(Algorithm::RS256);
    rules.validate_exp = false;
    rules.set_audience(&[bench.config("client_id")]);
    rules.set_issuer(&[bench.config("issuer")]);
    let claims = decode::<Value>(token, &key, &rules).map_err(|e| e.to_string())?.claims;
    if claims["exp"].as_i64().unwrap() <= bench.clock.seconds() {
        return Err("expired".into());
    }
    Ok(claims)
}

#[tokio::test]
async fn a_person_signs_in_with_pkce_and_another_library_believes_the_token() {
    let bench = Bench::start("oidc").await;
    let metadata = bench.get("/.well-known/openid-configuration").await;
    assert_eq!(metadata["issuer"], bench.sim.config["issuer"]);
    let back = authorize(&bench, &[("auto", "zhang")]).await;
    assert_eq!(
        (get(&back, "state"), get(&back, "iss")),
        ("s t&a", bench.config("issuer"))
    );
    let (status, tokens) = exchange(&bench, get(&back, "code"), &[]).await;
    assert_eq!(status, 200, "{tokens}");
    let claims = verify(&bench, tokens["id_token"].as_str().unwrap()).await.unwrap();
    assert_eq!(
        (&claims["nonce"], &claims["name"], &claims["sub"]),
        (&json!("n-1"), &json!("张伟"), &json!("sim-0003"))
    );
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(claims["at_hash"], b64(&sha2::Sha256::digest(access)[..16]));
    let info = bench
        .http
        .get(bench.url("/userinfo"))
        .bearer_auth(access)
        .send()
        .await
        .unwrap();
    assert_eq!(info.json::<Value>().await.unwrap()["email"], "zhang@example.test");
    let (status, again) = exchange(&bench, get(&back, "code"), &[]).await;
    assert_eq!((status, &again["error"]), (400, &json!("invalid_grant")));
    let info = bench
        .http
        .get(bench.url("/userinfo"))
        .bearer_auth(access)
        .send()
        .await
        .unwrap();
    assert_eq!(info.status(), 401, "a code that came twice takes back what it gave");
}

#[tokio::test]
async fn the_form_asks_who_it_is() {
    let bench = Bench::start("oidc").await;
    let query = [
        ("response_type", "code"),
        ("client_id", bench.config("client_id")),
        ("redirect_uri", REDIRECT),
        ("scope", "openid"),
        ("state", "s"),
    ];
    let url = url::Url::parse_with_params(&bench.url("/authorize"), query).unwrap();
    let page = bench.http.get(url.clone()).send().await.unwrap();
    assert_eq!(page.status(), 200);
    assert!(page.text().await.unwrap().contains("value=\"bob\""));
    for (choice, expected) in [("bob", "code="), ("deny", "error=access_denied")] {
        let answer = bench
            .http
            .post(url.clone())
            .form(&[("choice", choice)])
            .send()
            .await
            .unwrap();
        assert!(
            answer.headers()["location"].to_str().unwrap().contains(expected),
            "{choice}"
        );
    }
    let silent = authorize(&bench, &[("prompt", "none")]).await;
    assert_eq!(get(&silent, "error"), "login_required");
}

#[tokio::test]
async fn what_a_client_does_wrong_is_refused() {
    let bench = Bench::start("oidc").await;
    for (more, error) in [
        (("response_type", "token"), "unsupported_response_type"),
        (("scope", "profile"), "invalid_scope"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("code_challenge", "short"), "invalid_request"),
    ] {
        assert_eq!(get(&authorize(&bench, &[more]).await, "error"), error);
    }
    let unknown = bench
        .http
        .get(bench.url("/authorize?client_id=x&redirect_uri=http://a/"))
        .send()
        .await
        .unwrap();
    assert_eq!(unknown.status(), 400, "never redirects for a client it does not know");
    for more in [
        ("code_verifier", "wrong-verifier-wrong-verifier-wrong-verifier"),
        ("redirect_uri", "http://127.0.0.1:9/other"),
    ] {
        let back = authorize(&bench, &[("auto", "")]).await;
        let (status, body) = exchange(&bench, get(&back, "code"), &[more]).await;
        assert_eq!((status, &body["error"]), (400, &json!("invalid_grant")), "{more:?}");
    }
    let back = authorize(&bench, &[("auto", "")]).await;
    bench.clock.forward(61);
    assert_eq!(
        exchange(&bench, get(&back, "code"), &[]).await.0,
        400,
        "a code is good for a minute"
    );
    let form = [("grant_type", "authorization_code"), ("code", "x")];
    let wrong = bench
        .http
        .post(bench.url("/token"))
        .basic_auth(bench.config("client_id"), Some("x"))
        .form(&form);
    assert_eq!(wrong.send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn each_knob_makes_exactly_one_check_fail() {
    let bench = Bench::start("oidc").await;
    for knob in [
        "bad_signature",
        "wrong_audience",
        "wrong_issuer",
        "stale",
        "alg_none",
        "alg_confusion",
    ] {
        bench.control("faults", json!({knob: true, "next": 1})).await;
        let token = sign_in(&bench).await["id_token"].as_str().unwrap().to_owned();
        verify(&bench, &token).await.expect_err(knob);
        let token = sign_in(&bench).await["id_token"].as_str().unwrap().to_owned();
        verify(&bench, &token).await.expect("the next one is right again");
    }
    bench
        .control(
            "faults",
            json!({"bad_nonce": true, "wrong_at_hash": true, "wrong_userinfo": true}),
        )
        .await;
    let tokens = sign_in(&bench).await;
    let claims = verify(&bench, tokens["id_token"].as_str().unwrap()).await.unwrap();
    assert_ne!(claims["nonce"], "n-1");
    let access = tokens["access_token"].as_str().unwrap();
    assert_ne!(claims["at_hash"], b64(&sha2::Sha256::digest(access)[..16]));
    let info = bench
        .http
        .get(bench.url("/userinfo"))
        .bearer_auth(access)
        .send()
        .await
        .unwrap();
    assert_ne!(info.json::<Value>().await.unwrap()["sub"], claims["sub"]);
    bench.control("faults", json!({"wrong_iss_parameter": true})).await;
    assert_ne!(
        get(&authorize(&bench, &[("auto", "")]).await, "iss"),
        bench.config("issuer")
    );
}

#[tokio::test]
async fn keys_rotate_with_and_without_overlap() {
    let bench = Bench::start("oidc").await;
    let old = sign_in(&bench).await["id_token"].as_str().unwrap().to_owned();
    bench.control("faults", json!({"rotate_certificate": true})).await;
    assert_eq!(bench.get("/jwks").await["keys"].as_array().unwrap().len(), 2);
    let new = sign_in(&bench).await["id_token"].as_str().unwrap().to_owned();
    assert_ne!(decode_header(&old).unwrap().kid, decode_header(&new).unwrap().kid);
    verify(&bench, &old).await.unwrap();
    verify(&bench, &new).await.unwrap();
    bench.control("faults", json!({"rotate_certificate": "abrupt"})).await;
    assert_eq!(verify(&bench, &new).await.unwrap_err(), "unknown key");
}

#[tokio::test]
async fn a_device_polls_until_somebody_approves() {
    let bench = Bench::start("oidc").await;
    let (id, secret) = (bench.config("client_id"), bench.secret("client_secret"));
    let form = [
        ("client_id", id),
        ("client_secret", secret),
        ("scope", "openid offline_access"),
    ];
    let answer = bench
        .http
        .post(bench.url("/device_authorization"))
        .form(&form)
        .send()
        .await
        .unwrap();
    let device: Value = answer.json().await.unwrap();
    let poll = || async {
        let grant = "urn:ietf:params:oauth:grant-type:device_code";
        let form = [
            ("grant_type", grant),
            ("device_code", device["device_code"].as_str().unwrap()),
            ("client_id", id),
            ("client_secret", secret),
        ];
        bench
            .http
            .post(bench.url("/token"))
            .form(&form)
            .send()
            .await
            .unwrap()
            .json::<Value>()
            .await
            .unwrap()
    };
    assert_eq!(poll().await["error"], "authorization_pending");
    assert_eq!(poll().await["error"], "slow_down");
    let path = format!("pay/{}", device["user_code"].as_str().unwrap());
    bench.control(&path, json!({"as": "bob"})).await;
    let tokens = poll().await;
    let claims = verify(&bench, tokens["id_token"].as_str().unwrap()).await.unwrap();
    assert_eq!(claims["sub"], "sim-0002");
    let refresh = |token: String| async {
        let form = vec![
            ("grant_type", "refresh_token".to_owned()),
            ("refresh_token", token),
            ("client_id", id.to_owned()),
            ("client_secret", secret.to_owned()),
        ];
        bench
            .http
            .post(bench.url("/token"))
            .form(&form)
            .send()
            .await
            .unwrap()
            .json::<Value>()
            .await
            .unwrap()
    };
    let first = tokens["refresh_token"].as_str().unwrap().to_owned();
    let next = refresh(first.clone()).await;
    assert_ne!(next["refresh_token"], first);
    assert_eq!(
        refresh(first).await["error"],
        "invalid_grant",
        "refresh tokens are good once"
    );
}

#[tokio::test]
async fn a_logout_token_is_delivered() {
    let bench = Bench::start("oidc").await;
    let hook = Hook::start("").await;
    bench
        .control(
            "deliver",
            json!({"kind": "backchannel_logout", "sub": "sim-0001", "to": hook.url}),
        )
        .await;
    let form = hook.take().remove(0).form();
    let claims = verify(&bench, get(&form, "logout_token")).await.unwrap();
    assert_eq!(claims["sub"], "sim-0001");
    assert!(claims["events"]["http://schemas.openid.net/event/backchannel-logout"].is_object());
    assert!(claims["nonce"].is_null());
}
