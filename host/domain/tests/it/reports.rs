//! Reports: asking, generating, cancelling, fetching.

use crate::{
    runtime::ReportScript,
    world::{REPORT, World, pointers},
};
use aistack_core::{ProblemKind, Timestamp, UsageEventId};
use aistack_domain::{
    Problem, TenantCtx,
    jobs::{JobError, JobHandler},
    plugins::{installations::InstallationView, port::*},
    reports::{self, NewRun, RunReport, RunView},
};
use aistack_store::{Audit, Job, JobState, RunStatus, UsageEvent};
use serde_json::{Value, json};
use std::time::Duration;

async fn printer(w: &World, t: &TenantCtx) -> InstallationView {
    w.install(REPORT, &json!({ "type": "object" })).await;
    w.enable(t, "test.report", json!({}), &[]).await.unwrap()
}

fn wanted(p: &InstallationView, params: Value) -> NewRun {
    NewRun {
        installation: p.id,
        report: "usage".to_owned(),
        format: "csv".to_owned(),
        params,
    }
}

async fn ask(w: &World, t: &TenantCtx, p: &InstallationView) -> (RunView, Job) {
    let run = reports::create(&w.app, t, wanted(p, json!({}))).await.unwrap();
    let mut read = w.app.store.tenant_read(&t.scope).await.unwrap();
    let id = run.id.to_string();
    let all = read.machinery().outbox(50).await.unwrap();
    let message = all
        .into_iter()
        .find(|m| m.kind == "report.run" && m.payload.contains(&id))
        .unwrap();
    let now = aistack_core::Clock::now(&*w.clock);
    let job = Job {
        id: message.id,
        tenant_id: Some(t.scope.id()),
        kind: message.kind,
        payload: message.payload,
        state: JobState::Running,
        attempts: 1,
        max_attempts: message.max_attempts,
        run_at: now,
        lease_until: None,
        last_error: None,
        created_at: now,
        updated_at: now,
    };
    (run, job)
}

async fn generate(w: &World, t: &TenantCtx, p: &InstallationView, script: ReportScript) -> RunView {
    let (run, job) = ask(w, t, p).await;
    w.script.reports.lock().unwrap().push_back(script);
    RunReport.run(&w.app, &job).await.unwrap();
    reports::get(&w.app, t, run.id).await.unwrap()
}

async fn bytes(w: &World, t: &TenantCtx, run: &RunView) -> Result<Vec<u8>, Problem> {
    let (_, key) = reports::file(&w.app, t, run.id).await?;
    Ok(w.app.objects.read(&key).await.unwrap())
}

async fn used(w: &World, t: &TenantCtx, at: &str, meter: &str, quantity: i64) {
    let now: Timestamp = at.parse().unwrap();
    let mut tx = w.app.store.tenant(&t.scope).await.unwrap();
    let event = UsageEvent {
        id: UsageEventId::new(&*w.clock, &*w.rng),
        source: "test".to_owned(),
        event_id: format!("{at}-{meter}"),
        meter: meter.to_owned(),
        quantity,
        subject: String::new(),
        dimensions: "{}".to_owned(),
        occurred_at: now,
        ingested_at: now,
    };
    assert!(tx.usage().record(&event).await.unwrap());
    let draft = aistack_domain::audit::Draft::new("usage.reported", "usage", "test");
    let entry = aistack_domain::audit::for_tenant(&w.app, &mut *tx, t, draft)
        .await
        .unwrap();
    tx.commit(Audit::one(entry)).await.unwrap();
}

