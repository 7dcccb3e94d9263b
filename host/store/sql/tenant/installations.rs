//! Plugins enabled in the tenant and their sealed secrets.

use crate::sql::{TenantDb, list, page, run};
use aistack_core::InstallationId;
use aistack_store::{Installation, Installations, InstallationsRead, Page, Recording, Result, StoredSecret};

#[async_trait::async_trait]
impl InstallationsRead for TenantDb {
    async fn get(&mut self, id: InstallationId) -> Result<Option<Installation>> {
        run!(
            self,
            fetch_optional,
            sqlx::query_as!(
                Installation,
                "SELECT id, plugin_id, version, digest, kind, name, config, grants, status, endpoint_key, generation, \
                 pinned, previous, pending, created_at, updated_at FROM installations WHERE tenant_id = $1 AND id = $2",
                self.tenant as _,
                id as _
            )
        )
    }

    async fn list(&mut self, page: &Page, kind: Option<&str>) -> Result<Vec<Installation>> {
        page!(
            self,
            page,
            Installation,
            "SELECT id, plugin_id, version, digest, kind, name, config, grants, status, endpoint_key, generation, \
             pinned, previous, pending, created_at, updated_at FROM installations \
             WHERE tenant_id = $3 AND ($4 = '' OR kind = $4) AND ($5 = '' OR search LIKE $5 ESCAPE '!')",
            self.tenant as _,
            kind.unwrap_or(""),
            list::pattern(page.q.as_deref())
        )
    }

    async fn secrets(&mut self, id: InstallationId) -> Result<Vec<StoredSecret>> {
        run!(
            self,
            fetch_all,
            sqlx::query_as!(
                StoredSecret,
                "SELECT installation_id, name, version, sealed, created_at FROM installation_secrets \
                 WHERE tenant_id = $1 AND installation_id = $2 ORDER BY name, version DESC",
                self.tenant as _,
                id as _
            )
        )
    }

    async fn recording(&mut self, id: InstallationId) -> Result<Option<Recording>> {
        self.find_recording(id).await
    }
}

#[async_trait::async_trait]
impl Installations for TenantDb {
    async fn insert(&mut self, i: &Installation) -> Result<()> {
        run!(
            self,
            execute,
            sqlx::query!(
                "INSERT INTO installations (tenant_id, id, plugin_id, version, digest, kind, name, config, grants, \
                 status, endpoint_key, generation, search, created_at, updated_at, pinned, previous, pending) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
                self.tenant as _,
                i.id as _,
                i.plugin_id,
                i.version,
                i.digest,
                i.kind,
                i.name,
                i.config,
                i.grants,
                i.status as _,
                i.endpoint_key,
                i.generation,
                list::folded(&[&i.name, &i.plugin_id]),
                i.created_at as _,
                i.updated_at as _,
                i.pinned,
                i.previous,
                i.pending
            )
        )?;
        Ok(())
    }

    async fn update(&mut self, i: &Installation) -> Result<()> {
        let done = run!(
            self,
            execute,
            sqlx::query!(
                "UPDATE installations SET plugin_id = $4, version = $5, digest = $6, kind = $7, name = $8, \
                 config = $9, grants = $10, status = $11, endpoint_key = $12, generation = $13, search = $14, \
                 updated_at = $15, pinned = $16, previous = $17, pending = $18 \
                 WHERE tenant_id = $1 AND id = $2 AND generation = $3",
                self.tenant as _,
                i.id as _,
                i.generation.saturating_sub(1),
                i.plugin_id,
                i.version,
                i.digest,
                i.kind,
                i.name,
                i.config,
                i.grants,
                i.status as _,
                i.endpoint_key,
                i.generation,
                list::folded(&[&i.name, &i.plugin_id]),
                i.updated_at as _,
                i.pinned,
                i.previous,
                i.pending
            )
        )?;
        list::changed_one(done.rows_affected())
    }

    async fn delete(&mut self, id: InstallationId) -> Result<bool> {
        let done = run!(
            self,
            execute,
            sqlx::query!(
                "DELETE FROM installations WHERE tenant_id = $1 AND id = $2",
                self.tenant as _,
                id as _
            )
        )?;
        Ok(done.rows_affected() > 0)
    }

    async fn start_recording(&mut self, recording: &Recording) -> Result<()> {
        self.put_recording(recording).await
    }

    async fn end_recording(&mut self, id: InstallationId) -> Result<bool> {
        self.delete_recording(id).await
    }

    async fn insert_secret(&mut self, s: &StoredSecret) -> Result<()> {
        run!(
            self,
            execute,
            sqlx::query!(
                "INSERT INTO installation_secrets (tenant_id, installation_id, name, version, sealed, created_at) \
                 VALUES ($1, $2, $3, $4, $5, $6)",
                self.tenant as _,
                s.installation_id as _,
                s.name,
                s.version,
                s.sealed,
                s.created_at as _
            )
        )?;
        Ok(())
    }

    async fn prune_secret(&mut self, id: InstallationId, name: &str, keep_from: i64) -> Result<i64> {
        let done = run!(
            self,
            execute,
            sqlx::query!(
                "DELETE FROM installation_secrets \
                 WHERE tenant_id = $1 AND installation_id = $2 AND name = $3 AND version < $4",
                self.tenant as _,
                id as _,
                name,
                keep_from
            )
        )?;
        Ok(list::count(done.rows_affected()))
    }
}
