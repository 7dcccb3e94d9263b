//! The store on SQLite: `platform.db`, and one file per tenant (or a shared one) opened when needed.
//!
//! The statements stand in `../store/sql` and are mounted here; this crate adds what SQLite needs around them: files,
//! pragmas, one writer per file with group commit, readers that can't write, and the cache of open files.

mod dialect;
mod erase;
mod file;
mod files;
mod held;
mod store;
mod template;
mod writer;

#[path = "../../store/sql/mod.rs"]
mod sql;

pub use store::{SqliteConfig, SqliteStore};

/// The database the mounted statements are checked against.
pub(crate) type Conn = sqlx::SqliteConnection;
