//! The audit log: leaves without gaps, the frontier in the same transaction, and no commit without it.

use super::fixtures::*;
use aistack_core::*;
use aistack_store::*;
use uuid::Uuid;

pub async fn appends_leaves(store: &dyn Store, scope: &TenantScope) {
    let mut leaves = Vec::new();
    for round in 0..5 {
        let entries: Vec<AuditEntry> = (0..=round).map(|_| audit_entry("thing.done")).collect();
        leaves.extend(entries.clone());
        let tx = store.tenant(scope).await.unwrap();
        tx.commit(Audit::many(entries).unwrap()).await.unwrap();
    }
    let mut read = store.tenant_read(scope).await.unwrap();
    let rows = read.audit().leaves(0, 100).await.unwrap();
    assert_eq!(rows.len(), 15);
    let mut frontier = merkle::Frontier::default();
    for (i, (row, entry)) in rows.iter().zip(&leaves).enumerate() {
        assert_eq!(row.seq, i64::try_from(i).unwrap());
        assert_eq!(row.body, entry.body);
        assert_eq!(row.leaf_hash, merkle::leaf_hash(&entry.body));
        frontier.append(merkle::leaf_hash(&entry.body));
    }
    let (size, nodes) = read.audit().frontier().await.unwrap();
    assert_eq!((size, nodes), (15, frontier.to_bytes()));
    assert_eq!(seqs(&read.audit().leaves(13, 1).await.unwrap()), [13]);
    assert_eq!(read.audit().get(rows[3].id).await.unwrap().as_ref(), Some(&rows[3]));
    assert_eq!(read.audit().get(AuditEventId(Uuid::nil())).await.unwrap(), None);
}

pub async fn filters(store: &dyn Store, scope: &TenantScope) {
    let actor = Uuid::from_u128(77);
    let request = RequestId::new(&Dice, &Dice);
    let events = [
        audit_entry("user.created"),
        AuditEntry {
            actor_kind: ActorKind::User,
            actor_id: Some(actor),
            ..audit_entry("user.deleted")
        },
        AuditEntry {
            outcome: Outcome::Denied,
            request_id: Some(request),
            ..audit_entry("order.paid")
        },
        AuditEntry {
            target_kind: "order".to_owned(),
            target_id: "ord_1".to_owned(),
            ..audit_entry("User.shouted")
        },
    ];
    let tx = store.tenant(scope).await.unwrap();
    tx.commit(Audit::many(events.to_vec()).unwrap()).await.unwrap();
    let mut read = store.tenant_read(scope).await.unwrap();
    let all = AuditFilter {
        limit: 50,
        ..AuditFilter::default()
    };
    let text = |t: &str| Some(t.to_owned());
    for (filter, expected) in [
        (all.clone(), vec![3, 2, 1, 0]),
        (
            AuditFilter {
                limit: 2,
                ..all.clone()
            },
            vec![3, 2],
        ),
        (
            AuditFilter {
                before_seq: Some(2),
                ..all.clone()
            },
            vec![1, 0],
        ),
        (
            AuditFilter {
                action: text("user.created"),
                ..all.clone()
            },
            vec![0],
        ),
        (
            AuditFilter {
                action: text("user.*"),
                ..all.clone()
            },
            vec![1, 0],
        ),
        (
            AuditFilter {
                action: text("user.%"),
                ..all.clone()
            },
            vec![],
        ),
        (
            AuditFilter {
                action: text("*"),
                ..all.clone()
            },
            vec![3, 2, 1, 0],
        ),
        (
            AuditFilter {
                actor_id: Some(actor),
                ..all.clone()
            },
            vec![1],
        ),
        (
            AuditFilter {
                outcome: Some(Outcome::Denied),
                ..all.clone()
            },
            vec![2],
        ),
        (
            AuditFilter {
                request_id: Some(request),
                ..all.clone()
            },
            vec![2],
        ),
        (
            AuditFilter {
                target_kind: text("order"),
                ..all.clone()
            },
            vec![3],
        ),
        (
            AuditFilter {
                target_id: text("thing_1"),
                ..all.clone()
            },
            vec![2, 1, 0],
        ),
        (
            AuditFilter {
                from: Some(events[1].at),
                to: Some(events[3].at),
                ..all.clone()
            },
            vec![2, 1],
        ),
    ] {
        assert_eq!(seqs(&read.audit().list(&filter).await.unwrap()), expected, "{filter:?}");
    }
    let row = read.audit().get(events[1].id).await.unwrap().unwrap();
    assert_eq!(
        row,
        AuditRow {
            seq: 1,
            id: events[1].id,
            at: events[1].at,
            action: "user.deleted".to_owned(),
            actor_kind: ActorKind::User,
            actor_id: Some(actor),
            target_kind: "thing".to_owned(),
            target_id: "thing_1".to_owned(),
            outcome: Outcome::Ok,
            request_id: None,
            body: events[1].body.clone(),
            leaf_hash: merkle::leaf_hash(&events[1].body).to_vec(),
        }
    );
}

/// The operators' log is one of its own, and each tenant's is.
pub async fn logs_are_separate(store: &dyn Store, scope: &TenantScope) {
    let mut read = store.platform_read().await.unwrap();
    let (before, _) = read.audit().frontier().await.unwrap();
    drop(read);
    store.tenant(scope).await.unwrap().commit(audit("a.b")).await.unwrap();
    store.platform().await.unwrap().commit(audit("c.d")).await.unwrap();
    let mut read = store.platform_read().await.unwrap();
    assert_eq!(read.audit().frontier().await.unwrap().0, before + 1);
    let newest = AuditFilter {
        limit: 1,
        ..AuditFilter::default()
    };
    assert_eq!(read.audit().list(&newest).await.unwrap()[0].action, "c.d");
    let mut read = store.tenant_read(scope).await.unwrap();
    assert_eq!(read.audit().list(&newest).await.unwrap()[0].action, "a.b");
    assert_eq!(read.audit().frontier().await.unwrap().0, 1);
}

/// Many at once: numbers without gaps, one tree.
pub async fn concurrent_commits(store: &std::sync::Arc<dyn Store>, scope: &TenantScope) {
    let tasks: Vec<_> = (0..40)
        .map(|i| {
            let (store, scope) = (store.clone(), scope.clone());
            tokio::spawn(async move {
                let mut tx = store.tenant(&scope).await.unwrap();
                let number = tx.orders().next_number().await.unwrap();
                let order = order(number, InstallationId(Uuid::nil()));
                tx.orders().insert(&order).await.unwrap();
                // Every fourth changes its mind.
                if i % 4 != 0 {
                    tx.commit(audit("order.created")).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let mut read = store.tenant_read(scope).await.unwrap();
    let mut numbers: Vec<i64> = read
        .orders()
        .list(&page(200), None)
        .await
        .unwrap()
        .iter()
        .map(|o| o.number)
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=30).collect::<Vec<_>>());
    let rows = read.audit().leaves(0, 100).await.unwrap();
    assert_eq!(seqs(&rows), (0..30).collect::<Vec<_>>());
    let mut frontier = merkle::Frontier::default();
    for row in &rows {
        frontier.append(merkle::leaf_hash(&row.body));
    }
    assert_eq!(read.audit().frontier().await.unwrap(), (30, frontier.to_bytes()));
}

fn seqs(rows: &[AuditRow]) -> Vec<i64> {
    rows.iter().map(|row| row.seq).collect()
}
