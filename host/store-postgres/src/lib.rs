//! The store on PostgreSQL: all tenants in one schema, kept apart by forced row-level security.
//!
//! The statements stand in `../store/sql` and are mounted here; this crate adds what PostgreSQL needs around them: roles,
//! migrations as the owner, the tenant set as the first statement of each transaction, time limits, and one business
//! transaction per tenant at a time, as on SQLite.

mod dialect;
mod erase;
mod held;
mod migrate;
mod store;

#[path = "../../store/sql/mod.rs"]
mod sql;

pub use store::{PostgresConfig, PostgresStore};

/// The database the mounted statements are checked against.
pub(crate) type Conn = sqlx::PgConnection;
