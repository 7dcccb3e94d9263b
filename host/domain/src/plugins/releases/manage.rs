//! Starting and finding releases; they are kept in the platform's settings.

use super::{By, Mode, Release, State, end, promote, refresh};
use crate::{
    App, Ctx, FieldError, Problem, audit,
    plugins::{trust, trust::TrustError},
};
use aistack_core::{JobId, ProblemKind};
use aistack_store::{PlatformTx, PluginVersion};
use serde_json::json;

const PREFIX: &str = "plugins.release/";
/// Names the running release of a plugin: at most one.
pub(super) const RUNNING: &str = "plugins.releasing/";

/// A release to be started.
#[derive(Debug, Clone)]
pub struct NewRelease {
    /// Plugin.
    pub plugin_id: String,
    /// Candidate.
    pub to: String,
    /// Version in use; the highest below the candidate when left out.
    pub from: Option<String>,
    /// What is done with it.
    pub mode: Mode,
    /// What the share is of.
    pub by: By,
    /// Share, per mille.
    pub share: u16,
    /// Most failures beyond those of the version in use, per mille.
    pub max_errors: u16,
    /// Calls before it is judged.
    pub min_calls: u64,
}

/// Releases of one plugin that are remembered.
const KEPT: usize = 50;

pub(super) fn setting(id: &str) -> String {
    format!("{PREFIX}{id}")
}

pub(super) fn read(bytes: &[u8]) -> Result<Release, Problem> {
    serde_json::from_slice(bytes).map_err(|e| Problem::internal(format!("stored release: {e}")))
}

/// A release.
///
/// # Errors
/// `not_found`, or as the store.
pub async fn get(app: &App, id: &str) -> Result<Release, Problem> {
    let stored = app.store.platform_read().await?.settings().get(&setting(id)).await?;
    read(&stored.ok_or_else(|| Problem::not_found("release"))?)
}

/// All releases of all plugins.
pub(super) async fn all(app: &App) -> Result<Vec<Release>, Problem> {
    let rows = app.store.platform_read().await?.settings().with_prefix(PREFIX).await?;
    rows.iter().map(|(_, bytes)| read(bytes)).collect()
}

/// All releases of a plugin, newest first.
///
/// # Errors
/// As the store.
pub async fn list(app: &App, plugin_id: &str) -> Result<Vec<Release>, Problem> {
    let mut all = all(app).await?;
    all.retain(|r| r.plugin_id == plugin_id);
    all.sort_by(|a, b| (b.started_at, &b.id).cmp(&(a.started_at, &a.id)));
    Ok(all)
}

fn version(row: &PluginVersion) -> Option<semver::Version> {
    semver::Version::parse(&row.version).ok()
}

/// The two versions a release is about.
fn versions(rows: &[PluginVersion], new: &NewRelease) -> Result<(PluginVersion, PluginVersion), Problem> {
    let find = |wanted: &str, at: &str| {
        rows.iter().find(|r| r.version == wanted).cloned().ok_or_else(|| {
            Problem::invalid(vec![
                FieldError::new(
                    at,
                    "not_found",
                    format!("version {wanted:?} of {} is not installed", new.plugin_id),
                )
                .hint("install it first: aistack plugin install"),
            ])
        })
    };
    let to = find(&new.to, "/to")?;
    let from = match &new.from {
        Some(from) => find(from, "/from")?,
        None => rows
            .iter()
            .filter(|r| version(r) < version(&to))
            .max_by_key(|r| version(r))
            .cloned()
            .ok_or_else(|| {
                Problem::invalid(vec![
                    FieldError::new("/from", "required", "no version below the candidate is installed")
                        .hint("name the version in use with `from`"),
                ])
            })?,
    };
    if from.digest == to.digest {
        return Err(Problem::invalid(vec![FieldError::new(
            "/from",
            "not_allowed",
            "a release leads from one version to another",
        )]));
    }
    Ok((from, to))
}

