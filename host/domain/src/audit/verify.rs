//! Recomputing a log from its leaves: has any stored event been changed, removed or inserted?

use super::Log;
use crate::{App, Problem};
use aistack_core::merkle::{Frontier, leaf_hash};
use aistack_store::AuditRow;
use serde_json::Value;

/// What came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Events in the log.
    pub size: i64,
    /// The tree head over the leaves as they are now, hex.
    pub root: String,
    /// Whether everything fits.
    pub ok: bool,
    /// The first event that does not fit, or whose place is empty.
    pub first_bad_seq: Option<i64>,
}

/// Reads the whole log and compares every leaf with its hash, every column with its leaf, and the tree with the
/// frontier that was moved in the transactions of the changes.
///
/// # Errors
/// As the store.
pub async fn verify(app: &App, log: &Log) -> Result<Verdict, Problem> {
    let mut next = 0i64;
    let mut frontier = Frontier::default();
    let mut first_bad = None;
    // One snapshot for all of it: events written meanwhile are not seen.
    let (size, nodes) = match log {
        Log::Platform => {
            let mut read = app.store.platform_read().await?;
            loop {
                let rows = read.audit().leaves(next, 1_000).await?;
                if !take(&rows, &mut next, &mut frontier, &mut first_bad) {
                    break;
                }
            }
            read.audit().frontier().await?
        }
        Log::Tenant(scope) => {
            let mut read = app.store.tenant_read(scope).await?;
            loop {
                let rows = read.audit().leaves(next, 1_000).await?;
                if !take(&rows, &mut next, &mut frontier, &mut first_bad) {
                    break;
                }
            }
            read.audit().frontier().await?
        }
    };
    if first_bad.is_none() && next != size {
        // Events are missing at the end, or there are more than were ever committed.
        first_bad = Some(next.min(size));
    }
    if first_bad.is_none() && frontier.to_bytes() != nodes {
        first_bad = Some(0);
    }
    Ok(Verdict {
        size,
        root: hex::encode(frontier.root()),
        ok: first_bad.is_none(),
        first_bad_seq: first_bad,
    })
}

fn take(rows: &[AuditRow], next: &mut i64, frontier: &mut Frontier, first_bad: &mut Option<i64>) -> bool {
    for row in rows {
        if row.seq != *next {
            first_bad.get_or_insert(*next);
        }
        let hash = leaf_hash(&row.body);
        if hash.as_slice() != row.leaf_hash || !columns_fit(row) {
            first_bad.get_or_insert(row.seq);
        }
        frontier.append(hash);
        *next = row.seq + 1;
    }
    !rows.is_empty()
}

/// The columns say nothing that the leaf does not say.
fn columns_fit(row: &AuditRow) -> bool {
    let Ok(body) = serde_json::from_slice::<Value>(&row.body) else {
        return false;
    };
    body["id"] == row.id.to_string()
        && body["at"] == row.at.to_string()
        && body["action"] == row.action.as_str()
        && body["actor"]["kind"] == row.actor_kind.as_str()
        && body["actor"]["id"].as_str().map(str::to_owned) == row.actor_id.map(|id| id.to_string())
        && body["target"]["kind"] == row.target_kind.as_str()
        && body["target"]["id"] == row.target_id.as_str()
        && body["outcome"] == row.outcome.as_str()
        && body["request"].as_str().map(str::to_owned) == row.request_id.map(|id| id.to_string())
}
