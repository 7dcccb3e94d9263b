//! What every plugin has to keep, whatever provider it speaks to and whatever it is written in: a suite per world, run
//! on the component by the platform's own runtime. The provider's side comes from `tests/fixtures.toml`.

mod delivery;
mod fixtures;
mod identity;
mod junit;
mod lifecycle;
mod payment;
mod peer;
mod report;
mod stage;

pub use fixtures::Fixtures;
pub use junit::junit;
pub use peer::ScriptedPeer;

use crate::{
    Error,
    project::Settings,
    run::{Options, Runner, StagedClock},
};
use aistack_domain::plugins::port::PluginKind;
use serde::Serialize;
use std::{
    future::Future,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// How a case ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", content = "why", rename_all = "lowercase")]
pub enum Outcome {
    /// As it has to be.
    Passed,
    /// Not so, and why.
    Failed(String),
    /// It could not be tried, and why.
    Skipped(String),
}

/// One case.
#[derive(Debug, Clone, Serialize)]
pub struct Case {
    /// The same for every language and plugin, e.g. `payment.create.works`.
    pub id: String,
    /// What has to hold.
    pub title: String,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// How long it took, in microseconds.
    pub took_us: u64,
}

/// A suite that was run.
#[derive(Debug, Clone, Serialize)]
pub struct Results {
    /// The plugin, `id version`.
    pub plugin: String,
    /// The world.
    pub world: String,
    /// The cases in the order in which they ran.
    pub cases: Vec<Case>,
    /// Cases by outcome.
    pub passed: usize,
    /// See `passed`.
    pub failed: usize,
    /// See `passed`.
    pub skipped: usize,
}

/// Why a case ends before its end.
#[derive(Debug)]
pub(crate) enum Trouble {
    Failed(String),
    Skipped(String),
}

impl From<Error> for Trouble {
    fn from(e: Error) -> Self {
        Self::Failed(e.to_string())
    }
}

pub(crate) type Verdict = Result<(), Trouble>;

/// Ends the case unless it holds.
pub(crate) fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Verdict {
    if holds {
        Ok(())
    } else {
        Err(Trouble::Failed(otherwise()))
    }
}

/// What the cases run with.
pub(crate) struct Suite {
    pub(crate) runner: Runner,
    pub(crate) fixtures: Fixtures,
    pub(crate) settings: Settings,
    pub(crate) dir: PathBuf,
    pub(crate) clock: Arc<StagedClock>,
    /// None when requests go out for real.
    pub(crate) peer: Option<Arc<ScriptedPeer>>,
    prefix: String,
    cases: Mutex<Vec<Case>>,
}

impl Suite {
    /// Runs one case from a clean start.
    pub(crate) async fn case(&self, id: impl Into<String>, title: &str, case: impl Future<Output = Verdict>) {
        let id = id.into();
        if !id.starts_with(&self.prefix) {
            return;
        }
        self.clock.reset();
        if let Some(peer) = &self.peer {
            peer.reset();
        }
        let start = self.runner.clock().monotonic();
        let outcome = match case.await {
            Ok(()) => Outcome::Passed,
            Err(Trouble::Failed(why)) => Outcome::Failed(why),
            Err(Trouble::Skipped(why)) => Outcome::Skipped(why),
        };
        let took = self.runner.clock().monotonic().saturating_sub(start);
        self.cases.lock().unwrap_or_else(PoisonError::into_inner).push(Case {
            id,
            title: title.to_owned(),
            outcome,
            took_us: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        });
    }

    /// The peer, for cases that can't do without.
    pub(crate) fn peer(&self) -> Result<&ScriptedPeer, Trouble> {
        let none = || Trouble::Skipped("requests go to the network, where nobody listens in".to_owned());
        self.peer.as_deref().ok_or_else(none)
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }
}

/// Runs the suite of the component's world. `prefix` restricts it to cases whose ids begin with it.
///
/// # Errors
/// When the component can't be loaded or the fixtures don't fit the plugin. Failed cases are in the results.
pub async fn run(
    component: &[u8],
    fixtures: Fixtures,
    dir: &Path,
    prefix: &str,
    options: Options,
) -> Result<Results, Error> {
    let clock = Arc::new(StagedClock::new(options.clock));
    let peer = (!fixtures.network).then(|| Arc::new(ScriptedPeer::new(&fixtures, Arc::clone(&clock))));
    let runner = Options {
        clock: Arc::clone(&clock) as _,
        peer: peer.clone().map(|p| p as _),
        ..options
    };
    let runner = Runner::start(component, runner).await?;
    let settings = fixtures.settings();
    let suite = Suite {
        runner,
        settings,
        dir: dir.to_owned(),
        clock,
        peer,
        prefix: prefix.to_owned(),
        cases: Mutex::default(),
        fixtures,
    };
    // Settings that can't work would fail every case in the same words.
    stage::Stage::new(&suite).map_err(|e| match e {
        Trouble::Failed(why) | Trouble::Skipped(why) => Error::Failed(format!("tests/fixtures.toml: {why}")),
    })?;
    suite.runner.invocation(
        &suite.settings,
        dir,
        &crate::run::Platform::new(&suite.settings)?,
        aistack_domain::plugins::manifest::CallClass::Ordinary,
    )?;
    lifecycle::run(&suite).await;
    match suite.runner.kind() {
        PluginKind::Identity => identity::run(&suite).await,
        PluginKind::Payment => payment::run(&suite).await,
        PluginKind::Report => report::run(&suite).await,
    }
    let loaded = suite.runner.loaded();
    let manifest = &loaded.manifest;
    let (plugin, world) = (
        format!("{} {}", manifest.id, manifest.version),
        suite.runner.kind().to_string(),
    );
    let cases = suite.cases.into_inner().unwrap_or_else(PoisonError::into_inner);
    let count = |f: &dyn Fn(&Outcome) -> bool| cases.iter().filter(|c| f(&c.outcome)).count();
    Ok(Results {
        plugin,
        world,
        passed: count(&|o| *o == Outcome::Passed),
        failed: count(&|o| matches!(o, Outcome::Failed(_))),
        skipped: count(&|o| matches!(o, Outcome::Skipped(_))),
        cases,
    })
}
