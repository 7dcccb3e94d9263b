//! What is wrong with a request is said with the right status and code, and changes nothing.

use aistack_tests::actor::Actor;
use aistack_tests::host::{Store, TestHost, plugin};
use reqwest::Method;
use serde_json::json;

const OWNER: (&str, &str) = ("olga@acme.test", "the owner's long password");

/// A host with one tenant, and its operator and owner.
struct Stage {
    host: TestHost,
    operator: Actor,
    owner: Actor,
}

impl Stage {
    async fn set() -> Self {
        let host = TestHost::start(Store::Sqlite).await.unwrap();
        let operator = host.set_up().await.unwrap();
        for slug in ["acme", "globex"] {
            let owner = json!({"email": OWNER.0, "name": "Olga", "password": OWNER.1});
            let tenant = json!({"slug": slug, "name": slug, "owner": owner});
            operator.post("/api/v1/tenants", tenant).await.unwrap().ok(201).unwrap();
        }
        let mut owner = host.tenant_visitor("acme");
        owner.sign_in(OWNER.0, OWNER.1).await.unwrap();
        Self { host, operator, owner }
    }
}

#[tokio::test]
async fn hosts_and_tenants() {
    let Stage { host, operator, owner } = Stage::set().await;

    host.tenant_visitor("nobody")
        .get("/api/v1/meta")
        .await
        .unwrap()
        .problem(421, "unknown_host")
        .unwrap();
    let elsewhere = host
        .visitor()
        .request(Method::GET, "/api/v1/meta")
        .header("host", "example.test");
    host.visitor()
        .send(elsewhere)
        .await
        .unwrap()
        .problem(421, "unknown_host")
        .unwrap();
    let no_slug = operator.at(host.tenant_path("nobody"));
    no_slug
        .get("/api/v1/tenant")
        .await
        .unwrap()
        .problem(404, "tenant_not_found")
        .unwrap();
    operator
        .get("/api/v1/tenants/nobody")
        .await
        .unwrap()
        .problem(404, "tenant_not_found")
        .unwrap();

    // Host and path name different tenants.
    let torn = owner.at(host.tenant_base("acme").join("/t/globex").unwrap());
    torn.get("/api/v1/tenant")
        .await
        .unwrap()
        .problem(403, "tenant_mismatch")
        .unwrap();
    // Host and header do.
    let header = owner
        .request(Method::GET, "/api/v1/tenant")
        .header("x-tenant-id", "ten_00000000000000000000000000");
    owner
        .send(header)
        .await
        .unwrap()
        .problem(403, "tenant_mismatch")
        .unwrap();
    // Host and token do.
    let token = owner
        .post("/api/v1/session/token", json!({}))
        .await
        .unwrap()
        .ok(200)
        .unwrap();
    let bearer = host
        .tenant_visitor("globex")
        .with_bearer(token["access_token"].as_str().unwrap());
    bearer
        .get("/api/v1/tenant")
        .await
        .unwrap()
        .problem(403, "tenant_mismatch")
        .unwrap();
    // A session is worth nothing in another tenant, even when somebody carries the cookie over.
    let globex = host.tenant_visitor("globex");
    let cookie = owner.browser.cookie(&owner.url("/"), "__Host-aistack").unwrap();
    globex
        .browser
        .set_cookie(&globex.url("/"), &format!("__Host-aistack={cookie}; Path=/"));
    let refused = globex.get("/api/v1/tenant").await.unwrap();
    assert!([401, 403].contains(&refused.status), "{refused}");
}

