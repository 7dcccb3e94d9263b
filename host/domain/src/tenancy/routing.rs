//! What the parts of a request say about its tenant: pure functions of host, path, header and token, so that every
//! spelling can be tested. [`super::resolve`] looks up what they name and compares.

use crate::Problem;
use aistack_core::{ProblemKind, TenantId};
use url::{Host, Url};

/// A host as the platform compares it: without port and trailing dot, lower case, internationalised names as ASCII.
///
/// # Errors
/// `malformed_request` when it is no host at all.
pub fn normalise_host(authority: &str) -> Result<String, Problem> {
    let refuse = || Problem::new(ProblemKind::MalformedRequest, "the Host header is not a host name");
    // `Host::parse` would decode percent escapes and user info is no part of a Host header.
    if authority.is_empty() || authority.contains(['%', '@', '/', '\\']) || authority.contains(char::is_whitespace) {
        return Err(refuse());
    }
    let (name, port) = match authority.rfind(':') {
        // A colon inside brackets belongs to an IPv6 address.
        Some(at) if !authority[at..].contains(']') => (&authority[..at], Some(&authority[at + 1..])),
        _ => (authority, None),
    };
    // Digits alone: a sign would be parsed too.
    let is_port = |p: &str| p.bytes().all(|b| b.is_ascii_digit()) && (p.is_empty() || p.parse::<u16>().is_ok());
    if port.is_some_and(|p| !is_port(p)) {
        return Err(refuse());
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    match Host::parse(name).map_err(|_| refuse())? {
        Host::Domain(name) => Ok(name),
        // Other spellings of an address (octal, one number) are not the address for us.
        Host::Ipv4(ip) if ip.to_string() == name => Ok(name.to_owned()),
        Host::Ipv4(_) => Err(refuse()),
        Host::Ipv6(ip) => Ok(format!("[{ip}]")),
    }
}

/// What a host name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostName {
    /// A base host: nobody in particular.
    Base,
    /// `{slug}.<base host>`.
    Slug {
        /// The slug.
        slug: String,
        /// The base host.
        base: String,
    },
    /// Another name: a tenant's own domain, if one has proven it.
    Foreign(String),
}

/// Reads the authority of a request. `public_url` adds its host to the base hosts that are always there.
///
/// # Errors
/// `malformed_request` for an unreadable host, `unknown_host` for one that can be nobody's.
pub fn read_host(public_url: &Url, authority: &str) -> Result<HostName, Problem> {
    let host = normalise_host(authority)?;
    let public = public_url.host_str().unwrap_or_default();
    if [public, "localhost", "127.0.0.1", "[::1]"].contains(&&*host) {
        return Ok(HostName::Base);
    }
    // An address has no subdomains: `acme.127.0.0.1` is no name anybody can own.
    let named = matches!(public_url.host(), Some(Host::Domain(_))).then_some(public);
    for base in [named, Some("localhost")].into_iter().flatten() {
        let Some(rest) = host.strip_suffix(base).and_then(|rest| rest.strip_suffix('.')) else {
            continue;
        };
        return match is_label(rest) {
            true => Ok(HostName::Slug {
                slug: rest.to_owned(),
                base: base.to_owned(),
            }),
            false => Err(unknown_host()),
        };
    }
    let labels = host.split('.').count();
    if labels < 2 || !host.split('.').all(is_label) || host.parse::<std::net::Ipv4Addr>().is_ok() {
        return Err(unknown_host());
    }
    Ok(HostName::Foreign(host))
}

/// What a path says: the slug of `/t/{slug}` and the path behind it, which begins with a slash; `None` for other paths.
///
/// # Errors
/// `tenant_not_found` for a path that names something that can't be a slug.
pub fn read_path(path: &str) -> Result<Option<(String, String)>, Problem> {
    let Some(rest) = path.strip_prefix("/t/") else {
        return Ok(None);
    };
    let (slug, rest) = rest.split_once('/').unwrap_or((rest, ""));
    let slug = slug.to_ascii_lowercase();
    if !is_label(&slug) {
        return Err(no_such_tenant());
    }
    Ok(Some((slug, format!("/{rest}"))))
}

