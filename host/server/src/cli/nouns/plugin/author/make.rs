//! `aistack plugin new`, `build` and `inspect`.

use super::{Failure, In, Output, findings, read, refused};
use aistack_devkit::{
    build,
    inspect::Report,
    project::{self, Lang},
};
use aistack_domain::plugins::port::PluginKind;
use clap::{Args, ValueEnum};
use serde_json::json;
use std::{
    io::{self, Write},
    path::PathBuf,
};

/// The worlds.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum World {
    Identity,
    Payment,
    Report,
}

/// The languages.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Language {
    Rust,
    Js,
    Python,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct New {
    /// PUBLISHER.NAME, e.g. acme.example-pay
    id: String,
    /// What it is for
    #[arg(long, value_enum)]
    world: World,
    /// What it is written in
    #[arg(long, value_enum, default_value = "rust")]
    lang: Language,
    /// The folder, new or empty; named after the plugin when not given
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Build {
    #[command(flatten)]
    project: In,
    /// Keep names and line tables, so that a crash tells where it happened
    #[arg(long)]
    debug: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Inspect {
    /// The component
    file: PathBuf,
}

impl New {
    pub(super) fn run(&self, out: &Output) -> Result<(), Failure> {
        let created = project::create(&project::New {
            id: self.id.clone(),
            world: match self.world {
                World::Identity => PluginKind::Identity,
                World::Payment => PluginKind::Payment,
                World::Report => PluginKind::Report,
            },
            lang: match self.lang {
                Language::Rust => Lang::Rust,
                Language::Js => Lang::Js,
                Language::Python => Lang::Python,
            },
            dir: self.dir.clone(),
        })
        .map_err(refused)?;
        out.value(&created, |w| {
            writeln!(w, "{} is in {}", created.id, created.dir.display())?;
            for file in &created.files {
                writeln!(w, "  {file}")?;
            }
            writeln!(w, "next:")?;
            writeln!(w, "  cd {}", created.dir.display())?;
            writeln!(
                w,
                "  aistack plugin build && aistack plugin check && aistack plugin test"
            )
        })
    }
}

impl Build {
    pub(super) fn run(&self, out: &Output) -> Result<(), Failure> {
        let project = self.project.open()?;
        let options = build::Options {
            debug: self.debug,
            ..build::Options::default()
        };
        let built = build::build(&project, &options).map_err(refused)?;
        let mut answer = serde_json::to_value(&built.report)?;
        answer["file"] = json!(built.path);
        out.value(&answer, |w| {
            writeln!(w, "{}", built.path.display())?;
            describe(w, &built.report)
        })
    }
}

impl Inspect {
    pub(super) fn run(&self, out: &Output) -> Result<(), Failure> {
        let report = Report::of(&read(&self.file)?).map_err(refused)?;
        out.value(&report, |w| describe(w, &report))
    }
}

/// A component for people.
fn describe(w: &mut dyn Write, r: &Report) -> io::Result<()> {
    let known = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    writeln!(w, "plugin     {} {}", known(&r.id), known(&r.version))?;
    writeln!(w, "world      {} (contract {})", known(&r.kind), known(&r.contract))?;
    writeln!(w, "size       {} bytes", r.size)?;
    writeln!(w, "digest     {}", r.digest)?;
    for s in &r.signatures {
        writeln!(
            w,
            "signed by  {} with key {} (not verified here)",
            s.publisher, s.key_id
        )?;
    }
    if r.signatures.is_empty() {
        writeln!(w, "signed by  nobody")?;
    } else {
        writeln!(w, "payload    {}", r.payload_digest)?;
    }
    writeln!(w, "imports")?;
    for i in &r.imports {
        writeln!(w, "  {}: {}", i.name, i.functions.join(", "))?;
    }
    writeln!(w, "exports")?;
    for i in &r.exports {
        writeln!(w, "  {}", i.name)?;
    }
    writeln!(w, "needs grants")?;
    for (what, value) in r.needs.as_object().into_iter().flatten() {
        let nothing = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        if !nothing {
            writeln!(w, "  {what}: {value}")?;
        }
    }
    if let Some(refused) = &r.refused {
        writeln!(w, "a host refuses it: {refused}")?;
    }
    findings(w, &r.findings)
}
