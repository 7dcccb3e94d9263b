//! The two stores are one: a random sequence of operations answers the same on both, step by step, and leaves the same
//! state.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod ops;
#[path = "../support/mod.rs"]
mod support;
#[path = "../../../store/testing/mod.rs"]
mod testing;

use aistack_core::*;
use aistack_store::*;
use aistack_store_postgres::PostgresStore;
use aistack_store_sqlite::{SqliteConfig, SqliteStore};
use ops::{Op, op};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::fmt::Debug;
use std::sync::Arc;
use testing::fixtures::*;
use testing::scope_of;
use uuid::Uuid;

fn uuid(n: u8) -> Uuid {
    Uuid::from_u128(u128::from(n) + 1)
}
fn plugin(n: u8) -> InstallationId {
    InstallationId(uuid(n))
}
fn time(n: u8) -> Timestamp {
    at(i64::from(n))
}

/// An answer in words that both stores share: which error, not how the database put it.
fn said<T: Debug>(result: Result<T>) -> String {
    match result {
        Ok(value) => format!("{value:?}"),
        Err(StoreError::Backend(_)) => "Backend".to_owned(),
        Err(StoreError::Unavailable(_)) => "Unavailable".to_owned(),
        Err(e) => format!("{e:?}"),
    }
}

/// The leaves of both stores have to be equal too.
fn entry(step: usize) -> Audit {
    let n = u128::try_from(step).unwrap() + 1;
    Audit::one(AuditEntry {
        id: AuditEventId(Uuid::from_u128(n)),
        at: at(0),
        body: step.to_be_bytes().to_vec(),
        ..audit_entry("step")
    })
}

async fn step(store: &dyn Store, scope: &TenantScope, op: &Op, n: usize) -> String {
    if let Op::Enqueue { .. } | Op::Lease { .. } | Op::End { .. } | Op::Setting { .. } = op {
        return platform_step(store, op).await;
    }
    let mut tx = store.tenant(scope).await.unwrap();
    let answer = apply(&mut *tx, op).await;
    let ended = said(tx.commit(entry(n)).await);
    format!("{answer} · {ended}")
}

