//! The token endpoint: how the client proves itself, and what each refusal means.

use super::*;
use aistack_sdk::Kind;
use aistack_sdk_test::Request;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

fn offering(methods: Option<&[&str]>) -> Value {
    let mut metadata = metadata();
    match methods {
        Some(methods) => metadata["token_endpoint_auth_methods_supported"] = json!(methods),
        None => drop(
            metadata
                .as_object_mut()
                .unwrap()
                .remove("token_endpoint_auth_methods_supported"),
        ),
    }
    metadata
}

/// Signs in with the secrets that are named; returns the request to the token endpoint.
fn exchanged(config: Value, metadata: &Value, secrets: &[&str]) -> Result<Request, Fault> {
    let mut host = FakeHost::for_plugin(MANIFEST, config)
        .on(get(DISCOVERY))
        .reply_json(200, metadata)
        .on(get(JWKS))
        .reply_json(200, jwks());
    for name in secrets {
        host = if *name == "client_key" {
            host.secret(name, key("ES256").pem())
        } else {
            host.secret(name, SECRET)
        };
    }
    sign_in(&host, &json!({}))?;
    Ok(host
        .requests()
        .into_iter()
        .find(|r| r.url == TOKEN)
        .expect("the token endpoint was asked"))
}

#[test]
fn the_method_follows_what_is_offered_and_what_is_there() {
    let es = json!({"client_key_alg": "ES256", "client_key_id": "client-1"});
    for (changes, offered, secrets, credential) in [
        (
            json!({}),
            Some(&["client_secret_basic", "client_secret_post"][..]),
            &["client_secret"][..],
            "form client_secret",
        ),
        (
            json!({}),
            Some(&["client_secret_basic"]),
            &["client_secret"],
            "basic client_secret",
        ),
        (json!({}), None, &["client_secret"], "basic client_secret"),
        (
            es.clone(),
            Some(&["client_secret_post", "private_key_jwt"]),
            &["client_secret", "client_key"],
            "none",
        ),
        (
            es.clone(),
            Some(&["client_secret_post"]),
            &["client_secret", "client_key"],
            "form client_secret",
        ),
        (json!({}), Some(&["none"]), &[], "none"),
        (json!({}), Some(&["client_secret_basic"]), &[], "none"),
        (
            json!({"client_authentication": "client_secret_basic"}),
            Some(&["client_secret_basic", "client_secret_post"]),
            &["client_secret"],
            "basic client_secret",
        ),
        (
            json!({"client_authentication": "none"}),
            Some(&["client_secret_basic"]),
            &["client_secret"],
            "none",
        ),
    ] {
        let request = exchanged(config_with(changes.clone()), &offering(offered), secrets).unwrap();
        assert_eq!(request.credential, credential, "{changes} {offered:?} {secrets:?}");
        let named = request.field("client_id").as_deref() == Some("aistack-client");
        assert_eq!(named, !credential.starts_with("basic"), "the client is named once");
    }
}

#[test]
fn what_can_not_work_is_said_before_anything_is_sent() {
    for (changes, offered, secrets, code) in [
        (
            json!({}),
            &["private_key_jwt"][..],
            &["client_secret"][..],
            "client_authentication_not_offered",
        ),
        (
            json!({}),
            &["tls_client_auth"],
            &["client_key"],
            "client_authentication_not_offered",
        ),
        (
            json!({"client_authentication": "client_secret_post"}),
            &["client_secret_basic"],
            &["client_secret"],
            "client_authentication_not_offered",
        ),
        (
            json!({"client_authentication": "client_secret_basic"}),
            &["client_secret_basic"],
            &[],
            "client_secret_missing",
        ),
        (
            json!({"client_authentication": "private_key_jwt"}),
            &["private_key_jwt"],
            &["client_secret"],
            "client_key_missing",
        ),
    ] {
        let fault = exchanged(config_with(changes.clone()), &offering(Some(offered)), secrets).unwrap_err();
        assert_eq!(
            (fault.kind, fault.code.as_str()),
            (Kind::InvalidConfig, code),
            "{changes}"
        );
    }
}

#[test]
fn basic_names_the_client_as_the_rfc_wants_it() {
    let request = exchanged(
        config_with(json!({"client_id": "a:b/c é"})),
        &offering(None),
        &["client_secret"],
    );
    // The token is for another audience, but the request went out.
    assert_eq!(request.unwrap_err().code, "id_token_audience");
    let plain = exchanged(config(), &offering(None), &["client_secret"]).unwrap();
    let expected = format!("Basic {}", STANDARD.encode(format!("aistack-client:{SECRET}")));
    assert_eq!(plain.header("authorization"), Some(expected.as_str()));
    assert_eq!(plain.field("client_secret"), None);
}

