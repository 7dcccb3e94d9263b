//! The decision, in memory: `reserve → settle | release`.
//!
//! Per tenant and meter there is one slot: the window, the limit, what the store's counter says (`used`) and what is
//! reserved but not yet in it (`held`). A reservation adds to `held` under the slot's lock if `used + held` stays within
//! the limit, so racing reservations can't pass it. When the transaction that counts a reservation has committed, its new
//! counter value replaces `used` (counters only grow, so the larger one is the newer) and the hold goes away; a
//! reservation that is dropped before gives its hold back.

use super::{Exceeded, Meter, MeterKind, Plan, QuotaError, Window, carried_over};
use aistack_core::{Clock, TenantId, TenantScope, Timestamp};
use aistack_store::{Store, Tenant};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

/// Settled keys remembered per slot, so that a repeated key is not counted again.
const REMEMBERED: usize = 1024;

type Key = (TenantId, String);

/// All slots of the process.
#[derive(Debug, Default)]
pub struct Engine {
    slots: RwLock<HashMap<Key, Arc<Slot>>>,
}

#[derive(Debug, Default)]
struct Slot {
    state: Mutex<State>,
    /// Held while the slot is being loaded, so that a cold slot is read once, not once per waiting call.
    loading: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    loaded: Option<Loaded>,
    used: i64,
    held: i64,
    keys: HashMap<String, KeyState>,
    settled: VecDeque<String>,
    /// Counts what happened that a reader of the store may have missed.
    changes: u64,
}

#[derive(Debug, Clone)]
struct Loaded {
    window: Window,
    limit: Option<i64>,
    plan: String,
    zone: String,
    /// The tenant's own limits have changed since.
    stale: bool,
}

#[derive(Debug, Clone, Copy)]
enum KeyState {
    Held { amount: i64, guards: usize },
    Settled,
}

/// How a meter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Limit; `None` is unlimited.
    pub limit: Option<i64>,
    /// Used and reserved.
    pub used: i64,
    /// The window.
    pub window: Window,
}

impl Standing {
    /// What is left; `None` is unlimited.
    #[must_use]
    pub fn remaining(&self) -> Option<i64> {
        self.limit.map(|l| l.saturating_sub(self.used).max(0))
    }
}

impl Slot {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic can't leave the numbers half changed: every change is one assignment after the checks.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn standing(&self, loaded: &Loaded) -> Standing {
        Standing {
            limit: loaded.limit,
            used: self.used.saturating_add(self.held),
            window: loaded.window,
        }
    }
    fn fresh(&self, tenant: &Tenant, now: Timestamp) -> Option<&Loaded> {
        self.loaded
            .as_ref()
            .filter(|l| !l.stale && l.window.contains(now) && l.plan == tenant.plan && l.zone == tenant.time_zone)
    }
}

