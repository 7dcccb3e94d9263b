//! The reference of the contract as Markdown: an overview of the worlds, and a page for each package.

use super::{OVERVIEW, PAGES, shape};
use anyhow::{Context as _, Result};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};
use wit_parser::{
    Docs, Function, FunctionKind, Interface, InterfaceId, Package, Resolve, Stability, TypeDefKind, TypeId, World,
    WorldKey,
};

const GENERATED: &str =
    "<!-- Written by `cargo xtask wit-docs` from wit/v1; a test compares. Change the comments there. -->";

/// How a manifest asks for an interface, and for whom the host calls one.
fn declaration(interface: &str) -> Option<&'static str> {
    Some(match interface {
        "aistack:host/log"
        | "aistack:host/config"
        | "aistack:host/clock"
        | "aistack:host/random"
        | "aistack:host/crypto" => "nothing: it reaches nothing outside the call",
        "aistack:host/kv" => "`[grants] kv = { bytes = \"1MiB\", keys = 1000 }`",
        "aistack:host/secrets" => "a `[[secret]]` with its name and `use`",
        "aistack:host/reveal" => "a `[[secret]]` with `use = [\"reveal\"]`",
        "aistack:host/http" | "aistack:host/download" => "`[[egress]] kind = \"http\"` with `hosts`",
        "aistack:host/dial" => "`[[egress]] kind = \"dial\"` with `hosts`",
        "aistack:host/blob" => "`[grants] blob = true`; a `[[report]]` has it already",
        "aistack:report/datasets" => "`datasets = [\"…\"]` in a `[[report]]`",
        "aistack:core/types" => "nothing: values only",
        "aistack:core/inbound" => "an `[[endpoint]]` for each address that deliveries come to",
        "aistack:core/jobs" => "a `[[job]]` for each name that is run",
        "aistack:report/generator" => "a `[[report]]` for each report",
        "aistack:core/lifecycle" | "aistack:core/documents" => "nothing",
        other if other.starts_with("aistack:identity/") || other.starts_with("aistack:payment/") => "nothing",
        _ => return None,
    })
}

/// Every page by its path from the root of the repository.
pub(super) fn all(r: &Resolve) -> Result<BTreeMap<String, String>> {
    let mut pages = BTreeMap::new();
    let packages: Vec<&Package> = r
        .packages
        .iter()
        .map(|(_, p)| p)
        .filter(|p| !p.interfaces.is_empty())
        .collect();
    pages.insert(OVERVIEW.to_owned(), overview(r, &packages)?);
    for package in packages {
        pages.insert(format!("{PAGES}/{}.md", package.name.name), page(r, package)?);
    }
    Ok(pages)
}

fn overview(r: &Resolve, packages: &[&Package]) -> Result<String> {
    let mut out = format!(
        "# The plugin contract\n\n{GENERATED}\n\n\
         What the host offers to plugins and what it calls in them, as WIT. A plugin is a component of one world. It imports what it uses of the world's imports; of\n\
         that the host links what its manifest declares *and* whoever enabled it confirmed. It exports all of the world's exports, and answers `unsupported` to what\n\
         it does not do. What may change and what may not: [versioning](versioning.md).\n"
    );
    writeln!(out, "\n| package | version | what it holds |\n|---|---|---|")?;
    for p in packages {
        let names: Vec<String> = p
            .interfaces
            .keys()
            .map(|i| format!("[`{i}`]({})", link(&format!("contract/{}.md", p.name.name), i)))
            .collect();
        writeln!(
            out,
            "| `{}:{}` | {} | {} |",
            p.name.namespace,
            p.name.name,
            version(p),
            names.join(", ")
        )?;
    }
    for p in packages {
        for id in p.worlds.values() {
            world(r, p, &r.worlds[*id], &mut out)?;
        }
    }
    Ok(out)
}

fn world(r: &Resolve, package: &Package, world: &World, out: &mut String) -> Result<()> {
    let name = format!(
        "{}:{}/{}@{}",
        package.name.namespace,
        package.name.name,
        world.name,
        version(package)
    );
    writeln!(out, "\n## `{name}`\n\n{}\n", docs(&world.docs))?;
    writeln!(out, "Since {}.", since(&world.stability, package))?;
    for (title, side) in [("imports", &world.imports), ("exports", &world.exports)] {
        writeln!(out, "\n| {title} | what it is | in the manifest |\n|---|---|---|")?;
        for key in side.keys() {
            let WorldKey::Interface(id) = key else {
                anyhow::bail!("{name} has an item of its own; the reference knows interfaces only");
            };
            let (interface, home) = at(r, *id)?;
            let full = shape::interface_name(r, *id);
            let asks = declaration(&full).with_context(|| format!("what does a manifest say for {full}?"))?;
            let short = interface.name.clone().unwrap_or_default();
            writeln!(
                out,
                "| [`{full}`]({}) | {} | {asks} |",
                link(&format!("contract/{}.md", home.name.name), &short),
                cell(&first_sentence(&docs(&interface.docs)))
            )?;
        }
    }
    Ok(())
}

