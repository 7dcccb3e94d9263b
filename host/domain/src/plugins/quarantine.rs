//! Components taken out of service: by an operator, or because they crash again and again. Nobody is called with them,
//! calls in flight end, and nobody can change to them until somebody lifts it.

use super::{
    catalogue::{self, Listed},
    port::{CallOutcome, CallReceipt},
};
use crate::{App, Ctx, FieldError, Problem, audit};
use aistack_core::PluginVersionId;
use arc_swap::ArcSwap;
use serde_json::json;
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

const PREFIX: &str = "plugins.quarantine/";
/// So many crashes …
const CRASHES: usize = 20;
/// … within this time take a component out of service.
const WITHIN: Duration = Duration::from_secs(600);
/// Components whose crashes are counted.
const COUNTED: usize = 1_000;
/// Longest reason.
const LONGEST: usize = 500;

/// What is out of service, in memory: every call asks.
#[derive(Debug, Default)]
pub struct Held {
    now: ArcSwap<HashMap<String, String>>,
    crashes: Mutex<HashMap<Arc<str>, VecDeque<Duration>>>,
    /// One reads them at a time: what was read earlier must not be put in force later.
    refreshing: tokio::sync::Mutex<()>,
}

impl Held {
    /// Why a component is out of service, if it is.
    #[must_use]
    pub fn reason(&self, digest: &str) -> Option<String> {
        self.now.load().get(digest).cloned()
    }

    /// Counts a crash.
    pub(super) fn note(&self, receipt: &CallReceipt, now: Duration) {
        if receipt.outcome != CallOutcome::Trap {
            return;
        }
        let mut all = self.crashes.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.contains_key(&receipt.digest) && all.len() >= COUNTED {
            return;
        }
        let times = all.entry(Arc::clone(&receipt.digest)).or_default();
        times.push_back(now);
        if times.len() > CRASHES {
            times.pop_front();
        }
    }

    /// Components that crash too often, each once.
    fn crashing(&self, now: Duration) -> Vec<Arc<str>> {
        let mut all = self.crashes.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, times| times.back().is_some_and(|last| now.saturating_sub(*last) < WITHIN));
        let often = |times: &VecDeque<Duration>| {
            times.len() == CRASHES && times.front().is_some_and(|first| now.saturating_sub(*first) < WITHIN)
        };
        let found: Vec<_> = all
            .iter()
            .filter(|(_, t)| often(t))
            .map(|(d, _)| Arc::clone(d))
            .collect();
        for digest in &found {
            all.remove(digest);
        }
        found
    }
}

/// Reads what is out of service; calls in flight of what is new there end.
///
/// # Errors
/// As the store.
pub async fn refresh(app: &App) -> Result<(), Problem> {
    let _one = app.held.refreshing.lock().await;
    let rows = app.store.platform_read().await?.settings().with_prefix(PREFIX).await?;
    let held: HashMap<String, String> = rows
        .into_iter()
        .map(|(name, why)| {
            (
                name[PREFIX.len()..].to_owned(),
                String::from_utf8_lossy(&why).into_owned(),
            )
        })
        .collect();
    let before = app.held.now.swap(Arc::new(held.clone()));
    for digest in held.keys().filter(|d| !before.contains_key(*d)) {
        app.calls.end_component(digest, "quarantined");
    }
    Ok(())
}

/// Takes components out of service that crash too often.
///
/// # Errors
/// As the store.
pub(super) async fn judge(app: &App) -> Result<(), Problem> {
    for digest in app.held.crashing(app.clock.monotonic()) {
        let row = app
            .store
            .platform_read()
            .await?
            .plugins()
            .find_by_digest(&digest)
            .await?;
        if let Some(row) = row
            && app.held.reason(&digest).is_none()
        {
            let why = format!("it crashed {CRASHES} times within {} minutes", WITHIN.as_secs() / 60);
            tracing::error!(plugin = %row.plugin_id, version = %row.version, "{why}: taken out of service");
            set(app, &Ctx::system(None), row.id, &why).await?;
        }
    }
    Ok(())
}

/// Takes a version out of service.
///
/// # Errors
/// `not_found`, `validation_failed`, or as the store.
pub async fn set(app: &App, ctx: &Ctx, id: PluginVersionId, reason: &str) -> Result<Listed, Problem> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > LONGEST || reason.chars().any(char::is_control) {
        return Err(Problem::invalid(vec![
            FieldError::new("/reason", "format", format!("a reason has 1 to {LONGEST} characters"))
                .hint("say what tenants should know: they see it"),
        ]));
    }
    write(app, ctx, id, Some(reason)).await
}

/// Puts a version back into service.
///
/// # Errors
/// `not_found`, or as the store.
pub async fn lift(app: &App, ctx: &Ctx, id: PluginVersionId) -> Result<Listed, Problem> {
    write(app, ctx, id, None).await
}

async fn write(app: &App, ctx: &Ctx, id: PluginVersionId, reason: Option<&str>) -> Result<Listed, Problem> {
    let mut tx = app.store.platform().await?;
    let row = tx
        .plugins()
        .get(id)
        .await?
        .ok_or_else(|| Problem::not_found("plugin"))?;
    let name = format!("{PREFIX}{}", row.digest);
    let action = match reason {
        Some(reason) => {
            tx.settings().put(&name, reason.as_bytes(), app.clock.now()).await?;
            "plugin.quarantined"
        }
        None => {
            tx.settings().remove(&name).await?;
            "plugin.quarantine_lifted"
        }
    };
    let details = json!({ "plugin_id": row.plugin_id, "version": row.version, "digest": row.digest, "reason": reason });
    audit::commit_platform(app, tx, ctx, audit::Draft::new(action, "plugin", id).details(details)).await?;
    refresh(app).await?;
    catalogue::get(app, id).await
}
