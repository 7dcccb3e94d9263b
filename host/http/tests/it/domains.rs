//! Tenants' own domains: adding, proving, routing, losing.

use crate::support::{Actor, Platform};
use aistack_domain::{
    jobs::JobHandler,
    port::LookupError,
    tenancy::domains::{CheckDomain, enqueue_due},
};
use http::Method;
use serde_json::{Value, json};
use std::time::Duration;

const DOMAIN: &str = "app.acme.test";
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Adds a domain, publishes its record and has it verified.
async fn prove(p: &Platform, owner: &mut Actor, domain: &str) -> Value {
    let added = owner.post("/api/v1/domains", json!({ "domain": domain })).await.ok(201);
    publish(p, &added);
    verify(p, owner, domain).await.ok(200)
}

fn publish(p: &Platform, added: &Value) {
    let challenge = &added["challenge"];
    p.dns.set(
        challenge["name"].as_str().unwrap(),
        Ok(&["v=spf1 -all", challenge["value"].as_str().unwrap()]),
    );
}

async fn verify(p: &Platform, owner: &mut Actor, domain: &str) -> crate::support::Answer {
    p.clock.advance(Duration::from_secs(6));
    owner
        .send(
            Method::POST,
            &format!("/api/v1/domains/{domain}/verify"),
            None,
            Vec::new(),
        )
        .await
}

async fn slug_at(p: &Platform, host: &str) -> Result<String, u16> {
    let meta = p.at(host).get("/api/v1/meta").await;
    match meta.status {
        200 => Ok(meta.body["tenant"]["slug"].as_str().unwrap_or_default().to_owned()),
        status => Err(status),
    }
}

/// Has everything that is due looked at.
async fn watch(p: &Platform) -> usize {
    let made = enqueue_due(&p.app).await.unwrap();
    assert_eq!(
        enqueue_due(&p.app).await.unwrap(),
        0,
        "a second node makes no second job"
    );
    loop {
        let now = p.app.clock.now();
        let mut machine = p.app.store.platform_machine().await.unwrap();
        let Some(job) = machine.jobs().lease(now, now.plus(DAY)).await.unwrap() else {
            return made;
        };
        machine.commit().await.unwrap();
        CheckDomain.run(&p.app, &job).await.unwrap();
        let mut machine = p.app.store.platform_machine().await.unwrap();
        machine.jobs().finish(job.id, job.attempts, now).await.unwrap();
        machine.commit().await.unwrap();
    }
}

#[tokio::test]
async fn only_a_proven_domain_routes() {
    let (p, mut operator) = Platform::set_up().await;
    let mut owner = p.tenant(&mut operator, "acme").await;
    let added = owner
        .post("/api/v1/domains", json!({ "domain": "App.Acme.test.:443" }))
        .await
        .ok(201);
    assert_eq!(
        (&added["domain"], &added["status"]),
        (&json!(DOMAIN), &json!("pending"))
    );
    assert_eq!(added["challenge"]["name"], "_aistack-challenge.app.acme.test");
    assert_eq!(added["target"], "localhost");
    assert_eq!(slug_at(&p, DOMAIN).await, Err(421));
    let missing = verify(&p, &mut owner, DOMAIN).await;
    assert_eq!(missing.problem(), (409, "conflict"));
    assert_eq!(missing.body["reason"], "txt_missing");
    assert!(
        missing.body["hint"].as_str().unwrap().contains("aistack-verification="),
        "{missing:?}"
    );
    let at_once = owner
        .send(Method::POST, "/api/v1/domains/app.acme.test/verify", None, Vec::new())
        .await;
    assert_eq!(at_once.problem(), (429, "rate_limited"));
    for (answer, reason) in [
        (Ok(&["aistack-verification=0123"][..]), "txt_wrong"),
        (Ok(&[][..]), "txt_missing"),
        (Err(LookupError::NoRecords), "txt_missing"),
        (Err(LookupError::ServerFailure), "dns_failure"),
        (Err(LookupError::Timeout), "dns_timeout"),
        (Err(LookupError::Failed("no route".to_owned())), "dns_unreadable"),
    ] {
        p.dns.set("_aistack-challenge.app.acme.test", answer);
        assert_eq!(verify(&p, &mut owner, DOMAIN).await.body["reason"], reason);
        let row = owner.get("/api/v1/domains").await.ok(200)["items"][0].clone();
        assert_eq!(
            (&row["status"], &row["last_error"]),
            (&json!("pending"), &json!(reason))
        );
        assert!(row["last_error_message"].is_string());
        assert_eq!(slug_at(&p, DOMAIN).await, Err(421));
    }
    publish(&p, &added);
    let verified = verify(&p, &mut owner, DOMAIN).await.ok(200);
    assert_eq!(
        (&verified["status"], &verified["last_error"]),
        (&json!("verified"), &Value::Null)
    );
    for host in [DOMAIN, "APP.acme.TEST.:8443"] {
        assert_eq!(slug_at(&p, host).await, Ok("acme".to_owned()), "{host}");
    }
    assert_eq!(slug_at(&p, "x.app.acme.test").await, Err(421));
    let mut there = p.at(DOMAIN);
    there.sign_in("owner@acme.test").await;
    assert_eq!(there.get("/api/v1/tenant").await.ok(200)["slug"], "acme");
    owner.delete("/api/v1/domains/app.acme.test").await.ok(204);
    assert_eq!(slug_at(&p, DOMAIN).await, Err(421));
    assert_eq!(
        owner.delete("/api/v1/domains/app.acme.test").await.problem(),
        (404, "not_found")
    );
    let own = owner.actions("/api/v1/audit-events").await;
    assert!(own.contains(&"domain.added".to_owned()), "{own:?}");
    assert_eq!(own[0], "domain.removed");
    let platform = operator.actions("/api/v1/platform/audit-events").await;
    assert_eq!(platform[..3], ["domain.removed", "domain.verified", "domain.added"]);
}

