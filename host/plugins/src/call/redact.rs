//! Keeps secrets that passed through a call out of sight: revealed ones, which the guest has in its memory, and injected
//! ones, which a provider may echo. They are looked for as they are and in the encodings that texts usually carry (hex,
//! base64 at every alignment, percent, JSON), whatever the case. A guest that disguises a secret in a way of its own is
//! not caught: that is why `reveal` is a grant apart.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use aistack_domain::plugins::port::Fault;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use std::{
    collections::BTreeSet,
    fmt,
    io::{self, Read, Write},
};

/// Shorter ones would be found everywhere; they are no secrets either.
const SHORTEST: usize = 6;
/// A long secret is looked for in parts of this many bytes.
const PART: usize = 256;
/// What stands in a secret's place.
const MASK: &[u8] = b"***";

/// What [`Redactor`] can look through: all that a result shows to anybody outside the host.
pub(crate) trait Visible {
    /// Hands each text and each byte string to `see`.
    fn show(&self, see: &mut dyn FnMut(&[u8]));
}

/// The secrets of one call, and a search for all of them at once.
#[derive(Default)]
pub(crate) struct Redactor {
    names: Vec<String>,
    /// Patterns, each with the place of its secret in `names`.
    patterns: Vec<(Vec<u8>, usize)>,
    search: Option<AhoCorasick>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor")
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}

impl Redactor {
    /// Remembers a secret that was revealed or injected.
    pub(crate) fn learn(&mut self, name: &str, secret: &[u8]) {
        let parts: Vec<&[u8]> = secret
            .split(|b| matches!(b, b'\n' | b'\r'))
            // The frame of a PEM text says nothing.
            .filter(|line| !line.starts_with(b"-----"))
            .flat_map(|line| line.chunks(PART))
            .filter(|part| part.len() >= SHORTEST)
            .collect();
        if parts
            .first()
            .is_none_or(|part| self.patterns.iter().any(|(known, _)| known == part))
        {
            return;
        }
        let place = self.names.iter().position(|n| n == name).unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        for part in parts {
            self.patterns.extend(spellings(part).into_iter().map(|p| (p, place)));
        }
        self.search = AhoCorasick::builder()
            // Reports what it finds first, which streams can be searched for as well.
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .ascii_case_insensitive(true)
            .build(self.patterns.iter().map(|(p, _)| p))
            .ok();
    }

    /// Whether there is nothing to hide.
    pub(crate) fn is_idle(&self) -> bool {
        self.search.is_none()
    }

    /// Names of the secrets that occur.
    pub(crate) fn found_in(&self, bytes: &[u8]) -> BTreeSet<&str> {
        let Some(search) = &self.search else {
            return BTreeSet::new();
        };
        let place = |m: aho_corasick::Match| self.patterns[m.pattern().as_usize()].1;
        search
            .find_overlapping_iter(bytes)
            .map(|m| self.names[place(m)].as_str())
            .collect()
    }

    /// Whether a secret occurs.
    pub(crate) fn occurs_in(&self, bytes: &[u8]) -> bool {
        self.search.as_ref().is_some_and(|s| s.is_match(bytes))
    }

    /// Whether a result would show a secret.
    pub(crate) fn occurs_in_result(&self, result: &impl Visible) -> bool {
        let mut found = false;
        if !self.is_idle() {
            result.show(&mut |bytes| found |= self.occurs_in(bytes));
        }
        found
    }

    /// The bytes with secrets replaced.
    pub(crate) fn bytes(&self, bytes: Vec<u8>) -> Vec<u8> {
        let Some(search) = self.search.as_ref().filter(|s| s.is_match(&bytes)) else {
            return bytes;
        };
        let mut out = Vec::with_capacity(bytes.len());
        search.replace_all_with_bytes(&bytes, &mut out, |_, _, out| {
            out.extend_from_slice(MASK);
            true
        });
        out
    }

    /// The text with secrets replaced.
    pub(crate) fn text(&self, text: String) -> String {
        if !self.occurs_in(text.as_bytes()) {
            return text;
        }
        String::from_utf8_lossy(&self.bytes(text.into_bytes())).into_owned()
    }

    /// Covers secrets without changing the length: what is read from a socket has a framing of its own.
    pub(crate) fn cover(&self, bytes: &mut [u8]) {
        let Some(search) = &self.search else { return };
        let found: Vec<_> = search.find_overlapping_iter(&*bytes).map(|m| m.range()).collect();
        for range in found {
            bytes[range].fill(b'*');
        }
    }

    /// The same, with the characters beside a secret: where it stands in base64, they may have bits of it.
    pub(crate) fn cover_widely(&self, bytes: &mut [u8]) {
        let Some(search) = &self.search else { return };
        let found: Vec<_> = search.find_overlapping_iter(&*bytes).map(|m| m.range()).collect();
        let mixed = |b: u8| b.is_ascii_alphanumeric() || b"+/-_".contains(&b);
        let (before, after): (Vec<_>, Vec<_>) = found
            .iter()
            .map(|r| (r.start.checked_sub(1), (r.end < bytes.len()).then_some(r.end)))
            .unzip();
        for place in before.into_iter().chain(after).flatten() {
            if mixed(bytes[place]) {
                bytes[place] = b'*';
            }
        }
        for range in found {
            bytes[range].fill(b'*');
        }
    }

