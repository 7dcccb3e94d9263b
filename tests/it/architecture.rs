//! The house rules that a machine can check: who may name whom, what each file opens with, how long it grows.

use aistack_tests::repository;
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Longer files are hard to hold in one's head.
const MOST_LINES: usize = 450;

#[test]
fn crates_name_only_whom_they_may() {
    let allowed = documented_edges();
    let mut wrong = Vec::new();
    for (from, to) in actual_edges(&metadata()) {
        match allowed.get(&from) {
            // Who names nobody needs no line.
            None if to.is_empty() => {}
            None => wrong.push(format!("host/{from} has no line in ARCHITECTURE.md")),
            Some(may) => {
                wrong.extend(
                    to.difference(may)
                        .map(|name| format!("{from} → {name} is not in ARCHITECTURE.md")),
                );
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_documented_crates_exist_and_do_not_go_round() {
    let allowed = documented_edges();
    let crates: BTreeSet<String> = actual_edges(&metadata()).into_keys().collect();
    for (from, to) in &allowed {
        assert!(
            crates.contains(from),
            "ARCHITECTURE.md names {from}, which is no crate under host/"
        );
        for name in to {
            assert!(
                crates.contains(name),
                "ARCHITECTURE.md names {name}, which is no crate under host/"
            );
        }
    }
    // Take away crates that name nobody who is left, until none is left.
    let mut left = allowed;
    left.entry("core".to_owned()).or_default();
    while !left.is_empty() {
        let names: BTreeSet<String> = left.keys().cloned().collect();
        let before = left.len();
        left.retain(|_, to| to.iter().any(|name| names.contains(name)));
        assert!(left.len() < before, "these name each other in a circle: {names:?}");
    }
}

/// `deny.toml` says for a few weighty dependencies which crates may name them. cargo-deny checks the whole graph where it
/// is installed; this checks our own crates everywhere.
#[test]
fn weighty_dependencies_stay_in_their_crates() {
    let deny: toml::Table = toml::from_str(&std::fs::read_to_string(repository().join("deny.toml")).unwrap()).unwrap();
    let metadata = metadata();
    let mut pinned = 0;
    for rule in deny["bans"]["deny"].as_array().unwrap() {
        let name = rule["crate"].as_str().unwrap();
        let wrappers: BTreeSet<&str> = rule
            .get("wrappers")
            .and_then(|list| list.as_array())
            .into_iter()
            .flatten()
            .filter_map(|w| w.as_str())
            .collect();
        pinned += usize::from(!wrappers.is_empty());
        for package in &metadata.packages {
            let named = package
                .dependencies
                .iter()
                .any(|dependency| dependency.name == name && dependency.kind != DependencyKind::Development);
            assert!(
                !named || wrappers.contains(package.name.as_str()),
                "{} may not name {name}",
                package.name
            );
        }
    }
    assert!(pinned >= 3, "deny.toml pins wasmtime, axum and sqlx");
}

/// Other TLS stacks may not even come in through somebody else.
#[test]
fn there_is_no_openssl() {
    for lock in ["Cargo.lock", "plugins/Cargo.lock"] {
        let Ok(text) = std::fs::read_to_string(repository().join(lock)) else {
            continue;
        };
        let lock_file: toml::Table = toml::from_str(&text).unwrap();
        for package in lock_file["package"].as_array().unwrap() {
            let name = package["name"].as_str().unwrap();
            assert!(
                !["openssl", "openssl-sys", "native-tls"].contains(&name),
                "{lock} has {name}"
            );
        }
    }
}

#[test]
fn every_source_file_says_what_it_is_for_and_stays_short() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for path in rust_files() {
        let text = std::fs::read_to_string(&path).unwrap();
        let shown = path.strip_prefix(repository()).unwrap().display().to_string();
        seen += 1;
        let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        if !first.starts_with("//!") && !first.starts_with("#![") && !text.contains("@generated") {
            wrong.push(format!("{shown} does not open with //!"));
        }
        let lines = text.lines().count();
        if lines > MOST_LINES && !text.contains("@generated") {
            wrong.push(format!("{shown} has {lines} lines, more than {MOST_LINES}"));
        }
    }
    assert!(
        seen > 50,
        "only {seen} files found: is this looking in the right place?"
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(repository().join("Cargo.toml"))
        .no_deps()
        .other_options(["--offline".into()])
        .exec()
        .unwrap()
}

/// For every crate under `host/`, whom of the others it names outside of its tests.
fn actual_edges(metadata: &Metadata) -> BTreeMap<String, BTreeSet<String>> {
    let host = repository().join("host");
    let short = |name: &str| name.strip_prefix("aistack-").map(str::to_owned);
    let host_packages: Vec<_> = metadata
        .packages
        .iter()
        .filter(|package| package.manifest_path.as_std_path().starts_with(&host))
        .collect();
    let names: BTreeSet<String> = host_packages
        .iter()
        .filter_map(|package| short(&package.name))
        .collect();
    let edges = |package: &cargo_metadata::Package| {
        package
            .dependencies
            .iter()
            .filter(|dependency| dependency.kind != DependencyKind::Development)
            .filter_map(|dependency| short(&dependency.name))
            .filter(|name| names.contains(name))
            .collect()
    };
    let edges: BTreeMap<_, _> = host_packages
        .iter()
        .filter_map(|package| Some((short(&package.name)?, edges(package))))
        .collect();
    assert!(edges.len() >= 10, "the crates under host/ were not found");
    edges
}

/// The block in ARCHITECTURE.md: lines `- from → to, to`.
fn documented_edges() -> BTreeMap<String, BTreeSet<String>> {
    let text = std::fs::read_to_string(repository().join("ARCHITECTURE.md")).unwrap();
    let (_, rest) = text
        .split_once("<!-- edges:begin -->")
        .expect("the block of edges begins");
    let (block, _) = rest.split_once("<!-- edges:end -->").expect("the block of edges ends");
    block
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- "))
        .map(|line| {
            let (from, to) = line.split_once('→').expect("an arrow in each line");
            (
                from.trim().to_owned(),
                to.split(',').map(|name| name.trim().to_owned()).collect(),
            )
        })
        .collect()
}

fn rust_files() -> impl Iterator<Item = PathBuf> {
    let hidden = |path: &Path| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(|name| {
            name.starts_with('.') || matches!(name, "target" | "node_modules" | "fixtures" | "dist")
        })
    };
    ["host", "sdk", "plugins", "tests", "xtask"]
        .into_iter()
        .flat_map(move |folder| {
            walkdir::WalkDir::new(repository().join(folder))
                .into_iter()
                .filter_entry(move |entry| !hidden(entry.path()))
                .flatten()
                .map(walkdir::DirEntry::into_path)
                .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        })
}
