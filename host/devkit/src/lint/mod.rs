//! Everything that is wrong with a plugin, all of it at once, each with its place and a hint.

mod against;
mod imports;
mod manifest;
mod schema;
mod spans;

pub use against::{Change, against};
pub(crate) use imports::refusal_hint;
pub(crate) use manifest::manifest_findings;
pub(crate) use spans::position;

use crate::{
    Error, Finding, Severity, build,
    inspect::{MAX_COMPONENT, Report},
    project::{Lang, MANIFEST, Project, SCHEMA},
    run::{Options, Runner},
};
use aistack_domain::plugins::port::Refusal;
use serde::Serialize;
use std::path::PathBuf;

/// What to check.
#[derive(Debug, Clone, Default)]
pub struct Check {
    /// The release before, to compare with.
    pub against: Option<PathBuf>,
    /// Build twice from nothing and compare.
    pub twice: bool,
    /// A component instead of a project's own.
    pub wasm: Option<PathBuf>,
}

/// What was found.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// The component, when there is one.
    pub component: Option<Report>,
    /// Everything that is wrong, the gravest first.
    pub findings: Vec<Finding>,
    /// Changes since the release before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changes: Option<Vec<Change>>,
    /// Whether two builds made the same bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reproducible: Option<bool>,
}

impl Outcome {
    /// Whether anything is graver than a warning.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.findings.iter().any(|f| f.severity == Severity::Error)
    }
}

/// What is wrong with a project's texts.
#[must_use]
pub fn texts(project: &Project) -> Vec<Finding> {
    let (manifest, mut findings) = manifest::lint(&project.manifest);
    findings.extend(schema::lint(&project.schema, manifest.as_ref()));
    if let Some(config) = manifest.as_ref().and_then(|m| m.config.as_ref())
        && config.schema != SCHEMA
    {
        let finding = Finding::error(
            "not_allowed",
            "/config/schema",
            format!("the config schema is read from {SCHEMA}, not from {:?}", config.schema),
            "write schema = \"config.schema.json\"",
        );
        findings.push(spans::placed(finding, MANIFEST, &project.manifest));
    }
    findings
}

/// Checks a project: its texts, then what is built of them.
///
/// # Errors
/// When it can't be built, or the release before can't be read. What is merely wrong is in the outcome.
pub async fn check(project: &Project, asked: &Check, runner: Options) -> Result<Outcome, Error> {
    let mut findings = texts(project);
    if findings.iter().any(|f| f.severity == Severity::Error) {
        // The same mistakes would come again, less clearly, out of the component.
        return Ok(outcome(None, findings));
    }
    let built = build::build(project, &build::Options::default())?;
    let mut done = component(&built.bytes, asked, runner).await?;
    findings.append(&mut done.findings);
    done.findings = findings;
    if asked.twice {
        let again = tempfile::tempdir().map_err(Error::file(std::env::temp_dir()))?;
        let options = build::Options {
            afresh_in: Some(again.path().to_owned()),
            ..build::Options::default()
        };
        let again = build::component(project, &options)?;
        done.reproducible = Some(again == built.bytes);
        done.findings.extend(difference(project.lang, &built.bytes, &again));
    }
    done.findings.sort_by_key(|f| f.severity);
    Ok(done)
}

/// What is to be said of two builds of the same sources.
fn difference(lang: Lang, one: &[u8], other: &[u8]) -> Option<Finding> {
    let tool = match lang {
        Lang::Rust => None,
        Lang::Js => Some("componentize-js"),
        Lang::Python => Some("componentize-py"),
    };
    if one == other {
        return None;
    }
    Some(match tool {
        // Nobody could mend it, so it is no mistake of the project's.
        Some(tool) if build::same_but_memory(one, other) => Finding::warning(
            "snapshot_differs",
            "",
            format!(
                "two builds of the same sources made different bytes: {tool} takes a snapshot of a running interpreter, \
                 whose memory holds random seeds. The interpreter, imports, exports, manifest and form are the same; that memory, \
                 with the plugin's own code in it, can't be compared"
            ),
            "sign and publish one build; another one of the same sources has another digest",
        ),
        _ => Finding::error(
            "not_reproducible",
            "",
            "two builds of the same sources made different bytes",
            "take out what differs from run to run: times, random names, absolute paths, unlocked dependencies",
        ),
    })
}

/// Checks a component by itself.
///
/// # Errors
/// When it is no component, or the release before can't be read.
pub async fn component(bytes: &[u8], asked: &Check, runner: Options) -> Result<Outcome, Error> {
    let report = Report::of(bytes)?;
    let mut findings = report.findings.clone();
    match aistack_plugins::inspect(bytes, MAX_COMPONENT) {
        Err(refusal) => findings.extend(imports::refused(&refusal)),
        Ok(inspection) => {
            if let (Some(manifest), mut found) = manifest::lint(&inspection.manifest) {
                // A project's own text was judged already; a component's is all there is.
                if asked.wasm.is_some() {
                    findings.append(&mut found);
                    findings.extend(schema::lint(&inspection.config_schema, Some(&manifest)));
                }
                findings.extend(imports::declared_is_used(&manifest, &inspection));
            }
            // Types of functions, and whether it compiles within its limits, show only here.
            match Runner::start(bytes, runner).await {
                Ok(_) | Err(Error::Findings { .. }) => {}
                Err(Error::Refused(Refusal::Host(why))) => return Err(Error::Failed(why)),
                Err(Error::Refused(refusal)) => findings.extend(imports::refused(&refusal)),
                Err(e) => return Err(e),
            }
        }
    }
    if report.size > MAX_COMPONENT / 2 && report.refused.is_none() {
        findings.push(Finding::warning(
            "large",
            "",
            format!(
                "the component has {} KiB; {} KiB are the most",
                report.size >> 10,
                MAX_COMPONENT >> 10
            ),
            "smaller components load faster: opt-level = \"s\", lto, panic = \"abort\", strip",
        ));
    }
    let mut done = outcome(Some(report), findings);
    if let Some(old) = &asked.against {
        let before = std::fs::read(old).map_err(Error::file(old))?;
        let (changes, mut found) = against(&before, bytes)?;
        done.changes = Some(changes);
        done.findings.append(&mut found);
    }
    done.findings.sort_by_key(|f| f.severity);
    Ok(done)
}

fn outcome(component: Option<Report>, mut findings: Vec<Finding>) -> Outcome {
    findings.sort_by_key(|f| f.severity);
    Outcome {
        component,
        findings,
        changes: None,
        reproducible: None,
    }
}
