//! The tenant's traits, method by method.

use super::fixtures::*;
use aistack_core::*;
use aistack_store::*;
use uuid::Uuid;

pub async fn users(store: &dyn Store, scope: &TenantScope) {
    let oauth = installation("identity");
    let (ann, bob) = (user("ann@example.com", "Ann ÄRGER"), user("bob_1@example.com", "Bob"));
    let owner = User {
        role: Role::Owner,
        ..user("olga@example.com", "Olga")
    };
    let retired = User {
        role: Role::Owner,
        status: UserStatus::Disabled,
        ..user("rita@example.com", "Rita")
    };
    let mut tx = store.tenant(scope).await.unwrap();
    tx.installations().insert(&oauth).await.unwrap();
    for user in [&ann, &bob, &owner, &retired] {
        tx.users().insert(user).await.unwrap();
    }
    let users = tx.users();
    assert_eq!(users.get(ann.id).await.unwrap().as_ref(), Some(&ann));
    assert_eq!(
        users.find_by_email("bob_1@example.com").await.unwrap().as_ref(),
        Some(&bob)
    );
    assert_eq!(users.find_by_email("nobody@example.com").await.unwrap(), None);
    assert_eq!(
        (users.count_active().await.unwrap(), users.count_owners().await.unwrap()),
        (3, 1)
    );
    assert_eq!(users.list(&search("ärg")).await.unwrap(), [ann.clone()]);
    assert_eq!(users.list(&search("BOB_")).await.unwrap(), [bob.clone()]);
    assert_eq!(
        users.list(&page(2)).await.unwrap(),
        [retired.clone(), owner.clone()],
        "newest first"
    );
    let changed = User {
        email: "ann2@example.com".to_owned(),
        email_verified_at: None,
        name: "Anna".to_owned(),
        role: Role::Admin,
        password_hash: Some("h".to_owned()),
        locale: None,
        updated_at: at(9),
        last_login_at: Some(at(9)),
        ..ann.clone()
    };
    users.update(&changed).await.unwrap();
    assert_eq!(users.get(ann.id).await.unwrap(), Some(changed));
    assert_eq!(users.list(&search("ann2@")).await.unwrap().len(), 1);
    let gone = user("gone@example.com", "Gone");
    assert!(matches!(users.update(&gone).await, Err(StoreError::Conflict)));

    let identity = Identity {
        installation_id: oauth.id,
        issuer: "https://issuer".to_owned(),
        subject: "S1".to_owned(),
        user_id: ann.id,
        created_at: at(4),
    };
    users.insert_identity(&identity).await.unwrap();
    let found = users.find_identity(oauth.id, "https://issuer", "S1").await.unwrap();
    assert_eq!(found.as_ref(), Some(&identity));
    assert_eq!(
        users.find_identity(oauth.id, "https://issuer", "s1").await.unwrap(),
        None
    );
    assert_eq!(users.identities(ann.id).await.unwrap(), [identity.clone()]);

    let (one, two, of_bob) = (session(ann.id.0), session(ann.id.0), session(bob.id.0));
    for session in [&one, &two, &of_bob] {
        users.insert_session(session).await.unwrap();
    }
    assert_eq!(users.find_session(&one.id_hash).await.unwrap().as_ref(), Some(&one));
    assert!(users.revoke_session(&one.id_hash, at(10)).await.unwrap());
    assert!(!users.revoke_session(&one.id_hash, at(11)).await.unwrap());
    assert!(
        !users.revoke_session(&two.id_hash, at(2_000_000)).await.unwrap(),
        "over already"
    );
    assert_eq!(users.revoke_sessions_of(ann.id, at(12)).await.unwrap(), 1);
    let revoked = users.find_session(&one.id_hash).await.unwrap().unwrap().revoked_at;
    assert_eq!(revoked, Some(at(10)), "ended once");
    let machinery = tx.machinery();
    machinery.touch_session(&of_bob.id_hash, at(60)).await.unwrap();
    machinery.touch_session(&of_bob.id_hash, at(50)).await.unwrap();
    let seen = tx
        .users()
        .find_session(&of_bob.id_hash)
        .await
        .unwrap()
        .unwrap()
        .last_seen_at;
    assert_eq!(seen, at(60));

    // With the member go the identities and sessions, and nobody else's.
    assert!(tx.users().delete(ann.id).await.unwrap());
    assert!(!tx.users().delete(ann.id).await.unwrap());
    assert_eq!(
        tx.users()
            .find_identity(oauth.id, "https://issuer", "S1")
            .await
            .unwrap(),
        None
    );
    assert_eq!(tx.users().find_session(&two.id_hash).await.unwrap(), None);
    assert!(tx.users().find_session(&of_bob.id_hash).await.unwrap().is_some());
    tx.commit(audit("users.changed")).await.unwrap();

    // What is unique, and what must exist.
    let same_address = user("bob_1@example.com", "Other Bob");
    let stranger = session(Uuid::nil());
    let orphan = Identity {
        user_id: UserId(Uuid::nil()),
        ..identity
    };
    let mut tx = store.tenant(scope).await.unwrap();
    assert!(matches!(
        tx.users().insert(&same_address).await,
        Err(StoreError::AlreadyExists)
    ));
    drop(tx);
    let mut tx = store.tenant(scope).await.unwrap();
    assert!(matches!(
        tx.users().insert_session(&stranger).await,
        Err(StoreError::MissingReference)
    ));
    drop(tx);
    let mut tx = store.tenant(scope).await.unwrap();
    assert!(matches!(
        tx.users().insert_identity(&orphan).await,
        Err(StoreError::MissingReference)
    ));
}

