//! Components that lie in a folder.

use super::SourceKind;
use crate::{
    App, Ctx, Problem,
    plugins::{
        catalogue::{self, Listed},
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
