//! Releases: a new version on trial beside the one in use, for a share of the tenants or of the calls, until somebody
//! promotes it or it fails too often.
//!
//! A release changes nothing in any tenant while it runs: calls of installations that are at its first version, not
//! pinned, and could change without anybody's consent, are answered by the candidate instead, with their config as the
//! candidate translates it. Where the candidate asks for more than was agreed to, it is not used, and waits for consent.
//! Promoting it then changes these installations, one by one, as if each had been asked to; taking a promoted one back
//! changes them back.

mod end;
mod judge;
mod manage;
mod promote;
mod route;
mod shadow;

pub use end::{end, take_back};
pub(super) use judge::judge;
pub(super) use manage::on_trial;
pub use manage::{NewRelease, get, list, start};
pub use promote::{Promote, promote};
pub(super) use route::route;
pub use shadow::Diff;
pub(super) use shadow::compare;
pub(crate) use shadow::compare_report;

use super::{
    calls::Loaded,
    port::{CallOutcome, CallReceipt, FaultKind, over_budget},
};
use crate::{App, Problem};
use aistack_core::{InstallationId, TenantId, Timestamp, text_enum};
use arc_swap::ArcSwap;
use serde::{Deserialize, Serialize};
use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

text_enum! {
    /// What a release does with the candidate.
    pub enum Mode {
        /// Answers a share of the calls.
        Canary = "canary",
        /// Runs beside the version in use; its answers are compared and thrown away.
        Shadow = "shadow",
        /// Is promoted at once.
        All = "all",
    }
}

text_enum! {
    /// What the share of a canary is of.
    pub enum By {
        /// Tenants: each stays on its side.
        Tenants = "tenants",
        /// Calls.
        Calls = "calls",
    }
}

text_enum! {
    /// Where a release stands.
    pub enum State {
        /// On trial.
        Running = "running",
        /// In use.
        Promoted = "promoted",
        /// Taken back because it failed, or by an operator.
        RolledBack = "rolled_back",
        /// Ended without a verdict.
        Cancelled = "cancelled",
    }
}

/// A release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Id, `rel_…`.
    pub id: String,
    /// Plugin.
    pub plugin_id: String,
    /// Version in use.
    pub from_version: String,
    /// Its component.
    pub from_digest: String,
    /// Candidate.
    pub to_version: String,
    /// Its component.
    pub to_digest: String,
    /// What is done with it.
    pub mode: Mode,
    /// What the share is of.
    pub by: By,
    /// Share, per mille.
    pub share: u16,
    /// Most failures beyond those of the version in use, per mille of its calls.
    pub max_errors: u16,
    /// Calls of the candidate before it is judged.
    pub min_calls: u64,
    /// Where it stands.
    pub state: State,
    /// Why it ended.
    pub reason: Option<String>,
    /// When it started.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// Calls of one side, on this node since the release began here.
#[derive(Debug, Default)]
struct Count {
    calls: AtomicU64,
    failed: AtomicU64,
}

/// The same, read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Calls.
    pub calls: u64,
    /// Calls of these that speak against the plugin: crashes, bounds, faults that are not about what the caller asked.
    pub failed: u64,
}

/// Whether a call speaks against its plugin; `None` for one that says nothing, because it was never made or was cut
/// short for its tenant's sake.
fn failed(receipt: &CallReceipt) -> Option<bool> {
    use FaultKind as F;
    match receipt.outcome {
        CallOutcome::Refused => None,
        _ if receipt.code.as_deref().is_some_and(over_budget) => None,
        CallOutcome::Ok => Some(false),
        CallOutcome::Trap | CallOutcome::Timeout | CallOutcome::Limit => Some(true),
        CallOutcome::Fault => Some(match receipt.fault {
            // What people and providers refuse, they refuse of any version.
            Some(
                F::InvalidInput
                | F::Denied
                | F::NotFound
                | F::Conflict
                | F::Declined
                | F::Expired
                | F::SignatureInvalid,
            ) => false,
            Some(F::Unsupported | F::InvalidConfig | F::RateLimited | F::Transport | F::Provider | F::Internal)
            | None => true,
        }),
    }
}

