//! `aistack plugin new`, `build`, `test`, …: what plugin authors do on their own machine. No server is asked.

mod check;
mod make;
mod measure;
mod run;
mod sign;

pub(in crate::cli) use check::CheckArguments;

use super::{Failure, Output, json_argument};
use aistack_adapters::{SystemClock, SystemRng};
use aistack_devkit::{
    Error, Finding, Severity, build,
    conformance::{Fixtures, ScriptedPeer},
    project::{Project, Settings},
    run::{Options, StagedClock},
};
use aistack_domain::plugins::port::Frame;
use clap::{Args, Subcommand};
use serde_json::Value;
use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// Start a plugin: writes a project that builds as it is
    New(make::New),
    /// Build a plugin project into one component, dist/NAME.wasm
    Build(make::Build),
    /// Show what a component is, carries and asks for
    Inspect(make::Inspect),
    /// Call an operation of a plugin, with the settings of aistack-dev.toml
    Call(run::Call),
    /// Run the conformance suite of the plugin's world, with tests/fixtures.toml
    Test(run::Test),
    /// Measure what calls of an operation cost
    Bench(measure::Bench),
    /// Build, swap in place and show, whenever a file changes; takes calls and deliveries
    Dev(measure::Dev),
    /// Sign a component, or make a key to sign with
    Sign(sign::Sign),
}

impl Command {
    pub(in crate::cli) async fn run(&self, out: &Output) -> Result<(), Failure> {
        match self {
            Self::New(c) => c.run(out),
            Self::Build(c) => c.run(out),
            Self::Inspect(c) => c.run(out),
            Self::Call(c) => c.run(out).await,
            Self::Test(c) => c.run(out).await,
            Self::Bench(c) => c.run(out).await,
            Self::Dev(c) => c.run(out).await,
            Self::Sign(c) => c.run(out),
        }
    }
}

/// The project a command is about.
#[derive(Debug, Args)]
pub(in crate::cli) struct In {
    /// The plugin's folder
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(super) dir: PathBuf,
}

/// The kit's refusal as the command line's.
#[expect(
    clippy::needless_pass_by_value,
    reason = "it stands in map_err, which hands values over"
)]
pub(super) fn refused(e: Error) -> Failure {
    Failure::Refused(e.document())
}

impl In {
    fn open(&self) -> Result<Project, Failure> {
        Project::open(&self.dir).map_err(refused)
    }
}

/// A component to run: a file, or what the project in a folder is built into.
#[derive(Debug, Args)]
pub(in crate::cli) struct Component {
    #[command(flatten)]
    project: In,
    /// Take this component as it is instead of building the project
    #[arg(long, value_name = "FILE")]
    wasm: Option<PathBuf>,
}

impl Component {
    /// Its bytes; the project is built when it changed since.
    fn bytes(&self) -> Result<Vec<u8>, Failure> {
        if let Some(file) = &self.wasm {
            return read(file);
        }
        built(&self.project.open()?)
    }
}

/// The component of a project, built when something changed since.
pub(super) fn built(project: &Project) -> Result<Vec<u8>, Failure> {
    if project.is_stale() {
        build::build(project, &build::Options::default()).map_err(refused)?;
    }
    read(&project.component())
}

/// What plugins are run with on this machine. Compiled components are kept in the user's cache, for the next command.
pub(super) fn options() -> Options {
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cache")))
        .filter(|dir| dir.is_absolute());
    Options {
        clock: Arc::new(SystemClock::new()),
        rng: Arc::new(SystemRng),
        peer: None,
        cache: cache.map(|dir| dir.join("aistack").join("devkit")),
        in_process: false,
        count_fuel: false,
    }
}

/// Settings and the provider's answers from a file of fixtures, in place of the network.
fn scripted(file: &Path) -> Result<(Settings, Options), Failure> {
    let fixtures = Fixtures::read(file).map_err(refused)?;
    let mut options = options();
    if !fixtures.network {
        let clock = StagedClock::new(Arc::clone(&options.clock));
        options.peer = Some(Arc::new(ScriptedPeer::new(&fixtures, Arc::new(clock))));
    }
    Ok((fixtures.settings(), options))
}

pub(super) fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(file).map_err(|source| {
        refused(Error::File {
            path: file.to_owned(),
            source,
        })
    })
}

/// Where a component crashed, for people: `at src/lib.rs:42 pay`.
pub(super) fn write_frames(w: &mut dyn Write, before: &str, frames: &Value) -> io::Result<()> {
    for frame in frames.as_array().into_iter().flatten() {
        if let Ok(frame) = serde_json::from_value::<Frame>(frame.clone()) {
            writeln!(w, "{before}at {frame}")?;
        }
    }
    Ok(())
}

/// Findings for people.
fn findings(w: &mut dyn Write, all: &[Finding]) -> io::Result<()> {
    for f in all {
        let grave = match f.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        writeln!(w, "{grave}: {} {}: {} ({})", f.place(), f.pointer, f.message, f.code)?;
        if let Some(hint) = &f.hint {
            writeln!(w, "  hint: {hint}")?;
        }
    }
    Ok(())
}
