//! Reading a manifest and saying everything that is wrong with it at once: which member, in which line, and what to
//! write instead.

use super::{Manifest, check};
use crate::FieldError;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use toml::{
    Spanned, Table, Value,
    de::{DeTable, DeValue},
};

/// Longest manifest, bytes.
const LONGEST: usize = 256 << 10;
/// Findings reported at most.
const MOST: usize = 50;

/// Members of the top level and how one value of each is read.
type Reader = fn(Value) -> Result<(), String>;

fn read<T: DeserializeOwned>(value: Value) -> Result<(), String> {
    value
        .try_into::<T>()
        .map(drop)
        .map_err(|e| e.message().trim().to_owned())
}

/// A list of tables is read item by item, so that every item's error is found.
const LISTS: &[(&str, Reader)] = &[
    ("egress", read::<super::Egress>),
    ("secret", read::<super::SecretDecl>),
    ("endpoint", read::<super::Endpoint>),
    ("job", read::<super::JobDecl>),
    ("report", read::<super::ReportDecl>),
];
const MEMBERS: &[(&str, Reader)] = &[
    ("id", read::<String>),
    ("version", read::<semver::Version>),
    ("world", read::<String>),
    ("min-host", read::<String>),
    ("publisher", read::<String>),
    ("name", read::<super::LocalText>),
    ("description", read::<super::LocalText>),
    ("grants", read::<super::GrantsDecl>),
    ("limits", read::<super::Limits>),
    ("config", read::<super::ConfigDecl>),
    ("failure", read::<super::Failure>),
];
const REQUIRED: &[&str] = &["id", "version", "world", "publisher", "name"];

/// Where things stand in a text.
pub(super) struct Lines<'a> {
    text: &'a str,
    at: BTreeMap<String, usize>,
}

impl Lines<'_> {
    /// The line of an offset, from 1.
    fn line(text: &str, offset: usize) -> usize {
        text.as_bytes().iter().take(offset).filter(|b| **b == b'\n').count() + 1
    }

    /// The line of what a pointer names, or of the nearest thing around it.
    pub(super) fn of(&self, pointer: &str) -> Option<usize> {
        let mut at = pointer;
        loop {
            if let Some(offset) = self.at.get(at) {
                return Some(Self::line(self.text, *offset));
            }
            at = &at[..at.rfind('/')?];
        }
    }

    fn note_table(&mut self, table: &DeTable<'_>, at: &str) {
        for (key, value) in table {
            let pointer = format!("{at}/{}", key.get_ref());
            self.at.insert(pointer.clone(), key.span().start);
            self.note(value, &pointer);
        }
    }

    fn note(&mut self, value: &Spanned<DeValue<'_>>, at: &str) {
        match value.get_ref() {
            DeValue::Table(table) => self.note_table(table, at),
            DeValue::Array(items) => {
                for (i, item) in items.iter().enumerate() {
                    let pointer = format!("{at}/{i}");
                    self.at.insert(pointer.clone(), item.span().start);
                    self.note(item, &pointer);
                }
            }
            _ => {}
        }
    }
}

/// Reads a manifest.
///
/// # Errors
/// Everything that is wrong with it; pointers are into the manifest.
pub fn lint(text: &str) -> Result<Manifest, Vec<FieldError>> {
    if text.len() > LONGEST {
        return Err(vec![
            FieldError::new(
                "",
                "too_long",
                format!("the manifest is larger than {} KiB", LONGEST >> 10),
            )
            .hint("shorten its texts"),
        ]);
    }
    let syntax = |e: &toml::de::Error| {
        FieldError::new("", "syntax", e.message().trim())
            .hint("the manifest is TOML; see https://toml.io")
            .at_line(e.span().map(|s| Lines::line(text, s.start)))
    };
    let spanned = DeTable::parse(text).map_err(|e| vec![syntax(&e)])?;
    let mut lines = Lines {
        text,
        at: BTreeMap::new(),
    };
    lines.note_table(spanned.get_ref(), "");
    let table: Table = toml::from_str(text).map_err(|e| vec![syntax(&e)])?;
    let mut found = shape(&table, &lines);
    if found.is_empty() {
        match toml::from_str::<Manifest>(text) {
            Ok(manifest) => {
                found = check::check(&manifest, &lines);
                if found.is_empty() {
                    return Ok(manifest);
                }
            }
            Err(e) => found.push(syntax(&e)),
        }
    }
    found.truncate(MOST);
    Err(found)
}

