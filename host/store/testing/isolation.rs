//! What a transaction promises: all or nothing, snapshots, one tenant's rows and no other's.

use super::fixtures::*;
use aistack_core::*;
use aistack_store::*;
use std::sync::Arc;
use std::time::Duration;

/// Dropping undoes; a failed transaction can't be committed; a cancelled one leaves nothing and blocks nobody.
pub async fn all_or_nothing(store: &Arc<dyn Store>, scope: &TenantScope) {
    let (ann, bob) = (user("ann@example.com", "Ann"), user("bob@example.com", "Bob"));
    let mut tx = store.tenant(scope).await.unwrap();
    tx.users().insert(&ann).await.unwrap();
    drop(tx);
    assert_eq!(count(&**store, scope).await, 0);

    // After a database error nothing more happens in the transaction, on either database.
    let mut tx = store.tenant(scope).await.unwrap();
    tx.users().insert(&ann).await.unwrap();
    assert!(matches!(tx.users().insert(&ann).await, Err(StoreError::AlreadyExists)));
    assert!(tx.users().insert(&bob).await.is_err());
    assert!(tx.users().get(ann.id).await.is_err());
    assert!(tx.commit(audit("users.created")).await.is_err());
    assert_eq!(count(&**store, scope).await, 0);

    // A guard that does not hold is an answer: the transaction goes on.
    let mut tx = store.tenant(scope).await.unwrap();
    assert!(matches!(tx.users().update(&ann).await, Err(StoreError::Conflict)));
    tx.users().insert(&ann).await.unwrap();
    tx.commit(audit("users.created")).await.unwrap();
    assert_eq!(count(&**store, scope).await, 1);

    // A task that is cancelled in the middle, wherever that is.
    for micros in [0, 50, 200, 500, 1000, 3000] {
        let (theirs, their_scope, bob) = (store.clone(), scope.clone(), bob.clone());
        let task = tokio::spawn(async move {
            let mut tx = theirs.tenant(&their_scope).await.unwrap();
            tx.users().insert(&bob).await.unwrap();
            loop {
                tx.users().count_active().await.unwrap();
            }
        });
        tokio::time::sleep(Duration::from_micros(micros)).await;
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!(count(&**store, scope).await, 1);
        let mut tx = store.tenant(scope).await.unwrap();
        assert_eq!(tx.users().count_active().await.unwrap(), 1);
    }
    // And while it waits for its turn, or has just got it.
    for micros in 0..20 {
        let first = store.tenant(scope).await.unwrap();
        let (theirs, their_scope) = (store.clone(), scope.clone());
        let task = tokio::spawn(async move {
            let tx = theirs.tenant(&their_scope).await.unwrap();
            std::future::pending::<()>().await;
            drop(tx);
        });
        tokio::time::sleep(Duration::from_micros(100 * micros)).await;
        drop(first);
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!(count(&**store, scope).await, 1);
    }
    // And one that panics.
    let (theirs, their_scope) = (store.clone(), scope.clone());
    let task = tokio::spawn(async move {
        let mut tx = theirs.tenant(&their_scope).await.unwrap();
        tx.users().insert(&bob).await.unwrap();
        panic!("on purpose");
    });
    assert!(task.await.unwrap_err().is_panic());
    assert_eq!(count(&**store, scope).await, 1);
    let tx = store.tenant(scope).await.unwrap();
    tx.commit(audit("thing.done")).await.unwrap();
}

/// A read sees one state from its first statement on, however long it lasts, and keeps nobody from writing.
pub async fn snapshots(store: &dyn Store, scope: &TenantScope) {
    let mut read = store.tenant_read(scope).await.unwrap();
    assert_eq!(read.users().count_active().await.unwrap(), 0);
    let mut tx = store.tenant(scope).await.unwrap();
    tx.users().insert(&user("ann@example.com", "Ann")).await.unwrap();
    assert_eq!(tx.users().count_active().await.unwrap(), 1, "its own writes");
    assert_eq!(read.users().count_active().await.unwrap(), 0);
    tx.commit(audit("user.created")).await.unwrap();
    assert_eq!(read.users().count_active().await.unwrap(), 0, "still the old state");
    drop(read);
    assert_eq!(count(store, scope).await, 1);
}

