//! `cargo xtask columns`: the data inventory, written from the column registry.
//!
//! Whether the registry and the databases agree is a test of the stores; this chore turns the registry into a page that a
//! data-protection officer can read.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What `cargo xtask columns` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Change nothing; fail when docs/data-inventory.md is out of date
    #[arg(long)]
    check: bool,
}

#[derive(Deserialize)]
struct Registry {
    purposes: BTreeMap<String, String>,
    retentions: BTreeMap<String, String>,
    tables: BTreeMap<String, Table>,
}

#[derive(Deserialize)]
struct Table {
    about: String,
    scope: String,
    class: String,
    columns: BTreeMap<String, Column>,
}

#[derive(Deserialize)]
struct Column {
    whose: String,
    purpose: String,
    retention: String,
    erase: String,
    export: bool,
}

/// Runs the chore.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let root = &crate::repository()?;
    let file = root.join("migrations/columns.toml");
    let text = std::fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
    let registry: Registry = toml::from_str(&text).with_context(|| format!("reading {}", file.display()))?;
    let page = page(&registry)?;
    let target = root.join("docs/data-inventory.md");
    if std::fs::read_to_string(&target).is_ok_and(|found| found == page) {
        return Ok(());
    }
    ensure!(
        !arguments.check,
        "{} is out of date: run `cargo xtask columns`",
        target.display()
    );
    std::fs::write(&target, page).with_context(|| format!("writing {}", target.display()))
}

fn page(registry: &Registry) -> Result<String> {
    let mut page = String::from(
        "# Data inventory\n\nWritten by `cargo xtask columns` from [migrations/columns.toml](../migrations/columns.toml); \
         change that file instead.\n",
    );
    for (scope, heading) in [
        ("platform", "The platform's own tables"),
        ("tenant", "A tenant's tables"),
    ] {
        writeln!(page, "\n## {heading}")?;
        for (name, table) in registry.tables.iter().filter(|(_, table)| table.scope == scope) {
            let (subject, others): (Vec<_>, Vec<_>) =
                table.columns.iter().partition(|(_, column)| column.whose == "subject");
            writeln!(
                page,
                "\n### `{name}`\n\n{}. Restores treat it as *{}*.\n",
                table.about, table.class
            )?;
            if !subject.is_empty() {
                writeln!(
                    page,
                    "| personal column | purpose | kept | when the person is erased | exported |"
                )?;
                writeln!(page, "|---|---|---|---|---|")?;
            }
            for (column_name, column) in subject {
                let purpose = word(&registry.purposes, &column.purpose, name, column_name)?;
                let kept = word(&registry.retentions, &column.retention, name, column_name)?;
                let export = if column.export { "yes" } else { "no" };
                writeln!(
                    page,
                    "| `{column_name}` | {purpose} | {kept} | {} | {export} |",
                    column.erase
                )?;
            }
            let names: Vec<String> = others.iter().map(|(name, _)| format!("`{name}`")).collect();
            if !names.is_empty() {
                writeln!(page, "\nNot personal: {}.", names.join(", "))?;
            }
        }
    }
    Ok(page)
}

fn word<'a>(words: &'a BTreeMap<String, String>, word: &str, table: &str, column: &str) -> Result<&'a str> {
    let text = words
        .get(word)
        .with_context(|| format!("{table}.{column}: {word:?} is not explained"))?;
    Ok(text)
}