#[tokio::test]
async fn only_what_is_offered_can_be_asked_for() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let p = printer(&w, &t).await;
    let offered = reports::offered(&w.app, &t).await.unwrap();
    assert_eq!(offered.len(), 1);
    assert_eq!(
        (offered[0].report.as_str(), offered[0].name.zh_cn.as_deref()),
        ("usage", Some("用量"))
    );
    let good = wanted(&p, json!({}));
    let till = w.till(&t).await;
    for (bad, expected) in [
        (
            NewRun {
                report: "x".into(),
                ..good.clone()
            },
            "/report not_found",
        ),
        (
            NewRun {
                format: "pdf".into(),
                ..good.clone()
            },
            "/format not_allowed",
        ),
        (
            NewRun {
                installation: till.id,
                ..good.clone()
            },
            "/installation not_found",
        ),
        (wanted(&p, json!({ "top": 0 })), "/params/top too_small"),
        (wanted(&p, json!({ "from": "yesterday" })), "/params/from format"),
        (wanted(&p, json!({ "sql": "drop" })), "/params/sql unknown_member"),
    ] {
        let e = reports::create(&w.app, &t, bad).await.unwrap_err();
        assert_eq!(
            (e.kind, pointers(&e)),
            (ProblemKind::ValidationFailed, vec![expected.to_owned()])
        );
    }
    let run = reports::create(&w.app, &t, good).await.unwrap();
    assert_eq!((run.status, run.params), (RunStatus::Queued, json!({ "top": 10 })));
}

#[tokio::test]
async fn usage_is_shown_by_the_tenants_own_days() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let other = w.tenant("globex").await;
    let p = printer(&w, &t).await;
    // Shanghai is eight hours ahead: 16:00 UTC begins the next day.
    for (at, meter, quantity) in [
        ("2026-03-01T15:59:59Z", "api.calls", 1),
        ("2026-03-01T16:00:00Z", "api.calls", 2),
        ("2026-03-02T15:30:00Z", "api.calls", 4),
        ("2026-03-02T03:00:00Z", "ai.tokens", 100),
        ("2026-03-03T16:00:00Z", "api.calls", 8),
    ] {
        used(&w, &t, at, meter, quantity).await;
    }
    used(&w, &other, "2026-03-02T03:00:00Z", "api.calls", 1_000_000).await;
    let script = ReportScript::Csv {
        dataset: "usage.daily".to_owned(),
        filter: json!({ "from": "2026-03-01", "to": "2026-03-03" }),
    };
    let run = generate(&w, &t, &p, script).await;
    assert_eq!((run.status, run.progress), (RunStatus::Succeeded, 100));
    let text = String::from_utf8(bytes(&w, &t, &run).await.unwrap()).unwrap();
    assert_eq!(
        text,
        "day,meter,quantity,unit,events\n\
         2026-03-01,api.calls,1,call,1\n\
         2026-03-02,ai.tokens,100,token,1\n\
         2026-03-02,api.calls,6,call,2\n"
    );
    let file = run.file.unwrap();
    assert_eq!(
        (file.name.as_str(), file.bytes),
        ("usage.csv", i64::try_from(text.len()).unwrap())
    );
    assert_eq!(
        w.trail(&t).await[7..],
        [
            "report.requested ok",
            "report.started ok",
            "report.succeeded ok",
            "report.downloaded ok"
        ]
    );
    // Another tenant has neither the run nor the file.
    assert_eq!(
        reports::file(&w.app, &other, run.id).await.unwrap_err().kind,
        ProblemKind::NotFound
    );
}

#[tokio::test]
async fn a_generator_sees_only_what_it_was_granted() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let p = printer(&w, &t).await;
    for (dataset, filter, code) in [
        ("users", json!({}), "dataset_not_granted"),
        ("usage.daily", json!({ "tenant": "globex" }), "bad_filter"),
        ("usage.daily", json!({ "from": "2026-02-30" }), "bad_filter"),
        (
            "usage.daily",
            json!({ "from": "2026-03-02", "to": "2026-03-01" }),
            "bad_filter",
        ),
        (
            "usage.daily",
            json!({ "from": "2020-01-01", "to": "2026-01-01" }),
            "bad_filter",
        ),
    ] {
        let script = ReportScript::Csv {
            dataset: dataset.to_owned(),
            filter,
        };
        let run = generate(&w, &t, &p, script).await;
        assert_eq!(
            (run.status, &run.error.unwrap()["fault"]),
            (RunStatus::Failed, &json!(code))
        );
        assert!(run.file.is_none() && run.finished_at.is_some());
    }
}

