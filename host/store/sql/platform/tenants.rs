//! The tenant catalogue, and the scopes that come from it.

use crate::sql::{PlatformDb, list, page, run};
use aistack_core::{Isolation, TenantId, TenantScope, TenantStatus, Timestamp};
use aistack_store::{Page, Result, Tenant, Tenants, TenantsRead};

#[async_trait::async_trait]
impl TenantsRead for PlatformDb {
    async fn get(&mut self, id: TenantId) -> Result<Option<Tenant>> {
        run!(
            self,
            fetch_optional,
            sqlx::query_as!(
                Tenant,
                "SELECT id, slug, name, status, plan, isolation, locale, time_zone, currency, demo_at, created_at, \
                 updated_at FROM tenants WHERE id = $1",
                id as _
            )
        )
    }

    async fn find_by_slug(&mut self, slug: &str) -> Result<Option<Tenant>> {
        run!(
            self,
            fetch_optional,
            sqlx::query_as!(
                Tenant,
                "SELECT id, slug, name, status, plan, isolation, locale, time_zone, currency, demo_at, created_at, \
                 updated_at FROM tenants WHERE slug = $1",
                slug
            )
        )
    }

    async fn list(&mut self, page: &Page, status: Option<TenantStatus>) -> Result<Vec<Tenant>> {
        page!(
            self,
            page,
            Tenant,
            "SELECT id, slug, name, status, plan, isolation, locale, time_zone, currency, demo_at, created_at, \
             updated_at FROM tenants WHERE ($3 = '' OR status = $3) AND ($4 = '' OR search LIKE $4 ESCAPE '!')",
            status.map_or("", TenantStatus::as_str),
            list::pattern(page.q.as_deref())
        )
    }

    async fn count_by_status(&mut self) -> Result<Vec<(TenantStatus, i64)>> {
        let rows = run!(
            self,
            fetch_all,
            sqlx::query!("SELECT status, COUNT(*) AS \"n!: i64\" FROM tenants GROUP BY status ORDER BY status")
        )?;
        Ok(rows.into_iter().map(|row| (row.status, row.n)).collect())
    }

    async fn ids(&mut self) -> Result<Vec<TenantId>> {
        run!(
            self,
            fetch_all,
            sqlx::query_scalar!(
                "SELECT id FROM tenants WHERE status NOT IN ('pending_verification', 'pending_approval', 'purged') \
                 ORDER BY id"
            )
        )
    }
}

#[async_trait::async_trait]
impl Tenants for PlatformDb {
    async fn insert(&mut self, t: &Tenant) -> Result<()> {
        run!(
            self,
            execute,
            sqlx::query!(
                "INSERT INTO tenants (id, slug, name, status, plan, isolation, locale, time_zone, currency, demo_at, \
                 search, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
                t.id as _,
                t.slug,
                t.name,
                t.status as _,
                t.plan,
                t.isolation as _,
                t.locale,
                t.time_zone,
                t.currency,
                t.demo_at as _,
                list::folded(&[&t.slug, &t.name]),
                t.created_at as _,
                t.updated_at as _
            )
        )?;
        Ok(())
    }

    async fn update(&mut self, t: &Tenant, expected: Timestamp) -> Result<()> {
        let done = run!(
            self,
            execute,
            sqlx::query!(
                "UPDATE tenants SET name = $3, status = $4, plan = $5, isolation = $6, locale = $7, time_zone = $8, \
                 currency = $9, demo_at = $10, search = $11, created_at = $12, updated_at = $13 \
                 WHERE id = $1 AND updated_at = $2",
                t.id as _,
                expected as _,
                t.name,
                t.status as _,
                t.plan,
                t.isolation as _,
                t.locale,
                t.time_zone,
                t.currency,
                t.demo_at as _,
                list::folded(&[&t.slug, &t.name]),
                t.created_at as _,
                t.updated_at as _
            )
        )?;
        list::changed_one(done.rows_affected())
    }

    async fn forget(&mut self, id: TenantId) -> Result<bool> {
        let done = run!(
            self,
            execute,
            sqlx::query!("DELETE FROM tenants WHERE id = $1 AND status = 'purged'", id as _)
        )?;
        Ok(done.rows_affected() > 0)
    }

    async fn rename(&mut self, t: &Tenant, expected: Timestamp) -> Result<()> {
        let done = run!(
            self,
            execute,
            sqlx::query!(
                "UPDATE tenants SET slug = $3, search = $4, updated_at = $5 WHERE id = $1 AND updated_at = $2",
                t.id as _,
                expected as _,
                t.slug,
                list::folded(&[&t.slug, &t.name]),
                t.updated_at as _
            )
        )?;
        list::changed_one(done.rows_affected())
    }
}

impl PlatformDb {
    /// The scope of an existing tenant.
    pub(crate) async fn scope(&mut self, id: TenantId) -> Result<Option<TenantScope>> {
        let row = run!(
            self,
            fetch_optional,
            sqlx::query!("SELECT id, slug, isolation FROM tenants WHERE id = $1", id as _)
        )?;
        Ok(row.map(|row| mint(row.id, &row.slug, row.isolation)))
    }

    /// The scope of the tenant with this slug.
    pub(crate) async fn scope_by_slug(&mut self, slug: &str) -> Result<Option<TenantScope>> {
        let row = run!(
            self,
            fetch_optional,
            sqlx::query!("SELECT id, slug, isolation FROM tenants WHERE slug = $1", slug)
        )?;
        Ok(row.map(|row| mint(row.id, &row.slug, row.isolation)))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the tenant catalogue: the row was read just now"
)]
fn mint(id: TenantId, slug: &str, isolation: Isolation) -> TenantScope {
    TenantScope::from_catalogue(id, slug, isolation)
}
