//! Plugins' key-value state, half-finished sign-ins, the record of plugin calls, the outbox.

use crate::sql::{TenantDb, list, page, run};
use aistack_core::{CallId, InstallationId, JobId, LoginId, ReportRunId, Timestamp};
use aistack_store::{
    CallRow, JournalRow, KvRow, KvUse, Machinery, MachineryRead, OutboxMessage, Page, PendingLogin, Result, StoreError,
};

#[async_trait::async_trait]
impl MachineryRead for TenantDb {
    async fn kv_get(&mut self, installation: InstallationId, key: &str) -> Result<Option<KvRow>> {
        run!(
            self,
            fetch_optional,
            sqlx::query_as!(
                KvRow,
                "SELECT value, version, expires_at FROM kv \
                 WHERE tenant_id = $1 AND installation_id = $2 AND key = $3",
                self.tenant as _,
                installation as _,
                key
            )
        )
    }

    async fn kv_use(&mut self, installation: InstallationId) -> Result<KvUse> {
        run!(
            self,
            fetch_one,
            sqlx::query_as!(
                KvUse,
                "SELECT COUNT(*) AS \"keys!: i64\", \
                 CAST(COALESCE(SUM(octet_length(key) + octet_length(value)), 0) AS BIGINT) AS \"bytes!: i64\" FROM kv \
                 WHERE tenant_id = $1 AND installation_id = $2",
                self.tenant as _,
                installation as _
            )
        )
    }

    async fn kv_total(&mut self) -> Result<i64> {
        run!(
            self,
            fetch_one,
            sqlx::query_scalar!(
                "SELECT CAST(COALESCE(SUM(octet_length(key) + octet_length(value)), 0) AS BIGINT) AS \"bytes!: i64\" \
                 FROM kv WHERE tenant_id = $1",
                self.tenant as _
            )
        )
    }

    async fn calls(&mut self, installation: InstallationId, page: &Page) -> Result<Vec<CallRow>> {
        page!(
            self,
            page,
            CallRow,
            "SELECT id, installation_id, request_id, operation, started_at, wall_us, guest_us, memory, host_calls, \
             bytes_out, bytes_in, outcome, code, log, plugin, digest, lane, turns, frames FROM calls \
             WHERE tenant_id = $3 AND installation_id = $4",
            self.tenant as _,
            installation as _
        )
    }

    async fn call(&mut self, id: CallId) -> Result<Option<CallRow>> {
        run!(
            self,
            fetch_optional,
            sqlx::query_as!(
                CallRow,
                "SELECT id, installation_id, request_id, operation, started_at, wall_us, guest_us, memory, host_calls, \
                 bytes_out, bytes_in, outcome, code, log, plugin, digest, lane, turns, frames FROM calls \
                 WHERE tenant_id = $1 AND id = $2",
                self.tenant as _,
                id as _
            )
        )
    }

    async fn call_counts(&mut self, installation: InstallationId, since: Timestamp) -> Result<(i64, i64)> {
        let row = run!(
            self,
            fetch_one,
            sqlx::query!(
                "SELECT COUNT(*) AS \"all_calls!: i64\", \
                 CAST(COALESCE(SUM(CASE WHEN outcome = 'ok' THEN 0 ELSE 1 END), 0) AS BIGINT) AS \"not_ok!: i64\" \
                 FROM calls WHERE tenant_id = $1 AND installation_id = $2 AND started_at >= $3",
                self.tenant as _,
                installation as _,
                since as _
            )
        )?;
        Ok((row.all_calls, row.not_ok))
    }

    async fn journal(&mut self, call: CallId) -> Result<Option<JournalRow>> {
        self.find_journal(call).await
    }

    async fn outbox(&mut self, limit: i64) -> Result<Vec<OutboxMessage>> {
        run!(
            self,
            fetch_all,
            sqlx::query_as!(
                OutboxMessage,
                "SELECT id, kind, payload, run_at, max_attempts, created_at FROM outbox \
                 WHERE tenant_id = $1 ORDER BY created_at, id LIMIT $2",
                self.tenant as _,
                limit.max(0)
            )
        )
    }
}

#[async_trait::async_trait]
impl Machinery for TenantDb {
    async fn kv_put(
        &mut self,
        installation: InstallationId,
        key: &str,
        value: &[u8],
        expires_at: Option<Timestamp>,
        if_version: Option<i64>,
        now: Timestamp,
    ) -> Result<i64> {
        // One guarded statement for "unchanged", one for "absent or expired" (0) and "whatever is there" (-1).
        let version = match if_version {
            Some(version) if version != 0 => run!(
                self,
                fetch_optional,
                sqlx::query_scalar!(
                    "UPDATE kv SET value = $4, expires_at = $5, version = version + 1 \
                     WHERE tenant_id = $1 AND installation_id = $2 AND key = $3 AND version = $6 \
                     AND (expires_at IS NULL OR expires_at > $7) RETURNING version",
                    self.tenant as _,
                    installation as _,
                    key,
                    value,
                    expires_at as _,
                    version,
                    now as _
                )
            )?,
            _ => run!(
                self,
                fetch_optional,
                sqlx::query_scalar!(
                    "INSERT INTO kv (tenant_id, installation_id, key, value, version, expires_at) \
                     VALUES ($1, $2, $3, $4, 1, $5) ON CONFLICT (tenant_id, installation_id, key) DO UPDATE \
                     SET value = excluded.value, expires_at = excluded.expires_at, version = kv.version + 1 \
                     WHERE CAST($6 AS BIGINT) <> 0 OR kv.expires_at <= $7 RETURNING version",
                    self.tenant as _,
                    installation as _,
                    key,
                    value,
                    expires_at as _,
                    if_version.unwrap_or(-1),
                    now as _
                )
            )?,
        };
        version.ok_or(StoreError::Conflict)
    }

