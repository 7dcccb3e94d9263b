//! The platform's traits, method by method.

use super::fixtures::*;
use aistack_core::*;
use aistack_store::*;
use uuid::Uuid;

pub async fn operators(store: &dyn Store) {
    let mut tx = store.platform().await.unwrap();
    assert_eq!(tx.operators().count().await.unwrap(), 0);
    let olga = operator("olga@example.com");
    tx.operators().insert(&olga).await.unwrap();
    let session = session(olga.id.0);
    tx.operators().insert_session(&session).await.unwrap();
    tx.operators().set_password_hash(olga.id, "new").await.unwrap();
    assert!(matches!(
        tx.operators().set_password_hash(OperatorId(Uuid::nil()), "x").await,
        Err(StoreError::Conflict)
    ));
    tx.commit(audit("operator.created")).await.unwrap();

    let olga = Operator {
        password_hash: "new".to_owned(),
        ..olga
    };
    let mut read = store.platform_read().await.unwrap();
    assert_eq!(read.operators().count().await.unwrap(), 1);
    assert_eq!(read.operators().get(olga.id).await.unwrap().as_ref(), Some(&olga));
    assert_eq!(read.operators().find_by_email(&olga.email).await.unwrap(), Some(olga));
    assert_eq!(read.operators().find_by_email("x").await.unwrap(), None);
    let found = read.operators().find_session(&session.id_hash).await.unwrap();
    assert_eq!(found.as_ref(), Some(&session));
    drop(read);

    let mut machine = store.platform_machine().await.unwrap();
    machine.touch_operator_session(&session.id_hash, at(50)).await.unwrap();
    machine.touch_operator_session(&session.id_hash, at(40)).await.unwrap();
    machine.commit().await.unwrap();
    let mut tx = store.platform().await.unwrap();
    let found = tx.operators().find_session(&session.id_hash).await.unwrap().unwrap();
    assert_eq!(found.last_seen_at, at(50), "an older use is no news");
    assert!(tx.operators().revoke_session(&session.id_hash, at(60)).await.unwrap());
    assert!(!tx.operators().revoke_session(&session.id_hash, at(61)).await.unwrap());
    let found = tx.operators().find_session(&session.id_hash).await.unwrap().unwrap();
    assert_eq!(found.revoked_at, Some(at(60)));
}