async fn apply(tx: &mut dyn TenantTx, op: &Op) -> String {
    match op.clone() {
        Op::AddUser { id, email } => said(tx.users().insert(&member(id, email, false)).await),
        Op::UpdateUser { id, email, owner } => said(tx.users().update(&member(id, email, owner)).await),
        Op::DeleteUser { id } => said(tx.users().delete(UserId(uuid(id))).await),
        Op::AddSession { id, user } => {
            let session = Session {
                id: SessionId(uuid(id)),
                id_hash: vec![id; 32],
                ..session(uuid(user))
            };
            said(tx.users().insert_session(&session).await)
        }
        Op::RevokeSessions { user, at } => said(tx.users().revoke_sessions_of(UserId(uuid(user)), time(at)).await),
        Op::AddInstallation { id } => said(tx.installations().insert(&enabled(id, 1)).await),
        Op::UpdateInstallation { id, generation } => {
            said(tx.installations().update(&enabled(id, i64::from(generation))).await)
        }
        Op::DeleteInstallation { id } => said(tx.installations().delete(plugin(id)).await),
        Op::AddIdentity {
            installation,
            user,
            subject,
        } => {
            let identity = Identity {
                installation_id: plugin(installation),
                issuer: "i".to_owned(),
                subject: subject.to_string(),
                user_id: UserId(uuid(user)),
                created_at: at(0),
            };
            said(tx.users().insert_identity(&identity).await)
        }
        Op::AddSecret { installation, version } => {
            let secret = StoredSecret {
                installation_id: plugin(installation),
                name: "s".to_owned(),
                version: i64::from(version),
                sealed: vec![version],
                created_at: at(0),
            };
            said(tx.installations().insert_secret(&secret).await)
        }
        Op::PutKey {
            installation,
            key,
            value,
            expires,
            version,
            now,
        } => {
            let (key, expires) = (key.to_string(), expires.map(time));
            let table = tx.machinery();
            let version = version.map(i64::from);
            said(
                table
                    .kv_put(
                        plugin(installation),
                        &key,
                        value.as_bytes(),
                        expires,
                        version,
                        time(now),
                    )
                    .await,
            )
        }
        Op::RemoveKey { installation, key } => {
            said(tx.machinery().kv_remove(plugin(installation), &key.to_string()).await)
        }
        Op::AddLogin {
            id,
            installation,
            expires,
        } => {
            let login = PendingLogin {
                id: LoginId(uuid(id)),
                ..login(plugin(installation), time(expires))
            };
            said(tx.machinery().insert_login(&login).await)
        }
        Op::TakeLogin { id, installation } => said(
            tx.machinery()
                .take_login(LoginId(uuid(id)), &[7; 32], plugin(installation))
                .await,
        ),
        Op::Sweep { now } => said(tx.machinery().sweep(time(now)).await),
        Op::Record {
            id,
            event,
            quantity,
            hours,
        } => {
            let event = UsageEvent {
                id: UsageEventId(uuid(id)),
                event_id: event.to_string(),
                ..usage_event("m", i64::from(quantity), at(i64::from(hours) * 3_600_000))
            };
            said(tx.usage().record(&event).await)
        }
        Op::Count { amount, cap } => said(
            tx.usage()
                .count("m", at(0), i64::from(amount), cap.map(i64::from))
                .await,
        ),
        Op::AddOrder { id, key, keep } => {
            let number = tx.orders().next_number().await;
            if !keep {
                return said(number);
            }
            let order = Order {
                id: OrderId(uuid(id)),
                idempotency_key: key.map(|k| k.to_string()),
                ..order(number.unwrap(), plugin(0))
            };
            said(tx.orders().insert(&order).await)
        }
        Op::PayOrder { id, from } => {
            let expected = OrderStatus::ALL[usize::from(from)];
            let Ok(Some(found)) = tx.orders().get(OrderId(uuid(id))).await else {
                return "no order".to_owned();
            };
            let paid = Order {
                status: OrderStatus::Paid,
                paid_minor: Some(i64::from(from)),
                ..found
            };
            said(tx.orders().update(&paid, expected).await)
        }
        Op::Claim { installation, event } => said(
            tx.orders()
                .claim_event(plugin(installation), &event.to_string(), "k", at(0))
                .await,
        ),
        Op::Push { id, at } => {
            let message = OutboxMessage {
                id: JobId(uuid(id)),
                ..message("k", time(at))
            };
            said(tx.push_outbox(&message).await)
        }
        Op::Relay { id } => said(tx.machinery().delete_outbox(&[JobId(uuid(id))]).await),
        Op::SealKey { subject, wrapped } => {
            let key = SubjectKey {
                subject: SubjectId(uuid(subject)),
                wrapped: vec![wrapped],
                created_at: at(0),
            };
            said(tx.subject_keys().get_or_insert(&key).await)
        }
        Op::Search {
            text,
            after,
            oldest_first,
            limit,
        } => {
            let page = Page {
                limit: i64::from(limit),
                after: Some(uuid(after)),
                newest_first: !oldest_first,
                q: Some(text),
            };
            let users = said(tx.users().list(&page).await);
            let orders = said(tx.orders().list(&page, None).await);
            let events = said(tx.usage().events(&page, None).await.map(|e| e.len()));
            format!("{users} {orders} {events}")
        }
        Op::Enqueue { .. } | Op::Lease { .. } | Op::End { .. } | Op::Setting { .. } => unreachable!("the platform's"),
    }
}

async fn platform_step(store: &dyn Store, op: &Op) -> String {
    let mut tx = store.platform().await.unwrap();
    let answer = match op.clone() {
        Op::Enqueue { id, due } => {
            let job = Job {
                id: JobId(uuid(id)),
                ..job("k", time(due))
            };
            said(tx.jobs().enqueue(&job).await)
        }
        Op::Lease { now } => said(tx.jobs().lease(time(now), time(now + 2)).await),
        Op::End {
            id,
            attempts,
            well: true,
            at,
        } => said(tx.jobs().finish(JobId(uuid(id)), i64::from(attempts), time(at)).await),
        Op::End {
            id,
            attempts,
            well: false,
            at,
        } => {
            let id = JobId(uuid(id));
            said(
                tx.jobs()
                    .fail(id, i64::from(attempts), "e", time(at + 1), time(at))
                    .await,
            )
        }
        Op::Setting { name, value, new } => {
            let name = name.to_string();
            if new {
                said(tx.settings().put_new(&name, &[value], at(0)).await)
            } else {
                said(tx.settings().put(&name, &[value], at(0)).await)
            }
        }
        _ => unreachable!("a tenant's"),
    };
    let rest = format!(
        "{} {} {}",
        said(tx.jobs().list(&page(200), None).await),
        said(tx.jobs().next_due().await),
        said(tx.settings().with_prefix("").await)
    );
    tx.commit(audit("step")).await.unwrap();
    format!("{answer} · {rest}")
}

