//! The table of ID tokens that must not sign anybody in, and of unusual ones that must.

use super::*;
use aistack_sdk::Kind;

#[test]
fn every_wrong_claim_is_refused_with_its_code() {
    let host = host(config());
    let now = i64::try_from(host.now_ms() / 1000).unwrap();
    for (changes, code) in [
        (
            json!({"iss": "https://id.example.test/realms/other"}),
            "id_token_issuer",
        ),
        (json!({"iss": format!("{ISSUER}/")}), "id_token_issuer"),
        (json!({"iss": "HTTPS://id.example.test/realms/main"}), "id_token_issuer"),
        (json!({"iss": null}), "id_token_issuer"),
        (json!({"iss": [ISSUER]}), "id_token_issuer"),
        (json!({"aud": "other-client"}), "id_token_audience"),
        (json!({"aud": []}), "id_token_audience"),
        (json!({"aud": null}), "id_token_audience"),
        (json!({"aud": ["other-client"]}), "id_token_audience"),
        (json!({"aud": ["aistack-client", 5]}), "id_token_audience"),
        (json!({"aud": {"aistack-client": true}}), "id_token_audience"),
        (json!({"aud": ["aistack-client", "other-client"]}), "id_token_azp"),
        (
            json!({"aud": ["aistack-client", "other-client"], "azp": "other-client"}),
            "id_token_azp",
        ),
        (json!({"azp": "other-client"}), "id_token_azp"),
        (json!({"azp": 5}), "id_token_azp"),
        (json!({"exp": null}), "id_token_malformed_time"),
        (json!({"exp": "tomorrow"}), "id_token_malformed_time"),
        (json!({"exp": (now + 300).to_string()}), "id_token_malformed_time"),
        (json!({"exp": -1}), "id_token_malformed_time"),
        (json!({"exp": 1e300}), "id_token_malformed_time"),
        (json!({"exp": i64::MAX}), "id_token_malformed_time"),
        (json!({"exp": now - 60}), "id_token_expired"),
        (json!({"exp": 0}), "id_token_expired"),
        (json!({"iat": null}), "id_token_malformed_time"),
        (json!({"iat": now + 61}), "id_token_from_the_future"),
        (json!({"iat": true}), "id_token_malformed_time"),
        (json!({"nbf": now + 61}), "id_token_not_yet_valid"),
        (json!({"nbf": "x"}), "id_token_malformed_time"),
        (json!({"nonce": null}), "nonce_mismatch"),
        (json!({"nonce": ""}), "nonce_mismatch"),
        (json!({"nonce": "of-another-sign-in"}), "nonce_mismatch"),
        (json!({"sub": null}), "subject_invalid"),
        (json!({"sub": ""}), "subject_invalid"),
        (json!({"sub": 5}), "subject_invalid"),
        (json!({"sub": " padded "}), "subject_invalid"),
        (json!({"sub": "a\u{0}b"}), "subject_invalid"),
        (json!({"sub": "x".repeat(256)}), "subject_invalid"),
        (json!({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}), "at_hash_mismatch"),
        (json!({"at_hash": 5}), "at_hash_mismatch"),
        (json!({"c_hash": "AAAAAAAAAAAAAAAAAAAAAA"}), "c_hash_mismatch"),
        (json!({"auth_time": "x"}), "id_token_malformed_time"),
    ] {
        let fault = sign_in(&host, &changes).expect_err("refused");
        assert_eq!(fault.code, code, "{changes}");
        assert!(
            matches!(fault.kind, Kind::Denied | Kind::Expired),
            "{changes}: {:?}",
            fault.kind
        );
    }
}

#[test]
fn the_edges_of_what_is_right() {
    let host = host(config());
    let now = host.now_ms() / 1000;
    let hash = |text: &str| crate::token::jose::half_hash(&host, "RS256", text).unwrap();
    for changes in [
        json!({"exp": now - 59}),
        json!({"iat": now + 60, "nbf": now + 60}),
        json!({"exp": 1e10 + 0.5}),
        json!({"aud": ["aistack-client"]}),
        json!({"aud": ["other-client", "aistack-client"], "azp": "aistack-client"}),
        json!({"azp": "aistack-client"}),
        json!({"at_hash": hash("access-1"), "c_hash": hash("c0de")}),
        json!({"sub": "张三 <x>"}),
        json!({"auth_time": 1}),
        json!({"email": null, "name": null, "preferred_username": null}),
    ] {
        assert!(
            sign_in(&host, &changes).is_ok(),
            "{changes}: {:?}",
            sign_in(&host, &changes)
        );
    }
}

