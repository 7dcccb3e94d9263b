//! Leases due jobs and runs their handlers.

use super::{Backoff, Handlers, JobError, housekeeping, outbox};
use crate::App;
use aistack_store::{Job, Result as StoreResult};
use futures_util::FutureExt;
use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::{JoinHandle, JoinSet},
    time::{sleep, timeout},
};

/// How a runner works.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Jobs tried at the same time.
    pub concurrency: usize,
    /// A job whose worker is silent for so long is given to another.
    pub lease: Duration,
    /// Longest wait before looking for due jobs again.
    pub poll: Duration,
    /// How often every tenant's outbox is looked through, as a safety net.
    pub sweep: Duration,
    /// How often old rows are removed.
    pub housekeeping: Duration,
    /// At the end, jobs being tried get so long to finish.
    pub drain: Duration,
    /// Waits between tries.
    pub backoff: Backoff,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            concurrency: 4,
            lease: Duration::from_secs(30),
            poll: Duration::from_secs(1),
            sweep: Duration::from_secs(60),
            housekeeping: Duration::from_secs(600),
            drain: Duration::from_secs(20),
            backoff: Backoff::default(),
        }
    }
}

/// A running runner; dropping it leaves its jobs to their leases, [`Runner::stop`] lets them finish.
#[derive(Debug)]
pub struct Runner {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Runner {
    /// Sweeps every outbox, then works until stopped.
    #[must_use]
    pub fn start(app: Arc<App>, handlers: Handlers, settings: Settings) -> Self {
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(work(app, Arc::new(handlers), settings, stopped));
        Self { stop, task }
    }
    /// Takes no further jobs, waits for those being tried (at most the drain time), and returns.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        if let Err(e) = self.task.await {
            tracing::error!(error = %e, "the job runner ended badly");
        }
    }
}

async fn work(app: Arc<App>, handlers: Arc<Handlers>, settings: Settings, mut stopped: watch::Receiver<bool>) {
    let slots = Arc::new(Semaphore::new(settings.concurrency));
    let mut running = JoinSet::new();
    let now = || app.clock.monotonic();
    let (mut next_sweep, mut next_housekeeping) = (now(), now() + settings.housekeeping);
    while !*stopped.borrow() {
        if now() >= next_sweep {
            app.outbox.take();
            if let Err(problem) = outbox::sweep(&app).await {
                tracing::warn!(%problem, "outboxes can't be swept");
            }
            next_sweep = now() + settings.sweep;
        }
        for tenant in app.outbox.take() {
            outbox::relay_of(&app, tenant).await;
        }
        if now() >= next_housekeeping {
            if let Err(problem) = housekeeping::run(&app).await {
                tracing::warn!(%problem, "housekeeping failed");
            }
            next_housekeeping = now() + settings.housekeeping;
        }
        let wait = match fill(&app, &handlers, settings, &slots, &mut running).await {
            Ok(wait) => wait.min(settings.poll),
            Err(e) => {
                tracing::warn!(error = %e, "jobs can't be leased");
                settings.poll
            }
        };
        tokio::select! {
            _ = stopped.changed() => {}
            () = app.job_signal.notified() => {}
            Some(_) = running.join_next(), if !running.is_empty() => {}
            () = sleep(wait) => {}
        }
    }
    let drained = timeout(settings.drain, async { while running.join_next().await.is_some() {} }).await;
    if drained.is_err() {
        // Their leases run out and they are tried again, here or elsewhere.
        tracing::warn!(jobs = running.len(), "jobs did not finish in time");
        running.shutdown().await;
    }
}

/// Leases due jobs while there are free slots; how long until the next one is due.
async fn fill(
    app: &Arc<App>,
    handlers: &Arc<Handlers>,
    settings: Settings,
    slots: &Arc<Semaphore>,
    running: &mut JoinSet<()>,
) -> StoreResult<Duration> {
    while let Ok(slot) = Arc::clone(slots).try_acquire_owned() {
        let now = app.clock.now();
        // Looking first keeps an idle runner from writing.
        match app.store.platform_read().await?.jobs().next_due().await? {
            None => return Ok(settings.poll),
            Some(due) if due > now => return Ok(due.since(now)),
            Some(_) => {}
        }
        let mut tx = app.store.platform_machine().await?;
        let Some(job) = tx.jobs().lease(now, now.plus(settings.lease)).await? else {
            return Ok(settings.poll);
        };
        tx.commit().await?;
        running.spawn(try_job(Arc::clone(app), Arc::clone(handlers), settings, job, slot));
    }
    // Full: the next look is when a job ends.
    Ok(settings.poll)
}

