//! From a tenant's outbox to the platform's jobs.

use crate::{App, Problem};
use aistack_core::{TenantId, TenantScope};
use aistack_store::{Job, JobState};
use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

/// Messages moved by one pair of transactions.
const BATCH: i64 = 100;

/// Tenants whose outbox may hold messages. In memory only: after a restart every outbox is swept.
#[derive(Debug, Default)]
pub struct Outbox(Mutex<HashSet<TenantId>>);

impl Outbox {
    fn add(&self, tenant: TenantId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(tenant);
    }
    pub(super) fn take(&self) -> HashSet<TenantId> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Tells the runner that a message lies in the tenant's outbox. Call it after the commit; forgetting it only delays the
/// job until the next sweep.
pub fn wake(app: &App, scope: &TenantScope) {
    app.outbox.add(scope.id());
    app.job_signal.notify_one();
}

/// Moves everything in the tenant's outbox to the job queue; how many messages there were.
///
/// Two transactions, in this order: the jobs are added (known ids are left as they are), then the messages removed. A
/// crash in between repeats the first and finds its jobs there.
///
/// # Errors
/// As the store.
pub async fn relay(app: &App, scope: &TenantScope) -> Result<usize, Problem> {
    let mut moved = 0;
    loop {
        let messages = app.store.tenant_read(scope).await?.machinery().outbox(BATCH).await?;
        if messages.is_empty() {
            return Ok(moved);
        }
        let mut platform = app.store.platform_machine().await?;
        for m in &messages {
            let job = Job {
                id: m.id,
                tenant_id: Some(scope.id()),
                kind: m.kind.clone(),
                payload: m.payload.clone(),
                state: JobState::Ready,
                attempts: 0,
                max_attempts: m.max_attempts,
                run_at: m.run_at,
                lease_until: None,
                last_error: None,
                created_at: m.created_at,
                updated_at: app.clock.now(),
            };
            platform.jobs().enqueue(&job).await?;
        }
        platform.commit().await?;
        let ids: Vec<_> = messages.iter().map(|m| m.id).collect();
        let mut machine = app.store.tenant_machine(scope).await?;
        machine.machinery().delete_outbox(&ids).await?;
        machine.commit().await?;
        moved += messages.len();
    }
}

/// Relays the outbox of every tenant; how many messages there were. A tenant that can't be read is logged and left
/// for the next sweep.
///
/// # Errors
/// When the catalogue can't be read.
pub async fn sweep(app: &App) -> Result<usize, Problem> {
    let ids = app.store.platform_read().await?.tenants().ids().await?;
    let mut moved = 0;
    for id in ids {
        moved += relay_of(app, id).await;
    }
    Ok(moved)
}

/// Relays one tenant's outbox by id; failures are logged, and the tenant is tried again with the next sweep.
pub(super) async fn relay_of(app: &App, id: TenantId) -> usize {
    let relayed = async {
        match app.store.scope(id).await? {
            Some(scope) => relay(app, &scope).await,
            None => Ok(0),
        }
    };
    relayed.await.unwrap_or_else(|problem: Problem| {
        tracing::warn!(tenant = %id, %problem, "the outbox can't be relayed");
        0
    })
}
