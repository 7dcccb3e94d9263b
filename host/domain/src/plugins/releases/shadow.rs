//! Running a candidate beside the version in use, for what has no effects, and keeping where its answers differ: checks
//! of configurations, and reports, which read and write files that are thrown away. What talks to a provider is not run
//! twice.

use super::{Mode, Running};
use crate::{
    App, TenantCtx,
    plugins::{
        calls::{self, Loaded, ProducedFile},
        error::clean,
        port::{Fault, Finding, Invocation, JournalMode, Lane, PluginKind},
    },
    reports,
};
use aistack_core::{InstallationId, Timestamp};
use aistack_store::ReportRun;
use serde::Serialize;
use serde_json::{Value, json};
use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

/// Differences kept per release.
const KEPT: usize = 1_000;
/// How long whoever asked waits for the comparison.
const PATIENCE: Duration = Duration::from_secs(2);
/// Longest answer that is kept, characters.
const LONGEST: usize = 4_000;

/// Where a candidate answered otherwise.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diff {
    /// When.
    pub at: Timestamp,
    /// Slug of the tenant.
    pub tenant: String,
    /// Installation.
    pub installation: InstallationId,
    /// Operation.
    pub operation: &'static str,
    /// What the version in use answered.
    pub was: Value,
    /// What the candidate answered.
    pub would: Value,
}

/// An answer of a check, as it is compared.
fn comparable(answer: &Result<Vec<Finding>, Fault>) -> Value {
    match answer {
        Ok(findings) => json!(
            findings
                .iter()
                .take(100)
                .map(|f| json!({ "field": f.field, "ok": f.ok, "message": clean(&f.message, 500) }))
                .collect::<Vec<_>>()
        ),
        Err(fault) => json!({ "fault": clean(&fault.code, 100), "kind": fault.kind }),
    }
}

fn short(value: Value) -> Value {
    let text = value.to_string();
    if text.len() <= LONGEST {
        value
    } else {
        Value::String(text.chars().take(LONGEST).collect())
    }
}

/// Has the candidate of a shadow release make the same check, and keeps a difference. A check that is not deep reads
/// the config and nothing else, so running it twice does nothing twice.
pub(in crate::plugins) async fn compare(
    app: &App,
    t: &TenantCtx,
    loaded: &Arc<Loaded>,
    answer: &Result<Vec<Finding>, Fault>,
) {
    let Some((running, variant)) = beside(app, t, loaded).await else {
        return;
    };
    let inv = Invocation {
        lane: Lane::Shadow,
        journal: JournalMode::Off,
        ..calls::check_invocation(app, t, &variant)
    };
    let Ok(would) = tokio::time::timeout(PATIENCE, app.runtime.check(inv, false)).await else {
        return;
    };
    running.judge(
        app,
        t,
        loaded,
        "lifecycle.check",
        (comparable(answer), comparable(&would)),
    );
}

/// The shadow release an installation is part of, and the installation as its candidate sees it.
async fn beside(app: &App, t: &TenantCtx, loaded: &Loaded) -> Option<(Arc<Running>, Arc<Loaded>)> {
    let of = |r: &&Arc<Running>| {
        r.release.mode == Mode::Shadow && *r.release.from_digest == *loaded.digest && loaded.installation.pinned == 0
    };
    let running = app.releases.running().iter().find(of).cloned()?;
    let variant = running.variant(app, t, loaded, false).await?;
    Some((running, variant))
}

/// A report, as it is compared.
fn made(summary: &Value, files: &[ProducedFile]) -> Value {
    let file =
        |f: &ProducedFile| json!({ "name": f.name, "media_type": f.media_type, "bytes": f.bytes, "sha256": f.sha256 });
    json!({ "summary": summary, "files": files.iter().map(file).collect::<Vec<_>>() })
}

/// Has the candidate of a shadow release make the same report, keeps a difference, and throws its files away.
pub(crate) async fn compare_report(app: &App, t: &TenantCtx, run: &ReportRun, summary: &Value, files: &[ProducedFile]) {
    let kind = Some(PluginKind::Report);
    let Ok(loaded) = calls::load(app, t, run.installation_id, kind).await else {
        return;
    };
    let Some((running, variant)) = beside(app, t, &loaded).await else {
        return;
    };
    let context = Arc::new(reports::context(app, t, Some(run.id)));
    let inv = Invocation {
        lane: Lane::Shadow,
        journal: JournalMode::Off,
        ..calls::run_invocation(app, t, &variant, Arc::clone(&context), 1)
    };
    let would = app.runtime.report().run(inv, reports::request_of(run)).await;
    let thrown_away = context.take_files();
    let would = match would {
        Ok(summary) => made(&summary, &thrown_away),
        Err(fault) => json!({ "fault": clean(&fault.code, 100), "kind": fault.kind }),
    };
    reports::discard(app, &thrown_away).await;
    running.judge(app, t, &loaded, "generator.run", (made(summary, files), would));
}

impl Running {
    /// Keeps a difference if there is one.
    fn judge(&self, app: &App, t: &TenantCtx, loaded: &Loaded, operation: &'static str, (was, would): (Value, Value)) {
        if was != would {
            self.keep(Diff {
                at: app.clock.now(),
                tenant: t.scope.slug().to_owned(),
                installation: loaded.installation.id,
                operation,
                was: short(was),
                would: short(would),
            });
        }
    }

    fn keep(&self, diff: Diff) {
        let mut diffs = self.diffs.lock().unwrap_or_else(PoisonError::into_inner);
        if diffs.len() == KEPT {
            diffs.pop_front();
        }
        diffs.push_back(diff);
    }
}