async fn try_job(app: Arc<App>, handlers: Arc<Handlers>, settings: Settings, job: Job, slot: OwnedSemaphorePermit) {
    let began = app.clock.monotonic();
    app.metrics.job_began();
    let outcome = match run(&app, &handlers, settings, &job).await {
        None => {
            tracing::warn!(job = %job.id, kind = job.kind, "the lease was lost; somebody else has the job");
            "lost"
        }
        Some(result) => record(&app, settings, &job, result).await.unwrap_or_else(|e| {
            // Nothing recorded: the lease runs out and the job is tried again.
            tracing::warn!(job = %job.id, kind = job.kind, error = %e, "a job's outcome can't be recorded");
            "lost"
        }),
    };
    let took = app.clock.monotonic().saturating_sub(began);
    app.metrics.job_ended(&job.kind, outcome, took);
    drop(slot);
}

/// Runs the handler while the lease is kept alive; `None` when the lease was lost.
async fn run(app: &App, handlers: &Handlers, settings: Settings, job: &Job) -> Option<Result<(), JobError>> {
    let Some(handler) = handlers.get(&job.kind) else {
        // A newer node may know it: not fatal.
        return Some(Err(JobError::retry(format!(
            "nothing here does jobs of kind {}",
            job.kind
        ))));
    };
    let mut trying = std::pin::pin!(AssertUnwindSafe(handler.run(app, job)).catch_unwind());
    loop {
        tokio::select! {
            done = &mut trying => {
                return Some(done.unwrap_or_else(|panic| {
                    let text = panic.downcast_ref::<&str>().map(ToString::to_string)
                        .or_else(|| panic.downcast_ref::<String>().cloned());
                    tracing::error!(job = %job.id, kind = job.kind, panic = text, "a job handler panicked");
                    Err(JobError::retry("the handler panicked"))
                }));
            }
            () = sleep(settings.lease / 3) => match extend(app, settings, job).await {
                Ok(true) => {}
                Ok(false) => return None,
                // The database may be back before the lease ends.
                Err(e) => tracing::warn!(job = %job.id, error = %e, "a lease can't be extended"),
            }
        }
    }
}

async fn extend(app: &App, settings: Settings, job: &Job) -> StoreResult<bool> {
    let mut tx = app.store.platform_machine().await?;
    let until = app.clock.now().plus(settings.lease);
    let ours = tx.jobs().extend(job.id, job.attempts, until).await?;
    tx.commit().await?;
    Ok(ours)
}

async fn record(app: &App, settings: Settings, job: &Job, result: Result<(), JobError>) -> StoreResult<&'static str> {
    let now = app.clock.now();
    let mut tx = app.store.platform_machine().await?;
    let (ours, outcome) = match result {
        Ok(()) => (tx.jobs().finish(job.id, job.attempts, now).await?, "done"),
        Err(JobError::Retry(why, after)) => {
            let wait = after.unwrap_or_else(|| settings.backoff.after(job.attempts, &*app.rng));
            let ours = tx
                .jobs()
                .fail(job.id, job.attempts, &short(&why), now.plus(wait), now)
                .await?;
            let outcome = if job.attempts >= job.max_attempts {
                "dead"
            } else {
                "retry"
            };
            tracing::warn!(job = %job.id, kind = job.kind, attempt = job.attempts, outcome, why, "a job failed");
            (ours, outcome)
        }
        Err(JobError::Fatal(why)) => {
            tracing::error!(job = %job.id, kind = job.kind, attempt = job.attempts, why, "a job can't succeed");
            (tx.jobs().bury(job.id, job.attempts, &short(&why), now).await?, "dead")
        }
    };
    tx.commit().await?;
    Ok(if ours { outcome } else { "lost" })
}

/// Errors are for people to read, not to keep whole pages of.
fn short(why: &str) -> String {
    why.chars().take(1_000).collect()
}