#[test]
fn all_listed_algorithms_work_and_hashes_follow_them() {
    for alg in crate::token::jose::ALGORITHMS {
        let host = host(config());
        let at_hash = crate::token::jose::half_hash(&host, alg, "access-1").unwrap();
        let session = sign_in_on(&host, |claims| {
            key(alg).jws(&changed(claims, &json!({"at_hash": at_hash})))
        });
        assert!(session.is_ok(), "{alg}: {session:?}");
    }
}

#[test]
fn algorithms_are_narrowed_by_configuration_and_by_metadata() {
    let narrowed = host(config_with(json!({"signing_algorithms": ["ES256"]})));
    assert_eq!(sign_in(&narrowed, &json!({})).unwrap_err().code, "id_token_algorithm");
    assert!(sign_in_on(&narrowed, |c| key("ES256").jws(&c)).is_ok());
    let mut stated = metadata();
    stated["id_token_signing_alg_values_supported"] = json!(["PS256", "none", "HS256"]);
    let host = with_metadata(config(), &stated);
    assert_eq!(sign_in(&host, &json!({})).unwrap_err().code, "id_token_algorithm");
    assert!(sign_in_on(&host, |c| key("PS256").jws(&c)).is_ok());
}

/// Headers, each signed by the right key unless it says otherwise.
#[test]
fn every_wrong_header_is_refused_with_its_code() {
    let host = host(config());
    let rs = key("RS256");
    let own_key = TestKey::generate("ES256", "key-ES256");
    for (header, code) in [
        (json!({"alg": "none", "kid": "key-RS256"}), "id_token_algorithm"),
        (json!({"alg": "None"}), "id_token_algorithm"),
        (json!({"alg": "HS256", "kid": "key-RS256"}), "id_token_algorithm"),
        (json!({"alg": "rs256", "kid": "key-RS256"}), "id_token_algorithm"),
        (json!({"alg": "ES256K", "kid": "key-RS256"}), "id_token_algorithm"),
        (json!({"alg": ["RS256"], "kid": "key-RS256"}), "id_token_algorithm"),
        (json!({"kid": "key-RS256"}), "id_token_algorithm"),
        (
            json!({"alg": "RS256", "kid": "key-RS256", "crit": ["exp"], "exp": 1}),
            "id_token_critical_header",
        ),
        (
            json!({"alg": "RS256", "kid": "key-RS256", "crit": []}),
            "id_token_critical_header",
        ),
        (
            json!({"alg": "RS256", "kid": "key-RS256", "b64": false, "crit": ["b64"]}),
            "id_token_critical_header",
        ),
        (
            json!({"alg": "RS256", "kid": "key-RS256", "typ": "at+jwt"}),
            "id_token_type",
        ),
        (
            json!({"alg": "RS256", "kid": "key-RS256", "typ": "application/logout+jwt"}),
            "id_token_type",
        ),
        (json!({"alg": "RS256", "kid": 5}), "id_token_malformed"),
        (json!({"alg": "RS256", "kid": "key-RS512"}), "key_unknown"),
        (json!({"alg": "RS512", "kid": "key-RS512"}), "id_token_signature"),
        (json!({"alg": "RS256", "kid": "no-such-key"}), "key_unknown"),
        // Keys that the token brings along are not looked at.
        (
            json!({"alg": "ES256", "kid": "other", "jwk": own_key.jwk()}),
            "key_unknown",
        ),
        (
            json!({"alg": "ES256", "kid": "other", "jku": "https://evil.example/jwks", "x5u": "https://evil.example/c"}),
            "key_unknown",
        ),
        (json!([]), "id_token_malformed"),
    ] {
        let signer = if header["alg"] == "ES256" { &own_key } else { rs };
        let fault = sign_in_on(&host, |claims| signer.jws_raw(&header.to_string(), &claims.to_string())).unwrap_err();
        assert_eq!(
            (fault.kind, fault.code.as_str()),
            (Kind::SignatureInvalid, code),
            "{header}"
        );
    }
    assert!(host.requests().iter().all(|r| !r.url.contains("evil")));
    for typ in ["JWT", "jwt", "application/JWT", "id_token+jwt"] {
        let header = json!({"alg": "RS256", "kid": "key-RS256", "typ": typ}).to_string();
        assert!(
            sign_in_on(&host, |c| rs.jws_raw(&header, &c.to_string())).is_ok(),
            "{typ}"
        );
    }
}

