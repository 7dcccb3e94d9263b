//! Who uses how much: per tenant and plugin, minute by minute for an hour, in memory of this node.

use crate::plugins::port::{CallOutcome, CallReceipt};
use aistack_core::{TenantId, text_enum};
use serde::Serialize;
use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Pairs of tenant and plugin that are told apart.
const PAIRS: usize = 2_000;
/// Minutes kept.
const MINUTES: u64 = 60;

text_enum! {
    /// What consumers are sorted by.
    pub enum By {
        /// Number of calls.
        Calls = "calls",
        /// Calls that did not end well.
        Errors = "errors",
        /// Time computing.
        Cpu = "cpu",
        /// Largest memory of a call.
        Memory = "memory",
        /// Bytes sent and received.
        Bytes = "bytes",
    }
}

/// What a tenant used of a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Consumer {
    /// Slug.
    pub tenant: String,
    /// Plugin.
    pub plugin: String,
    /// Calls.
    pub calls: u64,
    /// Calls of these that did not end well.
    pub errors: u64,
    /// Time computing, microseconds.
    pub cpu_us: u64,
    /// Largest memory of a call, bytes.
    pub memory: u64,
    /// Bytes sent and received.
    pub bytes: u64,
}

#[derive(Debug, Default, Clone, Copy)]
struct Minute {
    at: u64,
    calls: u64,
    errors: u64,
    cpu_us: u64,
    memory: u64,
    bytes: u64,
}

#[derive(Debug)]
struct Pair {
    tenant: String,
    minutes: VecDeque<Minute>,
}

#[derive(Debug, Default)]
pub(super) struct Top(Mutex<HashMap<(TenantId, String), Pair>>);

fn minute(now: Duration) -> u64 {
    now.as_secs() / 60
}

impl Top {
    pub(super) fn note(&self, (id, slug, plugin): (TenantId, &str, &str), r: &CallReceipt, now: Duration) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (id, plugin.to_owned());
        let at = minute(now);
        if !all.contains_key(&key) && all.len() >= PAIRS {
            all.retain(|_, p| p.minutes.back().is_some_and(|m| m.at + MINUTES > at));
            if all.len() >= PAIRS {
                return;
            }
        }
        let pair = all.entry(key).or_insert_with(|| Pair {
            tenant: slug.to_owned(),
            minutes: VecDeque::new(),
        });
        while pair.minutes.front().is_some_and(|m| m.at + MINUTES <= at) {
            pair.minutes.pop_front();
        }
        if pair.minutes.back().is_none_or(|m| m.at != at) {
            pair.minutes.push_back(Minute {
                at,
                ..Minute::default()
            });
        }
        if let Some(m) = pair.minutes.back_mut() {
            m.calls += 1;
            m.errors += u64::from(r.outcome != CallOutcome::Ok);
            m.cpu_us += u64::try_from(r.guest.as_micros()).unwrap_or(0);
            m.memory = m.memory.max(r.memory);
            m.bytes += r.bytes_in + r.bytes_out;
        }
    }

    pub(super) fn most(&self, by: By, window: Duration, limit: usize, now: Duration) -> Vec<Consumer> {
        let minutes = window.as_secs().div_ceil(60).clamp(1, MINUTES);
        let from = (minute(now) + 1).saturating_sub(minutes);
        let mut consumers: Vec<Consumer> = {
            let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.iter()
                .map(|((_, plugin), pair)| sum(pair, plugin, from))
                .filter(|c| c.calls > 0)
                .collect()
        };
        let figure = |c: &Consumer| match by {
            By::Calls => c.calls,
            By::Errors => c.errors,
            By::Cpu => c.cpu_us,
            By::Memory => c.memory,
            By::Bytes => c.bytes,
        };
        consumers.sort_by(|a, b| (figure(b), &a.tenant, &a.plugin).cmp(&(figure(a), &b.tenant, &b.plugin)));
        consumers.truncate(limit);
        consumers
    }
}

fn sum(pair: &Pair, plugin: &str, from: u64) -> Consumer {
    let mut c = Consumer {
        tenant: pair.tenant.clone(),
        plugin: plugin.to_owned(),
        calls: 0,
        errors: 0,
        cpu_us: 0,
        memory: 0,
        bytes: 0,
    };
    for m in pair.minutes.iter().filter(|m| m.at >= from) {
        c.calls += m.calls;
        c.errors += m.errors;
        c.cpu_us += m.cpu_us;
        c.memory = c.memory.max(m.memory);
        c.bytes += m.bytes;
    }
    c
}