    async fn kv_remove(&mut self, installation: InstallationId, key: &str) -> Result<()> {
        run!(
            self,
            execute,
            sqlx::query!(
                "DELETE FROM kv WHERE tenant_id = $1 AND installation_id = $2 AND key = $3",
                self.tenant as _,
                installation as _,
                key
            )
        )?;
        Ok(())
    }

    async fn insert_login(&mut self, l: &PendingLogin) -> Result<()> {
        run!(
            self,
            execute,
            sqlx::query!(
                "INSERT INTO logins (tenant_id, id, browser_hash, installation_id, purpose, return_to, state, \
                 expires_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                self.tenant as _,
                l.id as _,
                l.browser_hash,
                l.installation_id as _,
                l.purpose,
                l.return_to,
                l.state,
                l.expires_at as _,
                l.created_at as _
            )
        )?;
        Ok(())
    }

    async fn take_login(
        &mut self,
        id: LoginId,
        browser_hash: &[u8],
        installation: InstallationId,
    ) -> Result<Option<PendingLogin>> {
        run!(
            self,
            fetch_optional,
            sqlx::query_as!(
                PendingLogin,
                "DELETE FROM logins WHERE tenant_id = $1 AND id = $2 AND browser_hash = $3 AND installation_id = $4 \
                 RETURNING id, browser_hash, installation_id, purpose, return_to, state, expires_at, created_at",
                self.tenant as _,
                id as _,
                browser_hash,
                installation as _
            )
        )
    }

    async fn sweep(&mut self, now: Timestamp) -> Result<i64> {
        let logins = run!(
            self,
            execute,
            sqlx::query!(
                "DELETE FROM logins WHERE tenant_id = $1 AND expires_at <= $2",
                self.tenant as _,
                now as _
            )
        )?;
        let keys = run!(
            self,
            execute,
            sqlx::query!(
                "DELETE FROM kv WHERE tenant_id = $1 AND expires_at IS NOT NULL AND expires_at <= $2",
                self.tenant as _,
                now as _
            )
        )?;
        Ok(list::count(logins.rows_affected() + keys.rows_affected()))
    }

    async fn insert_calls(&mut self, calls: &[CallRow]) -> Result<()> {
        for c in calls {
            run!(
                self,
                execute,
                sqlx::query!(
                    "INSERT INTO calls (tenant_id, id, installation_id, request_id, operation, started_at, wall_us, \
                     guest_us, memory, host_calls, bytes_out, bytes_in, outcome, code, log, \
                     plugin, digest, lane, turns, frames) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, \
                     $20)",
                    self.tenant as _,
                    c.id as _,
                    c.installation_id as _,
                    c.request_id as _,
                    c.operation,
                    c.started_at as _,
                    c.wall_us,
                    c.guest_us,
                    c.memory,
                    c.host_calls,
                    c.bytes_out,
                    c.bytes_in,
                    c.outcome,
                    c.code,
                    c.log,
                    c.plugin,
                    c.digest,
                    c.lane,
                    c.turns,
                    c.frames
                )
            )?;
        }
        Ok(())
    }

    async fn prune_calls(&mut self, before: Timestamp) -> Result<i64> {
        let done = run!(
            self,
            execute,
            sqlx::query!(
                "DELETE FROM calls WHERE tenant_id = $1 AND started_at < $2",
                self.tenant as _,
                before as _
            )
        )?;
        Ok(list::count(done.rows_affected()))
    }

    async fn keep_journal(&mut self, journal: &JournalRow, keep: i64) -> Result<bool> {
        self.put_journal(journal, keep).await
    }

    async fn prune_journals(&mut self, before: Timestamp, now: Timestamp) -> Result<i64> {
        self.drop_journals(before, now).await
    }

    async fn delete_outbox(&mut self, ids: &[JobId]) -> Result<()> {
        for id in ids {
            run!(
                self,
                execute,
                sqlx::query!(
                    "DELETE FROM outbox WHERE tenant_id = $1 AND id = $2",
                    self.tenant as _,
                    *id as _
                )
            )?;
        }
        Ok(())
    }

    async fn touch_session(&mut self, id_hash: &[u8], at: Timestamp) -> Result<()> {
        run!(
            self,
            execute,
            sqlx::query!(
                "UPDATE sessions SET last_seen_at = $3 WHERE tenant_id = $1 AND id_hash = $2 AND last_seen_at < $3",
                self.tenant as _,
                id_hash,
                at as _
            )
        )?;
        Ok(())
    }

    async fn set_progress(&mut self, run: ReportRunId, percent: i64) -> Result<bool> {
        let done = run!(
            self,
            execute,
            sqlx::query!(
                "UPDATE report_runs SET progress = $3 WHERE tenant_id = $1 AND id = $2 AND status = 'running'",
                self.tenant as _,
                run as _,
                percent.clamp(0, 100)
            )
        )?;
        Ok(done.rows_affected() > 0)
    }
}

impl TenantDb {
    /// Leaves a message for the job queue.
    pub(in crate::sql) async fn push_outbox(&mut self, m: &OutboxMessage) -> Result<()> {
        run!(
            self,
            execute,
            sqlx::query!(
                "INSERT INTO outbox (tenant_id, id, kind, payload, run_at, max_attempts, created_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7)",
                self.tenant as _,
                m.id as _,
                m.kind,
                m.payload,
                m.run_at as _,
                m.max_attempts,
                m.created_at as _
            )
        )?;
        Ok(())
    }
}
