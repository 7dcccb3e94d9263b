//! Figures per tenant, read again only where something happened.

use crate::{App, Problem, live::LiveEvent};
use aistack_core::{Currency, TenantId, Timestamp};
use aistack_store::{Page, Result as StoreResult};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};
use tokio::sync::broadcast::{Receiver, error::TryRecvError};

/// Tenants read in one go.
const AT_ONCE: usize = 200;
/// Figures older than this are read again, whatever happened.
const STALE: Duration = Duration::from_secs(300);
/// A day, microseconds.
const DAY: i64 = 86_400_000_000;
/// Orders of a tenant looked at.
const MOST_ORDERS: usize = 2_000;

/// Figures of one tenant, or of all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    /// Usage today, by meter.
    pub usage: BTreeMap<String, i64>,
    /// Orders of the last 30 days.
    pub orders: usize,
    /// What was paid for them, minor units by currency.
    pub paid: BTreeMap<Currency, i64>,
}

#[derive(Debug, Default)]
pub(super) struct Memory {
    figures: HashMap<TenantId, (Duration, Figures)>,
    day: i64,
    events: Option<Receiver<LiveEvent>>,
}

impl Memory {
    pub(super) fn sum(&self) -> Figures {
        let mut sum = Figures::default();
        for (_, one) in self.figures.values() {
            for (meter, quantity) in &one.usage {
                *sum.usage.entry(meter.clone()).or_default() += quantity;
            }
            sum.orders += one.orders;
            for (currency, minor) in &one.paid {
                *sum.paid.entry(*currency).or_default() += minor;
            }
        }
        sum
    }

    /// Reads the tenants in which something happened, the longest unread first.
    pub(super) async fn refresh(&mut self, app: &App) -> Result<(), Problem> {
        let now = app.clock.monotonic();
        let today = app.clock.now().0.div_euclid(DAY);
        let all_dirty = self.day != today || self.events.is_none();
        self.day = today;
        let (dirty, lost) = self.happened(app);
        let ids = app.store.platform_read().await?.tenants().ids().await?;
        let known: HashSet<TenantId> = ids.iter().copied().collect();
        self.figures.retain(|id, _| known.contains(id));
        if all_dirty || lost {
            for (read, _) in self.figures.values_mut() {
                // As old as can be: in line before those that were read since.
                *read = Duration::ZERO;
            }
        }
        let mut due: Vec<(Duration, TenantId)> = ids
            .into_iter()
            .filter_map(|id| match self.figures.get(&id) {
                None => Some((Duration::ZERO, id)),
                Some((read, _)) => {
                    let again = dirty.contains(&id) || *read == Duration::ZERO || now.saturating_sub(*read) > STALE;
                    again.then_some((*read, id))
                }
            })
            .collect();
        due.sort_unstable_by_key(|(read, _)| *read);
        for (_, id) in due.drain(..due.len().min(AT_ONCE)) {
            match read(app, id).await {
                // Never zero: that means "to be read".
                Ok(figures) => drop(self.figures.insert(id, (now.max(Duration::from_nanos(1)), figures))),
                Err(e) => tracing::warn!(tenant = %id, error = %e, "a tenant's figures can't be read"),
            }
        }
        // Those that did not fit must not be forgotten.
        for (_, id) in due {
            if let Some((read, _)) = self.figures.get_mut(&id) {
                *read = Duration::ZERO;
            }
        }
        Ok(())
    }

    /// Tenants in which something happened since the last time; and whether some of it was missed.
    fn happened(&mut self, app: &App) -> (HashSet<TenantId>, bool) {
        let events = self.events.get_or_insert_with(|| app.live.subscribe());
        let (mut dirty, mut lost) = (HashSet::new(), false);
        loop {
            match events.try_recv() {
                Ok(event) if matches!(event.topic, "usage" | "order") => dirty.extend(event.tenant),
                Ok(_) => {}
                Err(TryRecvError::Lagged(_)) => lost = true,
                Err(TryRecvError::Empty | TryRecvError::Closed) => return (dirty, lost),
            }
        }
    }
}

async fn read(app: &App, id: TenantId) -> StoreResult<Figures> {
    let Some(scope) = app.store.scope(id).await? else {
        return Ok(Figures::default());
    };
    let now = app.clock.now();
    let midnight = Timestamp(now.0.div_euclid(DAY) * DAY);
    let since = now.minus(Duration::from_secs(30 * 86_400));
    let mut figures = Figures::default();
    let mut read = app.store.tenant_read(&scope).await?;
    for hour in read
        .usage()
        .buckets(None, midnight, Timestamp(midnight.0 + DAY))
        .await?
    {
        *figures.usage.entry(hour.meter).or_default() += hour.quantity;
    }
    let mut page = Page {
        limit: 200,
        ..Page::default()
    };
    loop {
        let orders = read.orders().list(&page, None).await?;
        let full = orders.len() == 200;
        page.after = orders.last().map(|o| o.id.0);
        for order in orders {
            if order.created_at < since {
                return Ok(figures);
            }
            figures.orders += 1;
            if let Some(minor) = order.paid_minor {
                *figures.paid.entry(order.currency).or_default() += minor;
            }
        }
        if !full || figures.orders >= MOST_ORDERS {
            return Ok(figures);
        }
    }
}
