//! `aistack plugin check` on a project or a component.

use super::{Failure, In, Output, findings, options, read, refused};
use aistack_devkit::{Severity, lint};
use clap::Args;
use std::path::{Path, PathBuf};

/// `aistack plugin check` without a tenant.
#[derive(Debug, Args)]
pub(in crate::cli) struct CheckArguments {
    #[command(flatten)]
    project: In,
    /// Build twice from nothing and compare the bytes
    #[arg(long)]
    twice: bool,
    /// The release before: say what breaks its tenants
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
}

impl CheckArguments {
    /// Of a project, or of `file`.
    pub(in crate::cli::nouns::plugin) async fn run(&self, file: Option<&Path>, out: &Output) -> Result<(), Failure> {
        let asked = lint::Check {
            against: self.against.clone(),
            twice: self.twice,
            wasm: file.map(Path::to_owned),
        };
        let outcome = match file {
            Some(_) if self.twice => {
                return Err(Failure::Usage(
                    "--twice builds a project; a component can't be built again".to_owned(),
                ));
            }
            Some(file) => lint::component(&read(file)?, &asked, options()).await,
            None => lint::check(&self.project.open()?, &asked, options()).await,
        }
        .map_err(refused)?;
        out.value(&outcome, |w| {
            if let Some(r) = &outcome.component {
                writeln!(
                    w,
                    "{} {}, {} world, {} bytes, imports {}",
                    r.id.as_deref().unwrap_or("-"),
                    r.version.as_deref().unwrap_or("-"),
                    r.kind.as_deref().unwrap_or("no"),
                    r.size,
                    r.host_imports().join(", ")
                )?;
            }
            for c in outcome.changes.iter().flatten() {
                writeln!(
                    w,
                    "{} {}: {}",
                    if c.breaking { "breaks " } else { "changes" },
                    c.what,
                    c.message
                )?;
            }
            if let Some(same) = outcome.reproducible {
                writeln!(
                    w,
                    "two builds: {}",
                    if same { "the same bytes" } else { "different bytes" }
                )?;
            }
            findings(w, &outcome.findings)?;
            if outcome.findings.is_empty() {
                writeln!(w, "nothing is wrong")?;
            }
            Ok(())
        })?;
        if outcome.failed() {
            let n = outcome
                .findings
                .iter()
                .filter(|f| f.severity == Severity::Error)
                .count();
            return Err(Failure::Failed(anyhow::anyhow!(
                "the check found {n} {}",
                if n == 1 { "mistake" } else { "mistakes" }
            )));
        }
        Ok(())
    }
}
