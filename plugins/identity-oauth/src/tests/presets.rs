//! Google, Microsoft, and a provider as Keycloak describes itself.

use super::*;
use aistack_sdk::Kind;

const GOOGLE: &str = "https://accounts.google.com";
const TID: &str = "11111111-2222-3333-4444-555555555555";
const OTHER_TID: &str = "99999999-2222-3333-4444-555555555555";
const CONSUMERS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
const OID: &str = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";
const MS_TOKEN: &str = "https://login.microsoftonline.com/organizations/oauth2/v2.0/token";
const MS_KEYS: &str = "https://login.microsoftonline.com/organizations/discovery/v2.0/keys";

fn google(config: Value, changes: &Value) -> Result<Session, Fault> {
    let token_endpoint = "https://oauth2.googleapis.com/token";
    let metadata: Value = serde_json::from_str(include_str!("../../fixtures/google.json")).unwrap();
    let mut all = json!({"provider": "google", "client_id": "aistack-client"});
    all["hosted_domains"] = config;
    let host = bare(all)
        .on(get("https://accounts.google.com/.well-known/openid-configuration"))
        .reply_json(200, metadata)
        .on(get("https://www.googleapis.com/oauth2/v3/certs"))
        .reply_json(200, jwks());
    let begun = Begun::on(&host);
    let claims = changed(claims(&host, &begun.param("nonce").unwrap()), &json!({"iss": GOOGLE}));
    let token = key("RS256").jws(&changed(claims, changes));
    host.now_on(
        post(token_endpoint),
        200,
        &json!({"token_type": "Bearer", "access_token": "a", "id_token": token}),
    );
    begun.back(&host, "code=c0de&state=STATE")
}

#[test]
fn google_admits_by_the_signed_domain_and_nothing_else() {
    assert!(
        google(json!([]), &json!({})).is_ok(),
        "everybody, when nothing is demanded"
    );
    assert!(google(json!(["example.test"]), &json!({"hd": "example.test"})).is_ok());
    assert!(google(json!(["example.test", "b.test"]), &json!({"hd": "B.test"})).is_ok());
    for changes in [
        json!({}),
        json!({"hd": "other.test"}),
        json!({"hd": "", "email": "x@example.test"}),
        json!({"hd": true}),
    ] {
        let fault = google(json!(["example.test"]), &changes).unwrap_err();
        assert_eq!(
            (fault.kind, fault.code.as_str()),
            (Kind::Denied, "policy_denied"),
            "{changes}"
        );
        assert!(fault.user_message.is_some());
    }
    assert_eq!(
        google(json!([]), &json!({"iss": "accounts.google.com"}))
            .unwrap_err()
            .code,
        "id_token_issuer"
    );
}

#[test]
fn google_vouches_for_its_own_addresses() {
    for (changes, verified) in [
        (json!({"email": "x@gmail.com"}), true),
        (json!({"email": "x@example.test", "hd": "example.test"}), true),
        (json!({"email": "x@example.test"}), false),
        (json!({"email": "x@gmail.com", "email_verified": false}), false),
        (json!({"email": "x@gmail.com.evil.test"}), false),
    ] {
        assert_eq!(
            google(json!([]), &changes).unwrap().user.email_verified,
            verified,
            "{changes}"
        );
    }
}

fn microsoft_host(settings: Value) -> FakeHost {
    let mut config =
        json!({"provider": "microsoft", "client_id": "aistack-client", "microsoft_tenant": "organizations"});
    for (name, value) in settings.as_object().unwrap() {
        config[name] = value.clone();
    }
    let tenant = config["microsoft_tenant"].as_str().unwrap().to_owned();
    let stated = match tenant.as_str() {
        "organizations" | "common" => "{tenantid}",
        "consumers" => CONSUMERS,
        id => id,
    };
    // The documents of the other directories differ in these two.
    let mut metadata: Value =
        serde_json::from_str(include_str!("../../fixtures/microsoft-organizations.json")).unwrap();
    metadata["issuer"] = json!(format!("https://login.microsoftonline.com/{stated}/v2.0"));
    metadata["authorization_endpoint"] = json!(format!(
        "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize"
    ));
    bare(config)
        .on(get(&format!(
            "https://login.microsoftonline.com/{tenant}/v2.0/.well-known/openid-configuration"
        )))
        .reply_json(200, metadata)
        .on(get(MS_KEYS))
        .reply_json(200, jwks())
}

