//! Report runs and their files.

use crate::sql::{TenantDb, list, page, run};
use aistack_core::ReportRunId;
use aistack_store::{FileRow, Page, ReportRun, Reports, ReportsRead, Result, RunStatus};

#[async_trait::async_trait]
impl ReportsRead for TenantDb {
    async fn get(&mut self, id: ReportRunId) -> Result<Option<ReportRun>> {
        run!(
            self,
            fetch_optional,
            sqlx::query_as!(
                ReportRun,
                "SELECT id, installation_id, report, format, params, status, progress, error, summary, requested_by, \
                 created_at, finished_at FROM report_runs WHERE tenant_id = $1 AND id = $2",
                self.tenant as _,
                id as _
            )
        )
    }

    async fn list(&mut self, page: &Page, status: Option<RunStatus>) -> Result<Vec<ReportRun>> {
        page!(
            self,
            page,
            ReportRun,
            "SELECT id, installation_id, report, format, params, status, progress, error, summary, requested_by, \
             created_at, finished_at FROM report_runs WHERE tenant_id = $3 AND ($4 = '' OR status = $4) \
             AND ($5 = '' OR LOWER(report) LIKE $5 ESCAPE '!')",
            self.tenant as _,
            status.map_or("", RunStatus::as_str),
            list::pattern(page.q.as_deref())
        )
    }

    async fn files(&mut self, run: ReportRunId) -> Result<Vec<FileRow>> {
        run!(
            self,
            fetch_all,
            sqlx::query_as!(
                FileRow,
                "SELECT id, run_id, name, media_type, bytes, sha256, object_key, created_at FROM files \
                 WHERE tenant_id = $1 AND run_id = $2 ORDER BY id",
                self.tenant as _,
                run as _
            )
        )
    }
}

#[async_trait::async_trait]
impl Reports for TenantDb {
    async fn insert(&mut self, r: &ReportRun) -> Result<()> {
        run!(
            self,
            execute,
            sqlx::query!(
                "INSERT INTO report_runs (tenant_id, id, installation_id, report, format, params, status, progress, \
                 error, summary, requested_by, created_at, finished_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
                self.tenant as _,
                r.id as _,
                r.installation_id as _,
                r.report,
                r.format,
                r.params,
                r.status as _,
                r.progress,
                r.error,
                r.summary,
                r.requested_by,
                r.created_at as _,
                r.finished_at as _
            )
        )?;
        Ok(())
    }

    async fn update(&mut self, r: &ReportRun, expected: RunStatus) -> Result<()> {
        let done = run!(
            self,
            execute,
            sqlx::query!(
                "UPDATE report_runs SET status = $4, progress = $5, error = $6, summary = $7, finished_at = $8 \
                 WHERE tenant_id = $1 AND id = $2 AND status = $3",
                self.tenant as _,
                r.id as _,
                expected as _,
                r.status as _,
                r.progress,
                r.error,
                r.summary,
                r.finished_at as _
            )
        )?;
        list::changed_one(done.rows_affected())
    }

    async fn insert_file(&mut self, f: &FileRow) -> Result<()> {
        run!(
            self,
            execute,
            sqlx::query!(
                "INSERT INTO files (tenant_id, id, run_id, name, media_type, bytes, sha256, object_key, created_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                self.tenant as _,
                f.id as _,
                f.run_id as _,
                f.name,
                f.media_type,
                f.bytes,
                f.sha256,
                f.object_key,
                f.created_at as _
            )
        )?;
        Ok(())
    }
}