#[tokio::test]
async fn sessions_and_csrf() {
    let Stage { host, operator, owner } = Stage::set().await;

    let rename = json!({"name": "renamed"});
    for wrong in [owner.without_csrf(), owner.with_csrf(""), owner.with_csrf("guessed")] {
        wrong
            .patch("/api/v1/tenant", rename.clone())
            .await
            .unwrap()
            .problem(403, "csrf_token_invalid")
            .unwrap();
    }
    // The token of another session is not the token of this one.
    let mut other = host.tenant_visitor("acme");
    let session = other.sign_in(OWNER.0, OWNER.1).await.unwrap();
    let borrowed = owner.with_csrf(session["csrf_token"].as_str().unwrap());
    borrowed
        .patch("/api/v1/tenant", rename.clone())
        .await
        .unwrap()
        .problem(403, "csrf_token_invalid")
        .unwrap();
    assert_eq!(
        owner.get("/api/v1/tenant").await.unwrap().ok(200).unwrap()["name"],
        "acme"
    );

    // A session that was ended, a cookie that was made up, no cookie at all.
    let cookie = other.browser.cookie(&other.url("/"), "__Host-aistack").unwrap();
    other.delete("/api/v1/session").await.unwrap().ok(204).unwrap();
    assert_eq!(
        other.browser.cookie(&other.url("/"), "__Host-aistack"),
        None,
        "signing out leaves the cookie"
    );
    other
        .browser
        .set_cookie(&other.url("/"), &format!("__Host-aistack={cookie}; Path=/"));
    let ended = other.get("/api/v1/tenant").await.unwrap();
    assert!(
        ["session_expired", "unauthenticated"]
            .iter()
            .any(|code| ended.problem(401, code).is_ok()),
        "{ended}"
    );
    let made_up = host.tenant_visitor("acme");
    made_up
        .browser
        .set_cookie(&made_up.url("/"), "__Host-aistack=made-up; Path=/");
    made_up
        .get("/api/v1/tenant")
        .await
        .unwrap()
        .problem(401, "unauthenticated")
        .unwrap();

    // A member of a tenant is nobody on the platform, and an unknown token is nobody anywhere.
    let at_base = owner.at(host.base());
    at_base
        .get("/api/v1/tenants")
        .await
        .unwrap()
        .problem(401, "unauthenticated")
        .unwrap();
    let unknown = operator.with_bearer("no.such.token");
    unknown
        .get("/api/v1/tenants")
        .await
        .unwrap()
        .problem(401, "unauthenticated")
        .unwrap();
}