impl Count {
    fn note(&self, failed: bool) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.failed.fetch_add(u64::from(failed), Ordering::Relaxed);
    }
    fn read(&self) -> Tally {
        Tally {
            failed: self.failed.load(Ordering::Relaxed),
            calls: self.calls.load(Ordering::Relaxed),
        }
    }
}

/// What it was made from (the generation, the plan, the epoch of the rules), and what came of it.
type Variant = ((i64, (String, u64)), Option<Arc<Loaded>>);

/// A release that runs, as this node sees it.
#[derive(Debug)]
pub(super) struct Running {
    release: Release,
    from: Count,
    to: Count,
    /// Installations as the candidate sees them; `None` where it can't be used.
    variants: Mutex<HashMap<(TenantId, InstallationId), Variant>>,
    diffs: Mutex<VecDeque<Diff>>,
}

/// The releases that run, in memory: every call asks.
#[derive(Debug, Default)]
pub struct Releases {
    running: ArcSwap<Vec<Arc<Running>>>,
    /// Ids of those that came to nothing: what they asked tenants for is not asked any more.
    void: ArcSwap<HashSet<String>>,
    /// One reads them at a time: what was read earlier must not be put in force later.
    refreshing: tokio::sync::Mutex<()>,
}

impl Releases {
    fn running(&self) -> arc_swap::Guard<Arc<Vec<Arc<Running>>>> {
        self.running.load()
    }
    fn find(&self, id: &str) -> Option<Arc<Running>> {
        self.running().iter().find(|r| r.release.id == id).cloned()
    }
    /// Whether what this release asked for is still asked for.
    pub(super) fn still_asks(&self, id: &str) -> bool {
        !self.void.load().contains(id)
    }
    /// Counts a call on its side.
    pub(super) fn note(&self, receipt: &CallReceipt) {
        let Some(failed) = failed(receipt) else { return };
        for running in self.running().iter() {
            if *running.release.to_digest == *receipt.digest {
                running.to.note(failed);
            } else if *running.release.from_digest == *receipt.digest {
                running.from.note(failed);
            }
        }
    }
    /// What this node has counted of a running release: the version in use, the candidate.
    #[must_use]
    pub fn tallies(&self, id: &str) -> Option<(Tally, Tally)> {
        let running = self.find(id)?;
        Some((running.from.read(), running.to.read()))
    }
    /// Where the candidate's answers differed, newest last, on this node.
    #[must_use]
    pub fn diffs(&self, id: &str) -> Vec<Diff> {
        self.find(id).map_or_else(Vec::new, |r| {
            let diffs = r.diffs.lock().unwrap_or_else(PoisonError::into_inner);
            diffs.iter().cloned().collect()
        })
    }
}

/// Reads which releases run; what is known of those that ran already is kept.
///
/// # Errors
/// As the store.
pub async fn refresh(app: &App) -> Result<(), Problem> {
    let _one = app.releases.refreshing.lock().await;
    let all = manage::all(app).await?;
    let before = app.releases.running.load_full();
    let (mut now, mut void) = (Vec::new(), HashSet::new());
    for release in all {
        match release.state {
            State::Running => now.push(match before.iter().find(|r| r.release.id == release.id) {
                Some(known) => Arc::clone(known),
                None => Arc::new(Running {
                    release,
                    from: Count::default(),
                    to: Count::default(),
                    variants: Mutex::default(),
                    diffs: Mutex::default(),
                }),
            }),
            State::Promoted => {}
            State::RolledBack | State::Cancelled => {
                void.insert(release.id);
            }
        }
    }
    app.releases.running.store(Arc::new(now));
    app.releases.void.store(Arc::new(void));
    Ok(())
}
