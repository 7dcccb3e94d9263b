//! From claims to a person.

use super::*;

fn person(changes: Value, claims: Value) -> aistack_sdk::identity::User {
    sign_in(&host(config_with(changes)), &claims).expect("signed in").user
}

#[test]
fn claims_are_mapped_by_configuration() {
    let settings = json!({
        "username_claim": "upn", "name_claim": "displayName", "email_claim": "mail", "groups_claim": "realm_access.roles",
        "attribute_claims": {"department": "dept", "city": "address.locality", "absent": "nope"},
    });
    let user = person(
        settings,
        json!({
            "upn": "zs", "displayName": " 张三 ", "mail": "ZS@example.test", "realm_access": {"roles": ["admin", "", 5, "ops"]},
            "dept": {"id": 7}, "address": {"locality": "Shanghai"}, "phone_number": "+86 1", "picture": "https://img.example/p.png",
        }),
    );
    assert_eq!(
        (user.username.as_deref(), user.display_name.as_deref()),
        (Some("zs"), Some("张三"))
    );
    assert_eq!(user.email.as_deref(), Some("ZS@example.test"));
    assert_eq!(user.groups, ["admin", "ops"]);
    assert_eq!(
        (user.phone.as_deref(), user.avatar.as_deref()),
        (Some("+86 1"), Some("https://img.example/p.png"))
    );
    let attributes: Value = serde_json::from_str(&user.attributes).unwrap();
    assert_eq!(attributes, json!({"department": {"id": 7}, "city": "Shanghai"}));
}

#[test]
fn a_claim_whose_name_has_dots_comes_before_a_path() {
    let settings = json!({"groups_claim": "https://acme.test/groups"});
    assert_eq!(
        person(settings, json!({"https://acme.test/groups": ["a"]})).groups,
        ["a"]
    );
    let settings = json!({"groups_claim": "a.b"});
    assert_eq!(
        person(settings, json!({"a.b": "whole", "a": {"b": ["path"]}})).groups,
        ["whole"]
    );
}

#[test]
fn claims_of_the_wrong_shape_are_left_out() {
    let user = person(
        json!({}),
        json!({
            "preferred_username": ["x"], "name": {"en": "x"}, "email": "no address", "groups": {"a": 1},
            "picture": "javascript:alert(1)", "phone_number": 5,
        }),
    );
    assert_eq!(
        (user.username, user.display_name, user.email, user.phone, user.avatar),
        (None, None, None, None, None)
    );
    assert!(user.groups.is_empty() && !user.email_verified);
    let long = person(json!({}), json!({"name": "x".repeat(1001), "groups": vec!["g"; 5000]}));
    assert_eq!((long.display_name, long.groups.len()), (None, 2000));
}

#[test]
fn an_address_is_verified_only_when_the_provider_says_so() {
    for (settings, claims, verified) in [
        (json!({}), json!({"email_verified": true}), true),
        (json!({}), json!({"email_verified": "true"}), true),
        (json!({}), json!({"email_verified": false}), false),
        (json!({}), json!({"email_verified": "yes"}), false),
        (json!({}), json!({"email_verified": null}), false),
        (json!({}), json!({"email_verified": {}}), false),
        (json!({"email_trust": "always"}), json!({"email_verified": null}), true),
        (json!({"email_trust": "always"}), json!({"email": null}), false),
    ] {
        assert_eq!(
            person(settings.clone(), claims.clone()).email_verified,
            verified,
            "{settings} {claims}"
        );
    }
}

#[test]
fn groups_can_be_a_condition() {
    let host = host(config_with(json!({"required_groups": ["staff", "ops"]})));
    assert!(sign_in(&host, &json!({"groups": ["x", "ops"]})).is_ok());
    for groups in [json!([]), json!(null), json!(["Staff"]), json!("st")] {
        assert_eq!(
            sign_in(&host, &json!({"groups": groups})).unwrap_err().code,
            "policy_denied"
        );
    }
}