#[tokio::test]
async fn bodies() {
    let Stage { host, operator, owner } = Stage::set().await;
    let patch = |body: &'static str| owner.request(Method::PATCH, "/api/v1/tenant").body(body);

    let json = "application/json";
    for body in [
        "{",
        "",
        "[1]",
        "{\"name\": 7}",
        "{\"name\": \"a\", \"unknown\": 1}",
        "{\"name\":\"\u{0}",
    ] {
        let answer = owner.send(patch(body).header("content-type", json)).await.unwrap();
        answer.problem(400, "malformed_request").unwrap();
    }
    let text = owner
        .send(patch("{\"name\": \"a\"}").header("content-type", "text/plain"))
        .await
        .unwrap();
    text.problem(415, "unsupported_media_type").unwrap();

    let large = format!("{{\"name\": \"{}\"}}", "a".repeat(2 << 20));
    let request = owner
        .request(Method::PATCH, "/api/v1/tenant")
        .header("content-type", json)
        .body(large);
    let refused = owner.send(request).await.unwrap();
    let refused = refused.problem(413, "payload_too_large").unwrap();
    assert_eq!(refused["max"], 1 << 20);
    assert!(refused["detail"].as_str().unwrap().contains("1 MiB"), "{refused}");
    // The same without saying how long it is.
    let pieces = futures_util::stream::iter((0..64).map(|_| Ok::<_, std::io::Error>(vec![b' '; 64 << 10])));
    let request = owner
        .request(Method::PATCH, "/api/v1/tenant")
        .header("content-type", json);
    let chunked = owner
        .send(request.body(reqwest::Body::wrap_stream(pieces)))
        .await
        .unwrap();
    chunked.problem(413, "payload_too_large").unwrap();
    assert_eq!(
        owner.get("/api/v1/tenant").await.unwrap().ok(200).unwrap()["name"],
        "acme"
    );

    let rules = [
        (json!({"slug": "Not A Slug", "name": "x"}), "/slug"),
        (json!({"slug": "admin", "name": "x"}), "/slug"),
        (json!({"slug": "fine", "name": ""}), "/name"),
        (json!({"slug": "fine", "name": "x", "currency": "DOLLARS"}), "/currency"),
        (
            json!({"slug": "fine", "name": "x", "time_zone": "Mars/Olympus"}),
            "/time_zone",
        ),
        (
            json!({"slug": "fine", "name": "x", "owner": {"email": "a@b.test", "name": "x", "password": "short"}}),
            "/owner/password",
        ),
        (
            json!({"slug": "fine", "name": "x", "owner": {"email": "nonsense", "name": "x", "password": OWNER.1}}),
            "/owner/email",
        ),
    ];
    for (body, pointer) in rules {
        let answer = operator.post("/api/v1/tenants", body.clone()).await.unwrap();
        let problem = answer.problem(422, "validation_failed").unwrap();
        let pointers: Vec<_> = problem["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| &error["pointer"])
            .collect();
        assert_eq!(pointers, [pointer], "{body}");
    }
    operator
        .get("/api/v1/tenants/fine")
        .await
        .unwrap()
        .problem(404, "tenant_not_found")
        .unwrap();
    let twice = json!({"slug": "acme", "name": "again"});
    operator
        .post("/api/v1/tenants", twice)
        .await
        .unwrap()
        .problem(409, "already_exists")
        .unwrap();

    owner
        .get("/api/v1/no-such-thing")
        .await
        .unwrap()
        .problem(404, "not_found")
        .unwrap();
    owner
        .get("/api/v1/users/usr_nonsense")
        .await
        .unwrap()
        .problem(404, "not_found")
        .unwrap();
    owner
        .delete("/api/v1/tenant")
        .await
        .unwrap()
        .problem(405, "method_not_allowed")
        .unwrap();
    owner
        .get("/api/v1/users?limit=many")
        .await
        .unwrap()
        .problem(400, "malformed_request")
        .unwrap();
    owner
        .get("/api/v1/users?cursor=made-up")
        .await
        .unwrap()
        .problem(422, "validation_failed")
        .unwrap();
    drop(host);
}

#[tokio::test]
async fn components() {
    let Stage {
        host: _host,
        operator,
        owner,
    } = Stage::set().await;
    let refused = async |component: Vec<u8>, reason: &str| {
        let answer = operator.install_plugin(component).await.unwrap();
        let problem = answer.problem(422, "plugin_refused").unwrap();
        assert_eq!(problem["reason"], reason, "{problem}");
        assert!(
            problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()),
            "{problem}"
        );
    };
    let genuine = plugin("report-usage").unwrap();

    refused(b"hello".to_vec(), "not_a_component").await;
    refused(Vec::new(), "not_a_component").await;
    refused(genuine[..genuine.len() / 2].to_vec(), "not_a_component").await;
    // A core module is not a component.
    refused(b"\0asm\x01\0\0\0".to_vec(), "not_a_component").await;
    // A component that is whole and does nothing has no manifest and no world.
    let empty = operator.install_plugin(b"\0asm\x0d\0\x01\0".to_vec()).await.unwrap();
    empty.problem(422, "plugin_refused").unwrap();
    let mut large = genuine.clone();
    large.resize(17 << 20, 0);
    let large = operator.install_plugin(large).await.unwrap();
    large.problem(413, "payload_too_large").unwrap();
    // Of a later version of the contract, of a world the host does not know, importing what it does not offer.
    for (from, to, reason) in [
        ("aistack:host/config@1", "aistack:host/config@9", "wrong_version"),
        ("aistack:host/config@", "aistack:host/gifnoc@", "unknown_imports"),
        // A report plugin may not send requests: its world has none.
        ("aistack:host/blob@", "aistack:host/http@", "unknown_imports"),
        ("report/report-generator@1", "report/report-generator@9", "manifest"),
        ("report/generator@", "report/generatox@", "wrong_world"),
        ("publisher", "publishes", "manifest"),
    ] {
        refused(patched(&genuine, from, to), reason).await;
    }

    // Somebody who may not.
    owner
        .install_plugin(genuine.clone())
        .await
        .unwrap()
        .problem(404, "not_found")
        .unwrap();
    assert_eq!(
        operator.all("/api/v1/plugins").await.unwrap().len(),
        0,
        "a refused component was kept"
    );
    operator.install_plugin(genuine).await.unwrap().ok(201).unwrap();
}

#[tokio::test]
async fn answers_carry_ids_of_their_own() {
    let Stage { host, .. } = Stage::set().await;
    let visitor = host.visitor();
    let chosen = visitor
        .request(Method::GET, "/api/v1/meta")
        .header("x-request-id", "req_chosen_by_the_caller");
    let answer = visitor.send(chosen).await.unwrap();
    assert!(
        answer.request_id().starts_with("req_") && answer.request_id() != "req_chosen_by_the_caller",
        "{answer}"
    );
    let next = visitor.get("/api/v1/meta").await.unwrap();
    assert_ne!(answer.request_id(), next.request_id());
}

/// The component with every `from` replaced by `to`, which is as long, so that the file stays whole.
fn patched(component: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut patched = component.to_vec();
    let mut at = 0;
    let mut found = 0;
    while let Some(next) = patched[at..]
        .windows(from.len())
        .position(|window| window == from.as_bytes())
    {
        at += next;
        patched[at..at + to.len()].copy_from_slice(to.as_bytes());
        found += 1;
    }
    assert!(found > 0, "{from} is not in the component");
    patched
}
