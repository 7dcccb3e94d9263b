//! The store itself: connecting, and the way to each kind of transaction.

use crate::held::Held;
use crate::migrate::{APP_ROLE, check_role, migrate};
use crate::sql::{PlatformDb, TenantDb, settle_error};
use aistack_core::{Isolation, TenantId, TenantScope};
use aistack_store::{
    Durability, PlatformMachine, PlatformRead, PlatformTx, Probe, Result, Store, StoreError, TenantMachine, TenantRead,
    TenantTx,
};
use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// How long a transaction waits for a connection, or for the tenant's transaction before it.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long closing waits for transactions in flight.
const GRACE: Duration = Duration::from_secs(10);
/// The lock of the platform's business transactions: any fixed number ("aistack" in ASCII).
const PLATFORM_LOCK: i64 = 0x0061_6973_7461_636b;

/// Where and how to keep data.
#[derive(Debug, Clone)]
pub struct PostgresConfig {
    /// Address and credentials of the role that the program signs in as.
    pub url: SecretString,
    /// The role that owns the tables and may make roles; `None` when it is the one in `url`.
    pub owner_url: Option<SecretString>,
    /// Most connections.
    pub max_connections: u32,
    /// What an acknowledged commit survives.
    pub durability: Durability,
}

impl PostgresConfig {
    /// The defaults for an address: safe against power loss, 16 connections, one role for everything.
    #[must_use]
    pub fn new(url: SecretString) -> Self {
        Self {
            url,
            owner_url: None,
            max_connections: 16,
            durability: Durability::default(),
        }
    }
}

/// The store on PostgreSQL.
pub struct PostgresStore {
    pub(crate) pool: PgPool,
    /// For what the app role may not do.
    pub(crate) owner: PgConnectOptions,
}

impl PostgresStore {
    /// Migrates the database and connects as the app role.
    ///
    /// # Errors
    /// When the address is wrong, the server is away, the database was migrated by a newer program, or the app role
    /// could get around row-level security.
    pub async fn connect(config: PostgresConfig) -> Result<Arc<dyn Store>> {
        Self::migrate(&config).await?;
        let durability = config.durability;
        let pool = PgPoolOptions::new()
            .max_connections(config.max_connections.max(1))
            .acquire_timeout(PATIENCE)
            .after_connect(move |conn, _| {
                Box::pin(async move {
                    conn.execute(AssertSqlSafe(session(durability))).await?;
                    Ok(())
                })
            })
            .connect_with(options(&config.url)?)
            .await
            .map_err(settle_error)?;
        check_role(&mut *pool.acquire().await.map_err(settle_error)?).await?;
        let owner = options(config.owner_url.as_ref().unwrap_or(&config.url))?;
        Ok(Arc::new(Self { pool, owner }))
    }

    /// Brings the database up to date, as the owner, and does nothing else.
    ///
    /// # Errors
    /// As [`PostgresStore::connect`].
    pub async fn migrate(config: &PostgresConfig) -> Result<()> {
        let login = options(&config.url)?;
        let owner = match &config.owner_url {
            Some(url) => options(url)?,
            None => login.clone(),
        };
        migrate(&owner, login.get_username()).await
    }

    /// A transaction on the platform's tables.
    async fn begin_platform(&self, kind: Kind) -> Result<PlatformDb> {
        let statement = match kind {
            Kind::Change => format!("BEGIN; {}", lock(PLATFORM_LOCK)),
            Kind::Machine => "BEGIN".to_owned(),
            Kind::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY".to_owned(),
        };
        Ok(PlatformDb::new(self.begin(statement).await?))
    }

    /// A transaction on one tenant's rows: row-level security shows no others until it ends.
    async fn begin_tenant(&self, scope: &TenantScope, kind: Kind) -> Result<TenantDb> {
        supported(scope)?;
        let id = scope.id();
        // A UUID's text can't hold a quote.
        let tenant = format!("SELECT set_config('aistack.tenant', '{}', true)", id.0);
        let statement = match kind {
            Kind::Change => format!("BEGIN; {tenant}; {}", lock(tenant_lock(id))),
            Kind::Machine => format!("BEGIN; {tenant}"),
            Kind::Read => format!("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; {tenant}"),
        };
        Ok(TenantDb::new(self.begin(statement).await?, id))
    }

    async fn begin(&self, statement: String) -> Result<Held> {
        let pool = self.pool.clone();
        // In a task of its own, which ends even if our caller is cancelled: sqlx takes a connection whose BEGIN was
        // cancelled half-way back into the pool as if nothing had begun, with the lock and the tenant still set.
        let begun = tokio::spawn(async move { pool.begin_with(AssertSqlSafe(statement)).await });
        match begun.await {
            Ok(tx) => tx.map(Held::new).map_err(settle_error),
            Err(e) => Err(StoreError::Unavailable(format!("beginning a transaction: {e}"))),
        }
    }
}

