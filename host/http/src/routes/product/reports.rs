//! Reports and their files.

use crate::routes::platform::plugins::LocalName;
use crate::{
    extract::{InTenant, Json, List, ListParams, Listed, Path, Query},
    problem::ApiResult,
    registry::{Access, Routes},
    state::AppState,
};
use aistack_core::{InstallationId, Permission, ReportRunId, Timestamp};
use aistack_domain::{
    App, Problem,
    port::ObjectKey,
    reports::{self, NewRun, Offered, RunView},
};
use aistack_store::RunStatus;
use axum::{
    body::Body,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

/// Bytes read from the object store at a time.
const CHUNK: usize = 256 << 10;

/// Routes of this area.
pub(in crate::routes) fn routes() -> Routes {
    let read = Access::tenant(Permission::ReportRead);
    let run = Access::tenant(Permission::ReportRun);
    Routes::new()
        .add(read, routes!(offered))
        .add(read, routes!(list))
        .add(run.audits(&["report.requested"]), routes!(create))
        .add(read, routes!(get))
        .add(read.audits(&["report.downloaded"]), routes!(download))
        .add(run.audits(&["report.cancelled"]), routes!(cancel))
}

/// A report somebody may run.
#[derive(Debug, Serialize, ToSchema)]
struct Report {
    /// Installation that makes it.
    #[schema(value_type = String)]
    installation: InstallationId,
    /// The installation's name.
    installation_name: String,
    /// Plugin.
    plugin_id: String,
    /// Report name.
    report: String,
    /// Title.
    name: LocalName,
    /// Formats.
    formats: Vec<String>,
    /// JSON Schema of the parameters.
    #[schema(value_type = Object)]
    params_schema: Value,
    /// Datasets it reads.
    datasets: Vec<String>,
}

impl From<Offered> for Report {
    fn from(o: Offered) -> Self {
        Self {
            name: LocalName::from(&o.name),
            installation: o.installation,
            installation_name: o.installation_name,
            plugin_id: o.plugin_id,
            report: o.report,
            formats: o.formats,
            params_schema: o.params_schema,
            datasets: o.datasets,
        }
    }
}

/// A run's file.
#[derive(Debug, Serialize, ToSchema)]
struct RunFile {
    /// Name.
    name: String,
    /// Media type.
    media_type: String,
    /// Bytes.
    bytes: i64,
    /// SHA-256.
    sha256: String,
}

/// One run of a report.
#[derive(Debug, Serialize, ToSchema)]
struct ReportRun {
    /// Id.
    #[schema(value_type = String)]
    id: ReportRunId,
    /// Installation.
    #[schema(value_type = String)]
    installation: InstallationId,
    /// Report name.
    report: String,
    /// Format.
    format: String,
    /// `queued`, `running`, `succeeded`, `failed` or `cancelled`.
    #[schema(value_type = String)]
    status: RunStatus,
    /// 0 to 100.
    progress: i64,
    /// Parameters.
    #[schema(value_type = Object)]
    params: Value,
    /// The file, once there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<RunFile>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    error: Option<Value>,
    /// The generator's summary.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    summary: Option<Value>,
    /// Who asked for it.
    #[schema(required = true)]
    requested_by: Option<String>,
    /// When asked for.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When ended.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    finished_at: Option<Timestamp>,
}

impl From<RunView> for ReportRun {
    fn from(r: RunView) -> Self {
        Self {
            id: r.id,
            installation: r.installation,
            report: r.report,
            format: r.format,
            status: r.status,
            progress: r.progress,
            params: r.params,
            file: r.file.map(|f| RunFile {
                name: f.name,
                media_type: f.media_type,
                bytes: f.bytes,
                sha256: f.sha256,
            }),
            error: r.error,
            summary: r.summary,
            requested_by: r.requested_by,
            created_at: r.created_at,
            finished_at: r.finished_at,
        }
    }
}

/// A run to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RunReport {
    /// Installation.
    #[schema(value_type = String)]
    installation: InstallationId,
    /// Report name.
    report: String,
    /// Format.
    format: String,
    /// Parameters by the report's schema.
    #[serde(default)]
    #[schema(value_type = Object)]
    params: Value,
}

/// Which runs.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Only with this status.
    #[param(value_type = Option<String>)]
    status: Option<RunStatus>,
}

/// Reports that can be made here.
#[utoipa::path(get, path = "/api/v1/reports", tag = "reports", operation_id = "list_reports",
    responses((status = 200, body = Listed<Report>)))]