pub async fn tenants(store: &dyn Store) {
    let mut all = Vec::new();
    let mut tx = store.platform().await.unwrap();
    for (slug, name, status) in [
        ("acme", "ACME GmbH", TenantStatus::Active),
        ("beta-1", "Größe_100%", TenantStatus::Active),
        ("gamma", "北京公司", TenantStatus::Suspended),
    ] {
        let tenant = Tenant {
            name: name.to_owned(),
            status,
            demo_at: Some(at(9)),
            ..demo_tenant(slug, Isolation::Row)
        };
        tx.tenants().insert(&tenant).await.unwrap();
        all.push(tenant);
    }
    tx.commit(audit("tenants.created")).await.unwrap();

    let mut read = store.platform_read().await.unwrap();
    assert_eq!(read.tenants().get(all[1].id).await.unwrap().as_ref(), Some(&all[1]));
    assert_eq!(
        read.tenants().find_by_slug("gamma").await.unwrap().as_ref(),
        Some(&all[2])
    );
    assert_eq!(read.tenants().find_by_slug("nobody").await.unwrap(), None);
    let ids: Vec<TenantId> = all.iter().map(|t| t.id).collect();
    assert_eq!(read.tenants().ids().await.unwrap(), ids);
    assert_eq!(
        read.tenants().count_by_status().await.unwrap(),
        [(TenantStatus::Active, 2), (TenantStatus::Suspended, 1)]
    );
    // Newest first, page by page; then oldest first.
    let first = read.tenants().list(&page(2), None).await.unwrap();
    assert_eq!(slugs(&first), ["gamma", "beta-1"]);
    let next = Page {
        after: Some(first[1].id.0),
        ..page(2)
    };
    assert_eq!(slugs(&read.tenants().list(&next, None).await.unwrap()), ["acme"]);
    let oldest = Page {
        newest_first: false,
        ..page(200)
    };
    assert_eq!(
        slugs(&read.tenants().list(&oldest, None).await.unwrap()),
        ["acme", "beta-1", "gamma"]
    );
    let next = Page {
        after: Some(all[0].id.0),
        ..oldest
    };
    let active = Some(TenantStatus::Active);
    assert_eq!(slugs(&read.tenants().list(&next, active).await.unwrap()), ["beta-1"]);
    // Search: any case, any script, no wildcards.
    for (q, found) in [
        ("GRÖSS", vec![]),
        ("GRÖß", vec!["beta-1"]),
        ("acme g", vec!["acme"]),
        ("_", vec!["beta-1"]),
        ("%", vec!["beta-1"]),
        ("!", vec![]),
        ("京", vec!["gamma"]),
        ("'", vec![]),
        ("  ", vec!["gamma", "beta-1", "acme"]),
    ] {
        let rows = read.tenants().list(&search(q), None).await.unwrap();
        assert_eq!(slugs(&rows), found, "{q:?}");
    }
    drop(read);

    // Scopes come from the catalogue.
    let scope = store.scope_by_slug("acme").await.unwrap().unwrap();
    assert_eq!(
        (scope.id(), scope.slug(), scope.isolation()),
        (all[0].id, "acme", Isolation::Row)
    );
    assert_eq!(store.scope(all[0].id).await.unwrap(), Some(scope));
    assert_eq!(store.scope(TenantId(Uuid::nil())).await.unwrap(), None);
    assert_eq!(store.scope_by_slug("nobody").await.unwrap(), None);

    // The optimistic guard, and the unique slug.
    let mut tx = store.platform().await.unwrap();
    let changed = Tenant {
        name: "Neu".to_owned(),
        plan: "pro".to_owned(),
        updated_at: at(77),
        ..all[0].clone()
    };
    assert!(matches!(
        tx.tenants().update(&changed, at(1)).await,
        Err(StoreError::Conflict)
    ));
    tx.tenants().update(&changed, at(0)).await.unwrap();
    assert_eq!(tx.tenants().get(changed.id).await.unwrap().as_ref(), Some(&changed));
    assert_eq!(slugs(&tx.tenants().list(&search("NEU"), None).await.unwrap()), ["acme"]);
    let again = demo_tenant("acme", Isolation::Row);
    assert!(matches!(
        tx.tenants().insert(&again).await,
        Err(StoreError::AlreadyExists)
    ));
}

fn slugs(tenants: &[Tenant]) -> Vec<&str> {
    tenants.iter().map(|t| t.slug.as_str()).collect()
}

pub async fn plugins(store: &dyn Store) {
    let scope = scope_of(store, "plugged", Isolation::Row).await;
    let (one, two) = (plugin_version("official.a", "d1"), plugin_version("official.a", "d2"));
    let other = plugin_version("Official.B", "d3");
    let mut tx = store.platform().await.unwrap();
    for version in [&one, &two, &other] {
        tx.plugins().insert(version, version.digest.as_bytes()).await.unwrap();
    }
    assert_eq!(tx.plugins().get(one.id).await.unwrap().as_ref(), Some(&one));
    assert_eq!(tx.plugins().find_by_digest("d2").await.unwrap().as_ref(), Some(&two));
    assert_eq!(tx.plugins().find_by_digest("d9").await.unwrap(), None);
    assert_eq!(
        tx.plugins().versions("official.a").await.unwrap(),
        [two.clone(), one.clone()]
    );
    assert_eq!(tx.plugins().list(&search("CIAL.b")).await.unwrap(), [other.clone()]);
    assert_eq!(tx.plugins().list(&page(2)).await.unwrap(), [other.clone(), two.clone()]);
    let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
    tx.plugins().set_use(scope.id(), a, Some("d1")).await.unwrap();
    tx.plugins().set_use(scope.id(), b, Some("d1")).await.unwrap();
    tx.plugins().set_use(scope.id(), b, Some("d2")).await.unwrap();
    assert_eq!(tx.plugins().uses("d1").await.unwrap(), 1);
    assert_eq!(tx.plugins().uses("d2").await.unwrap(), 1);
    tx.plugins().set_use(scope.id(), b, None).await.unwrap();
    tx.plugins().set_use(scope.id(), b, None).await.unwrap();
    assert_eq!(tx.plugins().uses("d2").await.unwrap(), 0);
    assert!(tx.plugins().delete(two.id).await.unwrap());
    assert!(!tx.plugins().delete(two.id).await.unwrap());
    tx.commit(audit("plugins.changed")).await.unwrap();

    // A version in use stays; an unknown one can't be used; a digest stands for one version.
    let mut tx = store.platform().await.unwrap();
    let refused = tx.plugins().delete(one.id).await;
    assert!(matches!(refused, Err(StoreError::MissingReference)), "{refused:?}");
    drop(tx);
    let mut tx = store.platform().await.unwrap();
    let refused = tx.plugins().set_use(scope.id(), b, Some("d9")).await;
    assert!(matches!(refused, Err(StoreError::MissingReference)), "{refused:?}");
    drop(tx);
    let mut tx = store.platform().await.unwrap();
    let refused = tx.plugins().insert(&plugin_version("x", "d1"), b"x").await;
    assert!(matches!(refused, Err(StoreError::AlreadyExists)), "{refused:?}");
}

