//! The purge proof: after a tenant's end not a byte of it is left in the data folder, and the others are what they were.
//! And the platform's own proof with canaries.

use super::{World, canary::files};
use aistack_core::{Isolation, TenantStatus};
use aistack_domain::{
    Ctx,
    audit::{self, Draft},
    tenancy::{closing, isolation},
};
use serde_json::{Value, json};
use std::{os::unix::fs::PermissionsExt, time::Duration};

const WHY: &str = "the contract ended";

/// The files below the data folder that have these words in them. The databases are closed first, so that their logs are
/// folded in.
async fn with_words(w: &World, word: &str) -> Vec<String> {
    w.p.app.store.close().await;
    let has = |file: &std::path::PathBuf| {
        let bytes = std::fs::read(file).unwrap();
        bytes.windows(word.len()).any(|part| part == word.as_bytes())
    };
    let all = files(w.p.dir()).into_iter().filter(has);
    all.map(|f| f.display().to_string()).collect()
}

async fn nothing_is_left(how: Isolation) {
    let mut w = World::new(how).await;
    let (acme, gone) = (w.acme.state(&w.p).await, w.gone.state(&w.p).await);
    let route = json!({ "path_prefix": "/v1/", "upstream": "http://127.0.0.1:9000", "tenant": "rival" });
    w.operator.post("/api/v1/routes", route).await.ok(201);
    let body = json!({ "reason": WHY, "confirm": "rival" });
    let purge = "/api/v1/tenants/rival/purge";
    let early = w.operator.post(purge, body.clone()).await;
    assert_eq!(
        early.problem(),
        (403, "tenant_state_forbids"),
        "it has to be closed first"
    );
    let why = json!({ "reason": WHY });
    let closed = w.operator.post("/api/v1/tenants/rival/close", why).await.ok(200);
    assert_eq!(closed["status"], "closing");
    assert!(closed["erased_at"].is_string(), "{closed}");
    w.rival.owner.get("/api/v1/users").await.ok(200);
    let refused = w.rival.owner.patch("/api/v1/tenant", json!({ "name": "x" })).await;
    assert_eq!(refused.problem(), (403, "tenant_state_forbids"));
    for wrong in [
        json!({ "reason": WHY, "confirm": "acme" }),
        json!({ "reason": " ", "confirm": "rival" }),
    ] {
        let refused = w.operator.post(purge, wrong).await;
        assert_eq!(refused.problem(), (422, "validation_failed"));
    }
    let purged = w.operator.post(purge, body.clone()).await.ok(200);
    assert_eq!((&purged["status"], &purged["name"]), (&json!("purged"), &json!("-")));
    let again = w.operator.post(purge, body).await;
    assert_eq!(again.problem(), (403, "tenant_state_forbids"));
    // Nobody gets in, nobody gets the address, nothing counts as used by it.
    assert!(w.rival.owner.get("/api/v1/users").await.status >= 400);
    assert!(w.operator.below("rival").get("/api/v1/users").await.status >= 400);
    let new = json!({ "slug": "rival", "name": "New" });
    let taken = w.operator.post("/api/v1/tenants", new).await;
    assert_eq!(taken.problem(), (409, "already_exists"));
    assert_eq!(w.operator.get("/api/v1/routes").await.ok(200)["items"], json!([]));
    let log = w.operator.actions("/api/v1/platform/audit-events").await;
    let end = ["tenant.erased", "tenant.uses_removed", "tenant.purged", "tenant.closed"];
    let log: Vec<_> = log.iter().map(String::as_str).filter(|a| end.contains(a)).collect();
    assert_eq!(log, end);
    assert_eq!((acme, gone), (w.acme.state(&w.p).await, w.gone.state(&w.p).await));
    assert_eq!(closing::purge_due(&w.p.app).await.unwrap(), 0);
    let word = w.rival.sentinel.clone();
    assert_eq!(with_words(&w, &word).await, Vec::<String>::new());
    assert!(!with_words(&w, &w.acme.sentinel).await.is_empty(), "the control");
}

#[tokio::test]
async fn nothing_is_left_of_a_purged_tenant_that_had_its_own_file() {
    nothing_is_left(Isolation::Database).await;
}

#[tokio::test]
async fn nothing_is_left_of_a_purged_tenant_in_a_shared_file() {
    nothing_is_left(Isolation::Row).await;
}

