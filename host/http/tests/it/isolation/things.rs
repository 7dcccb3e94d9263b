//! One of everything a tenant can have, made in the store, and everything it has as a text to compare.

#[path = "../../../../store/testing/fixtures.rs"]
mod fixtures;

use aistack_core::{TenantScope, Timestamp};
use aistack_domain::{
    App,
    port::{ObjectKey, put_object},
};
use aistack_store::{
    CallRow, DomainStatus, FileRow, Identity, Installation, JournalRow, Order, OrderStatus, Page, Recording, ReportRun,
    RunStatus, StoredSecret, TenantDomain, User,
};
use fixtures::{Dice, at, audit, call, delivery, file, installation, order, report_run, usage_event, user};
use std::collections::BTreeMap;

/// The ids of things, by the name a route's path has for them.
pub(in crate::isolation) type Things = BTreeMap<&'static str, String>;

/// Makes one of everything, with the sentinel in every text.
pub(in crate::isolation) async fn fill(app: &App, scope: &TenantScope, sentinel: &str, digest: &str) -> Things {
    let n = fixtures::turn();
    let plugin = Installation {
        plugin_id: "test.pay".to_owned(),
        version: "1.0.0".to_owned(),
        digest: digest.to_owned(),
        name: sentinel.to_owned(),
        config: format!("{{\"a\":\"{sentinel}\"}}"),
        grants: "{}".to_owned(),
        endpoint_key: sentinel.to_owned(),
        ..installation("payment")
    };
    let person = User {
        name: sentinel.to_owned(),
        ..user(&format!("u{n}@{sentinel}.test"), "")
    };
    let run = ReportRun {
        status: RunStatus::Succeeded,
        summary: Some(format!("\"{sentinel}\"")),
        ..report_run(plugin.id)
    };
    let key = ObjectKey::tenant(scope, &["reports", &run.id.0.simple().to_string(), "file"]).unwrap();
    put_object(&*app.objects, &key, sentinel.as_bytes()).await.unwrap();
    let row = FileRow {
        name: format!("{sentinel}.csv"),
        bytes: i64::try_from(sentinel.len()).unwrap(),
        object_key: key.as_str().to_owned(),
        ..file(run.id)
    };
    let receipt = CallRow {
        digest: digest.to_owned(),
        log: format!("[{{\"level\":\"info\",\"message\":\"{sentinel}\"}}]"),
        ..call(plugin.id, at(1), "ok")
    };
    let mut tx = app.store.tenant(scope).await.unwrap();
    tx.installations().insert(&plugin).await.unwrap();
    let secret = StoredSecret {
        installation_id: plugin.id,
        name: "key".to_owned(),
        version: 1,
        sealed: sentinel.as_bytes().to_vec(),
        created_at: at(1),
    };
    tx.installations().insert_secret(&secret).await.unwrap();
    let recording = Recording {
        installation_id: plugin.id,
        calls: 2,
        until: Timestamp(i64::MAX),
        started_at: at(0),
    };
    tx.installations().start_recording(&recording).await.unwrap();
    tx.users().insert(&person).await.unwrap();
    let identity = Identity {
        installation_id: plugin.id,
        issuer: sentinel.to_owned(),
        subject: sentinel.to_owned(),
        user_id: person.id,
        created_at: at(1),
    };
    tx.users().insert_identity(&identity).await.unwrap();
    let number = tx.orders().next_number().await.unwrap();
    let order = Order {
        description: sentinel.to_owned(),
        status: OrderStatus::Pending,
        provider_ref: Some(sentinel.to_owned()),
        ..order(number, plugin.id)
    };
    tx.orders().insert(&order).await.unwrap();
    tx.orders().insert_delivery(&delivery(plugin.id)).await.unwrap();
    tx.reports().insert(&run).await.unwrap();
    tx.reports().insert_file(&row).await.unwrap();
    tx.usage().record(&usage_event(sentinel, 1, at(1))).await.unwrap();
    tx.machinery()
        .kv_put(plugin.id, sentinel, sentinel.as_bytes(), None, None, at(1))
        .await
        .unwrap();
    tx.machinery()
        .insert_calls(std::slice::from_ref(&receipt))
        .await
        .unwrap();
    let journal = JournalRow {
        call_id: receipt.id,
        installation_id: plugin.id,
        sealed: sentinel.as_bytes().to_vec(),
        created_at: at(1),
    };
    assert!(tx.machinery().keep_journal(&journal, 9).await.unwrap());
    tx.commit(audit("things.made")).await.unwrap();
    let mut tx = app.store.platform().await.unwrap();
    let domain = TenantDomain {
        tenant_id: scope.id(),
        domain: format!("d{n}.example.net"),
        status: DomainStatus::Pending,
        token: "proof".to_owned(),
        is_primary: 0,
        misses: 0,
        last_error: None,
        checked_at: None,
        next_check_at: None,
        verified_at: None,
        failing_since: None,
        created_at: at(1),
    };
    tx.domains().insert(&domain).await.unwrap();
    tx.commit(audit("domain.added")).await.unwrap();
    BTreeMap::from([
        ("domain", domain.domain),
        ("installation", plugin.id.to_string()),
        ("user", person.id.to_string()),
        ("order", order.id.to_string()),
        ("run", run.id.to_string()),
        ("call", receipt.id.to_string()),
        // Names, which are the same in every tenant.
        ("name", "key".to_owned()),
        ("meter", "api.calls".to_owned()),
        ("endpoint", "notify".to_owned()),
        ("key", sentinel.to_owned()),
    ])
}

