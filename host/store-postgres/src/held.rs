//! A transaction in progress, as the mounted statements see it.

use crate::Conn;
use crate::sql::settle_error;
use aistack_store::{Result, StoreError};
use sqlx::{Postgres, Transaction};

/// A transaction in progress. Dropping it undoes it.
pub(crate) struct Held {
    tx: Transaction<'static, Postgres>,
    /// Set by the first database error. PostgreSQL answers a COMMIT after it with a silent ROLLBACK.
    failed: bool,
}

impl Held {
    pub(crate) fn new(tx: Transaction<'static, Postgres>) -> Self {
        Self { tx, failed: false }
    }

    /// The connection, unless the transaction has failed.
    pub(crate) fn conn(&mut self) -> Result<&mut Conn> {
        if self.failed {
            return Err(has_failed());
        }
        Ok(&mut self.tx)
    }

    /// Turns a statement's result into ours; an error ends the transaction.
    pub(crate) fn settle<T>(&mut self, result: sqlx::Result<T>) -> Result<T> {
        result.map_err(|e| {
            self.failed = true;
            settle_error(e)
        })
    }

    /// Makes the transaction durable.
    pub(crate) async fn commit(self) -> Result<()> {
        if self.failed {
            return Err(has_failed());
        }
        self.tx.commit().await.map_err(settle_error)
    }
}

fn has_failed() -> StoreError {
    StoreError::Backend("the transaction has failed already".into())
}