/// Whether a value of the header `X-Tenant-Id` names a tenant: its id or its slug.
#[must_use]
pub fn header_names(id: TenantId, slug: &str, header: &str) -> bool {
    header == slug || header == id.to_string()
}

/// Compares the routed tenant with what a token claims.
///
/// # Errors
/// `tenant_mismatch` when they differ.
pub fn agree_with_token(routed: TenantId, claimed: TenantId) -> Result<(), Problem> {
    if routed == claimed {
        Ok(())
    } else {
        Err(mismatch("the address and the token"))
    }
}

/// The refusal of a slug nobody has.
#[must_use]
pub fn no_such_tenant() -> Problem {
    Problem::new(ProblemKind::TenantNotFound, "no tenant has this address")
}

/// The refusal of a host that is not ours.
#[must_use]
pub fn unknown_host() -> Problem {
    Problem::new(ProblemKind::UnknownHost, "this host name is not served here")
}

/// Where a tenant is always reached: the public URL with the slug in front of its host; below `/t/` when the host is an
/// address, which has no subdomains. Without trailing slash.
#[must_use]
pub fn tenant_url(public_url: &Url, slug: &str) -> String {
    let base = public_url.as_str().trim_end_matches('/');
    match public_url.host() {
        Some(Host::Domain(domain)) => base.replacen(&format!("://{domain}"), &format!("://{slug}.{domain}"), 1),
        _ => format!("{base}/t/{slug}"),
    }
}

/// The address of a tenant's own domain: the public URL's scheme and port with the domain as the host.
#[must_use]
pub fn domain_url(public_url: &Url, domain: &str) -> String {
    match public_url.port() {
        Some(port) => format!("{}://{domain}:{port}", public_url.scheme()),
        None => format!("{}://{domain}", public_url.scheme()),
    }
}

pub(super) fn mismatch(what: &str) -> Problem {
    Problem::new(ProblemKind::TenantMismatch, format!("{what} name different tenants"))
}