impl Engine {
    fn slot(&self, tenant: TenantId, meter: &str) -> Arc<Slot> {
        let key = (tenant, meter.to_owned());
        if let Some(slot) = self.slots.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Arc::clone(slot);
        }
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(key).or_default())
    }

    /// Reserves `amount` of a window meter for the caller's `key`. The same key again (a repeated message, a retry) is
    /// the same reservation, or nothing more when it has been settled.
    ///
    /// # Errors
    /// [`QuotaError::Exceeded`], [`QuotaError::UnknownMeter`] also for level meters, or as the store.
    pub async fn reserve(
        &self,
        (store, clock): (&dyn Store, &dyn Clock),
        scope: &TenantScope,
        tenant: &Tenant,
        meter: &str,
        key: &str,
        amount: i64,
    ) -> Result<Reservation, QuotaError> {
        let slot = self.slot(scope.id(), meter);
        loop {
            let now = clock.now();
            if let Some(decided) = Self::decide(&slot, tenant, meter, key, amount, now) {
                return decided;
            }
            Self::load(&slot, store, scope, tenant, meter, now).await?;
        }
    }

    /// `None` when the slot has to be loaded first.
    fn decide(
        slot: &Arc<Slot>,
        tenant: &Tenant,
        meter: &str,
        key: &str,
        amount: i64,
        now: Timestamp,
    ) -> Option<Result<Reservation, QuotaError>> {
        let mut state = slot.lock();
        let loaded = state.fresh(tenant, now)?;
        let (window, limit) = (loaded.window, loaded.limit);
        let holds = match state.keys.get_mut(key) {
            Some(KeyState::Held { guards, .. }) => {
                *guards += 1;
                true
            }
            Some(KeyState::Settled) => false,
            None => {
                let would = state.used.saturating_add(state.held).saturating_add(amount);
                if let Some(limit) = limit.filter(|l| would > *l) {
                    return Some(Err(Exceeded {
                        meter: meter.to_owned(),
                        limit,
                        used: state.used.saturating_add(state.held),
                        reset_at: Some(window.end),
                        retry_after: Some(window.seconds_left(now)),
                        window: Some(window.seconds()),
                    }
                    .into()));
                }
                state.held = state.held.saturating_add(amount);
                state.keys.insert(key.to_owned(), KeyState::Held { amount, guards: 1 });
                true
            }
        };
        let used = state.used.saturating_add(state.held);
        Some(Ok(Reservation {
            slot: Arc::clone(slot),
            key: key.to_owned(),
            at: now,
            holds,
            standing: Standing { limit, used, window },
        }))
    }

    /// Reads window, limit and counter. Holds of the same window stay; those of an older one no longer matter.
    async fn load(
        slot: &Slot,
        store: &dyn Store,
        scope: &TenantScope,
        tenant: &Tenant,
        meter: &str,
        now: Timestamp,
    ) -> Result<(), QuotaError> {
        let _loading = slot.loading.lock().await;
        let changes = {
            let state = slot.lock();
            if state.fresh(tenant, now).is_some() {
                return Ok(());
            }
            state.changes
        };
        if Meter::find(meter).is_none_or(|m| m.kind != MeterKind::Window) {
            return Err(QuotaError::UnknownMeter(meter.to_owned()));
        }
        let window = Window::month(&tenant.time_zone, now);
        let mut read = store.tenant_read(scope).await?;
        let usage = read.usage();
        let counted = usage.counter(meter, window.start).await?;
        let carried = carried_over(usage, meter, window).await?;
        let own = usage.overrides().await?.into_iter().find(|o| o.meter == meter);
        drop(read);
        let limit = own.map_or_else(|| Plan::of(&tenant.plan).limit(meter), |o| o.limit);
        let mut state = slot.lock();
        if state.changes != changes {
            // What was read may be older than that change: the caller comes back and reads again.
            return Ok(());
        }
        let same = state.loaded.as_ref().is_some_and(|l| l.window == window) || state.loaded.is_none();
        if same {
            // A commit may have been noted while this was being read: the larger value is the newer.
            state.used = state.used.max(counted + carried);
        } else {
            *state = State {
                used: counted + carried,
                changes,
                ..State::default()
            };
        }
        state.loaded = Some(Loaded {
            window,
            limit,
            plan: tenant.plan.clone(),
            zone: tenant.time_zone.clone(),
            stale: false,
        });
        Ok(())
    }

    /// How a window meter stands.
    ///
    /// # Errors
    /// As [`Engine::reserve`], but never `Exceeded`.
    pub async fn standing(
        &self,
        (store, clock): (&dyn Store, &dyn Clock),
        scope: &TenantScope,
        tenant: &Tenant,
        meter: &str,
    ) -> Result<Standing, QuotaError> {
        let slot = self.slot(scope.id(), meter);
        loop {
            let now = clock.now();
            {
                let state = slot.lock();
                if let Some(loaded) = state.fresh(tenant, now) {
                    return Ok(state.standing(loaded));
                }
            }
            Self::load(&slot, store, scope, tenant, meter, now).await?;
        }
    }

    /// Notes what a committed transaction left in a counter, for usage that was not reserved (reported events).
    pub fn counted(&self, tenant: TenantId, meter: &str, window_start: Timestamp, value: i64) {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        let Some(slot) = slots.get(&(tenant, meter.to_owned())) else {
            return;
        };
        let mut state = slot.lock();
        if state.loaded.as_ref().is_some_and(|l| l.window.start == window_start) {
            state.used = state.used.max(value);
        } else {
            state.changes += 1;
        }
    }

    /// Makes the next decision read the tenant's limits again; holds stay.
    pub fn limits_changed(&self, tenant: TenantId) {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        for (_, slot) in slots.iter().filter(|((id, _), _)| *id == tenant) {
            let mut state = slot.lock();
            state.changes += 1;
            if let Some(loaded) = &mut state.loaded {
                loaded.stale = true;
            }
        }
    }
}

/// A right to use an amount. Dropping it without [`Reservation::settled`] gives the amount back.
#[derive(Debug)]
#[must_use = "dropping a reservation releases it"]
pub struct Reservation {
    slot: Arc<Slot>,
    key: String,
    at: Timestamp,
    holds: bool,
    standing: Standing,
}

impl Reservation {
    /// How the meter stood right after this reservation.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.standing
    }
    /// When it was made; the instant that decides in which window it counts.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }
    /// The transaction that counted it has committed and left this value in the counter.
    pub fn settled(mut self, counter: i64) {
        let mut state = self.slot.lock();
        self.holds = false;
        if state.loaded.as_ref().is_none_or(|l| l.window != self.standing.window) {
            return;
        }
        state.used = state.used.max(counter);
        if let Some(KeyState::Held { amount, .. }) = state.keys.insert(self.key.clone(), KeyState::Settled) {
            state.held = state.held.saturating_sub(amount);
            state.settled.push_back(self.key.clone());
            if state.settled.len() > REMEMBERED
                && let Some(oldest) = state.settled.pop_front()
            {
                state.keys.remove(&oldest);
            }
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if !self.holds {
            return;
        }
        let mut state = self.slot.lock();
        if state.loaded.as_ref().is_none_or(|l| l.window != self.standing.window) {
            return;
        }
        let Some(KeyState::Held { amount, guards }) = state.keys.get_mut(&self.key) else {
            return;
        };
        *guards -= 1;
        if *guards == 0 {
            let amount = *amount;
            state.held = state.held.saturating_sub(amount);
            state.keys.remove(&self.key);
        }
    }
}
