//! Quotas against a real store: no race passes a limit, a restart loses nothing acknowledged, windows and limits move.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[path = "../testing/mod.rs"]
mod testing;

use aistack_core::{ProblemKind, Role};
use aistack_domain::{
    TenantCtx,
    audit::Draft,
    metering::{Accounting, Call, Counted, NewUsage, ingest, record},
    quota::{self, QuotaError, Reservation},
};
use aistack_store::Durability;
use proptest::{prelude::*, test_runner::Config};
use testing::TestApp;

const CALLS: &str = "api.calls";

async fn reserve(t: &TestApp, ctx: &TenantCtx, key: &str, amount: i64) -> Result<Reservation, QuotaError> {
    let app = &t.app;
    app.quota
        .reserve((&*app.store, &*app.clock), &ctx.scope, &ctx.tenant, CALLS, key, amount)
        .await
}

async fn settle(t: &TestApp, ctx: &TenantCtx, key: &str, reservation: Reservation) {
    let call = Call {
        event_id: key.to_owned(),
        ctx: ctx.clone(),
        counted: Some(Counted {
            reservation,
            meter: CALLS.to_owned(),
            quantity: 1,
            subject: String::new(),
            dimensions: serde_json::json!({}),
        }),
        draft: Draft::new("gateway.called", "route", "test"),
    };
    record(&t.app, call).await.unwrap();
}

async fn view(t: &TestApp, ctx: &TenantCtx) -> quota::QuotaView {
    let views = quota::list(&t.app, ctx).await.unwrap();
    views.into_iter().find(|v| v.meter.name == CALLS).unwrap()
}

proptest! {
    #![proptest_config(Config { cases: 12, ..Config::default() })]

    /// However calls race, are settled or given back, no more than the limit is ever granted at once, everything that
    /// was given back can be had again, and the store ends up with exactly what was settled.
    #[test]
    fn racing_reservations_never_pass_the_limit(
        limit in 0i64..40,
        calls in prop::collection::vec((any::<bool>(), 0u64..3), 1..80),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
        runtime.block_on(async {
            let t = std::sync::Arc::new(TestApp::new().await);
            let ctx = t.tenant("acme", "free", "UTC").await;
            quota::set_limit(&t.app, &ctx, CALLS, Some(limit)).await.unwrap();
            let tasks: Vec<_> = calls.iter().copied().enumerate().map(|(n, (settles, pause))| {
                let (t, ctx) = (t.clone(), ctx.clone());
                tokio::spawn(async move {
                    let key = format!("call {n}");
                    match reserve(&t, &ctx, &key, 1).await {
                        Ok(reservation) => {
                            let standing = reservation.standing();
                            assert!(standing.used <= limit, "{standing:?}");
                            tokio::time::sleep(std::time::Duration::from_micros(pause * 300)).await;
                            if settles { settle(&t, &ctx, &key, reservation).await; }
                            settles
                        }
                        Err(QuotaError::Exceeded(e)) => {
                            assert!(e.used >= limit, "{e:?}");
                            false
                        }
                        Err(e) => panic!("{e}"),
                    }
                })
            }).collect();
            let mut settled = 0;
            for task in tasks { settled += i64::from(task.await.unwrap()); }
            assert!(settled <= limit);
            let seen = view(&t, &ctx).await;
            assert_eq!(seen.used, settled, "what was given back is free again");
            // What is left can be had to the last one, and not one more.
            let left = limit - settled;
            let mut held = Vec::new();
            for n in 0..left { held.push(reserve(&t, &ctx, &format!("rest {n}"), 1).await.unwrap()); }
            assert!(matches!(reserve(&t, &ctx, "one more", 1).await, Err(QuotaError::Exceeded(_))));
            drop(held);
            let Ok(t) = std::sync::Arc::try_unwrap(t) else { panic!("still shared") };
            let t = t.restart().await;
            let ctx = t.tenant_ctx("acme").await;
            assert_eq!(view(&t, &ctx).await.used, settled, "a restart keeps what was acknowledged");
        });
    }
}