#[tokio::test]
async fn a_domain_is_one_tenants_at_a_time() {
    let (p, mut operator) = Platform::set_up().await;
    let mut acme = p.tenant(&mut operator, "acme").await;
    let mut globex = p.tenant(&mut operator, "globex").await;
    let ours = acme.post("/api/v1/domains", json!({ "domain": DOMAIN })).await.ok(201);
    let theirs = globex
        .post("/api/v1/domains", json!({ "domain": DOMAIN }))
        .await
        .ok(201);
    assert_ne!(ours["challenge"]["value"], theirs["challenge"]["value"]);
    // Somebody else's record proves nothing.
    publish(&p, &theirs);
    assert_eq!(verify(&p, &mut acme, DOMAIN).await.body["reason"], "txt_wrong");
    publish(&p, &ours);
    verify(&p, &mut acme, DOMAIN).await.ok(200);
    // Without controlling the DNS nobody learns that the domain is taken.
    assert_eq!(verify(&p, &mut globex, DOMAIN).await.body["reason"], "txt_wrong");
    publish(&p, &theirs);
    let refused = verify(&p, &mut globex, DOMAIN).await;
    assert_eq!(
        (refused.status, &refused.body["reason"]),
        (409, &json!("verified_elsewhere"))
    );
    assert!(!refused.body.to_string().contains("acme\""), "{refused:?}");
    assert_eq!(slug_at(&p, DOMAIN).await, Ok("acme".to_owned()));
    acme.delete("/api/v1/domains/app.acme.test").await.ok(204);
    verify(&p, &mut globex, DOMAIN).await.ok(200);
    assert_eq!(slug_at(&p, DOMAIN).await, Ok("globex".to_owned()));
    let seen = operator.get("/api/v1/tenants/globex/domains").await.ok(200);
    assert_eq!(seen["items"][0]["status"], "verified");
    assert_eq!(
        operator.get("/api/v1/tenants/acme/domains").await.ok(200)["items"],
        json!([])
    );
    // Another tenant's domain is no domain of this one.
    for (method, verb) in [
        (Method::POST, "/verify"),
        (Method::POST, "/primary"),
        (Method::DELETE, ""),
    ] {
        let path = format!("/api/v1/domains/{DOMAIN}{verb}");
        let answer = acme.send(method, &path, None, Vec::new()).await;
        assert_eq!(answer.problem(), (404, "not_found"), "{path}");
    }
}