pub async fn routes(store: &dyn Store) {
    let scope = scope_of(store, "routed", Isolation::Row).await;
    let mut tx = store.platform().await.unwrap();
    let (common, own) = (route(None, "/v1"), route(Some(scope.id()), "/v1"));
    tx.routes().insert(&common).await.unwrap();
    tx.routes().insert(&own).await.unwrap();
    assert_eq!(tx.routes().all().await.unwrap(), [common.clone(), own.clone()]);
    let changed = Route {
        upstream: "https://b".to_owned(),
        strip_prefix: 0,
        updated_at: at(8),
        ..own.clone()
    };
    tx.routes().update(&changed).await.unwrap();
    assert_eq!(tx.routes().get(own.id).await.unwrap(), Some(changed));
    assert!(tx.routes().delete(own.id).await.unwrap());
    assert!(!tx.routes().delete(own.id).await.unwrap());
    assert!(matches!(tx.routes().update(&own).await, Err(StoreError::Conflict)));
    assert_eq!(tx.routes().get(own.id).await.unwrap(), None);
    tx.commit(audit("routes.changed")).await.unwrap();
    let mut tx = store.platform().await.unwrap();
    assert!(matches!(
        tx.routes().insert(&route(None, "/v1")).await,
        Err(StoreError::AlreadyExists)
    ));
    drop(tx);
    let mut tx = store.platform().await.unwrap();
    tx.routes().insert(&own).await.unwrap();
    assert!(matches!(
        tx.routes().insert(&route(Some(scope.id()), "/v1")).await,
        Err(StoreError::AlreadyExists)
    ));
    drop(tx);
    let mut tx = store.platform().await.unwrap();
    let nobody = route(Some(TenantId(Uuid::nil())), "/v2");
    assert!(matches!(
        tx.routes().insert(&nobody).await,
        Err(StoreError::MissingReference)
    ));
}

pub async fn settings(store: &dyn Store) {
    let mut tx = store.platform().await.unwrap();
    tx.settings().put("key.a", b"1", at(1)).await.unwrap();
    tx.settings().put("key.a", b"\x00\xff", at(2)).await.unwrap();
    assert!(tx.settings().put_new("key.b", b"3", at(2)).await.unwrap());
    assert!(!tx.settings().put_new("key.b", b"4", at(2)).await.unwrap());
    tx.settings().put("key_c", b"5", at(2)).await.unwrap();
    tx.settings().put("KEY.d", b"6", at(2)).await.unwrap();
    assert_eq!(tx.settings().get("key.a").await.unwrap(), Some(b"\x00\xff".to_vec()));
    assert_eq!(tx.settings().get("key.z").await.unwrap(), None);
    let both = [
        ("key.a".to_owned(), b"\x00\xff".to_vec()),
        ("key.b".to_owned(), b"3".to_vec()),
    ];
    assert_eq!(tx.settings().with_prefix("key.").await.unwrap(), both);
    assert_eq!(tx.settings().with_prefix("").await.unwrap().len(), 4);
    assert!(tx.settings().remove("key.b").await.unwrap());
    assert!(!tx.settings().remove("key.b").await.unwrap());
}

