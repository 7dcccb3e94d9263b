//! `cargo xtask …`: chores of this repository. One file per chore.

mod column_types;
mod columns;
mod plugins;
mod postgres;
mod sqlx;

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
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().chore {
        Chore::Columns(arguments) => columns::run(&arguments),
        Chore::Plugins(arguments) => plugins::run(&arguments),
        Chore::Sqlx(arguments) => sqlx::run(&arguments),
    }
}
