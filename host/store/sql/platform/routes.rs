//! Gateway routes.

use crate::sql::{PlatformDb, list, run};
use aistack_core::RouteId;
use aistack_store::{Result, Route, Routes, RoutesRead};

#[async_trait::async_trait]
impl RoutesRead for PlatformDb {
    async fn get(&mut self, id: RouteId) -> Result<Option<Route>> {
        run!(
            self,
            fetch_optional,
            sqlx::query_as!(
                Route,
                "SELECT id, tenant_id, path_prefix, upstream, meter, strip_prefix, timeout_ms, created_at, updated_at \
                 FROM routes WHERE id = $1",
                id as _
            )
        )
    }

    async fn all(&mut self) -> Result<Vec<Route>> {
        run!(
            self,
            fetch_all,
            sqlx::query_as!(
                Route,
                "SELECT id, tenant_id, path_prefix, upstream, meter, strip_prefix, timeout_ms, created_at, updated_at \
                 FROM routes ORDER BY id"
            )
        )
    }
}

#[async_trait::async_trait]
impl Routes for PlatformDb {
    async fn insert(&mut self, r: &Route) -> Result<()> {
        run!(
            self,
            execute,
            sqlx::query!(
                "INSERT INTO routes (id, tenant_id, path_prefix, upstream, meter, strip_prefix, timeout_ms, \
                 created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                r.id as _,
                r.tenant_id as _,
                r.path_prefix,
                r.upstream,
                r.meter,
                r.strip_prefix,
                r.timeout_ms,
                r.created_at as _,
                r.updated_at as _
            )
        )?;
        Ok(())
    }

    async fn update(&mut self, r: &Route) -> Result<()> {
        let done = run!(
            self,
            execute,
            sqlx::query!(
                "UPDATE routes SET tenant_id = $2, path_prefix = $3, upstream = $4, meter = $5, strip_prefix = $6, \
                 timeout_ms = $7, created_at = $8, updated_at = $9 WHERE id = $1",
                r.id as _,
                r.tenant_id as _,
                r.path_prefix,
                r.upstream,
                r.meter,
                r.strip_prefix,
                r.timeout_ms,
                r.created_at as _,
                r.updated_at as _
            )
        )?;
        list::changed_one(done.rows_affected())
    }

    async fn delete(&mut self, id: RouteId) -> Result<bool> {
        let done = run!(self, execute, sqlx::query!("DELETE FROM routes WHERE id = $1", id as _))?;
        Ok(done.rows_affected() > 0)
    }
}
