//! `aistack plugin call` and `test`.

use super::{Component, Failure, Output, json_argument, options, refused, scripted, write_frames};
use aistack_devkit::{
    conformance::{self, Case, Fixtures, Outcome},
    ops,
    project::{Project, Settings},
    replay,
    run::{Platform, Runner},
};
use aistack_domain::plugins::port::Tape;
use anyhow::Context;
use clap::Args;
use serde_json::json;
use std::{fs, path::PathBuf};

#[derive(Debug, Args)]
pub(in crate::cli) struct Call {
    /// E.g. login.begin, payments.create, inbound.handle, generator.run, lifecycle.check
    operation: String,
    /// Arguments as JSON, or @FILE, or @- for standard input
    #[arg(value_name = "JSON", default_value = "{}")]
    arguments: String,
    #[command(flatten)]
    component: Component,
    /// Take settings and the provider's answers from a file of fixtures instead of aistack-dev.toml and the network
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "tests/fixtures.toml")]
    fixtures: Option<PathBuf>,
    /// Keep all that the call is told in a file, for: aistack plugin replay --journal FILE
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Where to put the files of a report
    #[arg(long, value_name = "DIR")]
    files: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Test {
    #[command(flatten)]
    component: Component,
    /// The provider's side; tests/fixtures.toml of the project when not given
    #[arg(long, value_name = "FILE")]
    fixtures: Option<PathBuf>,
    /// Write the results as JUnit XML too
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Only cases whose ids begin with this, e.g. payment.inbound
    #[arg(long = "case", value_name = "PREFIX", default_value = "")]
    prefix: String,
}

impl Call {
    pub(super) async fn run(&self, out: &Output) -> Result<(), Failure> {
        let arguments = json_argument(&self.arguments, "the arguments")?;
        let dir = &self.component.project.dir;
        let bytes = self.component.bytes()?;
        let (settings, options) = match &self.fixtures {
            Some(file) => scripted(&dir.join(file))?,
            None => (Settings::of(dir).map_err(refused)?, options()),
        };
        let runner = Runner::start(&bytes, options).await.map_err(refused)?;
        let platform = Platform::new(&settings).map_err(refused)?;
        let called = match &self.record {
            None => ops::call(&runner, &settings, dir, &platform, &self.operation, arguments).await,
            Some(_) => ops::record(&runner, &settings, dir, &platform, &self.operation, arguments).await,
        }
        .map_err(refused)?;
        if let (Some(file), Some(Tape::Recorded(journal))) =
            (&self.record, called.receipt.as_ref().and_then(|r| r.tape.as_deref()))
        {
            replay::write(file, journal).map_err(refused)?;
        }
        let mut document = called.document();
        let files = platform.files();
        if !files.is_empty() {
            document["files"] = files
                .iter()
                .map(|(name, bytes)| json!({ "name": name, "bytes": bytes.len() }))
                .collect();
        }
        if let Some(folder) = &self.files {
            fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
            for (name, bytes) in &files {
                // The host has checked that the name is one.
                let path = folder.join(name);
                fs::write(&path, bytes).with_context(|| path.display().to_string())?;
            }
        }
        out.value(&document, |w| {
            let shown = document
                .get("result")
                .or_else(|| document.get("fault"))
                .cloned()
                .unwrap_or_default();
            writeln!(w, "{shown:#}")?;
            let receipt = &document["receipt"];
            for line in receipt["log"].as_array().into_iter().flatten() {
                let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
                writeln!(w, "log {}: {}", text("level"), text("message"))?;
            }
            write_frames(w, "  ", &receipt["frames"])?;
            for file in document["files"].as_array().into_iter().flatten() {
                writeln!(
                    w,
                    "file {} ({} bytes)",
                    file["name"].as_str().unwrap_or_default(),
                    file["bytes"]
                )?;
            }
            writeln!(
                w,
                "{} in {} µs, {} µs of it in the plugin; {} KiB of memory, {} host calls, {} bytes out, {} in",
                receipt["outcome"].as_str().unwrap_or("-"),
                receipt["wall_us"],
                receipt["guest_us"],
                receipt["memory"].as_u64().unwrap_or(0) >> 10,
                receipt["host_calls"],
                receipt["bytes_out"],
                receipt["bytes_in"]
            )
        })?;
        match called.result {
            Ok(_) => Ok(()),
            Err(fault) => Err(Failure::Failed(anyhow::anyhow!(
                "the plugin answered with the fault {fault}"
            ))),
        }
    }
}

impl Test {
    pub(super) async fn run(&self, out: &Output) -> Result<(), Failure> {
        let dir = &self.component.project.dir;
        let path = match &self.fixtures {
            Some(path) => path.clone(),
            // Without a component of its own, it is the project's test, which has to be there.
            None if self.component.wasm.is_none() => {
                Project::open(dir).map_err(refused)?.dir.join("tests/fixtures.toml")
            }
            None => dir.join("tests/fixtures.toml"),
        };
        let bytes = self.component.bytes()?;
        let fixtures = Fixtures::read(&path).map_err(refused)?;
        let results = conformance::run(&bytes, fixtures, dir, &self.prefix, options())
            .await
            .map_err(refused)?;
        if let Some(path) = &self.junit {
            if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
                fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
            }
            fs::write(path, conformance::junit(&results)).with_context(|| path.display().to_string())?;
        }
        if results.cases.is_empty() {
            return Err(Failure::Usage(format!(
                "no case of the {} suite begins with {:?}",
                results.world, self.prefix
            )));
        }
        out.value(&results, |w| {
            writeln!(w, "{}, {} world", results.plugin, results.world)?;
            let width = results.cases.iter().map(|c| c.id.len()).max().unwrap_or(0);
            for Case {
                id,
                title,
                outcome,
                took_us,
            } in &results.cases
            {
                let (mark, why) = match outcome {
                    Outcome::Passed => ("ok", None),
                    Outcome::Failed(why) => ("FAILED", Some(why)),
                    Outcome::Skipped(why) => ("skipped", Some(why)),
                };
                writeln!(
                    w,
                    "{mark:<8} {id:<width$} {:>6}.{} ms  {title}",
                    took_us / 1000,
                    took_us % 1000 / 100
                )?;
                if let Some(why) = why {
                    writeln!(w, "         {why}")?;
                }
            }
            let (p, f, s) = (results.passed, results.failed, results.skipped);
            writeln!(w, "{p} passed, {f} failed, {s} skipped")
        })?;
        if results.failed > 0 {
            let n = results.failed;
            return Err(Failure::Failed(anyhow::anyhow!(
                "{n} of the conformance suite's cases failed"
            )));
        }
        Ok(())
    }
}
