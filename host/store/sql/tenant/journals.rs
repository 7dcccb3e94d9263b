//! Recorded plugin calls: which are to be recorded, and their journals.

use crate::sql::{TenantDb, list, run};
use aistack_core::{CallId, InstallationId, Timestamp};
use aistack_store::{JournalRow, Recording, Result};

impl TenantDb {
    pub(in crate::sql) async fn find_recording(&mut self, id: InstallationId) -> Result<Option<Recording>> {
        run!(
            self,
            fetch_optional,
            sqlx::query_as!(
                Recording,
                "SELECT installation_id, calls, until, started_at FROM recordings \
                 WHERE tenant_id = $1 AND installation_id = $2",
                self.tenant as _,
                id as _
            )
        )
    }

    pub(in crate::sql) async fn put_recording(&mut self, r: &Recording) -> Result<()> {
        run!(
            self,
            execute,
            sqlx::query!(
                "INSERT INTO recordings (tenant_id, installation_id, calls, until, started_at) \
                 VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant_id, installation_id) DO UPDATE \
                 SET calls = excluded.calls, until = excluded.until, started_at = excluded.started_at",
                self.tenant as _,
                r.installation_id as _,
                r.calls,
                r.until as _,
                r.started_at as _
            )
        )?;
        Ok(())
    }

    pub(in crate::sql) async fn delete_recording(&mut self, id: InstallationId) -> Result<bool> {
        let done = run!(
            self,
            execute,
            sqlx::query!(
                "DELETE FROM recordings WHERE tenant_id = $1 AND installation_id = $2",
                self.tenant as _,
                id as _
            )
        )?;
        Ok(done.rows_affected() > 0)
    }

    pub(in crate::sql) async fn find_journal(&mut self, call: CallId) -> Result<Option<JournalRow>> {
        run!(
            self,
            fetch_optional,
            sqlx::query_as!(
                JournalRow,
                "SELECT call_id, installation_id, sealed, created_at FROM journals \
                 WHERE tenant_id = $1 AND call_id = $2",
                self.tenant as _,
                call as _
            )
        )
    }

    pub(in crate::sql) async fn put_journal(&mut self, j: &JournalRow, keep: i64) -> Result<bool> {
        let place = run!(
            self,
            execute,
            sqlx::query!(
                "UPDATE recordings SET calls = calls - 1 \
                 WHERE tenant_id = $1 AND installation_id = $2 AND calls > 0 AND started_at <= $3 AND until > $3",
                self.tenant as _,
                j.installation_id as _,
                j.created_at as _
            )
        )?;
        if place.rows_affected() == 0 {
            return Ok(false);
        }
        run!(
            self,
            execute,
            sqlx::query!(
                "INSERT INTO journals (tenant_id, call_id, installation_id, sealed, created_at) \
                 VALUES ($1, $2, $3, $4, $5)",
                self.tenant as _,
                j.call_id as _,
                j.installation_id as _,
                j.sealed,
                j.created_at as _
            )
        )?;
        run!(
            self,
            execute,
            sqlx::query!(
                "DELETE FROM journals WHERE tenant_id = $1 AND installation_id = $2 AND call_id NOT IN \
                 (SELECT call_id FROM journals WHERE tenant_id = $1 AND installation_id = $2 \
                 ORDER BY created_at DESC, call_id DESC LIMIT $3)",
                self.tenant as _,
                j.installation_id as _,
                keep
            )
        )?;
        Ok(true)
    }

    pub(in crate::sql) async fn drop_journals(&mut self, before: Timestamp, now: Timestamp) -> Result<i64> {
        let journals = run!(
            self,
            execute,
            sqlx::query!(
                "DELETE FROM journals WHERE tenant_id = $1 AND created_at < $2",
                self.tenant as _,
                before as _
            )
        )?;
        let recordings = run!(
            self,
            execute,
            sqlx::query!(
                "DELETE FROM recordings WHERE tenant_id = $1 AND until <= $2",
                self.tenant as _,
                now as _
            )
        )?;
        Ok(list::count(journals.rows_affected() + recordings.rows_affected()))
    }
}
