//! Running a generator. A run whose process was killed is taken up again when its job's lease ends: the generator
//! starts anew, and what it had written before was never listed.

use super::{datasets::TenantDatasets, runs::announce};
use crate::{
    App, Ctx, Problem, TenantCtx, audit,
    billing::tenant_ctx,
    jobs::{JobError, JobHandler},
    plugins::{
        calls::{self, ProducedFile, RunContext},
        error::{Doing, clean, fault_problem},
        manifest::FailurePolicy,
        port::{Fault, PluginKind, ReportRequest},
        releases,
    },
};
use aistack_core::{JobId, Outcome, ProblemKind, ReportRunId, RequestId};
use aistack_store::{Audit, FileRow, Job, OutboxMessage, ReportRun, RunStatus, StoreError};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

/// The job's kind.
const KIND: &str = "report.run";
/// How often progress is written and cancellation is looked for.
const TICK: Duration = Duration::from_millis(500);

/// What a generator works on: the tenant's datasets, and a place for the files of this run. Without a run, one that is
/// kept nowhere.
pub(crate) fn context(app: &App, t: &TenantCtx, run: Option<ReportRunId>) -> RunContext {
    RunContext::new(
        run.unwrap_or_else(|| ReportRunId::new(&*app.clock, &*app.rng)),
        t.scope.clone(),
        Box::new(TenantDatasets {
            store: Arc::clone(&app.store),
            clock: Arc::clone(&app.clock),
            scope: t.scope.clone(),
            time_zone: t.tenant.time_zone.clone(),
        }),
        Arc::clone(&app.objects),
        Arc::clone(&app.clock),
        Arc::clone(&app.rng),
    )
}

#[derive(Debug, Deserialize)]
struct Payload {
    run: ReportRunId,
    request: Option<RequestId>,
}

/// The message that has a run done.
pub(super) fn message(app: &App, t: &TenantCtx, run: ReportRunId) -> OutboxMessage {
    let now = app.clock.now();
    OutboxMessage {
        id: JobId::new(&*app.clock, &*app.rng),
        kind: KIND.to_owned(),
        payload: json!({ "run": run, "request": t.ctx.request }).to_string(),
        run_at: now,
        max_attempts: 5,
        created_at: now,
    }
}

/// Job: makes one report.
#[derive(Debug)]
pub struct RunReport;

#[async_trait::async_trait]
impl JobHandler for RunReport {
    fn kind(&self) -> &'static str {
        KIND
    }
    async fn run(&self, app: &App, job: &Job) -> Result<(), JobError> {
        let payload: Payload = serde_json::from_str(&job.payload).map_err(JobError::fatal)?;
        let mut t = tenant_ctx(app, job).await?;
        t.ctx = Ctx::system(payload.request);
        let Some(run) = begin(app, &t, payload.run).await? else {
            return Ok(());
        };
        let attempt = u32::try_from(job.attempts).unwrap_or(u32::MAX).max(1);
        let last_try = job.attempts >= job.max_attempts;
        let context = Arc::new(context(app, &t, Some(run.id)));
        let made = generate(app, &t, &run, &context, attempt).await;
        let files = context.take_files();
        let ended =
            match made {
                Ok(summary) if !files.is_empty() => {
                    let ended = succeed(app, &t, &run, &files, &summary).await;
                    if matches!(ended, Ok(true)) {
                        releases::compare_report(app, &t, &run, &summary, &files).await;
                    }
                    ended
                }
                Ok(_) => fail(
                    app,
                    &t,
                    &run,
                    &json!({ "code": "plugin_failed", "fault": "no_file", "detail": "the generator wrote no file" }),
                )
                .await,
                Err(Failed::Later(why)) if !last_try => {
                    discard(app, &files).await;
                    return Err(JobError::retry(why));
                }
                Err(Failed::Later(why)) => fail(app, &t, &run, &json!({ "code": "unavailable", "detail": why })).await,
                Err(Failed::For(problem)) => {
                    let mut error = json!({ "code": problem.kind.as_str(), "detail": problem.detail });
                    if let (Some(e), more) = (error.as_object_mut(), problem.extras) {
                        e.extend(more);
                    }
                    fail(app, &t, &run, &error).await
                }
            };
        match ended {
            Ok(true) => Ok(()),
            // Cancelled meanwhile: the files belong to nothing.
            Ok(false) => {
                discard(app, &files).await;
                Ok(())
            }
            Err(p) => {
                discard(app, &files).await;
                Err(p.into())
            }
        }
    }
}

/// Marks the run as running; `None` when it has ended.
async fn begin(app: &App, t: &TenantCtx, id: ReportRunId) -> Result<Option<ReportRun>, JobError> {
    let mut tx = app.store.tenant(&t.scope).await?;
    let run = tx.reports().get(id).await?;
    let run = run.ok_or_else(|| JobError::fatal("the run is gone"))?;
    match run.status {
        RunStatus::Queued | RunStatus::Running => {}
        RunStatus::Succeeded | RunStatus::Failed | RunStatus::Cancelled => return Ok(None),
    }
    let again = run.status == RunStatus::Running;
    let new = ReportRun {
        status: RunStatus::Running,
        progress: 0,
        ..run.clone()
    };
    tx.reports().update(&new, run.status).await?;
    let draft = audit::Draft::new("report.started", "report_run", id).details(json!({ "again": again }));
    let entry = audit::for_tenant(app, &mut *tx, t, draft).await?;
    tx.commit(Audit::one(entry)).await?;
    announce(app, t, id, new.status, 0);
    Ok(Some(new))
}

/// What a run asks of its generator.
pub(crate) fn request_of(run: &ReportRun) -> ReportRequest {
    ReportRequest {
        report: run.report.clone(),
        params: serde_json::from_str(&run.params).unwrap_or(Value::Null),
        format: run.format.clone(),
    }
}

