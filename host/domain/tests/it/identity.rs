//! Signing in through a connection.

use crate::world::World;
use aistack_core::{InstallationId, ProblemKind, Role, UserId};
use aistack_domain::{
    Problem, TenantCtx,
    identity::{self, Begin, Continued, SignedInAs, local_path},
    plugins::port::*,
};
use aistack_store::{Audit, User, UserStatus};
use serde_json::json;
use std::time::Duration;

fn redirect(url: &str) -> Result<LoginProgress, Fault> {
    Ok(LoginProgress {
        step: LoginStep::Redirect(url.to_owned()),
        state: b"verifier".to_vec(),
        expires: Duration::from_secs(600),
    })
}

fn done(subject: &str, email: Option<&str>, verified: bool, groups: &[&str]) -> Result<LoginProgress, Fault> {
    Ok(LoginProgress {
        step: LoginStep::Done(Box::new(ExternalSession {
            user: ExternalUser {
                subject: subject.to_owned(),
                alternate_ids: vec![("issuer".to_owned(), "https://idp.example".to_owned())],
                username: None,
                email: email.map(str::to_owned),
                email_verified: verified,
                phone: None,
                display_name: Some("Eve\u{202e}<b>\n".to_owned()),
                avatar: None,
                groups: groups.iter().map(|g| (*g).to_owned()).collect(),
                attributes: json!({}),
            },
            provider_session: None,
            expires_ms: None,
            acr: None,
            amr: vec!["pwd".to_owned()],
            tokens: None,
        })),
        state: Vec::new(),
        expires: Duration::from_secs(60),
    })
}

/// Begins a sign-in; the cookie.
async fn begin(w: &World, t: &TenantCtx, id: InstallationId) -> String {
    w.script
        .begin
        .lock()
        .unwrap()
        .push_back(redirect("https://idp.example/authorize?x=1"));
    identity::start(&w.app, t, id, Begin::default()).await.unwrap().cookie
}

async fn back(w: &World, t: &TenantCtx, id: InstallationId, cookie: &str) -> Result<Continued, Problem> {
    let request = HttpRequest {
        method: "GET".to_owned(),
        url: "/api/v1/login/x/callback?code=c&state=s".to_owned(),
        ..HttpRequest::default()
    };
    identity::callback(&w.app, t, id, Some(cookie), LoginInput::Http(request)).await
}

/// A whole sign-in with this answer of the provider.
async fn sign_in(
    w: &World,
    t: &TenantCtx,
    id: InstallationId,
    answer: Result<LoginProgress, Fault>,
) -> Result<SignedInAs, Problem> {
    let cookie = begin(w, t, id).await;
    w.script.resume.lock().unwrap().push_back(answer);
    match back(w, t, id, &cookie).await? {
        Continued::Done { session, .. } => Ok(*session),
        Continued::Step(_) => panic!("another step"),
    }
}

async fn add_user(w: &World, t: &TenantCtx, email: &str, verified: bool, role: Role) -> User {
    let now = aistack_core::Clock::now(&*w.clock);
    let user = User {
        id: UserId::new(&*w.clock, &*w.rng),
        email: email.to_owned(),
        email_verified_at: verified.then_some(now),
        name: "Local".to_owned(),
        role,
        status: UserStatus::Active,
        password_hash: Some("x".to_owned()),
        locale: None,
        created_at: now,
        updated_at: now,
        last_login_at: None,
    };
    let mut tx = w.app.store.tenant(&t.scope).await.unwrap();
    tx.users().insert(&user).await.unwrap();
    let draft = aistack_domain::audit::Draft::new("user.created", "user", user.id);
    let entry = aistack_domain::audit::for_tenant(&w.app, &mut *tx, t, draft)
        .await
        .unwrap();
    tx.commit(Audit::one(entry)).await.unwrap();
    user
}

fn reason(p: &Problem) -> (ProblemKind, &str) {
    (
        p.kind,
        p.extras.get("reason").and_then(|r| r.as_str()).unwrap_or_default(),
    )
}

#[tokio::test]
async fn the_first_sign_in_makes_an_account_and_the_next_one_finds_it() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let c = w.connection(&t, json!({})).await;
    let first = sign_in(&w, &t, c.id, done("s1", Some("Eve@Example.com"), true, &[]))
        .await
        .unwrap();
    assert!(first.provisioned);
    assert_eq!(
        (first.user.email.as_str(), first.user.role),
        ("eve@example.com", Role::Member)
    );
    assert_eq!(first.user.name, "Eve<b>");
    assert!(first.user.email_verified_at.is_some() && first.user.password_hash.is_none());
    // A changed address is the same person: the subject is the key.
    let second = sign_in(&w, &t, c.id, done("s1", Some("new@example.com"), true, &[]))
        .await
        .unwrap();
    assert!(!second.provisioned);
    assert_eq!(second.user.id, first.user.id);
    // The same address with another subject is somebody else.
    let other = sign_in(&w, &t, c.id, done("s2", Some("eve@example.com"), true, &[]))
        .await
        .unwrap_err();
    assert_eq!(reason(&other), (ProblemKind::LoginRefused, "account_exists"));
    assert_eq!(
        w.trail(&t).await[2..],
        [
            "user.provisioned ok",
            "identity.linked ok",
            "session.opened ok",
            "session.opened ok",
            "login.refused denied"
        ]
    );
    assert_eq!(w.script.states.lock().unwrap()[0], b"verifier");
}

