//! What a call logged: bounded, scrubbed, kept for the receipt and passed on as trace events.

use super::redact::Redactor;
use aistack_domain::plugins::port::LogLine;
use std::sync::{Arc, Mutex};

/// Most lines of one call, whatever their size.
const MAX_LINES: usize = 256;
/// Most fields of one line.
const MAX_FIELDS: usize = 16;
/// What a line costs beside its text, so that empty lines are not free.
const LINE_OVERHEAD: usize = 16;

/// The log of one call.
#[derive(Debug)]
pub(crate) struct CallLog {
    lines: Vec<LogLine>,
    left: usize,
    dropped: u64,
}

impl CallLog {
    pub(crate) fn new(bytes: usize) -> Self {
        Self {
            lines: Vec::new(),
            left: bytes,
            dropped: 0,
        }
    }

    /// Takes a line and returns it as kept; drops it when the budget is used up.
    pub(crate) fn push(
        &mut self,
        level: &str,
        message: &str,
        fields: &[(String, String)],
        redact: &Redactor,
    ) -> Option<&LogLine> {
        let size = LINE_OVERHEAD + message.len() + fields.iter().map(|(k, v)| k.len() + v.len()).sum::<usize>();
        if size > self.left || self.lines.len() >= MAX_LINES || fields.len() > MAX_FIELDS {
            self.dropped += 1;
            return None;
        }
        self.left -= size;
        // First the secrets: a control character within one must not hide it.
        let clean = |text: &str| scrub(&redact.text(text.to_owned()));
        let line = LogLine {
            level: level.to_owned(),
            message: clean(message),
            fields: fields.iter().map(|(k, v)| (clean(k), clean(v))).collect(),
        };
        // Fields are one value: a guest must not choose the names of the host's own log fields.
        let fields = serde_json::to_string(&line.fields).unwrap_or_default();
        match level {
            "error" => tracing::error!(target: "plugin", message = %line.message, fields),
            "warn" => tracing::warn!(target: "plugin", message = %line.message, fields),
            "info" => tracing::info!(target: "plugin", message = %line.message, fields),
            "debug" => tracing::debug!(target: "plugin", message = %line.message, fields),
            _ => tracing::trace!(target: "plugin", message = %line.message, fields),
        }
        self.lines.push(line);
        self.lines.last()
    }

    /// A line that says how many were dropped, if any were.
    pub(crate) fn dropped(&self) -> Option<LogLine> {
        (self.dropped > 0).then(|| LogLine {
            level: "warn".to_owned(),
            message: format!("{} log lines were dropped: over the budget of this call", self.dropped),
            fields: Vec::new(),
        })
    }

    /// The lines that were kept.
    pub(crate) fn finish(self) -> Vec<LogLine> {
        self.lines
    }
}

/// Replaces what could forge lines or drive a terminal: control characters, line separators, bidi overrides.
pub(crate) fn scrub(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' => ' ',
            c if c.is_control() => '\u{fffd}',
            '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// Keeps the first bytes a guest writes to stdout or stderr: panic messages arrive there.
#[derive(Debug, Clone, Default)]
pub(crate) struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    const MAX: usize = 16 << 10;

    /// Appends up to the cap and swallows the rest.
    pub(crate) fn append(&self, bytes: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let room = Self::MAX.saturating_sub(kept.len());
        kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// What was written, as text.
    pub(crate) fn text(&self) -> String {
        let kept = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        String::from_utf8_lossy(&kept).trim().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_scrubbed_and_bounded() {
        let mut log = CallLog::new(100);
        let none = Redactor::default();
        log.push(
            "info",
            "a\nb\u{1b}[31m\u{202e}c",
            &[("k\r".into(), "v\0".into())],
            &none,
        );
        log.push("info", &"x".repeat(200), &[], &none);
        assert!(log.dropped().unwrap().message.starts_with("1 log lines were dropped"));
        let lines = log.finish();
        assert_eq!(lines[0].message, "a\u{fffd}b\u{fffd}[31m\u{fffd}c");
        assert_eq!(lines[0].fields, [("k\u{fffd}".to_owned(), "v\u{fffd}".to_owned())]);
        assert_eq!(lines.len(), 1);
    }

    #[test]
    fn secrets_are_hidden_in_every_part_of_a_line() {
        let mut redact = Redactor::default();
        redact.learn("key", b"a-long-secret");
        let mut log = CallLog::new(1_000);
        let s = || "a-long-secret".to_owned();
        let line = log.push("info", &s(), &[(s(), s())], &redact).unwrap();
        assert_eq!(
            (
                line.message.as_str(),
                line.fields[0].0.as_str(),
                line.fields[0].1.as_str()
            ),
            ("***", "***", "***")
        );
    }

    #[test]
    fn empty_lines_are_not_free() {
        let mut log = CallLog::new(usize::MAX);
        for _ in 0..10_000 {
            log.push("info", "", &[], &Redactor::default());
        }
        assert_eq!(log.finish().len(), MAX_LINES);
    }

    #[test]
    fn captured_output_is_capped() {
        let c = Captured::default();
        c.append(&[b'a'; 16_000]);
        c.append(&[b'b'; 1_000]);
        c.append(b"more");
        assert_eq!(c.text().len(), Captured::MAX);
    }
}
