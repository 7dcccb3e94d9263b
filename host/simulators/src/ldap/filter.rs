//! Search filters (RFC 4511 §4.5.1.7), with the two matching rules that directories of Microsoft add.

use super::ber::{Malformed, Reader};
use super::entries::{Directory, Entry, normal};

const BIT_AND: &str = "1.2.840.113556.1.4.803";
const IN_CHAIN: &str = "1.2.840.113556.1.4.1941";
/// How deep filters may be nested.
const DEEPEST: usize = 32;

/// A filter as it was sent.
#[derive(Debug, Clone)]
pub(super) enum Filter {
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    Equal(String, Vec<u8>),
    Substrings(String, Vec<(u8, Vec<u8>)>),
    AtLeast(String, Vec<u8>),
    AtMost(String, Vec<u8>),
    Present(String),
    Rule(String, String, Vec<u8>),
}

impl Filter {
    pub(super) fn read(reader: &mut Reader<'_>, depth: usize) -> Result<Self, Malformed> {
        let (tag, content) = reader.next()?.ok_or(Malformed)?;
        if depth > DEEPEST {
            return Err(Malformed);
        }
        let mut inner = Reader(content);
        let all = |mut inner: Reader<'_>| {
            let mut out = Vec::new();
            while !inner.0.is_empty() {
                out.push(Self::read(&mut inner, depth + 1)?);
            }
            Ok::<_, Malformed>(out)
        };
        let assertion = |inner: &mut Reader<'_>| Ok::<_, Malformed>((inner.text(0x04)?, inner.expect(0x04)?.to_vec()));
        Ok(match tag {
            0xa0 => Self::And(all(inner)?),
            0xa1 => Self::Or(all(inner)?),
            0xa2 => Self::Not(Box::new(Self::read(&mut inner, depth + 1)?)),
            0xa3 | 0xa8 => {
                let (name, value) = assertion(&mut inner)?;
                Self::Equal(name, value)
            }
            0xa5 => {
                let (name, value) = assertion(&mut inner)?;
                Self::AtLeast(name, value)
            }
            0xa6 => {
                let (name, value) = assertion(&mut inner)?;
                Self::AtMost(name, value)
            }
            0x87 => Self::Present(String::from_utf8(content.to_vec()).map_err(|_| Malformed)?),
            0xa4 => {
                let name = inner.text(0x04)?;
                let mut pieces = Reader(inner.expect(0x30)?);
                let mut out = Vec::new();
                while let Some((kind, piece)) = pieces.next()? {
                    out.push((kind, piece.to_vec()));
                }
                Self::Substrings(name, out)
            }
            0xa9 => {
                let (mut rule, mut name, mut value) = (String::new(), String::new(), Vec::new());
                while let Some((kind, piece)) = inner.next()? {
                    match kind {
                        0x81 => rule = String::from_utf8_lossy(piece).into_owned(),
                        0x82 => name = String::from_utf8_lossy(piece).into_owned(),
                        0x83 => value = piece.to_vec(),
                        _ => {}
                    }
                }
                Self::Rule(rule, name, value)
            }
            _ => return Err(Malformed),
        })
    }

    pub(super) fn matches(&self, entry: &Entry, directory: &Directory) -> bool {
        match self {
            Self::And(all) => all.iter().all(|f| f.matches(entry, directory)),
            Self::Or(any) => any.iter().any(|f| f.matches(entry, directory)),
            Self::Not(filter) => !filter.matches(entry, directory),
            Self::Present(name) => !entry.values(name).is_empty(),
            Self::Equal(name, value) => entry.values(name).iter().any(|v| same(v, value)),
            Self::AtLeast(name, value) => entry
                .values(name)
                .iter()
                .any(|v| compare(v, value).is_some_and(std::cmp::Ordering::is_ge)),
            Self::AtMost(name, value) => entry
                .values(name)
                .iter()
                .any(|v| compare(v, value).is_some_and(std::cmp::Ordering::is_le)),
            Self::Substrings(name, pieces) => entry.values(name).iter().any(|v| contains(v, pieces)),
            Self::Rule(rule, name, value) if rule == BIT_AND => {
                let number = |bytes: &[u8]| std::str::from_utf8(bytes).ok()?.parse::<u64>().ok();
                let wanted = number(value);
                wanted.is_some_and(|wanted| {
                    entry
                        .values(name)
                        .iter()
                        .any(|v| number(v).is_some_and(|v| v & wanted == wanted))
                })
            }
            Self::Rule(rule, name, value) if rule == IN_CHAIN => {
                let wanted = normal(&String::from_utf8_lossy(value));
                directory.chain(entry, name).contains(&wanted)
            }
            Self::Rule(..) => false,
        }
    }
}

/// Text without regard to case, anything else byte by byte. Distinguished names compare by their parts.
fn same(a: &[u8], b: &[u8]) -> bool {
    match (std::str::from_utf8(a), std::str::from_utf8(b)) {
        (Ok(a), Ok(b)) if a.contains('=') => normal(a) == normal(b),
        (Ok(a), Ok(b)) => a.to_lowercase() == b.to_lowercase(),
        _ => a == b,
    }
}

/// Numbers as numbers, other text as text.
fn compare(a: &[u8], b: &[u8]) -> Option<std::cmp::Ordering> {
    let (a, b) = (std::str::from_utf8(a).ok()?, std::str::from_utf8(b).ok()?);
    match (a.parse::<i64>(), b.parse::<i64>()) {
        (Ok(a), Ok(b)) => Some(a.cmp(&b)),
        _ => Some(a.to_lowercase().cmp(&b.to_lowercase())),
    }
}

fn contains(value: &[u8], pieces: &[(u8, Vec<u8>)]) -> bool {
    let value = String::from_utf8_lossy(value).to_lowercase();
    let mut rest = value.as_str();
    for (kind, piece) in pieces {
        let piece = String::from_utf8_lossy(piece).to_lowercase();
        let found = match kind {
            0x80 => rest.strip_prefix(piece.as_str()),
            0x82 => rest.ends_with(piece.as_str()).then_some(""),
            _ => rest.split_once(piece.as_str()).map(|(_, after)| after),
        };
        let Some(after) = found else { return false };
        rest = after;
    }
    true
}
