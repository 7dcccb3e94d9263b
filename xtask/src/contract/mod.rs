//! `cargo xtask wit-docs` and `wit-check`: the plugin contract as pages for people, and the proof that it keeps what its
//! frozen versions said. Both read the WIT itself.

mod pages;
mod promise;
mod shape;

use anyhow::{Context as _, Result, ensure};
use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};
use wit_parser::Resolve;

/// Where the reference begins, from the root of the repository.
const OVERVIEW: &str = "docs/plugins/contract.md";
/// The folder of its pages.
const PAGES: &str = "docs/plugins/contract";
/// Frozen versions of the contract: a folder each, with its WIT below.
const CORPUS: &str = "tests/corpus";

/// What `cargo xtask wit-docs` takes.
#[derive(clap::Args)]
pub(crate) struct Docs {
    /// Only check that the pages are what they would be written as
    #[arg(long)]
    check: bool,
}

/// Writes the reference, or says that it is out of date.
pub(crate) fn docs(arguments: &Docs) -> Result<()> {
    let root = crate::repository()?;
    if arguments.check {
        return up_to_date(&root);
    }
    let pages = wanted(&root)?;
    for old in there(&root)? {
        if !pages.contains_key(&old) {
            fs::remove_file(root.join(&old))?;
        }
    }
    fs::create_dir_all(root.join(PAGES))?;
    for (path, text) in &pages {
        fs::write(root.join(path), text).with_context(|| path.clone())?;
        writeln!(std::io::stdout(), "wrote {path}")?;
    }
    Ok(())
}

/// Compares the contract with every frozen version of it.
pub(crate) fn check() -> Result<()> {
    let root = crate::repository()?;
    let mut out = std::io::stdout();
    for (version, folder) in frozen(&root)? {
        let now = load(&root.join("wit").join(format!("v{}", major(&version)?)))?;
        let broken = promise::broken(&load(&folder)?, &now);
        ensure!(
            broken.is_empty(),
            "the contract breaks what {version} said:\n  {}\nA break is a new major: a folder of its own in wit/",
            broken.join("\n  ")
        );
        writeln!(out, "contract {version}: everything it said still holds")?;
    }
    Ok(())
}

/// A folder of WIT with its `deps`.
fn load(folder: &Path) -> Result<Resolve> {
    let mut resolve = Resolve::default();
    resolve
        .push_dir(folder)
        .with_context(|| format!("reading {}", folder.display()))?;
    Ok(resolve)
}

/// The frozen versions: what they are called, and where their WIT is.
fn frozen(root: &Path) -> Result<BTreeMap<String, PathBuf>> {
    let corpus = root.join(CORPUS);
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(&corpus).with_context(|| corpus.display().to_string())? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            all.insert(
                entry.file_name().to_string_lossy().into_owned(),
                entry.path().join("wit"),
            );
        }
    }
    Ok(all)
}

/// `1` of `1.0`.
fn major(version: &str) -> Result<u64> {
    let major = version.split('.').next().unwrap_or_default();
    major
        .parse()
        .with_context(|| format!("{CORPUS}/{version} is not named after a version"))
}

/// Every page of the reference, by path.
fn wanted(root: &Path) -> Result<BTreeMap<String, String>> {
    pages::all(&load(&root.join("wit/v1"))?)
}

/// Every page that is there.
fn there(root: &Path) -> Result<Vec<String>> {
    let mut all = Vec::new();
    if root.join(OVERVIEW).exists() {
        all.push(OVERVIEW.to_owned());
    }
    if root.join(PAGES).is_dir() {
        for entry in fs::read_dir(root.join(PAGES))? {
            all.push(format!("{PAGES}/{}", entry?.file_name().to_string_lossy()));
        }
    }
    Ok(all)
}

fn up_to_date(root: &Path) -> Result<()> {
    let pages = wanted(root)?;
    let hint = "run: cargo xtask wit-docs";
    for old in there(root)? {
        ensure!(
            pages.contains_key(&old),
            "{old} belongs to nothing in the contract; {hint}"
        );
    }
    for (path, text) in &pages {
        let found = fs::read_to_string(root.join(path)).unwrap_or_default();
        ensure!(found == *text, "{path} is not what the WIT says; {hint}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_is_what_the_wit_says() {
        up_to_date(&crate::repository().unwrap()).unwrap();
    }

    #[test]
    fn the_contract_keeps_what_its_frozen_versions_said() {
        let root = crate::repository().unwrap();
        assert!(frozen(&root).unwrap().contains_key("1.0"));
        check().unwrap();
    }
}
