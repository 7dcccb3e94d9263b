//! Components on this node: fetched from the store when another node installed them, kept for a moment after they were
//! removed, so that a call that has been prepared still finds its component.

use super::Calls;
use crate::{
    App, Problem,
    plugins::{catalogue, policy, quarantine, releases},
};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// How long a removed component stays callable: longer than any call waits in a queue.
const RETIRED_FOR: Duration = Duration::from_secs(30);
/// How long a component that can't be made callable is not tried again.
const AGAIN_AFTER: Duration = Duration::from_secs(5);
/// How often calls in flight are compared with the store, for changes made by other nodes.
const EVERY: Duration = Duration::from_millis(250);

/// Components that come and go.
#[derive(Debug, Default)]
pub(super) struct Ready {
    /// One component is fetched at a time; the others find it there.
    fetching: tokio::sync::Mutex<()>,
    /// Those that could not be made callable: since when, and why. Trying costs too much to do it for every call.
    failed: Mutex<HashMap<String, (Duration, String)>>,
    retired: Mutex<Vec<(String, Duration)>>,
}

/// Makes a component callable on this node if it is not.
///
/// # Errors
/// Why it can't be.
pub(crate) async fn ensure(app: &App, digest: &str) -> Result<(), String> {
    let ready = &app.calls.ready;
    if app.runtime.has(digest) {
        return Ok(());
    }
    let _one = ready.fetching.lock().await;
    if app.runtime.has(digest) {
        return Ok(());
    }
    let now = app.clock.monotonic();
    let lately = ready.failures(|all| {
        all.retain(|_, (since, _)| now.saturating_sub(*since) < AGAIN_AFTER);
        all.get(digest).map(|(_, why)| why.clone())
    });
    if let Some(why) = lately {
        return Err(why);
    }
    tracing::info!(digest, "fetching a component that this node does not have yet");
    let fetched = catalogue::restore(app, digest).await;
    if let Err(why) = &fetched {
        ready.failures(|all| all.insert(digest.to_owned(), (now, why.clone())));
    }
    fetched
}

impl Calls {
    /// Lets go of a component after a while.
    pub(crate) fn retire(&self, digest: String, now: Duration) {
        self.ready.list(|retired| retired.push((digest, now)));
    }
}

impl Ready {
    fn failures<T>(&self, f: impl FnOnce(&mut HashMap<String, (Duration, String)>) -> T) -> T {
        f(&mut self.failed.lock().unwrap_or_else(PoisonError::into_inner))
    }
    fn list<T>(&self, f: impl FnOnce(&mut Vec<(String, Duration)>) -> T) -> T {
        f(&mut self.retired.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Forgets components that were removed a while ago and have not come back.
async fn sweep(app: &App) -> Result<(), Problem> {
    let now = app.clock.monotonic();
    let due: Vec<String> = app.calls.ready.list(|retired| {
        let (due, wait) = std::mem::take(retired)
            .into_iter()
            .partition(|(_, since)| now.saturating_sub(*since) >= RETIRED_FOR);
        *retired = wait;
        Vec::<(String, Duration)>::into_iter(due)
            .map(|(digest, _)| digest)
            .collect()
    });
    for digest in due {
        let listed = app
            .store
            .platform_read()
            .await?
            .plugins()
            .find_by_digest(&digest)
            .await?;
        if listed.is_none() {
            app.runtime.forget(&digest).await;
        }
    }
    Ok(())
}

/// Takes out of service what crashes too often, and hears what other nodes took.
async fn look_around(app: &App, shared: bool) -> Result<(), Problem> {
    quarantine::judge(app).await?;
    releases::judge(app).await?;
    if shared {
        quarantine::refresh(app).await?;
        releases::refresh(app).await?;
        policy::refresh(app).await?;
    }
    Ok(())
}

/// Watches until `stop` resolves: lets go of removed components, and ends or narrows calls in flight whose
/// installation another node has changed. Run it once per process, in the background.
pub async fn keep_watch(app: &App, stop: impl Future<Output = ()> + Send) {
    tokio::pin!(stop);
    let shared = app.store.backend() != "sqlite";
    loop {
        tokio::select! {
            () = &mut stop => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        if shared {
            for ((tenant, installation), generation) in app.calls.live.in_flight() {
                if let Err(problem) = super::cache::follow(app, tenant, installation, Some(generation)).await {
                    tracing::warn!(%tenant, %installation, %problem, "calls in flight can't be compared with the store");
                }
            }
        }
        if let Err(problem) = look_around(app, shared).await {
            tracing::warn!(%problem, "plugins out of service can't be told");
        }
        if let Err(problem) = sweep(app).await {
            tracing::warn!(%problem, "removed components can't be let go of");
        }
    }
}
