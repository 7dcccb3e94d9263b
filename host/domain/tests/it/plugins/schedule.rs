//! What plugins do by the clock, what they publish, and what is demanded of secrets.

use crate::world::{PAYMENT, World, pointers};
use aistack_core::ProblemKind;
use aistack_domain::{
    TenantCtx,
    jobs::{self, JobHandler},
    plugins::{
        documents::document,
        installations::{self, Change, InstallationView},
        manifest,
        port::{Document, Event, Fault, FaultKind, JobRun},
        schedule::RunJob,
    },
};
use aistack_store::{InstallationStatus, Job, JobState, Page};
use serde_json::json;
use std::time::Duration;

const JOB: &str = "[[job]]\nname = \"sync\"\nevery = \"1h\"\n";

async fn scheduled(w: &World, t: &TenantCtx) -> InstallationView {
    w.install(&format!("{PAYMENT}{JOB}"), &json!({ "type": "object" }))
        .await;
    w.enable(t, "test.pay", json!({}), &[("key", "k")]).await.unwrap()
}

/// Does what is due, as the runner would; the jobs that wait afterwards.
async fn due(w: &World, t: &TenantCtx) -> Vec<Job> {
    jobs::relay(&w.app, &t.scope).await.unwrap();
    let now = aistack_core::Clock::now(&*w.clock);
    loop {
        let mut machine = w.app.store.platform_machine().await.unwrap();
        let Some(job) = machine
            .jobs()
            .lease(now, now.plus(Duration::from_secs(60)))
            .await
            .unwrap()
        else {
            break;
        };
        machine.commit().await.unwrap();
        if job.kind == "plugin.job" {
            if w.script.jobs.lock().unwrap().is_empty() {
                w.script.jobs.lock().unwrap().push_back(Ok(JobRun::default()));
            }
            RunJob.run(&w.app, &job).await.unwrap();
            // Whoever runs it again after a crash leaves no second one behind.
            let before = waiting(w).await;
            w.script.jobs.lock().unwrap().push_front(Ok(JobRun::default()));
            RunJob.run(&w.app, &job).await.unwrap();
            w.script.jobs.lock().unwrap().clear();
            assert_eq!(waiting(w).await, before);
        }
        let mut machine = w.app.store.platform_machine().await.unwrap();
        machine.jobs().finish(job.id, job.attempts, now).await.unwrap();
        machine.commit().await.unwrap();
    }
    waiting(w).await
}

async fn waiting(w: &World) -> Vec<Job> {
    let page = Page {
        limit: 100,
        ..Page::default()
    };
    let mut read = w.app.store.platform_read().await.unwrap();
    let mut all = read.jobs().list(&page, Some(JobState::Ready)).await.unwrap();
    all.retain(|j| j.kind == "plugin.job");
    all
}

#[tokio::test]
async fn a_job_runs_at_once_and_then_by_the_clock_with_its_cursor() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let made = scheduled(&w, &t).await;
    let run = |cursor: &str| {
        Ok(JobRun {
            cursor: Some(cursor.as_bytes().to_vec()),
            ..JobRun::default()
        })
    };
    w.script.jobs.lock().unwrap().push_back(run("page-2"));
    let next = due(&w, &t).await;
    assert_eq!(w.script.asked()[0], "job sync ");
    assert_eq!(next.len(), 1);
    let wait = next[0].run_at.since(aistack_core::Clock::now(&*w.clock));
    assert!(wait > Duration::ZERO && wait <= Duration::from_secs(3_600), "{wait:?}");
    assert!(!next[0].payload.contains("page-2"), "{}", next[0].payload);

    // A fault: the same cursor again, at the next time.
    w.clock.forward(wait);
    w.script
        .jobs
        .lock()
        .unwrap()
        .push_back(Err(Fault::new(FaultKind::Provider, "down", "down")));
    let next = due(&w, &t).await;
    assert_eq!(w.script.asked()[0], "job sync page-2");
    assert_eq!(
        next[0].run_at.since(aistack_core::Clock::now(&*w.clock)),
        Duration::from_secs(3_600)
    );
    w.clock.forward(Duration::from_secs(3_600));
    w.script.jobs.lock().unwrap().push_back(run("page-3"));
    due(&w, &t).await;
    assert_eq!(w.script.asked()[0], "job sync page-2");

    // Switched off it ends; switched on it is one chain, however often.
    let set = async |status| {
        let change = Change {
            status: Some(status),
            ..Change::default()
        };
        installations::update(&w.app, &t, made.id, change).await.unwrap();
    };
    for _ in 0..2 {
        set(InstallationStatus::Disabled).await;
        set(InstallationStatus::Active).await;
    }
    w.script.jobs.lock().unwrap().push_back(run("x"));
    assert_eq!(due(&w, &t).await.len(), 1);
    set(InstallationStatus::Disabled).await;
    w.clock.forward(Duration::from_secs(3_600));
    w.script.asked();
    assert_eq!((due(&w, &t).await.len(), w.script.asked().len()), (0, 0));
}

