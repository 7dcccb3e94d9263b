//! Noisy neighbours: how many calls of one tenant are under way at a time, and who is next.
//!
//! Each tenant has its own first-in-first-out queue, so a tenant that floods the gateway only ever waits for itself.

use aistack_core::TenantId;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// The gates of all tenants.
#[derive(Debug)]
pub(crate) struct Gates {
    gates: Mutex<HashMap<TenantId, Arc<Gate>>>,
    at_once: usize,
    waiting: usize,
    patience: Duration,
}

#[derive(Debug)]
struct Gate {
    running: Arc<Semaphore>,
    /// Running and waiting together.
    places: Arc<Semaphore>,
}

/// A place at a tenant's gate; given back when dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    _running: OwnedSemaphorePermit,
    _place: OwnedSemaphorePermit,
}

impl Gates {
    /// `at_once` calls of a tenant run, `waiting` more wait for `patience`.
    pub(crate) fn new(at_once: usize, waiting: usize, patience: Duration) -> Self {
        Self {
            gates: Mutex::default(),
            at_once,
            waiting,
            patience,
        }
    }

    fn gate(&self, tenant: TenantId) -> Arc<Gate> {
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || {
            Arc::new(Gate {
                running: Arc::new(Semaphore::new(self.at_once)),
                places: Arc::new(Semaphore::new(self.at_once + self.waiting)),
            })
        };
        Arc::clone(gates.entry(tenant).or_insert_with(new))
    }

    /// Waits for a turn; `None` when too many wait already or it takes too long.
    pub(crate) async fn enter(&self, tenant: TenantId) -> Option<Turn> {
        let gate = self.gate(tenant);
        let place = Arc::clone(&gate.places).try_acquire_owned().ok()?;
        let running = timeout(self.patience, Arc::clone(&gate.running).acquire_owned());
        Some(Turn {
            _running: running.await.ok()?.ok()?,
            _place: place,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[tokio::test(start_paused = true)]
    async fn a_tenant_waits_only_for_itself() {
        let gates = Gates::new(2, 1, Duration::from_secs(5));
        let (noisy, quiet) = (TenantId(Uuid::from_u128(1)), TenantId(Uuid::from_u128(2)));
        let first = gates.enter(noisy).await.unwrap();
        let _second = gates.enter(noisy).await.unwrap();
        assert!(
            gates.enter(quiet).await.is_some(),
            "another tenant goes straight through"
        );
        let (third, fourth) = tokio::join!(gates.enter(noisy), async {
            tokio::task::yield_now().await;
            gates.enter(noisy).await
        });
        assert!(third.is_none(), "waited in vain");
        assert!(fourth.is_none(), "the queue was full");
        drop(first);
        assert!(gates.enter(noisy).await.is_some());
    }
}
