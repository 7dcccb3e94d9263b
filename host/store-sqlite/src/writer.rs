//! One writer per file, with group commit.
//!
//! A task owns the write connection and lends it to one transaction after the other, each in a savepoint inside one
//! `BEGIN IMMEDIATE`. When nobody is waiting (or the batch is large or old enough) it commits once, and only then answers
//! all of them: many transactions, one wait for the disk. If that commit fails, all of them failed.
//!
//! The connection travels by value: whoever drops a [`Lease`], even a cancelled future or a panicking one, sends it back
//! with the order to undo. So nothing needs to run in a destructor.

use crate::Conn;
use crate::sql::settle_error;
use aistack_store::{Result, StoreError};
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Most transactions of one commit.
const MOST: u64 = 256;
/// A batch older than this is committed before the next transaction begins.
const OLDEST: Duration = Duration::from_millis(10);
/// How long a transaction waits for its turn.
const PATIENCE: Duration = Duration::from_secs(15);
/// Longest life of a transaction. One that is stuck would keep the answers of those before it in its batch.
const LONGEST: Duration = Duration::from_secs(60);
/// How many may wait.
const QUEUE: usize = 1024;

/// What a writer has done since it was opened.
#[derive(Debug, Default)]
pub(crate) struct WriterStats {
    /// Transactions acknowledged as durable.
    pub(crate) transactions: AtomicU64,
    /// Commits, that is waits for the disk.
    pub(crate) commits: AtomicU64,
}

/// The way to a file's writer.
#[derive(Debug)]
pub(crate) struct Writer {
    queue: mpsc::Sender<oneshot::Sender<Result<Lease>>>,
    task: std::sync::Mutex<Option<JoinHandle<()>>>,
    stats: Arc<WriterStats>,
}

/// The write connection, lent to one transaction.
pub(crate) struct Lease {
    conn: Option<Conn>,
    back: Option<oneshot::Sender<Return>>,
}

struct Return {
    conn: Conn,
    /// Where to say that it is durable; `None` undoes the transaction.
    keep: Option<oneshot::Sender<Result<()>>>,
}

impl Writer {
    /// Starts the task that owns the connection.
    pub(crate) fn start(conn: Conn, options: SqliteConnectOptions) -> Self {
        let (queue, requests) = mpsc::channel(QUEUE);
        let stats = Arc::new(WriterStats::default());
        let owner = Owner {
            conn: Some(conn),
            options,
            requests,
            stats: stats.clone(),
        };
        Self {
            queue,
            task: std::sync::Mutex::new(Some(tokio::spawn(owner.run()))),
            stats,
        }
    }

    /// Waits for this transaction's turn.
    pub(crate) async fn begin(&self) -> Result<Lease> {
        let (answer, lease) = oneshot::channel();
        let turn = async {
            self.queue.send(answer).await.map_err(|_| closed())?;
            lease.await.map_err(|_| closed())?
        };
        match tokio::time::timeout(PATIENCE, turn).await {
            Ok(lease) => lease,
            Err(_) => Err(StoreError::Unavailable("the writer is busy".to_owned())),
        }
    }

    /// What it has done so far.
    pub(crate) fn stats(&self) -> &WriterStats {
        &self.stats
    }

    /// Takes no more transactions, finishes those in flight and closes the connection.
    pub(crate) async fn close(self) {
        let task = self.task.lock().ok().and_then(|mut task| task.take());
        drop(self.queue);
        if let Some(task) = task
            && let Err(e) = task.await
        {
            tracing::error!(error = %e, "the writer of a database file ended badly");
        }
    }
}

impl Lease {
    /// The connection.
    pub(crate) fn conn(&mut self) -> Result<&mut Conn> {
        self.conn.as_mut().ok_or_else(closed)
    }

    /// Gives the connection back with the order to keep what was done, and waits until it is durable.
    pub(crate) async fn commit(mut self) -> Result<()> {
        let (keep, durable) = oneshot::channel();
        self.give_back(Some(keep));
        // Without an answer the writer died between the order and the commit: nobody knows whether it is durable.
        durable
            .await
            .map_err(|_| StoreError::Unavailable("the writer stopped during the commit".to_owned()))?
    }