fn page(r: &Resolve, package: &Package) -> Result<String> {
    let name = format!("{}:{}", package.name.namespace, package.name.name);
    let mut out = format!(
        "# `{name}@{}`\n\n{GENERATED}\n\n[The contract](../contract.md)\n",
        version(package)
    );
    if !package.docs.is_empty() {
        writeln!(out, "\n{}", docs(&package.docs))?;
    }
    for (short, id) in &package.interfaces {
        let interface = &r.interfaces[*id];
        let full = shape::interface_name(r, *id);
        let asks = declaration(&full).with_context(|| format!("what does a manifest say for {full}?"))?;
        writeln!(out, "\n## {short}\n\n{}\n", docs(&interface.docs))?;
        let (imported, exported) = worlds(r, *id);
        for (what, worlds) in [("Imported", imported), ("Exported", exported)] {
            if !worlds.is_empty() {
                writeln!(
                    out,
                    "- {what} by {}",
                    worlds
                        .into_iter()
                        .map(|w| format!("`{w}`"))
                        .collect::<Vec<_>>()
                        .join(", ")
                )?;
            }
        }
        writeln!(out, "- In the manifest: {asks}")?;
        writeln!(out, "- Since {}", since(&interface.stability, package))?;
        uses(r, interface, package, &mut out)?;
        for (name, id) in &interface.types {
            if shape::used(r, *id).is_none() {
                definition(r, name, *id, package, &mut out)?;
                for f in interface.functions.values().filter(|f| belongs(f, *id)) {
                    function(r, f, Some(name), package, &mut out)?;
                }
            }
        }
        for f in interface.functions.values().filter(|f| f.kind.resource().is_none()) {
            function(r, f, None, package, &mut out)?;
        }
    }
    Ok(out)
}

/// Whether a function is one of the resource's.
fn belongs(f: &Function, resource: TypeId) -> bool {
    f.kind.resource() == Some(resource)
}

/// The types that an interface takes from others.
fn uses(r: &Resolve, interface: &Interface, package: &Package, out: &mut String) -> Result<()> {
    let mut from: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for id in interface.types.values() {
        if let Some((there, name)) = shape::used(r, *id) {
            let (other, home) = at(r, there)?;
            let file = if home.name == package.name {
                String::new()
            } else {
                format!("{}.md", home.name.name)
            };
            let short = other.name.clone().unwrap_or_default();
            let whence = format!("[{}]({})", shape::interface_name(r, there), link(&file, &short));
            from.entry(whence).or_default().push(format!("`{name}`"));
        }
    }
    for (whence, names) in from {
        writeln!(out, "- Uses {} of {whence}", names.join(", "))?;
    }
    Ok(())
}

fn definition(r: &Resolve, name: &str, id: TypeId, package: &Package, out: &mut String) -> Result<()> {
    let def = &r.types[id];
    let rows: Vec<(String, String, &Docs)> = match &def.kind {
        TypeDefKind::Record(x) => x
            .fields
            .iter()
            .map(|f| (f.name.clone(), shape::ty(r, &f.ty), &f.docs))
            .collect(),
        TypeDefKind::Variant(x) => {
            let payload = |c: &wit_parser::Case| c.ty.as_ref().map_or_else(String::new, |t| shape::ty(r, t));
            x.cases.iter().map(|c| (c.name.clone(), payload(c), &c.docs)).collect()
        }
        TypeDefKind::Enum(x) => x
            .cases
            .iter()
            .map(|c| (c.name.clone(), String::new(), &c.docs))
            .collect(),
        TypeDefKind::Flags(x) => x
            .flags
            .iter()
            .map(|f| (f.name.clone(), String::new(), &f.docs))
            .collect(),
        _ => Vec::new(),
    };
    let kind = def.kind.as_str();
    writeln!(out, "\n### {kind} `{name}`\n")?;
    if matches!(def.kind, TypeDefKind::Type(_)) {
        let text = shape::definition(r, id).replacen("type", &format!("type {name}"), 1);
        writeln!(out, "`{text}`\n")?;
    }
    let about = docs(&def.docs);
    let gap = if about.is_empty() { "" } else { " " };
    writeln!(out, "{about}{gap}*Since {}.*", since(&def.stability, package))?;
    if rows.is_empty() {
        return Ok(());
    }
    let typed = rows.iter().any(|(_, t, _)| !t.is_empty());
    let head = match kind {
        "record" => "field",
        "flags" => "flag",
        _ => "case",
    };
    writeln!(
        out,
        "\n{}",
        if typed {
            format!("| {head} | type | meaning |\n|---|---|---|")
        } else {
            format!("| {head} | meaning |\n|---|---|")
        }
    )?;
    for (name, ty, about) in rows {
        let ty = match (typed, ty.is_empty()) {
            (false, _) => String::new(),
            (true, true) => "  |".to_owned(),
            (true, false) => format!(" `{ty}` |"),
        };
        writeln!(out, "| `{name}` |{ty} {} |", cell(&docs(about)))?;
    }
    Ok(())
}

