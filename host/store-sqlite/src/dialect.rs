//! The statements that can't be the same on both databases. Counted by `cargo xtask sqlx`: keep them few.

use crate::Conn;
use aistack_core::Timestamp;
use aistack_store::Job;
use sqlx::error::DatabaseError;

/// Leases the next due job. One writer at a time, so nothing needs to be skipped.
pub(crate) async fn lease_job(conn: &mut Conn, now: Timestamp, until: Timestamp) -> sqlx::Result<Option<Job>> {
    sqlx::query_as!(
        Job,
        "UPDATE jobs SET state = 'running', attempts = attempts + 1, lease_until = $2, updated_at = $1 \
         WHERE id = (SELECT id FROM jobs WHERE (state = 'ready' AND run_at <= $1) \
         OR (state = 'running' AND lease_until <= $1) ORDER BY run_at, id LIMIT 1) \
         RETURNING id, tenant_id, kind, payload, state, attempts, max_attempts, run_at, lease_until, last_error, \
         created_at, updated_at",
        now as _,
        until as _
    )
    .fetch_optional(conn)
    .await
}

/// Whether the error means "not now": busy, locked, out of memory or interrupted, disk full, no access.
pub(crate) fn is_unavailable(e: &dyn DatabaseError) -> bool {
    const BUSY: i32 = 5;
    const LOCKED: i32 = 6;
    const NOMEM: i32 = 7;
    const READONLY: i32 = 8;
    const INTERRUPT: i32 = 9;
    const IOERR: i32 = 10;
    const FULL: i32 = 13;
    const CANTOPEN: i32 = 14;
    let code = e.code().and_then(|code| code.parse::<i32>().ok()).unwrap_or(0);
    // The low byte is the primary code.
    matches!(
        code & 0xff,
        BUSY | LOCKED | NOMEM | READONLY | INTERRUPT | IOERR | FULL | CANTOPEN
    )
}