#[tokio::test]
async fn an_address_of_a_member_is_linked_only_when_both_sides_vouch_for_it() {
    for (link, provider_verified, local_verified, linked) in [
        (true, true, true, true),
        (false, true, true, false),
        (true, false, true, false),
        (true, true, false, false),
    ] {
        let w = World::new().await;
        let t = w.tenant("acme").await;
        let c = w.connection(&t, json!({ "link_verified_email": link })).await;
        let owner = add_user(&w, &t, "ada@example.com", local_verified, Role::Owner).await;
        let answer = done("s1", Some("ada@example.com"), provider_verified, &["admins"]);
        match sign_in(&w, &t, c.id, answer).await {
            Ok(s) => {
                assert!(linked, "{link} {provider_verified} {local_verified}");
                assert_eq!((s.user.id, s.user.role, s.provisioned), (owner.id, Role::Owner, false));
            }
            Err(p) => {
                assert!(!linked, "{link} {provider_verified} {local_verified}: {p}");
                assert_eq!(reason(&p), (ProblemKind::LoginRefused, "account_exists"));
            }
        }
    }
}

#[tokio::test]
async fn a_sign_in_continues_once_in_its_own_browser_at_its_own_connection_in_time() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let c = w.connection(&t, json!({})).await;
    let second = w
        .enable(
            &t,
            "test.idp",
            json!({ "issuer": "https://two.example" }),
            &[("client_secret", "x")],
        )
        .await
        .unwrap();
    let invalid = |r: Result<Continued, Problem>| {
        assert_eq!(r.unwrap_err().kind, ProblemKind::LoginStateInvalid);
    };
    // Another browser: same sign-in, another secret.
    let cookie = begin(&w, &t, c.id).await;
    let (id, secret) = cookie.split_once('.').unwrap();
    let flipped: String = secret.chars().rev().collect();
    invalid(back(&w, &t, c.id, &format!("{id}.{flipped}")).await);
    // Another connection.
    invalid(back(&w, &t, second.id, &cookie).await);
    // Another tenant.
    let other = w.tenant("other").await;
    assert_eq!(
        back(&w, &other, c.id, &cookie).await.unwrap_err().kind,
        ProblemKind::NotFound
    );
    // No cookie, nonsense.
    for cookie in ["", "x", "lgn_1.x", &format!("{id}."), &cookie.replace("lgn_", "ord_")] {
        invalid(back(&w, &t, c.id, cookie).await);
    }
    // The right one works, once.
    w.script.resume.lock().unwrap().push_back(done("s1", None, false, &[]));
    assert!(back(&w, &t, c.id, &cookie).await.is_ok());
    invalid(back(&w, &t, c.id, &cookie).await);
    // Too late.
    let late = begin(&w, &t, c.id).await;
    w.clock.forward(Duration::from_secs(601));
    invalid(back(&w, &t, c.id, &late).await);
    assert_eq!(
        w.script.resume.lock().unwrap().len(),
        0,
        "the plugin was asked once only"
    );
}

#[tokio::test]
async fn roles_follow_groups_but_never_to_or_from_owner() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let map =
        json!({ "group_roles": [{ "group": "g-admin", "role": "admin" }, { "group": "g-bill", "role": "billing" }] });
    let c = w.connection(&t, map).await;
    let s = sign_in(&w, &t, c.id, done("s1", None, false, &["g-bill", "g-admin"]))
        .await
        .unwrap();
    assert_eq!(s.user.role, Role::Admin);
    assert!(s.user.email.ends_with(".invalid"));
    // No groups in the answer says nothing.
    let s = sign_in(&w, &t, c.id, done("s1", None, false, &[])).await.unwrap();
    assert_eq!(s.user.role, Role::Admin);
    // Out of the group.
    let s = sign_in(&w, &t, c.id, done("s1", None, false, &["g-other"]))
        .await
        .unwrap();
    assert_eq!(s.user.role, Role::Member);
    assert!(w.trail(&t).await.contains(&"user.role_changed ok".to_owned()));
    let owner = json!({ "group_roles": [{ "group": "g", "role": "owner" }] });
    let refused = w
        .enable(
            &t,
            "test.idp",
            json!({ "issuer": "https://x.example", "provisioning": owner }),
            &[("client_secret", "x")],
        )
        .await
        .unwrap_err();
    assert_eq!(refused.kind, ProblemKind::PluginConfigInvalid);
    assert_eq!(refused.errors[0].pointer, "/config/provisioning/group_roles/0/role");
}

