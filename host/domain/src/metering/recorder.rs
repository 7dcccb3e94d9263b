//! Records what passes through the gateway: one usage event, counter, bucket and audit entry per call, many calls per
//! transaction.
//!
//! Calls of a tenant queue up while its transaction is being committed and go into the next one together. So the cost of
//! a commit is shared by whatever came in meanwhile, and an idle tenant's call does not wait for company.

use crate::{App, Problem, TenantCtx, audit, live::LiveEvent, quota};
use aistack_core::{TenantId, Timestamp, UsageEventId, text_enum};
use aistack_store::{Audit, UsageEvent};
use serde_json::json;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::oneshot;

/// Most calls of one transaction.
const BATCH: usize = 256;
/// `behind`: more waiting calls than this and new ones wait for their commit, too.
const BEHIND: usize = 1024;
/// `behind`: waits between tries of a batch that can't be committed.
const AGAIN: [Duration; 3] = [
    Duration::from_millis(100),
    Duration::from_secs(1),
    Duration::from_secs(5),
];

text_enum! {
    /// When a gateway call's answer may end.
    pub enum Accounting {
        /// After the commit that holds its usage event: what was answered is counted, whatever happens then.
        Durable = "durable",
        /// At once; a crash loses what was not yet committed.
        Behind = "behind",
    }
}

/// What a call counts.
#[derive(Debug)]
pub struct Counted {
    /// The right to count it.
    pub reservation: quota::Reservation,
    /// Meter.
    pub meter: String,
    /// How much.
    pub quantity: i64,
    /// Who used it.
    pub subject: String,
    /// Dimensions, a JSON object.
    pub dimensions: serde_json::Value,
}

/// A gateway call, or a refused one.
#[derive(Debug)]
pub struct Call {
    /// The source's own id of the event: the request.
    pub event_id: String,
    /// In which context.
    pub ctx: TenantCtx,
    /// What it counts; refused and failed calls count nothing.
    pub counted: Option<Counted>,
    /// What the audit log says.
    pub draft: audit::Draft,
}

struct Waiting {
    call: Call,
    done: oneshot::Sender<Result<(), Problem>>,
}

/// Queues of calls, per tenant; a tenant with nothing to record has none.
#[derive(Default)]
pub struct Recorder(Mutex<HashMap<TenantId, Vec<Waiting>>>);

impl core::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Recorder")
    }
}

impl Recorder {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<TenantId, Vec<Waiting>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Whether everything handed in has been dealt with. For an orderly end of the process.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.lock().is_empty()
    }
}

/// Records a call. Resolves when it is durable, or at once when the platform is set to account behind.
///
/// The recording goes on when the caller's future is dropped.
///
/// # Errors
/// `unavailable` when it can't be recorded; then the call must not be acknowledged.
pub async fn record(app: &Arc<App>, call: Call) -> Result<(), Problem> {
    let tenant = call.ctx.scope.id();
    let (done, committed) = oneshot::channel();
    let waiting = {
        let mut queues = app.recorder.lock();
        match queues.get_mut(&tenant) {
            Some(queue) => {
                queue.push(Waiting { call, done });
                queue.len()
            }
            None => {
                queues.insert(tenant, vec![Waiting { call, done }]);
                tokio::spawn(drain(Arc::clone(app), tenant));
                1
            }
        }
    };
    if app.config.accounting == Accounting::Behind && waiting < BEHIND {
        return Ok(());
    }
    committed
        .await
        .unwrap_or_else(|_| Err(Problem::internal("the usage recorder ended before it answered")))
}

/// Commits a tenant's queue until it is empty.
async fn drain(app: Arc<App>, tenant: TenantId) {
    loop {
        let batch: Vec<Waiting> = {
            let mut queues = app.recorder.lock();
            match queues.get_mut(&tenant) {
                Some(queue) if !queue.is_empty() => queue.drain(..queue.len().min(BATCH)).collect(),
                _ => {
                    queues.remove(&tenant);
                    return;
                }
            }
        };
        let (calls, answers): (Vec<Call>, Vec<_>) = batch.into_iter().map(|w| (w.call, w.done)).unzip();
        let outcome = commit_patiently(&app, calls).await;
        for answer in answers {
            // Whoever no longer waits was counted all the same.
            let _ = answer.send(outcome.clone());
        }
    }
}

