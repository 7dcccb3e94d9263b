//! What `/metrics` shows (OpenMetrics). One place, so that names, units and labels stay consistent.
//!
//! No label holds a user or a path that a caller can invent: the number of series is bounded by the code and by what
//! operators install. Tenants are named for plugins alone, and only so many of them (see [`plugins`]).

mod plugins;

pub use plugins::{OpenBreaker, PluginMetrics};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// Seconds; from a cache hit to a slow model.
const LATENCY: [f64; 13] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0,
];

type Latency<L> = Family<L, Histogram, fn() -> Histogram>;

fn latency() -> Histogram {
    Histogram::new(LATENCY)
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Http {
    method: String,
    route: String,
    status: u16,
}
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Gateway {
    route: String,
    status: u16,
}
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: String,
    outcome: &'static str,
}
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Meter {
    meter: String,
}

/// The metrics of the process.
#[derive(Debug)]
pub struct Metrics {
    registry: Mutex<Registry>,
    http: Latency<Http>,
    gateway: Latency<Gateway>,
    gateway_first_byte: Histogram,
    gateway_open: Gauge,
    /// Plugins' calls.
    pub plugins: Arc<PluginMetrics>,
    jobs: Latency<Kind>,
    jobs_running: Gauge,
    quota_denied: Family<Meter, Counter>,
    usage: Family<Meter, Counter>,
    usage_batch: Histogram,
    usage_commit: Histogram,
    usage_failed: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        let me = Self {
            registry: Mutex::new(Registry::with_prefix("aistack")),
            http: Family::new_with_constructor(latency),
            gateway: Family::new_with_constructor(latency),
            gateway_first_byte: latency(),
            gateway_open: Gauge::default(),
            plugins: Arc::default(),
            jobs: Family::new_with_constructor(latency),
            jobs_running: Gauge::default(),
            quota_denied: Family::default(),
            usage: Family::default(),
            usage_batch: Histogram::new([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0]),
            usage_commit: latency(),
            usage_failed: Counter::default(),
        };
        {
            let mut r = me.registry.lock().unwrap_or_else(PoisonError::into_inner);
            r.register_with_unit(
                "http_request_duration",
                "Time to the end of an API answer's head",
                Unit::Seconds,
                me.http.clone(),
            );
            r.register_with_unit(
                "gateway_call_duration",
                "Time of a call through the gateway, body included",
                Unit::Seconds,
                me.gateway.clone(),
            );
            r.register_with_unit(
                "gateway_first_byte",
                "Time until the upstream's answer began",
                Unit::Seconds,
                me.gateway_first_byte.clone(),
            );
            r.register(
                "gateway_open_calls",
                "Calls in the gateway right now",
                me.gateway_open.clone(),
            );
            me.plugins.register(&mut r);
            r.register_with_unit(
                "job_duration",
                "Time of one try of a job",
                Unit::Seconds,
                me.jobs.clone(),
            );
            r.register(
                "jobs_running",
                "Jobs being tried right now on this node",
                me.jobs_running.clone(),
            );
            r.register(
                "quota_denials",
                "Calls refused because a quota was used up",
                me.quota_denied.clone(),
            );
            r.register("usage", "Quantity recorded, by meter", me.usage.clone());
            r.register(
                "usage_batch_calls",
                "Calls recorded by one commit",
                me.usage_batch.clone(),
            );
            r.register_with_unit(
                "usage_commit_duration",
                "Time of a commit that records usage",
                Unit::Seconds,
                me.usage_commit.clone(),
            );
            r.register(
                "usage_commit_failures",
                "Commits of usage that failed",
                me.usage_failed.clone(),
            );
        }
        me
    }
}

impl Metrics {
    /// Adds a part's own metrics.
    pub fn register(&self, add: impl FnOnce(&mut Registry)) {
        add(&mut self.registry.lock().unwrap_or_else(PoisonError::into_inner));
    }
    /// An API request was answered; `route` is the template, never the path.
    pub fn http_request(&self, method: &str, route: &str, status: u16, took: Duration) {
        let labels = Http {
            method: method.to_owned(),
            route: route.to_owned(),
            status,
        };
        self.http.get_or_create(&labels).observe(took.as_secs_f64());
    }
    /// A call through the gateway is over; `route` is the route's path prefix.
    pub fn gateway_call(&self, route: &str, status: u16, took: Duration) {
        let labels = Gateway {
            route: route.to_owned(),
            status,
        };
        self.gateway.get_or_create(&labels).observe(took.as_secs_f64());
    }
    /// The upstream began to answer.
    pub fn gateway_first_byte(&self, took: Duration) {
        self.gateway_first_byte.observe(took.as_secs_f64());
    }
    /// Calls in the gateway right now: one more (`true`) or one less.
    pub fn gateway_open(&self, opened: bool) {
        if opened {
            self.gateway_open.inc()
        } else {
            self.gateway_open.dec()
        };
    }
    /// A try of a job began.
    pub fn job_began(&self) {
        self.jobs_running.inc();
    }
    /// A try of a job is over; `outcome` is `done`, `retry`, `dead` or `lost`.
    pub fn job_ended(&self, kind: &str, outcome: &'static str, took: Duration) {
        self.jobs_running.dec();
        let labels = Kind {
            kind: kind.to_owned(),
            outcome,
        };
        self.jobs.get_or_create(&labels).observe(took.as_secs_f64());
    }
    /// A call was refused because the meter's quota was used up.
    pub fn quota_denied(&self, meter: &str) {
        self.quota_denied
            .get_or_create(&Meter {
                meter: meter.to_owned(),
            })
            .inc();
    }
    /// Usage was recorded.
    pub fn usage(&self, meter: &str, quantity: i64) {
        let quantity = u64::try_from(quantity).unwrap_or(0);
        self.usage
            .get_or_create(&Meter {
                meter: meter.to_owned(),
            })
            .inc_by(quantity);
    }
    /// One commit recorded so many calls.
    pub fn usage_commit(&self, calls: usize, took: Duration) {
        self.usage_batch
            .observe(f64::from(u32::try_from(calls).unwrap_or(u32::MAX)));
        self.usage_commit.observe(took.as_secs_f64());
    }
    /// A commit of usage failed.
    pub fn usage_commit_failed(&self) {
        self.usage_failed.inc();
    }
    /// Everything as OpenMetrics text (`application/openmetrics-text; version=1.0.0; charset=utf-8`).
    #[must_use]
    pub fn encode(&self) -> String {
        let mut text = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        // Writing into a String can't fail; a metric that can't be encoded is a defect worth seeing in the text.
        if let Err(e) = encode(&mut text, &registry) {
            tracing::error!(error = %e, "a metric can't be encoded");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_shown_with_its_labels() {
        let m = Metrics::default();
        m.http_request("GET", "/api/v1/orders/{order}", 200, Duration::from_millis(3));
        m.quota_denied("api.calls");
        m.usage("api.calls", 5);
        m.gateway_open(true);
        m.job_began();
        m.job_ended("report.run", "done", Duration::from_secs(1));
        let text = m.encode();
        for line in [
            "aistack_http_request_duration_seconds_bucket{le=\"0.005\",method=\"GET\",route=\"/api/v1/orders/{order}\",status=\"200\"} 1",
            "aistack_quota_denials_total{meter=\"api.calls\"} 1",
            "aistack_usage_total{meter=\"api.calls\"} 5",
            "aistack_gateway_open_calls 1",
            "aistack_jobs_running 0",
            "aistack_job_duration_seconds_count{kind=\"report.run\",outcome=\"done\"} 1",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} not in\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }
}