pub async fn subject_keys(store: &dyn Store, scope: &TenantScope) {
    let key = |wrapped: &[u8]| SubjectKey {
        subject: SubjectId(Uuid::from_u128(5)),
        wrapped: wrapped.to_vec(),
        created_at: at(1),
    };
    let mut tx = store.tenant(scope).await.unwrap();
    assert_eq!(tx.subject_keys().get(key(b"").subject).await.unwrap(), None);
    assert_eq!(
        tx.subject_keys().get_or_insert(&key(b"one")).await.unwrap(),
        key(b"one")
    );
    assert_eq!(
        tx.subject_keys().get_or_insert(&key(b"two")).await.unwrap(),
        key(b"one"),
        "the first stays in force"
    );
    assert_eq!(
        tx.subject_keys().get(key(b"").subject).await.unwrap(),
        Some(key(b"one"))
    );
    assert!(tx.subject_keys().destroy(key(b"").subject).await.unwrap());
    assert!(!tx.subject_keys().destroy(key(b"").subject).await.unwrap());
}

pub async fn installations(store: &dyn Store, scope: &TenantScope) {
    let (pay, report) = (installation("payment"), installation("report"));
    let secret = |name: &str, version| StoredSecret {
        installation_id: pay.id,
        name: name.to_owned(),
        version,
        sealed: vec![u8::try_from(version).unwrap(), 0],
        created_at: at(version),
    };
    let mut tx = store.tenant(scope).await.unwrap();
    let table = tx.installations();
    table.insert(&pay).await.unwrap();
    table.insert(&report).await.unwrap();
    assert_eq!(table.get(pay.id).await.unwrap().as_ref(), Some(&pay));
    assert_eq!(
        table.list(&page(9), Some("payment")).await.unwrap(),
        [pay.clone()],
        "by kind"
    );
    assert_eq!(
        table.list(&search("OFFICIAL.rep"), None).await.unwrap(),
        [report.clone()]
    );
    assert_eq!(table.list(&page(1), None).await.unwrap(), [report.clone()]);
    for (name, version) in [("b", 1), ("a", 1), ("b", 2), ("b", 3)] {
        table.insert_secret(&secret(name, version)).await.unwrap();
    }
    assert_eq!(
        table.secrets(pay.id).await.unwrap(),
        [secret("a", 1), secret("b", 3), secret("b", 2), secret("b", 1)]
    );
    assert_eq!(table.prune_secret(pay.id, "b", 3).await.unwrap(), 2);
    assert_eq!(table.secrets(pay.id).await.unwrap(), [secret("a", 1), secret("b", 3)]);
    let changed = Installation {
        version: "2.0.0".to_owned(),
        digest: "ef".repeat(32),
        name: "Neu".to_owned(),
        config: "{}".to_owned(),
        grants: "[1]".to_owned(),
        status: InstallationStatus::Disabled,
        generation: 2,
        updated_at: at(7),
        ..pay.clone()
    };
    table.update(&changed).await.unwrap();
    assert!(matches!(table.update(&changed).await, Err(StoreError::Conflict)));
    assert_eq!(table.get(pay.id).await.unwrap(), Some(changed));
    let machinery = tx.machinery();
    machinery.kv_put(pay.id, "k", b"v", None, None, at(1)).await.unwrap();
    assert!(tx.installations().delete(pay.id).await.unwrap());
    assert!(!tx.installations().delete(pay.id).await.unwrap());
    assert_eq!(tx.installations().secrets(pay.id).await.unwrap(), []);
    assert_eq!(tx.machinery().kv_get(pay.id, "k").await.unwrap(), None);
    let orphan = tx.installations().insert_secret(&secret("a", 1)).await;
    assert!(matches!(orphan, Err(StoreError::MissingReference)));
}

