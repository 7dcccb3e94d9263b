//! Recorded calls made again, in a host of one's own: every import is answered from the journal, nothing else is asked.

use crate::{
    Error, ops,
    run::{Platform, Runner},
};
use aistack_domain::plugins::port::{CallOutcome, CallReceipt, Difference, Journal, JournalMode, Tape};
use serde::Serialize;
use serde_json::Value;
use std::{fs, io::Write, os::unix::fs::OpenOptionsExt, path::Path, sync::Arc, time::Duration};

/// Bytes of a journal that is recorded here: whatever a call can hold.
pub const BUDGET: usize = 256 << 20;
/// Time a replay gets at least: this machine may be slower than the one that recorded.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a replay went.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// Whether the component made the same calls, in the same order, and came to the same answer, byte for byte.
    pub equal: bool,
    /// The operation.
    pub operation: String,
    /// Id and version of the plugin that was recorded.
    pub plugin: String,
    /// The component that was recorded.
    pub recorded_digest: String,
    /// The component that was run.
    pub digest: String,
    /// Imports in the journal.
    pub entries: usize,
    /// Of these, passed before the end or the first difference.
    pub answered: u32,
    /// How the recorded call ended: the outcome, or the code of its fault.
    pub recorded: String,
    /// How this one ended.
    pub got: String,
    /// What the component answered.
    pub output: Option<Value>,
    /// The first difference.
    pub difference: Option<Difference>,
    /// The component saw a secret when it was recorded, which is not in the journal: what it made of it differs.
    pub tainted: bool,
    /// The journal ends before the call did.
    pub cut: bool,
    /// What it cost, and what it logged this time.
    pub receipt: Value,
}

/// Reads a journal.
///
/// # Errors
/// When it can't be read, or is no journal of a form this version knows.
pub fn read(path: &Path) -> Result<Journal, Error> {
    parse(&fs::read(path).map_err(Error::file(path))?, &path.display().to_string())
}

/// Reads a journal; `from` says where it came from.
///
/// # Errors
/// As [`read`].
pub fn parse(text: &[u8], from: &str) -> Result<Journal, Error> {
    let wrong = |why: String| Error::Journal {
        from: from.to_owned(),
        why,
    };
    let value: Value = serde_json::from_slice(text).map_err(|e| wrong(e.to_string()))?;
    match value["format"].as_u64() {
        Some(n) if n == u64::from(Journal::FORMAT) => serde_json::from_value(value).map_err(|e| wrong(e.to_string())),
        Some(n) => Err(wrong(format!(
            "it has form {n}; this version knows {}",
            Journal::FORMAT
        ))),
        None => Err(wrong("it is not the journal of a call".to_owned())),
    }
}

/// Writes a journal, for this user alone: it has what people and providers told the plugin.
///
/// # Errors
/// When it can't be written.
pub fn write(path: &Path, journal: &Journal) -> Result<(), Error> {
    let mut text = serde_json::to_vec_pretty(journal).map_err(|e| Error::Failed(e.to_string()))?;
    text.push(b'\n');
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .map_err(Error::file(path))?;
    file.write_all(&text).map_err(Error::file(path))
}

/// Makes a recorded call again.
///
/// # Errors
/// When the component has no such operation. That it does something else is an outcome.
pub async fn run(runner: &Runner, journal: Journal) -> Result<Outcome, Error> {
    let kind = runner.kind();
    let known = ops::known(kind);
    if !known.contains(&journal.operation.as_str()) {
        return Err(Error::NoOperation {
            name: journal.operation,
            kind: kind.to_string(),
            known,
        });
    }
    let platform = Arc::<Platform>::default();
    let journal = Arc::new(journal);
    let mut limits = journal.limits;
    if journal.outcome != CallOutcome::Timeout {
        limits.wall = limits.wall.max(PATIENCE);
        limits.cpu = limits.cpu.max(PATIENCE);
    }
    let inv = runner.replaying(&journal, limits, &platform);
    debug_assert!(matches!(inv.journal, JournalMode::Replay(_)));
    let done = runner.host().replay(inv).await;
    let receipt = platform
        .receipt()
        .ok_or_else(|| Error::Failed("the call left no receipt".to_owned()))?;
    match receipt.tape.as_deref() {
        Some(Tape::Replayed(r)) => Ok(Outcome {
            equal: r.difference.is_none(),
            operation: journal.operation.clone(),
            plugin: journal.plugin.clone(),
            recorded_digest: journal.digest.clone(),
            digest: runner.loaded().inspection.digest.clone(),
            entries: journal.entries.len(),
            answered: r.answered,
            recorded: ended(journal.outcome, journal.code.as_deref()),
            got: ended(receipt.outcome, receipt.code.as_deref()),
            output: r.output.clone(),
            difference: r.difference.clone(),
            tainted: journal.tainted,
            cut: journal.cut,
            receipt: shown(&receipt),
        }),
        // It was not even started.
        _ => Err(Error::Failed(done.err().map_or_else(
            || "the call was not replayed".to_owned(),
            |fault| fault.to_string(),
        ))),
    }
}

fn ended(outcome: CallOutcome, code: Option<&str>) -> String {
    code.unwrap_or(outcome.as_str()).to_owned()
}

fn shown(receipt: &CallReceipt) -> Value {
    ops::receipt_out(receipt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_journal_is_refused() {
        for (text, why) in [
            ("{", "EOF"),
            ("{}", "not the journal"),
            (r#"{"format": 99}"#, "has form 99"),
            (r#"{"format": 1}"#, "missing field"),
        ] {
            let refused = parse(text.as_bytes(), "x.json").unwrap_err();
            assert_eq!(refused.code(), "journal_invalid");
            assert!(refused.to_string().contains(why), "{refused}");
        }
    }
}