fn microsoft_on(host: &FakeHost, changes: &Value, query: &str) -> Result<Session, Fault> {
    let begun = Begun::on(host);
    let own = json!({"iss": format!("https://login.microsoftonline.com/{TID}/v2.0"), "tid": TID, "oid": OID, "sub": "pairwise"});
    let claims = changed(claims(host, &begun.param("nonce").unwrap()), &own);
    let token = key("RS256").jws(&changed(claims, changes));
    host.now_on(
        post(MS_TOKEN),
        200,
        &json!({"token_type": "Bearer", "access_token": "a", "id_token": token}),
    );
    begun.back(host, query)
}

fn microsoft(settings: Value, changes: &Value) -> Result<Session, Fault> {
    microsoft_on(&microsoft_host(settings), changes, "code=c0de&state=STATE")
}

#[test]
fn microsoft_people_are_directory_and_object_id() {
    let user = microsoft(json!({"allowed_tenants": [TID]}), &json!({"xms_edov": true}))
        .unwrap()
        .user;
    assert_eq!(user.subject, OID);
    let ids: Vec<_> = user
        .alternate_ids
        .iter()
        .map(|p| (p.key.as_str(), p.value.as_str()))
        .collect();
    let issuer = format!("https://login.microsoftonline.com/{TID}/v2.0");
    assert_eq!(ids, [("issuer", issuer.as_str()), ("sub", "pairwise"), ("tid", TID)]);
    assert!(user.email_verified);
    for oid in [Value::Null, json!("x"), json!(5)] {
        assert_eq!(
            microsoft(json!({"allowed_tenants": [TID]}), &json!({"oid": oid}))
                .unwrap_err()
                .code,
            "subject_invalid"
        );
    }
}

/// nOAuth: an address in a directory is whatever its administrator wrote there.
#[test]
fn microsoft_addresses_are_not_verified_by_email_verified() {
    for (changes, verified) in [
        (json!({"email_verified": true}), false),
        (json!({"xms_edov": false, "email_verified": true}), false),
        (json!({"xms_edov": "1"}), true),
        (json!({"xms_edov": 1}), true),
    ] {
        let user = microsoft(json!({"allowed_tenants": [TID]}), &changes).unwrap().user;
        assert_eq!(user.email_verified, verified, "{changes}");
    }
}

#[test]
fn microsoft_directories_are_on_a_list() {
    let fault = OAuth
        .begin(&microsoft_host(json!({})), &context(), start())
        .unwrap_err();
    assert_eq!(
        (fault.kind, fault.code.as_str()),
        (Kind::InvalidConfig, "allowed_tenants_missing")
    );
    let other = json!({"tid": OTHER_TID, "iss": format!("https://login.microsoftonline.com/{OTHER_TID}/v2.0")});
    assert_eq!(
        microsoft(json!({"allowed_tenants": [TID]}), &other).unwrap_err().code,
        "policy_denied"
    );
    assert!(microsoft(json!({"allowed_tenants": [TID.to_uppercase()]}), &json!({})).is_ok());

    let personal = json!({"tid": CONSUMERS, "iss": format!("https://login.microsoftonline.com/{CONSUMERS}/v2.0")});
    assert_eq!(
        microsoft(
            json!({"microsoft_tenant": "common", "allowed_tenants": [TID]}),
            &personal
        )
        .unwrap_err()
        .code,
        "policy_denied"
    );
    assert!(
        microsoft(
            json!({"microsoft_tenant": "common", "allowed_tenants": [CONSUMERS]}),
            &personal
        )
        .is_ok()
    );
    assert!(microsoft(json!({"microsoft_tenant": "consumers"}), &personal).is_ok());
    assert!(microsoft(json!({"microsoft_tenant": TID}), &json!({})).is_ok());
    assert_eq!(
        microsoft(json!({"microsoft_tenant": TID}), &other).unwrap_err().code,
        "id_token_issuer"
    );
}

