//! One spelling per path, so that the prefix that was matched is the prefix that the upstream sees.
//!
//! Two different readings of one path are how requests get past a proxy: an encoded dot segment that only the upstream
//! resolves, an encoded slash that only the upstream takes for a separator, an encoded letter that misses a longer route.

use crate::Problem;
use aistack_core::ProblemKind;
use percent_encoding::percent_decode_str;
use std::fmt::Write as _;

/// The path with every needlessly encoded character decoded and every other escape in upper case (RFC 3986 §6.2.2).
///
/// # Errors
/// `malformed_request` for dot segments, encoded slashes, backslashes and control characters, and broken escapes.
pub fn normalise(path: &str) -> Result<String, Problem> {
    let refuse = |why: &str| Problem::new(ProblemKind::MalformedRequest, format!("the path {why}"));
    if !path.starts_with('/') {
        return Err(refuse("does not begin with a slash"));
    }
    let mut out = String::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            if !byte.is_ascii_graphic() || b"\\\"<>^`{|}#?".contains(&byte) {
                return Err(refuse("contains a character that has to be escaped"));
            }
            out.push(char::from(byte));
            continue;
        }
        let digits = [bytes.next(), bytes.next()];
        let value = match digits {
            [Some(high), Some(low)] => hex_pair(high, low),
            _ => None,
        };
        match value {
            None => return Err(refuse("contains a broken escape")),
            Some(b'/' | b'\\') => return Err(refuse("contains an encoded slash")),
            Some(0..=0x1f | 0x7f) => return Err(refuse("contains an encoded control character")),
            Some(plain) if plain.is_ascii_alphanumeric() || b"-._~".contains(&plain) => out.push(char::from(plain)),
            // Writing into a String can't fail.
            Some(other) => drop(write!(out, "%{other:02X}")),
        }
    }
    // Some servers cut "parameters" off a segment before they resolve it: `..;x` is as bad as `..`.
    let dots = |segment: &str| matches!(segment.split([';', '%']).next(), Some("." | "..")) && is_dots(segment);
    if out.split('/').any(dots) {
        return Err(refuse("contains a dot segment"));
    }
    Ok(out)
}

/// Whether a segment that begins with dots is one, parameters and escapes aside.
fn is_dots(segment: &str) -> bool {
    let decoded = percent_decode_str(segment).decode_utf8_lossy();
    let name = decoded.split(';').next().unwrap_or_default();
    matches!(name.trim(), "." | "..")
}

fn hex_pair(high: u8, low: u8) -> Option<u8> {
    let digit = |b: u8| char::from(b).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_paths_have_one_spelling() {
        for (given, one) in [
            ("/", "/"),
            ("/v1/chat", "/v1/chat"),
            ("/%76%31/chat", "/v1/chat"),
            ("/v1/%7euser/a%2db", "/v1/~user/a-b"),
            ("/v1/%e4%bd%a0", "/v1/%E4%BD%A0"),
            ("/v1/a%20b;c=d,e", "/v1/a%20b;c=d,e"),
            ("/v1/...", "/v1/..."),
            ("/v1/..a", "/v1/..a"),
            ("/v1//x", "/v1//x"),
            ("/v1/%25", "/v1/%25"),
        ] {
            assert_eq!(normalise(given).as_deref(), Ok(one), "{given}");
            assert_eq!(normalise(one).as_deref(), Ok(one), "twice is once: {one}");
        }
    }

    #[test]
    fn whatever_two_servers_could_read_differently_is_refused() {
        for bad in [
            "",
            "v1",
            "*",
            "/v1/..",
            "/v1/../x",
            "/v1/./x",
            "/.",
            "/v1/%2e%2e/x",
            "/v1/.%2E/x",
            "/v1/%2e",
            "/v1%2fx",
            "/v1%2Fx",
            "/v1%5cx",
            "/v1\\x",
            "/v1/%00",
            "/v1/%0d%0aX: y",
            "/v1/%7f",
            "/v1/%",
            "/v1/%4",
            "/v1/%zz",
            "/v1/..;/x",
            "/v1/..;a=b/x",
            "/v1/%2e%2e;/x",
            "/v1/..%3b/x",
            "/v1/.;x",
            "/v1/x y",
            "/v1/x#y",
            "/v1/é",
            "/v1/..%20/x",
        ] {
            assert!(normalise(bad).is_err(), "{bad:?}");
        }
    }
}
