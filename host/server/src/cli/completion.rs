//! `aistack completion`.

use super::{Cli, Failure, Output};
use clap::{Args, CommandFactory};
use clap_complete::Shell;

#[derive(Debug, Args)]
pub(super) struct Completion {
    /// The shell
    shell: Shell,
}

impl Completion {
    pub(super) fn run(&self) -> Result<(), Failure> {
        // Into memory first: the generator panics when its reader goes away.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "aistack", &mut script);
        Output { json: false }.value(&(), |w| w.write_all(&script))
    }
}