async fn commit_patiently(app: &App, calls: Vec<Call>) -> Result<(), Problem> {
    let mut again = match app.config.accounting {
        Accounting::Durable => [].iter(),
        // The answers are out: try harder.
        Accounting::Behind => AGAIN.iter(),
    };
    loop {
        let began = app.clock.monotonic();
        match commit(app, &calls).await {
            Ok((counters, events)) => {
                let took = app.clock.monotonic().saturating_sub(began);
                app.metrics.usage_commit(calls.len(), took);
                settle(app, calls, &counters);
                audit::announce(app, events);
                return Ok(());
            }
            Err(problem) => match again.next() {
                Some(wait) => tokio::time::sleep(*wait).await,
                None => {
                    app.metrics.usage_commit_failed();
                    tracing::error!(%problem, calls = calls.len(), "usage can't be recorded");
                    return Err(problem);
                }
            },
        }
    }
}

/// Counter values after the commit, by meter and start of the window.
type Counters = BTreeMap<(String, Timestamp), i64>;

async fn commit(app: &App, calls: &[Call]) -> Result<(Counters, Vec<LiveEvent>), Problem> {
    let Some(first) = calls.first() else {
        return Ok((Counters::new(), Vec::new()));
    };
    let scope = &first.ctx.scope;
    let mut tx = app.store.tenant(scope).await?;
    let mut sums = Counters::new();
    let mut carried = Counters::new();
    let mut entries = Vec::with_capacity(calls.len());
    for call in calls {
        if let Some(c) = &call.counted {
            let window = c.reservation.standing().window;
            let key = (c.meter.clone(), window.start);
            if !carried.contains_key(&key) {
                let before = quota::carried_over(tx.usage(), &c.meter, window).await?;
                carried.insert(key.clone(), before);
            }
            let event = UsageEvent {
                id: UsageEventId::new(&*app.clock, &*app.rng),
                source: "gateway".to_owned(),
                event_id: call.event_id.clone(),
                meter: c.meter.clone(),
                quantity: c.quantity,
                subject: c.subject.clone(),
                dimensions: c.dimensions.to_string(),
                occurred_at: c.reservation.at(),
                ingested_at: app.clock.now(),
            };
            if tx.usage().record(&event).await? {
                *sums.entry(key).or_default() += c.quantity;
            }
        }
        entries.push(audit::for_tenant(app, &mut *tx, &call.ctx, call.draft.clone()).await?);
    }
    let mut counters = Counters::new();
    for ((meter, start), sum) in sums {
        let amount = sum + carried.get(&(meter.clone(), start)).copied().unwrap_or(0);
        // Without a cap: the reservation decided already, and what happened is counted.
        if let Some(value) = tx.usage().count(&meter, start, amount, None).await? {
            counters.insert((meter, start), value);
        }
    }
    let events = entries.iter().map(|e| audit::live(e, Some(scope.id()))).collect();
    let audit = Audit::many(entries).ok_or_else(|| Problem::internal("a batch without calls"))?;
    tx.commit(audit).await?;
    Ok((counters, events))
}

/// Tells quota, metrics and live pages what has become durable.
fn settle(app: &App, calls: Vec<Call>, counters: &Counters) {
    let Some(tenant) = calls.first().map(|c| c.ctx.scope.id()) else {
        return;
    };
    let mut used: BTreeMap<String, (i64, quota::Standing)> = BTreeMap::new();
    for c in calls.into_iter().filter_map(|c| c.counted) {
        app.metrics.usage(&c.meter, c.quantity);
        let standing = c.reservation.standing();
        used.entry(c.meter.clone()).or_insert((0, standing)).0 += c.quantity;
        let counter = counters.get(&(c.meter, standing.window.start)).copied().unwrap_or(0);
        c.reservation.settled(counter);
    }
    for (meter, (quantity, standing)) in used {
        let counter = counters.get(&(meter.clone(), standing.window.start));
        app.live.publish(LiveEvent {
            tenant: Some(tenant),
            topic: "usage",
            data: json!({ "meter": meter, "quantity": quantity, "used": counter, "limit": standing.limit }),
        });
    }
}
