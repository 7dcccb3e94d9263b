//! Who runs next. The pool fails at once when it is full, so calls wait here: for a place of their installation, for one
//! of their tenant, then for an instance. Nobody's spinning guests can use up everybody's instances, and deliveries from
//! providers have instances of their own.

use aistack_core::{InstallationId, TenantId};
use aistack_domain::plugins::port::{Invocation, Lane};
use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Entries beyond this many are swept of those with nothing running.
const SWEEP_AT: usize = 1024;
/// Deliveries of one tenant at once, beside its other calls.
const INBOUND_SHARE: usize = 8;

/// Semaphores by key; an entry with nothing running may vanish.
#[derive(Debug)]
struct Shares<K>(Mutex<HashMap<K, (usize, Arc<Semaphore>)>>);

impl<K: Eq + Hash> Shares<K> {
    fn new() -> Self {
        Self(Mutex::default())
    }

    /// The semaphore of a key. When its size has changed there is a new one; calls that run keep the old one busy.
    fn of(&self, key: K, size: usize) -> Arc<Semaphore> {
        let size = size.max(1);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() > SWEEP_AT {
            all.retain(|_, (size, s)| Arc::strong_count(s) > 1 || s.available_permits() < *size);
        }
        let entry = all.entry(key).or_insert_with(|| (size, Arc::new(Semaphore::new(size))));
        if entry.0 != size {
            *entry = (size, Arc::new(Semaphore::new(size)));
        }
        Arc::clone(&entry.1)
    }
}

/// The queue in front of the pool.
#[derive(Debug)]
pub(crate) struct Queue {
    general: Arc<Semaphore>,
    general_size: usize,
    /// For deliveries alone, when the general places are taken.
    reserve: Arc<Semaphore>,
    /// Background runs take half of the general places at most.
    runs: Arc<Semaphore>,
    share: usize,
    /// By tenant, deliveries apart.
    tenants: Shares<(TenantId, bool)>,
    /// By installation, deliveries apart.
    installations: Shares<(InstallationId, bool)>,
    patience: Duration,
}

/// A place in the pool; given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    _held: [Option<OwnedSemaphorePermit>; 4],
}

async fn take(s: Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    s.acquire_owned().await.ok()
}

impl Queue {
    pub(crate) fn new(instances: u32, share: u32, patience: Duration) -> Self {
        let instances = instances.max(1) as usize;
        let reserve = (instances / 8).max(8).min(instances / 2);
        let general_size = instances - reserve;
        Self {
            general: Arc::new(Semaphore::new(general_size)),
            general_size,
            reserve: Arc::new(Semaphore::new(reserve)),
            runs: Arc::new(Semaphore::new((general_size / 2).max(1))),
            share: (share as usize).clamp(1, general_size),
            tenants: Shares::new(),
            installations: Shares::new(),
            patience,
        }
    }

    /// Waits for a place, no longer than the call's own wall time or the queue's patience.
    pub(crate) async fn enter(&self, inv: &Invocation) -> Option<Place> {
        self.place(
            inv.tenant,
            inv.installation,
            inv.lane,
            inv.limits.concurrency,
            inv.limits.wall,
        )
        .await
    }

    async fn place(
        &self,
        tenant: TenantId,
        installation: InstallationId,
        lane: Lane,
        concurrency: u32,
        wall: Duration,
    ) -> Option<Place> {
        // Trial runs never wait: in a queue they would be in somebody's way.
        if lane == Lane::Shadow && self.general.available_permits() * 2 < self.general_size {
            return None;
        }
        let inbound = lane == Lane::Inbound;
        let share = if inbound { INBOUND_SHARE } else { self.share };
        let of_installation = self.installations.of((installation, inbound), concurrency as usize);
        let of_tenant = self.tenants.of((tenant, inbound), share);
        let wait = async {
            // First what others of the tenant do not wait for.
            let run = match lane {
                Lane::Run => Some(take(Arc::clone(&self.runs)).await?),
                _ => None,
            };
            let one = take(of_installation).await?;
            let shared = take(of_tenant).await?;
            let instance = if inbound {
                self.inbound().await?
            } else {
                take(Arc::clone(&self.general)).await?
            };
            Some(Place {
                _held: [run, Some(one), Some(shared), Some(instance)],
            })
        };
        let patience = if lane == Lane::Shadow {
            Duration::ZERO
        } else {
            self.patience.min(wall)
        };
        tokio::time::timeout(patience, wait).await.ok().flatten()
    }

