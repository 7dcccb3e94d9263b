//! The two audit logs: the operators' and each tenant's. One text for both; they differ in table and key column.

use super::{PlatformDb, TenantDb, run};
use aistack_core::{AuditEntry, AuditEventId, merkle};
use aistack_store::{Audit, AuditFilter, AuditRead, AuditRow, Result, StoreError};

/// The only value of the `log` column: the platform has one log, and a key to be found by.
const PLATFORM_LOG: &str = "platform";
/// Most events of one answer.
const MOST: i64 = 10_000;

/// The columns of an event, in the order of [`AuditRow`].
macro_rules! audit_log {
    ($db:ty, $events:literal, $frontier:literal, $key:literal, |$this:ident| $id:expr) => {
        impl $db {
            /// Appends each entry as the next leaf and moves the frontier, in this transaction.
            pub(super) async fn append(&mut self, audit: &Audit) -> Result<()> {
                let (size, nodes) = AuditRead::frontier(self).await?;
                let size = u64::try_from(size).map_err(damaged)?;
                let mut frontier = merkle::Frontier::from_parts(size, &nodes).map_err(damaged)?;
                for entry in audit.entries() {
                    let hash = merkle::leaf_hash(&entry.body);
                    let seq = i64::try_from(frontier.append(hash)).map_err(damaged)?;
                    self.insert_event(seq, entry, &hash).await?;
                }
                let $this = &*self;
                let id = $id;
                let size = i64::try_from(frontier.size()).map_err(damaged)?;
                run!(
                    self,
                    execute,
                    sqlx::query!(
                        "INSERT INTO " + $frontier + " (" + $key + ", size, nodes) VALUES ($1, $2, $3) \
                         ON CONFLICT (" + $key + ") DO UPDATE SET size = excluded.size, nodes = excluded.nodes",
                        id as _,
                        size,
                        frontier.to_bytes()
                    )
                )?;
                Ok(())
            }

            async fn insert_event(&mut self, seq: i64, e: &AuditEntry, hash: &merkle::Hash) -> Result<()> {
                let $this = &*self;
                let id = $id;
                run!(
                    self,
                    execute,
                    sqlx::query!(
                        "INSERT INTO " + $events + " (" + $key + ", seq, id, at, action, actor_kind, actor_id, \
                         target_kind, target_id, outcome, request_id, body, leaf_hash) \
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
                        id as _,
                        seq,
                        e.id as _,
                        e.at as _,
                        e.action,
                        e.actor_kind as _,
                        e.actor_id as _,
                        e.target_kind,
                        e.target_id,
                        e.outcome as _,
                        e.request_id as _,
                        e.body,
                        hash.as_slice()
                    )
                )?;
                Ok(())
            }
        }

        #[async_trait::async_trait]
        impl AuditRead for $db {
            async fn list(&mut self, f: &AuditFilter) -> Result<Vec<AuditRow>> {
                let $this = &*self;
                let id = $id;
                let (exact, prefix) = match f.action.as_deref() {
                    None => ("", ""),
                    Some(text) => match text.strip_suffix('*') {
                        Some(prefix) => ("", prefix),
                        None => (text, ""),
                    },
                };
                let any_actor = i64::from(f.actor_id.is_none());
                let any_request = i64::from(f.request_id.is_none());
                let outcome = f.outcome.map_or("", |o| o.as_str());
                let from = f.from.map_or(i64::MIN, |t| t.0);
                let to = f.to.map_or(i64::MAX, |t| t.0);
                run!(
                    self,
                    fetch_all,
                    sqlx::query_as!(
                        AuditRow,
                        "SELECT seq, id, at, action, actor_kind, actor_id, target_kind, target_id, outcome, request_id, \
                         body, leaf_hash FROM " + $events + " WHERE " + $key + " = $1 AND seq < $2 \
                         AND ($3 = '' OR action = $3) AND ($4 = '' OR substr(action, 1, length($4)) = $4) \
                         AND (CAST($5 AS BIGINT) = 1 OR actor_id = $6) \
                         AND ($7 = '' OR target_kind = $7) AND ($8 = '' OR target_id = $8) \
                         AND ($9 = '' OR outcome = $9) AND (CAST($10 AS BIGINT) = 1 OR request_id = $11) \
                         AND at >= $12 AND at < $13 ORDER BY seq DESC LIMIT $14",
                        id as _,
                        f.before_seq.unwrap_or(i64::MAX),
                        exact,
                        prefix,
                        any_actor,
                        f.actor_id as _,
                        f.target_kind.as_deref().unwrap_or(""),
                        f.target_id.as_deref().unwrap_or(""),
                        outcome,
                        any_request,
                        f.request_id as _,
                        from,
                        to,
                        f.limit.clamp(1, MOST)
                    )
                )
            }

            async fn get(&mut self, event: AuditEventId) -> Result<Option<AuditRow>> {
                let $this = &*self;
                let id = $id;
                run!(
                    self,
                    fetch_optional,
                    sqlx::query_as!(
                        AuditRow,
                        "SELECT seq, id, at, action, actor_kind, actor_id, target_kind, target_id, outcome, request_id, \
                         body, leaf_hash FROM " + $events + " WHERE " + $key + " = $1 AND id = $2",
                        id as _,
                        event as _
                    )
                )
            }

            async fn leaves(&mut self, from_seq: i64, limit: i64) -> Result<Vec<AuditRow>> {
                let $this = &*self;
                let id = $id;
                run!(
                    self,
                    fetch_all,
                    sqlx::query_as!(
                        AuditRow,
                        "SELECT seq, id, at, action, actor_kind, actor_id, target_kind, target_id, outcome, request_id, \
                         body, leaf_hash FROM " + $events + " WHERE " + $key + " = $1 AND seq >= $2 \
                         ORDER BY seq LIMIT $3",
                        id as _,
                        from_seq,
                        limit.clamp(1, MOST)
                    )
                )
            }

            async fn frontier(&mut self) -> Result<(i64, Vec<u8>)> {
                let $this = &*self;
                let id = $id;
                let row = run!(
                    self,
                    fetch_optional,
                    sqlx::query!("SELECT size, nodes FROM " + $frontier + " WHERE " + $key + " = $1", id as _)
                )?;
                Ok(row.map_or_else(|| (0, Vec::new()), |row| (row.size, row.nodes)))
            }
        }
    };
}

audit_log!(
    PlatformDb,
    "platform_audit_events",
    "platform_audit_frontier",
    "log",
    |_db| PLATFORM_LOG
);
audit_log!(TenantDb, "audit_events", "audit_frontier", "tenant_id", |db| db.tenant);

fn damaged(e: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt(format!("audit log: {e}"))
}