#[tokio::test]
async fn a_run_that_fails_says_why_and_keeps_nothing() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let p = printer(&w, &t).await;
    let trap = Fault::new(FaultKind::Internal, "trap", "unreachable at 0x1234");
    let run = generate(&w, &t, &p, ReportScript::Fail(trap)).await;
    let error = run.error.clone().unwrap();
    assert_eq!(
        (run.status, &error["code"], &error["fault"]),
        (RunStatus::Failed, &json!("plugin_failed"), &json!("trap"))
    );
    assert!(!error.to_string().contains("0x1234"));
    assert_eq!(
        reports::file(&w.app, &t, run.id).await.unwrap_err().kind,
        ProblemKind::NotFound
    );
    let run = generate(&w, &t, &p, ReportScript::Bytes(65 << 20)).await;
    assert_eq!(
        (run.status, &run.error.unwrap()["fault"]),
        (RunStatus::Failed, &json!("file_too_large"))
    );
    // The host had no room: that is not the report's fault, and is tried again.
    let (run, job) = ask(&w, &t, &p).await;
    let full = || ReportScript::Fail(Fault::new(FaultKind::Internal, "pool_full", "busy"));
    w.script.reports.lock().unwrap().push_back(full());
    assert!(matches!(RunReport.run(&w.app, &job).await, Err(JobError::Retry(..))));
    assert_eq!(
        reports::get(&w.app, &t, run.id).await.unwrap().status,
        RunStatus::Running
    );
    // After a restart the job is taken up again and the run ends.
    w.script.reports.lock().unwrap().push_back(ReportScript::Bytes(10));
    RunReport
        .run(
            &w.app,
            &Job {
                attempts: 2,
                ..job.clone()
            },
        )
        .await
        .unwrap();
    assert_eq!(
        reports::get(&w.app, &t, run.id).await.unwrap().status,
        RunStatus::Succeeded
    );
    // And a job that comes once more changes nothing.
    RunReport.run(&w.app, &Job { attempts: 3, ..job }).await.unwrap();
}

#[tokio::test]
async fn a_cancelled_run_stops_and_keeps_no_file() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let p = printer(&w, &t).await;
    let (run, job) = ask(&w, &t, &p).await;
    w.script.reports.lock().unwrap().push_back(ReportScript::UntilCancelled);
    let app = w.app.clone();
    let working = tokio::spawn(async move { RunReport.run(&app, &job).await });
    let progressed = async {
        while reports::get(&w.app, &t, run.id).await.unwrap().progress != 40 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), progressed).await.unwrap();
    let after = reports::cancel(&w.app, &t, run.id).await.unwrap();
    assert_eq!(after.status, RunStatus::Cancelled);
    tokio::time::timeout(Duration::from_secs(20), working)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    let end = reports::get(&w.app, &t, run.id).await.unwrap();
    assert_eq!((end.status, end.file), (RunStatus::Cancelled, None));
    assert_eq!(
        reports::cancel(&w.app, &t, run.id).await.unwrap().status,
        RunStatus::Cancelled
    );
    // One that waits is cancelled before it starts.
    let (run, job) = ask(&w, &t, &p).await;
    reports::cancel(&w.app, &t, run.id).await.unwrap();
    RunReport.run(&w.app, &job).await.unwrap();
    assert_eq!(w.script.asked().iter().filter(|a| a.starts_with("run")).count(), 1);
    let done = generate(&w, &t, &p, ReportScript::Bytes(1)).await;
    assert_eq!(
        reports::cancel(&w.app, &t, done.id).await.unwrap_err().kind,
        ProblemKind::Conflict
    );
}
