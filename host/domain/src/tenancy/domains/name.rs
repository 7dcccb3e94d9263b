//! What can be a tenant's own domain, and its one spelling.

use crate::{
    FieldError,
    tenancy::routing::{is_label, normalise_host},
};
use unicode_normalization::UnicodeNormalization;
use url::{Host, Url};

/// The longest name in the DNS, less what stands in front of it in the challenge's name.
const LONGEST: usize = 253 - "_aistack-challenge.".len();

/// A domain as it is stored and compared: lower case, ASCII, without port and trailing dot.
///
/// # Errors
/// What is wrong with it: not a name, an address, too short or too long, one of the platform's own, one under which
/// everybody registers, or written with characters that stand for others.
pub fn check_domain(public_url: &Url, pointer: &str, text: &str) -> Result<String, FieldError> {
    let error = |code: &str, message: &str, hint: &str| Err(FieldError::new(pointer, code, message).hint(hint));
    let text = text.trim();
    if text.contains('*') {
        return error(
            "wildcard",
            "a wildcard is not a domain",
            "add each name that is to be served, like app.example.com",
        );
    }
    let Ok(domain) = normalise_host(text) else {
        return error(
            "format",
            "this is not a domain name",
            "write the bare name, like app.example.com, without https:// and path",
        );
    };
    if domain.starts_with('[') || domain.parse::<std::net::Ipv4Addr>().is_ok() {
        return error(
            "address",
            "an IP address is not a domain",
            "use a name that you own in the DNS",
        );
    }
    if domain.len() > LONGEST {
        return error(
            "too_long",
            "the domain is too long",
            "a domain has at most 234 characters here",
        );
    }
    if !domain.split('.').all(is_label) {
        return error(
            "format",
            "a part of this domain can't be one",
            "parts have 1 to 63 letters, digits and inner hyphens",
        );
    }
    if is_ours(public_url, &domain) {
        return error(
            "own",
            "this is one of the platform's own names",
            "use a domain of yours; your address here is there already",
        );
    }
    if !domain.contains('.') || psl::domain_str(&domain).is_none() {
        return error(
            "public_suffix",
            "everybody can register names below this one",
            "use a name that is yours, like example.com or app.example.com",
        );
    }
    if !reads_the_same(text, &domain) {
        return error(
            "characters",
            "the domain has characters that stand for others",
            "type the name, or give it in its xn-- form",
        );
    }
    Ok(domain)
}

fn is_ours(public_url: &Url, domain: &str) -> bool {
    let public = match public_url.host() {
        Some(Host::Domain(name)) => Some(name),
        _ => None,
    };
    let below = |base: &str| domain == base || domain.strip_suffix(base).is_some_and(|rest| rest.ends_with('.'));
    [public, Some("localhost")].into_iter().flatten().any(below)
}

/// Whether the name, shown to people again, is what was typed: no invisible characters, no full-width letters, no dots
/// that are none. Names typed in ASCII have to decode to something that encodes to them.
fn reads_the_same(typed: &str, domain: &str) -> bool {
    let (shown, fine) = idna::domain_to_unicode(domain);
    if fine.is_err() {
        return false;
    }
    if typed.is_ascii() {
        return true;
    }
    let typed = typed.rsplit_once(':').map_or(typed, |(name, _)| name);
    let typed: String = typed.strip_suffix('.').unwrap_or(typed).to_lowercase().nfc().collect();
    shown == typed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<String, String> {
        let url = Url::parse("https://cloud.example.com").unwrap();
        check_domain(&url, "/domain", text).map_err(|e| e.code)
    }

    #[test]
    fn one_spelling() {
        for (typed, stored) in [
            ("App.Acme.Example", "app.acme.example"),
            (" app.acme.example. ", "app.acme.example"),
            ("app.acme.example:8443", "app.acme.example"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("BÜCHER.example", "xn--bcher-kva.example"),
            ("bu\u{308}cher.example", "xn--bcher-kva.example"),
            ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
            ("北京.公司.cn", "xn--1lq90i.xn--55qx5d.cn"),
            ("acme.co.uk", "acme.co.uk"),
            ("example.com", "example.com"),
            ("acme.github.io", "acme.github.io"),
            ("intranet.corp", "intranet.corp"),
        ] {
            assert_eq!(check(typed), Ok(stored.to_owned()), "{typed}");
        }
    }

    #[test]
    fn what_is_nobodys_domain_is_refused() {
        let long = format!("{}.example", vec!["a".repeat(60); 4].join("."));
        for (typed, code) in [
            ("", "format"),
            ("*.acme.example", "wildcard"),
            ("https://acme.example", "format"),
            ("acme.example/path", "format"),
            ("user@acme.example", "format"),
            ("acme%2eexample", "format"),
            ("acme..example", "format"),
            (".acme.example", "format"),
            ("acme.example..", "format"),
            ("-acme.example", "format"),
            ("ac_me.example", "format"),
            ("a\0b.example", "format"),
            ("acme example", "format"),
            ("192.0.2.1", "address"),
            ("[2001:db8::1]", "address"),
            ("0300.0.2.1", "format"),
            ("2130706433", "format"),
            ("localhost", "own"),
            ("acme.localhost", "own"),
            ("cloud.example.com", "own"),
            ("acme.Cloud.Example.com.", "own"),
            ("a.b.cloud.example.com", "own"),
            ("intranet", "public_suffix"),
            ("com", "public_suffix"),
            ("co.uk", "public_suffix"),
            ("github.io", "public_suffix"),
            // A registry's own second level.
            ("公司.cn", "public_suffix"),
            ("ａｃｍｅ.example", "characters"),
            ("acme。example", "characters"),
            ("ac\u{200d}me.example", "format"),
            ("ac\u{ad}me.example", "characters"),
            ("acme\u{2024}example", "format"),
            (long.as_str(), "too_long"),
        ] {
            assert_eq!(check(typed), Err(code.to_owned()), "{typed:?}");
        }
    }
}
