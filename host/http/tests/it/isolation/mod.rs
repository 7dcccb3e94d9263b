//! Proof that tenants are kept apart at the HTTP face: three tenants with the same things in them, of which one asks for
//! what is the others'. `recipes.rs` says how each route is asked; a route without a recipe fails.

mod canary;
mod ends;
mod jobs;
mod matrix;
mod recipes;
mod things;

use crate::{
    plugins::{PAY, component, upload},
    stand_in::StandIn,
    support::{Actor, PASSWORD, Platform},
};
use aistack_core::{Isolation, TenantScope};
use serde_json::{Value, json};
use std::sync::Arc;
use things::{Things, dump, fill};

/// A tenant in the proof.
pub(super) struct Side {
    /// Stands in every text this tenant has, and nowhere else.
    pub(super) sentinel: String,
    pub(super) scope: TenantScope,
    /// Its owner, signed in.
    pub(super) owner: Actor,
    /// One of everything.
    pub(super) things: Things,
}

impl Side {
    /// Everything it has.
    pub(super) async fn state(&self, p: &Platform) -> String {
        dump(&p.app, &self.scope).await
    }
}

/// Who asks, whose things are asked for, and a tenant that is not in use any more.
pub(super) struct World {
    pub(super) p: Platform,
    pub(super) operator: Actor,
    /// The component that the tenants' installations run.
    pub(super) digest: String,
    pub(super) acme: Side,
    pub(super) rival: Side,
    pub(super) gone: Side,
}

impl World {
    pub(super) async fn new(isolation: Isolation) -> Self {
        let p = Platform::with(Arc::new(StandIn)).await;
        let mut operator = p.first_operator().await;
        let installed = upload(&mut operator, component(PAY, &json!({ "type": "object" }))).await;
        let digest = text(&installed.ok(201)["digest"]);
        let acme = side(&p, &mut operator, "acme", isolation, &digest).await;
        let rival = side(&p, &mut operator, "rival", isolation, &digest).await;
        let gone = side(&p, &mut operator, "gone", isolation, &digest).await;
        let reason = json!({ "reason": "the proof" });
        operator.post("/api/v1/tenants/gone/suspend", reason).await.ok(200);
        Self {
            p,
            operator,
            digest,
            acme,
            rival,
            gone,
        }
    }
}

async fn side(p: &Platform, operator: &mut Actor, slug: &'static str, isolation: Isolation, digest: &str) -> Side {
    let email = format!("owner@{slug}.test");
    let body = json!({
        "slug": slug, "name": slug, "plan": "basic", "isolation": isolation,
        "owner": { "email": email, "name": "Owen", "password": PASSWORD },
    });
    operator.post("/api/v1/tenants", body).await.ok(201);
    let mut owner = p.at(&format!("{slug}.localhost"));
    owner.sign_in(&email).await;
    let sentinel = format!("zqx{slug}xqz");
    let scope = p.app.store.scope_by_slug(slug).await.unwrap().unwrap();
    let mut things = fill(&p.app, &scope, &sentinel, digest).await;
    let events = owner.get("/api/v1/audit-events").await.ok(200);
    things.insert("id", text(&events["items"][0]["id"]));
    Side {
        sentinel,
        scope,
        owner,
        things,
    }
}

fn text(v: &Value) -> String {
    v.as_str().unwrap().to_owned()
}
