//! Lines 29 and 33: sign-ins that are replayed, swapped and tampered with, and people who are not who they say.

use super::{PASSWORD, Stage, audit_holds, configure, enable, id, neighbour::with_good_neighbour, told};
use aistack_tests::{
    actor::{Actor, Answer},
    host::Store,
    need,
    peers::{PeerError, Postgres},
};
use anyhow::Context as _;
use serde_json::{Value, json};

const COOKIE: &str = "__Host-aistack-login";

/// Begins a sign-in as the console does.
pub(super) async fn begin(browser: &Actor, door: &Value) -> anyhow::Result<Answer> {
    let path = format!("/api/v1/login/{}/start", id(door));
    browser
        .send(
            browser
                .request(reqwest::Method::GET, &path)
                .header("accept", "application/json"),
        )
        .await
}

/// Says who it is that signs in.
async fn answer(browser: &Actor, door: &Value, who: &Value) -> anyhow::Result<Answer> {
    let path = format!("/api/v1/login/{}/callback", id(door));
    let body = json!({"fields": {"session": who.to_string()}});
    let request = browser
        .request(reqwest::Method::POST, &path)
        .header("accept", "application/json");
    browser.send(request.json(&body)).await
}

/// The whole of a sign-in, in a browser of its own.
pub(super) async fn sign_in(stage: &Stage, slug: &str, door: &Value, who: &Value) -> anyhow::Result<(Actor, Answer)> {
    let browser = stage.host.tenant_visitor(slug);
    begin(&browser, door).await?.ok(200)?;
    let answered = answer(&browser, door, who).await?;
    Ok((browser, answered))
}

fn somebody(name: &str) -> Value {
    json!({"subject": name, "issuer": "https://idp.example", "email": format!("{name}@people.test"), "verified": true, "name": name})
}

#[tokio::test]
async fn hostile_29_a_sign_in_goes_on_where_it_began_and_once() {
    need!(goes_on().await);
}

async fn goes_on() -> Result<(), PeerError> {
    let cluster = Postgres::shared().await?;
    let mut url = String::new();
    let host = aistack_tests::host::TestHost::start_on(Store::Postgres, toml::Table::new(), |of| {
        url.clone_from(&of);
        of
    })
    .await?;
    let database = url.rsplit('/').next().unwrap_or_default().to_owned();
    let stage = Stage::on(host).await?;
    with_good_neighbour(&stage, async {
        let other = super::tenant(&stage.host, &stage.operator, "other").await?;
        let (one, two) = (
            enable(&stage.owner, "test.door", json!({})).await?,
            enable(&stage.owner, "test.door", json!({})).await?,
        );
        let theirs = enable(&other, "test.door", json!({})).await?;
        let alice = somebody("alice");
        let invalid = |a: Answer| a.problem(400, "login_state_invalid").map(drop);

        let browser = stage.host.tenant_visitor("acme");
        begin(&browser, &one).await?.ok(200)?;
        let at = browser.url(&format!("/api/v1/login/{}/callback", id(&one)));
        let cookie = browser.browser.cookie(&at, COOKIE).context("a cookie")?;
        // In another browser, at another installation, in another tenant.
        invalid(answer(&stage.host.tenant_visitor("acme"), &one, &alice).await?)?;
        invalid(answer(&browser, &two, &alice).await?)?;
        let elsewhere = stage.host.tenant_visitor("other");
        let there = elsewhere.url("/");
        elsewhere
            .browser
            .set_cookie(&there, &format!("{COOKIE}={cookie}; Path=/"));
        invalid(answer(&elsewhere, &theirs, &alice).await?)?;
        // Tampered with: another secret, another sign-in's id.
        let second = stage.host.tenant_visitor("acme");
        begin(&second, &one).await?.ok(200)?;
        let others = second.browser.cookie(&at, COOKIE).context("a cookie")?;
        let ((mine, my_secret), (their_id, _)) = (
            cookie.split_once('.').context("id.secret")?,
            others.split_once('.').context("id.secret")?,
        );
        for forged in [
            format!("{their_id}.{my_secret}"),
            format!("{mine}.{}", "A".repeat(43)),
            format!("{mine}."),
            mine.to_owned(),
            "x".to_owned(),
        ] {
            let thief = stage.host.tenant_visitor("acme");
            thief
                .browser
                .set_cookie(&thief.url("/"), &format!("{COOKIE}={forged}; Path=/"));
            invalid(answer(&thief, &one, &alice).await?)?;
        }
        // None of it has harmed the sign-in itself; when it is done, it is done once.
        answer(&browser, &one, &alice).await?.ok(200)?;
        let mut member = browser.clone();
        assert_eq!(member.resume().await?["user"]["email"], "alice@people.test");
        let replayed = stage.host.tenant_visitor("acme");
        replayed
            .browser
            .set_cookie(&replayed.url("/"), &format!("{COOKIE}={cookie}; Path=/"));
        invalid(answer(&replayed, &one, &alice).await?)?;

        // Rows of the database exchanged, and changed: the seal binds each to its place.
        let third = stage.host.tenant_visitor("acme");
        begin(&third, &one).await?.ok(200)?;
        let swapped = "UPDATE logins a SET state = b.state FROM logins b WHERE a.id <> b.id";
        cluster.sql(&database, swapped).await?;
        invalid(answer(&second, &one, &alice).await?)?;
        cluster
            .sql(
                &database,
                "UPDATE logins SET state = set_byte(state, 20, get_byte(state, 20) # 1)",
            )
            .await?;
        invalid(answer(&third, &one, &alice).await?)?;
        audit_holds(&stage.owner).await
    })
    .await?;
    Ok(())
}