    /// A copy of the search, for a file of any size; nothing when there is nothing to hide.
    pub(crate) fn for_files(&self) -> Option<FileRedactor> {
        self.search.clone().map(FileRedactor)
    }

    /// The fault with secrets replaced.
    pub(crate) fn fault(&self, fault: Fault) -> Fault {
        if self.is_idle() {
            return fault;
        }
        Fault {
            code: self.text(fault.code),
            message: self.text(fault.message),
            user_message: fault.user_message.map(|m| self.text(m)),
            provider_ref: fault.provider_ref.map(|r| self.text(r)),
            ..fault
        }
    }
}

/// Replaces secrets in what is copied.
pub(crate) struct FileRedactor(AhoCorasick);

impl FileRedactor {
    /// Copies, replacing on the way.
    pub(crate) fn copy(&self, from: impl Read, to: impl Write) -> io::Result<()> {
        let masks = vec![MASK; self.0.patterns_len()];
        self.0.try_stream_replace_all(from, to, &masks)
    }
}

/// The ways in which a text may spell these bytes.
fn spellings(part: &[u8]) -> BTreeSet<Vec<u8>> {
    let mut all = BTreeSet::from([part.to_vec(), hex::encode(part).into_bytes()]);
    for shift in 0..3 {
        let shifted = [&[0u8; 3][..shift], part].concat();
        // The characters that what stands before and behind has no bits in.
        let (first, last) = ([0, 2, 3][shift], shifted.len() * 8 / 6);
        for text in [STANDARD_NO_PAD.encode(&shifted), URL_SAFE_NO_PAD.encode(&shifted)] {
            all.insert(text.as_bytes()[first..last].to_vec());
        }
    }
    let percent = |keep: &[u8], space: &[u8]| {
        part.iter().fold(Vec::new(), |mut out, b| {
            match b {
                b' ' => out.extend_from_slice(space),
                b if b.is_ascii_alphanumeric() || keep.contains(b) => out.push(*b),
                b => out.extend(format!("%{b:02X}").into_bytes()),
            }
            out
        })
    };
    all.insert(percent(b"-_.~", b"%20"));
    all.insert(percent(b"*-._", b"+"));
    if let Ok(text) = std::str::from_utf8(part) {
        let quoted = serde_json::Value::from(text).to_string().into_bytes();
        all.insert(quoted[1..quoted.len() - 1].to_vec());
    }
    all.retain(|p| p.len() >= SHORTEST);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD;

    fn knowing(secret: &[u8]) -> Redactor {
        let mut r = Redactor::default();
        r.learn("key", secret);
        r
    }

    #[test]
    fn a_secret_is_found_in_every_usual_spelling() {
        let secret = b"p\"ss w/rd+\xc3\xa9?";
        let r = knowing(secret);
        let text = std::str::from_utf8(secret).unwrap();
        let mut spelt = vec![
            text.to_owned(),
            text.to_uppercase().replace('É', "é"),
            hex::encode(secret),
            hex::encode_upper(secret),
            serde_json::json!({ "a": text }).to_string(),
            url::form_urlencoded::Serializer::new(String::new())
                .append_pair("a", text)
                .finish(),
            "p%22ss%20w%2frd%2b%c3%a9%3f".to_owned(),
        ];
        for before in ["", "u", "us", "use", "user:"] {
            for after in ["", "!", "more"] {
                let whole = [before.as_bytes(), secret, after.as_bytes()].concat();
                spelt.push(STANDARD.encode(&whole));
                spelt.push(URL_SAFE_NO_PAD.encode(&whole));
            }
        }
        for s in spelt {
            assert!(r.occurs_in(s.as_bytes()), "{s}");
            let clean = r.text(format!("a {s} b"));
            assert!(clean.contains("***") && !r.occurs_in(clean.as_bytes()), "{clean}");
        }
        assert!(!r.occurs_in(b"nothing of it, p and w/rd apart"));
    }

    #[test]
    fn nothing_is_searched_until_something_is_known() {
        let mut r = Redactor::default();
        assert!(r.is_idle());
        r.learn("short", b"12345");
        assert!(r.is_idle(), "too short to be told from other text");
        r.learn("key", b"a-long-secret");
        r.learn("key", b"a-long-secret");
        r.learn("other", b"another-secret");
        assert_eq!(r.names, ["key", "other"]);
        assert_eq!(r.found_in(b"x another-secret"), BTreeSet::from(["other"]));
    }

    #[test]
    fn lines_of_a_private_key_are_hidden_one_by_one() {
        let r = knowing(b"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\nAQEFAASCBKcwggSjAgEAAoIB\n-----END PRIVATE KEY-----\n");
        assert!(r.occurs_in(b"see: AQEFAASCBKcwggSjAgEAAoIB"));
        assert!(!r.occurs_in(b"-----BEGIN PRIVATE KEY-----"));
    }

    #[test]
    fn files_and_sockets_are_cleaned_too() {
        let r = knowing(b"a-long-secret");
        let long = [vec![b'x'; 100_000], b"a-long-secret".to_vec(), vec![b'y'; 100_000]].concat();
        let mut out = Vec::new();
        r.for_files().unwrap().copy(long.as_slice(), &mut out).unwrap();
        assert_eq!(out.len(), 200_003);
        let mut read = b"<a-long-secret>".to_vec();
        r.cover(&mut read);
        assert_eq!(read, b"<*************>");
    }
}
