//! Proofs of domains, asked of a real name server by the real binary.

use aistack_tests::actor::Actor;
use aistack_tests::host::{Store, TestHost};
use aistack_tests::need;
use aistack_tests::peers::{Nsd, SilentNames};
use serde_json::{Value, json};
use std::time::Duration;

const OWNER: (&str, &str) = ("olga@acme.test", "the owner's long password");

async fn verify(owner: &Actor, domain: &str) -> Value {
    let path = format!("/api/v1/domains/{domain}/verify");
    let answer = owner.post(&path, json!({})).await.unwrap();
    serde_json::from_str(&answer.body).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_dns_decides() {
    let silent = SilentNames::start().unwrap();
    let port = silent.port();
    let host = need!(TestHost::start_with_names(Store::Sqlite, port).await);
    let operator = host.set_up().await.unwrap();
    let tenant =
        json!({"slug": "acme", "name": "Acme", "owner": {"email": OWNER.0, "name": "Olga", "password": OWNER.1}});
    operator.post("/api/v1/tenants", tenant).await.unwrap().ok(201).unwrap();
    let mut owner = host.tenant_visitor("acme");
    owner.sign_in(OWNER.0, OWNER.1).await.unwrap();
    let names = [
        "plain", "split", "several", "long", "wrong", "empty", "absent", "alias", "late",
    ];
    let mut values = std::collections::BTreeMap::new();
    for name in names
        .iter()
        .map(|n| format!("{n}.acme.test"))
        .chain(["app.broken.test".to_owned()])
    {
        let added = owner
            .post("/api/v1/domains", json!({ "domain": name }))
            .await
            .unwrap()
            .ok(201)
            .unwrap();
        values.insert(name, added["challenge"]["value"].as_str().unwrap().to_owned());
    }

    // Nobody answers: said in time, and nothing is taken for proven.
    let patience = Duration::from_secs(5);
    let answer = tokio::time::timeout(patience, verify(&owner, "late.acme.test"))
        .await
        .unwrap();
    assert_eq!(answer["reason"], "dns_timeout", "{answer}");
    drop(silent);

    let value = |name: &str| values[&format!("{name}.acme.test")].as_str();
    let (head, tail) = value("split").split_at(24);
    let long = "x".repeat(250);
    let records = format!(
        "_aistack-challenge.plain TXT \"{}\"\n\
         _aistack-challenge.split TXT \"{head}\" \"{tail}\"\n\
         _aistack-challenge.several TXT \"v=spf1 -all\"\n\
         _aistack-challenge.several TXT \"{}\"\n\
         _aistack-challenge.long TXT \"{long}\" \"{long}\" \"{long}\" \"{long}\" \"{long}\" \"{long}\"\n\
         _aistack-challenge.long TXT \"{}\"\n\
         _aistack-challenge.wrong TXT \"{}\"\n\
         _aistack-challenge.empty A 192.0.2.1\n\
         _aistack-challenge.alias CNAME elsewhere\n\
         elsewhere TXT \"{}\"\n\
         _aistack-challenge.late TXT \"{}\"\n",
        value("plain"),
        value("several"),
        value("long"),
        value("plain"),
        value("alias"),
        value("late"),
    );
    let _nsd = need!(Nsd::start(port, &[("acme.test", Some(&records)), ("broken.test", None)]).await);
    for name in ["plain", "split", "several", "long", "alias"] {
        let answer = verify(&owner, &format!("{name}.acme.test")).await;
        assert_eq!(answer["status"], "verified", "{name}: {answer}");
    }
    for (domain, reason) in [
        ("wrong.acme.test", "txt_wrong"),
        ("empty.acme.test", "txt_missing"),
        ("absent.acme.test", "txt_missing"),
        ("app.broken.test", "dns_failure"),
    ] {
        let answer = verify(&owner, domain).await;
        assert_eq!(answer["reason"], reason, "{domain}: {answer}");
    }
    // What was not there a moment ago is seen as soon as it is asked for again.
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(verify(&owner, "late.acme.test").await["status"], "verified");
    let list = owner.get("/api/v1/domains").await.unwrap().ok(200).unwrap();
    let verified = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|d| d["status"] == "verified")
        .count();
    assert_eq!(verified, 6, "{list}");

    // And requests for the domain arrive.
    for (name, status) in [
        ("plain.acme.test", 200),
        ("PLAIN.acme.test.:1", 200),
        ("wrong.acme.test", 421),
    ] {
        let request = host
            .visitor()
            .request(reqwest::Method::GET, "/api/v1/meta")
            .header("host", name);
        let answer = host.visitor().send(request).await.unwrap();
        assert_eq!(answer.status, status, "{name}: {}", answer.body);
    }
}
