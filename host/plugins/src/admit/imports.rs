//! What a component imports, against what the host offers to its kind.

use super::structure::Shape;
use crate::contract;
use aistack_domain::plugins::port::{Grants, PluginKind, Refusal};
use semver::Version;
use std::collections::BTreeSet;

/// Imports of a component that this host offers.
pub(super) struct Imported {
    pub(super) needs: BTreeSet<&'static str>,
    pub(super) links: BTreeSet<&'static str>,
    /// Highest contract version named.
    pub(super) version: Option<Version>,
}

/// What each world may import; a ceiling (see the worlds in `wit/v1`).
fn offered(kind: PluginKind) -> &'static [&'static str] {
    match kind {
        PluginKind::Identity => &[
            "log", "config", "clock", "random", "kv", "secrets", "reveal", "crypto", "http", "dial",
        ],
        PluginKind::Payment => &[
            "log", "config", "clock", "random", "kv", "secrets", "crypto", "http", "blob", "download",
        ],
        PluginKind::Report => &["log", "config", "clock", "blob", "datasets"],
    }
}

/// `package/interface@version` in its parts; the version is 0.0.0 when absent.
pub(super) fn split(name: &str) -> (&str, Version) {
    match name.split_once('@') {
        Some((path, version)) => (path, Version::parse(version).unwrap_or(Version::new(0, 0, 0))),
        None => (name, Version::new(0, 0, 0)),
    }
}

/// Whether this host speaks a contract version: the same major, nothing newer.
pub(super) fn speaks(version: &Version) -> bool {
    version.major == contract::VERSION.major && *version <= contract::VERSION && version.pre.is_empty()
}

pub(super) fn wrong_version(name: &str) -> Refusal {
    Refusal::WrongVersion {
        found: name.to_owned(),
        offered: contract::VERSION.to_string(),
    }
}

pub(super) fn check(shape: &Shape, kind: PluginKind) -> Result<Imported, Refusal> {
    let mut found = Imported {
        needs: BTreeSet::new(),
        links: BTreeSet::new(),
        version: None,
    };
    let mut unknown = Vec::new();
    for (name, functions) in &shape.imports {
        let (path, version) = split(name);
        if let Some(ours) = path.strip_prefix("aistack:") {
            let interface = match ours {
                // Types only: there is nothing in it to be granted.
                "core/types" if functions.is_empty() => None,
                "report/datasets" => Some("datasets"),
                _ => match ours.strip_prefix("host/") {
                    Some(i) => Some(i),
                    None => {
                        unknown.push(name.clone());
                        continue;
                    }
                },
            };
            if !speaks(&version) {
                return Err(wrong_version(name));
            }
            if let Some(interface) = interface {
                let Some(known) = contract::INTERFACES.iter().find(|i| **i == interface) else {
                    unknown.push(name.clone());
                    continue;
                };
                if !functions.is_empty() {
                    if !offered(kind).contains(known) {
                        unknown.push(format!("{name} (not offered to {kind} plugins)"));
                        continue;
                    }
                    found.needs.insert(known);
                }
                found.links.insert(known);
            }
            found.version = found.version.max(Some(version));
        } else if !(contract::WASI.contains(&path) && version.major == 0 && version.minor == 2) {
            unknown.push(name.clone());
        }
    }
    if unknown.is_empty() {
        Ok(found)
    } else {
        Err(Refusal::UnknownImports(unknown))
    }
}

/// The interfaces a component calls and was not granted.
pub(crate) struct NotGranted(pub(crate) Vec<String>);

impl super::Linked {
    /// Compares what the component needs with what it was granted.
    pub(crate) fn granted(&self, grants: &Grants) -> Result<(), NotGranted> {
        let missing: Vec<String> = self
            .needs
            .iter()
            .filter(|need| !grants.interfaces.iter().any(|g| g == *need))
            .cloned()
            .collect();
        if missing.is_empty() {
            Ok(())
        } else {
            Err(NotGranted(missing))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(imports: &[(&str, &[&str])]) -> Shape {
        Shape {
            imports: imports
                .iter()
                .map(|(n, f)| ((*n).to_owned(), f.iter().map(|s| (*s).to_owned()).collect()))
                .collect(),
            ..Shape::default()
        }
    }

    #[test]
    fn types_alone_need_no_grant_but_are_linked() {
        let s = shape(&[
            ("aistack:host/http@1.0.0", &["send"]),
            ("aistack:host/secrets@1.0.0", &[]),
            ("aistack:core/types@1.0.0", &[]),
            ("wasi:io/poll@0.2.6", &["poll"]),
        ]);
        let found = check(&s, PluginKind::Identity).ok().unwrap();
        assert_eq!(found.needs, BTreeSet::from(["http"]));
        assert_eq!(found.links, BTreeSet::from(["http", "secrets"]));
        assert_eq!(found.version, Some(Version::new(1, 0, 0)));
    }

    #[test]
    fn everything_unknown_is_listed_at_once() {
        let s = shape(&[
            ("wasi:filesystem/types@0.2.6", &["x"]),
            ("wasi:sockets/tcp@0.2.6", &["x"]),
            ("wasi:io/poll@0.3.0", &["x"]),
            ("aistack:host/nonsense@1.0.0", &["x"]),
            ("aistack:host/reveal@1.0.0", &["expose"]),
            ("env", &["env"]),
        ]);
        let Err(Refusal::UnknownImports(list)) = check(&s, PluginKind::Payment) else {
            panic!("must be refused");
        };
        assert_eq!(list.len(), 6, "{list:?}");
        assert!(list.contains(&"aistack:host/reveal@1.0.0 (not offered to payment plugins)".to_owned()));
    }

    #[test]
    fn newer_and_other_majors_are_refused_by_version() {
        for name in [
            "aistack:host/log@1.1.0",
            "aistack:host/log@2.0.0",
            "aistack:host/log@0.9.0",
            "aistack:host/log",
        ] {
            assert!(
                matches!(
                    check(&shape(&[(name, &["emit"])]), PluginKind::Identity),
                    Err(Refusal::WrongVersion { .. })
                ),
                "{name}"
            );
        }
    }
}