    fn give_back(&mut self, keep: Option<oneshot::Sender<Result<()>>>) {
        if let (Some(conn), Some(back)) = (self.conn.take(), self.back.take()) {
            // Refused only when the writer is gone, and the connection closes with it.
            drop(back.send(Return { conn, keep }));
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.give_back(None);
    }
}

struct Owner {
    /// `None` while lent, and after an error that made it unusable.
    conn: Option<Conn>,
    options: SqliteConnectOptions,
    requests: mpsc::Receiver<oneshot::Sender<Result<Lease>>>,
    stats: Arc<WriterStats>,
}

impl Owner {
    async fn run(mut self) {
        while let Some(first) = self.requests.recv().await {
            if let Err(e) = self.open().await {
                drop(first.send(Err(settle_error(e))));
                continue;
            }
            let mut batch = Vec::new();
            let done = self.serve_batch(first, &mut batch).await;
            let done = match done {
                Ok(()) => self.end(&batch).await,
                Err(e) => Err(e),
            };
            self.answer(batch, done).await;
        }
        if let Some(conn) = self.conn.take()
            && let Err(e) = sqlx::Connection::close(conn).await
        {
            tracing::warn!(error = %e, "closing a database file failed");
        }
    }

    /// Opens the connection again if it was lost, and begins.
    async fn open(&mut self) -> sqlx::Result<()> {
        let mut conn = match self.conn.take() {
            Some(conn) => conn,
            None => self.options.connect().await?,
        };
        sqlx::query("BEGIN IMMEDIATE").execute(&mut conn).await?;
        self.conn = Some(conn);
        Ok(())
    }

    /// Lends the connection to one waiting transaction after the other. An error means that the whole batch is lost.
    async fn serve_batch(
        &mut self,
        first: oneshot::Sender<Result<Lease>>,
        batch: &mut Vec<oneshot::Sender<Result<()>>>,
    ) -> sqlx::Result<()> {
        let due = Instant::now() + OLDEST;
        let mut request = first;
        let mut served = 0;
        loop {
            if !request.is_closed() {
                self.serve(request, batch).await?;
                served += 1;
            }
            if served >= MOST || Instant::now() >= due {
                return Ok(());
            }
            match self.requests.try_recv() {
                Ok(next) => request = next,
                Err(_) => return Ok(()),
            }
        }
    }

    async fn serve(
        &mut self,
        request: oneshot::Sender<Result<Lease>>,
        batch: &mut Vec<oneshot::Sender<Result<()>>>,
    ) -> sqlx::Result<()> {
        let mut conn = self.conn.take().ok_or(sqlx::Error::WorkerCrashed)?;
        sqlx::query("SAVEPOINT one").execute(&mut conn).await?;
        let (back, returned) = oneshot::channel();
        let lease = Lease {
            conn: Some(conn),
            back: Some(back),
        };
        // A request given up meanwhile drops the lease, which sends the connection back at once.
        drop(request.send(Ok(lease)));
        // The connection of one that is stuck closes when it lets go of it, and undoes the batch with it.
        let Return { mut conn, keep } = tokio::time::timeout(LONGEST, returned)
            .await
            .map_err(|_| sqlx::Error::PoolTimedOut)?
            .map_err(|_| sqlx::Error::WorkerCrashed)?;
        match keep {
            Some(keep) => match sqlx::query("RELEASE one").execute(&mut conn).await {
                Ok(_) => batch.push(keep),
                Err(e) => {
                    batch.push(keep);
                    return Err(e);
                }
            },
            None => {
                sqlx::query("ROLLBACK TO one").execute(&mut conn).await?;
                sqlx::query("RELEASE one").execute(&mut conn).await?;
            }
        }
        self.conn = Some(conn);
        Ok(())
    }

    /// Commits the batch; with nothing to keep there is nothing to wait for.
    async fn end(&mut self, batch: &[oneshot::Sender<Result<()>>]) -> sqlx::Result<()> {
        let conn = self.conn.as_mut().ok_or(sqlx::Error::WorkerCrashed)?;
        let statement = if batch.is_empty() { "ROLLBACK" } else { "COMMIT" };
        sqlx::query(statement).execute(conn).await?;
        Ok(())
    }

    async fn answer(&mut self, batch: Vec<oneshot::Sender<Result<()>>>, done: sqlx::Result<()>) {
        match done {
            Ok(()) => {
                if !batch.is_empty() {
                    self.stats.commits.fetch_add(1, Ordering::Relaxed);
                    self.stats.transactions.fetch_add(batch.len() as u64, Ordering::Relaxed);
                }
                for keep in batch {
                    drop(keep.send(Ok(())));
                }
            }
            Err(e) => {
                tracing::error!(error = %e, transactions = batch.len(), "a group commit failed");
                // The connection is in an unknown state: the next batch opens a new one. Closing it undoes the rest.
                self.conn = None;
                let why = settle_error(e).to_string();
                for keep in batch {
                    drop(keep.send(Err(StoreError::Unavailable(why.clone()))));
                }
            }
        }
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("the database is closed".to_owned())
}
