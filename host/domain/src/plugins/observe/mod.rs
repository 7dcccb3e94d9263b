//! Seeing what plugins do: figures per tenant and plugin, the log as it is written, why a call failed, whether a
//! plugin that must be there is.

mod codes;
mod detail;
mod mandatory;
mod top;
mod why;

pub use detail::{CallDetail, anywhere, detail};
pub use mandatory::missing;
pub use top::{By, Consumer};
pub use why::{Why, explain};

use super::port::{CallReceipt, LogLine};
use crate::{
    App,
    metrics::{OpenBreaker, PluginMetrics},
};
use aistack_core::{CallId, InstallationId, TenantId, TenantScope};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::broadcast;

/// Installations whose breakers are looked at.
const WATCHED: usize = 10_000;
/// Log lines a slow reader may lag behind; what is beyond is lost to it, and said.
const LAG: usize = 1_024;

/// A log line on its way to whoever watches.
#[derive(Debug, Clone)]
pub struct LogEvent {
    /// Whose.
    pub tenant: TenantId,
    /// Which installation's.
    pub installation: InstallationId,
    /// Which call's.
    pub call: CallId,
    /// The line.
    pub line: LogLine,
}

/// Where calls report to.
#[derive(Debug)]
pub struct Observer {
    metrics: Arc<PluginMetrics>,
    top: top::Top,
    logs: broadcast::Sender<LogEvent>,
    /// Slug and plugin of installations that were called.
    seen: Mutex<HashMap<(TenantId, InstallationId), (String, String)>>,
}

impl Observer {
    /// Reports to these metrics.
    #[must_use]
    pub fn new(metrics: Arc<PluginMetrics>) -> Self {
        Self {
            metrics,
            top: top::Top::default(),
            logs: broadcast::Sender::new(LAG),
            seen: Mutex::default(),
        }
    }

    /// A call is over. `now` is the process's monotonic time.
    pub(super) fn call(&self, scope: &TenantScope, receipt: &CallReceipt, now: Duration) {
        let plugin = receipt.plugin.split(' ').next().unwrap_or_default();
        self.metrics.call(scope.slug(), plugin, receipt);
        self.top.note((scope.id(), scope.slug(), plugin), receipt, now);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (receipt.tenant, receipt.installation);
        if !seen.contains_key(&key) && seen.len() < WATCHED {
            seen.insert(key, (scope.slug().to_owned(), plugin.to_owned()));
        }
    }

    /// A component wrote a line; never waits.
    pub(super) fn log(&self, event: impl FnOnce() -> LogEvent) {
        if self.logs.receiver_count() > 0 {
            // Whoever listened may just have gone.
            let _ = self.logs.send(event());
        }
    }

    /// Log lines from now on, of all tenants: the reader takes its own.
    #[must_use]
    pub fn listen(&self) -> broadcast::Receiver<LogEvent> {
        self.logs.subscribe()
    }
}

/// Brings the figures that are states up to this moment; call it before metrics are read.
pub fn refresh(app: &App) {
    let seen: Vec<_> = {
        let seen = app.observer.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().map(|(k, v)| (*k, v.clone())).collect()
    };
    let mut open = Vec::new();
    for ((tenant, installation), (slug, plugin)) in seen {
        for b in app.runtime.breakers(tenant, installation) {
            open.push(OpenBreaker {
                tenant: slug.clone(),
                plugin: plugin.clone(),
                operation: b.operation,
                probing: b.probing,
            });
        }
    }
    app.metrics.plugins.now(&open, &app.runtime.pool());
}

/// Who used most of something in the last `window` (an hour at most) on this node: at most `limit` of them, most first.
#[must_use]
pub fn consumers(app: &App, by: By, window: Duration, limit: usize) -> Vec<Consumer> {
    app.observer.top.most(by, window, limit, app.clock.monotonic())
}
