//! What changed since the release before: what breaks tenants, and what they have to be asked.

use crate::{Error, Finding};
use aistack_domain::plugins::{
    grants,
    manifest::{self, Manifest},
};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// `export`, `import`, `config`, `endpoint`, `secret`, `grant`, …
    pub what: &'static str,
    /// Whether tenants of the release before can't go on as they are.
    pub breaking: bool,
    /// In a sentence.
    pub message: String,
}

type Interfaces = BTreeMap<String, BTreeMap<String, String>>;

/// Compares a component with the release before.
///
/// # Errors
/// When one of them is no component, or carries no readable manifest.
pub fn against(before: &[u8], after: &[u8]) -> Result<(Vec<Change>, Vec<Finding>), Error> {
    let (old, new) = (aistack_plugins::dissect(before)?, aistack_plugins::dissect(after)?);
    let mut changes = Vec::new();
    exports(&old.exports, &new.exports, &mut changes);
    imports(&old.imports, &new.imports, &mut changes);
    let text = |bytes: Option<Vec<u8>>| {
        bytes
            .map(|b| String::from_utf8_lossy(&b).into_owned())
            .unwrap_or_default()
    };
    let read = |bytes: Option<Vec<u8>>, which: &str| {
        manifest::parse(&text(bytes)).map_err(|e| Error::Failed(format!("the manifest of {which} release: {e}")))
    };
    let (was, is) = (read(old.manifest, "the old")?, read(new.manifest, "the new")?);
    let same = old.payload_sha256 == new.payload_sha256;
    manifests(&was, &is, same, &mut changes);
    let schema = |bytes: Option<Vec<u8>>| serde_json::from_str::<Value>(&text(bytes)).unwrap_or_default();
    config(&schema(old.config_schema), &schema(new.config_schema), &mut changes);
    let findings = findings(&changes, &was, &is);
    Ok((changes, findings))
}

/// A break is fine when the version says so: a new major, or for 0.x a new minor.
fn findings(changes: &[Change], was: &Manifest, is: &Manifest) -> Vec<Finding> {
    let announced = is.version.major > was.version.major
        || (was.version.major == 0 && is.version.major == 0 && is.version.minor > was.version.minor);
    let breaking = changes.iter().filter(|c| c.breaking);
    breaking
        .map(|c| match c.what {
            "id" | "version" | "export" => Finding::error("breaks", "", c.message.clone(), "tenants of the release before can't be upgraded to this"),
            _ if announced => Finding::warning("breaks", "", c.message.clone(), "lifecycle.migrate has to translate what tenants have"),
            _ => Finding::error(
                "breaks",
                "/version",
                format!("{} without a new major version ({} → {})", c.message, was.version, is.version),
                "raise the major version (the minor one below 1.0) and translate in lifecycle.migrate, or keep it as it was",
            ),
        })
        .collect()
}

fn say(changes: &mut Vec<Change>, what: &'static str, breaking: bool, message: String) {
    changes.push(Change {
        what,
        breaking,
        message,
    });
}

fn exports(old: &Interfaces, new: &Interfaces, changes: &mut Vec<Change>) {
    for (name, functions) in old {
        match new.get(name) {
            None => say(changes, "export", true, format!("it does not export {name} any more")),
            Some(now) => {
                for (f, ty) in functions {
                    match now.get(f) {
                        None => say(changes, "export", true, format!("{name} has no {f} any more")),
                        Some(now) if now != ty => say(changes, "export", true, format!("{name}.{f} has another type")),
                        Some(_) => {}
                    }
                }
            }
        }
    }
    for name in new.keys().filter(|n| !old.contains_key(*n)) {
        say(changes, "export", false, format!("it exports {name}"));
    }
}

fn imports(old: &Interfaces, new: &Interfaces, changes: &mut Vec<Change>) {
    for (name, functions) in new {
        match old.get(name) {
            None => say(changes, "import", false, format!("it imports {name}")),
            Some(before) => {
                for (f, ty) in functions {
                    match before.get(f) {
                        None => say(changes, "import", false, format!("it imports {name}.{f}")),
                        // The host has one type for it: one of the two was built against something else.
                        Some(before) if before != ty => say(
                            changes,
                            "export",
                            true,
                            format!("it imports {name}.{f} with another type"),
                        ),
                        Some(_) => {}
                    }
                }
            }
        }
    }
    for name in old.keys().filter(|n| !new.contains_key(*n)) {
        say(changes, "import", false, format!("it does not import {name} any more"));
    }
}