/// What does not have the shape of a manifest.
fn shape(table: &Table, lines: &Lines<'_>) -> Vec<FieldError> {
    let mut found = Vec::new();
    for name in REQUIRED.iter().filter(|n| !table.contains_key(**n)) {
        found.push(
            FieldError::new(format!("/{name}"), "required", format!("`{name}` is missing"))
                .hint(format!("add `{name} = …` at the top of the manifest")),
        );
    }
    for (key, value) in table {
        let pointer = format!("/{key}");
        let mut say = |pointer: String, why: String| {
            let line = lines.of(&pointer);
            found.push(finding(pointer, &why).at_line(line));
        };
        if let Some((_, reader)) = LISTS.iter().find(|(n, _)| n == key) {
            match value {
                Value::Array(items) => {
                    for (i, item) in items.iter().enumerate() {
                        if let Err(why) = reader(item.clone()) {
                            say(member_of(&format!("{pointer}/{i}"), item, &why), why);
                        }
                    }
                }
                _ => say(pointer, format!("`{key}` is not a list: write it as [[{key}]]")),
            }
        } else if let Some((_, reader)) = MEMBERS.iter().find(|(n, _)| n == key) {
            if let Err(why) = reader(value.clone()) {
                say(member_of(&pointer, value, &why), why);
            }
        } else {
            let known = LISTS.iter().chain(MEMBERS).map(|(n, _)| *n);
            let hint = closest(key, known).map_or_else(
                || "take it out; a manifest has no such member".to_owned(),
                |n| format!("did you mean `{n}`?"),
            );
            found.push(
                FieldError::new(pointer.clone(), "unknown_member", format!("unknown field `{key}`"))
                    .hint(hint)
                    .at_line(lines.of(&pointer)),
            );
        }
    }
    found
}

/// The member a reader's message speaks of, if it names one.
fn member_of(pointer: &str, value: &Value, why: &str) -> String {
    let named = why.split('`').nth(1).filter(|n| value.get(n).is_some());
    named.map_or_else(|| pointer.to_owned(), |n| format!("{pointer}/{n}"))
}

/// A reader's message as a finding.
fn finding(pointer: String, why: &str) -> FieldError {
    let mut quoted = why.split('`').skip(1).step_by(2);
    if let Some(rest) = why.strip_prefix("unknown field") {
        let wrong = quoted.next().unwrap_or_default().to_owned();
        let hint = match closest(&wrong, quoted) {
            Some(n) => format!("did you mean `{n}`?"),
            None => rest
                .split_once("expected ")
                .map_or_else(|| "take it out".to_owned(), |(_, known)| format!("it may have {known}")),
        };
        return FieldError::new(pointer, "unknown_member", format!("unknown field `{wrong}`")).hint(hint);
    }
    if why.starts_with("missing field") {
        let name = quoted.next().unwrap_or_default().to_owned();
        return FieldError::new(format!("{pointer}/{name}"), "required", format!("`{name}` is missing"))
            .hint(format!("add `{name} = …` here"));
    }
    let hint = shape_of(&pointer);
    FieldError::new(pointer, "format", why).hint(hint)
}

/// What a member has to look like.
fn shape_of(pointer: &str) -> &'static str {
    match pointer {
        "/version" => "write three numbers, as in 1.4.2",
        "/id" => "write `publisher.name`, in lower-case letters, digits and hyphens",
        "/world" => "write the world with its version, as in aistack:payment/payment-provider@1.0",
        "/min-host" => "write two numbers, as in 0.1",
        _ => "sdk/MANIFEST.md says what every member of a manifest looks like",
    }
}

/// The known word that differs least, if it differs little.
fn closest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|k| (distance(word, k), k))
        .filter(|(d, k)| *d <= 2 && *d < k.len())
        .min()
        .map(|(_, k)| k)
}

/// Edits between two words.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().take(64).enumerate() {
        let mut before = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let new = (before + usize::from(ca != *cb)).min(row[j] + 1).min(row[j + 1] + 1);
            before = std::mem::replace(&mut row[j + 1], new);
        }
    }
    row[b.len()]
}