#[tokio::test]
async fn a_proof_may_be_missing_for_a_week_and_no_longer() {
    let (p, mut operator) = Platform::set_up().await;
    let mut owner = p.tenant(&mut operator, "acme").await;
    let verified = prove(&p, &mut owner, DOMAIN).await;
    owner
        .post("/api/v1/domains/app.acme.test/primary", json!({}))
        .await
        .ok(200);
    let status = |v: &Value| v["items"][0]["status"].as_str().unwrap().to_owned();
    // Sessions end meanwhile.
    let look = async || {
        let mut owner = p.at("acme.localhost");
        owner.sign_in("owner@acme.test").await;
        owner.get("/api/v1/domains").await.ok(200)
    };
    assert_eq!(watch(&p).await, 0, "nothing is due yet");
    p.clock.advance(DAY);
    assert_eq!(watch(&p).await, 1);
    let name = verified["challenge"]["name"].as_str().unwrap();
    p.dns.set(name, Err(LookupError::ServerFailure));
    for _ in 0..3 {
        assert_eq!(status(&look().await), "verified");
        p.clock.advance(DAY);
        assert_eq!(watch(&p).await, 1);
    }
    let failing = look().await;
    assert_eq!(status(&failing), "failing");
    assert!(failing["items"][0]["works_until"].is_string());
    assert_eq!(slug_at(&p, DOMAIN).await, Ok("acme".to_owned()), "it still routes");
    // Back in time: all is well.
    publish(&p, &verified);
    p.clock.advance(DAY);
    watch(&p).await;
    assert_eq!(status(&look().await), "verified");
    p.dns.set(name, Err(LookupError::NoSuchName));
    for _ in 0..12 {
        p.clock.advance(DAY);
        watch(&p).await;
    }
    owner.sign_in("owner@acme.test").await;
    let lost = look().await;
    assert_eq!(
        (status(&lost), &lost["items"][0]["primary"]),
        ("unverified".to_owned(), &json!(false))
    );
    assert_eq!(slug_at(&p, DOMAIN).await, Err(421));
    assert_eq!(watch(&p).await, 0, "it is not looked at any more");
    let own = owner.actions("/api/v1/audit-events?limit=50").await;
    let ours: Vec<_> = own.iter().rev().filter(|a| a.starts_with("domain.")).collect();
    assert_eq!(
        ours,
        [
            "domain.added",
            "domain.verified",
            "domain.primary_set",
            "domain.failing",
            "domain.recovered",
            "domain.failing",
            "domain.lost"
        ]
    );
}

#[tokio::test]
async fn links_use_the_primary_domain() {
    let (p, mut operator) = Platform::set_up().await;
    let mut owner = p.tenant(&mut operator, "acme").await;
    p.tenant(&mut operator, "globex").await;
    prove(&p, &mut owner, DOMAIN).await;
    prove(&p, &mut owner, "www.acme.test").await;
    let url = |v: &Value| v["url"].as_str().unwrap().to_owned();
    assert_eq!(
        url(&owner.get("/api/v1/tenant").await.ok(200)),
        "http://acme.localhost:8080"
    );
    for domain in ["www.acme.test", DOMAIN] {
        let path = format!("/api/v1/domains/{domain}/primary");
        owner.post(&path, json!({})).await.ok(200);
        assert_eq!(
            url(&owner.get("/api/v1/tenant").await.ok(200)),
            format!("http://{domain}:8080")
        );
    }
    let list = operator.get("/api/v1/tenants").await.ok(200);
    let urls: Vec<_> = list["items"].as_array().unwrap().iter().map(url).collect();
    assert_eq!(urls, ["http://globex.localhost:8080", "http://app.acme.test:8080"]);
    let pending = owner
        .post("/api/v1/domains", json!({ "domain": "new.acme.test" }))
        .await
        .ok(201);
    assert_eq!(pending["primary"], false);
    let refused = owner.post("/api/v1/domains/new.acme.test/primary", json!({})).await;
    assert_eq!(refused.problem(), (409, "conflict"));
    owner.delete("/api/v1/domains/app.acme.test").await.ok(204);
    assert_eq!(
        url(&owner.get("/api/v1/tenant").await.ok(200)),
        "http://acme.localhost:8080"
    );
}

#[tokio::test]
async fn names_that_are_nobodys_are_refused_and_there_is_an_end() {
    let (p, mut operator) = Platform::set_up().await;
    let mut owner = p.tenant(&mut operator, "acme").await;
    for (bad, code) in [
        ("", "format"),
        ("*.acme.test", "wildcard"),
        ("localhost", "own"),
        ("globex.localhost", "own"),
        ("192.0.2.1", "address"),
        ("[::1]", "address"),
        ("co.uk", "public_suffix"),
        ("intranet", "public_suffix"),
        ("acme.test/x", "format"),
        ("acme%2etest", "format"),
        ("a\u{0}b.test", "format"),
        ("ａcme.test", "characters"),
    ] {
        let refused = owner.post("/api/v1/domains", json!({ "domain": bad })).await;
        assert_eq!(refused.problem(), (422, "validation_failed"), "{bad}");
        let error = &refused.body["errors"][0];
        assert_eq!(
            (&error["pointer"], &error["code"]),
            (&json!("/domain"), &json!(code)),
            "{bad}"
        );
        assert!(error["hint"].is_string());
    }
    for n in 0..20 {
        owner
            .post("/api/v1/domains", json!({ "domain": format!("d{n}.acme.test") }))
            .await
            .ok(201);
    }
    let again = owner.post("/api/v1/domains", json!({ "domain": "D0.acme.test" })).await;
    assert_eq!(again.problem(), (409, "already_exists"));
    let more = owner
        .post("/api/v1/domains", json!({ "domain": "more.acme.test" }))
        .await;
    assert_eq!(more.problem(), (409, "conflict"));
}