/// What a transaction is for.
#[derive(Clone, Copy)]
enum Kind {
    /// Business state: one at a time per tenant, so that rules over several rows hold and the audit log has an order.
    Change,
    /// Machinery: guarded statement by statement.
    Machine,
    /// A snapshot.
    Read,
}

#[async_trait::async_trait]
impl Store for PostgresStore {
    fn backend(&self) -> &'static str {
        "postgres"
    }

    async fn scope(&self, id: TenantId) -> Result<Option<TenantScope>> {
        self.begin_platform(Kind::Read).await?.scope(id).await
    }
    async fn scope_by_slug(&self, slug: &str) -> Result<Option<TenantScope>> {
        self.begin_platform(Kind::Read).await?.scope_by_slug(slug).await
    }
    async fn provision(&self, scope: &TenantScope) -> Result<()> {
        supported(scope)
    }
    async fn erase(&self, scope: &TenantScope) -> Result<()> {
        supported(scope)?;
        self.erase_rows(scope).await
    }
    async fn probe(&self, a: &TenantScope, b: &TenantScope) -> Result<Vec<Probe>> {
        self.probe_policies(a, b).await
    }

    async fn platform(&self) -> Result<Box<dyn PlatformTx>> {
        Ok(self.begin_platform(Kind::Change).await?.change())
    }
    async fn platform_read(&self) -> Result<Box<dyn PlatformRead>> {
        Ok(self.begin_platform(Kind::Read).await?.read())
    }
    async fn platform_machine(&self) -> Result<Box<dyn PlatformMachine>> {
        Ok(self.begin_platform(Kind::Machine).await?.machine())
    }

    async fn tenant(&self, scope: &TenantScope) -> Result<Box<dyn TenantTx>> {
        Ok(self.begin_tenant(scope, Kind::Change).await?.change())
    }
    async fn tenant_read(&self, scope: &TenantScope) -> Result<Box<dyn TenantRead>> {
        Ok(self.begin_tenant(scope, Kind::Read).await?.read())
    }
    async fn tenant_machine(&self, scope: &TenantScope) -> Result<Box<dyn TenantMachine>> {
        Ok(self.begin_tenant(scope, Kind::Machine).await?.machine())
    }

    async fn health(&self) -> Result<String> {
        let (version, standby): (String, bool) =
            sqlx::query_as("SELECT current_setting('server_version'), pg_is_in_recovery()")
                .fetch_one(&self.pool)
                .await
                .map_err(settle_error)?;
        if standby {
            return Err(StoreError::Unavailable(
                "the server is a standby and takes no writes".to_owned(),
            ));
        }
        Ok(format!(
            "PostgreSQL {version}: takes writes, {} of {} connections open",
            self.pool.size(),
            self.pool.options().get_max_connections()
        ))
    }

    async fn close(&self) {
        if tokio::time::timeout(GRACE, self.pool.close()).await.is_err() {
            tracing::warn!("a transaction is still open; its connection is left to the server");
        }
    }
}

fn supported(scope: &TenantScope) -> Result<()> {
    match scope.isolation() {
        Isolation::Row => Ok(()),
        other => Err(StoreError::Backend(
            format!("isolation \"{other}\" is not available on PostgreSQL yet; use \"row\"").into(),
        )),
    }
}

/// Waits for the lock and keeps it until the transaction ends.
fn lock(key: i64) -> String {
    format!("SELECT pg_advisory_xact_lock({key})")
}

/// The lock of a tenant's business transactions. Two tenants that share one (a chance of 2⁻⁶⁴) wait for each other, no more.
fn tenant_lock(id: TenantId) -> i64 {
    let (high, low) = id.0.as_u64_pair();
    (high ^ low).cast_signed()
}

/// The settings of a connection: the app role, time limits, durability.
fn session(durability: Durability) -> String {
    let patience = PATIENCE.as_secs();
    let durability = match durability {
        // A server set to wait for its standbys too keeps doing so.
        Durability::PowerLoss => {
            "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
        }
        Durability::Crash => "SET synchronous_commit = off",
    };
    format!(
        "SET ROLE {APP_ROLE}; SET statement_timeout = '30s'; SET lock_timeout = '{patience}s'; \
         SET idle_in_transaction_session_timeout = '60s'; SET timezone = 'UTC'; {durability}"
    )
}

fn options(url: &SecretString) -> Result<PgConnectOptions> {
    // The error may quote the address, and with it the password.
    PgConnectOptions::from_str(url.expose_secret())
        .map(|options| options.application_name("aistack").disable_statement_logging())
        .map_err(|_| StoreError::Unavailable("the PostgreSQL address can't be read".to_owned()))
}
