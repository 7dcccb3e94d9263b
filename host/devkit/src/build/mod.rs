//! From sources to one component: the language's own tool makes it, then manifest and config schema go in and names go
//! out.

mod cargo;
mod script;
mod sections;

pub use sections::{append, same_but_memory, strip};

use crate::{
    Error,
    inspect::Report,
    project::{Lang, Project},
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// How to build.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Keep names and line tables, so that a crash tells where it happened.
    pub debug: bool,
    /// Build from nothing in this folder instead of where the tool usually builds.
    pub afresh_in: Option<PathBuf>,
}

/// A component that was built.
#[derive(Debug, Clone)]
pub struct Built {
    /// Where it is.
    pub path: PathBuf,
    /// The component.
    pub bytes: Vec<u8>,
    /// What it is.
    pub report: Report,
}

/// Builds a project's component into `dist/`.
///
/// # Errors
/// When the tool is missing or fails, or what it makes is no component a host could take.
pub fn build(project: &Project, options: &Options) -> Result<Built, Error> {
    let bytes = component(project, options)?;
    let path = project.component();
    let folder = path.parent().unwrap_or(&project.dir).to_owned();
    fs::create_dir_all(&folder).map_err(Error::file(&folder))?;
    fs::write(&path, &bytes).map_err(Error::file(&path))?;
    let report = Report::of(&bytes)?;
    Ok(Built { path, bytes, report })
}

/// The component as `build` writes it, without writing it.
///
/// # Errors
/// As [`build`].
pub fn component(project: &Project, options: &Options) -> Result<Vec<u8>, Error> {
    let raw = match project.lang {
        Lang::Rust => cargo::component(project, options),
        Lang::Js => script::javascript(project, options),
        Lang::Python => script::python(project, options),
    }?;
    finish(raw, project, options.debug)
}

/// Names out, manifest and schema in.
fn finish(raw: Vec<u8>, project: &Project, debug: bool) -> Result<Vec<u8>, Error> {
    let mut bytes = if debug { raw } else { strip(&raw)? };
    let inside = aistack_plugins::dissect(&bytes)?;
    for (name, found, text) in [
        ("aistack:manifest", inside.manifest, &project.manifest),
        ("aistack:config-schema", inside.config_schema, &project.schema),
    ] {
        match found {
            None => append(&mut bytes, name, text.as_bytes()),
            Some(found) if found == text.as_bytes() => {}
            Some(_) => {
                return Err(Error::Build {
                    what: format!("the component carries another {name} than the project has"),
                    hint: "build again; the file was changed while it was read".to_owned(),
                });
            }
        }
    }
    Ok(bytes)
}

/// A tool's command in the project's folder, without flags that are meant for other builds.
fn tool(program: &str, dir: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(dir);
    for variable in [
        "RUSTFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_BUILD_TARGET",
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
        "MAKEFLAGS",
    ] {
        command.env_remove(variable);
    }
    command
}

fn not_started(tool: &str, e: &std::io::Error, hint: &str) -> Error {
    Error::NoTool {
        tool: tool.to_owned(),
        why: e.to_string(),
        hint: hint.to_owned(),
    }
}