async fn offered(State(state): State<AppState>, InTenant(t): InTenant) -> ApiResult<Json<Listed<Report>>> {
    let all = reports::offered(&state.app, &t).await?;
    Ok(Json(Listed {
        items: all.into_iter().map(Report::from).collect(),
        next: None,
    }))
}

/// Runs of reports.
#[utoipa::path(get, path = "/api/v1/report-runs", tag = "reports", operation_id = "list_report_runs", params(ListParams, Filter),
    responses((status = 200, body = Listed<ReportRun>)))]
async fn list(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    list: List,
    Query(filter): Query<Filter>,
) -> ApiResult<Json<Listed<ReportRun>>> {
    let rows = reports::list(&state.app, &t, &list.page(), filter.status).await?;
    Ok(Json(list.listed(rows, |r| r.id.0, ReportRun::from)))
}

/// Run a report.
#[utoipa::path(post, path = "/api/v1/report-runs", tag = "reports", operation_id = "run_report", request_body = RunReport,
    responses((status = 202, body = ReportRun)))]
async fn create(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    Json(body): Json<RunReport>,
) -> ApiResult<(StatusCode, Json<ReportRun>)> {
    let new = NewRun {
        installation: body.installation,
        report: body.report,
        format: body.format,
        params: body.params,
    };
    let run = reports::create(&state.app, &t, new).await?;
    Ok((StatusCode::ACCEPTED, Json(run.into())))
}

/// A run of a report.
#[utoipa::path(get, path = "/api/v1/report-runs/{run}", tag = "reports", operation_id = "get_report_run",
    params(("run" = String, Path)), responses((status = 200, body = ReportRun)))]
async fn get(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    Path(id): Path<ReportRunId>,
) -> ApiResult<Json<ReportRun>> {
    Ok(Json(reports::get(&state.app, &t, id).await?.into()))
}

/// Cancel a run.
#[utoipa::path(post, path = "/api/v1/report-runs/{run}/cancel", tag = "reports", operation_id = "cancel_report_run",
    params(("run" = String, Path)), responses((status = 200, body = ReportRun)))]
async fn cancel(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    Path(id): Path<ReportRunId>,
) -> ApiResult<Json<ReportRun>> {
    Ok(Json(reports::cancel(&state.app, &t, id).await?.into()))
}

/// A run's file.
#[utoipa::path(get, path = "/api/v1/report-runs/{run}/file", tag = "reports", operation_id = "download_report",
    params(("run" = String, Path)),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>)))]
async fn download(
    State(state): State<AppState>,
    InTenant(t): InTenant,
    Path(id): Path<ReportRunId>,
) -> ApiResult<Response> {
    let (file, key) = reports::file(&state.app, &t, id).await?;
    let header_value = |text: String| {
        HeaderValue::try_from(text).map_err(|_| Problem::internal("a file whose name or type is no header value"))
    };
    let mut response = Response::new(Body::from_stream(read(state.app.clone(), key, file.bytes)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header_value(file.media_type)?);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(file.bytes));
    headers.insert(header::CONTENT_DISPOSITION, header_value(disposition(&file.name))?);
    headers.insert(header::ETAG, header_value(format!("\"{}\"", file.sha256))?);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // A file is saved, not shown; should a browser show it all the same, it runs nothing.
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; sandbox"),
    );
    Ok(response)
}

/// `Content-Disposition` with the name in ASCII for old clients and in UTF-8 (RFC 6266, RFC 8187).
fn disposition(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "._- ".contains(c) {
                c
            } else {
                '_'
            }
        })
        .collect();
    let encoded: String = name
        .bytes()
        .map(|b| {
            if b.is_ascii_alphanumeric() || b"._-~".contains(&b) {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect();
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}

/// The object's bytes, a part at a time.
fn read(app: Arc<App>, key: ObjectKey, size: i64) -> impl futures_util::Stream<Item = Result<Bytes, std::io::Error>> {
    let size = u64::try_from(size).unwrap_or(0);
    stream::try_unfold((app, key, 0_u64), move |(app, key, at)| async move {
        if at >= size {
            return Ok(None);
        }
        let part = app
            .objects
            .read_at(&key, at, CHUNK)
            .await
            .map_err(std::io::Error::other)?;
        if part.is_empty() {
            return Err(std::io::Error::other("the file is shorter than it was"));
        }
        let next = at + part.len() as u64;
        Ok(Some((Bytes::from(part), (app, key, next))))
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn file_names_survive_in_both_forms() {
        assert_eq!(
            super::disposition("用量 2026.csv"),
            "attachment; filename=\"__ 2026.csv\"; filename*=UTF-8''%E7%94%A8%E9%87%8F%202026.csv"
        );
    }
}
