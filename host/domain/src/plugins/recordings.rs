//! Recording the next calls of an installation: starting it, ending it, and reading what was recorded. Journals are
//! sealed, kept for a day and at most a hundred of an installation; whoever reads one stands in the audit log.

use super::{
    calls::flush_receipts,
    catalogue,
    port::{CallReceipt, Journal, Tape},
};
use crate::{App, FieldError, Problem, TenantCtx, audit};
use aistack_core::{CallId, InstallationId, ProblemKind, TenantId, Timestamp};
use aistack_store::{Audit, JournalRow, Recording};
use secrecy::ExposeSecret;
use serde_json::json;
use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// Most calls of one recording, and most journals kept of an installation.
pub const MAX_CALLS: u32 = 100;
/// Longest recording, in minutes.
pub const MAX_MINUTES: u32 = 24 * 60;
/// How long journals are kept.
pub const KEPT: Duration = Duration::from_secs(24 * 3600);
/// Bytes of one journal, about. Beyond that it is cut: a replay gets as far.
pub const BUDGET: usize = 2 << 20;
/// Purpose under which the sealer derives its key.
const PURPOSE: &str = "call-journal";

/// Which installations are recorded, as this node knows it. What counts in the end is the store: a journal is kept only
/// if there is a place for it.
#[derive(Debug, Default)]
pub struct Recordings {
    any: AtomicBool,
    all: Mutex<HashMap<(TenantId, InstallationId), Recording>>,
}

impl Recordings {
    fn with<T>(&self, f: impl FnOnce(&mut HashMap<(TenantId, InstallationId), Recording>) -> T) -> T {
        // Nothing in here can be left half done by a panic.
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let done = f(&mut all);
        self.any.store(!all.is_empty(), Ordering::Relaxed);
        done
    }

    /// Takes note of what the store says.
    pub(super) fn know(&self, tenant: TenantId, installation: InstallationId, recording: Option<Recording>) {
        // Nobody has to wait for anybody to learn that there still is none.
        if recording.is_none() && !self.any.load(Ordering::Relaxed) {
            return;
        }
        self.with(|all| match recording {
            // Places taken meanwhile stay taken.
            Some(new)
                if all
                    .get(&(tenant, installation))
                    .is_some_and(|old| old.started_at == new.started_at) => {}
            Some(new) => {
                all.insert((tenant, installation), new);
            }
            None => {
                all.remove(&(tenant, installation));
            }
        });
    }

    /// Whether a call that starts now is to be recorded.
    pub(super) fn wanted(&self, tenant: TenantId, installation: InstallationId, now: Timestamp) -> bool {
        self.any.load(Ordering::Relaxed)
            && self.with(|all| {
                let key = (tenant, installation);
                if all.get(&key).is_some_and(|r| r.until <= now || r.calls <= 0) {
                    all.remove(&key);
                }
                all.contains_key(&key)
            })
    }

    /// Takes a place for a recorded call; without one, when calls beside it took the last ones, its journal goes.
    pub(super) fn settle(&self, receipt: &mut CallReceipt) {
        if receipt.tape.is_none() {
            return;
        }
        let place = self.with(|all| {
            let Some(r) = all.get_mut(&(receipt.tenant, receipt.installation)) else {
                return false;
            };
            r.calls -= 1;
            r.calls >= 0
        });
        if !place {
            receipt.tape = None;
        }
    }
}

/// A recording that has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Started {
    /// The installation.
    pub installation: InstallationId,
    /// So many calls, as they come.
    pub calls: u32,
    /// Until then at the latest.
    pub until: Timestamp,
}

fn within(pointer: &str, value: u32, most: u32) -> Option<FieldError> {
    (!(1..=most).contains(&value)).then(|| {
        FieldError::new(pointer, "out_of_range", format!("{value} is not from 1 to {most}"))
            .hint(format!("a whole number from 1 to {most}"))
    })
}

