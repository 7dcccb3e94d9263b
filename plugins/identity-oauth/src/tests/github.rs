//! GitHub.

use super::*;
use aistack_sdk::Kind;

const GH_TOKEN: &str = "https://github.com/login/oauth/access_token";
const API: &str = "https://api.github.com";

fn github_host(organizations: Value) -> FakeHost {
    let emails = json!([
        {"email": "old@example.test", "primary": false, "verified": true},
        {"email": "octo@example.test", "primary": true, "verified": true},
    ]);
    bare(json!({"provider": "github", "client_id": "Iv1.abc", "github_url": "https://github.com", "github_api_url": API, "allowed_organizations": organizations}))
        .on(post(GH_TOKEN))
        .reply_json(200, json!({"access_token": "gho_1", "scope": "read:user,user:email", "token_type": "bearer"}))
        .on(get(&format!("{API}/user")))
        .reply_json(200, json!({"id": 583_231, "login": "octocat", "name": "Octo", "email": "public@example.test", "avatar_url": "https://avatars.example/1"}))
        .on(get(&format!("{API}/user/emails")))
        .reply_json(200, emails)
        .on(get(&format!("{API}/user/memberships/orgs/acme")))
        .reply_json(200, json!({"state": "active", "organization": {"id": 77, "login": "acme"}}))
        .on(get(&format!("{API}/user/memberships/orgs/pending")))
        .reply_json(200, json!({"state": "pending", "organization": {"id": 78}}))
        .on(get(&format!("{API}/user/memberships/orgs/foreign")))
        .reply_json(404, json!({}))
        .on(get(&format!("{API}/meta")))
        .reply_json(200, json!({}))
}

fn sign_in_to(host: &FakeHost) -> Result<Session, Fault> {
    Begun::on(host).back(host, "code=c0de&state=STATE")
}

#[test]
fn the_number_is_who_somebody_is() {
    let host = github_host(json!([]));
    let begun = Begun::on(&host);
    assert!(
        begun
            .url
            .starts_with("https://github.com/login/oauth/authorize?client_id=Iv1.abc&")
    );
    assert_eq!(begun.param("code_challenge_method").as_deref(), Some("S256"));
    assert_eq!(begun.param("scope").as_deref(), Some("read:user user:email"));
    let user = begun.back(&host, "code=c0de&state=STATE").unwrap().user;
    assert_eq!(
        (user.subject.as_str(), user.username.as_deref()),
        ("583231", Some("octocat"))
    );
    assert_eq!(user.alternate_ids[0].value, "https://github.com");
    assert_eq!(
        (user.email.as_deref(), user.email_verified),
        (Some("octo@example.test"), true),
        "the primary verified address, not the public one"
    );
    let requests = host.requests();
    let token = requests.iter().find(|r| r.url == GH_TOKEN).unwrap();
    assert_eq!(
        (token.credential.as_str(), token.field("code_verifier").map(|v| v.len())),
        ("form client_secret", Some(43))
    );
    let me = requests.iter().find(|r| r.url == format!("{API}/user")).unwrap();
    assert_eq!(
        (me.header("authorization"), me.header("x-github-api-version")),
        (Some("Bearer gho_1"), Some("2022-11-28"))
    );
}

#[test]
fn an_address_that_is_not_primary_and_verified_is_none() {
    for emails in [
        json!([{"email": "a@example.test", "primary": true, "verified": false}]),
        json!([{"email": "a@example.test", "primary": false, "verified": true}]),
        json!([]),
        json!({}),
    ] {
        let host = github_host(json!([]));
        host.now_on(get(&format!("{API}/user/emails")), 200, &emails);
        let user = sign_in_to(&host).unwrap().user;
        assert_eq!((user.email, user.email_verified), (None, false));
    }
}

#[test]
fn organisations_are_a_gate() {
    let host = github_host(json!(["foreign", "acme"]));
    assert_eq!(
        Begun::on(&host).param("scope").as_deref(),
        Some("read:user user:email read:org")
    );
    assert_eq!(sign_in_to(&host).unwrap().user.groups, ["77"]);
    for organizations in [json!(["foreign"]), json!(["pending"])] {
        assert_eq!(
            sign_in_to(&github_host(organizations)).unwrap_err().code,
            "policy_denied"
        );
    }
}

#[test]
fn every_refusal_of_github_has_its_code() {
    for (url, matcher_is_post, status, body, code) in [
        (
            GH_TOKEN.to_owned(),
            true,
            200,
            json!({"error": "bad_verification_code"}),
            "code_rejected",
        ),
        (
            GH_TOKEN.to_owned(),
            true,
            200,
            json!({"error": "incorrect_client_credentials"}),
            "client_rejected",
        ),
        (
            GH_TOKEN.to_owned(),
            true,
            200,
            json!({"error": "redirect_uri_mismatch"}),
            "idp_refused",
        ),
        (
            GH_TOKEN.to_owned(),
            true,
            200,
            json!({"token_type": "bearer"}),
            "token_type_unknown",
        ),
        (
            GH_TOKEN.to_owned(),
            true,
            200,
            json!({"access_token": "a\r\nb", "token_type": "bearer"}),
            "token_type_unknown",
        ),
        (GH_TOKEN.to_owned(), true, 503, json!({}), "idp_down"),
        (format!("{API}/user"), false, 403, json!({}), "idp_refused"),
        (format!("{API}/user"), false, 401, json!({}), "idp_refused"),
        (
            format!("{API}/user"),
            false,
            200,
            json!({"login": "octocat"}),
            "subject_invalid",
        ),
        (
            format!("{API}/user"),
            false,
            200,
            json!({"id": "583231"}),
            "subject_invalid",
        ),
        (format!("{API}/user"), false, 200, json!({"id": 0}), "subject_invalid"),
    ] {
        let host = github_host(json!([]));
        host.now_on(if matcher_is_post { post(&url) } else { get(&url) }, status, &body);
        assert_eq!(sign_in_to(&host).unwrap_err().code, code, "{url} {status} {body}");
    }
    let keyless = FakeHost::for_plugin(
        MANIFEST,
        json!({"provider": "github", "client_id": "x", "github_url": "https://github.com", "github_api_url": API}),
    );
    let fault = sign_in_to(&keyless).unwrap_err();
    assert_eq!(
        (fault.kind, fault.code.as_str()),
        (Kind::InvalidConfig, "client_secret_missing")
    );
    assert_eq!(
        OAuth
            .logout(
                &github_host(json!([])),
                &context(),
                sign_in_to(&github_host(json!([]))).unwrap(),
                "https://x"
            )
            .unwrap(),
        None
    );
}

#[test]
fn the_connection_test_asks_github() {
    assert!(
        OAuth
            .check(&github_host(json!([])), &context(), true)
            .iter()
            .all(|f| f.ok)
    );
    let down = github_host(json!([]));
    down.now_on(get(&format!("{API}/meta")), 500, &json!({}));
    assert!(
        OAuth
            .check(&down, &context(), true)
            .iter()
            .any(|f| !f.ok && f.field.as_deref() == Some("/github_api_url"))
    );
}
