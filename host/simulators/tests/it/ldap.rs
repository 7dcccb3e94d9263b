//! The directory, asked by the crate ldap3.

use crate::support::Bench;
use ldap3::adapters::{Adapter, EntriesOnly, PagedResults};
use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, Scope, SearchEntry};
use serde_json::json;
use std::sync::Arc;

const READER: &str = "CN=reader,OU=Services,DC=sim,DC=test";
const BASE: &str = "DC=sim,DC=test";

/// Trusts the simulator's own authority alone.
fn tls(bench: &Bench) -> Arc<rustls::ClientConfig> {
    let (_, pem) = x509_parser::pem::parse_x509_pem(bench.config("ca_certificate").as_bytes()).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(rustls::pki_types::CertificateDer::from(pem.contents))
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap();
    Arc::new(config.with_root_certificates(roots).with_no_client_auth())
}

async fn connect(bench: &Bench, start_tls: bool, scheme: &str) -> Result<Ldap, ldap3::LdapError> {
    let settings = LdapConnSettings::new().set_starttls(start_tls).set_config(tls(bench));
    let url = bench.sim.base_url.replace("ldap://", scheme);
    let (connection, ldap) = LdapConnAsync::with_settings(settings, &url).await?;
    ldap3::drive!(connection);
    Ok(ldap)
}

async fn bound(bench: &Bench) -> Ldap {
    let mut ldap = connect(bench, true, "ldap://").await.unwrap();
    ldap.simple_bind(READER, bench.secret("bind_password"))
        .await
        .unwrap()
        .success()
        .unwrap();
    ldap
}

async fn names(ldap: &mut Ldap, filter: &str) -> Vec<String> {
    let (entries, _) = ldap
        .search(BASE, Scope::Subtree, filter, vec!["cn"])
        .await
        .unwrap()
        .success()
        .unwrap();
    entries
        .into_iter()
        .map(SearchEntry::construct)
        .map(|e| e.attrs["cn"][0].clone())
        .collect()
}

#[tokio::test]
async fn passwords_need_tls_and_refusals_name_their_reason() {
    let bench = Bench::start("ldap").await;
    let password = bench.secret("password_of_alice");
    let mut plain = connect(&bench, false, "ldap://").await.unwrap();
    let refused = plain.simple_bind(READER, bench.secret("bind_password")).await.unwrap();
    assert_eq!(refused.rc, 8);
    let mut ldap = connect(&bench, true, "ldap://").await.unwrap();
    for name in [
        "CN=alice,OU=People,DC=sim,DC=test",
        "cn=Alice, ou=people, dc=SIM, dc=test",
        "alice@sim.test",
        "SIM\\alice",
    ] {
        assert_eq!(ldap.simple_bind(name, password).await.unwrap().rc, 0, "{name}");
    }
    let mut direct = connect(&bench, false, "ldaps://").await.unwrap();
    assert_eq!(direct.simple_bind("SIM\\alice", password).await.unwrap().rc, 0);
    let mut reason = async |name: &str, password: &str| {
        let answer = ldap.simple_bind(name, password).await.unwrap();
        (
            answer.rc,
            answer
                .text
                .split("data ")
                .nth(1)
                .map(|d| d[..3].to_owned())
                .unwrap_or_default(),
        )
    };
    assert_eq!(reason("SIM\\alice", "wrong").await, (49, "52e".into()));
    assert_eq!(reason("SIM\\nobody", "x").await, (49, "525".into()));
    assert_eq!(
        reason("SIM\\alice", "").await,
        (0, String::new()),
        "an empty password binds as nobody"
    );
    bench
        .control("deliver", json!({"kind": "disable", "user": "alice"}))
        .await;
    assert_eq!(reason("SIM\\alice", password).await, (49, "533".into()));
    bench.control("deliver", json!({"kind": "lock", "user": "alice"})).await;
    assert_eq!(reason("SIM\\alice", password).await, (49, "775".into()));
    let log = bench.get("/_sim/log").await.to_string();
    assert!(log.contains("SIM\\\\alice") && !log.contains(password));
}