#[test]
fn texts_that_two_readers_could_read_differently_are_refused() {
    let host = host(config());
    let rs = key("RS256");
    let header = r#"{"alg":"RS256","kid":"key-RS256"}"#;
    let twice = |name: &str, first: &str| {
        let name = name.to_owned();
        let first = first.to_owned();
        move |claims: Value| {
            let text = claims.to_string();
            rs.jws_raw(header, &format!("{{\"{name}\":{first},{}", &text[1..]))
        }
    };
    for (name, first) in [
        ("sub", "\"admin\""),
        ("nonce", "\"x\""),
        ("s\\u0075b", "\"admin\""),
        ("aud", "\"x\""),
    ] {
        let fault = sign_in_on(&host, twice(name, first)).unwrap_err();
        assert_eq!(fault.code, "id_token_malformed", "{name}");
    }
    let double = r#"{"alg":"none","alg":"RS256","kid":"key-RS256"}"#;
    assert_eq!(
        sign_in_on(&host, |c| rs.jws_raw(double, &c.to_string()))
            .unwrap_err()
            .code,
        "id_token_malformed"
    );
}

#[test]
fn damaged_tokens_are_refused_and_nothing_panics() {
    let host = host(config());
    let good = |c: &Value| key("RS256").jws(c);
    type Damage = fn(String) -> String;
    let damages: [(Damage, &str); 12] = [
        (|_| String::from("x"), "id_token_malformed"),
        (|_| "..".into(), "id_token_malformed"),
        (|t| format!("{t}."), "id_token_malformed"),
        (|t| format!("{t}.x.y"), "id_token_malformed"),
        (|t| format!("{t}="), "id_token_malformed"),
        (|t| t.replacen('.', " .", 1), "id_token_malformed"),
        (|t| t[..t.len() - 2].into(), "id_token_signature"),
        (|t| t.rsplit_once('.').unwrap().0.to_owned() + ".", "id_token_signature"),
        (
            |t| format!("{}.{}", t.rsplit_once('.').unwrap().0, "A".repeat(342)),
            "id_token_signature",
        ),
        (|t| "A".repeat(40_000) + &t, "id_token_malformed"),
        (|t| t.replacen('.', "+.", 1), "id_token_malformed"),
        (|t| format!("\u{feff}{t}"), "id_token_malformed"),
    ];
    for (n, (damage, code)) in damages.into_iter().enumerate() {
        let fault = sign_in_on(&host, |c| damage(good(&c))).unwrap_err();
        assert_eq!(
            (fault.kind, fault.code.as_str()),
            (Kind::SignatureInvalid, code),
            "damage {n}"
        );
    }
    // Other claims under the old signature.
    let swapped = |c: Value| {
        let token = good(&c);
        let other = good(&changed(c, &json!({"sub": "admin"})));
        let (mine, theirs): (Vec<_>, Vec<_>) = (token.split('.').collect(), other.split('.').collect());
        format!("{}.{}.{}", mine[0], theirs[1], mine[2])
    };
    assert_eq!(sign_in_on(&host, swapped).unwrap_err().code, "id_token_signature");
    // A provider's text is not trusted to be short.
    let huge = |c: Value| good(&changed(c, &json!({"padding": "x".repeat(40_000)})));
    assert_eq!(sign_in_on(&host, huge).unwrap_err().code, "id_token_malformed");
}

#[test]
fn a_recent_authentication_is_checked_when_it_was_asked_for() {
    let host = host(config_with(json!({"max_age_minutes": 5})));
    let now = host.now_ms() / 1000;
    assert_eq!(sign_in(&host, &json!({})).unwrap_err().code, "auth_time_missing");
    assert_eq!(
        sign_in(&host, &json!({"auth_time": now - 361})).unwrap_err().code,
        "auth_time_too_old"
    );
    assert!(sign_in(&host, &json!({"auth_time": now - 360})).is_ok());
}

#[test]
fn an_authentication_context_that_was_asked_for_has_to_come_back() {
    let host = host(config_with(json!({"acr_values": "gold silver"})));
    assert_eq!(
        sign_in(&host, &json!({"acr": "bronze"})).unwrap_err().code,
        "policy_denied"
    );
    assert_eq!(sign_in(&host, &json!({})).unwrap_err().code, "policy_denied");
    let session = sign_in(&host, &json!({"acr": "silver", "amr": ["pwd", "otp"]})).unwrap();
    assert_eq!((session.acr.as_deref(), session.amr.len()), (Some("silver"), 2));
}