    /// A general place if one is free, else one of the reserve, else whichever comes first.
    async fn inbound(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(free) = Arc::clone(&self.general).try_acquire_owned() {
            return Some(free);
        }
        tokio::select! {
            biased;
            reserved = take(Arc::clone(&self.reserve)) => reserved,
            general = take(Arc::clone(&self.general)) => general,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(n: u128) -> TenantId {
        TenantId(uuid::Uuid::from_u128(n))
    }
    async fn enter(q: &Queue, t: u128, i: u128, lane: Lane, concurrency: u32) -> Option<Place> {
        let installation = InstallationId(uuid::Uuid::from_u128(i));
        q.place(tenant(t), installation, lane, concurrency, Duration::from_secs(1))
            .await
    }
    const SOON: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn a_tenant_has_its_share_and_no_more() {
        let q = Queue::new(8, 2, SOON);
        let a = enter(&q, 1, 1, Lane::Ordinary, 9).await;
        let b = enter(&q, 1, 2, Lane::Ordinary, 9).await;
        assert!(a.is_some() && b.is_some());
        assert!(enter(&q, 1, 3, Lane::Ordinary, 9).await.is_none(), "beyond its share");
        assert!(
            enter(&q, 2, 4, Lane::Ordinary, 9).await.is_some(),
            "others are not affected"
        );
        drop(a);
        assert!(enter(&q, 1, 3, Lane::Ordinary, 9).await.is_some());
    }

    #[tokio::test]
    async fn an_installation_has_as_many_calls_as_it_may() {
        let q = Queue::new(100, 50, SOON);
        let a = enter(&q, 1, 1, Lane::Ordinary, 1).await.unwrap();
        assert!(enter(&q, 1, 1, Lane::Ordinary, 1).await.is_none());
        assert!(enter(&q, 1, 2, Lane::Ordinary, 1).await.is_some());
        assert!(
            enter(&q, 1, 1, Lane::Inbound, 1).await.is_some(),
            "a delivery does not wait for its own plugin"
        );
        drop(a);
        assert!(enter(&q, 1, 1, Lane::Ordinary, 1).await.is_some());
    }

    #[tokio::test]
    async fn deliveries_have_places_that_nobody_else_takes() {
        let q = Queue::new(16, 16, SOON);
        let mut held = Vec::new();
        while let Some(p) = enter(&q, 1, 1, Lane::Ordinary, 99).await {
            held.push(p);
        }
        assert_eq!(held.len(), 8);
        assert!(enter(&q, 2, 2, Lane::Ordinary, 99).await.is_none());
        let mut inbound = Vec::new();
        while let Some(p) = enter(&q, 1, 1, Lane::Inbound, 99).await {
            inbound.push(p);
        }
        assert_eq!(inbound.len(), 8, "even the tenant that filled the rest has them");
        drop(held.pop());
        let late = enter(&q, 2, 2, Lane::Inbound, 99).await;
        assert!(late.is_some(), "a general place serves as well");
    }

    #[tokio::test]
    async fn background_runs_leave_half_and_trial_runs_take_idle_places_alone() {
        let q = Queue::new(16, 16, SOON);
        let mut runs = Vec::new();
        while let Some(p) = enter(&q, 1, 1, Lane::Run, 99).await {
            runs.push(p);
        }
        assert_eq!(runs.len(), 4);
        assert!(enter(&q, 1, 1, Lane::Shadow, 99).await.is_some(), "half is free");
        let _one = enter(&q, 1, 1, Lane::Ordinary, 99).await.unwrap();
        assert!(enter(&q, 1, 1, Lane::Shadow, 99).await.is_none());
    }

    #[test]
    fn keys_with_nothing_running_are_swept() {
        let shares = Shares::new();
        let kept = shares.of(0, 1);
        let _running = Arc::clone(&kept).try_acquire_owned().unwrap();
        drop(kept);
        for n in 1..=SWEEP_AT + 10 {
            shares.of(n, 1);
        }
        let all = shares.0.lock().unwrap();
        assert!(all.len() <= SWEEP_AT + 1 && all.contains_key(&0), "{}", all.len());
    }
}
