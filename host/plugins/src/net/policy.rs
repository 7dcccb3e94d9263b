//! Whether a request may be made at all, decided from its URL and the grants, before any name is resolved.

use super::allowed;
use aistack_domain::plugins::port::{Fault, FaultKind, Grants};
use std::net::IpAddr;
use url::{Host, Url};

fn denied(code: &str, message: String) -> Fault {
    Fault::new(FaultKind::Denied, code, message)
}

/// Whether a grant's `host[:port]` names this URL's host and port. Without a port it means the scheme's own.
pub(crate) fn host_matches(grant: &str, url: &Url) -> bool {
    // The parser would take a user, a path or a stray control character and say nothing.
    let odd = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '@' | '/' | '\\' | '?' | '#');
    if grant.contains(odd) {
        return false;
    }
    let Ok(granted) = Url::parse(&format!("{}://{grant}", url.scheme())) else {
        return false;
    };
    // Schemes without hosts would have theirs in common.
    url.host().is_some()
        && granted.host() == url.host()
        && granted.port_or_known_default() == url.port_or_known_default()
}

/// Checks an outbound URL. Returns whether private addresses are admitted for it.
pub(crate) fn permit(url: &Url, grants: &Grants) -> Result<bool, Fault> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(denied(
            "scheme_not_allowed",
            format!("{}: is not allowed", url.scheme()),
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Fault::new(
            FaultKind::InvalidInput,
            "url_user_info",
            "a URL must not carry a user name or password",
        ));
    }
    let Some(host) = url.host() else {
        return Err(Fault::new(
            FaultKind::InvalidInput,
            "url_invalid",
            "the URL has no host",
        ));
    };
    let port = url.port_or_known_default().unwrap_or(0);
    let private = grants.private_hosts.iter().any(|g| host_matches(g, url));
    if !private && !grants.http_hosts.iter().any(|g| host_matches(g, url)) {
        return Err(denied("host_not_granted", format!("{host}:{port} is not granted")));
    }
    if url.scheme() == "http" && !private {
        return Err(denied(
            "scheme_not_allowed",
            format!("plain http to {host}:{port} is not granted"),
        ));
    }
    let literal = match host {
        Host::Ipv4(ip) => Some(IpAddr::V4(ip)),
        Host::Ipv6(ip) => Some(IpAddr::V6(ip)),
        Host::Domain(_) => None,
    };
    if literal.is_some_and(|ip| !allowed(ip, private)) {
        return Err(denied(
            "address_not_allowed",
            format!("{host} is not an address guests may reach"),
        ));
    }
    Ok(private)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grants(http: &[&str], private: &[&str]) -> Grants {
        Grants {
            http_hosts: http.iter().map(|s| (*s).to_owned()).collect(),
            private_hosts: private.iter().map(|s| (*s).to_owned()).collect(),
            ..Grants::default()
        }
    }
    fn code(url: &str, g: &Grants) -> String {
        permit(&Url::parse(url).unwrap(), g).map_or_else(|f| f.code, |p| format!("private={p}"))
    }

    #[test]
    fn only_granted_hosts_and_ports_over_https() {
        let g = grants(&["api.example.com", "api.example.com:8443", "*"], &[]);
        for (url, want) in [
            ("https://api.example.com/x", "private=false"),
            ("https://API.example.com:443/x", "private=false"),
            ("https://api.example.com:8443/", "private=false"),
            ("https://api.example.com:444/", "host_not_granted"),
            ("https://api.example.com./", "host_not_granted"),
            ("https://sub.api.example.com/", "host_not_granted"),
            ("https://api.example.com.evil.test/", "host_not_granted"),
            ("https://api.example.com@evil.test/", "url_user_info"),
            ("https://аpi.example.com/", "host_not_granted"),
            ("http://api.example.com:443/", "host_not_granted"),
            ("http://api.example.com/", "scheme_not_allowed"),
            ("ftp://api.example.com/", "scheme_not_allowed"),
            ("file:///etc/passwd", "scheme_not_allowed"),
        ] {
            assert_eq!(code(url, &g), want, "{url}");
        }
    }

    #[test]
    fn a_private_grant_is_for_exactly_that_host_and_port() {
        let g = grants(&[], &["127.0.0.1:8080", "idp.intranet"]);
        assert_eq!(code("http://127.0.0.1:8080/", &g), "private=true");
        assert_eq!(code("http://127.0.0.1:8081/", &g), "host_not_granted");
        assert_eq!(code("http://localhost:8080/", &g), "host_not_granted");
        assert_eq!(code("http://idp.intranet/", &g), "private=true");
        assert_eq!(code("https://idp.intranet/", &g), "private=true");
    }

    #[test]
    fn address_literals_are_checked_in_every_spelling() {
        for host in [
            "2130706433",
            "0x7f.1",
            "0177.0.0.1",
            "127.1",
            "[::ffff:127.0.0.1]",
            "169.254.169.254",
            "[::1]",
            "0",
        ] {
            let g = grants(&[host], &[]);
            assert_eq!(code(&format!("https://{host}/"), &g), "address_not_allowed", "{host}");
        }
        let metadata = grants(&[], &["169.254.169.254"]);
        assert_eq!(code("http://169.254.169.254/", &metadata), "address_not_allowed");
    }

    #[test]
    fn malformed_grants_match_nothing() {
        for g in [
            "",
            "/",
            "a b",
            "example.com/path",
            "user@example.com",
            "example.com?x",
            "example.com#x",
            "@example.com",
            "example.com\r",
            "\texample.com",
            "example.com\\",
        ] {
            assert!(!host_matches(g, &Url::parse("https://example.com/").unwrap()), "{g:?}");
        }
    }
}