/// Has the next calls of an installation recorded, in place of a recording that is going on.
///
/// # Errors
/// `not_found`, `invalid` for figures out of range, or as the store.
pub async fn start(app: &App, t: &TenantCtx, id: InstallationId, calls: u32, minutes: u32) -> Result<Started, Problem> {
    let wrong: Vec<FieldError> = [
        within("/calls", calls, MAX_CALLS),
        within("/minutes", minutes, MAX_MINUTES),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !wrong.is_empty() {
        return Err(Problem::invalid(wrong));
    }
    let now = app.clock.now();
    let until = now.plus(Duration::from_secs(u64::from(minutes) * 60));
    let recording = Recording {
        installation_id: id,
        calls: calls.into(),
        until,
        started_at: now,
    };
    let mut tx = app.store.tenant(&t.scope).await?;
    if tx.installations().get(id).await?.is_none() {
        return Err(Problem::not_found("installation"));
    }
    tx.installations().start_recording(&recording).await?;
    let draft = audit::Draft::new("installation.recording_started", "installation", id)
        .details(json!({ "calls": calls, "until": until }));
    let entry = audit::for_tenant(app, &mut *tx, t, draft).await?;
    tx.commit(Audit::one(entry)).await?;
    app.calls.recordings.know(t.scope.id(), id, Some(recording));
    Ok(Started {
        installation: id,
        calls,
        until,
    })
}

/// Ends a recording; what was recorded stays.
///
/// # Errors
/// `not_found` when there is no such installation or nothing is recorded, or as the store.
pub async fn end(app: &App, t: &TenantCtx, id: InstallationId) -> Result<(), Problem> {
    let mut tx = app.store.tenant(&t.scope).await?;
    if tx.installations().get(id).await?.is_none() {
        return Err(Problem::not_found("installation"));
    }
    if !tx.installations().end_recording(id).await? {
        return Err(Problem::not_found("recording"));
    }
    let draft = audit::Draft::new("installation.recording_ended", "installation", id);
    let entry = audit::for_tenant(app, &mut *tx, t, draft).await?;
    tx.commit(Audit::one(entry)).await?;
    app.calls.recordings.know(t.scope.id(), id, None);
    Ok(())
}

/// Binds a journal to its place.
fn aad(tenant: TenantId, installation: InstallationId, call: CallId) -> Vec<u8> {
    [
        tenant.0.as_bytes().as_slice(),
        installation.0.as_bytes(),
        call.0.as_bytes(),
    ]
    .concat()
}

/// A recorded call, on its way to the store.
#[derive(Debug)]
pub(super) struct Recorded {
    tenant: TenantId,
    installation: InstallationId,
    call: CallId,
    at: Timestamp,
    journal: Box<Journal>,
}

impl Recorded {
    /// Takes the journal out of a receipt, if there is one.
    pub(super) fn from(receipt: &mut CallReceipt) -> Option<Self> {
        match *receipt.tape.take()? {
            Tape::Recorded(journal) => Some(Self {
                tenant: receipt.tenant,
                installation: receipt.installation,
                call: receipt.call,
                at: receipt.started_at,
                journal,
            }),
            Tape::Replayed(_) => None,
        }
    }

    /// Seals it and keeps it, if the recording still has a place.
    pub(super) async fn keep(self, app: &App) -> Result<(), Problem> {
        let Some(scope) = app.store.scope(self.tenant).await? else {
            return Ok(());
        };
        let text = serde_json::to_vec(&self.journal).map_err(|e| Problem::internal(format!("a journal: {e}")))?;
        let row = JournalRow {
            call_id: self.call,
            installation_id: self.installation,
            sealed: app
                .sealer
                .seal(PURPOSE, &aad(self.tenant, self.installation, self.call), &text),
            created_at: self.at,
        };
        let mut machine = app.store.tenant_machine(&scope).await?;
        if machine.machinery().keep_journal(&row, MAX_CALLS.into()).await? {
            machine.commit().await?;
        }
        Ok(())
    }
}

async fn row(app: &App, t: &TenantCtx, installation: InstallationId, call: CallId) -> Result<JournalRow, Problem> {
    let _ = flush_receipts(app).await;
    let found = app.store.tenant_read(&t.scope).await?.machinery().journal(call).await?;
    found.filter(|j| j.installation_id == installation).ok_or_else(|| {
        Problem::not_found("journal").hint(
            "only calls made while their plugin is recorded have a journal, for 24 hours: aistack plugin record INSTALLATION",
        )
    })
}

fn opened(app: &App, t: &TenantCtx, row: &JournalRow) -> Result<Journal, Problem> {
    let aad = aad(t.scope.id(), row.installation_id, row.call_id);
    let text = app
        .sealer
        .open(PURPOSE, &aad, &row.sealed)
        .map_err(|e| Problem::internal(format!("the journal of {}: {e}", row.call_id)))?;
    serde_json::from_slice(text.expose_secret())
        .map_err(|e| Problem::internal(format!("the journal of {}: {e}", row.call_id)))
}

/// Writes into the audit log that somebody has read what was recorded.
async fn audited(app: &App, t: &TenantCtx, action: &'static str, row: &JournalRow) -> Result<(), Problem> {
    let mut tx = app.store.tenant(&t.scope).await?;
    let draft = audit::Draft::new(action, "call", row.call_id).details(json!({ "installation": row.installation_id }));
    let entry = audit::for_tenant(app, &mut *tx, t, draft).await?;
    Ok(tx.commit(Audit::one(entry)).await?)
}

/// The journal of a recorded call.
///
/// # Errors
/// `not_found`, or as the store.
pub async fn journal(app: &App, t: &TenantCtx, installation: InstallationId, call: CallId) -> Result<Journal, Problem> {
    let row = row(app, t, installation, call).await?;
    let journal = opened(app, t, &row)?;
    audited(app, t, "call.journal_read", &row).await?;
    Ok(journal)
}

/// The component that a recorded call ran, to replay it with.
///
/// # Errors
/// `not_found` when there is no journal of the call, or the component is not installed any more; or as the stores.
pub async fn component(
    app: &App,
    t: &TenantCtx,
    installation: InstallationId,
    call: CallId,
) -> Result<Vec<u8>, Problem> {
    let row = row(app, t, installation, call).await?;
    let digest = opened(app, t, &row)?.digest;
    let bytes = catalogue::bytes(app, &digest).await.map_err(|why| {
        Problem::new(
            ProblemKind::NotFound,
            format!("the component of this call is not there any more: {why}"),
        )
        .hint("replay it with a component of your own: --wasm FILE")
    })?;
    audited(app, t, "call.component_read", &row).await?;
    Ok(bytes)
}
