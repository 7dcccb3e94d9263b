//! `cargo xtask …`: chores of this repository. One file per chore.

mod plugins;

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
    /// Build the plugins as WebAssembly components into dist/plugins/, and the hostile ones of the tests beside them
    Plugins(plugins::Arguments),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().chore {
        Chore::Plugins(arguments) => plugins::run(&arguments),
    }
}