fn manifests(was: &Manifest, is: &Manifest, same: bool, changes: &mut Vec<Change>) {
    if was.id != is.id {
        say(changes, "id", true, format!("another plugin: {} was {}", is.id, was.id));
    }
    if is.version < was.version || (is.version == was.version && !same) {
        say(
            changes,
            "version",
            true,
            format!("version {} is not higher than {}", is.version, was.version),
        );
    }
    if was.world != is.world {
        say(
            changes,
            "export",
            true,
            format!("another world: {} was {}", is.world, was.world),
        );
    }
    for e in was.endpoint.iter().filter(|e| is.endpoint(&e.name).is_none()) {
        say(
            changes,
            "endpoint",
            true,
            format!("endpoint {:?} is gone: providers go on calling it", e.name),
        );
    }
    for s in &was.secret {
        match is.secret(&s.name) {
            None => say(changes, "secret", false, format!("secret {:?} is gone", s.name)),
            Some(now) if now.kind != s.kind => {
                say(
                    changes,
                    "secret",
                    true,
                    format!("secret {:?} is {} and was {}", s.name, now.kind, s.kind),
                );
            }
            Some(_) => {}
        }
    }
    for s in is
        .secret
        .iter()
        .filter(|s| s.required && was.secret(&s.name).is_none_or(|w| !w.required))
    {
        say(
            changes,
            "secret",
            true,
            format!("secret {:?} is required now, and tenants have none", s.name),
        );
    }
    for r in was.report.iter().filter(|r| is.report(&r.name).is_none()) {
        say(changes, "report", true, format!("report {:?} is gone", r.name));
    }
    // Every consent is given for a config; the hosts it names stand for themselves.
    let config = json!({});
    for (kind, all) in grants::added((was, &config), (is, &config)) {
        say(
            changes,
            "grant",
            false,
            format!("tenants are asked to agree to more {kind}: {}", all.join(", ")),
        );
    }
}

fn config(old: &Value, new: &Value, changes: &mut Vec<Change>) {
    let required = |s: &Value, name: &str| s["required"].as_array().is_some_and(|r| r.iter().any(|n| n == name));
    let none = serde_json::Map::new();
    let (was, is) = (
        old["properties"].as_object().unwrap_or(&none),
        new["properties"].as_object().unwrap_or(&none),
    );
    for (name, before) in was {
        let Some(now) = is.get(name) else {
            say(
                changes,
                "config",
                true,
                format!("config field {name:?} is gone: configs that set it are not accepted"),
            );
            continue;
        };
        if before["type"] != now["type"] {
            say(
                changes,
                "config",
                true,
                format!("config field {name:?} is {} and was {}", now["type"], before["type"]),
            );
        }
        if let (Some(before), Some(now)) = (before["enum"].as_array(), now["enum"].as_array()) {
            for gone in before.iter().filter(|v| !now.contains(v)) {
                say(
                    changes,
                    "config",
                    true,
                    format!("config field {name:?} does not take {gone} any more"),
                );
            }
        }
    }
    for name in is.keys() {
        let newly = required(new, name) && !required(old, name);
        if newly && is[name].get("default").is_none() {
            say(
                changes,
                "config",
                true,
                format!("config field {name:?} is required now, and tenants have not set it"),
            );
        } else if !was.contains_key(name) {
            say(changes, "config", false, format!("config field {name:?} is new"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(name: &str, functions: &[(&str, &str)]) -> Interfaces {
        let functions = functions
            .iter()
            .map(|(n, t)| ((*n).to_owned(), (*t).to_owned()))
            .collect();
        [(name.to_owned(), functions)].into()
    }

    #[test]
    fn exports_may_grow_and_nothing_else() {
        let old = interface("a:b/c@1.0.0", &[("f", "func()"), ("g", "func()")]);
        let mut changes = Vec::new();
        exports(&old, &interface("a:b/c@1.0.0", &[("f", "func(x: u32)")]), &mut changes);
        exports(&old, &Interfaces::new(), &mut changes);
        assert_eq!(changes.iter().filter(|c| c.breaking).count(), 3, "{changes:?}");
        let mut grown = old.clone();
        grown.extend(interface("a:b/d@1.0.0", &[]));
        let mut changes = Vec::new();
        exports(&old, &grown, &mut changes);
        assert!(changes.iter().all(|c| !c.breaking) && changes.len() == 1);
    }

    #[test]
    fn what_a_tenant_has_configured_must_go_on_being_accepted() {
        let old = json!({ "required": ["a"], "properties": { "a": { "type": "string" }, "b": { "type": "string", "enum": ["x", "y"] } } });
        let new = json!({ "required": ["a", "c"], "properties": { "a": { "type": "integer" }, "b": { "type": "string", "enum": ["x"] }, "c": { "type": "string" }, "d": { "type": "string" } } });
        let mut changes = Vec::new();
        config(&old, &new, &mut changes);
        assert_eq!(changes.iter().filter(|c| c.breaking).count(), 3, "{changes:?}");
        assert_eq!(changes.len(), 4);
        let mut changes = Vec::new();
        config(&new, &old, &mut changes);
        assert!(changes.iter().any(|c| c.message.contains("\"c\" is gone")));
    }
}
