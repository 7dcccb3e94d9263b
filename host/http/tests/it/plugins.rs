//! Plugins, sign-in through them, payment and deliveries, over HTTP. The runtime is a stand-in, see `stand_in.rs`.

use crate::{
    stand_in::StandIn,
    support::{Actor, Platform},
};
use http::{Method, header};
use serde_json::{Value, json};
use std::sync::Arc;

const IDP: &str = r#"
id = "test.idp"
version = "1.0.0"
world = "aistack:identity/identity-provider@1.0"
publisher = "test"
name = { en = "IdP", zh-CN = "身份源" }
[[egress]]
kind = "http"
hosts = ["${config.issuer}"]
[[secret]]
name = "client_secret"
use = ["http:basic"]
"#;
pub(crate) const PAY: &str = r#"
id = "test.pay"
version = "1.0.0"
world = "aistack:payment/payment-provider@1.0"
publisher = "test"
name = { en = "Pay" }
[[endpoint]]
name = "notify"
max-body = "1KiB"
"#;

pub(crate) fn component(manifest: &str, schema: &Value) -> Vec<u8> {
    json!({ "manifest": manifest, "schema": schema })
        .to_string()
        .into_bytes()
}

pub(crate) async fn upload(by: &mut Actor, bytes: Vec<u8>) -> crate::support::Answer {
    by.send(Method::POST, "/api/v1/plugins", Some("application/wasm"), bytes)
        .await
}

/// A platform with both plugins installed, its operator, and the owner of `acme`.
async fn stage() -> (Platform, Actor, Actor) {
    let p = Platform::with(Arc::new(StandIn)).await;
    let mut operator = p.first_operator().await;
    let owner = p.tenant(&mut operator, "acme").await;
    let schema = json!({ "type": "object", "required": ["issuer"], "properties": { "issuer": { "type": "string", "format": "uri" } } });
    upload(&mut operator, component(IDP, &schema)).await.ok(201);
    upload(&mut operator, component(PAY, &json!({ "type": "object" })))
        .await
        .ok(201);
    (p, operator, owner)
}

async fn enable(owner: &mut Actor, plugin: &str) -> Value {
    let body = match plugin {
        "test.idp" => json!({
            "plugin_id": plugin, "name": "Work", "config": { "issuer": "https://idp.example" },
            "secrets": { "client_secret": "hush-hush" },
        }),
        _ => json!({ "plugin_id": plugin, "name": "Till", "config": {} }),
    };
    owner.post("/api/v1/installations", body).await.ok(201)
}

fn id(v: &Value) -> &str {
    v["id"].as_str().unwrap()
}

