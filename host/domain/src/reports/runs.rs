//! Asking for a report, watching it, cancelling it, fetching its file.

use super::{ReportError, job};
use crate::{
    App, FieldError, Problem, TenantCtx, audit,
    billing::person,
    jobs,
    live::LiveEvent,
    plugins::{calls, manifest::LocalText, port::PluginKind, schema::Schema},
    port::ObjectKey,
};
use aistack_core::{ActorKind, InstallationId, ReportRunId, Timestamp};
use aistack_store::{Audit, FileRow, InstallationStatus, Page, ReportRun, RunStatus, StoreError, TenantRead};
use serde::Serialize;
use serde_json::{Value, json};

/// A report somebody may run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Offered {
    /// Installation that makes it.
    pub installation: InstallationId,
    /// Its name.
    pub installation_name: String,
    /// Plugin.
    pub plugin_id: String,
    /// Report name.
    pub report: String,
    /// Title for people.
    pub name: LocalText,
    /// Formats.
    pub formats: Vec<String>,
    /// JSON Schema of the parameters.
    pub params_schema: Value,
    /// Datasets it reads.
    pub datasets: Vec<String>,
}

/// A run somebody wants.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// Installation.
    pub installation: InstallationId,
    /// Report name.
    pub report: String,
    /// Format.
    pub format: String,
    /// Parameters.
    pub params: Value,
}

/// A run's file as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileView {
    /// Name.
    pub name: String,
    /// Media type.
    pub media_type: String,
    /// Size.
    pub bytes: i64,
    /// SHA-256, hex.
    pub sha256: String,
}

/// A run as people see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunView {
    /// Id.
    pub id: ReportRunId,
    /// Installation.
    pub installation: InstallationId,
    /// Report name.
    pub report: String,
    /// Format.
    pub format: String,
    /// Status.
    pub status: RunStatus,
    /// 0..=100.
    pub progress: i64,
    /// Parameters.
    pub params: Value,
    /// The file, once there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<FileView>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Value>,
    /// The generator's own summary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<Value>,
    /// Who asked for it.
    pub requested_by: Option<String>,
    /// When asked for.
    pub created_at: Timestamp,
    /// When ended.
    pub finished_at: Option<Timestamp>,
}

async fn view(read: &mut dyn TenantRead, run: &ReportRun) -> Result<RunView, Problem> {
    let parsed = |text: &Option<String>| text.as_deref().map(|t| serde_json::from_str(t).unwrap_or(Value::Null));
    let file = read.reports().files(run.id).await?.into_iter().next();
    let requested_by = match run.requested_by {
        None => None,
        Some(id) => Some(person(read, id).await?),
    };
    Ok(RunView {
        id: run.id,
        installation: run.installation_id,
        report: run.report.clone(),
        format: run.format.clone(),
        status: run.status,
        progress: run.progress,
        params: serde_json::from_str(&run.params).unwrap_or(Value::Null),
        file: file.map(|f| FileView {
            name: f.name,
            media_type: f.media_type,
            bytes: f.bytes,
            sha256: f.sha256,
        }),
        error: parsed(&run.error),
        summary: parsed(&run.summary),
        requested_by,
        created_at: run.created_at,
        finished_at: run.finished_at,
    })
}

/// Tells consoles how a run stands.
pub(super) fn announce(app: &App, t: &TenantCtx, run: ReportRunId, status: RunStatus, progress: i64) {
    app.live.publish(LiveEvent {
        tenant: Some(t.scope.id()),
        topic: "report",
        data: json!({ "id": run, "status": status, "progress": progress }),
    });
}

/// What can be generated in this tenant.
///
/// # Errors
/// As the stores.
pub async fn offered(app: &App, t: &TenantCtx) -> Result<Vec<Offered>, Problem> {
    let page = Page {
        limit: 200,
        newest_first: false,
        ..Page::default()
    };
    let rows = {
        let mut read = app.store.tenant_read(&t.scope).await?;
        read.installations()
            .list(&page, Some(PluginKind::Report.as_str()))
            .await?
    };
    let mut all = Vec::new();
    for row in rows.into_iter().filter(|r| r.status == InstallationStatus::Active) {
        let loaded = calls::load(app, t, row.id, Some(PluginKind::Report)).await?;
        all.extend(loaded.manifest.report.iter().map(|r| Offered {
            installation: row.id,
            installation_name: row.name.clone(),
            plugin_id: row.plugin_id.clone(),
            report: r.name.clone(),
            name: r.title.clone(),
            formats: r.formats.clone(),
            params_schema: r.params.clone(),
            datasets: r.datasets.clone(),
        }));
    }
    Ok(all)
}

fn invalid(pointer: &str, code: &str, message: String) -> Problem {
    ReportError::Invalid(vec![FieldError::new(pointer, code, message)]).into()
}

