//! Looks for changes by asking the file system now and then: that works on every one of them, and needs nothing else.

use super::Shared;
use crate::{Error, build, project::Project};
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

/// How often it looks; a change has to have settled for as long.
const EVERY: Duration = Duration::from_millis(200);

pub(super) async fn run(shared: Arc<Shared>) {
    let mut done: Option<Option<SystemTime>> = None;
    loop {
        let seen = newest(&shared).await;
        if done != Some(seen) {
            tokio::time::sleep(EVERY).await;
            if newest(&shared).await == seen {
                done = Some(seen);
                if let Err(e) = rebuild(&shared).await {
                    shared.refused(&e);
                }
            }
            continue;
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn newest(shared: &Arc<Shared>) -> Option<SystemTime> {
    let dir = shared.dir.clone();
    tokio::task::spawn_blocking(move || crate::project::newest(&dir))
        .await
        .ok()
        .flatten()
}

async fn rebuild(shared: &Arc<Shared>) -> Result<(), Error> {
    let clock = Arc::clone(&shared.options.clock);
    let start = clock.monotonic();
    let (dir, debug) = (shared.dir.clone(), shared.debug);
    let built = tokio::task::spawn_blocking(move || {
        let project = Project::open(&dir)?;
        // Said at once and with places, instead of out of the component.
        project.parsed()?;
        build::build(
            &project,
            &build::Options {
                debug,
                ..build::Options::default()
            },
        )
    })
    .await
    .map_err(|e| Error::Failed(e.to_string()))??;
    let took = clock.monotonic().saturating_sub(start);
    shared
        .put(&built.bytes, u64::try_from(took.as_millis()).unwrap_or(u64::MAX))
        .await
}