/// Two tenants with the same rows do not see, change or hinder each other.
pub async fn tenants_are_apart(store: &dyn Store, a: &TenantScope, b: &TenantScope) {
    let plugin = installation("payment");
    let ann = user("ann@example.com", "Ann");
    let order = Order {
        idempotency_key: Some("k".to_owned()),
        ..order(1, plugin.id)
    };
    for scope in [a, b] {
        let mut tx = store.tenant(scope).await.unwrap();
        tx.installations().insert(&plugin).await.unwrap();
        tx.users().insert(&ann).await.unwrap();
        assert_eq!(tx.orders().next_number().await.unwrap(), 1);
        tx.orders().insert(&order).await.unwrap();
        assert!(tx.orders().claim_event(plugin.id, "e", "paid", at(1)).await.unwrap());
        assert!(tx.usage().record(&usage_event("m", 1, at(1))).await.unwrap());
        tx.usage().count("m", at(0), 1, Some(1)).await.unwrap().unwrap();
        tx.machinery()
            .kv_put(plugin.id, "k", b"v", None, Some(0), at(1))
            .await
            .unwrap();
        tx.push_outbox(&message("x", at(1))).await.unwrap();
        tx.commit(audit("everything.done")).await.unwrap();
    }
    // A deletes all it can; B keeps everything.
    let mut tx = store.tenant(a).await.unwrap();
    assert!(tx.users().delete(ann.id).await.unwrap());
    assert!(tx.installations().delete(plugin.id).await.unwrap());
    let messages: Vec<JobId> = tx.machinery().outbox(9).await.unwrap().iter().map(|m| m.id).collect();
    assert_eq!(messages.len(), 1, "its own");
    tx.machinery().delete_outbox(&messages).await.unwrap();
    tx.machinery().sweep(at(1_000_000)).await.unwrap();
    tx.machinery().prune_calls(at(1_000_000)).await.unwrap();
    tx.commit(audit("everything.deleted")).await.unwrap();
    let mut read = store.tenant_read(b).await.unwrap();
    assert_eq!(read.users().get(ann.id).await.unwrap(), Some(ann));
    assert_eq!(
        read.installations().get(plugin.id).await.unwrap().as_ref(),
        Some(&plugin)
    );
    assert_eq!(read.orders().list(&page(9), None).await.unwrap(), [order]);
    assert_eq!(read.usage().events(&page(9), None).await.unwrap().len(), 1);
    assert_eq!(read.usage().counter("m", at(0)).await.unwrap(), 1);
    assert_eq!(read.machinery().kv_use(plugin.id).await.unwrap().keys, 1);
    assert_eq!(read.machinery().outbox(9).await.unwrap().len(), 1);
    assert_eq!(read.audit().frontier().await.unwrap().0, 1);
    let mut read = store.tenant_read(a).await.unwrap();
    assert_eq!(read.audit().frontier().await.unwrap().0, 2);
}

/// A rule over several rows: two owners leave at the same time, one has to stay.
pub async fn no_write_skew(store: &Arc<dyn Store>, scope: &TenantScope) {
    let mut owners = Vec::new();
    let mut tx = store.tenant(scope).await.unwrap();
    for i in 0..8 {
        let owner = User {
            role: Role::Owner,
            ..user(&format!("o{i}@example.com"), "Owner")
        };
        tx.users().insert(&owner).await.unwrap();
        owners.push(owner);
    }
    tx.commit(audit("owners.created")).await.unwrap();
    let tasks: Vec<_> = owners
        .into_iter()
        .map(|owner| {
            let (store, scope) = (store.clone(), scope.clone());
            tokio::spawn(async move {
                let mut tx = store.tenant(&scope).await.unwrap();
                if tx.users().count_owners().await.unwrap() > 1 {
                    tokio::task::yield_now().await;
                    tx.users().delete(owner.id).await.unwrap();
                    tx.commit(audit("owner.left")).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(count(&**store, scope).await, 1);
}

/// Racing counts never go over the cap, and use it up.
pub async fn racing_counts(store: &Arc<dyn Store>, scope: &TenantScope) {
    let tasks: Vec<_> = (0..60)
        .map(|_| {
            let (store, scope) = (store.clone(), scope.clone());
            tokio::spawn(async move {
                let mut tx = store.tenant(&scope).await.unwrap();
                let counted = tx.usage().count("m", at(0), 3, Some(100)).await.unwrap();
                tx.commit(audit("usage.counted")).await.unwrap();
                counted.is_some()
            })
        })
        .collect();
    let mut granted = 0;
    for task in tasks {
        granted += i64::from(task.await.unwrap());
    }
    assert_eq!(granted, 33);
    let mut read = store.tenant_read(scope).await.unwrap();
    assert_eq!(read.usage().counter("m", at(0)).await.unwrap(), 99);
}

/// Workers racing for jobs: each job is leased once.
pub async fn racing_leases(store: &Arc<dyn Store>) {
    let mut tx = store.platform().await.unwrap();
    for _ in 0..20 {
        assert!(tx.jobs().enqueue(&job("x", at(1))).await.unwrap());
    }
    tx.commit(audit("jobs.added")).await.unwrap();
    let workers: Vec<_> = (0..6)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut mine = Vec::new();
                loop {
                    let mut machine = store.platform_machine().await.unwrap();
                    let Some(job) = machine.jobs().lease(at(2), at(1000)).await.unwrap() else {
                        return mine;
                    };
                    machine.commit().await.unwrap();
                    mine.push(job.id);
                }
            })
        })
        .collect();
    let mut all: Vec<JobId> = Vec::new();
    for worker in workers {
        all.extend(worker.await.unwrap());
    }
    all.sort_unstable();
    let leased = all.len();
    all.dedup();
    assert_eq!((leased, all.len()), (20, 20));
}

/// The store answers as what it is, and a closed one answers errors instead of waiting.
pub async fn health_and_close(store: &dyn Store, scope: &TenantScope) {
    let text = store.health().await.unwrap();
    assert!(text.to_lowercase().contains(store.backend()), "{text}");
    store.provision(scope).await.unwrap();
    store.close().await;
    assert!(matches!(
        store.tenant(scope).await.err(),
        Some(StoreError::Unavailable(_))
    ));
    assert!(matches!(
        store.platform_read().await.err(),
        Some(StoreError::Unavailable(_))
    ));
    assert!(store.health().await.is_err());
    store.close().await;
}

async fn count(store: &dyn Store, scope: &TenantScope) -> i64 {
    let mut read = store.tenant_read(scope).await.unwrap();
    read.users().count_active().await.unwrap()
}