#[tokio::test]
async fn a_repeated_key_is_one_reservation() {
    let t = TestApp::new().await;
    let ctx = t.tenant("acme", "free", "UTC").await;
    quota::set_limit(&t.app, &ctx, CALLS, Some(2)).await.unwrap();
    let first = reserve(&t, &ctx, "a", 1).await.unwrap();
    let again = reserve(&t, &ctx, "a", 1).await.unwrap();
    assert_eq!(again.standing().used, 1);
    drop(again);
    assert_eq!(view(&t, &ctx).await.used, 1, "the first one still holds");
    settle(&t, &ctx, "a", first).await;
    let late = reserve(&t, &ctx, "a", 1).await.unwrap();
    assert_eq!(late.standing().used, 1, "settled already: nothing more is held");
    settle(&t, &ctx, "a", late).await;
    assert_eq!(view(&t, &ctx).await.used, 1);
    let _second = reserve(&t, &ctx, "b", 1).await.unwrap();
    assert!(reserve(&t, &ctx, "c", 1).await.is_err());
}

#[tokio::test]
async fn a_refusal_says_what_until_when_and_where_to_get_more() {
    let t = TestApp::new().await;
    t.clock.set("2026-02-10T12:00:00Z");
    let ctx = t.tenant("acme", "free", "Asia/Shanghai").await;
    quota::set_limit(&t.app, &ctx, CALLS, Some(0)).await.unwrap();
    let refused = reserve(&t, &ctx, "a", 1).await.unwrap_err();
    let problem = refused.into_problem(&quota::upgrade_url(&t.app, "acme"));
    assert_eq!(problem.kind, ProblemKind::QuotaExceeded);
    assert_eq!(problem.extras["meter"], CALLS);
    assert_eq!(problem.extras["limit"], 0);
    assert_eq!(problem.extras["reset_at"], "2026-02-28T16:00:00Z");
    assert_eq!(
        problem.extras["upgrade_url"],
        "http://localhost:8080/t/acme/console/usage"
    );
}

#[tokio::test]
async fn limits_come_from_the_plan_or_the_tenant_and_change_at_once() {
    let t = TestApp::new().await;
    let ctx = t.tenant("acme", "free", "UTC").await;
    assert_eq!(view(&t, &ctx).await.limit, Some(1_000));
    let _held = reserve(&t, &ctx, "a", 1_000).await.unwrap();
    assert!(reserve(&t, &ctx, "b", 1).await.is_err());
    let set = quota::set_limit(&t.app, &ctx, CALLS, None).await.unwrap();
    assert_eq!((set.limit, set.remaining), (None, None));
    let more = reserve(&t, &ctx, "b", 1_000_000).await.unwrap();
    assert_eq!(more.standing().limit, None);
    drop(more);
    quota::clear_limit(&t.app, &ctx, CALLS).await.unwrap();
    assert_eq!(view(&t, &ctx).await.limit, Some(1_000));
    assert!(
        reserve(&t, &ctx, "c", 1).await.is_err(),
        "the hold outlived the changes"
    );
    let missing = quota::clear_limit(&t.app, &ctx, CALLS).await.unwrap_err();
    assert_eq!(missing.kind, ProblemKind::NotFound);
    for (name, limit, kind) in [
        ("api.call", Some(1), ProblemKind::NotFound),
        (CALLS, Some(-1), ProblemKind::ValidationFailed),
    ] {
        assert_eq!(
            quota::set_limit(&t.app, &ctx, name, limit).await.unwrap_err().kind,
            kind
        );
    }
    let actions = t.actions(&ctx).await;
    let changes: Vec<_> = actions.iter().filter(|a| a.starts_with("quota.")).collect();
    assert_eq!(changes, ["quota.limit_set", "quota.limit_cleared"]);
}

