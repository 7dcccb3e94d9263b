//! Discovery, user information, and the connection test.

use super::*;
use aistack_sdk::Kind;

fn begin_with(metadata: &Value) -> Result<(), Fault> {
    OAuth
        .begin(&with_metadata(config(), metadata), &context(), start())
        .map(drop)
}

#[test]
fn metadata_is_believed_only_from_exactly_this_issuer() {
    for issuer in [
        "https://id.example.test/realms/main/",
        "https://id.example.test/realms/Main",
        "https://evil.example",
        "",
    ] {
        let mut other = metadata();
        other["issuer"] = json!(issuer);
        let fault = begin_with(&other).unwrap_err();
        assert_eq!(
            (fault.kind, fault.code.as_str()),
            (Kind::Provider, "issuer_mismatch"),
            "{issuer}"
        );
    }
    // A trailing slash belongs to the issuer, but is not doubled in the address of its metadata.
    let slashed = format!("{ISSUER}/");
    let mut metadata = metadata();
    metadata["issuer"] = json!(slashed);
    assert!(
        OAuth
            .begin(
                &with_metadata(config_with(json!({"issuer": slashed})), &metadata),
                &context(),
                start()
            )
            .is_ok()
    );
}

#[test]
fn metadata_that_would_lead_astray_is_refused() {
    for (name, value) in [
        ("authorization_endpoint", json!("http://id.example.test/auth")),
        ("authorization_endpoint", json!("javascript:alert(1)")),
        ("authorization_endpoint", json!("https://user@id.example.test/auth")),
        ("authorization_endpoint", json!("https:///auth")),
        ("authorization_endpoint", json!("https://id.example.test/auth#fragment")),
        ("authorization_endpoint", json!("https://id.example.test/a b")),
        (
            "authorization_endpoint",
            json!("https://id.example.test\\@evil.example/"),
        ),
        ("authorization_endpoint", Value::Null),
        ("token_endpoint", json!("")),
        ("jwks_uri", json!("file:///etc/passwd")),
        ("userinfo_endpoint", json!("http://id.example.test/userinfo")),
        ("end_session_endpoint", json!("ftp://id.example.test")),
        ("response_types_supported", json!(["id_token"])),
        ("response_types_supported", json!("code")),
    ] {
        let mut bad = metadata();
        bad[name] = value.clone();
        assert_eq!(begin_with(&bad).unwrap_err().code, "metadata_invalid", "{name} {value}");
    }
    let with_query = changed(
        metadata(),
        &json!({"authorization_endpoint": "https://id.example.test/auth?tenant=1"}),
    );
    let host = with_metadata(config(), &with_query);
    assert!(
        Begun::on(&host)
            .url
            .starts_with("https://id.example.test/auth?tenant=1&response_type=code")
    );
}

#[test]
fn discovery_that_fails_says_how() {
    for (status, body, code) in [
        (404, json!({}), "idp_refused"),
        (302, json!({}), "idp_refused"),
        (500, json!({}), "idp_down"),
        (200, json!([]), "idp_answer_unreadable"),
        (200, json!("<html>"), "idp_answer_unreadable"),
    ] {
        let host = bare(config()).on(get(DISCOVERY)).reply_json(status, body);
        assert_eq!(
            OAuth.begin(&host, &context(), start()).unwrap_err().code,
            code,
            "{status}"
        );
    }
}

#[test]
fn user_information_counts_only_for_the_same_person() {
    let with_info = |info: Value| {
        let host = host(config_with(json!({"userinfo": true})));
        host.now_on(get(USERINFO), 200, &info);
        (sign_in(&host, &json!({"email": null, "email_verified": null})), host)
    };
    let (session, host1) = with_info(
        json!({"sub": "248289761001", "email": "info@example.test", "email_verified": true, "name": "Other", "groups": ["g"]}),
    );
    let user = session.unwrap().user;
    assert_eq!(
        (user.email.as_deref(), user.email_verified),
        (Some("info@example.test"), true)
    );
    assert_eq!(user.display_name.as_deref(), Some("Zhang San"), "what is signed stays");
    assert_eq!(user.groups, ["g"]);
    let request = host1.requests().into_iter().find(|r| r.url == USERINFO).unwrap();
    assert_eq!(request.header("authorization"), Some("Bearer access-1"));
    for info in [
        json!({"sub": "another"}),
        json!({"email": "x@example.test"}),
        json!({"sub": 248289761001_u64}),
        json!([]),
    ] {
        assert_eq!(with_info(info).0.unwrap_err().code, "userinfo_subject_mismatch");
    }
    let refused = host(config_with(json!({"userinfo": true})));
    refused.now_on(get(USERINFO), 401, &json!({}));
    assert_eq!(sign_in(&refused, &json!({})).unwrap_err().code, "idp_refused");
    let missing = changed(metadata(), &json!({"userinfo_endpoint": null}));
    let fault = sign_in(
        &with_metadata(config_with(json!({"userinfo": true})), &missing),
        &json!({}),
    )
    .unwrap_err();
    assert_eq!(fault.code, "userinfo_unavailable");
}

#[test]
fn the_connection_test_names_what_is_wrong_and_where() {
    let problems = |host: &FakeHost| -> Vec<String> {
        let bad = OAuth.check(host, &context(), true).into_iter().filter(|f| !f.ok);
        bad.map(|f| f.field.unwrap_or(f.message)).collect()
    };
    assert_eq!(problems(&host(config())), Vec::<String>::new());
    assert_eq!(problems(&host(json!({"client_id": "x"}))), ["/issuer"]);
    assert_eq!(problems(&host(json!({"issuer": ISSUER}))), ["/client_id"]);
    let other = changed(metadata(), &json!({"issuer": "https://evil.example"}));
    assert_eq!(problems(&with_metadata(config(), &other)), ["/issuer"]);
    let hs = changed(metadata(), &json!({"id_token_signing_alg_values_supported": ["HS256"]}));
    assert_eq!(problems(&with_metadata(config(), &hs)), ["/signing_algorithms"]);
    let tls = changed(
        metadata(),
        &json!({"token_endpoint_auth_methods_supported": ["tls_client_auth"]}),
    );
    assert_eq!(problems(&with_metadata(config(), &tls)), ["/client_authentication"]);
    let empty = host(config());
    empty.now_on(get(JWKS), 200, &json!({"keys": []}));
    assert_eq!(problems(&empty), ["the key set is empty"]);
    let stale = host(config());
    Begun::on(&stale);
    stale.now_on(get(DISCOVERY), 500, &json!({}));
    assert_eq!(problems(&stale).len(), 1, "the test does not look into the cache");
}