/// Asks for a report; it is made by a job.
///
/// # Errors
/// `validation_failed`, or as the stores.
pub async fn create(app: &App, t: &TenantCtx, n: NewRun) -> Result<RunView, Problem> {
    let missing = || {
        invalid(
            "/installation",
            "not_found",
            "no active report plugin of this tenant has this id".to_owned(),
        )
    };
    let loaded = match calls::load(app, t, n.installation, Some(PluginKind::Report)).await {
        Ok(loaded) => loaded,
        Err(p)
            if matches!(
                p.kind,
                aistack_core::ProblemKind::NotFound
                    | aistack_core::ProblemKind::Conflict
                    | aistack_core::ProblemKind::PluginUnavailable
            ) =>
        {
            return Err(missing());
        }
        Err(p) => return Err(p),
    };
    let declared = loaded
        .manifest
        .report(&n.report)
        .ok_or_else(|| invalid("/report", "not_found", "the plugin has no such report".to_owned()))?;
    if !declared.formats.contains(&n.format) {
        return Err(invalid(
            "/format",
            "not_allowed",
            format!("the report is made as {}", declared.formats.join(", ")),
        ));
    }
    let schema = Schema::compile(&declared.params)
        .map_err(|e| Problem::internal(format!("params of {}: {e}", declared.name)))?;
    let params = if n.params.is_null() { json!({}) } else { n.params };
    let params = schema.accept(params, "/params").map_err(ReportError::Invalid)?;
    let run = ReportRun {
        id: ReportRunId::new(&*app.clock, &*app.rng),
        installation_id: n.installation,
        report: n.report,
        format: n.format,
        params: params.to_string(),
        status: RunStatus::Queued,
        progress: 0,
        error: None,
        summary: None,
        requested_by: t.ctx.actor.id.filter(|_| t.ctx.actor.kind != ActorKind::Plugin),
        created_at: app.clock.now(),
        finished_at: None,
    };
    let mut tx = app.store.tenant(&t.scope).await?;
    tx.reports().insert(&run).await?;
    tx.push_outbox(&job::message(app, t, run.id)).await?;
    let draft = audit::Draft::new("report.requested", "report_run", run.id).details(json!({
        "installation": run.installation_id, "report": run.report, "format": run.format, "params": params,
    }));
    let entry = audit::for_tenant(app, &mut *tx, t, draft).await?;
    tx.commit(Audit::one(entry)).await?;
    jobs::wake(app, &t.scope);
    announce(app, t, run.id, run.status, 0);
    let mut read = app.store.tenant_read(&t.scope).await?;
    view(&mut *read, &run).await
}

/// One run.
///
/// # Errors
/// `not_found`, or as the store.
pub async fn get(app: &App, t: &TenantCtx, id: ReportRunId) -> Result<RunView, Problem> {
    let mut read = app.store.tenant_read(&t.scope).await?;
    let run = read
        .reports()
        .get(id)
        .await?
        .ok_or_else(|| Problem::not_found("report run"))?;
    view(&mut *read, &run).await
}

/// A page of runs.
///
/// # Errors
/// As the store.
pub async fn list(app: &App, t: &TenantCtx, page: &Page, status: Option<RunStatus>) -> Result<Vec<RunView>, Problem> {
    let mut read = app.store.tenant_read(&t.scope).await?;
    let mut all = Vec::new();
    for run in read.reports().list(page, status).await? {
        all.push(view(&mut *read, &run).await?);
    }
    Ok(all)
}

/// Cancels a run that has not ended. A generator that is at work is asked to stop.
///
/// # Errors
/// `not_found`, `conflict` when it has ended, or as the store.
pub async fn cancel(app: &App, t: &TenantCtx, id: ReportRunId) -> Result<RunView, Problem> {
    let mut tx = app.store.tenant(&t.scope).await?;
    let run = tx
        .reports()
        .get(id)
        .await?
        .ok_or_else(|| Problem::not_found("report run"))?;
    match run.status {
        RunStatus::Queued | RunStatus::Running => {
            let now = app.clock.now();
            let new = ReportRun {
                status: RunStatus::Cancelled,
                finished_at: Some(now),
                ..run.clone()
            };
            tx.reports().update(&new, run.status).await.map_err(|e| match e {
                StoreError::Conflict => Problem::from(ReportError::Ended(RunStatus::Succeeded)),
                other => other.into(),
            })?;
            let draft = audit::Draft::new("report.cancelled", "report_run", id);
            let entry = audit::for_tenant(app, &mut *tx, t, draft).await?;
            tx.commit(Audit::one(entry)).await?;
            announce(app, t, id, new.status, new.progress);
        }
        RunStatus::Cancelled => drop(tx),
        ended @ (RunStatus::Succeeded | RunStatus::Failed) => return Err(ReportError::Ended(ended).into()),
    }
    get(app, t, id).await
}

/// The file of a run and where its bytes lie. Reading it is on record: a report may hold what its reader takes away.
///
/// # Errors
/// `not_found` for an unknown run or one without a file, or as the store.
pub async fn file(app: &App, t: &TenantCtx, id: ReportRunId) -> Result<(FileRow, ObjectKey), Problem> {
    let mut tx = app.store.tenant(&t.scope).await?;
    let run = tx
        .reports()
        .get(id)
        .await?
        .ok_or_else(|| Problem::not_found("report run"))?;
    let file = tx.reports().files(id).await?.into_iter().next();
    let file = file.ok_or(ReportError::NoFile(run.status))?;
    let key = ObjectKey::stored(&file.object_key)
        .ok_or_else(|| Problem::internal(format!("file {} lies at a key that is none", file.id)))?;
    let draft = audit::Draft::new("report.downloaded", "report_run", id)
        .details(json!({ "file": file.id, "bytes": file.bytes, "sha256": file.sha256 }));
    let entry = audit::for_tenant(app, &mut *tx, t, draft).await?;
    tx.commit(Audit::one(entry)).await?;
    Ok((file, key))
}