pub async fn machinery(store: &dyn Store, scope: &TenantScope) {
    let mut tx = store.tenant(scope).await.unwrap();
    let plugin = installation("payment");
    tx.installations().insert(&plugin).await.unwrap();
    let (early, late) = (message("mail.send", at(1)), message("report.run", at(2)));
    tx.push_outbox(&late).await.unwrap();
    tx.push_outbox(&early).await.unwrap();
    tx.commit(audit("plugin.enabled")).await.unwrap();
    let id = plugin.id;

    let mut machine = store.tenant_machine(scope).await.unwrap();
    let table = machine.machinery();
    assert_eq!(table.outbox(9).await.unwrap(), [early.clone(), late.clone()]);
    assert_eq!(table.outbox(1).await.unwrap(), [early.clone()]);
    table.delete_outbox(&[early.id, JobId(Uuid::nil())]).await.unwrap();
    assert_eq!(table.outbox(9).await.unwrap(), [late]);

    // Versions: any, only if absent (or expired), only if unchanged.
    assert_eq!(table.kv_get(id, "k").await.unwrap(), None);
    assert!(is_conflict(table.kv_put(id, "k", b"x", None, Some(1), at(1)).await));
    assert_eq!(
        table
            .kv_put(id, "k", b"v1", Some(at(10)), Some(0), at(1))
            .await
            .unwrap(),
        1
    );
    assert!(is_conflict(table.kv_put(id, "k", b"x", None, Some(0), at(9)).await));
    assert_eq!(
        table
            .kv_put(id, "k", b"v2", Some(at(10)), Some(1), at(9))
            .await
            .unwrap(),
        2
    );
    assert!(is_conflict(table.kv_put(id, "k", b"x", None, Some(1), at(9)).await));
    assert!(is_conflict(table.kv_put(id, "k", b"x", None, Some(-1), at(9)).await));
    assert!(
        is_conflict(table.kv_put(id, "k", b"x", None, Some(2), at(10)).await),
        "expired"
    );
    let found = table.kv_get(id, "k").await.unwrap().unwrap();
    assert_eq!(
        (found.value.as_slice(), found.version, found.expires_at),
        (&b"v2"[..], 2, Some(at(10)))
    );
    assert_eq!(table.kv_put(id, "k", b"v3", None, Some(0), at(10)).await.unwrap(), 3);
    assert_eq!(table.kv_put(id, "k", b"v4", None, None, at(10)).await.unwrap(), 4);
    assert_eq!(
        table.kv_put(id, "钥匙", b"", Some(at(20)), None, at(10)).await.unwrap(),
        1
    );
    assert_eq!(
        table.kv_use(id).await.unwrap(),
        KvUse {
            keys: 2,
            bytes: 1 + 2 + 6
        },
        "bytes, not characters"
    );
    table.kv_remove(id, "k").await.unwrap();
    table.kv_remove(id, "k").await.unwrap();

    // A sign-in is taken once, by its own browser and connection.
    let pending = login(id, at(100));
    table.insert_login(&pending).await.unwrap();
    assert_eq!(table.take_login(pending.id, &[8; 32], id).await.unwrap(), None);
    let other = InstallationId(Uuid::nil());
    assert_eq!(table.take_login(pending.id, &[7; 32], other).await.unwrap(), None);
    assert_eq!(
        table.take_login(pending.id, &[7; 32], id).await.unwrap(),
        Some(pending.clone())
    );
    assert_eq!(table.take_login(pending.id, &[7; 32], id).await.unwrap(), None);
    table.insert_login(&login(id, at(30))).await.unwrap();
    table.insert_login(&login(id, at(31))).await.unwrap();
    assert_eq!(table.sweep(at(30)).await.unwrap(), 2, "a sign-in and a key");
    assert_eq!(table.sweep(at(30)).await.unwrap(), 0);

    let calls = [call(id, at(1), "ok"), call(id, at(2), "fault"), call(id, at(3), "ok")];
    table.insert_calls(&calls).await.unwrap();
    table.insert_calls(&[]).await.unwrap();
    assert_eq!(table.calls(id, &page(1)).await.unwrap(), [calls[2].clone()]);
    assert_eq!(table.call_counts(id, at(2)).await.unwrap(), (2, 1));
    assert_eq!(table.call_counts(other, at(0)).await.unwrap(), (0, 0));
    assert_eq!(table.prune_calls(at(2)).await.unwrap(), 1);
    machine.commit().await.unwrap();

    let mut read = store.tenant_read(scope).await.unwrap();
    assert_eq!(read.machinery().calls(id, &page(9)).await.unwrap().len(), 2);
}