#[tokio::test]
async fn hostile_33_nobody_becomes_somebody_else_by_saying_so() {
    need!(somebody_else().await);
}

async fn somebody_else() -> Result<(), PeerError> {
    let stage = Stage::set(Store::Sqlite).await?;
    with_good_neighbour(&stage, async {
        let (one, two) = (
            enable(
                &stage.owner,
                "test.door",
                json!({"provisioning": {"group_roles": [{"group": "g999999", "role": "admin"}]}}),
            )
            .await?,
            enable(&stage.owner, "test.door", json!({})).await?,
        );
        let as_who = |door: &Value, who: Value| {
            let (stage, door) = (&stage, door.clone());
            async move { sign_in(stage, "acme", &door, &who).await }
        };
        // The owner's address, vouched for or not: nobody has linked the two.
        for verified in [false, true] {
            let who =
                json!({"subject": format!("mallory-{verified}"), "email": "owner@acme.test", "verified": verified});
            let (_, refused) = as_who(&one, who).await?;
            refused.problem(403, "login_refused")?;
        }
        // The address of another tenant's owner makes an account here that has nothing to do with theirs.
        let (mut mallory, done) = as_who(
            &one,
            json!({"subject": "mallory", "email": "owner@good.test", "verified": false}),
        )
        .await?;
        done.ok(200)?;
        let session = mallory.resume().await?;
        assert_eq!(session["user"]["role"], "member", "{session}");
        assert_eq!(session["tenant"]["slug"], "acme", "{session}");
        let there = mallory.at(stage.host.tenant_base("good"));
        there.get("/api/v1/session").await?.problem(401, "unauthenticated")?;
        let mut good = stage.host.tenant_visitor("good");
        assert_eq!(
            good.sign_in("owner@good.test", PASSWORD).await?["user"]["role"],
            "owner"
        );
        assert_eq!(good.all("/api/v1/users").await?.len(), 1);

        // The same subject of two issuers is two people; of one issuer at two connections, two identities.
        let subject =
            |issuer: &str, email: &str| json!({"subject": "same", "issuer": issuer, "email": email, "verified": true});
        let mut people = Vec::new();
        for (door, issuer, email) in [
            (&one, "https://a.example", "a@people.test"),
            (&one, "https://b.example", "b@people.test"),
            (&two, "https://a.example", "c@people.test"),
        ] {
            let (mut who, done) = as_who(door, subject(issuer, email)).await?;
            done.ok(200)?;
            people.push(who.resume().await?["user"]["id"].clone());
        }
        assert!(
            people[0] != people[1] && people[1] != people[2] && people[0] != people[2],
            "{people:?}"
        );
        // A subject that can't be one.
        for subject in ["", " padded ", "line\nbreak", &"s".repeat(300)] {
            let (_, refused) = as_who(&one, json!({"subject": subject, "email": "x@people.test"})).await?;
            assert!(refused.status == 502 || refused.status == 403, "{subject:?}: {refused}");
        }
        // A million groups, the last of which would make an administrator: too much, or cut, but never believed.
        let (mut many, done) = as_who(
            &one,
            json!({"subject": "many", "email": "many@people.test", "groups": 1_000_000}),
        )
        .await?;
        match done.status {
            200 => assert_eq!(many.resume().await?["user"]["role"], "member"),
            _ => drop(done.problem(502, "plugin_failed")?),
        }
        // Markup in a name is text, and travels as text.
        let name = "<img src=x onerror=alert(1)>\u{202e}";
        let who =
            json!({"subject": "markup", "email": "markup@people.test", "name": name, "avatar": "javascript:alert(1)"});
        let (mut markup, done) = as_who(&one, who).await?;
        done.ok(200)?;
        let session = markup.resume().await?;
        let shown = session["user"]["name"].as_str().unwrap_or_default();
        assert!(
            shown.starts_with("<img src=x onerror=alert(1)>") && !shown.contains('\u{202e}'),
            "{session}"
        );
        assert!(!session.to_string().contains("javascript:"), "{session}");
        let listed = stage.owner.get("/api/v1/users").await?;
        assert_eq!(
            (listed.header("content-type"), listed.header("x-content-type-options")),
            ("application/json", "nosniff")
        );
        assert!(told(&stage.owner, "login.refused", id(&one)).await? >= 2);
        configure(&stage.owner, &one, json!({})).await?;
        audit_holds(&stage.owner).await
    })
    .await?;
    Ok(())
}