#[tokio::test]
async fn what_a_job_finds_is_applied_like_a_delivery() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let made = scheduled(&w, &t).await;
    let event = |n: u32| Event {
        id: format!("evt_{n}"),
        kind: "payment.paid".to_owned(),
        occurred_at: aistack_core::Clock::now(&*w.clock),
        subject: "ord_none".to_owned(),
        data: json!({ "status": "paid" }),
    };
    let run = JobRun {
        events: vec![event(1)],
        cursor: None,
        more: true,
    };
    w.script.jobs.lock().unwrap().push_back(Ok(run.clone()));
    jobs::relay(&w.app, &t.scope).await.unwrap();
    let starter = waiting(&w).await.pop().unwrap();
    RunJob.run(&w.app, &starter).await.unwrap();
    let trail = w.trail(&t).await;
    assert!(trail.contains(&"webhook.mismatch denied".to_owned()), "{trail:?}");
    let next = waiting(&w).await;
    let more = next.iter().find(|j| j.id != starter.id).unwrap();
    assert_eq!(
        more.run_at,
        aistack_core::Clock::now(&*w.clock),
        "there is more to do at once"
    );
    // The same event again has no second effect.
    w.script
        .jobs
        .lock()
        .unwrap()
        .push_back(Ok(JobRun { more: false, ..run }));
    RunJob.run(&w.app, more).await.unwrap();
    assert!(w.trail(&t).await.contains(&"webhook.repeated ok".to_owned()));
    let calls = w.script.asked();
    assert_eq!(calls, ["job sync ", "job sync "]);
    assert_eq!(made.version, "1.0.0");
}

#[tokio::test]
async fn documents_are_for_everybody_and_safe_to_show() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let made = w.till(&t).await;
    let get = async |name: &str| document(&w.app, &t, made.id, name).await;
    for none in ["metadata.xml", "", "../metadata.xml", &"x".repeat(201)] {
        assert_eq!(get(none).await.unwrap_err().kind, ProblemKind::NotFound, "{none:?}");
    }
    let publish = |media_type: &str| {
        let doc = Document {
            media_type: media_type.to_owned(),
            body: b"<x/>".to_vec(),
            max_age_s: u32::MAX,
        };
        *w.script.document.lock().unwrap() = Some(doc);
    };
    publish("application/samlmetadata+xml; charset=UTF-8");
    let found = get("metadata.xml").await.unwrap();
    assert_eq!(
        (found.media_type.as_str(), found.max_age_s),
        ("application/samlmetadata+xml; charset=utf-8", 86_400)
    );
    publish("text/html\r\nset-cookie: x");
    assert_eq!(
        get("metadata.xml").await.unwrap().media_type,
        "application/octet-stream"
    );
    let off = Change {
        status: Some(InstallationStatus::Disabled),
        ..Change::default()
    };
    installations::update(&w.app, &t, made.id, off).await.unwrap();
    assert_eq!(get("metadata.xml").await.unwrap_err().kind, ProblemKind::NotFound);
}

#[tokio::test]
async fn a_secret_is_held_to_its_kind() {
    let w = World::new().await;
    let t = w.tenant("acme").await;
    let keyed = PAYMENT.replace("name = \"key\"\n", "name = \"key\"\nkind = \"rsa-private\"\n");
    w.install(&keyed, &json!({ "type": "object" })).await;
    let p = w
        .enable(&t, "test.pay", json!({}), &[("key", "hunter2")])
        .await
        .unwrap_err();
    assert_eq!(pointers(&p), ["/secrets/key format"]);
    let (said, hint) = (&p.errors[0].message, p.errors[0].hint.as_ref().unwrap());
    assert!(said.contains("not a PEM") && hint.contains("BEGIN") && !said.contains("hunter2"));
}

#[test]
fn a_manifest_promises_nothing_that_is_not_kept() {
    let wrong = |text: String| {
        let found = manifest::lint(&text).unwrap_err();
        found
            .into_iter()
            .map(|f| format!("{} {}", f.pointer, f.code))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        wrong(format!("{PAYMENT}[failure]\npolicy = \"skip\"\n")),
        ["/failure/policy not_allowed"]
    );
    assert_eq!(
        wrong(format!("{PAYMENT}{}", JOB.replace("1h", "10s"))),
        ["/job/0/every too_short"]
    );
    let odd = PAYMENT.replace("name = \"key\"\n", "name = \"key\"\nkind = \"rsa-privat\"\n");
    assert_eq!(wrong(odd), ["/secret/0/kind not_allowed"]);
    assert_eq!(wrong(format!("{}{JOB}", crate::world::REPORT)), ["/job/0 not_allowed"]);
}
