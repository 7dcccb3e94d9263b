//! Durable jobs against a real store: relayed once, tried until done, given up at the end, picked up after a crash.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[path = "../testing/mod.rs"]
mod testing;

use aistack_core::{Clock, Entropy, JobId, ProblemKind};
use aistack_domain::{
    App, Ctx, TenantCtx,
    audit::{Draft, for_tenant},
    jobs::{self, Backoff, Handlers, JobError, JobHandler, Runner, Settings},
};
use aistack_store::{Audit, Job, JobState, OutboxMessage};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use testing::TestApp;
use tokio::time::sleep;

fn settings() -> Settings {
    Settings {
        poll: Duration::from_millis(20),
        lease: Duration::from_millis(300),
        backoff: Backoff {
            first: Duration::from_millis(10),
            most: Duration::from_millis(40),
        },
        ..Settings::default()
    }
}

/// Fails `failures` times, then works; counts tries.
struct Flaky {
    tries: AtomicUsize,
    failures: usize,
    fatal: bool,
    takes: Duration,
}

impl Flaky {
    fn new(failures: usize) -> Arc<Self> {
        Arc::new(Self {
            tries: AtomicUsize::new(0),
            failures,
            fatal: false,
            takes: Duration::ZERO,
        })
    }
    fn tries(&self) -> usize {
        self.tries.load(Ordering::SeqCst)
    }
}

#[async_trait::async_trait]
impl JobHandler for Flaky {
    fn kind(&self) -> &'static str {
        "test.flaky"
    }
    async fn run(&self, _: &App, job: &Job) -> Result<(), JobError> {
        let before = self.tries.fetch_add(1, Ordering::SeqCst);
        sleep(self.takes).await;
        if job.payload == "\"panic\"" && before == 0 {
            panic!("a handler's bug");
        }
        match before < self.failures {
            true if self.fatal => Err(JobError::fatal("never")),
            true => Err(JobError::retry("not yet")),
            false => Ok(()),
        }
    }
}

async fn push(t: &TestApp, ctx: &TenantCtx, payload: &str, max_attempts: i64) -> JobId {
    let app = &t.app;
    let now = app.clock.now();
    let message = OutboxMessage {
        id: JobId::new(&*app.clock, &*app.rng),
        kind: "test.flaky".to_owned(),
        payload: payload.to_owned(),
        run_at: now,
        max_attempts,
        created_at: now,
    };
    let mut tx = app.store.tenant(&ctx.scope).await.unwrap();
    tx.push_outbox(&message).await.unwrap();
    let entry = for_tenant(app, &mut *tx, ctx, Draft::new("test.pushed", "job", message.id))
        .await
        .unwrap();
    tx.commit(Audit::one(entry)).await.unwrap();
    message.id
}

async fn job(t: &TestApp, id: JobId) -> Option<Job> {
    t.app.store.platform_read().await.unwrap().jobs().get(id).await.unwrap()
}