fn function(r: &Resolve, f: &Function, resource: Option<&str>, package: &Package, out: &mut String) -> Result<()> {
    // `[method]rows.next` is `next` of `rows`.
    let short = f.name.rsplit('.').next().unwrap_or(&f.name);
    let (title, short) = match (&f.kind, resource) {
        (FunctionKind::Constructor(_), Some(resource)) => (resource.to_owned(), resource),
        (_, Some(resource)) => (format!("{resource}.{short}"), short),
        (_, None) => (f.name.clone(), f.name.as_str()),
    };
    let (signature, since) = (shape::function(r, f), since(&f.stability, package));
    writeln!(out, "\n### `{title}`\n\n`{short}: {signature}` · *since {since}*")?;
    if !f.docs.is_empty() {
        writeln!(out, "\n{}", docs(&f.docs))?;
    }
    Ok(())
}

/// The worlds that import and those that export an interface.
fn worlds(r: &Resolve, id: InterfaceId) -> (BTreeSet<String>, BTreeSet<String>) {
    let has = |side: &dyn Fn(&World) -> bool| -> BTreeSet<String> {
        r.worlds
            .iter()
            .map(|(_, w)| w)
            .filter(|w| side(w))
            .map(|w| w.name.clone())
            .collect()
    };
    let key = WorldKey::Interface(id);
    (
        has(&|w| w.imports.contains_key(&key)),
        has(&|w| w.exports.contains_key(&key)),
    )
}

fn at(r: &Resolve, id: InterfaceId) -> Result<(&Interface, &Package)> {
    let interface = &r.interfaces[id];
    let package = interface.package.context("an interface of a world has no page")?;
    Ok((interface, &r.packages[package]))
}

fn version(package: &Package) -> String {
    package
        .name
        .version
        .as_ref()
        .map_or_else(|| "-".to_owned(), ToString::to_string)
}

/// The version an item came with: its own, or that of the package's first release, in which everything else was.
fn since(stability: &Stability, package: &Package) -> String {
    let first = || {
        package
            .name
            .version
            .as_ref()
            .map_or_else(|| "-".to_owned(), |v| format!("{}.0.0", v.major))
    };
    shape::since(stability).unwrap_or_else(first)
}

fn docs(docs: &Docs) -> String {
    docs.contents.as_deref().unwrap_or_default().trim().to_owned()
}

/// A text in a cell of a table.
fn cell(text: &str) -> String {
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace('|', "\\|")
}

fn first_sentence(text: &str) -> String {
    let text = cell(text);
    match text.find(". ") {
        Some(end) => text[..=end].to_owned(),
        None => text,
    }
}

fn link(file: &str, heading: &str) -> String {
    format!("{file}#{heading}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page_of(wit: &str) -> String {
        let mut r = Resolve::default();
        let id = r.push_str("t.wit", wit).unwrap();
        page(&r, &r.packages[id]).unwrap()
    }

    #[test]
    fn every_item_has_its_comment_its_version_and_its_grant() {
        let page = page_of(
            "package aistack:host@1.2.0;
/// About kv.
@since(version = 1.1.0)
interface kv {
  /// About entry.
  record entry { /// One | two.
    value: list<u8>, plain: bool }
  /// About rows.
  resource rows { /// About next.
    next: func(max: u32) -> result<entry, string>; }
  type json = string;
  /// About get.
  @since(version = 1.2.0)
  get: func(key: string) -> option<entry>;
}
world w { import kv; }",
        );
        for part in [
            "## kv\n\nAbout kv.\n\n- Imported by `w`\n- In the manifest: `[grants] kv = { bytes = \"1MiB\", keys = 1000 }`\n- Since 1.1.0\n",
            "### record `entry`\n\nAbout entry. *Since 1.0.0.*\n\n| field | type | meaning |\n|---|---|---|\n| `value` | `list<u8>` | One \\| two. |\n",
            "### `rows.next`\n\n`next: func(max: u32) -> result<entry, string>` · *since 1.0.0*\n\nAbout next.\n",
            "`type json = string`\n",
            "### `get`\n\n`get: func(key: string) -> option<entry>` · *since 1.2.0*\n\nAbout get.\n",
        ] {
            assert!(page.contains(part), "{part}\nin\n{page}");
        }
    }

    #[test]
    fn an_interface_that_nobody_said_how_to_declare_has_no_page() {
        let mut r = Resolve::default();
        let id = r
            .push_str(
                "t.wit",
                "package aistack:host@1.2.0; interface teleport { go: func(); }",
            )
            .unwrap();
        assert!(
            page(&r, &r.packages[id])
                .unwrap_err()
                .to_string()
                .contains("aistack:host/teleport")
        );
    }
}
