//! The journal of a call: all that the host told a component while it ran, so that the call can be run again, elsewhere
//! and later, bit for bit. Secrets do not stand in it.

use super::{CallLimits, CallOutcome};
use aistack_core::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// Whether a call's imports are written down, or answered from what was.
#[derive(Debug, Clone, Default)]
pub enum JournalMode {
    /// Neither.
    #[default]
    Off,
    /// Every import is written down; the journal is in the receipt.
    Record {
        /// Bytes the journal may have, about. It ends where they are used up, and is marked as cut.
        budget: usize,
    },
    /// Every import is answered from the journal, nothing outside the process is asked.
    Replay(Arc<Journal>),
}

/// What a call was told.
///
/// Values are JSON: texts as they are, bytes as `{"$text": …}` or `{"$base64": …}`, handles as numbers, alternatives as
/// `{"name": value}`. Secrets of the installation are covered with asterisks wherever they occur, in the encodings that
/// texts usually carry; one that was revealed is a stand-in of the same length.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    /// The form of this document: [`Journal::FORMAT`].
    pub format: u32,
    /// Id and version of the plugin.
    pub plugin: String,
    /// The component, by SHA-256 of its bytes.
    pub digest: String,
    /// The operation, e.g. `payments.create`.
    pub operation: String,
    /// When the call started.
    pub started_at: Timestamp,
    /// The context the component was given: tenant, installation, call, languages.
    pub context: Value,
    /// The operation's arguments, in order.
    pub arguments: Value,
    /// The configuration the component was given.
    pub config: Value,
    /// Bounds of the call.
    pub limits: CallLimits,
    /// The imports, in the order in which they were called.
    pub entries: Vec<Entry>,
    /// What the component answered: `{"ok": …}`, `{"err": fault}`, or the bare value of an operation that can't fail.
    /// Nothing when it did not come to an end.
    pub output: Option<Value>,
    /// How the call ended.
    pub outcome: CallOutcome,
    /// Fault or trap code.
    pub code: Option<String>,
    /// The component, or this journal, lacks what the component saw: a secret was revealed to it or stood in what it was
    /// told. What it made of the secret comes out different in a replay. Handles do not count.
    pub tainted: bool,
    /// The budget was used up: a replay gets as far as the last entry.
    pub cut: bool,
}

impl Journal {
    /// The form that this version writes and reads.
    pub const FORMAT: u32 = 1;
}

/// One call of an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its place, from 1.
    pub seq: u32,
    /// The import, e.g. `kv.get`, `secrets.secret.size`, `wasi:clocks/wall-clock.now`.
    pub import: String,
    /// Its arguments by name. Texts and byte strings of more than 64 KiB by length and SHA-256 only.
    pub args: Value,
    /// What the host answered.
    pub result: Value,
    /// The import did not answer but ended the call, which this says why. The journal's `code` is the stable one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    /// How long it took, in microseconds.
    pub took_us: u64,
}

/// What became of a call's journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tape {
    /// It was recorded.
    Recorded(Box<Journal>),
    /// It was replayed.
    Replayed(Replayed),
}

/// How a replay went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// What the component answered this time.
    pub output: Option<Value>,
    /// Entries that were answered from the journal.
    pub answered: u32,
    /// The first difference.
    pub difference: Option<Difference>,
}

/// Where a replay left the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The entry it is about: one more than there are, for the end of the call.
    pub seq: u32,
    /// What the journal has: `{import, args}`, or the output.
    pub expected: Value,
    /// What the component did.
    pub got: Value,
}