async fn until(t: &TestApp, id: JobId, state: JobState) -> Job {
    for _ in 0..500 {
        if let Some(job) = job(t, id).await.filter(|j| j.state == state) {
            return job;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("never {state}: {:?}", job(t, id).await);
}

#[tokio::test]
async fn a_message_becomes_one_job_that_is_tried_until_it_works() {
    let t = TestApp::new().await;
    let ctx = t.tenant("acme", "free", "UTC").await;
    let handler = Flaky::new(2);
    let runner = Runner::start(t.app.clone(), Handlers::default().with(handler.clone()), settings());
    let id = push(&t, &ctx, "{}", 5).await;
    jobs::wake(&t.app, &ctx.scope);
    let done = until(&t, id, JobState::Done).await;
    assert_eq!((done.attempts, handler.tries()), (3, 3));
    assert_eq!(done.tenant_id, Some(ctx.scope.id()));
    // Relaying the same message again (a crash between both halves) adds nothing.
    assert_eq!(jobs::relay(&t.app, &ctx.scope).await.unwrap(), 0);
    runner.stop().await;
    assert_eq!(handler.tries(), 3);
}

#[tokio::test]
async fn a_crash_between_both_halves_of_the_relay_repeats_nothing() {
    let t = TestApp::new().await;
    let ctx = t.tenant("acme", "free", "UTC").await;
    let id = push(&t, &ctx, "{}", 5).await;
    // The first half alone: the job is there, the message still is, too.
    let now = t.clock.now();
    let mut platform = t.app.store.platform_machine().await.unwrap();
    let twin = Job {
        id,
        tenant_id: Some(ctx.scope.id()),
        kind: "test.flaky".to_owned(),
        payload: "{}".to_owned(),
        state: JobState::Ready,
        attempts: 0,
        max_attempts: 5,
        run_at: now,
        lease_until: None,
        last_error: None,
        created_at: now,
        updated_at: now,
    };
    assert!(platform.jobs().enqueue(&twin).await.unwrap());
    platform.commit().await.unwrap();
    let handler = Flaky::new(0);
    // No wake: the sweep at the start finds it.
    let runner = Runner::start(t.app.clone(), Handlers::default().with(handler.clone()), settings());
    until(&t, id, JobState::Done).await;
    sleep(Duration::from_millis(100)).await;
    runner.stop().await;
    assert_eq!(handler.tries(), 1);
    let left = t
        .app
        .store
        .tenant_read(&ctx.scope)
        .await
        .unwrap()
        .machinery()
        .outbox(10)
        .await
        .unwrap();
    assert!(left.is_empty());
}

#[tokio::test]
async fn a_job_is_dead_after_its_last_try_until_an_operator_retries_it() {
    let t = TestApp::new().await;
    let ctx = t.tenant("acme", "free", "UTC").await;
    let handler = Flaky::new(3);
    let runner = Runner::start(t.app.clone(), Handlers::default().with(handler.clone()), settings());
    let id = push(&t, &ctx, "{}", 3).await;
    jobs::wake(&t.app, &ctx.scope);
    let dead = until(&t, id, JobState::Dead).await;
    assert_eq!((dead.attempts, dead.last_error.as_deref()), (3, Some("not yet")));
    let operator = Ctx::system(None);
    assert_eq!(
        jobs::list(&t.app, &Default::default(), Some(JobState::Dead))
            .await
            .unwrap()
            .len(),
        1
    );
    jobs::retry(&t.app, &operator, id).await.unwrap();
    until(&t, id, JobState::Done).await;
    assert_eq!(handler.tries(), 4);
    let refused = jobs::retry(&t.app, &operator, id).await.unwrap_err();
    assert_eq!(refused.kind, ProblemKind::Conflict);
    let unknown = JobId(uuid::Uuid::from_bytes(t.app.rng.bytes()));
    assert_eq!(
        jobs::retry(&t.app, &operator, unknown).await.unwrap_err().kind,
        ProblemKind::NotFound
    );
    runner.stop().await;
}

#[tokio::test]
async fn a_fatal_failure_is_not_tried_again_and_a_panic_is() {
    let t = TestApp::new().await;
    let ctx = t.tenant("acme", "free", "UTC").await;
    let fatal = Arc::new(Flaky {
        fatal: true,
        ..Arc::into_inner(Flaky::new(1)).unwrap()
    });
    let runner = Runner::start(t.app.clone(), Handlers::default().with(fatal.clone()), settings());
    let id = push(&t, &ctx, "{}", 9).await;
    jobs::wake(&t.app, &ctx.scope);
    let dead = until(&t, id, JobState::Dead).await;
    assert_eq!((dead.attempts, fatal.tries()), (1, 1));
    runner.stop().await;

    let panics = Flaky::new(0);
    let runner = Runner::start(t.app.clone(), Handlers::default().with(panics.clone()), settings());
    let id = push(&t, &ctx, "\"panic\"", 9).await;
    jobs::wake(&t.app, &ctx.scope);
    let done = until(&t, id, JobState::Done).await;
    assert_eq!((done.attempts, panics.tries()), (2, 2));
    runner.stop().await;
}

#[tokio::test]
async fn an_unknown_kind_waits_for_somebody_who_knows_it() {
    let t = TestApp::new().await;
    let ctx = t.tenant("acme", "free", "UTC").await;
    let id = push(&t, &ctx, "{}", 20).await;
    let runner = Runner::start(t.app.clone(), Handlers::default(), settings());
    for _ in 0..100 {
        if job(&t, id)
            .await
            .is_some_and(|j| j.attempts > 0 && j.state == JobState::Ready)
        {
            break;
        }
        sleep(Duration::from_millis(10)).await;
    }
    let waiting = job(&t, id).await.unwrap();
    assert!(waiting.last_error.unwrap().contains("test.flaky"));
    runner.stop().await;
    let runner = Runner::start(t.app.clone(), Handlers::default().with(Flaky::new(0)), settings());
    until(&t, id, JobState::Done).await;
    runner.stop().await;
}

#[tokio::test]
async fn a_long_job_keeps_its_lease_and_an_orderly_stop_waits_for_it() {
    let t = TestApp::new().await;
    let ctx = t.tenant("acme", "free", "UTC").await;
    let slow = Arc::new(Flaky {
        takes: Duration::from_millis(1_000),
        ..Arc::into_inner(Flaky::new(0)).unwrap()
    });
    let id = push(&t, &ctx, "{}", 5).await;
    let handlers = Handlers::default().with(slow.clone());
    let one = Runner::start(t.app.clone(), handlers.clone(), settings());
    let other = Runner::start(t.app.clone(), handlers, settings());
    until(&t, id, JobState::Running).await;
    sleep(Duration::from_millis(500)).await;
    // Past the first lease: the other runner must not have taken it.
    assert_eq!(slow.tries(), 1);
    tokio::join!(one.stop(), other.stop());
    let done = job(&t, id).await.unwrap();
    assert_eq!((done.state, done.attempts, slow.tries()), (JobState::Done, 1, 1));
}

#[tokio::test]
async fn the_job_of_a_dead_worker_is_taken_over() {
    let t = TestApp::new().await;
    let ctx = t.tenant("acme", "free", "UTC").await;
    let id = push(&t, &ctx, "{}", 5).await;
    jobs::relay(&t.app, &ctx.scope).await.unwrap();
    // A worker that leased it and then died.
    let now = t.clock.now();
    let mut machine = t.app.store.platform_machine().await.unwrap();
    let leased = machine
        .jobs()
        .lease(now, now.plus(Duration::from_millis(200)))
        .await
        .unwrap();
    assert_eq!(leased.map(|j| j.id), Some(id));
    machine.commit().await.unwrap();
    let t = t.restart().await;
    let handler = Flaky::new(0);
    let runner = Runner::start(t.app.clone(), Handlers::default().with(handler.clone()), settings());
    let done = until(&t, id, JobState::Done).await;
    assert_eq!((done.attempts, handler.tries()), (2, 1));
    runner.stop().await;
}
