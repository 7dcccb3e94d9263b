//! What a command says: for people, or one JSON document with `--json`. And how it ends.

use serde::Serialize;
use serde_json::Value;
use std::io::{self, Write};

/// Where a command's answer goes.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// Whether JSON was asked for.
    pub json: bool,
}

impl Output {
    /// Says a value: as one line of JSON, or as `text` writes it.
    ///
    /// # Errors
    /// When standard output is gone.
    pub fn value(
        &self,
        value: &impl Serialize,
        text: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        let written = if self.json {
            serde_json::to_writer(&mut out, value)
                .map_err(io::Error::from)
                .and_then(|()| writeln!(out))
        } else {
            text(&mut out)
        };
        quiet(written.and_then(|()| out.flush()))
    }

    /// Says a list: the items as a table with these columns (JSON pointers into each item).
    ///
    /// # Errors
    /// When standard output is gone.
    pub fn table(&self, list: &Value, columns: &[(&str, &str)]) -> Result<(), Failure> {
        self.value(list, |w| {
            let items = list["items"].as_array().map(Vec::as_slice).unwrap_or_default();
            let cell = |item: &Value, pointer: &str| match item.pointer(pointer) {
                None | Some(Value::Null) => "-".to_owned(),
                Some(Value::String(s)) => s.clone(),
                Some(v) => v.to_string(),
            };
            let rows: Vec<Vec<String>> = items
                .iter()
                .map(|item| columns.iter().map(|(_, p)| cell(item, p)).collect())
                .collect();
            let head: Vec<String> = columns.iter().map(|(name, _)| (*name).to_owned()).collect();
            let width = |c: usize| {
                rows.iter()
                    .chain([&head])
                    .map(|r| r[c].chars().count())
                    .max()
                    .unwrap_or(0)
            };
            let widths: Vec<usize> = (0..columns.len()).map(width).collect();
            for row in [&head].into_iter().chain(&rows) {
                let line: Vec<String> = row.iter().zip(&widths).map(|(c, w)| format!("{c:<w$}")).collect();
                writeln!(w, "{}", line.join("  ").trim_end())?;
            }
            if list["next"].is_string() {
                writeln!(w, "(there are more; --json shows the cursor)")?;
            }
            Ok(())
        })
    }

    /// Says one object, a line per member.
    ///
    /// # Errors
    /// When standard output is gone.
    pub fn object(&self, value: &Value) -> Result<(), Failure> {
        self.value(value, |w| {
            let Some(members) = value.as_object() else {
                return writeln!(w, "{value}");
            };
            let width = members.keys().map(String::len).max().unwrap_or(0);
            for (key, member) in members {
                let text = member.as_str().map_or_else(|| member.to_string(), str::to_owned);
                writeln!(w, "{key:<width$}  {text}")?;
            }
            Ok(())
        })
    }
}

/// A reader that went away (`aistack … | head`) is no failure.
fn quiet(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|e| Failure::Failed(e.into())),
    }
}

/// Members of a problem document that the text says in other words, or that say nothing to a person.
const STANDARD: &[&str] = &[
    "type",
    "title",
    "status",
    "detail",
    "instance",
    "code",
    "errors",
    "request_id",
    "hint",
];

/// How a command can fail; each way has its exit code.
#[derive(Debug)]
pub enum Failure {
    /// It did not work: 1.
    Failed(anyhow::Error),
    /// It was asked for wrongly: 2.
    Usage(String),
    /// The server can't be reached: 3.
    Unreachable(String),
    /// The server says no: 4 for not signed in or not allowed, else 1. The problem document.
    Refused(Value),
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(e: E) -> Self {
        Self::Failed(e.into())
    }
}

