//! Migrations and roles, as the owner: the program itself works as a role that owns nothing.

use crate::Conn;
use crate::sql::settle_error;
use aistack_store::{Result, StoreError};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

/// The role that every statement of the program runs as (`SET ROLE` on each connection). It can't sign in; the role that
/// signs in is made its member.
pub(crate) const APP_ROLE: &str = "aistack_app";

/// Brings the database up to date and makes sure that `login`, the role the program signs in as, may act as the app role.
pub(crate) async fn migrate(owner: &PgConnectOptions, login: &str) -> Result<()> {
    let mut conn = owner.clone().connect().await.map_err(settle_error)?;
    let mut platform = sqlx::migrate!("../../migrations/postgres/platform");
    platform.dangerous_set_table_name("_migrations_platform");
    let mut tenant = sqlx::migrate!("../../migrations/postgres/tenant");
    tenant.dangerous_set_table_name("_migrations_tenant");
    for migrator in [platform, tenant] {
        run(&mut conn, &migrator).await?;
    }
    admit(&mut conn, login).await?;
    conn.close().await.map_err(settle_error)
}

async fn run(conn: &mut Conn, migrator: &Migrator) -> Result<()> {
    // `run` would do the same, but its future is not `Send` enough for the store's trait. It takes an advisory lock, so
    // several nodes may start at once.
    migrator.run_direct(None, conn, false).await.map_err(|e| match e {
        MigrateError::VersionMissing(version) => StoreError::Unavailable(format!(
            "migration {version} was applied by a newer version of the program"
        )),
        MigrateError::VersionMismatch(version) => StoreError::Corrupt(format!(
            "migration {version} was applied in another form than this program has it"
        )),
        e => StoreError::Backend(Box::new(e)),
    })
}

/// Makes the login a member of the app role unless it is one.
async fn admit(conn: &mut Conn, login: &str) -> Result<()> {
    let member: bool = sqlx::query_scalar("SELECT pg_has_role($1::text::name, $2::text::name, 'MEMBER')")
        .bind(login)
        .bind(APP_ROLE)
        .fetch_one(&mut *conn)
        .await
        .map_err(settle_error)?;
    if member {
        return Ok(());
    }
    let grant: String = sqlx::query_scalar("SELECT format('GRANT %I TO %I', $1::text, $2::text)")
        .bind(APP_ROLE)
        .bind(login)
        .fetch_one(&mut *conn)
        .await
        .map_err(settle_error)?;
    // Quoted by the database itself.
    sqlx::query(AssertSqlSafe(grant))
        .execute(conn)
        .await
        .map_err(settle_error)?;
    Ok(())
}

/// Refuses to work with a role for which row-level security would not hold.
pub(crate) async fn check_role(conn: &mut Conn) -> Result<()> {
    let (unbound, owns): (bool, i64) = sqlx::query_as(
        "SELECT rolsuper OR rolbypassrls, (SELECT COUNT(*) FROM pg_class WHERE relowner = pg_roles.oid) \
         FROM pg_roles WHERE rolname = current_user",
    )
    .fetch_one(conn)
    .await
    .map_err(settle_error)?;
    if unbound || owns > 0 {
        return Err(StoreError::Unavailable(format!(
            "role {APP_ROLE} is a superuser, bypasses row-level security or owns tables: tenants would not be kept apart"
        )));
    }
    Ok(())
}