#[tokio::test]
async fn a_new_month_starts_again_and_an_old_reservation_does_not_count_in_it() {
    let t = TestApp::new().await;
    t.clock.set("2026-01-31T23:59:50Z");
    let ctx = t.tenant("acme", "free", "UTC").await;
    quota::set_limit(&t.app, &ctx, CALLS, Some(1)).await.unwrap();
    let old = reserve(&t, &ctx, "old", 1).await.unwrap();
    t.clock.set("2026-02-01T00:00:10Z");
    let new = reserve(&t, &ctx, "new", 1).await.unwrap();
    settle(&t, &ctx, "old", old).await;
    settle(&t, &ctx, "new", new).await;
    assert_eq!(view(&t, &ctx).await.used, 1);
    let mut read = t.app.store.tenant_read(&ctx.scope).await.unwrap();
    for start in ["2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"] {
        let counted = read.usage().counter(CALLS, start.parse().unwrap()).await.unwrap();
        assert_eq!(counted, 1, "{start}");
    }
}

#[tokio::test]
async fn moving_to_another_time_zone_does_not_refill_the_quota() {
    let t = TestApp::new().await;
    t.clock.set("2026-03-15T12:00:00Z");
    let ctx = t.tenant("acme", "free", "UTC").await;
    quota::set_limit(&t.app, &ctx, CALLS, Some(3)).await.unwrap();
    for key in ["a", "b"] {
        let r = reserve(&t, &ctx, key, 1).await.unwrap();
        settle(&t, &ctx, key, r).await;
    }
    let mut moved = ctx.clone();
    let mut tenant = (*ctx.tenant).clone();
    tenant.time_zone = "Asia/Tokyo".to_owned();
    moved.tenant = std::sync::Arc::new(tenant);
    assert_eq!(view(&t, &moved).await.used, 2);
    let r = reserve(&t, &moved, "c", 1).await.unwrap();
    settle(&t, &moved, "c", r).await;
    assert!(reserve(&t, &moved, "d", 1).await.is_err());
    assert_eq!(view(&t, &moved).await.used, 3);
}

#[tokio::test]
async fn reported_usage_counts_towards_the_quota() {
    let t = TestApp::new().await;
    let ctx = t.tenant("acme", "free", "UTC").await;
    quota::set_limit(&t.app, &ctx, CALLS, Some(10)).await.unwrap();
    let held = reserve(&t, &ctx, "a", 1).await.unwrap();
    let event = NewUsage {
        source: "batch".to_owned(),
        id: "1".to_owned(),
        meter: CALLS.to_owned(),
        quantity: 9,
        occurred_at: aistack_core::Clock::now(&*t.clock),
        subject: None,
        dimensions: None,
    };
    ingest(&t.app, &ctx, std::slice::from_ref(&event)).await.unwrap();
    assert!(reserve(&t, &ctx, "b", 1).await.is_err());
    settle(&t, &ctx, "a", held).await;
    assert_eq!(view(&t, &ctx).await.used, 10);
}

#[tokio::test]
async fn members_are_counted_from_the_truth() {
    let t = TestApp::new().await;
    let ctx = t.tenant("acme", "free", "UTC").await;
    for n in 0..4 {
        t.member(&ctx, &format!("m{n}@example.test"), Role::Member).await;
    }
    let mut tx = t.app.store.tenant(&ctx.scope).await.unwrap();
    quota::ensure_users(&mut *tx, &ctx.tenant, 1).await.unwrap();
    let refused = quota::ensure_users(&mut *tx, &ctx.tenant, 2).await.unwrap_err();
    assert!(matches!(refused, QuotaError::Exceeded(e) if e.limit == 5 && e.used == 4 && e.reset_at.is_none()));
    drop(tx);
    let views = quota::list(&t.app, &ctx).await.unwrap();
    let users = views.into_iter().find(|v| v.meter.name == "users").unwrap();
    assert_eq!((users.limit, users.used, users.remaining), (Some(5), 4, Some(1)));
}

#[tokio::test]
async fn accounting_behind_answers_first_and_counts_all_the_same() {
    let t = TestApp::with(Accounting::Behind, Durability::Crash).await;
    let ctx = t.tenant("acme", "free", "UTC").await;
    for n in 0..50 {
        let key = format!("{n}");
        let r = reserve(&t, &ctx, &key, 1).await.unwrap();
        settle(&t, &ctx, &key, r).await;
    }
    while !t.app.recorder.is_idle() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert_eq!(view(&t, &ctx).await.used, 50);
    let calls = t.actions(&ctx).await.iter().filter(|a| *a == "gateway.called").count();
    assert_eq!(calls, 50);
}
