//! How releases end: promoted, taken back, cancelled.

use super::{
    Release, State,
    manage::{RUNNING, draft, get, list, put, read, setting},
    promote::change_back,
    refresh,
};
use crate::{App, Ctx, Problem, audit};
use aistack_core::ProblemKind;
use aistack_store::PlatformTx;

/// Writes the end of a release into a transaction; `None` when it does not stand where it was thought to.
pub(super) async fn ended(
    app: &App,
    tx: &mut dyn PlatformTx,
    id: &str,
    (from, state): (State, State),
    reason: &str,
) -> Result<Option<(Release, audit::Draft)>, Problem> {
    let stored = tx.settings().get(&setting(id)).await?;
    let before = read(&stored.ok_or_else(|| Problem::not_found("release"))?)?;
    if before.state != from {
        return Ok(None);
    }
    let release = Release {
        state,
        reason: Some(reason.chars().take(500).collect()),
        ended_at: Some(app.clock.now()),
        ..before
    };
    put(app, tx, &release).await?;
    if from == State::Running {
        tx.settings().remove(&format!("{RUNNING}{}", release.plugin_id)).await?;
    }
    let action = match state {
        State::Promoted => "plugin.promoted",
        State::RolledBack => "plugin.rolled_back",
        State::Running | State::Cancelled => "plugin.release_cancelled",
    };
    let draft = draft(action, &release);
    Ok(Some((release, draft)))
}

/// Ends a running release: calls go to the version in use again, at once.
///
/// # Errors
/// `not_found`, `conflict` when it has ended, or as the store.
pub async fn end(app: &App, ctx: &Ctx, id: &str, state: State, reason: &str) -> Result<Release, Problem> {
    let mut tx = app.store.platform().await?;
    let Some((release, draft)) = ended(app, &mut *tx, id, (State::Running, state), reason).await? else {
        return Err(not_running());
    };
    audit::commit_platform(app, tx, ctx, draft).await?;
    refresh(app).await?;
    Ok(release)
}

/// Takes a candidate back: on trial, calls go to the version in use again, at once; promoted, its installations change
/// back in the background, each to the config and grants it had.
///
/// # Errors
/// `not_found`; `conflict` when it has come to nothing before, or a later release of the plugin was started since; or as
/// the store.
pub async fn take_back(app: &App, ctx: &Ctx, id: &str, reason: &str) -> Result<Release, Problem> {
    let release = get(app, id).await?;
    match release.state {
        State::Running => return end(app, ctx, id, State::RolledBack, reason).await,
        State::Promoted => {}
        State::RolledBack | State::Cancelled => return Err(not_running()),
    }
    let newest = list(app, &release.plugin_id)
        .await?
        .into_iter()
        .find(|r| r.state != State::Cancelled);
    if newest.is_some_and(|r| r.id != release.id) {
        return Err(Problem::new(
            ProblemKind::Conflict,
            "a later release of this plugin was started since",
        )
        .with("reason", "release_superseded")
        .hint("take the later one back first, or release the version you want"));
    }
    let mut tx = app.store.platform().await?;
    let found = ended(app, &mut *tx, id, (State::Promoted, State::RolledBack), reason).await?;
    let (release, draft) = found.ok_or_else(not_running)?;
    tx.jobs().enqueue(&change_back(app, &release)?).await?;
    audit::commit_platform(app, tx, ctx, draft).await?;
    refresh(app).await?;
    app.job_signal.notify_one();
    Ok(release)
}

pub(super) fn not_running() -> Problem {
    Problem::new(ProblemKind::Conflict, "this release has ended").with("reason", "release_ended")
}
