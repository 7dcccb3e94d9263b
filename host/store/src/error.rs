//! What can go wrong in a store, reduced to what a rule can act on.

/// A store operation's result.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// A failed store operation.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A unique key is taken already.
    #[error("it exists already")]
    AlreadyExists,
    /// A referenced row does not exist.
    #[error("a row it refers to does not exist")]
    MissingReference,
    /// The row changed since it was read, or a guard did not hold.
    #[error("it changed meanwhile")]
    Conflict,
    /// The database is busy, full or away; trying again later may help.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// Stored data does not make sense.
    #[error("stored data is damaged: {0}")]
    Corrupt(String),
    /// Anything else the database said.
    #[error("database: {0}")]
    Backend(#[source] Box<dyn std::error::Error + Send + Sync>),
}
