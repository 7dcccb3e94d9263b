//! Who we are at a registry: credentials from a file as `docker login` writes it, and what a registry's challenge asks
//! for (the token flow of the distribution specification, or Basic).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::SecretString;
use serde::Deserialize;
use std::{collections::BTreeMap, io, path::Path};

/// Names and passwords by registry.
#[derive(Debug, Clone, Default)]
pub struct Credentials(BTreeMap<String, Login>);

/// One registry's.
#[derive(Debug, Clone)]
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: SecretString,
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    auths: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    auth: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
}

impl Credentials {
    /// From a file as `docker login` writes it: `{"auths": {"host": {"auth": "base64 of user:password"}}}`. Credentials
    /// that a helper program keeps are not read.
    ///
    /// # Errors
    /// When the file can't be read or is something else.
    pub fn read(file: &Path) -> io::Result<Self> {
        let text = std::fs::read_to_string(file)?;
        Self::parse(&text).map_err(|why| io::Error::new(io::ErrorKind::InvalidData, why))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let file: File = serde_json::from_str(text).map_err(|e| e.to_string())?;
        let mut all = BTreeMap::new();
        for (place, entry) in file.auths {
            let (user, password) = if entry.auth.is_empty() {
                (entry.username, entry.password)
            } else {
                let decoded = STANDARD
                    .decode(entry.auth.trim())
                    .ok()
                    .and_then(|b| String::from_utf8(b).ok());
                let pair = decoded.as_deref().and_then(|t| t.split_once(':'));
                let (user, password) = pair.ok_or_else(|| format!("auth of {place} is not base64 of user:password"))?;
                (user.to_owned(), password.trim_end_matches('\0').to_owned())
            };
            if !user.is_empty() {
                // Some tools write whole addresses.
                let host = place.trim_start_matches("https://").trim_start_matches("http://");
                let host = host.split('/').next().unwrap_or_default().to_ascii_lowercase();
                all.insert(
                    host,
                    Login {
                        user,
                        password: password.into(),
                    },
                );
            }
        }
        Ok(Self(all))
    }

    pub(super) fn of(&self, host: &str) -> Option<&Login> {
        self.0.get(host)
    }
}

/// What a registry asks for in `WWW-Authenticate`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    Basic,
    /// A token from `realm`, for `service` and `scope` as far as they are named.
    Bearer {
        realm: String,
        service: Option<String>,
        scope: Option<String>,
    },
}

impl Challenge {
    /// Reads the header; `None` when it asks for something else.
    pub(super) fn read(header: &str) -> Option<Self> {
        let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let mut fields = parameters(rest);
        Some(Self::Bearer {
            realm: fields.remove("realm")?,
            service: fields.remove("service"),
            scope: fields.remove("scope"),
        })
    }
}

/// `name="value", name=value`: quoted values may hold commas and escapes.
fn parameters(text: &str) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once('=') {
        let mut value = String::new();
        let name = name.trim_matches([' ', ',']).to_ascii_lowercase();
        if let Some(quoted) = after.strip_prefix('"') {
            let mut end = quoted.len();
            let mut escaped = false;
            for (at, c) in quoted.char_indices() {
                match c {
                    _ if escaped => {
                        value.push(c);
                        escaped = false;
                    }
                    '\\' => escaped = true,
                    '"' => {
                        end = at + 1;
                        break;
                    }
                    _ => value.push(c),
                }
            }
            rest = &quoted[end..];
        } else {
            let end = after.find(',').unwrap_or(after.len());
            value.push_str(after[..end].trim());
            rest = &after[end..];
        }
        all.entry(name).or_insert(value);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn challenges_are_read() {
        let bearer =
            r#"Bearer realm="https://auth.example/token?a=1,2",service="registry", scope="repository:a/b:pull,push""#;
        assert_eq!(
            Challenge::read(bearer),
            Some(Challenge::Bearer {
                realm: "https://auth.example/token?a=1,2".into(),
                service: Some("registry".into()),
                scope: Some("repository:a/b:pull,push".into()),
            })
        );
        assert_eq!(Challenge::read("basic realm=x"), Some(Challenge::Basic));
        assert_eq!(Challenge::read("Bearer service=\"x\""), None, "nowhere to go");
        assert_eq!(Challenge::read("Negotiate abc"), None);
        let cut = Challenge::read(r#"bearer realm="https://a\"b"#);
        assert_eq!(
            cut,
            Some(Challenge::Bearer {
                realm: "https://a\"b".into(),
                service: None,
                scope: None
            })
        );
    }

    #[test]
    fn credentials_are_read_as_docker_writes_them() {
        let text = r#"{"auths": {"https://ghcr.io/v2/": {"auth": "bWU6cGE6c3M="}, "reg.example:5000": {"username": "a", "password": "b"},
            "helped.example": {}}, "credsStore": "x"}"#;
        let all = Credentials::parse(text).unwrap();
        let of = |host| {
            all.of(host)
                .map(|l| (l.user.clone(), l.password.expose_secret().to_owned()))
        };
        assert_eq!(of("ghcr.io"), Some(("me".into(), "pa:ss".into())));
        assert_eq!(of("reg.example:5000"), Some(("a".into(), "b".into())));
        assert!(of("helped.example").is_none() && of("reg.example").is_none());
        assert!(!format!("{all:?}").contains("pa:ss"));
        assert!(Credentials::parse(r#"{"auths": {"x": {"auth": "%"}}}"#).is_err());
    }
}
