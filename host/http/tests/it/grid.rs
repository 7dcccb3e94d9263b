//! Everything that can name a tenant, in every combination, against a rule of a few lines; and every spelling of a host.

use crate::support::{Actor, Platform};
use aistack_store::{DomainStatus, TenantDomain};
use serde_json::json;

/// What one part of a request says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    Nothing,
    Right,
    Other,
    Unknown,
}
use Says::{Nothing, Other, Right, Unknown};

const ALL: [Says; 4] = [Nothing, Right, Other, Unknown];

/// What the answer has to be: the tenant's slug, or status and code.
type Expected = Result<&'static str, (u16, &'static str)>;

/// The rule: hosts are known or 421; all that is named is one tenant or 403; an unknown slug in the path is 404; a token
/// is good or 401; nothing at all is the platform.
fn oracle(domain: Says, subdomain: Says, path: Says, header: Says, token: Says) -> Expected {
    const MISMATCH: Expected = Err((403, "tenant_mismatch"));
    if domain == Unknown || subdomain == Unknown {
        return Err((421, "unknown_host"));
    }
    let hosts: Vec<_> = [domain, subdomain].into_iter().filter(|s| *s != Nothing).collect();
    if hosts.windows(2).any(|w| w[0] != w[1]) {
        return MISMATCH;
    }
    let host = hosts.first().copied().unwrap_or(Nothing);
    if host != Nothing && path != Nothing && host != path {
        return MISMATCH;
    }
    if path == Unknown {
        return Err((404, "tenant_not_found"));
    }
    let address = if host == Nothing { path } else { host };
    if address == Nothing {
        return match (token, header) {
            (Nothing, Nothing) => Err((404, "not_found")),
            (Nothing, _) => MISMATCH,
            (Unknown, _) => Err((401, "unauthenticated")),
            (named, Nothing) => Ok(slug(named)),
            (named, header) if named == header => Ok(slug(named)),
            _ => MISMATCH,
        };
    }
    match (header, token) {
        (header, _) if header != Nothing && header != address => MISMATCH,
        (_, Nothing | Unknown) => Err((401, "unauthenticated")),
        (_, token) if token != address => MISMATCH,
        _ => Ok(slug(address)),
    }
}

fn slug(says: Says) -> &'static str {
    match says {
        Right => "acme",
        Other => "globex",
        Nothing | Unknown => "nobody",
    }
}

async fn token(owner: &mut Actor) -> String {
    let token = owner.post("/api/v1/session/token", json!({})).await.ok(200);
    token["access_token"].as_str().unwrap().to_owned()
}

async fn with_domain(p: &Platform, slug: &str) {
    let tenant = aistack_domain::tenancy::find(&p.app, slug).await.unwrap();
    let now = p.app.clock.now();
    let row = TenantDomain {
        tenant_id: tenant.id,
        domain: format!("app.{slug}.test"),
        status: DomainStatus::Verified,
        token: "0".to_owned(),
        is_primary: 0,
        misses: 0,
        last_error: None,
        checked_at: Some(now),
        next_check_at: None,
        verified_at: Some(now),
        failing_since: None,
        created_at: now,
    };
    let mut tx = p.app.store.platform().await.unwrap();
    tx.domains().insert(&row).await.unwrap();
    let draft = aistack_domain::audit::Draft::new("domain.verified", "domain", &row.domain);
    let ctx = aistack_domain::Ctx::system(None);
    aistack_domain::audit::commit_platform(&p.app, tx, &ctx, draft)
        .await
        .unwrap();
}

