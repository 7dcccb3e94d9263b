//! Which tenant a request names. A pure function of host and path, so that every conflict can be tested; the caller
//! looks the slug up and compares header and token with what was found.

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
    if port.is_some_and(|p| !p.is_empty() && p.parse::<u16>().is_err()) {
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

/// What host and path say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The slug they name; `None` on a base host without `/t/`.
    pub slug: Option<String>,
    /// Whether the slug stands in the path.
    pub by_path: bool,
    /// The path without the tenant prefix; starts with a slash.
    pub path: String,
}

/// Reads host and path. `public_url` adds its host to the base hosts that are always there.
///
/// # Errors
/// `malformed_request` for an unreadable host, `unknown_host` for one we do not serve, `tenant_mismatch` when host and
/// path name different tenants, `tenant_not_found` for a path that names something that can't be a slug.
pub fn locate(public_url: &Url, authority: &str, path: &str) -> Result<Named, Problem> {
    let host = normalise_host(authority)?;
    let by_host = slug_of_host(public_url, &host)?;
    let by_path = match path.strip_prefix("/t/") {
        None => None,
        Some(rest) => {
            let (slug, rest) = rest.split_once('/').map_or((rest, ""), |(s, r)| (s, r));
            let slug = slug.to_ascii_lowercase();
            if !is_label(&slug) {
                return Err(no_such_tenant());
            }
            Some((slug, format!("/{rest}")))
        }
    };
    match (by_host, by_path) {
        (Some(a), Some((b, _))) if a != b => Err(mismatch("the host and the path")),
        (host, Some((slug, path))) => Ok(Named {
            slug: Some(slug),
            by_path: host.is_none(),
            path,
        }),
        (slug, None) => Ok(Named {
            slug,
            by_path: false,
            path: path.to_owned(),
        }),
    }
}

/// Compares the routed tenant with what the header `X-Tenant-Id` names.
///
/// # Errors
/// `tenant_mismatch` when it names another one, or one where none was routed.
pub fn agree_with_header(routed: Option<(TenantId, &str)>, header: &str) -> Result<(), Problem> {
    match routed {
        Some((id, slug)) if header == slug || header == id.to_string() => Ok(()),
        _ => Err(mismatch("the address and the X-Tenant-Id header")),
    }
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

/// Where a tenant is reached: the public URL with the slug in front of its host; below `/t/` when the host is an
/// address, which has no subdomains. Without trailing slash.
#[must_use]
pub fn tenant_url(public_url: &Url, slug: &str) -> String {
    let base = public_url.as_str().trim_end_matches('/');
    match public_url.host() {
        Some(Host::Domain(domain)) => base.replacen(&format!("://{domain}"), &format!("://{slug}.{domain}"), 1),
        _ => format!("{base}/t/{slug}"),
    }
}

fn mismatch(what: &str) -> Problem {
    Problem::new(ProblemKind::TenantMismatch, format!("{what} name different tenants"))
}

fn slug_of_host(public_url: &Url, host: &str) -> Result<Option<String>, Problem> {
    let public = public_url.host_str().unwrap_or_default();
    if [public, "localhost", "127.0.0.1", "[::1]"].contains(&host) {
        return Ok(None);
    }
    // An address has no subdomains: `acme.127.0.0.1` is no name anybody can own.
    let named = matches!(public_url.host(), Some(Host::Domain(_))).then_some(public);
    [named, Some("localhost")]
        .into_iter()
        .flatten()
        .find_map(|base| host.strip_suffix(base)?.strip_suffix('.'))
        .filter(|label| is_label(label))
        .map(|label| Some(label.to_owned()))
        .ok_or_else(unknown_host)
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

    fn at(host: &str, path: &str) -> Result<(Option<String>, String), ProblemKind> {
        let url = Url::parse("https://cloud.example.com/").unwrap();
        locate(&url, host, path).map(|n| (n.slug, n.path)).map_err(|p| p.kind)
    }
    fn ok(slug: Option<&str>, path: &str) -> Result<(Option<String>, String), ProblemKind> {
        Ok((slug.map(str::to_owned), path.to_owned()))
    }

    #[test]
    fn base_hosts_name_nobody() {
        for host in [
            "localhost",
            "LOCALHOST.:8080",
            "127.0.0.1:80",
            "[::1]:8080",
            "cloud.example.com",
            "Cloud.Example.COM.:443",
        ] {
            assert_eq!(at(host, "/api"), ok(None, "/api"), "{host}");
        }
    }

    #[test]
    fn a_subdomain_names_the_tenant_in_any_spelling() {
        for host in [
            "acme.localhost",
            "ACME.localhost.:8080",
            "acme.cloud.example.com",
            "Acme.Cloud.example.com.:443",
        ] {
            assert_eq!(at(host, "/x"), ok(Some("acme"), "/x"), "{host}");
        }
        assert_eq!(at("bücher.localhost", "/"), ok(Some("xn--bcher-kva"), "/"));
        assert_eq!(at("xn--bcher-kva.localhost", "/"), ok(Some("xn--bcher-kva"), "/"));
    }

    #[test]
    fn the_path_prefix_names_the_tenant_and_is_cut_off() {
        assert_eq!(
            at("localhost", "/t/acme/api/v1/users"),
            ok(Some("acme"), "/api/v1/users")
        );
        assert_eq!(at("localhost", "/t/ACME"), ok(Some("acme"), "/"));
        assert_eq!(at("localhost", "/t/acme//x"), ok(Some("acme"), "//x"));
        assert_eq!(at("localhost", "/tea"), ok(None, "/tea"));
        assert_eq!(at("localhost", "/t/"), Err(ProblemKind::TenantNotFound));
        assert_eq!(at("localhost", "/t/%61cme/x"), Err(ProblemKind::TenantNotFound));
        assert_eq!(at("localhost", "/t/../x"), Err(ProblemKind::TenantNotFound));
    }

    #[test]
    fn host_and_path_must_agree() {
        assert_eq!(at("acme.localhost", "/t/acme/x"), ok(Some("acme"), "/x"));
        assert_eq!(at("acme.localhost", "/t/globex/x"), Err(ProblemKind::TenantMismatch));
    }

    #[test]
    fn other_hosts_are_never_a_default_tenant() {
        for host in [
            "evil.example",
            "a.b.localhost",
            "acme.localhost.evil.example",
            "acmelocalhost",
            ".localhost",
            "-a.localhost",
            "127.0.0.2",
            "acme.com",
        ] {
            assert!(
                matches!(
                    at(host, "/"),
                    Err(ProblemKind::UnknownHost | ProblemKind::MalformedRequest)
                ),
                "{host}: {:?}",
                at(host, "/")
            );
        }
        for host in [
            "",
            "a b",
            "acme.localhost:99999",
            "acme.localhost:x",
            "%61cme.localhost",
            "a@localhost",
            "2130706433",
        ] {
            assert_eq!(at(host, "/"), Err(ProblemKind::MalformedRequest), "{host}");
        }
    }

    #[test]
    fn header_and_token_must_agree() {
        let id = TenantId(uuid::Uuid::from_u128(1));
        let other = TenantId(uuid::Uuid::from_u128(2));
        assert!(agree_with_header(Some((id, "acme")), "acme").is_ok());
        assert!(agree_with_header(Some((id, "acme")), &id.to_string()).is_ok());
        for (routed, header) in [(Some((id, "acme")), other.to_string()), (None, "acme".to_owned())] {
            let e = agree_with_header(routed, &header).unwrap_err();
            assert_eq!(e.kind, ProblemKind::TenantMismatch);
        }
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
}
