//! Why a call ended as it did, in words, with what to do about it.

use super::codes::{CODES, OUTCOMES};
use crate::plugins::{error::clean, manifest::LocalText, port::CallLimits};
use aistack_store::CallRow;
use serde::Serialize;

/// An explanation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Why {
    /// What happened.
    pub summary: LocalText,
    /// The stable code of the cause: the call's code, else its outcome.
    pub cause: String,
    /// Where: `plugin` (its own code), `host` (this platform), `provider` (the service it talks to), `caller`.
    pub r#where: &'static str,
    /// What to do.
    pub hint: LocalText,
}

fn text([en, zh]: [&str; 2]) -> LocalText {
    LocalText {
        en: en.to_owned(),
        zh_cn: Some(zh.to_owned()),
    }
}

/// Explains a recorded call.
#[must_use]
pub fn explain(row: &CallRow, limits: Option<&CallLimits>) -> Why {
    let code = row.code.as_deref().filter(|_| row.outcome != "ok");
    let entry = code
        .and_then(|c| CODES.iter().find(|e| e.0 == c))
        .or_else(|| OUTCOMES.iter().find(|e| e.0 == row.outcome))
        .unwrap_or(&OUTCOMES[1]);
    let mut summary = text(entry.2);
    // The figure that was too small says more than the sentence alone.
    let figure = limits.and_then(|l| match code? {
        "wall_time_exceeded" => Some(format!("{} ms / {} ms", row.wall_us / 1_000, l.wall.as_millis())),
        "cpu_time_exceeded" => Some(format!("{} ms / {} ms", row.guest_us / 1_000, l.cpu.as_millis())),
        "memory_exceeded" => Some(format!("{} / {} bytes", row.memory, l.memory)),
        "host_calls_exceeded" => Some(format!("{} / {}", row.host_calls, l.host_calls)),
        _ => None,
    });
    // A fault's own code, and the last thing the plugin said about it.
    let said = (row.outcome == "fault" || row.outcome == "trap")
        .then(|| last_words(&row.log))
        .flatten();
    for more in [figure, said].into_iter().flatten() {
        summary.en = format!("{} ({more})", summary.en);
        summary.zh_cn = summary.zh_cn.map(|zh| format!("{zh}（{more}）"));
    }
    Why {
        summary,
        cause: code.unwrap_or(&row.outcome).to_owned(),
        r#where: entry.1,
        hint: text(entry.3),
    }
}

/// The last warning or error of a call's log.
fn last_words(log: &str) -> Option<String> {
    let lines: Vec<crate::plugins::port::LogLine> = serde_json::from_str(log).ok()?;
    let line = lines.iter().rev().find(|l| l.level == "error" || l.level == "warn")?;
    Some(clean(&line.message, 200)).filter(|m| !m.is_empty())
}
