//! What `/metrics` shows of plugins, by tenant and plugin.

use super::{Latency, latency};
use crate::plugins::port::{CallReceipt, PoolFigures};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};
use std::{
    collections::HashSet,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64},
    },
};

/// Pairs of tenant and plugin that are told apart; what comes later is counted under the tenant `other`.
const PAIRS: usize = 2_000;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Pair {
    tenant: String,
    plugin: String,
}
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    tenant: String,
    plugin: String,
    operation: String,
    outcome: &'static str,
}
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Way {
    tenant: String,
    plugin: String,
    direction: &'static str,
}
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Breaker {
    tenant: String,
    plugin: String,
    operation: String,
}

/// An open breaker, for the gauge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenBreaker {
    /// Tenant.
    pub tenant: String,
    /// Plugin.
    pub plugin: String,
    /// Operation.
    pub operation: &'static str,
    /// Whether one call is trying.
    pub probing: bool,
}

/// The figures.
#[derive(Debug)]
pub struct PluginMetrics {
    calls: Family<Ended, Counter>,
    duration: Latency<Pair>,
    cpu: Family<Pair, Counter<f64, AtomicU64>>,
    memory: Family<Pair, Gauge>,
    bytes: Family<Way, Counter>,
    breakers: Family<Breaker, Gauge>,
    instances: Gauge,
    capacity: Gauge,
    components: Gauge,
    known: Mutex<HashSet<(String, String)>>,
}

impl Default for PluginMetrics {
    fn default() -> Self {
        Self {
            calls: Family::default(),
            duration: Family::new_with_constructor(latency),
            cpu: Family::default(),
            memory: Family::default(),
            bytes: Family::default(),
            breakers: Family::default(),
            instances: Gauge::default(),
            capacity: Gauge::default(),
            components: Gauge::default(),
            known: Mutex::default(),
        }
    }
}

fn gauge(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

impl PluginMetrics {
    pub(super) fn register(&self, r: &mut Registry) {
        r.register("plugin_calls", "Plugin calls, by how they ended", self.calls.clone());
        r.register_with_unit(
            "plugin_call_duration",
            "Wall time of a plugin call",
            Unit::Seconds,
            self.duration.clone(),
        );
        r.register_with_unit(
            "plugin_cpu",
            "Time plugins spent computing",
            Unit::Seconds,
            self.cpu.clone(),
        );
        r.register_with_unit(
            "plugin_peak_memory",
            "Largest linear memory of a call since the start",
            Unit::Bytes,
            self.memory.clone(),
        );
        r.register_with_unit(
            "plugin_traffic",
            "Bytes that plugins sent (`out`) and received (`in`)",
            Unit::Bytes,
            self.bytes.clone(),
        );
        r.register(
            "plugin_breaker_state",
            "Breakers that are not closed: 1 while one call is trying, 2 while open",
            self.breakers.clone(),
        );
        r.register(
            "plugin_instances",
            "Plugin instances alive right now",
            self.instances.clone(),
        );
        r.register(
            "plugin_instances_most",
            "Plugin instances there is room for",
            self.capacity.clone(),
        );
        r.register(
            "plugin_components",
            "Components that can be called",
            self.components.clone(),
        );
    }

    /// The labels under which a pair is counted: a tenant can't make series without end.
    fn pair(&self, tenant: &str, plugin: &str) -> Pair {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (tenant.to_owned(), plugin.to_owned());
        let tenant = if known.contains(&key) || known.len() < PAIRS {
            known.insert(key);
            tenant
        } else {
            "other"
        };
        Pair {
            tenant: tenant.to_owned(),
            plugin: plugin.to_owned(),
        }
    }

    /// A call is over. `tenant` is its slug, `plugin` the plugin's id.
    pub fn call(&self, tenant: &str, plugin: &str, receipt: &CallReceipt) {
        let pair = self.pair(tenant, plugin);
        let Pair { tenant, plugin } = pair.clone();
        self.duration.get_or_create(&pair).observe(receipt.wall.as_secs_f64());
        self.cpu.get_or_create(&pair).inc_by(receipt.guest.as_secs_f64());
        let memory = self.memory.get_or_create_owned(&pair);
        let most: &AtomicI64 = memory.inner();
        most.fetch_max(gauge(receipt.memory), std::sync::atomic::Ordering::Relaxed);
        for (direction, bytes) in [("out", receipt.bytes_out), ("in", receipt.bytes_in)] {
            let way = Way {
                tenant: tenant.clone(),
                plugin: plugin.clone(),
                direction,
            };
            self.bytes.get_or_create(&way).inc_by(bytes);
        }
        let ended = Ended {
            tenant,
            plugin,
            operation: receipt.operation.clone(),
            outcome: receipt.outcome.as_str(),
        };
        self.calls.get_or_create(&ended).inc();
    }

    /// How breakers and the pool are at this moment.
    pub fn now(&self, breakers: &[OpenBreaker], pool: &PoolFigures) {
        self.breakers.clear();
        for b in breakers {
            let Pair { tenant, plugin } = self.pair(&b.tenant, &b.plugin);
            let labels = Breaker {
                tenant,
                plugin,
                operation: b.operation.to_owned(),
            };
            let state = if b.probing { 1 } else { 2 };
            let gauge = self.breakers.get_or_create_owned(&labels);
            gauge.set(gauge.get().max(state));
        }
        self.instances.set(gauge(pool.instances));
        self.capacity.set(gauge(pool.capacity));
        self.components.set(gauge(pool.components));
    }
}
