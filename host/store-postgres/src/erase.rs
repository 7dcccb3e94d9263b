//! Erasing a tenant's rows for good, as the owner: the app role may not touch an audit event that is written. And trying
//! out what keeps two tenants apart here: row-level security, without any predicate of ours.

use crate::migrate::APP_ROLE;
use crate::sql::settle_error;
use crate::store::PostgresStore;
use aistack_core::TenantScope;
use aistack_store::{Probe, Result};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};

/// The tables under the policy of tenants, quoted.
const TABLES: &str = "SELECT quote_ident(c.relname) FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid \
     WHERE c.relkind = 'r' AND p.polname = 'tenant' AND c.relnamespace = current_schema()::regnamespace ORDER BY 1";

/// Tables with a tenant that the policy does not bind. The platform's own lists of what tenants use are not theirs.
const UNBOUND: &str = "SELECT c.relname::text FROM pg_class c \
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped \
     LEFT JOIN pg_policy p ON p.polrelid = c.oid AND p.polname = 'tenant' \
     WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace \
     AND c.relname NOT IN ('plugin_uses', 'routes', 'jobs', 'tenant_domains', 'slug_history') AND NOT (c.relrowsecurity AND c.relforcerowsecurity \
     AND coalesce(p.polqual IS NOT NULL AND p.polwithcheck IS NOT NULL AND p.polcmd = '*', false))";

impl PostgresStore {
    /// Deletes the tenant's rows from every table under the policy, in one transaction.
    pub(crate) async fn erase_rows(&self, scope: &TenantScope) -> Result<()> {
        let mut conn = self.owner.clone().connect().await.map_err(settle_error)?;
        let result = async {
            let mut tx = conn.begin().await?;
            // The policy is forced on the owner too; the predicate is for an owner who is a superuser.
            sqlx::query("SELECT set_config('aistack.tenant', $1, true)")
                .bind(scope.id().0.to_string())
                .execute(&mut *tx)
                .await?;
            let tables: Vec<String> = sqlx::query_scalar(TABLES).fetch_all(&mut *tx).await?;
            for table in tables {
                sqlx::query(AssertSqlSafe(format!("DELETE FROM {table} WHERE tenant_id = $1")))
                    .bind(scope.id().0)
                    .execute(&mut *tx)
                    .await?;
            }
            tx.commit().await
        };
        result.await.map_err(settle_error)?;
        conn.close().await.map_err(settle_error)
    }

    /// See [`aistack_store::Store::probe`].
    pub(crate) async fn probe_policies(&self, a: &TenantScope, b: &TenantScope) -> Result<Vec<Probe>> {
        let mut conn = self.pool.acquire().await.map_err(settle_error)?;
        let (user, unbound): (String, bool) = sqlx::query_as(
            "SELECT current_user::text, rolsuper OR rolbypassrls OR EXISTS (SELECT FROM pg_class WHERE relowner = pg_roles.oid) \
             FROM pg_roles WHERE rolname = current_user",
        )
        .fetch_one(&mut *conn)
        .await
        .map_err(settle_error)?;
        let loose: Vec<String> = sqlx::query_scalar(UNBOUND)
            .fetch_all(&mut *conn)
            .await
            .map_err(settle_error)?;
        let mut probes = vec![
            Probe {
                name: "bound_role",
                holds: user == APP_ROLE && !unbound,
                found: format!("statements run as {user}, which owns nothing and can't bypass row-level security"),
            },
            Probe {
                name: "forced_policies",
                holds: loose.is_empty(),
                found: format!("tables that the policy does not bind: {}", loose.len()),
            },
        ];
        let tables: Vec<String> = sqlx::query_scalar(TABLES)
            .fetch_all(&mut *conn)
            .await
            .map_err(settle_error)?;
        drop(conn);
        // In a transaction that is always undone, and in a task of its own: a caller who gives up half-way must not hand a
        // connection back with the tenant set.
        let (pool, a, b) = (self.pool.clone(), a.id().0, b.id().0);
        let counted = tokio::spawn(async move {
            let mut tx = pool.begin().await?;
            let mut seen = [0_i64; 3];
            for (i, tenant) in [String::new(), a.to_string(), a.to_string()].into_iter().enumerate() {
                sqlx::query("SELECT set_config('aistack.tenant', $1, true)")
                    .bind(tenant)
                    .execute(&mut *tx)
                    .await?;
                for table in &tables {
                    // Without a tenant: everything. With one: what is not its own, then what is.
                    let only = match i {
                        0 => "TRUE",
                        1 => "tenant_id <> $1",
                        _ => "tenant_id = $1",
                    };
                    let sql = format!("SELECT COUNT(*) FROM {table} WHERE {only} AND $1::uuid IS NOT NULL");
                    let n: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
                        .bind(a)
                        .fetch_one(&mut *tx)
                        .await?;
                    seen[i] += n;
                }
            }
            // A row in another's name is refused by the database.
            let forged = format!(
                "INSERT INTO quota_overrides (tenant_id, meter, cap, updated_at) VALUES ('{b}', 'isolation.probe', 1, 1)"
            );
            let taken = tx.execute(AssertSqlSafe(forged)).await.is_ok();
            tx.rollback().await?;
            Ok::<_, sqlx::Error>((seen, taken))
        });
        let (seen, taken) = counted
            .await
            .map_err(|e| aistack_store::StoreError::Unavailable(e.to_string()))?
            .map_err(settle_error)?;
        probes.extend([
            Probe {
                name: "nothing_without_a_tenant",
                holds: seen[0] == 0,
                found: format!("{} rows visible without a tenant", seen[0]),
            },
            Probe {
                name: "only_own_rows",
                holds: seen[1] == 0 && seen[2] > 0,
                found: format!(
                    "{} rows of others and {} own ones visible without a predicate",
                    seen[1], seen[2]
                ),
            },
            Probe {
                name: "no_foreign_write",
                holds: !taken,
                found: "a row in another tenant's name is refused".to_owned(),
            },
        ]);
        Ok(probes)
    }
}
