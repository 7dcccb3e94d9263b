//! Checks of what people type, shared by the use cases: each collects its errors and refuses once, with all of them.

use crate::{FieldError, Problem};

/// Errors so far.
#[derive(Debug, Default)]
pub struct Checks(Vec<FieldError>);

impl Checks {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
    /// Adds an error unless the condition holds.
    pub fn require(&mut self, holds: bool, pointer: &str, code: &str, message: &str) {
        if !holds {
            self.0.push(FieldError::new(pointer, code, message));
        }
    }
    /// Adds an error another check found.
    pub fn add(&mut self, error: Option<FieldError>) {
        self.0.extend(error);
    }
    /// A name for people to read: trimmed, 1 to 200 characters, no control characters.
    pub fn name(&mut self, pointer: &str, text: &str) -> String {
        let text = text.trim();
        self.require(!text.is_empty(), pointer, "required", "a name is needed");
        self.require(
            text.chars().count() <= 200,
            pointer,
            "too_long",
            "a name has at most 200 characters",
        );
        self.require(
            !text.chars().any(char::is_control),
            pointer,
            "format",
            "a name has no control characters",
        );
        text.to_owned()
    }
    /// An e-mail address: trimmed, lower case.
    pub fn email(&mut self, pointer: &str, text: &str) -> String {
        let text = text.trim().to_lowercase();
        self.require(is_email(&text), pointer, "format", "this is not an e-mail address");
        text
    }
    /// An IANA time zone.
    pub fn time_zone(&mut self, pointer: &str, text: &str) {
        let known = jiff::tz::TimeZone::get(text).is_ok();
        self.require(
            known,
            pointer,
            "unknown",
            "this is no IANA time zone, like Europe/Berlin",
        );
    }
    /// A language of the platform's own texts.
    pub fn locale(&mut self, pointer: &str, text: &str) {
        let primary = text.split('-').next().unwrap_or_default();
        let fine = ["en", "zh"].contains(&primary)
            && text.len() <= 35
            && text
                .split('-')
                .all(|p| (1..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric()));
        self.require(fine, pointer, "unknown", "the languages are en and zh, like zh-CN");
    }
    /// Refuses if there was an error.
    ///
    /// # Errors
    /// `validation_failed` with all of them.
    pub fn done(self) -> Result<(), Problem> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Problem::invalid(self.0))
        }
    }
}

/// Whether a text looks like an address: one at sign, something on both sides, no blanks. More can only be known by
/// sending a message there.
#[must_use]
pub fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let clean = |s: &str| {
        !s.is_empty()
            && !s
                .chars()
                .any(|c| c.is_whitespace() || c.is_control() || "<>,;:\"()[]\\".contains(c))
    };
    text.len() <= 254
        && local.len() <= 64
        && clean(local)
        && clean(domain)
        && !local.contains('@')
        && !domain.starts_with(['.', '-'])
        && !domain.ends_with(['.', '-'])
        && !domain.contains("..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for fine in ["a@b", "ann.b+c@example.com", "用户@例子.公司"] {
            assert!(is_email(fine), "{fine}");
        }
        let long = format!("a@{}", "b".repeat(260));
        for bad in [
            "", "a", "@b", "a@", "a@@b", "a b@c", "a@.c", "a@c.", "a@c..d", "a\n@b", "A <a@b>", &long,
        ] {
            assert!(!is_email(bad), "{bad}");
        }
    }

    #[test]
    fn all_errors_are_told_at_once() {
        let mut c = Checks::new();
        c.name("/name", " ");
        assert_eq!(c.email("/email", " Ann@Example.COM "), "ann@example.com");
        c.email("/owner/email", "x");
        c.time_zone("/time_zone", "Mars/Base");
        c.locale("/locale", "fr");
        let p = c.done().unwrap_err();
        let pointers: Vec<_> = p.errors.iter().map(|e| e.pointer.as_str()).collect();
        assert_eq!(pointers, ["/name", "/owner/email", "/time_zone", "/locale"]);
    }
}
