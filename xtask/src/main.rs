//! `cargo xtask …`: chores of this repository. One file per chore.

mod column_types;
mod columns;
mod contract;
mod plugins;
mod postgres;
mod sqlx;

use anyhow::Context;
use clap::{Parser, Subcommand};

/// Chores of the aistack repository.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Write docs/data-inventory.md from the column registry (or check that it is up to date)
    Columns(columns::Arguments),
    /// Build the plugins as WebAssembly components into dist/plugins/, and the hostile ones of the tests beside them
    Plugins(plugins::Arguments),
    /// Describe every SQL statement against both databases again (or check that nothing changed)
    Sqlx(sqlx::Arguments),
    /// Check that the plugin contract in wit/ keeps what its frozen versions in tests/corpus/ said
    WitCheck,
    /// Write the contract's reference, docs/plugins/contract.md and the pages beside it, from the WIT (or check it)
    WitDocs(contract::Docs),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().chore {
        Chore::Columns(arguments) => columns::run(&arguments),
        Chore::Plugins(arguments) => plugins::run(&arguments),
        Chore::Sqlx(arguments) => sqlx::run(&arguments),
        Chore::WitCheck => contract::check(),
        Chore::WitDocs(arguments) => contract::docs(&arguments),
    }
}

/// The root of the repository the chore is for. Cargo says at run time which that is: clones share a target folder, so
/// what was compiled in may be another clone's.
fn repository() -> anyhow::Result<std::path::PathBuf> {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").context("start the chores with cargo xtask")?;
    Ok(std::path::Path::new(&here)
        .parent()
        .context("xtask lies in the repository")?
        .to_path_buf())
}
