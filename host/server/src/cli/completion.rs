//! `aistack completion`.

use super::{Cli, Failure};
use clap::{Args, CommandFactory};
use clap_complete::Shell;

#[derive(Debug, Args)]
pub(super) struct Completion {
    /// The shell
    shell: Shell,
}

impl Completion {
    pub(super) fn run(&self) -> Result<(), Failure> {
        clap_complete::generate(
            self.shell,
            &mut Cli::command(),
            "aistack",
            &mut std::io::stdout().lock(),
        );
        Ok(())
    }
}