/// Why a generator came to nothing.
enum Failed {
    /// Not the generator's fault; another try may help.
    Later(String),
    /// It failed.
    For(Problem),
}

/// Another try may help where nothing was started. A plugin whose manifest says `skip` is not waited for: whoever
/// wanted the report goes on without it.
fn judged(fault: &Fault, policy: FailurePolicy) -> Failed {
    let problem = fault_problem(fault, Doing::Other);
    if policy == FailurePolicy::Skip {
        return Failed::For(problem.with("skipped", true));
    }
    if matches!(problem.kind, ProblemKind::PluginUnavailable | ProblemKind::RateLimited) {
        Failed::Later(format!("the plugin could not be started ({})", clean(&fault.code, 100)))
    } else {
        Failed::For(problem)
    }
}

/// Runs the generator, writing progress and looking for cancellation meanwhile.
async fn generate(
    app: &App,
    t: &TenantCtx,
    run: &ReportRun,
    context: &Arc<RunContext>,
    attempt: u32,
) -> Result<Value, Failed> {
    let loaded = calls::load(app, t, run.installation_id, Some(PluginKind::Report))
        .await
        .map_err(|p| match p.kind {
            ProblemKind::Unavailable | ProblemKind::Internal => Failed::Later(p.to_string()),
            _ => Failed::For(p),
        })?;
    let policy = loaded.manifest.failure.policy;
    let inv = calls::run_invocation(app, t, &loaded, Arc::clone(context), attempt);
    let port = app.runtime.report();
    let work = port.run(inv, request_of(run));
    tokio::pin!(work);
    let mut shown = 0;
    loop {
        tokio::select! {
            done = &mut work => return done.map_err(|f| judged(&f, policy)),
            () = tokio::time::sleep(TICK) => {
                let percent = i64::from(context.percent.load(Ordering::Relaxed));
                match progress(app, t, run.id, percent).await {
                    Ok(true) => {}
                    Ok(false) => context.cancelled.store(true, Ordering::Relaxed),
                    Err(e) => tracing::warn!(run = %run.id, error = %e, "progress could not be written"),
                }
                if percent != shown {
                    shown = percent;
                    announce(app, t, run.id, RunStatus::Running, percent);
                }
            }
        }
    }
}

async fn progress(app: &App, t: &TenantCtx, run: ReportRunId, percent: i64) -> Result<bool, StoreError> {
    let mut machine = app.store.tenant_machine(&t.scope).await?;
    let running = machine.machinery().set_progress(run, percent).await?;
    machine.commit().await?;
    Ok(running)
}

/// Lists the files and ends the run; false when it was cancelled meanwhile.
async fn succeed(
    app: &App,
    t: &TenantCtx,
    run: &ReportRun,
    files: &[ProducedFile],
    summary: &Value,
) -> Result<bool, Problem> {
    let now = app.clock.now();
    let mut tx = app.store.tenant(&t.scope).await?;
    let summary = Some(summary.to_string()).filter(|s| s.len() <= 16 << 10);
    let new = ReportRun {
        status: RunStatus::Succeeded,
        progress: 100,
        summary,
        finished_at: Some(now),
        ..run.clone()
    };
    match tx.reports().update(&new, RunStatus::Running).await {
        Ok(()) => {}
        Err(StoreError::Conflict) => return Ok(false),
        Err(e) => return Err(e.into()),
    }
    for f in files {
        let row = FileRow {
            id: f.id,
            run_id: run.id,
            name: f.name.clone(),
            media_type: f.media_type.clone(),
            bytes: i64::try_from(f.bytes).unwrap_or(i64::MAX),
            sha256: f.sha256.clone(),
            object_key: f.key.as_str().to_owned(),
            created_at: now,
        };
        tx.reports().insert_file(&row).await?;
    }
    let draft = audit::Draft::new("report.succeeded", "report_run", run.id).details(json!({
        "files": files.iter().map(|f| json!({ "id": f.id, "bytes": f.bytes, "sha256": f.sha256 })).collect::<Vec<_>>(),
    }));
    let entry = audit::for_tenant(app, &mut *tx, t, draft).await?;
    tx.commit(Audit::one(entry)).await?;
    announce(app, t, run.id, new.status, 100);
    Ok(true)
}

/// Ends the run with the reason. What was written is removed by the caller only when the run was cancelled, so it is
/// never listed here.
async fn fail(app: &App, t: &TenantCtx, run: &ReportRun, error: &Value) -> Result<bool, Problem> {
    let mut tx = app.store.tenant(&t.scope).await?;
    let new = ReportRun {
        status: RunStatus::Failed,
        error: Some(error.to_string()),
        finished_at: Some(app.clock.now()),
        ..run.clone()
    };
    match tx.reports().update(&new, RunStatus::Running).await {
        Ok(()) => {}
        Err(StoreError::Conflict) => return Ok(false),
        Err(e) => return Err(e.into()),
    }
    let draft = audit::Draft::new("report.failed", "report_run", run.id)
        .outcome(Outcome::Failed)
        .details(error.clone());
    let entry = audit::for_tenant(app, &mut *tx, t, draft).await?;
    tx.commit(Audit::one(entry)).await?;
    announce(app, t, run.id, new.status, new.progress);
    Ok(true)
}

/// Removes files that no row lists.
pub(crate) async fn discard(app: &App, files: &[ProducedFile]) {
    for f in files {
        if let Err(e) = app.objects.remove(&f.key).await {
            tracing::warn!(key = f.key.as_str(), error = %e, "a file of a cancelled run could not be removed");
        }
    }
}