#[tokio::test]
async fn filters_scopes_and_binary_ids() {
    let bench = Bench::start("ldap").await;
    let mut ldap = bound(&bench).await;
    assert_eq!(names(&mut ldap, "(sAMAccountName=ALICE)").await, ["alice"]);
    assert_eq!(
        names(&mut ldap, "(&(objectClass=user)(|(cn=bob)(mail=zhang@*)))").await,
        ["bob", "zhang"]
    );
    assert_eq!(
        names(&mut ldap, "(&(cn=*00*)(cn=user*)(cn=*17)(!(cn=*1017)))").await,
        ["user0017"]
    );
    assert_eq!(names(&mut ldap, "(cn=\\2a)").await, Vec::<String>::new());
    assert_eq!(names(&mut ldap, "(displayName=张伟)").await, ["zhang"]);
    let nested = "(&(objectClass=user)(memberOf:1.2.840.113556.1.4.1941:=CN=staff,OU=Groups,DC=sim,DC=test))";
    assert_eq!(
        names(&mut ldap, nested).await,
        ["alice", "bob"],
        "through a circle of groups"
    );
    bench
        .control("deliver", json!({"kind": "disable", "user": "bob"}))
        .await;
    assert_eq!(
        names(&mut ldap, "(userAccountControl:1.2.840.113556.1.4.803:=2)").await,
        ["bob"]
    );
    let (root, _) = ldap
        .search("", Scope::Base, "(objectClass=*)", vec!["*"])
        .await
        .unwrap()
        .success()
        .unwrap();
    let usn = SearchEntry::construct(root[0].clone()).attrs["highestCommittedUSN"][0].clone();
    assert_eq!(names(&mut ldap, &format!("(uSNChanged>={usn})")).await, ["bob"]);
    let (one, _) = ldap
        .search(
            "OU=People,DC=sim,DC=test",
            Scope::OneLevel,
            "(cn=alice)",
            vec!["objectGUID", "entryUUID"],
        )
        .await
        .unwrap()
        .success()
        .unwrap();
    let entry = SearchEntry::construct(one[0].clone());
    let guid = entry
        .bin_attrs
        .get("objectGUID")
        .map(|v| v[0].clone())
        .unwrap_or_else(|| entry.attrs["objectGUID"][0].clone().into_bytes());
    let uuid = entry.attrs["entryUUID"][0].replace('-', "");
    assert_eq!((guid.len(), hex::encode(&guid[8..])), (16, uuid[16..].to_owned()));
    assert_eq!(hex::encode([guid[3], guid[2], guid[1], guid[0]]), uuid[..8]);
    let missing = ldap
        .search("OU=None,DC=sim,DC=test", Scope::Subtree, "(cn=*)", vec!["cn"])
        .await
        .unwrap();
    assert_eq!(missing.1.rc, 32);
}

#[tokio::test]
async fn large_results_come_in_pages_and_long_lists_in_ranges() {
    let bench = Bench::start("ldap").await;
    let mut ldap = bound(&bench).await;
    let all = ldap
        .search(BASE, Scope::Subtree, "(objectClass=user)", vec!["cn"])
        .await
        .unwrap();
    assert_eq!((all.0.len(), all.1.rc), (1000, 4));
    let adapters: Vec<Box<dyn Adapter<_, _>>> = vec![Box::new(EntriesOnly::new()), Box::new(PagedResults::new(500))];
    let mut stream = ldap
        .streaming_search_with(adapters, BASE, Scope::Subtree, "(objectClass=user)", vec!["cn"])
        .await
        .unwrap();
    let mut seen = std::collections::BTreeSet::new();
    while let Some(entry) = stream.next().await.unwrap() {
        seen.insert(SearchEntry::construct(entry).dn);
    }
    stream.finish().await.success().unwrap();
    assert_eq!(seen.len(), 1603);
    let mut members = Vec::new();
    for (asked, expected) in [
        ("member", "member;range=0-1499"),
        ("member;range=1500-*", "member;range=1500-*"),
    ] {
        let group = "CN=everyone,OU=Groups,DC=sim,DC=test";
        let (found, _) = ldap
            .search(group, Scope::Base, "(objectClass=*)", vec![asked])
            .await
            .unwrap()
            .success()
            .unwrap();
        members.extend(SearchEntry::construct(found[0].clone()).attrs[expected].clone());
    }
    assert_eq!(members.len(), 1603);
}

#[tokio::test]
async fn nothing_is_shown_to_strangers_and_the_knobs_work() {
    let bench = Bench::start("ldap").await;
    let mut stranger = connect(&bench, true, "ldap://").await.unwrap();
    let search = |mut ldap: Ldap| async move {
        ldap.search(BASE, Scope::Subtree, "(cn=alice)", vec!["cn"])
            .await
            .map(|r| (r.0.len() + r.1.refs.len(), r.1.rc))
    };
    assert_eq!(search(stranger.clone()).await.unwrap(), (0, 1));
    stranger.simple_bind(READER, "").await.unwrap().success().unwrap();
    assert_eq!(search(stranger).await.unwrap(), (0, 1), "an empty password is nobody's");
    let ldap = bound(&bench).await;
    for (knob, expected) in [("busy", (0, 51)), ("incomplete", (1, 4)), ("referral", (2, 0))] {
        bench.control("faults", json!({knob: true, "next": 1})).await;
        assert_eq!(search(ldap.clone()).await.unwrap(), expected, "{knob}");
        assert_eq!(search(ldap.clone()).await.unwrap(), (1, 0));
    }
    bench.control("faults", json!({"drop": true, "next": 1})).await;
    search(ldap).await.unwrap_err();
    bench
        .control("faults", json!({"bad_certificate": true, "next": 1}))
        .await;
    assert!(connect(&bench, true, "ldap://").await.is_err());
    bench.control("faults", json!({"no_start_tls": true, "next": 1})).await;
    assert!(connect(&bench, true, "ldap://").await.is_err());
    bench.control("faults", json!({"rotate_certificate": true})).await;
    connect(&bench, true, "ldap://").await.unwrap();
    bench.control("faults", json!({"allow_plain": true})).await;
    let mut plain = connect(&bench, false, "ldap://").await.unwrap();
    assert_eq!(
        plain
            .simple_bind(READER, bench.secret("bind_password"))
            .await
            .unwrap()
            .rc,
        0
    );
}
