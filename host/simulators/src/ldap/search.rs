//! Searches: scope, filter, attributes, pages and ranges.

use super::ber::{Malformed, Reader, integer, octets, sequence};
use super::entries::{BASE, Directory, Entry, normal};
use super::filter::Filter;
use crate::material::element;

pub(super) const PAGED: &str = "1.2.840.113556.1.4.319";
pub(super) const START_TLS: &str = "1.3.6.1.4.1.1466.20037";
pub(super) const WHO_AM_I: &str = "1.3.6.1.4.1.4203.1.11.3";
/// Most entries of one page, as in Active Directory.
pub(super) const MOST_ENTRIES: usize = 1000;
/// Most values of one attribute at a time.
const MOST_VALUES: usize = 1500;

/// A search as it was asked for.
#[derive(Debug, Clone)]
pub(super) struct Search {
    pub(super) base: String,
    scope: i64,
    pub(super) size: usize,
    names_only: bool,
    filter: Filter,
    wanted: Vec<String>,
}

impl Search {
    pub(super) fn read(content: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader(content);
        let base = reader.text(0x04)?;
        let scope = reader.integer(0x0a)?;
        reader.integer(0x0a)?;
        let size = usize::try_from(reader.integer(0x02)?).map_err(|_| Malformed)?;
        reader.integer(0x02)?;
        let names_only = reader.expect(0x01)? != [0];
        let filter = Filter::read(&mut reader, 0)?;
        let mut list = Reader(reader.expect(0x30)?);
        let mut wanted = Vec::new();
        while !list.0.is_empty() {
            wanted.push(list.text(0x04)?);
        }
        Ok(Self {
            base,
            scope,
            size,
            names_only,
            filter,
            wanted,
        })
    }

    /// The entries that match; nothing when the base is not there.
    pub(super) fn run(&self, directory: &Directory) -> Option<Vec<Entry>> {
        if self.base.is_empty() && self.scope == 0 {
            return Some(vec![root(directory)]);
        }
        directory.find(&self.base)?;
        let base = normal(&self.base);
        let below = format!(",{base}");
        let within = |entry: &&Entry| {
            let dn = normal(&entry.dn);
            match self.scope {
                0 => dn == base,
                1 => dn.strip_suffix(&below).is_some_and(|rest| !rest.contains(',')),
                _ => dn == base || dn.ends_with(&below),
            }
        };
        let found = directory
            .entries
            .iter()
            .filter(within)
            .filter(|e| self.filter.matches(e, directory));
        Some(found.cloned().collect())
    }

    /// A `SearchResultEntry`.
    pub(super) fn shown(&self, entry: &Entry) -> Vec<u8> {
        let all = self.wanted.is_empty() || self.wanted.iter().any(|w| w == "*");
        let mut attributes = Vec::new();
        for (name, values) in &entry.attributes {
            let asked = self
                .wanted
                .iter()
                .find(|w| w.split(';').next().is_some_and(|w| w.eq_ignore_ascii_case(name)));
            // Operational attributes are shown only to whom asks for them.
            let operational = name == "entryUUID";
            if asked.is_none() && (!all || operational) {
                continue;
            }
            let (shown, values) = range(name, values, asked.map(String::as_str));
            let values: Vec<_> = if self.names_only {
                Vec::new()
            } else {
                values.iter().map(|v| octets(v)).collect()
            };
            attributes.push(sequence(&[octets(shown.as_bytes()), element(0x31, &values.concat())]));
        }
        element(0x64, &[octets(entry.dn.as_bytes()), sequence(&attributes)].concat())
    }
}

/// Long lists come in pieces: `member;range=0-1499`, and the last one as `member;range=1500-*`.
fn range<'a>(name: &str, values: &'a [Vec<u8>], asked: Option<&str>) -> (String, &'a [Vec<u8>]) {
    let option = asked.and_then(|a| a.to_lowercase().split_once(";range=").map(|(_, r)| r.to_owned()));
    let (from, to) = match option.as_deref().and_then(|r| r.split_once('-')) {
        Some((from, to)) => (from.parse().unwrap_or(0), to.parse().unwrap_or(usize::MAX)),
        None if values.len() > MOST_VALUES => (0, usize::MAX),
        None => return (name.to_owned(), values),
    };
    let from: usize = from;
    let end = from
        .saturating_add(MOST_VALUES)
        .min(to.saturating_add(1))
        .min(values.len());
    if from >= end {
        return (format!("{name};range={from}-*"), &[]);
    }
    let shown = if end == values.len() {
        "*".to_owned()
    } else {
        (end - 1).to_string()
    };
    (format!("{name};range={from}-{shown}"), &values[from..end])
}

/// What the server says about itself.
fn root(directory: &Directory) -> Entry {
    let text = |values: &[&str]| values.iter().map(|v| v.as_bytes().to_vec()).collect::<Vec<_>>();
    let usn = directory.usn.to_string();
    let attributes = [
        ("objectClass", text(&["top"])),
        ("namingContexts", text(&[BASE])),
        ("defaultNamingContext", text(&[BASE])),
        ("supportedLDAPVersion", text(&["3"])),
        ("supportedControl", text(&[PAGED])),
        ("supportedExtension", text(&[START_TLS, WHO_AM_I])),
        ("highestCommittedUSN", text(&[&usn])),
        ("dnsHostName", text(&["localhost"])),
        ("vendorName", text(&["aistack simulators"])),
    ];
    let attributes = attributes.into_iter().map(|(n, v)| (n.to_owned(), v)).collect();
    Entry {
        dn: String::new(),
        attributes,
        password: None,
        locked: false,
    }
}

/// The control that continues a paged search.
pub(super) fn paged_control(total: usize, cookie: &[u8]) -> Vec<u8> {
    let value = sequence(&[integer(0x02, i64::try_from(total).unwrap_or(i64::MAX)), octets(cookie)]);
    element(0xa0, &sequence(&[octets(PAGED.as_bytes()), octets(&value)]))
}
