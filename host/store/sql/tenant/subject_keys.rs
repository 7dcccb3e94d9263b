//! Keys that seal one subject's personal data.

use crate::sql::{TenantDb, run};
use aistack_core::SubjectId;
use aistack_store::{Result, StoreError, SubjectKey, SubjectKeys, SubjectKeysRead};

#[async_trait::async_trait]
impl SubjectKeysRead for TenantDb {
    async fn get(&mut self, subject: SubjectId) -> Result<Option<SubjectKey>> {
        run!(
            self,
            fetch_optional,
            sqlx::query_as!(
                SubjectKey,
                "SELECT subject, wrapped, created_at FROM subject_keys WHERE tenant_id = $1 AND subject = $2",
                self.tenant as _,
                subject as _
            )
        )
    }
}

#[async_trait::async_trait]
impl SubjectKeys for TenantDb {
    async fn get_or_insert(&mut self, key: &SubjectKey) -> Result<SubjectKey> {
        run!(
            self,
            execute,
            sqlx::query!(
                "INSERT INTO subject_keys (tenant_id, subject, wrapped, created_at) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (tenant_id, subject) DO NOTHING",
                self.tenant as _,
                key.subject as _,
                key.wrapped,
                key.created_at as _
            )
        )?;
        SubjectKeysRead::get(self, key.subject)
            .await?
            .ok_or(StoreError::Conflict)
    }

    async fn destroy(&mut self, subject: SubjectId) -> Result<bool> {
        let done = run!(
            self,
            execute,
            sqlx::query!(
                "DELETE FROM subject_keys WHERE tenant_id = $1 AND subject = $2",
                self.tenant as _,
                subject as _
            )
        )?;
        Ok(done.rows_affected() > 0)
    }
}
