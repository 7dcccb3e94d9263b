//! The fuzz targets. Each takes any bytes; besides crashing nowhere, each holds the code to what it promises.
//!
//! Input of several parts has them divided by the byte 0xFF, which no text contains, so that seeds can be read and
//! written by hand.

mod arguments;
mod component;
mod documents;

pub use arguments::import_arguments;
pub use component::component_bytes;
pub use documents::{config_schema, manifest};

use std::borrow::Cow;

/// The parts of an input, one after the other; empty when there are no more.
struct Parts<'a>(std::slice::Split<'a, u8, fn(&u8) -> bool>);

impl<'a> Parts<'a> {
    fn of(data: &'a [u8]) -> Self {
        Self(data.split(|b| *b == 0xff))
    }
    fn bytes(&mut self) -> &'a [u8] {
        self.0.next().unwrap_or_default()
    }
    fn text(&mut self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.bytes())
    }
    fn maybe(&mut self) -> Option<Cow<'a, str>> {
        Some(self.text()).filter(|t| !t.is_empty())
    }
}

/// A code that programs compare: short, in snake case.
fn is_code(code: &str) -> bool {
    (1..=64).contains(&code.len())
        && code.starts_with(|c: char| c.is_ascii_lowercase())
        && code
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}