/// Ids nobody has: the nil one, or a fresh one.
pub(in crate::isolation) fn nobodys(like: &Things, nil: bool) -> Things {
    let id = if nil {
        uuid::Uuid::nil()
    } else {
        aistack_core::UserId::new(&Dice, &Dice).0
    };
    let names = ["name", "meter", "endpoint", "key"];
    like.iter()
        .map(|(name, id_text)| match id_text.split_once('_') {
            _ if *name == "domain" => (*name, format!("n{}.example.net", fixtures::turn())),
            Some((prefix, _)) if !names.contains(name) => (*name, format!("{prefix}_{}", id.simple())),
            _ => (*name, id_text.clone()),
        })
        .collect()
}

/// Everything a tenant has, as a text.
pub(in crate::isolation) async fn dump(app: &App, scope: &TenantScope) -> String {
    let page = Page {
        limit: 200,
        ..Page::default()
    };
    let mut read = app.store.tenant_read(scope).await.unwrap();
    let mut all = Vec::new();
    for user in read.users().list(&page).await.unwrap() {
        let identities = read.users().identities(user.id).await.unwrap();
        all.push(format!("{user:?} {identities:?}"));
    }
    for installation in read.installations().list(&page, None).await.unwrap() {
        let id = installation.id;
        let secrets = read.installations().secrets(id).await.unwrap();
        let recording = read.installations().recording(id).await.unwrap();
        let deliveries = read.orders().deliveries(id, &page).await.unwrap();
        let kv = read.machinery().kv_use(id).await.unwrap();
        let calls = read.machinery().calls(id, &page).await.unwrap();
        let mut journals = Vec::new();
        for call in &calls {
            journals.push(read.machinery().journal(call.id).await.unwrap());
        }
        all.push(format!(
            "{installation:?} {secrets:?} {recording:?} {deliveries:?} {kv:?} {calls:?} {journals:?}"
        ));
    }
    all.push(format!("{:?}", read.orders().list(&page, None).await.unwrap()));
    for run in read.reports().list(&page, None).await.unwrap() {
        let files = read.reports().files(run.id).await.unwrap();
        all.push(format!("{run:?} {files:?}"));
    }
    all.push(format!("{:?}", read.usage().events(&page, None).await.unwrap()));
    all.push(format!("{:?}", read.usage().overrides().await.unwrap()));
    all.push(format!("{:?}", read.machinery().outbox(200).await.unwrap()));
    let frontier = read.audit().frontier().await.unwrap();
    all.push(format!("{frontier:?}"));
    drop(read);
    let domains = app
        .store
        .platform_read()
        .await
        .unwrap()
        .domains()
        .of_tenant(scope.id())
        .await;
    all.push(format!("{:?}", domains.unwrap()));
    let row = app.store.platform_read().await.unwrap().tenants().get(scope.id()).await;
    all.push(format!("{:?}", row.unwrap()));
    all.join("\n")
}