#[tokio::test]
async fn all_that_names_a_tenant_has_to_name_the_same() {
    let (p, mut operator) = Platform::set_up().await;
    let mut acme = p.tenant(&mut operator, "acme").await;
    let mut globex = p.tenant(&mut operator, "globex").await;
    let tokens = [token(&mut acme).await, token(&mut globex).await];
    // A token that somebody made themselves: the claims of a good one, another signature.
    let forged = format!("{}.{}", tokens[0].rsplit_once('.').unwrap().0, "A".repeat(86));
    for slug in ["acme", "globex"] {
        with_domain(&p, slug).await;
    }
    let mut wrong = Vec::new();
    let mut refused = 0;
    for domain in ALL {
        for subdomain in ALL {
            for path in ALL {
                for header in ALL {
                    for token in ALL {
                        let mut somebody = p.at("localhost");
                        let mut target = "/api/v1/tenant".to_owned();
                        if path != Nothing {
                            target = format!("/t/{}{target}", slug(path));
                        }
                        let (by_domain, by_subdomain) = (
                            format!("app.{}.test", slug(domain)),
                            format!("{}.localhost", slug(subdomain)),
                        );
                        match (domain != Nothing, subdomain != Nothing) {
                            // Both at once: the target in absolute form, and the Host header.
                            (true, true) => {
                                target = format!("http://{by_domain}{target}");
                                somebody.host = by_subdomain;
                            }
                            (true, false) => somebody.host = by_domain,
                            (false, true) => somebody.host = by_subdomain,
                            (false, false) => {}
                        }
                        if header != Nothing {
                            somebody.extra.push(("x-tenant-id", slug(header).to_owned()));
                        }
                        somebody.bearer = match token {
                            Nothing => None,
                            Right => Some(tokens[0].clone()),
                            Other => Some(tokens[1].clone()),
                            Unknown => Some(forged.clone()),
                        };
                        let answer = somebody.get(&target).await;
                        let got = match answer.status {
                            200 => Ok(answer.body["slug"].as_str().unwrap().to_owned()),
                            _ => Err((answer.problem().0, answer.problem().1.to_owned())),
                        };
                        let expected = oracle(domain, subdomain, path, header, token);
                        refused += usize::from(expected == Err((403, "tenant_mismatch")));
                        let expected = expected.map(str::to_owned).map_err(|(s, c)| (s, c.to_owned()));
                        if got != expected {
                            wrong.push(format!(
                                "domain {domain:?}, subdomain {subdomain:?}, path {path:?}, header {header:?}, token \
                                 {token:?}: {got:?}, not {expected:?}"
                            ));
                        }
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of 1024:\n{}", wrong.len(), wrong.join("\n"));
    // Every refusal is a security event, and no log is filled by them.
    assert!(refused > 300, "{refused}");
    let event = "security.tenant_mismatch";
    for (who, path) in [
        (&mut acme, "/api/v1/audit-events?limit=100"),
        (&mut globex, "/api/v1/audit-events?limit=100"),
        (&mut operator, "/api/v1/platform/audit-events?limit=100"),
    ] {
        let list = who.get(path).await.ok(200);
        let events: Vec<_> = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|e| e["action"] == event)
            .collect();
        assert!((1..=10).contains(&events.len()), "{path}: {}", events.len());
        assert!(events.iter().all(|e| e["outcome"] == "denied"), "{events:?}");
    }
    p.clock.advance(std::time::Duration::from_secs(61));
    let mut again = p.at("acme.localhost");
    again.get("/t/globex/api/v1/meta").await;
    let latest = acme.get("/api/v1/audit-events?limit=1").await.ok(200);
    assert_eq!(latest["items"][0]["action"], event);
    assert!(
        latest["items"][0]["details"]["left_out_before"].as_u64().unwrap() > 100,
        "{latest}"
    );
}

#[tokio::test]
async fn a_host_has_one_meaning_in_every_spelling() {
    let (p, mut operator) = Platform::set_up().await;
    p.tenant(&mut operator, "acme").await;
    with_domain(&p, "acme").await;
    const ACME: Expected = Ok("acme");
    const UNKNOWN: Expected = Err((421, "unknown_host"));
    const MALFORMED: Expected = Err((400, "malformed_request"));
    for (host, expected) in [
        ("acme.localhost", ACME),
        ("ACME.LocalHost", ACME),
        ("acme.localhost.", ACME),
        ("acme.localhost:1", ACME),
        ("acme.localhost.:65535", ACME),
        ("app.acme.test", ACME),
        ("App.ACME.test.:80", ACME),
        ("acme.localhost..", MALFORMED),
        ("acme..localhost", UNKNOWN),
        (".acme.localhost", UNKNOWN),
        ("x.acme.localhost", UNKNOWN),
        ("acme.localhost:65536", MALFORMED),
        ("acme.localhost:+80", MALFORMED),
        ("acme.localhost:80:80", MALFORMED),
        ("acme.localhost%00", MALFORMED),
        ("acme%2elocalhost", MALFORMED),
        ("%61cme.localhost", MALFORMED),
        ("acme.localhost%2f", MALFORMED),
        ("evil@acme.localhost", MALFORMED),
        ("acme.localhost@evil.test", MALFORMED),
        ("acme.localhost/..", MALFORMED),
        ("acme.localhost\\", MALFORMED),
        ("acme.localhost, evil.test", MALFORMED),
        ("acme localhost", MALFORMED),
        ("app.acme.test.evil.test", UNKNOWN),
        ("appxacme.test", UNKNOWN),
        ("xn--acme-.localhost", MALFORMED),
        ("127.0.0.2", UNKNOWN),
        ("0177.0.0.1", MALFORMED),
        ("0x7f.0.0.1", MALFORMED),
        ("2130706433", MALFORMED),
        ("[::2]", UNKNOWN),
        ("[::ffff:127.0.0.1]", UNKNOWN),
        ("[::1", MALFORMED),
        ("::1", MALFORMED),
    ] {
        let answer = p.at(host).get("/api/v1/meta").await;
        let got = match answer.status {
            200 => Ok(answer.body["tenant"]["slug"].as_str().unwrap_or("").to_owned()),
            _ => Err((answer.problem().0, answer.problem().1.to_owned())),
        };
        let same = match (&got, expected) {
            (Ok(got), Ok(expected)) => got == expected,
            (Err((status, code)), Err(expected)) => (*status, code.as_str()) == expected,
            _ => false,
        };
        // What can't be a name may be refused as one nobody has, but is never somebody's.
        let either = expected == MALFORMED && got == Err((421, "unknown_host".to_owned()));
        assert!(
            same || either || (expected == UNKNOWN && matches!(got, Err((400, _)))),
            "{host}: {got:?}"
        );
    }
    for host in ["[::1]:8080", "127.0.0.1", "LOCALHOST."] {
        assert_eq!(
            p.at(host).get("/api/v1/meta").await.ok(200)["realm"],
            "operator",
            "{host}"
        );
    }
}

#[tokio::test]
async fn one_host_header_and_what_proxies_say_counts_only_if_they_are_trusted() {
    let (p, mut operator) = Platform::set_up().await;
    p.tenant(&mut operator, "acme").await;
    p.tenant(&mut operator, "globex").await;
    let mut twice = p.at("acme.localhost");
    twice.extra.push(("host", "acme.localhost".to_owned()));
    assert_eq!(twice.get("/api/v1/meta").await.problem(), (400, "malformed_request"));
    let mut absolute = p.at("acme.localhost");
    assert_eq!(
        absolute.get("http://acme.localhost/api/v1/meta").await.ok(200)["tenant"]["slug"],
        "acme"
    );
    for other in ["globex.localhost", "localhost"] {
        let answer = absolute.get(&format!("http://{other}/api/v1/meta")).await;
        assert_eq!(answer.problem(), (403, "tenant_mismatch"), "{other}");
    }
    let forwarded = |hosts: &[&str], peer| {
        let mut somebody = p.at("acme.localhost");
        somebody.peer = peer;
        somebody.extra = hosts.iter().map(|h| ("x-forwarded-host", (*h).to_owned())).collect();
        somebody
    };
    const PROXY: &str = "198.51.100.3:1";
    const ANYBODY: &str = "192.0.2.7:1";
    let slug = |v: serde_json::Value| v["tenant"]["slug"].as_str().unwrap().to_owned();
    let mut from_proxy = forwarded(&["globex.localhost"], PROXY);
    assert_eq!(slug(from_proxy.get("/api/v1/meta").await.ok(200)), "globex");
    let mut from_anybody = forwarded(&["globex.localhost"], ANYBODY);
    assert_eq!(slug(from_anybody.get("/api/v1/meta").await.ok(200)), "acme");
    for hosts in [
        &["globex.localhost, acme.localhost"][..],
        &["globex.localhost", "acme.localhost"],
        &[""],
    ] {
        let answer = forwarded(hosts, PROXY).get("/api/v1/meta").await;
        assert_eq!(answer.problem(), (400, "malformed_request"), "{hosts:?}");
    }
    assert_eq!(
        forwarded(&["evil.test"], PROXY).get("/api/v1/meta").await.problem(),
        (421, "unknown_host")
    );
    // Several values of the header that names a tenant: all of them have to.
    let mut named = p.at("acme.localhost");
    named.extra = vec![("x-tenant-id", "acme".to_owned()), ("x-tenant-id", "globex".to_owned())];
    assert_eq!(named.get("/api/v1/meta").await.problem(), (403, "tenant_mismatch"));
}