#[tokio::test]
async fn operators_install_and_tenants_enable() {
    let (_p, mut operator, mut owner) = stage().await;
    let all = operator.get("/api/v1/plugins").await.ok(200);
    assert_eq!(all["items"].as_array().unwrap().len(), 2);
    let garbage = upload(&mut operator, b"\0asm".to_vec()).await;
    assert_eq!(garbage.problem(), (422, "plugin_refused"));
    assert_eq!(garbage.body["reason"], "not_a_component");
    let again = upload(&mut operator, component(PAY, &json!({ "type": "object" }))).await;
    assert_eq!(again.problem(), (409, "already_exists"));
    let large = upload(&mut operator, vec![b' '; (16 << 20) + 2]).await;
    assert_eq!(large.problem(), (413, "payload_too_large"));
    let typed = operator
        .send(Method::POST, "/api/v1/plugins", Some("text/plain"), vec![1])
        .await;
    assert_eq!(typed.problem(), (415, "unsupported_media_type"));
    // Members neither see the platform's list nor install.
    assert_eq!(owner.get("/api/v1/plugins").await.problem(), (404, "not_found"));
    let offered = owner.get("/api/v1/plugins/available").await.ok(200);
    assert_eq!(offered["items"].as_array().unwrap().len(), 2);
    assert_eq!(offered["items"][1]["name"]["zh-CN"], "身份源");
    let bad = json!({ "plugin_id": "test.idp", "name": "Work", "config": { "issuer": 7 }, "secrets": { "x": "y" } });
    let refused = owner.post("/api/v1/installations", bad).await;
    assert_eq!(refused.problem(), (422, "plugin_config_invalid"));
    assert_eq!(
        refused.pointers(),
        ["/config/issuer", "/secrets/x", "/secrets/client_secret"]
    );
    let made = enable(&mut owner, "test.idp").await;
    assert!(!made.to_string().contains("hush-hush"));
    assert_eq!(
        made["callback_url"],
        format!("http://acme.localhost:8080/api/v1/login/{}/callback", id(&made))
    );
    let path = format!("/api/v1/installations/{}", id(&made));
    let plugin = all["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|p| p["plugin_id"] == "test.idp")
        .unwrap();
    let used = operator.delete(&format!("/api/v1/plugins/{}", id(plugin))).await;
    assert_eq!(used.problem(), (409, "conflict"));
    let secret = format!("{path}/secrets/client_secret");
    let body = json!({ "value": "new" }).to_string().into_bytes();
    owner
        .send(Method::PUT, &secret, Some("application/json"), body)
        .await
        .ok(200);
    assert_eq!(
        owner.patch(&path, json!({ "status": "disabled" })).await.ok(200)["status"],
        "disabled"
    );
    assert_eq!(
        owner.post(&format!("{path}/check"), json!({})).await.problem(),
        (503, "plugin_unavailable")
    );
    owner.delete(&path).await.ok(204);
    assert_eq!(owner.get(&path).await.problem(), (404, "not_found"));
    operator
        .delete(&format!("/api/v1/plugins/{}", id(plugin)))
        .await
        .ok(204);
}

#[tokio::test]
async fn a_browser_signs_in_through_a_connection() {
    let (p, _, mut owner) = stage().await;
    let made = enable(&mut owner, "test.idp").await;
    let login = format!("/api/v1/login/{}", id(&made));
    let mut eve = p.at("acme.localhost:8080");
    let methods = eve.get("/api/v1/login/methods").await.ok(200);
    assert_eq!(methods["connections"][0]["id"], made["id"]);
    let start = eve.get(&format!("{login}/start?return_to=/console/orders")).await;
    assert_eq!(
        (start.status, &start.headers[header::LOCATION]),
        (302, &"https://idp.example/authorize".parse().unwrap())
    );
    let cookie = start.headers[header::SET_COOKIE].to_str().unwrap();
    for part in [
        "__Host-aistack-login=lgn_",
        "HttpOnly",
        "Secure",
        "SameSite=None",
        "Path=/",
    ] {
        assert!(cookie.contains(part), "{cookie}");
    }
    // Another browser that learned the answer gets nothing, and does not spoil it.
    let mut mallory = p.at("acme.localhost:8080");
    let stolen = mallory.get(&format!("{login}/callback?code=good")).await;
    assert_eq!(stolen.status, 303);
    let to = stolen.headers[header::LOCATION].to_str().unwrap();
    assert!(to.starts_with("/console/login?error=login_state_invalid&"), "{to}");
    let back = eve.get(&format!("{login}/callback?code=good&state=x")).await;
    assert_eq!(
        (back.status, &back.headers[header::LOCATION]),
        (302, &"/console/orders".parse().unwrap())
    );
    let session = eve.get("/api/v1/session").await.ok(200);
    assert_eq!(
        (session["user"]["email"].as_str(), session["user"]["role"].as_str()),
        (Some("eve@idp.example"), Some("member"))
    );
    assert!(!eve.cookies.contains_key("__Host-aistack-login"));
    // The provider's no, as a program sees it; by form_post.
    let mut other = p.at("acme.localhost");
    other.get(&format!("{login}/start")).await;
    other.extra = vec![("accept", "application/json".to_owned())];
    let form = b"code=bad".to_vec();
    let refused = other
        .send(
            Method::POST,
            &format!("{login}/callback"),
            Some("application/x-www-form-urlencoded"),
            form,
        )
        .await;
    assert_eq!(refused.problem(), (403, "login_refused"));
    assert_eq!(refused.body["reason"], "access_denied");
    // Below /t/ the browser is sent to the tenant's own host first: the provider will send it back there.
    let mut below = p.at("localhost:8080");
    below.prefix = "/t/acme".to_owned();
    let moved = below.get(&format!("{login}/start?return_to=/console/")).await;
    assert_eq!(
        moved.headers[header::LOCATION],
        format!("http://acme.localhost:8080{login}/start?return_to=/console/")
    );
    let trail = owner.get("/api/v1/audit-events?limit=50").await.ok(200);
    let actions: Vec<&str> = trail["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["action"].as_str().unwrap())
        .collect();
    for wanted in [
        "user.provisioned",
        "identity.linked",
        "session.opened",
        "login.refused",
        "installation.enabled",
    ] {
        assert!(actions.contains(&wanted), "{wanted}: {actions:?}");
    }
    let evil = eve.get(&format!("{login}/start?return_to=//evil.example")).await;
    assert!(
        evil.headers[header::LOCATION]
            .to_str()
            .unwrap()
            .starts_with("/console/login?error=malformed_request")
    );
}

#[tokio::test]
async fn an_order_is_paid_by_a_genuine_delivery_alone() {
    let (p, _, mut owner) = stage().await;
    let till = enable(&mut owner, "test.pay").await;
    let body =
        json!({ "amount": { "minor": 1999, "currency": "USD" }, "description": "March", "installation": till["id"] });
    let order = owner.post("/api/v1/orders", body.clone()).await.ok(201);
    let path = format!("/api/v1/orders/{}", id(&order));
    let sent = owner.post(&format!("{path}/pay"), json!({})).await.ok(200);
    assert_eq!(
        (&sent["status"], &sent["action"]["url"]),
        (&json!("pending"), &json!("https://pay.example/cs_1"))
    );
    // Coming back proves nothing, with or without a session.
    let back = p.at("acme.localhost").get(&format!("{path}/return?status=paid")).await;
    assert_eq!(
        (back.status, &back.headers[header::LOCATION]),
        (303, &format!("/console/orders/{}", id(&order)).parse().unwrap())
    );
    assert_eq!(owner.get(&path).await.ok(200)["status"], "pending");
    let url = till["endpoints"][0]["url"].as_str().unwrap();
    let hook = url.strip_prefix("http://acme.localhost:8080").unwrap();
    let event = json!({
        "id": "evt_1", "order": order["id"],
        "data": { "status": "paid", "provider_ref": "cs_1", "paid": { "minor": 1999, "currency": "USD" } },
    });
    let bytes = event.to_string().into_bytes();
    // The provider's machine, at any of our hosts.
    let mut psp = p.at("127.0.0.1:8080");
    let forged = psp
        .send(Method::POST, hook, Some("application/json"), bytes.clone())
        .await;
    assert_eq!(forged.problem(), (400, "signature_invalid"));
    assert_eq!(owner.get(&path).await.ok(200)["status"], "pending");
    psp.extra = vec![("signature", "good".to_owned())];
    psp.cookies.insert("a".to_owned(), "b".to_owned());
    for _ in 0..2 {
        let answer = psp
            .send(Method::POST, hook, Some("application/json"), bytes.clone())
            .await;
        assert_eq!((answer.status, answer.body.as_str()), (200, Some("<b>success</b>")));
        assert_eq!(answer.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert!(
            answer.headers[header::CONTENT_SECURITY_POLICY]
                .to_str()
                .unwrap()
                .contains("sandbox")
        );
    }
    let paid = owner.get(&path).await.ok(200);
    assert_eq!(
        (&paid["status"], &paid["paid"]["minor"]),
        (&json!("paid"), &json!(1999))
    );
    let large = psp.send(Method::POST, hook, None, vec![b'x'; 2048]).await;
    assert_eq!(large.problem(), (413, "payload_too_large"));
    assert_eq!(psp.get(hook).await.problem(), (405, "method_not_allowed"));
    let wrong = hook.rsplit_once('/').unwrap().0;
    let unknown = psp
        .send(Method::POST, &format!("{wrong}/{}", "0".repeat(80)), None, bytes)
        .await;
    assert_eq!(unknown.problem(), (404, "not_found"));
    let mut declined = body;
    declined["description"] = json!("decline me");
    let order = owner.post("/api/v1/orders", declined).await.ok(201);
    let answer = owner
        .post(&format!("/api/v1/orders/{}/pay", id(&order)), json!({}))
        .await;
    assert_eq!(answer.problem(), (402, "payment_declined"));
    assert_eq!(answer.body["fault"], "card_declined");
}
