//! Receipts of calls, written in batches behind the calls: a call never waits for its own bookkeeping. What is still
//! in memory when the process is killed is lost; that is the price, and it is stated.

use crate::{
    App, Problem,
    plugins::{port::CallReceipt, recordings::Recorded},
};
use aistack_core::TenantId;
use aistack_store::CallRow;
use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

/// Receipts held at most; beyond that the oldest rule is "drop the new one and count it".
const CAPACITY: usize = 20_000;
/// Journals held at most: one may have some megabytes. Beyond that calls go without.
const JOURNALS: usize = 64;
/// A batch is written at least this often.
const EVERY: Duration = Duration::from_millis(500);

/// Receipts that have not been written yet.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<Vec<CallReceipt>>,
    journals: AtomicUsize,
    dropped: AtomicU64,
    wake: tokio::sync::Notify,
}

impl Queue {
    /// Takes a receipt; never waits.
    pub(super) fn push(&self, mut receipt: CallReceipt) {
        if receipt.tape.is_some() {
            if self.journals.fetch_add(1, Ordering::Relaxed) < JOURNALS {
                self.wake.notify_one();
            } else {
                self.journals.fetch_sub(1, Ordering::Relaxed);
                tracing::warn!(call = %receipt.call, "a journal was dropped: the store is slower than the calls");
                receipt.tape = None;
            }
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= CAPACITY {
            if receipt.tape.is_some() {
                self.journals.fetch_sub(1, Ordering::Relaxed);
            }
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        waiting.push(receipt);
        if waiting.len().is_multiple_of(256) {
            self.wake.notify_one();
        }
    }
    fn take(&self) -> Vec<CallReceipt> {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn row(r: CallReceipt) -> CallRow {
    let micros = |d: Duration| i64::try_from(d.as_micros()).unwrap_or(i64::MAX);
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    CallRow {
        id: r.call,
        installation_id: r.installation,
        request_id: r.request,
        operation: r.operation,
        started_at: r.started_at,
        wall_us: micros(r.wall),
        guest_us: micros(r.guest),
        memory: number(r.memory),
        host_calls: r.host_calls.into(),
        bytes_out: number(r.bytes_out),
        bytes_in: number(r.bytes_in),
        outcome: r.outcome.to_string(),
        code: r.code,
        log: serde_json::to_string(&r.log).unwrap_or_else(|_| "[]".to_owned()),
        plugin: r.plugin.to_string(),
        digest: r.digest.to_string(),
        lane: r.lane.to_string(),
        turns: number(r.turns),
        frames: serde_json::to_string(&r.frames).unwrap_or_else(|_| "[]".to_owned()),
    }
}

/// Writes everything that waits.
///
/// # Errors
/// As the store; receipts of tenants that could not be written are dropped, those of others are not affected.
pub async fn flush_receipts(app: &App) -> Result<(), Problem> {
    let dropped = app.calls.receipts.dropped.swap(0, Ordering::Relaxed);
    if dropped > 0 {
        tracing::warn!(
            dropped,
            "call receipts were dropped: the store is slower than the calls"
        );
    }
    let mut by_tenant: HashMap<TenantId, Vec<CallRow>> = HashMap::new();
    let mut recorded = Vec::new();
    for mut receipt in app.calls.receipts.take() {
        recorded.extend(Recorded::from(&mut receipt));
        by_tenant.entry(receipt.tenant).or_default().push(row(receipt));
    }
    let mut result = Ok(());
    for (tenant, rows) in by_tenant {
        if let Err(e) = write(app, tenant, &rows).await {
            tracing::warn!(%tenant, receipts = rows.len(), error = %e, "call receipts could not be written");
            result = Err(e);
        }
    }
    app.calls.receipts.journals.fetch_sub(recorded.len(), Ordering::Relaxed);
    for one in recorded {
        if let Err(e) = one.keep(app).await {
            tracing::warn!(error = %e, "the journal of a call could not be written");
            result = Err(e);
        }
    }
    result
}

async fn write(app: &App, tenant: TenantId, rows: &[CallRow]) -> Result<(), Problem> {
    let Some(scope) = app.store.scope(tenant).await? else {
        return Ok(());
    };
    let mut machine = app.store.tenant_machine(&scope).await?;
    match machine.machinery().insert_calls(rows).await {
        Ok(()) => return Ok(machine.commit().await?),
        Err(e) if rows.len() == 1 => return Err(e.into()),
        // Most likely an installation that was removed while its call ran: find the ones that still fit.
        Err(_) => drop(machine),
    }
    for one in rows {
        let mut machine = app.store.tenant_machine(&scope).await?;
        if machine
            .machinery()
            .insert_calls(std::slice::from_ref(one))
            .await
            .is_ok()
        {
            machine.commit().await?;
        }
    }
    Ok(())
}

/// Writes receipts until `stop` resolves, then what is left. Run it once per process, in the background.
pub async fn record_receipts(app: &App, stop: impl Future<Output = ()> + Send) {
    tokio::pin!(stop);
    loop {
        let stopping = tokio::select! {
            () = &mut stop => true,
            () = app.calls.receipts.wake.notified() => false,
            () = tokio::time::sleep(EVERY) => false,
        };
        // Failures are logged where they happen; the next batch is a new try.
        let _ = flush_receipts(app).await;
        if stopping {
            return;
        }
    }
}