#[tokio::test]
async fn closing_can_be_taken_back_and_runs_out() {
    let mut w = World::new(Isolation::Database).await;
    let why = json!({ "reason": WHY });
    let restore = "/api/v1/tenants/rival/restore";
    let not_closing = w.operator.post(restore, why.clone()).await;
    assert_eq!(not_closing.problem(), (403, "tenant_state_forbids"));
    // A suspended tenant is suspended again when it is restored.
    for (slug, status) in [("rival", "active"), ("gone", "suspended")] {
        let at = |verb: &str| format!("/api/v1/tenants/{slug}/{verb}");
        w.operator.post(&at("close"), why.clone()).await.ok(200);
        let back = w.operator.post(&at("restore"), why.clone()).await.ok(200);
        assert_eq!(back["status"], status, "{slug}");
        let now = w.operator.get(&format!("/api/v1/tenants/{slug}")).await.ok(200);
        assert_eq!(now.get("erased_at"), None);
    }
    w.rival.owner.get("/api/v1/users").await.ok(200);
    w.operator.post("/api/v1/tenants/rival/close", why).await.ok(200);
    w.p.clock.advance(closing::GRACE - Duration::from_secs(3600));
    assert_eq!(closing::purge_due(&w.p.app).await.unwrap(), 0);
    w.p.clock.advance(Duration::from_secs(3601));
    assert_eq!(closing::purge_due(&w.p.app).await.unwrap(), 1);
    assert_eq!(closing::purge_due(&w.p.app).await.unwrap(), 0);
    let mut read = w.p.app.store.platform_read().await.unwrap();
    let row = read.tenants().get(w.rival.scope.id()).await.unwrap().unwrap();
    assert_eq!(row.status, TenantStatus::Purged);
}

/// As a crash leaves it: the catalogue says purged, the rest is there or half of it is gone.
#[tokio::test]
async fn erasing_that_was_interrupted_goes_on() {
    for how in [Isolation::Row, Isolation::Database] {
        let w = World::new(how).await;
        let app = &w.p.app;
        let id = w.rival.scope.id();
        let mut tx = app.store.platform().await.unwrap();
        let mut row = tx.tenants().get(id).await.unwrap().unwrap();
        let version = row.updated_at;
        row.status = TenantStatus::Purged;
        tx.tenants().update(&row, version).await.unwrap();
        tx.settings()
            .put(&format!("purging/{id}"), b"{}", version)
            .await
            .unwrap();
        let draft = Draft::new("tenant.purged", "tenant", id);
        audit::commit_platform(app, tx, &Ctx::system(None), draft)
            .await
            .unwrap();
        if how == Isolation::Row {
            app.objects.remove_tenant(&w.rival.scope).await.unwrap();
        } else {
            app.store.erase(&w.rival.scope).await.unwrap();
        }
        assert_eq!(closing::purge_due(app).await.unwrap(), 1);
        assert_eq!(closing::purge_due(app).await.unwrap(), 0);
        assert_eq!(with_words(&w, &w.rival.sentinel).await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn the_platform_proves_its_isolation_with_canaries() {
    let mut w = World::new(Isolation::Row).await;
    let path = "/api/v1/platform/isolation";
    let verify = "/api/v1/platform/isolation/verify";
    assert_eq!(w.operator.get(path).await.ok(200)["items"], json!([]));
    let before = (w.acme.state(&w.p).await, w.rival.state(&w.p).await);
    let report = w.operator.post(verify, json!({})).await.ok(200);
    assert_eq!(report["holds"], true, "{report}");
    let tried = |isolation: &str| {
        let checks = report["checks"].as_array().unwrap().iter();
        let names = checks
            .filter(|c| c["isolation"] == isolation)
            .map(|c| c["name"].as_str().unwrap());
        names.collect::<Vec<_>>()
    };
    assert!(tried("row").contains(&"read_by_id") && tried("row").contains(&"erasing_spares_others"));
    assert!(tried("database").contains(&"own_file"), "{report}");
    // They leave no trace among the tenants, and nobody else was touched.
    let list = w.operator.get("/api/v1/tenants").await.ok(200);
    let slugs: Vec<&Value> = list["items"].as_array().unwrap().iter().map(|t| &t["slug"]).collect();
    assert_eq!(slugs, ["gone", "rival", "acme"]);
    assert_eq!(before, (w.acme.state(&w.p).await, w.rival.state(&w.p).await));
    // By itself once a day.
    isolation::verify_if_due(&w.p.app).await.unwrap();
    assert_eq!(isolation::reports(&w.p.app).await.unwrap().len(), 1);
    w.p.clock.advance(Duration::from_secs(24 * 3600));
    isolation::verify_if_due(&w.p.app).await.unwrap();
    assert_eq!(isolation::reports(&w.p.app).await.unwrap().len(), 2);
    // Not by members.
    assert_eq!(w.acme.owner.post(verify, json!({})).await.status, 404);
}

/// One at a time; and what does not hold is said, not hidden.
#[tokio::test]
async fn a_proof_that_fails_says_so() {
    let mut w = World::new(Isolation::Database).await;
    let busy = w.p.app.verifying.lock().await;
    let refused = w.operator.post("/api/v1/platform/isolation/verify", json!({})).await;
    assert_eq!(refused.problem(), (409, "conflict"));
    drop(busy);
    // Others may look into the folder of the databases from now on.
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(w.p.dir().join("store/tenants"), mode).unwrap();
    let report = isolation::verify(&w.p.app, &Ctx::system(None)).await.unwrap();
    let broken: Vec<_> = report.checks.iter().filter(|c| !c.holds).map(|c| &*c.name).collect();
    assert!(!report.holds && broken.contains(&"private_files"), "{report:?}");
}
