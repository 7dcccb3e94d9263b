//! The journal while it is written, and while it is followed.

use super::{
    micros,
    wire::{Pen, Unreadable, Wire},
};
use crate::call::Redactor;
use aistack_core::{Rng, Timestamp};
use aistack_domain::plugins::port::{
    CallOutcome, Difference, Entry, Invocation, Journal, JournalMode, Replayed, Tape as Taped,
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

/// Log lines: in journals, and free in replays.
pub(super) const LOG: &str = "log.emit";
/// What an entry costs beside its texts.
const ENTRY: usize = 64;

/// The replay left the journal.
#[derive(Debug, thiserror::Error)]
#[error("the component does not do what the journal says")]
pub(crate) struct Diverged;

/// The recorded call was ended here by one of its bounds, and so is this one.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Stopped(String);

/// What becomes of a call's imports.
pub(crate) enum Tape {
    /// Nothing.
    Off,
    /// They are written down.
    Recording(Box<Recorder>),
    /// They are answered.
    Replaying(Box<Player>),
}

impl Tape {
    /// For a call that starts now.
    pub(crate) fn new(inv: &Invocation, context: &impl Wire, operation: &str, now: Timestamp) -> Self {
        match &inv.journal {
            JournalMode::Off => Self::Off,
            JournalMode::Record { budget } => {
                Self::Recording(Box::new(Recorder::new(inv, *budget, context, operation, now)))
            }
            JournalMode::Replay(journal) => Self::Replaying(Box::new(Player {
                journal: Arc::clone(journal),
                redact: Redactor::default(),
                at: 0,
                output: None,
                difference: None,
            })),
        }
    }

    /// What the receipt gets of it.
    pub(crate) fn finish(self, outcome: CallOutcome, code: Option<&str>) -> Option<Box<Taped>> {
        Some(Box::new(match self {
            Self::Off => return None,
            Self::Recording(recorder) => Taped::Recorded(Box::new(Journal {
                outcome,
                code: code.map(str::to_owned),
                ..recorder.journal
            })),
            Self::Replaying(player) => Taped::Replayed(Replayed {
                answered: u32::try_from(player.at).unwrap_or(u32::MAX),
                output: player.output,
                difference: player.difference,
            }),
        }))
    }
}

/// Writes a journal.
pub(crate) struct Recorder {
    journal: Journal,
    /// All secrets of the installation, whether or not the call uses them.
    redact: Redactor,
    left: usize,
    asked: Option<(&'static str, Value, Duration)>,
}

impl Recorder {
    fn new(inv: &Invocation, budget: usize, context: &impl Wire, operation: &str, now: Timestamp) -> Self {
        let mut redact = Redactor::default();
        for (name, versions) in &inv.secrets.0 {
            for secret in versions {
                redact.learn(name, secret.expose_secret());
            }
        }
        let mut pen = Pen::for_telling(&redact);
        let context = context.put(&mut pen);
        let config = inv.config.to_string().put(&mut pen);
        let (covered, written) = (pen.covered, pen.written);
        Self {
            journal: Journal {
                format: Journal::FORMAT,
                plugin: inv.plugin.to_string(),
                digest: inv.digest.to_string(),
                operation: operation.to_owned(),
                started_at: now,
                context,
                arguments: Value::Null,
                config: config
                    .as_str()
                    .and_then(|text| serde_json::from_str(text).ok())
                    .unwrap_or_default(),
                limits: inv.limits,
                entries: Vec::new(),
                output: None,
                outcome: CallOutcome::Refused,
                code: None,
                tainted: covered,
                cut: false,
            },
            redact,
            left: budget.saturating_sub(written),
            asked: None,
        }
    }

    /// What a component is told has to fit: without it there is no replay.
    fn told(&mut self, value: &impl Wire) -> Option<Value> {
        let mut pen = Pen::for_telling(&self.redact);
        let written = value.put(&mut pen);
        self.journal.tainted |= pen.covered;
        match self.left.checked_sub(pen.written) {
            Some(left) => {
                self.left = left;
                Some(written)
            }
            None => {
                self.journal.cut = true;
                None
            }
        }
    }

    pub(super) fn arguments(&mut self, arguments: &mut impl Wire, rng: &dyn Rng) {
        let mut typed = Vec::new();
        arguments.confide(&mut |text| {
            self.redact.learn("typed", text.as_bytes());
            let stand_in = self.stand_in(text.as_bytes(), rng);
            typed.push(std::mem::replace(text, String::from_utf8_lossy(&stand_in).into_owned()));
        });
        if let Some(arguments) = self.told(arguments) {
            self.journal.arguments = arguments;
        }
        let mut typed = typed.into_iter();
        arguments.confide(&mut |text| *text = typed.next().unwrap_or_default());
    }

    pub(super) fn asks(&mut self, import: &'static str, args: impl FnOnce(&mut Pen<'_>) -> Value, now: Duration) {
        if self.journal.cut {
            return;
        }
        let mut pen = Pen::for_comparing(&self.redact);
        let args = args(&mut pen);
        match self.left.checked_sub(pen.written + import.len() + ENTRY) {
            Some(left) => {
                self.left = left;
                self.asked = Some((import, args, now));
            }
            None => self.journal.cut = true,
        }
    }

    pub(super) fn answered<T: Wire>(&mut self, answer: &wasmtime::Result<T>, now: Duration) {
        let Some((import, args, since)) = self.asked.take() else {
            return;
        };
        let (result, ended) = match answer {
            Ok(answer) => match self.told(answer) {
                Some(written) => (written, None),
                None => return,
            },
            Err(e) => (Value::Null, Some(self.redact.text(format!("{e:#}")))),
        };
        self.journal.entries.push(Entry {
            seq: u32::try_from(self.journal.entries.len() + 1).unwrap_or(u32::MAX),
            import: import.to_owned(),
            args,
            result,
            ended,
            took_us: micros(now.saturating_sub(since)),
        });
    }

    /// What stands in the journal for a secret that was revealed: as long, line by line, and of harmless characters.
    pub(super) fn stand_in(&mut self, secret: &[u8], rng: &dyn Rng) -> Vec<u8> {
        const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
        self.journal.tainted = true;
        let mut random = vec![0; secret.len()];
        rng.fill(&mut random);
        let mut at = 0;
        let mut out = Vec::with_capacity(secret.len());
        for line in secret.split_inclusive(|b| *b == b'\n') {
            // The frame of a PEM text says nothing, and says what it is.
            let frame = line.starts_with(b"-----");
            for b in line {
                let keep = frame || matches!(b, b'\n' | b'\r');
                out.push(if keep {
                    *b
                } else {
                    LETTERS[usize::from(random[at] % 32)]
                });
                at += 1;
            }
        }
        out
    }

    pub(super) fn output(&mut self, output: &impl Wire) {
        let mut pen = Pen::for_comparing(&self.redact);
        self.journal.output = Some(output.put(&mut pen));
    }
}

/// Follows a journal.
pub(crate) struct Player {
    journal: Arc<Journal>,
    /// The stand-ins of secrets that were revealed.
    redact: Redactor,
    at: usize,
    output: Option<Value>,
    difference: Option<Difference>,
}

impl Player {
    /// The next entry that is compared.
    fn entry(&mut self) -> Option<Entry> {
        while self.journal.entries.get(self.at).is_some_and(|e| e.import == LOG) {
            self.at += 1;
        }
        self.journal.entries.get(self.at).cloned()
    }

    fn diverged(&mut self, expected: Value, got: Value) -> wasmtime::Error {
        let seq = u32::try_from(self.at + 1).unwrap_or(u32::MAX);
        self.difference.get_or_insert(Difference { seq, expected, got });
        wasmtime::Error::new(Diverged)
    }

    pub(super) fn unreadable(&mut self, why: &Unreadable) -> wasmtime::Error {
        // The entry has been passed by then.
        self.at = self.at.saturating_sub(1);
        self.diverged(json!({ "unreadable": why.to_string() }), Value::Null)
    }

    pub(super) fn arguments<T: Wire>(&mut self) -> wasmtime::Result<T> {
        let mut arguments = T::take(self.journal.arguments.clone())
            .map_err(|e| self.diverged(json!({ "arguments": e.to_string() }), Value::Null))?;
        arguments.confide(&mut |stand_in| self.redact.learn("typed", stand_in.as_bytes()));
        Ok(arguments)
    }

    pub(super) fn asks(
        &mut self,
        import: &'static str,
        args: impl FnOnce(&mut Pen<'_>) -> Value,
    ) -> wasmtime::Result<Value> {
        let args = args(&mut Pen::for_comparing(&self.redact));
        let got = |args| json!({ "import": import, "args": args });
        let Some(entry) = self.entry() else {
            let expected = if self.journal.cut {
                json!({ "cut": "the journal's budget was used up here: nothing is known of what comes after" })
            } else {
                json!({ "end": self.journal.code.as_deref().unwrap_or(self.journal.outcome.as_str()) })
            };
            return Err(self.diverged(expected, got(args)));
        };
        if entry.import != import || entry.args != args {
            return Err(self.diverged(json!({ "import": entry.import, "args": entry.args }), got(args)));
        }
        self.at += 1;
        match entry.ended {
            None => Ok(entry.result),
            Some(why) => Err(wasmtime::Error::new(Stopped(why))),
        }
    }

    /// Notes the stand-in of a secret: where it goes, it is covered as the secret was.
    pub(super) fn learn(&mut self, stand_in: &[u8]) {
        self.redact.learn("revealed", stand_in);
    }

    pub(super) fn output(&mut self, output: &impl Wire) {
        let output = output.put(&mut Pen::for_comparing(&self.redact));
        if let Some(entry) = self.entry() {
            let expected = json!({ "import": entry.import, "args": entry.args });
            self.diverged(expected, json!({ "end": output }));
        } else if !self.journal.cut && self.journal.output.as_ref() != Some(&output) {
            let end = |v: &Option<Value>| match v {
                Some(v) => json!({ "end": v }),
                None => json!({ "end": self.journal.code.as_deref().unwrap_or(self.journal.outcome.as_str()) }),
            };
            let expected = end(&self.journal.output);
            self.diverged(expected, json!({ "end": output }));
        }
        self.output = Some(output);
    }

    /// How the recorded call was ended by one of its bounds.
    pub(crate) fn stopped(&self) -> (CallOutcome, &str, &'static str) {
        let code = self.journal.code.as_deref().unwrap_or_default();
        (self.journal.outcome, code, "the recorded call was ended here")
    }

    /// Where the replay left the journal.
    pub(crate) fn difference(&self) -> Option<&Difference> {
        self.difference.as_ref()
    }

    /// A call that did not come to an answer: it has to have been so.
    pub(crate) fn ended(&mut self, outcome: CallOutcome, code: &str) {
        if self.difference.is_some() || self.journal.cut {
            return;
        }
        let got = json!({ "end": code });
        if let Some(entry) = self.entry() {
            let expected = json!({ "import": entry.import, "args": entry.args });
            self.diverged(expected, got);
        } else if (self.journal.outcome, self.journal.code.as_deref()) != (outcome, Some(code)) {
            let expected = self.journal.output.as_ref().map_or_else(
                || json!({ "end": self.journal.code.as_deref().unwrap_or(self.journal.outcome.as_str()) }),
                |output| json!({ "end": output }),
            );
            self.diverged(expected, got);
        }
    }
}
