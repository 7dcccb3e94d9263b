//! From the driver's errors to what a rule can act on.

use aistack_store::StoreError;
use sqlx::error::ErrorKind;

/// What a driver's error means.
pub(crate) fn settle_error(e: sqlx::Error) -> StoreError {
    match e {
        sqlx::Error::Database(ref db) => match db.kind() {
            ErrorKind::UniqueViolation => StoreError::AlreadyExists,
            ErrorKind::ForeignKeyViolation => StoreError::MissingReference,
            _ if crate::dialect::is_unavailable(db.as_ref()) => StoreError::Unavailable(db.message().to_owned()),
            _ => StoreError::Backend(Box::new(e)),
        },
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed => StoreError::Unavailable(e.to_string()),
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => StoreError::Corrupt(e.to_string()),
        e => StoreError::Backend(Box::new(e)),
    }
}
