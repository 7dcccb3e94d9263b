//! `oci://host[:port]/name[:tag][@sha256:hex]`.

use aistack_domain::port::RegistryError;
use std::{fmt, net::IpAddr, str::FromStr};

/// What may stand before a reference.
const SCHEME: &str = "oci://";
const EXAMPLE: &str = "write it as oci://registry.example/acme/pay:1.2.0, with @sha256:… behind it to pin it";

/// A component's place in a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Host, with the port when it is not the usual one.
    pub host: String,
    /// Name of the repository.
    pub name: String,
    /// Tag.
    pub tag: Option<String>,
    /// Digest of the manifest, `sha256:<hex>`.
    pub digest: Option<String>,
}

impl Reference {
    /// Whether the registry is this machine: the one place that may be spoken to without TLS.
    pub(super) fn is_loopback(&self) -> bool {
        is_loopback(self.host.rsplit_once(':').map_or(self.host.as_str(), |(host, port)| {
            // The last colon of a bare IPv6 address begins no port.
            if port.bytes().all(|b| b.is_ascii_digit()) {
                host
            } else {
                &self.host
            }
        }))
    }

    /// `https://host` or, on this machine, `http://host`.
    pub(super) fn origin(&self) -> String {
        let scheme = if self.is_loopback() { "http" } else { "https" };
        format!("{scheme}://{}", self.host)
    }

    /// What the manifest is asked for by.
    pub(super) fn wanted(&self) -> &str {
        self.digest.as_deref().or(self.tag.as_deref()).unwrap_or_default()
    }
}

/// Whether a host's name or address is this machine's loopback.
pub(super) fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.ends_with(".localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The hex digits of a digest.
pub(super) fn sha256_hex(text: &str) -> Option<&str> {
    let hex = text.strip_prefix("sha256:")?;
    (hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))).then_some(hex)
}

fn is_name(name: &str) -> bool {
    // Lower-case words, joined by a dot, one or two underscores, or hyphens (distribution spec).
    let word = |part: &str| {
        let edge = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
        let bytes = part.as_bytes();
        edge(bytes.first())
            && edge(bytes.last())
            && bytes
                .iter()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'))
            && !["..", "._", "_.", ".-", "-.", "-_", "_-", "___"]
                .iter()
                .any(|bad| part.contains(bad))
    };
    name.len() <= 255 && name.split('/').all(word)
}

fn is_tag(tag: &str) -> bool {
    let mut bytes = tag.bytes();
    tag.len() <= 128
        && bytes.next().is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

fn is_host(host: &str) -> bool {
    // Whatever else an address can carry (a user, a path, escapes) has no place here.
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b':' | b'[' | b']');
    host.bytes().all(plain)
        && url::Url::parse(&format!("https://{host}/")).is_ok_and(|url| url.host().is_some() && url.path() == "/")
}

impl FromStr for Reference {
    type Err = RegistryError;
    fn from_str(text: &str) -> Result<Self, RegistryError> {
        let bad = |why: &str| RegistryError::Reference(format!("{text:?} is no reference: {why}; {EXAMPLE}"));
        let rest = text
            .strip_prefix(SCHEME)
            .ok_or_else(|| bad("it does not begin with oci://"))?;
        let (rest, digest) = match rest.split_once('@') {
            Some((rest, digest)) => {
                sha256_hex(digest).ok_or_else(|| bad("its digest is not sha256: and 64 lower-case hex digits"))?;
                (rest, Some(digest.to_owned()))
            }
            None => (rest, None),
        };
        let (host, path) = rest.split_once('/').ok_or_else(|| bad("it names no repository"))?;
        let host = host.to_ascii_lowercase();
        if !is_host(&host) {
            return Err(bad("its host is not one"));
        }
        let (name, tag) = match path.rsplit_once(':') {
            Some((name, tag)) => (name, Some(tag.to_owned())),
            None => (path, None),
        };
        if !is_name(name) {
            return Err(bad("the repository's name has lower-case words, joined by . _ - and /"));
        }
        if tag.as_deref().is_some_and(|tag| !is_tag(tag)) {
            return Err(bad("its tag has letters, digits, and . _ - behind the first"));
        }
        if tag.is_none() && digest.is_none() {
            return Err(bad(
                "it has neither tag nor digest, and nothing here is taken to be the latest",
            ));
        }
        Ok(Self {
            host,
            name: name.to_owned(),
            tag,
            digest,
        })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}/{}", self.host, self.name)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Reference, String> {
        text.parse().map_err(|e: RegistryError| e.to_string())
    }

    #[test]
    fn references_are_read_and_written_the_same() {
        let pinned = format!("oci://ghcr.io/acme/plugins/pay:1.2.0@sha256:{}", "a1".repeat(32));
        for text in [
            "oci://registry.example/acme/pay:1.2.0",
            "oci://127.0.0.1:5000/pay:v1_x.y-z",
            "oci://[::1]:5000/a/b__c/d-e:1",
            pinned.as_str(),
        ] {
            assert_eq!(read(text).unwrap().to_string(), text);
        }
        let r = read(&pinned).unwrap();
        assert_eq!(
            (r.host.as_str(), r.name.as_str(), r.tag.as_deref()),
            ("ghcr.io", "acme/plugins/pay", Some("1.2.0"))
        );
        assert!(r.wanted().starts_with("sha256:"), "a digest counts before a tag");
    }

    #[test]
    fn plain_http_is_for_this_machine_alone() {
        for (host, loopback) in [
            ("localhost:5000", true),
            ("127.0.0.1", true),
            ("[::1]:5000", true),
            ("reg.localhost:1", true),
            ("registry.example:5000", false),
            ("10.0.0.1:5000", false),
            ("localhost.example", false),
        ] {
            let reference = read(&format!("oci://{host}/x:1")).unwrap();
            assert_eq!(reference.origin().starts_with("http://"), loopback, "{host}");
        }
    }

    #[test]
    fn what_is_no_reference_is_refused() {
        for text in [
            "registry.example/x:1",
            "oci://registry.example",
            "oci://registry.example/",
            "oci://registry.example/x",
            "oci://registry.example/X:1",
            "oci://registry.example/../x:1",
            "oci://registry.example/x//y:1",
            "oci://registry.example/x?y:1",
            "oci://user@registry.example/x:1",
            "oci://registry.example%2f/x:1",
            "oci:///x:1",
            "oci://registry.example/x:.1",
            "oci://registry.example/x:1@sha256:00",
            "oci://registry.example/x:1@md5:00",
            "oci://registry.example:port/x:1",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
