//! Tenants' own domains, and the slugs they gave up.

use crate::sql::{PlatformDb, list, run};
use aistack_core::{TenantId, Timestamp};
use aistack_store::{Domains, DomainsRead, OldSlug, Result, TenantDomain};

#[async_trait::async_trait]
impl DomainsRead for PlatformDb {
    async fn get(&mut self, tenant: TenantId, domain: &str) -> Result<Option<TenantDomain>> {
        run!(
            self,
            fetch_optional,
            sqlx::query_as!(
                TenantDomain,
                "SELECT tenant_id, domain, status, token, is_primary, misses, last_error, checked_at, next_check_at, \
                 verified_at, failing_since, created_at FROM tenant_domains WHERE tenant_id = $1 AND domain = $2",
                tenant as _,
                domain
            )
        )
    }

    async fn of_tenant(&mut self, tenant: TenantId) -> Result<Vec<TenantDomain>> {
        run!(
            self,
            fetch_all,
            sqlx::query_as!(
                TenantDomain,
                "SELECT tenant_id, domain, status, token, is_primary, misses, last_error, checked_at, next_check_at, \
                 verified_at, failing_since, created_at FROM tenant_domains WHERE tenant_id = $1 ORDER BY domain",
                tenant as _
            )
        )
    }

    async fn routed(&mut self, domain: &str) -> Result<Option<TenantDomain>> {
        run!(
            self,
            fetch_optional,
            sqlx::query_as!(
                TenantDomain,
                "SELECT tenant_id, domain, status, token, is_primary, misses, last_error, checked_at, next_check_at, \
                 verified_at, failing_since, created_at FROM tenant_domains \
                 WHERE domain = $1 AND status IN ('verified', 'failing')",
                domain
            )
        )
    }

    async fn primaries(&mut self, first: TenantId, last: TenantId) -> Result<Vec<(TenantId, String)>> {
        let rows = run!(
            self,
            fetch_all,
            sqlx::query!(
                "SELECT tenant_id, domain FROM tenant_domains WHERE tenant_id >= $1 AND tenant_id <= $2 \
                 AND is_primary = 1 AND status IN ('verified', 'failing') ORDER BY tenant_id",
                first as _,
                last as _
            )
        )?;
        Ok(rows.into_iter().map(|row| (row.tenant_id, row.domain)).collect())
    }

    async fn due(&mut self, now: Timestamp, limit: i64) -> Result<Vec<TenantDomain>> {
        run!(
            self,
            fetch_all,
            sqlx::query_as!(
                TenantDomain,
                "SELECT tenant_id, domain, status, token, is_primary, misses, last_error, checked_at, next_check_at, \
                 verified_at, failing_since, created_at FROM tenant_domains \
                 WHERE next_check_at <= $1 ORDER BY next_check_at, tenant_id, domain LIMIT $2",
                now as _,
                limit
            )
        )
    }

    async fn old_slug(&mut self, slug: &str) -> Result<Option<OldSlug>> {
        run!(
            self,
            fetch_optional,
            sqlx::query_as!(
                OldSlug,
                "SELECT slug, tenant_id, released_at, redirect_until FROM slug_history WHERE slug = $1",
                slug
            )
        )
    }

    async fn count_old_slugs(&mut self, tenant: TenantId) -> Result<i64> {
        run!(
            self,
            fetch_one,
            sqlx::query_scalar!(
                "SELECT COUNT(*) AS \"n!: i64\" FROM slug_history WHERE tenant_id = $1",
                tenant as _
            )
        )
    }
}

#[async_trait::async_trait]
impl Domains for PlatformDb {
    async fn insert(&mut self, d: &TenantDomain) -> Result<()> {
        run!(
            self,
            execute,
            sqlx::query!(
                "INSERT INTO tenant_domains (tenant_id, domain, status, token, is_primary, misses, last_error, \
                 checked_at, next_check_at, verified_at, failing_since, created_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
                d.tenant_id as _,
                d.domain,
                d.status as _,
                d.token,
                d.is_primary,
                d.misses,
                d.last_error,
                d.checked_at as _,
                d.next_check_at as _,
                d.verified_at as _,
                d.failing_since as _,
                d.created_at as _
            )
        )?;
        Ok(())
    }

    async fn update(&mut self, d: &TenantDomain) -> Result<()> {
        let done = run!(
            self,
            execute,
            sqlx::query!(
                "UPDATE tenant_domains SET status = $3, token = $4, is_primary = $5, misses = $6, last_error = $7, \
                 checked_at = $8, next_check_at = $9, verified_at = $10, failing_since = $11 \
                 WHERE tenant_id = $1 AND domain = $2",
                d.tenant_id as _,
                d.domain,
                d.status as _,
                d.token,
                d.is_primary,
                d.misses,
                d.last_error,
                d.checked_at as _,
                d.next_check_at as _,
                d.verified_at as _,
                d.failing_since as _
            )
        )?;
        list::changed_one(done.rows_affected())
    }

    async fn clear_primary(&mut self, tenant: TenantId) -> Result<()> {
        run!(
            self,
            execute,
            sqlx::query!(
                "UPDATE tenant_domains SET is_primary = 0 WHERE tenant_id = $1 AND is_primary = 1",
                tenant as _
            )
        )?;
        Ok(())
    }

    async fn delete(&mut self, tenant: TenantId, domain: &str) -> Result<bool> {
        let done = run!(
            self,
            execute,
            sqlx::query!(
                "DELETE FROM tenant_domains WHERE tenant_id = $1 AND domain = $2",
                tenant as _,
                domain
            )
        )?;
        Ok(done.rows_affected() > 0)
    }

    async fn keep_old_slug(&mut self, row: &OldSlug) -> Result<()> {
        run!(
            self,
            execute,
            sqlx::query!(
                "INSERT INTO slug_history (slug, tenant_id, released_at, redirect_until) VALUES ($1, $2, $3, $4)",
                row.slug,
                row.tenant_id as _,
                row.released_at as _,
                row.redirect_until as _
            )
        )?;
        Ok(())
    }

    async fn take_back_slug(&mut self, tenant: TenantId, slug: &str) -> Result<bool> {
        let done = run!(
            self,
            execute,
            sqlx::query!(
                "DELETE FROM slug_history WHERE slug = $1 AND tenant_id = $2",
                slug,
                tenant as _
            )
        )?;
        Ok(done.rows_affected() > 0)
    }
}

impl PlatformDb {
    /// Records a look at a domain's proof; the state it was in guards it.
    pub(crate) async fn note_domain_check(&mut self, d: &TenantDomain, before: Option<Timestamp>) -> Result<bool> {
        // 0 stands for never: PostgreSQL can't tell the type of a NULL parameter that is only compared.
        let before = before.map_or(0, |at| at.0);
        let done = run!(
            self,
            execute,
            sqlx::query!(
                "UPDATE tenant_domains SET misses = $4, last_error = $5, checked_at = $6, next_check_at = $7 \
                 WHERE tenant_id = $1 AND domain = $2 AND status = $3 AND COALESCE(checked_at, 0) = $8",
                d.tenant_id as _,
                d.domain,
                d.status as _,
                d.misses,
                d.last_error,
                d.checked_at as _,
                d.next_check_at as _,
                before
            )
        )?;
        Ok(done.rows_affected() > 0)
    }
}