/// Whether a text can be one DNS label (and so a slug).
#[must_use]
pub fn is_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        && !text.starts_with('-')
        && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(host: &str) -> Result<HostName, ProblemKind> {
        let url = Url::parse("https://cloud.example.com/").unwrap();
        read_host(&url, host).map_err(|p| p.kind)
    }
    fn slug(slug: &str, base: &str) -> Result<HostName, ProblemKind> {
        Ok(HostName::Slug {
            slug: slug.to_owned(),
            base: base.to_owned(),
        })
    }

    #[test]
    fn base_hosts_name_nobody() {
        for host in [
            "localhost",
            "LOCALHOST.:8080",
            "127.0.0.1:80",
            "[::1]:8080",
            "[0:0::1]",
            "cloud.example.com",
            "Cloud.Example.COM.:443",
        ] {
            assert_eq!(at(host), Ok(HostName::Base), "{host}");
        }
    }

    #[test]
    fn a_subdomain_names_the_tenant_in_any_spelling() {
        for (host, base) in [
            ("acme.localhost", "localhost"),
            ("ACME.localhost.:8080", "localhost"),
            ("acme.cloud.example.com", "cloud.example.com"),
            ("Acme.Cloud.example.com.:443", "cloud.example.com"),
        ] {
            assert_eq!(at(host), slug("acme", base), "{host}");
        }
        assert_eq!(at("bücher.localhost"), slug("xn--bcher-kva", "localhost"));
        assert_eq!(at("xn--bcher-kva.localhost"), slug("xn--bcher-kva", "localhost"));
    }

    #[test]
    fn other_names_may_be_somebodys_domain_in_one_spelling() {
        for host in [
            "shop.bücher.example",
            "SHOP.XN--BCHER-KVA.example.:8443",
            "shop.xn--bcher-kva.example",
        ] {
            assert_eq!(
                at(host),
                Ok(HostName::Foreign("shop.xn--bcher-kva.example".to_owned())),
                "{host}"
            );
        }
        // What only looks like one of ours is somebody else's.
        for host in ["acme.localhost.evil.example", "xcloud.example.com", "example.com"] {
            assert_eq!(at(host), Ok(HostName::Foreign(host.to_owned())), "{host}");
        }
    }

    #[test]
    fn the_path_prefix_names_the_tenant_and_is_cut_off() {
        let read = |path| read_path(path).map_err(|p| p.kind);
        let found = |slug: &str, rest: &str| Ok(Some((slug.to_owned(), rest.to_owned())));
        assert_eq!(read("/t/acme/api/v1/users"), found("acme", "/api/v1/users"));
        assert_eq!(read("/t/ACME"), found("acme", "/"));
        assert_eq!(read("/t/acme//x"), found("acme", "//x"));
        assert_eq!(read("/tea"), Ok(None));
        for bad in [
            "/t/",
            "/t/%61cme/x",
            "/t/../x",
            "/t/acme%2fx",
            "/t/acme%00/x",
            "/t//acme",
            "/t/-a/x",
            "/t/a.b/x",
        ] {
            assert_eq!(read(bad), Err(ProblemKind::TenantNotFound), "{bad}");
        }
    }

    #[test]
    fn what_can_be_nobodys_host_is_refused() {
        for host in [
            "a.b.localhost",
            "acmelocalhost",
            ".localhost",
            "-a.localhost",
            "127.0.0.2",
            "[::2]",
            "192.168.0.1:80",
            "a..example",
            "a_b.example",
            "acme.localhost..",
        ] {
            assert!(
                matches!(at(host), Err(ProblemKind::UnknownHost | ProblemKind::MalformedRequest)),
                "{host}: {:?}",
                at(host)
            );
        }
        for host in [
            "",
            "a b",
            "acme.localhost:99999",
            "acme.localhost:x",
            "acme.localhost:+80",
            "%61cme.localhost",
            "acme%2elocalhost",
            "a@localhost",
            "user:secret@acme.localhost",
            "acme.localhost/x",
            "acme.localhost\\x",
            "acme\0.localhost",
            "2130706433",
            "0177.0.0.1",
            "0x7f.1",
            "127.1",
            "[::1",
            "[::1]x",
        ] {
            assert_eq!(at(host), Err(ProblemKind::MalformedRequest), "{host}");
        }
    }

    #[test]
    fn header_and_token_must_agree() {
        let id = TenantId(uuid::Uuid::from_u128(1));
        let other = TenantId(uuid::Uuid::from_u128(2));
        assert!(header_names(id, "acme", "acme"));
        assert!(header_names(id, "acme", &id.to_string()));
        assert!(!header_names(id, "acme", &other.to_string()));
        assert!(!header_names(id, "acme", ""));
        assert!(agree_with_token(id, id).is_ok());
        assert_eq!(
            agree_with_token(id, other).unwrap_err().kind,
            ProblemKind::TenantMismatch
        );
    }

    #[test]
    fn tenants_have_addresses_under_the_public_url() {
        let url = |u: &str| tenant_url(&Url::parse(u).unwrap(), "acme");
        assert_eq!(url("http://localhost:8080"), "http://acme.localhost:8080");
        assert_eq!(url("https://cloud.example.com/"), "https://acme.cloud.example.com");
        assert_eq!(url("http://127.0.0.1:8080/"), "http://127.0.0.1:8080/t/acme");
    }

    #[test]
    fn an_own_domain_keeps_scheme_and_port() {
        let url = |u: &str| domain_url(&Url::parse(u).unwrap(), "app.acme.example");
        assert_eq!(url("http://localhost:8080"), "http://app.acme.example:8080");
        assert_eq!(url("https://cloud.example.com/"), "https://app.acme.example");
    }
}
