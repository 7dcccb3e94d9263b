//! Who runs next. The pool fails at once when it is full, so calls wait here: first for their tenant's share, then for
//! a slot. One tenant's spinning guests can't use up everybody's slots.

use aistack_core::TenantId;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Tenants beyond this many are swept of those with nothing running.
const SWEEP_AT: usize = 1024;

/// The queue in front of the pool.
#[derive(Debug)]
pub(crate) struct Queue {
    slots: Arc<Semaphore>,
    share: usize,
    tenants: Mutex<HashMap<TenantId, Arc<Semaphore>>>,
    patience: Duration,
}

/// A place in the pool; given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    _share: OwnedSemaphorePermit,
    _slot: OwnedSemaphorePermit,
}

impl Queue {
    pub(crate) fn new(slots: u32, share: u32, patience: Duration) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(slots as usize)),
            share: share.clamp(1, slots.max(1)) as usize,
            tenants: Mutex::default(),
            patience,
        }
    }

    fn share_of(&self, tenant: TenantId) -> Arc<Semaphore> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        if tenants.len() > SWEEP_AT {
            tenants.retain(|_, s| Arc::strong_count(s) > 1 || s.available_permits() < self.share);
        }
        Arc::clone(
            tenants
                .entry(tenant)
                .or_insert_with(|| Arc::new(Semaphore::new(self.share))),
        )
    }

    /// Waits for a place, no longer than the call's own wall time or the queue's patience.
    pub(crate) async fn enter(&self, tenant: TenantId, wall: Duration) -> Option<Place> {
        let share = self.share_of(tenant);
        let wait = async {
            let share = share.acquire_owned().await.ok()?;
            let slot = Arc::clone(&self.slots).acquire_owned().await.ok()?;
            Some(Place {
                _share: share,
                _slot: slot,
            })
        };
        tokio::time::timeout(self.patience.min(wall), wait).await.ok().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(n: u128) -> TenantId {
        format!("ten_{n:032x}").parse().unwrap()
    }

    #[tokio::test]
    async fn a_tenant_has_its_share_and_no_more() {
        let q = Queue::new(4, 2, Duration::from_millis(20));
        let wall = Duration::from_secs(1);
        let (a, b) = (q.enter(tenant(1), wall).await, q.enter(tenant(1), wall).await);
        assert!(a.is_some() && b.is_some());
        assert!(q.enter(tenant(1), wall).await.is_none(), "beyond its share");
        let other = q.enter(tenant(2), wall).await;
        assert!(other.is_some(), "others are not affected");
        drop(a);
        assert!(q.enter(tenant(1), wall).await.is_some());
    }
}
