//! Durable jobs: our own lease queue. A lease is held by (id, attempts); whoever comes back with an older number has
//! lost it.

use crate::sql::{PlatformDb, list, page, run};
use aistack_core::{JobId, Timestamp};
use aistack_store::{Job, JobState, Jobs, JobsRead, Page, Result};

#[async_trait::async_trait]
impl JobsRead for PlatformDb {
    async fn get(&mut self, id: JobId) -> Result<Option<Job>> {
        run!(
            self,
            fetch_optional,
            sqlx::query_as!(
                Job,
                "SELECT id, tenant_id, kind, payload, state, attempts, max_attempts, run_at, lease_until, last_error, \
                 created_at, updated_at FROM jobs WHERE id = $1",
                id as _
            )
        )
    }

    async fn list(&mut self, page: &Page, state: Option<JobState>) -> Result<Vec<Job>> {
        page!(
            self,
            page,
            Job,
            "SELECT id, tenant_id, kind, payload, state, attempts, max_attempts, run_at, lease_until, last_error, \
             created_at, updated_at FROM jobs \
             WHERE ($3 = '' OR state = $3) AND ($4 = '' OR LOWER(kind) LIKE $4 ESCAPE '!')",
            state.map_or("", JobState::as_str),
            list::pattern(page.q.as_deref())
        )
    }

    async fn count_by_state(&mut self) -> Result<Vec<(JobState, i64)>> {
        let rows = run!(
            self,
            fetch_all,
            sqlx::query!("SELECT state, COUNT(*) AS \"n!: i64\" FROM jobs GROUP BY state ORDER BY state")
        )?;
        Ok(rows.into_iter().map(|row| (row.state, row.n)).collect())
    }

    async fn next_due(&mut self) -> Result<Option<Timestamp>> {
        run!(
            self,
            fetch_one,
            sqlx::query_scalar!(
                "SELECT MIN(due) AS \"due: Timestamp\" FROM ( \
                 SELECT MIN(run_at) AS due FROM jobs WHERE state = 'ready' \
                 UNION ALL SELECT MIN(lease_until) AS due FROM jobs WHERE state = 'running') AS next"
            )
        )
    }
}

#[async_trait::async_trait]
impl Jobs for PlatformDb {
    async fn enqueue(&mut self, j: &Job) -> Result<bool> {
        let done = run!(
            self,
            execute,
            sqlx::query!(
                "INSERT INTO jobs (id, tenant_id, kind, payload, state, attempts, max_attempts, run_at, lease_until, \
                 last_error, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
                 ON CONFLICT (id) DO NOTHING",
                j.id as _,
                j.tenant_id as _,
                j.kind,
                j.payload,
                j.state as _,
                j.attempts,
                j.max_attempts,
                j.run_at as _,
                j.lease_until as _,
                j.last_error,
                j.created_at as _,
                j.updated_at as _
            )
        )?;
        Ok(done.rows_affected() > 0)
    }

    async fn lease(&mut self, now: Timestamp, until: Timestamp) -> Result<Option<Job>> {
        // A job whose worker died on its last try is given up; otherwise it would take every worker down with it.
        run!(
            self,
            execute,
            sqlx::query!(
                "UPDATE jobs SET state = 'dead', lease_until = NULL, last_error = 'the lease ended on the last try', \
                 updated_at = $1 WHERE state = 'running' AND lease_until <= $1 AND attempts >= max_attempts",
                now as _
            )
        )?;
        let job = crate::dialect::lease_job(self.held.conn()?, now, until).await;
        self.held.settle(job)
    }

    async fn extend(&mut self, id: JobId, attempts: i64, until: Timestamp) -> Result<bool> {
        let done = run!(
            self,
            execute,
            sqlx::query!(
                "UPDATE jobs SET lease_until = $3 WHERE id = $1 AND attempts = $2 AND state = 'running'",
                id as _,
                attempts,
                until as _
            )
        )?;
        Ok(done.rows_affected() > 0)
    }

    async fn finish(&mut self, id: JobId, attempts: i64, at: Timestamp) -> Result<bool> {
        let done = run!(
            self,
            execute,
            sqlx::query!(
                "UPDATE jobs SET state = 'done', lease_until = NULL, last_error = NULL, updated_at = $3 \
                 WHERE id = $1 AND attempts = $2 AND state = 'running'",
                id as _,
                attempts,
                at as _
            )
        )?;
        Ok(done.rows_affected() > 0)
    }

    async fn fail(&mut self, id: JobId, attempts: i64, error: &str, run_at: Timestamp, at: Timestamp) -> Result<bool> {
        let done = run!(
            self,
            execute,
            sqlx::query!(
                "UPDATE jobs SET state = CASE WHEN attempts >= max_attempts THEN 'dead' ELSE 'ready' END, \
                 lease_until = NULL, last_error = $3, run_at = $4, updated_at = $5 \
                 WHERE id = $1 AND attempts = $2 AND state = 'running'",
                id as _,
                attempts,
                error,
                run_at as _,
                at as _
            )
        )?;
        Ok(done.rows_affected() > 0)
    }

    async fn bury(&mut self, id: JobId, attempts: i64, error: &str, at: Timestamp) -> Result<bool> {
        let done = run!(
            self,
            execute,
            sqlx::query!(
                "UPDATE jobs SET state = 'dead', lease_until = NULL, last_error = $3, updated_at = $4 \
                 WHERE id = $1 AND attempts = $2 AND state = 'running'",
                id as _,
                attempts,
                error,
                at as _
            )
        )?;
        Ok(done.rows_affected() > 0)
    }

    async fn retry(&mut self, id: JobId, at: Timestamp) -> Result<bool> {
        let done = run!(
            self,
            execute,
            sqlx::query!(
                "UPDATE jobs SET state = 'ready', attempts = 0, run_at = $2, updated_at = $2 \
                 WHERE id = $1 AND state = 'dead'",
                id as _,
                at as _
            )
        )?;
        Ok(done.rows_affected() > 0)
    }

    async fn prune(&mut self, before: Timestamp) -> Result<i64> {
        let done = run!(
            self,
            execute,
            sqlx::query!("DELETE FROM jobs WHERE state = 'done' AND updated_at < $1", before as _)
        )?;
        Ok(list::count(done.rows_affected()))
    }
}