#[test]
fn microsoft_issuers_follow_the_directory_exactly() {
    let settings = || json!({"allowed_tenants": [TID]});
    for changes in [
        json!({"iss": "https://login.microsoftonline.com/{tenantid}/v2.0"}),
        json!({"iss": format!("https://login.microsoftonline.com/{OTHER_TID}/v2.0")}),
        json!({"iss": format!("https://sts.windows.net/{TID}/")}),
        json!({"tid": null}),
        json!({"tid": "../x", "iss": "https://login.microsoftonline.com/../x/v2.0"}),
    ] {
        assert_eq!(
            microsoft(settings(), &changes).unwrap_err().code,
            "id_token_issuer",
            "{changes}"
        );
    }
    let issuer =
        |tid: &str| format!("code=c0de&state=STATE&iss=https%3A%2F%2Flogin.microsoftonline.com%2F{tid}%2Fv2.0");
    let back = |query: &str| microsoft_on(&microsoft_host(settings()), &json!({}), query).map_err(|f| f.code);
    assert!(back(&issuer(TID)).is_ok());
    assert_eq!(back(&issuer(OTHER_TID)).err().as_deref(), Some("iss_mismatch"));
    assert_eq!(back(&issuer("x")).err().as_deref(), Some("iss_mismatch"));
}

/// A key may be bound to one directory, or to the template.
#[test]
fn microsoft_keys_are_bound_to_issuers() {
    let bound_to = |issuer: &str| {
        let host = microsoft_host(json!({"allowed_tenants": [TID]}));
        let mut jwk = key("RS256").jwk();
        jwk["issuer"] = json!(issuer);
        host.now_on(get(MS_KEYS), 200, &json!({"keys": [jwk]}));
        microsoft_on(&host, &json!({}), "code=c0de&state=STATE")
            .map(drop)
            .map_err(|f| f.code)
    };
    assert_eq!(bound_to("https://login.microsoftonline.com/{tenantid}/v2.0"), Ok(()));
    assert_eq!(
        bound_to(&format!("https://login.microsoftonline.com/{TID}/v2.0")),
        Ok(())
    );
    assert_eq!(
        bound_to(&format!("https://login.microsoftonline.com/{CONSUMERS}/v2.0")),
        Err("key_issuer".into())
    );
}

#[test]
fn a_presets_issuer_can_not_be_configured_away() {
    let host = microsoft_host(json!({"allowed_tenants": [TID], "issuer": ISSUER}));
    assert!(
        Begun::on(&host)
            .url
            .starts_with("https://login.microsoftonline.com/organizations/")
    );
}

/// As Keycloak describes itself: every kind of algorithm, and its name in every response.
#[test]
fn a_keycloak_realm() {
    let metadata: Value = serde_json::from_str(include_str!("../../fixtures/keycloak.json")).unwrap();
    let (token_endpoint, jwks_uri) = (
        metadata["token_endpoint"].as_str().unwrap(),
        metadata["jwks_uri"].as_str().unwrap(),
    );
    let host = bare(config_with(json!({"groups_claim": "realm_access.roles"})))
        .on(get(DISCOVERY))
        .reply_json(200, &metadata)
        .on(get(jwks_uri))
        .reply_json(200, jwks());
    assert!(
        OAuth.check(&host, &context(), true).iter().all(|f| f.ok),
        "{:?}",
        OAuth.check(&host, &context(), true)
    );
    let begun = Begun::on(&host);
    let claims = changed(
        claims(&host, &begun.param("nonce").unwrap()),
        &json!({
            "typ": "ID", "azp": "aistack-client", "sid": "s-1", "acr": "1", "realm_access": {"roles": ["staff"]},
        }),
    );
    let body = json!({"token_type": "Bearer", "access_token": "a", "id_token": key("RS256").jws(&claims), "session_state": "s-1"});
    host.now_on(post(token_endpoint), 200, &body);
    assert_eq!(
        begun.back(&host, "code=c0de&state=STATE").unwrap_err().code,
        "iss_missing"
    );
    let session = begun
        .back(
            &host,
            "code=c0de&state=STATE&session_state=s-1&iss=https%3A%2F%2Fid.example.test%2Frealms%2Fmain",
        )
        .unwrap();
    assert_eq!(
        (session.user.groups, session.provider_session.as_deref()),
        (vec!["staff".to_owned()], Some("s-1"))
    );
}