/// As many calls are recorded as were asked for, while they were asked for, and the oldest journals make room.
pub async fn journals(store: &dyn Store, scope: &TenantScope) {
    let plugin = installation("report");
    let id = plugin.id;
    let recording = |calls, from, until| Recording {
        installation_id: id,
        calls,
        until: at(until),
        started_at: at(from),
    };
    let of = |made| JournalRow {
        call_id: call(id, at(made), "ok").id,
        installation_id: id,
        sealed: vec![0, 1, 255],
        created_at: at(made),
    };
    let mut tx = store.tenant(scope).await.unwrap();
    tx.installations().insert(&plugin).await.unwrap();
    assert_eq!(tx.installations().recording(id).await.unwrap(), None);
    assert!(!tx.installations().end_recording(id).await.unwrap());
    tx.installations().start_recording(&recording(9, 1, 2)).await.unwrap();
    tx.installations().start_recording(&recording(4, 10, 20)).await.unwrap();
    assert_eq!(
        tx.installations().recording(id).await.unwrap(),
        Some(recording(4, 10, 20))
    );
    tx.commit(audit("recording.started")).await.unwrap();

    let mut machine = store.tenant_machine(scope).await.unwrap();
    let table = machine.machinery();
    for outside in [9, 20] {
        assert!(!table.keep_journal(&of(outside), 2).await.unwrap(), "{outside}");
    }
    let kept = [of(10), of(11), of(12), of(13)];
    for one in &kept {
        assert!(table.keep_journal(one, 2).await.unwrap());
    }
    assert!(!table.keep_journal(&of(14), 2).await.unwrap(), "no place is left");
    assert_eq!(
        table.journal(kept[1].call_id).await.unwrap(),
        None,
        "the newest two stay"
    );
    assert_eq!(table.journal(kept[3].call_id).await.unwrap().as_ref(), Some(&kept[3]));
    assert_eq!(table.prune_journals(at(13), at(19)).await.unwrap(), 1);
    assert_eq!(table.prune_journals(at(13), at(20)).await.unwrap(), 1, "the recording");
    machine.commit().await.unwrap();

    let mut tx = store.tenant(scope).await.unwrap();
    assert_eq!(tx.installations().recording(id).await.unwrap(), None);
    assert!(tx.installations().delete(id).await.unwrap());
    assert_eq!(tx.machinery().journal(kept[3].call_id).await.unwrap(), None);
    tx.commit(audit("plugin.removed")).await.unwrap();
}

fn is_conflict(result: Result<i64>) -> bool {
    matches!(result, Err(StoreError::Conflict))
}
