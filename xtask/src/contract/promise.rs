//! What a frozen version of the contract said, against the contract as it is: see `docs/plugins/versioning.md`.

use super::shape;
use std::collections::{BTreeMap, BTreeSet};
use wit_parser::{InterfaceId, Package, Resolve, World, WorldItem, WorldKey};

/// Everything that a component built for `frozen` can't rely on any more; empty when it runs as before.
pub(super) fn broken(frozen: &Resolve, now: &Resolve) -> Vec<String> {
    let mut said = Vec::new();
    let exported: BTreeSet<String> = frozen.worlds.iter().flat_map(|(_, w)| sides(frozen, w).1).collect();
    for (_, old) in frozen.packages.iter().filter(|(_, p)| p.name.namespace == "aistack") {
        let name = format!("{}:{}", old.name.namespace, old.name.name);
        let Some(new) = now.packages.iter().map(|(_, p)| p).find(|p| replaces(old, p)) else {
            said.push(format!(
                "package {name} is not there in this major, or older than it was"
            ));
            continue;
        };
        for (interface, id) in &old.interfaces {
            let name = format!("{name}/{interface}");
            match new.interfaces.get(interface) {
                None => said.push(format!("interface {name} is gone")),
                Some(new) => said.extend(compare(
                    &name,
                    &items(frozen, *id),
                    &items(now, *new),
                    exported.contains(&name),
                )),
            }
        }
        for (world, id) in &old.worlds {
            let name = format!("world {name}/{world}");
            let Some(new) = new.worlds.get(world) else {
                said.push(format!("{name} is gone"));
                continue;
            };
            let (old_imports, old_exports) = sides(frozen, &frozen.worlds[*id]);
            let (imports, exports) = sides(now, &now.worlds[*new]);
            said.extend(
                old_imports
                    .difference(&imports)
                    .map(|i| format!("{name} does not import {i} any more")),
            );
            said.extend(
                old_exports
                    .difference(&exports)
                    .map(|e| format!("{name} does not export {e} any more")),
            );
            said.extend(
                exports
                    .difference(&old_exports)
                    .map(|e| format!("{name} demands the export {e}, which no component of before has")),
            );
        }
    }
    said
}

/// The same package, of the same major and not older.
fn replaces(old: &Package, new: &Package) -> bool {
    let same = old.name.namespace == new.name.namespace && old.name.name == new.name.name;
    match (&old.name.version, &new.name.version) {
        (Some(old), Some(new)) => same && old.major == new.major && new >= old,
        (old, new) => same && old.is_none() && new.is_none(),
    }
}

/// Types and functions of an interface, each as text.
fn items(r: &Resolve, id: InterfaceId) -> BTreeMap<String, String> {
    let interface = &r.interfaces[id];
    let types = interface
        .types
        .iter()
        .map(|(name, id)| (format!("type {name}"), shape::definition(r, *id)));
    let functions = interface
        .functions
        .iter()
        .map(|(name, f)| (name.clone(), shape::function(r, f)));
    types.chain(functions).collect()
}

fn compare(name: &str, old: &BTreeMap<String, String>, new: &BTreeMap<String, String>, exported: bool) -> Vec<String> {
    let mut said = Vec::new();
    for (item, was) in old {
        match new.get(item) {
            None => said.push(format!("{name}: {item} is gone")),
            Some(is) if is != was => said.push(format!("{name}: {item} is {is} and was {was}")),
            Some(_) => {}
        }
    }
    // The host may learn more; a component is as it was built.
    for item in new.keys().filter(|i| exported && !old.contains_key(*i)) {
        said.push(format!("{name}: {item} is new, and no component of before exports it"));
    }
    said
}

/// What a world imports and exports, by the names of interfaces (or of functions that stand in the world itself).
fn sides(r: &Resolve, world: &World) -> (BTreeSet<String>, BTreeSet<String>) {
    let name = |(key, item): (&WorldKey, &WorldItem)| match (key, item) {
        (WorldKey::Interface(id), _) => shape::interface_name(r, *id),
        (WorldKey::Name(name), WorldItem::Function(f)) => format!("{name}: {}", shape::function(r, f)),
        (WorldKey::Name(name), _) => name.clone(),
    };
    (
        world.imports.iter().map(name).collect(),
        world.exports.iter().map(name).collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "package aistack:p@1.0.0;
interface values { record v { a: string, b: option<u32> } enum e { x, y } }
interface ask { use values.{v}; resource r { size: func() -> u32; } get: func(k: string) -> v; open: func() -> r; }
interface give { use values.{v}; make: func(c: v) -> result<v, string>; }
world w { import ask; export give; }";

    fn against(edits: &[(&str, &str)]) -> Vec<String> {
        let read = |text: &str| {
            let mut r = Resolve::default();
            r.push_str("t.wit", text).unwrap();
            r
        };
        let mut after = BEFORE.to_owned();
        for (from, to) in edits {
            assert!(after.contains(from), "{from}");
            after = after.replacen(from, to, 1);
        }
        broken(&read(BEFORE), &read(&after))
    }

    #[test]
    fn imports_may_grow_and_minor_versions_rise() {
        assert_eq!(against(&[]), Vec::<String>::new());
        let grown = [
            ("@1.0.0", "@1.1.0"),
            ("get: func", "put: func(k: string); get: func"),
            ("size: func", "more: func(); size: func"),
            ("interface give", "interface other { f: func(); } interface give"),
            ("import ask;", "import ask; import other;"),
            ("enum e", "enum another { z } enum e"),
        ];
        assert_eq!(against(&grown), Vec::<String>::new());
    }

    #[test]
    fn nothing_that_was_said_may_change() {
        for (from, to, says) in [
            (
                "a: string,",
                "a: string, c: bool,",
                "type v is record { a: string, c: bool, b: option<u32> } and was",
            ),
            ("option<u32>", "option<u64>", "aistack:p/values: type v is"),
            ("enum e { x, y }", "enum e { x, y, z }", "type e is"),
            ("enum e { x, y }", "", "type e is gone"),
            (
                "get: func(k: string)",
                "get: func(key: string)",
                "aistack:p/ask: get is func(key: string) -> v and was",
            ),
            ("size: func() -> u32", "size: func() -> u64", "[method]r.size is"),
            ("make: func(c: v)", "make: func(c: v, d: u8)", "aistack:p/give: make is"),
            (
                "make: func",
                "undo: func(); make: func",
                "undo is new, and no component",
            ),
            ("import ask;", "", "does not import aistack:p/ask"),
            (
                "export give;",
                "export give; export ask;",
                "demands the export aistack:p/ask",
            ),
            ("export give;", "", "does not export aistack:p/give"),
            ("world w", "world v", "world aistack:p/w is gone"),
            ("@1.0.0", "@2.0.0", "package aistack:p is not there"),
            ("@1.0.0", "@1.0.0-rc.1", "or older than it was"),
        ] {
            let said = against(&[(from, to)]).join("\n");
            assert!(said.contains(says), "{from} → {to}: {said}");
        }
    }
}