pub async fn jobs(store: &dyn Store) {
    let mut machine = store.platform_machine().await.unwrap();
    let jobs = machine.jobs();
    assert_eq!(jobs.next_due().await.unwrap(), None);
    assert_eq!(jobs.lease(at(100), at(200)).await.unwrap(), None);
    let (late, early) = (job("report.run", at(20)), job("mail.send", at(10)));
    for job in [&late, &early] {
        assert!(jobs.enqueue(job).await.unwrap());
        assert!(!jobs.enqueue(job).await.unwrap(), "the same id again changes nothing");
    }
    assert_eq!(jobs.get(late.id).await.unwrap(), Some(late.clone()));
    assert_eq!(jobs.next_due().await.unwrap(), Some(at(10)));
    assert_eq!(jobs.lease(at(9), at(99)).await.unwrap(), None, "not due");

    // The earliest due one first; its lease is guarded by the number of the attempt.
    let leased = jobs.lease(at(30), at(60)).await.unwrap().unwrap();
    assert_eq!(
        leased,
        Job {
            state: JobState::Running,
            attempts: 1,
            lease_until: Some(at(60)),
            updated_at: at(30),
            ..early.clone()
        }
    );
    assert!(jobs.extend(early.id, 1, at(70)).await.unwrap());
    assert!(!jobs.extend(early.id, 2, at(70)).await.unwrap());
    assert!(jobs.fail(early.id, 1, "away", at(40), at(31)).await.unwrap());
    assert!(!jobs.finish(early.id, 1, at(31)).await.unwrap(), "the lease is gone");
    let failed = jobs.get(early.id).await.unwrap().unwrap();
    assert_eq!(
        (failed.state, failed.last_error.as_deref(), failed.run_at),
        (JobState::Ready, Some("away"), at(40))
    );
    assert_eq!(jobs.lease(at(39), at(60)).await.unwrap().unwrap().id, late.id);
    assert!(jobs.finish(late.id, 1, at(39)).await.unwrap());

    // The last attempt's failure is final, until an operator says otherwise.
    assert_eq!(jobs.lease(at(41), at(60)).await.unwrap().unwrap().attempts, 2);
    assert!(jobs.fail(early.id, 2, "still away", at(50), at(42)).await.unwrap());
    assert_eq!(jobs.get(early.id).await.unwrap().unwrap().state, JobState::Dead);
    assert_eq!(jobs.next_due().await.unwrap(), None);
    assert_eq!(
        jobs.count_by_state().await.unwrap(),
        [(JobState::Dead, 1), (JobState::Done, 1)]
    );
    assert!(jobs.retry(early.id, at(43)).await.unwrap());
    assert!(!jobs.retry(early.id, at(43)).await.unwrap());
    assert!(!jobs.retry(late.id, at(43)).await.unwrap());

    // A worker that dies leaves its lease to end; on the last try the job is given up.
    assert_eq!(jobs.lease(at(44), at(45)).await.unwrap().unwrap().attempts, 1);
    assert_eq!(jobs.next_due().await.unwrap(), Some(at(45)));
    assert_eq!(jobs.lease(at(44), at(90)).await.unwrap(), None);
    assert_eq!(jobs.lease(at(45), at(46)).await.unwrap().unwrap().attempts, 2);
    assert_eq!(jobs.lease(at(50), at(90)).await.unwrap(), None);
    let dead = jobs.get(early.id).await.unwrap().unwrap();
    assert_eq!((dead.state, dead.lease_until), (JobState::Dead, None));

    assert_eq!(jobs.list(&search("MAIL"), None).await.unwrap(), [dead]);
    assert_eq!(jobs.list(&page(9), Some(JobState::Done)).await.unwrap().len(), 1);
    assert_eq!(jobs.prune(at(39)).await.unwrap(), 0);
    assert_eq!(jobs.prune(at(40)).await.unwrap(), 1);
    assert_eq!(jobs.get(late.id).await.unwrap(), None);
    machine.commit().await.unwrap();
    assert_eq!(
        store
            .platform_read()
            .await
            .unwrap()
            .jobs()
            .count_by_state()
            .await
            .unwrap(),
        [(JobState::Dead, 1)]
    );
}
