//! What `/metrics` says about requests.

use aistack_domain::App;
use http::{Method, StatusCode};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
};
use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    method: String,
    route: String,
    status: u16,
}

/// Counts and times, by route template.
#[derive(Debug)]
pub(crate) struct HttpMetrics {
    requests: Family<Labels, Counter>,
    seconds: Histogram,
}

impl HttpMetrics {
    pub(crate) fn register(app: &App) -> Self {
        let requests = Family::<Labels, Counter>::default();
        let seconds = Histogram::new([
            0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
        ]);
        app.metrics.register(|registry| {
            registry.register(
                "http_requests",
                "Requests answered, by route template",
                requests.clone(),
            );
            registry.register("http_request_seconds", "Time to the answer's head", seconds.clone());
        });
        Self { requests, seconds }
    }

    pub(crate) fn observe(&self, method: &Method, route: &str, status: StatusCode, took: Duration) {
        // A made-up method must not become a label of its own.
        let method = match *method {
            Method::GET
            | Method::POST
            | Method::PUT
            | Method::PATCH
            | Method::DELETE
            | Method::HEAD
            | Method::OPTIONS => method.as_str(),
            _ => "other",
        };
        let labels = Labels {
            method: method.to_owned(),
            route: route.to_owned(),
            status: status.as_u16(),
        };
        self.requests.get_or_create(&labels).inc();
        self.seconds.observe(took.as_secs_f64());
    }
}
