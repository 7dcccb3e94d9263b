//! A transaction in progress, as the mounted statements see it: a connection that is theirs until they are done.

use crate::Conn;
use crate::file::DbFile;
use crate::sql::settle_error;
use crate::writer::Lease;
use aistack_store::{Result, StoreError};
use sqlx::{Sqlite, Transaction};
use std::sync::Arc;

/// A transaction in progress. Dropping it undoes it.
pub(crate) struct Held {
    inner: Inner,
    /// Set by the first database error. SQLite may have ended the whole transaction by itself then (a full disk does
    /// that), and a further statement would be a transaction of its own.
    failed: bool,
    /// Keeps the file open while the transaction lives.
    _file: Arc<DbFile>,
}

enum Inner {
    Write(Lease),
    Read(Transaction<'static, Sqlite>),
}

impl Held {
    pub(crate) fn write(lease: Lease, file: Arc<DbFile>) -> Self {
        Self {
            inner: Inner::Write(lease),
            failed: false,
            _file: file,
        }
    }
    pub(crate) fn read(tx: Transaction<'static, Sqlite>, file: Arc<DbFile>) -> Self {
        Self {
            inner: Inner::Read(tx),
            failed: false,
            _file: file,
        }
    }

    /// The connection, unless the transaction has failed.
    pub(crate) fn conn(&mut self) -> Result<&mut Conn> {
        if self.failed {
            return Err(has_failed());
        }
        match &mut self.inner {
            Inner::Write(lease) => lease.conn(),
            Inner::Read(tx) => Ok(tx),
        }
    }

    /// Turns a statement's result into ours; an error ends the transaction.
    pub(crate) fn settle<T>(&mut self, result: sqlx::Result<T>) -> Result<T> {
        result.map_err(|e| {
            self.failed = true;
            settle_error(e)
        })
    }

    /// Makes the transaction durable: returns once the disk has it.
    pub(crate) async fn commit(self) -> Result<()> {
        if self.failed {
            return Err(has_failed());
        }
        match self.inner {
            Inner::Write(lease) => lease.commit().await,
            Inner::Read(tx) => tx.rollback().await.map_err(settle_error),
        }
    }
}

fn has_failed() -> StoreError {
    StoreError::Backend("the transaction has failed already".into())
}
