//! `aistack config`.

use super::{Failure, Local, Output};
use crate::config;
use clap::Subcommand;
use serde_json::json;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Say whether the configuration can be used
    Check(Local),
    /// Show what file, environment and defaults amount to; passwords are hidden
    Show(Local),
    /// Print the reference of all settings
    #[command(hide = true)]
    Reference,
}

impl Command {
    pub(super) fn run(&self, out: &Output) -> Result<(), Failure> {
        match self {
            Self::Check(local) => {
                let (_, file) = local.load()?;
                let shown = file.as_ref().map(|f| f.display().to_string());
                out.value(&json!({ "ok": true, "file": shown }), |w| match &shown {
                    Some(file) => writeln!(w, "{file} is fine"),
                    None => writeln!(w, "no file: the defaults and the environment are used"),
                })
            }
            Self::Show(local) => {
                let (config, _) = local.load()?;
                let text = config.shown();
                let value: toml::Value = toml::from_str(&text)?;
                out.value(&value, |w| write!(w, "{text}"))
            }
            Self::Reference => out.value(&json!(config::reference()), |w| write!(w, "{}", config::reference())),
        }
    }
}