fn member(id: u8, email: u8, owner: bool) -> User {
    User {
        id: UserId(uuid(id)),
        role: if owner { Role::Owner } else { Role::Member },
        ..user(&format!("{email}@b.c"), "Aä C_1")
    }
}

fn enabled(id: u8, generation: i64) -> Installation {
    Installation {
        id: plugin(id),
        generation,
        ..installation("payment")
    }
}

/// Everything a tenant has.
async fn state(store: &dyn Store, scope: &TenantScope) -> String {
    let mut read = store.tenant_read(scope).await.unwrap();
    let all = page(200);
    let mut text = vec![
        said(read.users().list(&all).await),
        said(read.users().count_owners().await),
        said(read.installations().list(&all, None).await),
        said(read.usage().events(&all, None).await.map(|events| {
            events
                .into_iter()
                .map(|e| (e.id, e.event_id, e.quantity, e.occurred_at))
                .collect::<Vec<_>>()
        })),
        said(read.usage().buckets(None, Timestamp(0), Timestamp(i64::MAX)).await),
        said(read.usage().counter("m", at(0)).await),
        said(read.orders().list(&all, None).await),
        said(read.machinery().outbox(99).await),
        said(read.audit().leaves(0, 1000).await.map(|rows| {
            rows.into_iter()
                .map(|row| (row.seq, row.body, row.leaf_hash))
                .collect::<Vec<_>>()
        })),
        said(read.audit().frontier().await),
    ];
    for n in 0..4 {
        text.push(said(read.users().identities(UserId(uuid(n))).await));
        text.push(said(read.users().find_session(&[n; 32]).await));
        text.push(said(read.installations().secrets(plugin(n)).await));
        text.push(said(read.machinery().kv_use(plugin(n)).await));
        text.push(said(read.subject_keys().get(SubjectId(uuid(n))).await));
        for key in 0..4 {
            text.push(said(read.machinery().kv_get(plugin(n), &key.to_string()).await));
        }
    }
    text.join("\n")
}

#[test]
fn both_stores_answer_the_same() {
    let Some(database) = support::database() else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (sqlite, postgres): (Arc<dyn Store>, Arc<dyn Store>) = runtime.block_on(async {
        let sqlite = SqliteStore::open(SqliteConfig::new(dir.path())).await.unwrap();
        (sqlite, PostgresStore::connect(database.config()).await.unwrap())
    });
    let config = Config {
        cases: 40,
        max_shrink_iters: 200,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = TestRunner::new(config);
    let sequences = proptest::collection::vec(op(), 1..60);
    let outcome = runner.run(&sequences, |ops| {
        runtime.block_on(async {
            // The same tenant name on both, a fresh one for each sequence.
            let slug = format!("t{}", turn());
            let on_sqlite = scope_of(&*sqlite, &slug, Isolation::Row).await;
            let on_postgres = scope_of(&*postgres, &slug, Isolation::Row).await;
            for (n, op) in ops.iter().enumerate() {
                let one = step(&*sqlite, &on_sqlite, op, n).await;
                let two = step(&*postgres, &on_postgres, op, n).await;
                prop_assert_eq!(one, two, "step {}: {:?}", n, op);
            }
            let one = state(&*sqlite, &on_sqlite).await;
            let two = state(&*postgres, &on_postgres).await;
            prop_assert_eq!(one, two);
            Ok(())
        })
    });
    if let Err(e) = outcome {
        panic!("{e}");
    }
    runtime.block_on(async {
        sqlite.close().await;
        postgres.close().await;
    });
}