#[test]
fn an_assertion_is_signed_for_this_server_and_this_minute() {
    let settings =
        json!({"client_authentication": "private_key_jwt", "client_key_alg": "ES256", "client_key_id": "client-1"});
    let request = exchanged(
        config_with(settings),
        &offering(Some(&["private_key_jwt"])),
        &["client_key"],
    )
    .unwrap();
    assert_eq!(
        request.field("client_assertion_type").as_deref(),
        Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
    );
    let assertion = request.field("client_assertion").unwrap();
    let parts: Vec<_> = assertion.split('.').collect();
    let read = |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    assert_eq!(read(parts[0]), json!({"alg": "ES256", "typ": "JWT", "kid": "client-1"}));
    let payload = read(parts[1]);
    let now = 1_767_225_600;
    assert_eq!(
        (&payload["iss"], &payload["sub"], &payload["aud"]),
        (&json!("aistack-client"), &json!("aistack-client"), &json!(ISSUER))
    );
    assert_eq!((&payload["iat"], &payload["exp"]), (&json!(now), &json!(now + 60)));
    assert_eq!(payload["jti"].as_str().map(str::len), Some(22));
    let signature = URL_SAFE_NO_PAD.decode(parts[2]).unwrap();
    let signed = format!("{}.{}", parts[0], parts[1]);
    assert_eq!(
        FakeHost::new().verify(
            "ES256",
            key("ES256").jwk().to_string().as_bytes(),
            signed.as_bytes(),
            &signature
        ),
        Ok(true)
    );
}

#[test]
fn every_answer_of_the_token_endpoint_has_its_code() {
    let error = |code: &str| json!({"error": code, "error_description": "words"});
    for (status, body, kind, code) in [
        (400, error("invalid_grant"), Kind::Expired, "code_rejected"),
        (400, error("invalid_client"), Kind::InvalidConfig, "client_rejected"),
        (401, error("invalid_client"), Kind::InvalidConfig, "client_rejected"),
        (401, json!("x"), Kind::InvalidConfig, "client_rejected"),
        (400, error("invalid_request"), Kind::InvalidConfig, "idp_refused"),
        (400, error("other"), Kind::Provider, "token_endpoint_error"),
        (302, json!({}), Kind::Provider, "token_endpoint_error"),
        (429, json!({}), Kind::RateLimited, "idp_busy"),
        (503, json!({}), Kind::Provider, "idp_down"),
        (200, json!("x"), Kind::Provider, "token_type_unknown"),
        (200, json!({"id_token": "x"}), Kind::Provider, "token_type_unknown"),
        (
            200,
            json!({"id_token": "x", "token_type": "mac"}),
            Kind::Provider,
            "token_type_unknown",
        ),
        (
            200,
            json!({"access_token": "x", "token_type": "bearer"}),
            Kind::Provider,
            "id_token_missing",
        ),
        (
            200,
            json!({"id_token": 5, "token_type": "bearer"}),
            Kind::Provider,
            "id_token_missing",
        ),
    ] {
        let host = host(config());
        let begun = Begun::on(&host);
        host.now_on(post(TOKEN), status, &body);
        let fault = begun.back(&host, "code=c0de&state=STATE").unwrap_err();
        assert_eq!((fault.kind, fault.code.as_str()), (kind, code), "{status} {body}");
    }
    let host = host(config());
    let begun = Begun::on(&host);
    let doubled = aistack_sdk::HttpResponse {
        status: 200,
        headers: Vec::new(),
        body: br#"{"token_type":"Bearer","id_token":"a","id_token":"b"}"#.to_vec(),
    };
    let host = host.on(post(TOKEN)).reply(doubled);
    assert_eq!(
        begun.back(&host, "code=c0de&state=STATE").unwrap_err().code,
        "idp_answer_unreadable"
    );
}

#[test]
fn an_unreachable_provider_is_down_and_an_ungranted_one_is_a_matter_of_configuration() {
    let down = bare(config())
        .on(get(DISCOVERY))
        .fail(Fault::transport("connection_refused", "refused"));
    let fault = OAuth.begin(&down, &context(), start()).unwrap_err();
    assert_eq!((fault.kind, fault.code.as_str()), (Kind::Transport, "idp_down"));

    let mut elsewhere = metadata();
    elsewhere["token_endpoint"] = json!("https://tokens.example.test/token");
    let host1 = with_metadata(config(), &elsewhere);
    let fault = sign_in(&host1, &json!({})).unwrap_err();
    assert_eq!(
        (fault.kind, fault.code.as_str()),
        (Kind::InvalidConfig, "host_not_granted")
    );
    assert!(
        host1.requests().iter().all(|r| !r.url.starts_with("https://tokens")),
        "the secret went nowhere"
    );

    let host2 = with_metadata(
        config_with(json!({"endpoint_hosts": ["tokens.example.test"]})),
        &elsewhere,
    );
    let begun = Begun::on(&host2);
    let token = key("RS256").jws(&claims(&host2, &begun.param("nonce").unwrap()));
    let body = json!({"token_type": "Bearer", "id_token": token});
    host2.now_on(post("https://tokens.example.test/token"), 200, &body);
    assert!(begun.back(&host2, "code=c0de&state=STATE").is_ok());
}
