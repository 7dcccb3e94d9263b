//! Components that lie in a folder.

use super::SourceKind;
use crate::{
    App, Ctx, Problem,
    plugins::{
        catalogue::{self, Listed},
        releases::{self, By, Mode, NewRelease},
        trust::Terms,
    },
};
use aistack_core::ProblemKind;
use sha2::{Digest, Sha256};

/// Installs a component that was found in a folder, unless it is there; what came of it is kept under the file's name.
/// `signatures` are the detached ones that lie beside it.
///
/// # Errors
/// As [`catalogue::install`].
pub async fn offer(
    app: &App,
    kind: SourceKind,
    name: &str,
    component: &[u8],
    signatures: Option<String>,
) -> Result<Listed, Problem> {
    let terms = Terms {
        signatures,
        source: Some(format!("{}:{name}", kind.as_str())),
        ..Terms::default()
    };
    let came = catalogue::install(app, &Ctx::system(None), component, &terms).await;
    let digest = hex::encode(Sha256::digest(component));
    app.sources.tell((kind, name), Some(digest), &came, app.clock.now());
    came
}

/// Leads the installations of lower versions of a plugin to a version from a folder, as a release to all does: what is
/// pinned stays, what asks for more waits for consent, and nothing changes where the new version is not well. How many
/// versions were left.
///
/// # Errors
/// As [`releases::start`], for the first version that can't be left.
pub async fn upgrade(app: &App, listed: &Listed) -> Result<usize, Problem> {
    let id = &listed.version.plugin_id;
    let number = |text: &str| semver::Version::parse(text).ok();
    let to = number(&listed.version.version);
    let mut in_use = Vec::new();
    {
        let mut read = app.store.platform_read().await?;
        for row in read.plugins().versions(id).await? {
            if number(&row.version) < to && read.plugins().uses(&row.digest).await? > 0 {
                in_use.push(row.version);
            }
        }
    }
    for from in &in_use {
        let new = NewRelease {
            plugin_id: id.clone(),
            to: listed.version.version.clone(),
            from: Some(from.clone()),
            mode: Mode::All,
            by: By::Tenants,
            share: 1000,
            max_errors: 50,
            min_calls: 20,
        };
        releases::start(app, &Ctx::system(None), new).await?;
    }
    Ok(in_use.len())
}

/// Keeps that a file could not even be offered: too large, or not readable. It stands in the audit log like any other
/// refusal.
///
/// # Errors
/// Always: with the refusal itself, or with why it can't be written to the audit log.
pub async fn refuse_file(app: &App, kind: SourceKind, name: &str, problem: Problem) -> Result<Listed, Problem> {
    if problem.kind == ProblemKind::PluginRefused {
        let source = format!("{}:{name}", kind.as_str());
        catalogue::record_refusal(app, &Ctx::system(None), &problem, None, Some(&source)).await?;
    }
    let came = Err(problem);
    app.sources.tell((kind, name), None, &came, app.clock.now());
    came
}
