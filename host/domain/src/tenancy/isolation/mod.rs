//! The proof of isolation for operators: two canary tenants per strategy with the same things in them, of which one tries
//! everything to get at the other's; then one is erased and the other must not have changed. Every night and on demand.
//!
//! The canaries are never let in (`pending_approval`), so nobody can be routed into them, and leave the catalogue at the
//! end. What a crash leaves behind is removed by the next run.

mod canary;

use crate::{
    App, Ctx, Problem,
    audit::{self, Draft},
    tenancy::create::offered,
};
use aistack_core::{Isolation, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;

/// How often the platform proves it by itself.
const EVERY: Duration = Duration::from_secs(24 * 3600);
/// Reports that are kept.
const KEPT: usize = 31;
const SETTING: &str = "isolation/reports";

/// One thing that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// The strategy, by which both canaries were kept.
    pub isolation: Isolation,
    /// What was tried, in `snake_case`.
    pub name: String,
    /// Whether the canary was safe.
    pub holds: bool,
    /// What was found, for people.
    pub found: String,
}

/// What a run found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// When it began.
    pub at: Timestamp,
    /// How long it took, milliseconds.
    pub took_ms: u64,
    /// Whether everything held.
    pub holds: bool,
    /// `sqlite` or `postgres`.
    pub store: String,
    /// What was tried, strategy by strategy.
    pub checks: Vec<Check>,
}

/// The reports there are, newest first.
///
/// # Errors
/// As the store.
pub async fn reports(app: &App) -> Result<Vec<Report>, Problem> {
    let text = app.store.platform_read().await?.settings().get(SETTING).await?;
    text.map_or_else(
        || Ok(Vec::new()),
        |text| serde_json::from_slice(&text).map_err(|e| Problem::internal(format!("stored reports: {e}"))),
    )
}

/// Proves the isolation of every strategy the store offers, and keeps the report.
///
/// # Errors
/// When the platform's store fails, or another run holds the canaries; a strategy that can't be tried is a check that
/// does not hold.
pub async fn verify(app: &App, ctx: &Ctx) -> Result<Report, Problem> {
    let Ok(_alone) = app.verifying.try_lock() else {
        return Err(Problem::new(
            aistack_core::ProblemKind::Conflict,
            "the isolation is being verified at this moment; its report is there in a few seconds",
        ));
    };
    canary::sweep(app).await?;
    let (at, began) = (app.clock.now(), app.clock.monotonic());
    let mut checks = Vec::new();
    for isolation in offered(app.store.backend()) {
        let outcome = canary::prove(app, *isolation).await;
        let found = outcome.unwrap_or_else(|problem| {
            vec![Check {
                isolation: *isolation,
                name: "tried".to_owned(),
                holds: false,
                found: format!("the proof could not be carried out: {problem}"),
            }]
        });
        checks.extend(found);
    }
    canary::sweep(app).await?;
    let report = Report {
        at,
        took_ms: u64::try_from(app.clock.monotonic().saturating_sub(began).as_millis()).unwrap_or(u64::MAX),
        holds: checks.iter().all(|c| c.holds),
        store: app.store.backend().to_owned(),
        checks,
    };
    if !report.holds {
        let broken: Vec<_> = report.checks.iter().filter(|c| !c.holds).map(|c| &c.name).collect();
        tracing::error!(?broken, "the isolation of tenants does not hold");
    }
    keep(app, ctx, &report).await?;
    Ok(report)
}

async fn keep(app: &App, ctx: &Ctx, report: &Report) -> Result<(), Problem> {
    let mut all = reports(app).await?;
    all.insert(0, report.clone());
    all.truncate(KEPT);
    let text = serde_json::to_vec(&all).map_err(|e| Problem::internal(e.to_string()))?;
    let mut tx = app.store.platform().await?;
    tx.settings().put(SETTING, &text, app.clock.now()).await?;
    let details = json!({
        "holds": report.holds, "checks": report.checks.len(),
        "broken": report.checks.iter().filter(|c| !c.holds).map(|c| &c.name).collect::<Vec<_>>(),
    });
    let draft = Draft::new("isolation.verified", "platform", "isolation").details(details);
    audit::commit_platform(app, tx, ctx, draft).await
}

/// Proves it when the last report is a day old.
///
/// # Errors
/// As [`verify`].
pub async fn verify_if_due(app: &App) -> Result<(), Problem> {
    let last = reports(app).await?.first().map(|r| r.at);
    if last.is_some_and(|at| app.clock.now().since(at) < EVERY) {
        return Ok(());
    }
    verify(app, &Ctx::system(None)).await.map(|_| ())
}
