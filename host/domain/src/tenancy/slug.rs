//! What a tenant may be called in addresses.

use super::routing::is_label;
use crate::FieldError;

/// Names that mean something already, to us, to browsers or to people.
const RESERVED: &[&str] = &[
    "about",
    "account",
    "accounts",
    "admin",
    "administrator",
    "aistack",
    "api",
    "app",
    "apps",
    "assets",
    "auth",
    "autoconfig",
    "autodiscover",
    "billing",
    "blog",
    "cdn",
    "cloud",
    "console",
    "dashboard",
    "demo-admin",
    "dev",
    "dns",
    "docs",
    "download",
    "email",
    "ftp",
    "gateway",
    "git",
    "graphql",
    "health",
    "help",
    "home",
    "hooks",
    "host",
    "hostmaster",
    "id",
    "identity",
    "imap",
    "internal",
    "invite",
    "isatap",
    "legal",
    "localhost",
    "login",
    "logout",
    "mail",
    "me",
    "metrics",
    "mx",
    "news",
    "noc",
    "null",
    "oauth",
    "oidc",
    "operator",
    "operators",
    "pay",
    "payments",
    "platform",
    "plugin",
    "plugins",
    "pop",
    "pop3",
    "postmaster",
    "pricing",
    "privacy",
    "proxy",
    "public",
    "register",
    "root",
    "saml",
    "scim",
    "search",
    "secure",
    "security",
    "settings",
    "setup",
    "shop",
    "signin",
    "signup",
    "smtp",
    "sso",
    "staging",
    "static",
    "status",
    "store",
    "support",
    "system",
    "team",
    "tenant",
    "tenants",
    "terms",
    "test-admin",
    "undefined",
    "usage",
    "user",
    "users",
    "webhook",
    "webhooks",
    "webmail",
    "webmaster",
    "well-known",
    "wpad",
    "www",
];

/// What is wrong with a slug, if anything: 2 to 40 of `a-z`, `0-9` and single inner hyphens, not a reserved word.
#[must_use]
pub fn check_slug(pointer: &str, slug: &str) -> Option<FieldError> {
    let error = |code: &str, message: &str| Some(FieldError::new(pointer, code, message));
    match slug {
        s if s.len() < 2 => error("too_short", "a slug has at least 2 characters"),
        s if s.len() > 40 => error("too_long", "a slug has at most 40 characters"),
        // Two hyphens in a row would allow xn--, which stands for other characters than it shows.
        s if !is_label(s) || s.contains("--") => error(
            "format",
            "a slug consists of a-z, 0-9 and single hyphens, and begins and ends with a letter or digit",
        ),
        s if s.bytes().all(|b| b.is_ascii_digit()) => error("format", "a slug has at least one letter"),
        s if RESERVED.contains(&s) => error("reserved", "this name is reserved"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs() {
        for fine in ["acme", "a1", "acme-corp", &"a".repeat(40)] {
            assert_eq!(check_slug("/slug", fine), None, "{fine}");
        }
        for (bad, code) in [
            ("", "too_short"),
            ("a", "too_short"),
            (&*"a".repeat(41), "too_long"),
            ("Acme", "format"),
            ("-acme", "format"),
            ("acme-", "format"),
            ("a--b", "format"),
            ("xn--bcher-kva", "format"),
            ("a.b", "format"),
            ("a_b", "format"),
            ("bücher", "format"),
            ("../x", "format"),
            ("12345", "format"),
            ("www", "reserved"),
            ("console", "reserved"),
        ] {
            assert_eq!(check_slug("/slug", bad).map(|e| e.code).as_deref(), Some(code), "{bad}");
        }
    }

    #[test]
    fn the_list_is_sorted_and_without_repeats() {
        assert!(RESERVED.windows(2).all(|w| w[0] < w[1]));
    }
}