impl Failure {
    /// The exit code.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Self::Failed(_) => 1,
            Self::Usage(_) => 2,
            Self::Unreachable(_) => 3,
            Self::Refused(problem) => match problem["status"].as_u64() {
                Some(401 | 403) => 4,
                _ => 1,
            },
        }
    }

    /// Says it on standard error, as JSON if that was asked for.
    pub fn say(&self, json: bool) {
        let mut err = io::stderr().lock();
        // Nobody left to hear it: nothing can be done.
        let _ = if json {
            writeln!(err, "{}", self.document())
        } else {
            self.write(&mut err)
        };
    }

    fn document(&self) -> Value {
        match self {
            Self::Refused(problem) => problem.clone(),
            Self::Failed(e) => serde_json::json!({ "code": "failed", "detail": format!("{e:#}") }),
            Self::Usage(detail) => serde_json::json!({ "code": "usage", "detail": detail }),
            Self::Unreachable(detail) => serde_json::json!({ "code": "unreachable", "detail": detail }),
        }
    }

    fn write(&self, w: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Failed(e) => writeln!(w, "error: {e:#}"),
            Self::Usage(detail) | Self::Unreachable(detail) => writeln!(w, "error: {detail}"),
            Self::Refused(p) => {
                let text = |key: &str| p[key].as_str().unwrap_or_default().to_owned();
                // What was refused on this machine has neither a title nor a request.
                match text("title").as_str() {
                    "" => writeln!(w, "error: {} ({})", text("detail"), text("code"))?,
                    title => writeln!(w, "error: {title}: {} ({})", text("detail"), text("code"))?,
                }
                for e in p["errors"].as_array().map(Vec::as_slice).unwrap_or_default() {
                    let part = |key: &str| e[key].as_str().unwrap_or_default();
                    let line = e["line"].as_u64();
                    match (line, e["column"].as_u64()) {
                        (Some(line), Some(column)) => {
                            let place = format!("{}:{line}:{column}", part("file"));
                            writeln!(w, "  {place} {}: {}", part("pointer"), part("message"))?;
                        }
                        (Some(line), None) => {
                            writeln!(w, "  {} (line {line}): {}", part("pointer"), part("message"))?;
                        }
                        _ => writeln!(w, "  {}: {}", part("pointer"), part("message"))?,
                    }
                    if !part("hint").is_empty() {
                        writeln!(w, "    hint: {}", part("hint"))?;
                    }
                }
                if !text("hint").is_empty() {
                    writeln!(w, "  hint: {}", text("hint"))?;
                }
                // What else the problem tells: the plugin's fault, the reason of a refusal, what an upgrade adds.
                for (name, value) in p.as_object().into_iter().flatten() {
                    if !STANDARD.contains(&name.as_str()) && !value.is_null() {
                        let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                        writeln!(w, "  {name}: {shown}")?;
                    }
                }
                if text("code") == "unauthenticated" || text("code") == "session_expired" {
                    writeln!(w, "  sign in with: aistack login")?;
                }
                if !text("request_id").is_empty() {
                    writeln!(w, "  request {}", text("request_id"))?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn exit_codes() {
        assert_eq!(Failure::from(anyhow::anyhow!("x")).code(), 1);
        assert_eq!(Failure::Usage(String::new()).code(), 2);
        assert_eq!(Failure::Unreachable(String::new()).code(), 3);
        assert_eq!(Failure::Refused(json!({ "status": 403 })).code(), 4);
        assert_eq!(Failure::Refused(json!({ "status": 422 })).code(), 1);
    }

    #[test]
    fn a_refusal_says_what_where_and_which_request() {
        let mut text = Vec::new();
        let problem = json!({ "status": 422, "title": "A value was not accepted", "detail": "no", "code": "validation_failed",
            "errors": [{ "pointer": "/slug", "code": "format", "message": "bad", "hint": "lower-case letters", "line": 3 }],
            "fault": "card_declined", "hint": "see the manual", "added": { "http_hosts": ["a.example:443"] },
            "request_id": "req_1" });
        Failure::Refused(problem).write(&mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert_eq!(
            text,
            "error: A value was not accepted: no (validation_failed)\n  /slug (line 3): bad\n    hint: lower-case letters\n  \
             hint: see the manual\n  added: {\"http_hosts\":[\"a.example:443\"]}\n  fault: card_declined\n  request req_1\n"
        );
    }
}
