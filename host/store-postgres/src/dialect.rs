//! The statements that can't be the same on both databases. Counted by `cargo xtask sqlx`: keep them few.

use crate::Conn;
use aistack_core::Timestamp;
use aistack_store::Job;
use sqlx::error::DatabaseError;

/// Leases the next due job; a job that another node is leasing at this moment is passed over.
pub(crate) async fn lease_job(conn: &mut Conn, now: Timestamp, until: Timestamp) -> sqlx::Result<Option<Job>> {
    sqlx::query_as!(
        Job,
        "UPDATE jobs SET state = 'running', attempts = attempts + 1, lease_until = $2, updated_at = $1 \
         WHERE id = (SELECT id FROM jobs WHERE (state = 'ready' AND run_at <= $1) \
         OR (state = 'running' AND lease_until <= $1) ORDER BY run_at, id LIMIT 1 FOR UPDATE SKIP LOCKED) \
         RETURNING id, tenant_id, kind, payload, state, attempts, max_attempts, run_at, lease_until, last_error, \
         created_at, updated_at",
        now as _,
        until as _
    )
    .fetch_optional(conn)
    .await
}

/// Whether the error means "not now": connection, resources, operator's intervention, a lock or a serialisation that did
/// not come to be. The first two characters of an SQLSTATE are its class.
pub(crate) fn is_unavailable(e: &dyn DatabaseError) -> bool {
    let code = e.code().unwrap_or_default();
    matches!(code.get(..2), Some("08" | "40" | "53" | "57" | "58")) || code == "55P03"
}
