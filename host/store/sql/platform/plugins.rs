//! Installed plugin versions and who uses them.

use crate::sql::{PlatformDb, list, page, run};
use aistack_core::{PluginVersionId, TenantId};
use aistack_store::{Page, PluginVersion, PluginVersions, PluginVersionsRead, Result};
use uuid::Uuid;

#[async_trait::async_trait]
impl PluginVersionsRead for PlatformDb {
    async fn get(&mut self, id: PluginVersionId) -> Result<Option<PluginVersion>> {
        run!(
            self,
            fetch_optional,
            sqlx::query_as!(
                PluginVersion,
                "SELECT id, plugin_id, version, kind, contract, digest, size, publisher, manifest, config_schema, \
                 imports, installed_at FROM plugin_versions WHERE id = $1",
                id as _
            )
        )
    }

    async fn find_by_digest(&mut self, digest: &str) -> Result<Option<PluginVersion>> {
        run!(
            self,
            fetch_optional,
            sqlx::query_as!(
                PluginVersion,
                "SELECT id, plugin_id, version, kind, contract, digest, size, publisher, manifest, config_schema, \
                 imports, installed_at FROM plugin_versions WHERE digest = $1",
                digest
            )
        )
    }

    async fn versions(&mut self, plugin_id: &str) -> Result<Vec<PluginVersion>> {
        run!(
            self,
            fetch_all,
            sqlx::query_as!(
                PluginVersion,
                "SELECT id, plugin_id, version, kind, contract, digest, size, publisher, manifest, config_schema, \
                 imports, installed_at FROM plugin_versions WHERE plugin_id = $1 ORDER BY installed_at DESC, id DESC",
                plugin_id
            )
        )
    }

    async fn list(&mut self, page: &Page) -> Result<Vec<PluginVersion>> {
        page!(
            self,
            page,
            PluginVersion,
            "SELECT id, plugin_id, version, kind, contract, digest, size, publisher, manifest, config_schema, \
             imports, installed_at FROM plugin_versions WHERE ($3 = '' OR LOWER(plugin_id) LIKE $3 ESCAPE '!')",
            list::pattern(page.q.as_deref())
        )
    }

    async fn uses(&mut self, digest: &str) -> Result<i64> {
        run!(
            self,
            fetch_one,
            sqlx::query_scalar!(
                "SELECT COUNT(*) AS \"n!: i64\" FROM plugin_uses WHERE digest = $1",
                digest
            )
        )
    }

    async fn bytes(&mut self, digest: &str) -> Result<Option<Vec<u8>>> {
        run!(
            self,
            fetch_optional,
            sqlx::query_scalar!("SELECT bytes FROM plugin_blobs WHERE digest = $1", digest)
        )
    }
}

#[async_trait::async_trait]
impl PluginVersions for PlatformDb {
    async fn insert(&mut self, v: &PluginVersion, bytes: &[u8]) -> Result<()> {
        run!(
            self,
            execute,
            sqlx::query!(
                "INSERT INTO plugin_versions (id, plugin_id, version, kind, contract, digest, size, publisher, \
                 manifest, config_schema, imports, installed_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
                v.id as _,
                v.plugin_id,
                v.version,
                v.kind,
                v.contract,
                v.digest,
                v.size,
                v.publisher,
                v.manifest,
                v.config_schema,
                v.imports,
                v.installed_at as _
            )
        )?;
        run!(
            self,
            execute,
            sqlx::query!(
                "INSERT INTO plugin_blobs (digest, bytes) VALUES ($1, $2)",
                v.digest,
                bytes
            )
        )?;
        Ok(())
    }

    async fn delete(&mut self, id: PluginVersionId) -> Result<bool> {
        let done = run!(
            self,
            execute,
            sqlx::query!("DELETE FROM plugin_versions WHERE id = $1", id as _)
        )?;
        Ok(done.rows_affected() > 0)
    }

    async fn clear_uses(&mut self, tenant: TenantId) -> Result<u64> {
        let done = run!(
            self,
            execute,
            sqlx::query!("DELETE FROM plugin_uses WHERE tenant_id = $1", tenant as _)
        )?;
        Ok(done.rows_affected())
    }

    async fn set_use(&mut self, tenant: TenantId, installation: Uuid, digest: Option<&str>) -> Result<()> {
        match digest {
            Some(digest) => run!(
                self,
                execute,
                sqlx::query!(
                    "INSERT INTO plugin_uses (tenant_id, installation_id, digest) VALUES ($1, $2, $3) \
                     ON CONFLICT (tenant_id, installation_id) DO UPDATE SET digest = excluded.digest",
                    tenant as _,
                    installation,
                    digest
                )
            )?,
            None => run!(
                self,
                execute,
                sqlx::query!(
                    "DELETE FROM plugin_uses WHERE tenant_id = $1 AND installation_id = $2",
                    tenant as _,
                    installation
                )
            )?,
        };
        Ok(())
    }
}
