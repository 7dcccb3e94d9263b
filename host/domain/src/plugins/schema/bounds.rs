//! What a schema may ask of whoever applies it. References are followed, so a short schema can be long to apply: one that
//! names itself, or names another one twice that names a third one twice, and so on. A form has no use for either.

use super::SchemaError;
use serde_json::Value;
use std::collections::HashMap;

/// Largest schema once its references are followed, in bytes of its text.
const MAX_EXPANDED: usize = 4 << 20;
/// How deep it may go, references followed.
const MAX_DEPTH: usize = 128;
const DEEP: &str = "the schema goes deeper than 128, references followed";

/// Refuses what would take long, or have no end, to apply.
pub(super) fn check(schema: &Value) -> Result<(), SchemaError> {
    let mut walk = Walk {
        root: schema,
        old: schema["$schema"].as_str().is_some_and(|s| s.contains("draft-04")),
        known: HashMap::new(),
    };
    walk.extent(schema, Role::Schema, 0).map(drop)
}

fn refuse<T>(why: impl Into<String>) -> Result<T, SchemaError> {
    Err(SchemaError(why.into()))
}

/// How large and how high something is with its references followed.
#[derive(Clone, Copy)]
struct Extent {
    size: usize,
    height: usize,
}

impl Extent {
    /// Of a value that is not looked into.
    fn leaf(v: &Value) -> Self {
        Self {
            size: v.to_string().len(),
            height: 0,
        }
    }

    fn add(&mut self, part: Self) -> Result<(), SchemaError> {
        self.size = self.size.saturating_add(part.size);
        self.height = self.height.max(part.height + 1);
        if self.size > MAX_EXPANDED {
            let most = MAX_EXPANDED >> 20;
            return refuse(format!(
                "the schema has more than {most} MiB once its references are followed"
            ));
        }
        if self.height > MAX_DEPTH {
            return refuse(DEEP);
        }
        Ok(())
    }
}

/// What a value stands for.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Role {
    /// A schema, or a list of some.
    Schema,
    /// Schemas by names, which mean nothing themselves.
    Named,
}

/// Members of a schema that hold schemas by names.
const NAMED: [&str; 6] = [
    "properties",
    "patternProperties",
    "$defs",
    "definitions",
    "dependentSchemas",
    "dependencies",
];

struct Walk<'a> {
    root: &'a Value,
    /// Whether `id` means what `$id` does.
    old: bool,
    /// What has been seen, and as what; none while it is being looked at.
    known: HashMap<(*const Value, Role), Option<Extent>>,
}

impl<'a> Walk<'a> {
    fn extent(&mut self, v: &'a Value, role: Role, depth: usize) -> Result<Extent, SchemaError> {
        let at = (std::ptr::from_ref(v), role);
        match self.known.get(&at) {
            Some(Some(known)) => return Ok(*known),
            Some(None) => return refuse("the schema contains itself; settings can't nest without end"),
            None => {}
        }
        if depth > MAX_DEPTH {
            return refuse(DEEP);
        }
        let mut whole = Extent { size: 2, height: 0 };
        self.known.insert(at, None);
        match v {
            Value::Object(members) => {
                for (name, value) in members {
                    whole.size = whole.size.saturating_add(name.len());
                    whole.add(match role {
                        Role::Schema => self.member(name, value, v, depth + 1)?,
                        Role::Named => self.extent(value, Role::Schema, depth + 1)?,
                    })?;
                }
            }
            Value::Array(items) => {
                for item in items {
                    whole.add(self.extent(item, role, depth + 1)?)?;
                }
            }
            other => whole = Extent::leaf(other),
        }
        self.known.insert(at, Some(whole));
        Ok(whole)
    }

    fn member(&mut self, name: &str, value: &'a Value, of: &'a Value, depth: usize) -> Result<Extent, SchemaError> {
        match (name, value) {
            ("$ref", Value::String(target)) => self.target(target, depth),
            ("$dynamicRef" | "$recursiveRef" | "$dynamicAnchor" | "$recursiveAnchor" | "$anchor", Value::String(_)) => {
                refuse(format!(
                    "{name} is not offered; refer to a part of the schema by its path, as in #/$defs/name"
                ))
            }
            // It would change what references below it mean.
            ("$id" | "id", Value::String(_)) if !std::ptr::eq(of, self.root) && (name == "$id" || self.old) => {
                refuse("only the whole schema may have an $id")
            }
            ("const" | "enum" | "default" | "examples", _) => Ok(Extent::leaf(value)),
            (hint, _) if hint.starts_with("x-") => Ok(Extent::leaf(value)),
            _ if NAMED.contains(&name) => self.extent(value, Role::Named, depth),
            _ => self.extent(value, Role::Schema, depth),
        }
    }

    fn target(&mut self, reference: &str, depth: usize) -> Result<Extent, SchemaError> {
        let path = reference.strip_prefix('#').unwrap_or(reference);
        let path = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
        match self.root.pointer(&path) {
            Some(target) => self.extent(target, Role::Schema, depth),
            None => refuse(format!("the schema refers to {reference:?}, which it does not have")),
        }
    }
}