#[tokio::test]
async fn rules_of_the_connection_and_of_the_account_hold() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let c = w
        .connection(&t, json!({ "create": false, "email_domains": ["example.com"] }))
        .await;
    let p = sign_in(&w, &t, c.id, done("s1", Some("a@example.com"), true, &[]))
        .await
        .unwrap_err();
    assert_eq!(reason(&p), (ProblemKind::LoginRefused, "not_provisioned"));
    let p = sign_in(&w, &t, c.id, done("s1", Some("a@evil.example"), true, &[]))
        .await
        .unwrap_err();
    assert_eq!(reason(&p), (ProblemKind::LoginRefused, "domain_not_allowed"));
    let p = sign_in(&w, &t, c.id, done("s1", None, false, &[])).await.unwrap_err();
    assert_eq!(reason(&p), (ProblemKind::LoginRefused, "domain_not_allowed"));
    for subject in ["", " s", "a\nb", &"x".repeat(256)] {
        let p = sign_in(&w, &t, c.id, done(subject, None, false, &[]))
            .await
            .unwrap_err();
        assert_eq!(reason(&p), (ProblemKind::PluginFailed, "bad_subject"), "{subject:?}");
    }
}

#[tokio::test]
async fn a_disabled_member_stays_out() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let c = w.connection(&t, json!({})).await;
    let s = sign_in(&w, &t, c.id, done("s1", None, false, &[])).await.unwrap();
    let mut tx = w.app.store.tenant(&t.scope).await.unwrap();
    let off = User {
        status: UserStatus::Disabled,
        ..s.user
    };
    tx.users().update(&off).await.unwrap();
    let draft = aistack_domain::audit::Draft::new("user.updated", "user", off.id);
    let entry = aistack_domain::audit::for_tenant(&w.app, &mut *tx, &t, draft)
        .await
        .unwrap();
    tx.commit(Audit::one(entry)).await.unwrap();
    let p = sign_in(&w, &t, c.id, done("s1", None, false, &[])).await.unwrap_err();
    assert_eq!(reason(&p), (ProblemKind::LoginRefused, "user_disabled"));
}

#[tokio::test]
async fn a_browser_is_sent_to_safe_places_only() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let c = w.connection(&t, json!({})).await;
    for url in [
        "javascript:alert(1)",
        "http://idp.example/a",
        "https://u:p@idp.example/",
        "data:text/html,x",
        "//x",
    ] {
        w.script.begin.lock().unwrap().push_back(redirect(url));
        let p = identity::start(&w.app, &t, c.id, Begin::default()).await.unwrap_err();
        assert_eq!(p.kind, ProblemKind::PluginFailed, "{url}");
    }
    for path in [
        "https://evil.example",
        "//evil.example",
        "/\\evil",
        "/%2f/evil",
        "console",
        "/a\tb",
        "/%5Cevil",
    ] {
        assert_eq!(local_path(path), None, "{path}");
        let begin = Begin {
            return_to: Some(path.to_owned()),
            ..Begin::default()
        };
        let p = identity::start(&w.app, &t, c.id, begin).await.unwrap_err();
        assert_eq!(p.kind, ProblemKind::MalformedRequest, "{path}");
    }
    for path in ["/", "/console/orders?a=/b//c", "/console/%E4%BD%A0"] {
        assert_eq!(local_path(path), Some(path));
    }
}

#[tokio::test]
async fn the_providers_no_is_a_refusal_and_its_failure_is_a_failure() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let c = w.connection(&t, json!({})).await;
    let mut no = Fault::new(FaultKind::Denied, "access_denied", "internal: client 42 said no");
    no.user_message = Some("You cancelled.".to_owned());
    let p = sign_in(&w, &t, c.id, Err(no)).await.unwrap_err();
    assert_eq!(reason(&p), (ProblemKind::LoginRefused, "access_denied"));
    assert_eq!(p.detail, "You cancelled.");
    let down = Fault::new(FaultKind::Transport, "connect", "connection refused 10.0.0.1:443");
    let p = sign_in(&w, &t, c.id, Err(down)).await.unwrap_err();
    assert_eq!(p.kind, ProblemKind::PluginFailed);
    assert!(!p.detail.contains("10.0.0.1"), "{}", p.detail);
    assert_eq!(w.trail(&t).await[2..], ["login.refused denied", "login.refused failed"]);
}
