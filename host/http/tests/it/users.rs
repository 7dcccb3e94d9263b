//! Members: who may change whom.

use crate::support::{Actor, PASSWORD, Platform};
use serde_json::{Value, json};

async fn add(by: &mut Actor, role: &str, name: &str) -> Value {
    let body = json!({ "email": format!("{name}@acme.test"), "name": name, "role": role, "password": PASSWORD });
    by.post("/api/v1/users", body).await.ok(201)
}

fn path(user: &Value) -> String {
    format!("/api/v1/users/{}", user["id"].as_str().unwrap())
}

#[tokio::test]
async fn nobody_reaches_up() {
    let (p, mut operator) = Platform::set_up().await;
    let mut owner = p.tenant(&mut operator, "acme").await;
    let me = owner.get("/api/v1/session").await.ok(200)["user"].clone();
    let anna = add(&mut owner, "admin", "anna").await;
    let adam = add(&mut owner, "admin", "adam").await;
    let mike = add(&mut owner, "member", "mike").await;
    let mut admin = p.at("acme.localhost");
    admin.sign_in("anna@acme.test").await;
    let denied = (403, "permission_denied");
    assert_eq!(
        admin.patch(&path(&adam), json!({ "name": "X" })).await.problem(),
        denied
    );
    assert_eq!(
        admin.patch(&path(&me), json!({ "role": "member" })).await.problem(),
        denied
    );
    assert_eq!(
        admin.patch(&path(&anna), json!({ "role": "owner" })).await.problem(),
        denied
    );
    assert_eq!(
        admin.patch(&path(&mike), json!({ "role": "admin" })).await.problem(),
        denied
    );
    let body = json!({ "email": "x@acme.test", "name": "X", "role": "admin" });
    assert_eq!(admin.post("/api/v1/users", body).await.problem(), denied);
    assert_eq!(admin.delete(&path(&me)).await.problem(), denied);
    assert_eq!(admin.delete(&path(&anna)).await.problem(), (409, "conflict"));
    assert_eq!(
        admin.patch(&path(&mike), json!({ "role": "billing" })).await.ok(200)["role"],
        "billing"
    );
    assert_eq!(
        admin.patch(&path(&anna), json!({ "name": "Anna B" })).await.ok(200)["name"],
        "Anna B"
    );
    let mut member = p.at("acme.localhost");
    member.sign_in("mike@acme.test").await;
    let refused = member.get("/api/v1/users").await;
    assert_eq!(
        (refused.problem(), &refused.body["permission"]),
        (denied, &json!("user:read"))
    );
    // Denied attempts changed nothing.
    assert_eq!(owner.get(&path(&adam)).await.ok(200)["name"], "adam");
}

#[tokio::test]
async fn the_last_owner_stays() {
    let (p, mut operator) = Platform::set_up().await;
    let mut owner = p.tenant(&mut operator, "acme").await;
    let me = owner.get("/api/v1/session").await.ok(200)["user"].clone();
    assert_eq!(
        owner.patch(&path(&me), json!({ "role": "admin" })).await.problem(),
        (409, "conflict")
    );
    let mut above = operator.below("acme");
    assert_eq!(
        above.patch(&path(&me), json!({ "status": "disabled" })).await.problem(),
        (409, "conflict")
    );
    assert_eq!(above.delete(&path(&me)).await.problem(), (409, "conflict"));
    let second = add(&mut owner, "owner", "olga").await;
    above.patch(&path(&me), json!({ "status": "disabled" })).await.ok(200);
    assert_eq!(owner.get("/api/v1/session").await.problem(), (401, "session_expired"));
    assert_eq!(above.delete(&path(&second)).await.problem(), (409, "conflict"));
    above.delete(&path(&me)).await.ok(204);
    assert_eq!(above.get(&path(&me)).await.problem(), (404, "not_found"));
    drop(p);
}

#[tokio::test]
async fn a_new_password_ends_sessions_and_the_log_keeps_names_out() {
    let (p, mut operator) = Platform::set_up().await;
    let mut owner = p.tenant(&mut operator, "acme").await;
    let mike = add(&mut owner, "member", "mike").await;
    let mut member = p.at("acme.localhost");
    member.sign_in("mike@acme.test").await;
    let change = json!({ "name": "Mikhail Secretname", "password": "another long password" });
    owner.patch(&path(&mike), change).await.ok(200);
    assert_eq!(member.get("/api/v1/session").await.problem(), (401, "session_expired"));
    let events = owner.get("/api/v1/audit-events?q=user.updated").await.ok(200);
    assert_eq!(
        events["items"][0]["details"],
        json!({ "name": "changed", "password": "changed" })
    );
    assert_eq!(
        owner.get("/api/v1/audit-events?q=Secretname").await.ok(200)["items"],
        json!([])
    );
    assert_eq!(
        owner.patch(&path(&mike), json!({})).await.ok(200)["name"],
        "Mikhail Secretname"
    );
    let duplicate = json!({ "email": "MIKE@acme.test", "name": "M", "role": "member" });
    assert_eq!(
        owner.post("/api/v1/users", duplicate).await.problem(),
        (409, "already_exists")
    );
    drop(p);
}

#[tokio::test]
async fn ids_of_other_tenants_name_nothing() {
    let (p, mut operator) = Platform::set_up().await;
    let mut acme = p.tenant(&mut operator, "acme").await;
    let mut globex = p.tenant(&mut operator, "globex").await;
    let mike = add(&mut acme, "member", "mike").await;
    for bad in [
        path(&mike),
        "/api/v1/users/usr_1".to_owned(),
        "/api/v1/users/ten_00000000000000000000000000000000".to_owned(),
    ] {
        assert_eq!(globex.get(&bad).await.problem(), (404, "not_found"), "{bad}");
        assert_eq!(globex.delete(&bad).await.problem(), (404, "not_found"), "{bad}");
    }
    acme.get(&path(&mike)).await.ok(200);
}
