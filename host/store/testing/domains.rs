//! Domains of tenants, and the slugs they gave up.

use super::{audit, fixtures::*};
use aistack_core::{Isolation, Timestamp};
use aistack_store::*;

fn domain(tenant: &Tenant, name: &str) -> TenantDomain {
    TenantDomain {
        tenant_id: tenant.id,
        domain: name.to_owned(),
        status: DomainStatus::Pending,
        token: format!("token of {}", tenant.slug),
        is_primary: 0,
        misses: 0,
        last_error: None,
        checked_at: None,
        next_check_at: None,
        verified_at: None,
        failing_since: None,
        created_at: at(1),
    }
}

async fn two(store: &dyn Store) -> (Tenant, Tenant) {
    let (a, b) = (
        demo_tenant("acme", Isolation::Row),
        demo_tenant("globex", Isolation::Row),
    );
    let mut tx = store.platform().await.unwrap();
    tx.tenants().insert(&a).await.unwrap();
    tx.tenants().insert(&b).await.unwrap();
    tx.commit(audit("tenants.created")).await.unwrap();
    (a, b)
}

pub async fn tenant_domains(store: &dyn Store) {
    let (a, b) = two(store).await;
    let (mut ours, theirs) = (domain(&a, "app.test"), domain(&b, "app.test"));
    let mut tx = store.platform().await.unwrap();
    tx.domains().insert(&ours).await.unwrap();
    tx.domains().insert(&theirs).await.unwrap();
    tx.domains().insert(&domain(&a, "www.test")).await.unwrap();
    assert_eq!(tx.domains().routed("app.test").await.unwrap(), None);
    ours = TenantDomain {
        status: DomainStatus::Verified,
        is_primary: 1,
        misses: 2,
        last_error: Some("txt_missing".to_owned()),
        checked_at: Some(at(5)),
        next_check_at: Some(at(9)),
        verified_at: Some(at(5)),
        failing_since: Some(at(4)),
        ..ours
    };
    tx.domains().update(&ours).await.unwrap();
    let unknown = domain(&b, "nobody.test");
    assert!(matches!(tx.domains().update(&unknown).await, Err(StoreError::Conflict)));
    tx.commit(audit("domains.made")).await.unwrap();

    let mut read = store.platform_read().await.unwrap();
    assert_eq!(
        read.domains().get(a.id, "app.test").await.unwrap().as_ref(),
        Some(&ours)
    );
    assert_eq!(
        read.domains().get(b.id, "app.test").await.unwrap().as_ref(),
        Some(&theirs)
    );
    assert_eq!(read.domains().get(b.id, "www.test").await.unwrap(), None);
    assert_eq!(read.domains().routed("app.test").await.unwrap().as_ref(), Some(&ours));
    let names: Vec<_> = read
        .domains()
        .of_tenant(a.id)
        .await
        .unwrap()
        .into_iter()
        .map(|d| d.domain)
        .collect();
    assert_eq!(names, ["app.test", "www.test"]);
    let (first, last) = (a.id.min(b.id), a.id.max(b.id));
    assert_eq!(
        read.domains().primaries(first, last).await.unwrap(),
        [(a.id, "app.test".to_owned())]
    );
    assert_eq!(read.domains().primaries(b.id, b.id).await.unwrap(), []);
    assert_eq!(read.domains().due(at(8), 9).await.unwrap(), []);
    assert_eq!(read.domains().due(at(9), 9).await.unwrap(), [ours.clone()]);
    drop(read);

    // A second proof of the same domain is refused by the database itself, and so is a second primary one.
    for wrong in [
        TenantDomain {
            status: DomainStatus::Failing,
            ..theirs.clone()
        },
        TenantDomain {
            is_primary: 1,
            ..domain(&a, "www.test")
        },
    ] {
        let mut tx = store.platform().await.unwrap();
        let refused = tx.domains().update(&wrong).await;
        assert!(matches!(refused, Err(StoreError::AlreadyExists)), "{refused:?}");
    }

    let looked = TenantDomain {
        misses: 3,
        last_error: None,
        checked_at: Some(at(9)),
        next_check_at: Some(at(20)),
        ..ours.clone()
    };
    let mut machine = store.platform_machine().await.unwrap();
    assert!(machine.note_domain_check(&looked, ours.checked_at).await.unwrap());
    assert!(
        !machine.note_domain_check(&looked, ours.checked_at).await.unwrap(),
        "it was looked at since"
    );
    assert!(
        machine
            .note_domain_check(
                &TenantDomain {
                    checked_at: Some(at(9)),
                    ..theirs.clone()
                },
                None
            )
            .await
            .unwrap()
    );
    machine.commit().await.unwrap();
    let mut tx = store.platform().await.unwrap();
    assert_eq!(
        tx.domains().get(a.id, "app.test").await.unwrap().as_ref(),
        Some(&looked)
    );
    tx.domains().clear_primary(a.id).await.unwrap();
    assert_eq!(tx.domains().primaries(first, last).await.unwrap(), []);
    assert!(tx.domains().delete(a.id, "app.test").await.unwrap());
    assert!(!tx.domains().delete(a.id, "app.test").await.unwrap());
    let proven = TenantDomain {
        status: DomainStatus::Verified,
        ..theirs
    };
    tx.domains().update(&proven).await.unwrap();
    tx.commit(audit("domains.changed")).await.unwrap();
}

pub async fn former_slugs(store: &dyn Store) {
    let (a, b) = two(store).await;
    let new = Tenant {
        slug: "acme-two".to_owned(),
        updated_at: at(77),
        ..a.clone()
    };
    let old = OldSlug {
        slug: "acme".to_owned(),
        tenant_id: a.id,
        released_at: at(77),
        redirect_until: at(99),
    };
    let mut tx = store.platform().await.unwrap();
    assert!(matches!(
        tx.tenants().rename(&new, Timestamp(a.updated_at.0 + 1)).await,
        Err(StoreError::Conflict)
    ));
    tx.tenants().rename(&new, a.updated_at).await.unwrap();
    tx.domains().keep_old_slug(&old).await.unwrap();
    tx.commit(audit("tenant.renamed")).await.unwrap();

    let mut read = store.platform_read().await.unwrap();
    assert_eq!(read.tenants().find_by_slug("acme").await.unwrap(), None);
    assert_eq!(read.tenants().get(a.id).await.unwrap().as_ref(), Some(&new));
    let page = Page {
        q: Some("acme-tw".to_owned()),
        limit: 9,
        ..Page::default()
    };
    assert_eq!(read.tenants().list(&page, None).await.unwrap(), [new.clone()]);
    assert_eq!(read.domains().old_slug("acme").await.unwrap().as_ref(), Some(&old));
    assert_eq!(read.domains().old_slug("acme-two").await.unwrap(), None);
    assert_eq!(read.domains().count_old_slugs(a.id).await.unwrap(), 1);
    assert_eq!(read.domains().count_old_slugs(b.id).await.unwrap(), 0);
    drop(read);

    let mut tx = store.platform().await.unwrap();
    assert!(!tx.domains().take_back_slug(b.id, "acme").await.unwrap());
    assert!(tx.domains().take_back_slug(a.id, "acme").await.unwrap());
    assert_eq!(tx.domains().old_slug("acme").await.unwrap(), None);
}