/// Starts a release.
///
/// # Errors
/// `validation_failed`, `plugin_refused` for a candidate that is not trusted, `conflict` while another release of the
/// plugin runs or when a release to all fails its health check; or as the stores.
pub async fn start(app: &App, ctx: &Ctx, new: NewRelease) -> Result<Release, Problem> {
    let mut wrong = Vec::new();
    if new.share > 1000 || (new.mode == Mode::Canary && new.share == 0) {
        wrong.push(
            FieldError::new(
                "/share",
                "required",
                "a canary answers a share of more than 0 and at most 100 %",
            )
            .hint("e.g. \"5%\""),
        );
    }
    if new.max_errors > 1000 {
        wrong.push(FieldError::new("/max_error_rate", "too_large", "a rate is at most 100 %").hint("e.g. \"5%\""));
    }
    if !wrong.is_empty() {
        return Err(Problem::invalid(wrong));
    }
    let rows = app
        .store
        .platform_read()
        .await?
        .plugins()
        .versions(&new.plugin_id)
        .await?;
    let (from, to) = versions(&rows, &new)?;
    if let Some(why) = app.held.reason(&to.digest) {
        return Err(TrustError::Quarantined(why).into());
    }
    trust::demand(app, &to.digest, app.config.plugin_trust).await?;
    let release = Release {
        id: format!("rel_{}", JobId::new(&*app.clock, &*app.rng).0.simple()),
        plugin_id: new.plugin_id,
        from_version: from.version,
        from_digest: from.digest,
        to_version: to.version,
        to_digest: to.digest,
        mode: new.mode,
        by: new.by,
        share: new.share,
        max_errors: new.max_errors,
        min_calls: new.min_calls.max(1),
        state: State::Running,
        reason: None,
        started_at: app.clock.now(),
        ended_at: None,
    };
    let before = list(app, &release.plugin_id).await?;
    let mut tx = app.store.platform().await?;
    let guard = format!("{RUNNING}{}", release.plugin_id);
    if !tx
        .settings()
        .put_new(&guard, release.id.as_bytes(), release.started_at)
        .await?
    {
        return Err(
            Problem::new(ProblemKind::Conflict, "another release of this plugin is running")
                .with("reason", "release_running")
                .hint("promote, roll back or cancel it first: aistack plugin releases"),
        );
    }
    put(app, &mut *tx, &release).await?;
    for old in before.iter().skip(KEPT) {
        tx.settings().remove(&setting(&old.id)).await?;
    }
    for digest in [&release.from_digest, &release.to_digest] {
        if tx.plugins().find_by_digest(digest).await?.is_none() {
            return Err(Problem::not_found("plugin"));
        }
    }
    audit::commit_platform(app, tx, ctx, draft("plugin.release_started", &release)).await?;
    refresh(app).await?;
    if release.mode == Mode::All {
        return match promote(app, ctx, &release.id).await {
            Ok(promoted) => Ok(promoted),
            Err(problem) => {
                end(app, ctx, &release.id, State::Cancelled, &problem.detail).await?;
                Err(problem)
            }
        };
    }
    Ok(release)
}

/// Whether a running release is about this version: it must stay as long.
pub(in crate::plugins) async fn on_trial(tx: &mut dyn PlatformTx, version: &PluginVersion) -> Result<bool, Problem> {
    let Some(id) = tx.settings().get(&format!("{RUNNING}{}", version.plugin_id)).await? else {
        return Ok(false);
    };
    let stored = tx.settings().get(&setting(&String::from_utf8_lossy(&id))).await?;
    let release = stored.map(|bytes| read(&bytes)).transpose()?;
    Ok(release.is_some_and(|r| r.to_digest == version.digest || r.from_digest == version.digest))
}

pub(super) fn draft(action: &'static str, r: &Release) -> audit::Draft {
    audit::Draft::new(action, "release", &r.id).details(json!({
        "plugin_id": r.plugin_id, "from": r.from_version, "to": r.to_version, "mode": r.mode, "by": r.by,
        "share": r.share, "state": r.state, "reason": r.reason,
    }))
}

pub(super) async fn put(app: &App, tx: &mut dyn PlatformTx, release: &Release) -> Result<(), Problem> {
    let bytes = serde_json::to_vec(release).map_err(|e| Problem::internal(e.to_string()))?;
    Ok(tx
        .settings()
        .put(&setting(&release.id), &bytes, app.clock.now())
        .await?)
}
