//! Names and small values: keys of `kv`, files of `blob`, character sets of `download`.

use super::{Checked, invalid};
use aistack_domain::plugins::port::{Fault, FaultKind};
use encoding_rs::{Encoding, UTF_8};

/// Longest key in bytes.
const MAX_KEY: usize = 256;
/// Largest value in bytes.
const MAX_VALUE: usize = 64 << 10;

/// A key of `kv`.
pub(crate) fn key(key: &str) -> Checked<()> {
    if key.is_empty() || key.len() > MAX_KEY || key.chars().any(char::is_control) {
        return Err(invalid(
            "kv_key_invalid",
            "a key has 1 to 256 bytes and no control characters",
        ));
    }
    Ok(())
}

/// A value of `kv`.
pub(crate) fn value(value: &[u8]) -> Checked<()> {
    if value.len() > MAX_VALUE {
        return Err(invalid("kv_value_too_large", "a value has at most 64 KiB"));
    }
    Ok(())
}

/// A file of `blob`: its plain name and its media type.
pub(crate) fn file(name: &str, media_type: &str) -> Checked<()> {
    if plain(name) && plain_type(media_type) {
        return Ok(());
    }
    Err(invalid(
        "file_name_invalid",
        "a file needs a plain name of 1 to 128 characters and a media type",
    ))
}

fn plain(name: &str) -> bool {
    (1..=128).contains(&name.chars().count())
        && name != "."
        && name != ".."
        && !name.chars().any(|c| c.is_control() || matches!(c, '/' | '\\'))
}

fn plain_type(t: &str) -> bool {
    t.len() <= 128 && t.contains('/') && t.bytes().all(|b| b.is_ascii_graphic() || b == b' ')
}

/// The encoding that a label means; UTF-8 without one.
pub(crate) fn charset(label: Option<&str>) -> Checked<&'static Encoding> {
    match label.map(|label| Encoding::for_label(label.as_bytes())) {
        None => Ok(UTF_8),
        Some(Some(e)) => Ok(e),
        Some(None) => Err(Fault::new(
            FaultKind::Unsupported,
            "unsupported_charset",
            "not a character encoding the host knows",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        assert!(plain("用量 2026-01.csv"));
        for bad in ["", ".", "..", "a/b", "a\\b", "a\0", "a\n", &"x".repeat(129)] {
            assert!(!plain(bad), "{bad:?}");
        }
    }
}
