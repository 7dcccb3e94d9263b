//! Members, their identities at providers, their sessions.

use crate::sql::{TenantDb, list, page, run};
use aistack_core::{InstallationId, Timestamp, UserId};
use aistack_store::{Identity, Page, Result, Session, User, Users, UsersRead};

#[async_trait::async_trait]
impl UsersRead for TenantDb {
    async fn get(&mut self, id: UserId) -> Result<Option<User>> {
        run!(
            self,
            fetch_optional,
            sqlx::query_as!(
                User,
                "SELECT id, email, email_verified_at, name, role, status, password_hash, locale, created_at, \
                 updated_at, last_login_at FROM users WHERE tenant_id = $1 AND id = $2",
                self.tenant as _,
                id as _
            )
        )
    }

    async fn find_by_email(&mut self, email: &str) -> Result<Option<User>> {
        run!(
            self,
            fetch_optional,
            sqlx::query_as!(
                User,
                "SELECT id, email, email_verified_at, name, role, status, password_hash, locale, created_at, \
                 updated_at, last_login_at FROM users WHERE tenant_id = $1 AND email = $2",
                self.tenant as _,
                email
            )
        )
    }

    async fn list(&mut self, page: &Page) -> Result<Vec<User>> {
        page!(
            self,
            page,
            User,
            "SELECT id, email, email_verified_at, name, role, status, password_hash, locale, created_at, \
             updated_at, last_login_at FROM users \
             WHERE tenant_id = $3 AND ($4 = '' OR search LIKE $4 ESCAPE '!')",
            self.tenant as _,
            list::pattern(page.q.as_deref())
        )
    }

    async fn count_active(&mut self) -> Result<i64> {
        run!(
            self,
            fetch_one,
            sqlx::query_scalar!(
                "SELECT COUNT(*) AS \"n!: i64\" FROM users WHERE tenant_id = $1 AND status = 'active'",
                self.tenant as _
            )
        )
    }

    async fn count_owners(&mut self) -> Result<i64> {
        run!(
            self,
            fetch_one,
            sqlx::query_scalar!(
                "SELECT COUNT(*) AS \"n!: i64\" FROM users WHERE tenant_id = $1 AND status = 'active' AND role = 'owner'",
                self.tenant as _
            )
        )
    }

    async fn find_identity(
        &mut self,
        installation: InstallationId,
        issuer: &str,
        subject: &str,
    ) -> Result<Option<Identity>> {
        run!(
            self,
            fetch_optional,
            sqlx::query_as!(
                Identity,
                "SELECT installation_id, issuer, subject, user_id, created_at FROM identities \
                 WHERE tenant_id = $1 AND installation_id = $2 AND issuer = $3 AND subject = $4",
                self.tenant as _,
                installation as _,
                issuer,
                subject
            )
        )
    }

    async fn identities(&mut self, user: UserId) -> Result<Vec<Identity>> {
        run!(
            self,
            fetch_all,
            sqlx::query_as!(
                Identity,
                "SELECT installation_id, issuer, subject, user_id, created_at FROM identities \
                 WHERE tenant_id = $1 AND user_id = $2 ORDER BY created_at, installation_id, issuer, subject",
                self.tenant as _,
                user as _
            )
        )
    }

    async fn find_session(&mut self, id_hash: &[u8]) -> Result<Option<Session>> {
        run!(
            self,
            fetch_optional,
            sqlx::query_as!(
                Session,
                "SELECT id, id_hash, user_id AS \"person: uuid::Uuid\", csrf_token, method, created_at, \
                 last_seen_at, expires_at, revoked_at FROM sessions WHERE tenant_id = $1 AND id_hash = $2",
                self.tenant as _,
                id_hash
            )
        )
    }
}

#[async_trait::async_trait]
impl Users for TenantDb {
    async fn insert(&mut self, u: &User) -> Result<()> {
        run!(
            self,
            execute,
            sqlx::query!(
                "INSERT INTO users (tenant_id, id, email, email_verified_at, name, role, status, password_hash, \
                 locale, search, created_at, updated_at, last_login_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
                self.tenant as _,
                u.id as _,
                u.email,
                u.email_verified_at as _,
                u.name,
                u.role as _,
                u.status as _,
                u.password_hash,
                u.locale,
                list::folded(&[&u.email, &u.name]),
                u.created_at as _,
                u.updated_at as _,
                u.last_login_at as _
            )
        )?;
        Ok(())
    }

    async fn update(&mut self, u: &User) -> Result<()> {
        let done = run!(
            self,
            execute,
            sqlx::query!(
                "UPDATE users SET email = $3, email_verified_at = $4, name = $5, role = $6, status = $7, \
                 password_hash = $8, locale = $9, search = $10, updated_at = $11, last_login_at = $12 \
                 WHERE tenant_id = $1 AND id = $2",
                self.tenant as _,
                u.id as _,
                u.email,
                u.email_verified_at as _,
                u.name,
                u.role as _,
                u.status as _,
                u.password_hash,
                u.locale,
                list::folded(&[&u.email, &u.name]),
                u.updated_at as _,
                u.last_login_at as _
            )
        )?;
        list::changed_one(done.rows_affected())
    }

    async fn delete(&mut self, id: UserId) -> Result<bool> {
        let done = run!(
            self,
            execute,
            sqlx::query!(
                "DELETE FROM users WHERE tenant_id = $1 AND id = $2",
                self.tenant as _,
                id as _
            )
        )?;
        Ok(done.rows_affected() > 0)
    }

    async fn insert_identity(&mut self, i: &Identity) -> Result<()> {
        run!(
            self,
            execute,
            sqlx::query!(
                "INSERT INTO identities (tenant_id, installation_id, issuer, subject, user_id, created_at) \
                 VALUES ($1, $2, $3, $4, $5, $6)",
                self.tenant as _,
                i.installation_id as _,
                i.issuer,
                i.subject,
                i.user_id as _,
                i.created_at as _
            )
        )?;
        Ok(())
    }

    async fn insert_session(&mut self, s: &Session) -> Result<()> {
        run!(
            self,
            execute,
            sqlx::query!(
                "INSERT INTO sessions (tenant_id, id, id_hash, user_id, csrf_token, method, created_at, \
                 last_seen_at, expires_at, revoked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                self.tenant as _,
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
                "UPDATE sessions SET revoked_at = $3 \
                 WHERE tenant_id = $1 AND id_hash = $2 AND revoked_at IS NULL AND expires_at > $3",
                self.tenant as _,
                id_hash,
                at as _
            )
        )?;
        Ok(done.rows_affected() > 0)
    }

    async fn revoke_sessions_of(&mut self, user: UserId, at: Timestamp) -> Result<i64> {
        let done = run!(
            self,
            execute,
            sqlx::query!(
                "UPDATE sessions SET revoked_at = $3 \
                 WHERE tenant_id = $1 AND user_id = $2 AND revoked_at IS NULL AND expires_at > $3",
                self.tenant as _,
                user as _,
                at as _
            )
        )?;
        Ok(list::count(done.rows_affected()))
    }
}
