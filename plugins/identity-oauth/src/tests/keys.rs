//! The provider's keys: cached, refreshed when they change, and never refreshed at an attacker's will.

use super::*;
use std::time::Duration;

fn fetches(host: &FakeHost, url: &str) -> usize {
    host.requests().iter().filter(|r| r.url == url).count()
}

#[test]
fn keys_and_metadata_are_fetched_once_and_again_when_they_are_old() {
    let host = host(config());
    for _ in 0..3 {
        sign_in(&host, &json!({})).unwrap();
    }
    assert_eq!((fetches(&host, DISCOVERY), fetches(&host, JWKS)), (1, 1));
    host.advance(Duration::from_secs(3601));
    sign_in(&host, &json!({})).unwrap();
    assert_eq!((fetches(&host, DISCOVERY), fetches(&host, JWKS)), (2, 1));
    host.advance(Duration::from_secs(23 * 3600));
    sign_in(&host, &json!({})).unwrap();
    assert_eq!(fetches(&host, JWKS), 2, "never older than a day");
}

#[test]
fn a_new_key_is_found_and_invented_ones_do_not_hammer_the_provider() {
    let host = host(config());
    sign_in(&host, &json!({})).unwrap();
    let rolled = TestKey::generate("ES256", "rolled");
    host.now_on(get(JWKS), 200, &json!({"keys": [rolled.jwk()]}));
    assert!(sign_in_on(&host, |c| rolled.jws(&c)).is_ok());
    assert_eq!(fetches(&host, JWKS), 2);

    let invented = TestKey::generate("ES256", "invented");
    for _ in 0..5 {
        assert_eq!(sign_in_on(&host, |c| invented.jws(&c)).unwrap_err().code, "key_unknown");
    }
    assert_eq!(fetches(&host, JWKS), 2, "within a minute of the last refresh");
    host.advance(Duration::from_secs(61));
    for _ in 0..5 {
        assert_eq!(sign_in_on(&host, |c| invented.jws(&c)).unwrap_err().code, "key_unknown");
    }
    assert_eq!(fetches(&host, JWKS), 3, "once per minute");
}

#[test]
fn a_key_that_is_there_but_did_not_sign_is_no_reason_to_ask_again() {
    let host = host(config());
    sign_in(&host, &json!({})).unwrap();
    let impostor = TestKey::generate("ES256", "key-ES256");
    assert_eq!(
        sign_in_on(&host, |c| impostor.jws(&c)).unwrap_err().code,
        "id_token_signature"
    );
    assert_eq!(fetches(&host, JWKS), 1);
}

#[test]
fn without_a_key_id_the_fitting_keys_are_tried() {
    let host1 = host(config());
    let header = r#"{"alg":"ES256"}"#;
    assert!(sign_in_on(&host1, |c| key("ES256").jws_raw(header, &c.to_string())).is_ok());
    let impostor = TestKey::generate("ES256", "");
    assert_eq!(
        sign_in_on(&host1, |c| impostor.jws_raw(header, &c.to_string()))
            .unwrap_err()
            .code,
        "id_token_signature"
    );

    // Rolled over, still without ids.
    let (old, new) = (TestKey::generate("ES256", ""), TestKey::generate("ES256", ""));
    let anonymous = |k: &TestKey| {
        let mut jwk = k.jwk();
        jwk.as_object_mut().unwrap().remove("kid");
        json!({"keys": [jwk]})
    };
    let host2 = host(config());
    host2.now_on(get(JWKS), 200, &anonymous(&old));
    assert!(sign_in_on(&host2, |c| old.jws_raw(header, &c.to_string())).is_ok());
    host2.now_on(get(JWKS), 200, &anonymous(&new));
    assert!(sign_in_on(&host2, |c| new.jws_raw(header, &c.to_string())).is_ok());
}

#[test]
fn keys_that_are_not_for_this_are_not_used() {
    let es = TestKey::generate("ES256", "k");
    let with = |name: &str, value: Value| {
        let mut jwk = es.jwk();
        jwk[name] = value;
        jwk
    };
    let weak = json!({"kty": "RSA", "kid": "k", "n": crate::token::jose::base64url(&[0xff; 128]), "e": "AQAB"});
    for (jwk, alg) in [
        (with("use", json!("enc")), "ES256"),
        (with("alg", json!("ES384")), "ES256"),
        (with("key_ops", json!(["sign"])), "ES256"),
        (with("crv", json!("P-384")), "ES256"),
        (with("kty", json!("RSA")), "ES256"),
        (json!({"kty": "oct", "kid": "k", "k": "c2VjcmV0"}), "ES256"),
        (with("x", json!("!")), "ES256"),
        (weak, "RS256"),
    ] {
        let host = host(config());
        host.now_on(get(JWKS), 200, &json!({"keys": [jwk, "not a key", null]}));
        let header = json!({"alg": alg, "kid": "k"}).to_string();
        let fault = sign_in_on(&host, |c| es.jws_raw(&header, &c.to_string())).unwrap_err();
        assert_eq!(fault.code, "key_unknown", "{jwk}");
    }
}

#[test]
fn only_public_parts_are_kept() {
    let host = host(config());
    let mut leaky = key("RS256").jwk();
    leaky["d"] = json!("private-exponent");
    leaky["x5c"] = json!(["x".repeat(60_000)]);
    host.now_on(get(JWKS), 200, &json!({"keys": [leaky]}));
    sign_in(&host, &json!({})).unwrap();
    for name in host.kv_keys() {
        let entry = host.kv_get(&name).unwrap().unwrap();
        assert!(
            !String::from_utf8_lossy(&entry.value).contains("private-exponent"),
            "{name}"
        );
    }
    assert!(
        host.kv_keys().iter().any(|k| k.starts_with("jwks/")),
        "kept although the answer was large"
    );
}

#[test]
fn broken_key_sets_are_the_providers_fault() {
    let reply = |status: u16, body: &Value| {
        let host = host(config());
        host.now_on(get(JWKS), status, body);
        sign_in(&host, &json!({})).unwrap_err().code
    };
    assert_eq!(reply(200, &json!([])), "idp_answer_unreadable");
    assert_eq!(reply(200, &json!({"keys": "x"})), "idp_answer_unreadable");
    assert_eq!(reply(200, &json!({"keys": []})), "key_unknown");
    assert_eq!(reply(404, &json!({})), "idp_refused");
    assert_eq!(reply(500, &json!({})), "idp_down");
}
