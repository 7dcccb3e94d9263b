//! Operators and their sessions.

use crate::sql::{PlatformDb, run};
use aistack_core::{OperatorId, Timestamp};
use aistack_store::{Operator, Operators, OperatorsRead, Result, Session};

#[async_trait::async_trait]
impl OperatorsRead for PlatformDb {
    async fn count(&mut self) -> Result<i64> {
        run!(
            self,
            fetch_one,
            sqlx::query_scalar!("SELECT COUNT(*) AS \"n!: i64\" FROM operators")
        )
    }

    async fn get(&mut self, id: OperatorId) -> Result<Option<Operator>> {
        run!(
            self,
            fetch_optional,
            sqlx::query_as!(
                Operator,
                "SELECT id, email, name, password_hash, role, created_at, disabled_at FROM operators WHERE id = $1",
                id as _
            )
        )
    }

    async fn find_by_email(&mut self, email: &str) -> Result<Option<Operator>> {
        run!(
            self,
            fetch_optional,
            sqlx::query_as!(
                Operator,
                "SELECT id, email, name, password_hash, role, created_at, disabled_at FROM operators WHERE email = $1",
                email
            )
        )
    }

    async fn find_session(&mut self, id_hash: &[u8]) -> Result<Option<Session>> {
        run!(
            self,
            fetch_optional,
            sqlx::query_as!(
                Session,
                "SELECT id, id_hash, operator_id AS \"person: uuid::Uuid\", csrf_token, method, created_at, \
                 last_seen_at, expires_at, revoked_at FROM operator_sessions WHERE id_hash = $1",
                id_hash
            )
        )
    }
}

#[async_trait::async_trait]
impl Operators for PlatformDb {
    async fn insert(&mut self, o: &Operator) -> Result<()> {
        run!(
            self,
            execute,
            sqlx::query!(
                "INSERT INTO operators (id, email, name, password_hash, role, created_at, disabled_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7)",
                o.id as _,
                o.email,
                o.name,
                o.password_hash,
                o.role as _,
                o.created_at as _,
                o.disabled_at as _
            )
        )?;
        Ok(())
    }

    async fn set_password_hash(&mut self, id: OperatorId, hash: &str) -> Result<()> {
        let done = run!(
            self,
            execute,
            sqlx::query!("UPDATE operators SET password_hash = $2 WHERE id = $1", id as _, hash)
        )?;
        crate::sql::list::changed_one(done.rows_affected())
    }

    async fn insert_session(&mut self, s: &Session) -> Result<()> {
        run!(
            self,
            execute,
            sqlx::query!(
                "INSERT INTO operator_sessions (id, id_hash, operator_id, csrf_token, method, created_at, \
                 last_seen_at, expires_at, revoked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                s.id as _,
                s.id_hash,
                s.person,
                s.csrf_token,
                s.method,
                s.created_at as _,
                s.last_seen_at as _,
                s.expires_at as _,
                s.revoked_at as _
            )
        )?;
        Ok(())
    }

    async fn revoke_session(&mut self, id_hash: &[u8], at: Timestamp) -> Result<bool> {
        let done = run!(
            self,
            execute,
            sqlx::query!(
                "UPDATE operator_sessions SET revoked_at = $2 \
                 WHERE id_hash = $1 AND revoked_at IS NULL AND expires_at > $2",
                id_hash,
                at as _
            )
        )?;
        Ok(done.rows_affected() > 0)
    }
}

impl PlatformDb {
    /// Records a session's use; an older time than the recorded one changes nothing.
    pub(in crate::sql) async fn touch_operator_session(&mut self, id_hash: &[u8], at: Timestamp) -> Result<()> {
        run!(
            self,
            execute,
            sqlx::query!(
                "UPDATE operator_sessions SET last_seen_at = $2 WHERE id_hash = $1 AND last_seen_at < $2",
                id_hash,
                at as _
            )
        )?;
        Ok(())
    }
}
