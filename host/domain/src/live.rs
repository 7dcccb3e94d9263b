//! The live bus: small events for consoles (SSE). Lossy by design; the truth is in the store.

use aistack_core::TenantId;
use serde_json::Value;
use tokio::sync::broadcast;

/// Something that just happened.
#[derive(Debug, Clone)]
pub struct LiveEvent {
    /// Whose, if a tenant's.
    pub tenant: Option<TenantId>,
    /// `usage`, `audit`, `order`, `report`, `overview`.
    pub topic: &'static str,
    /// What the page shows.
    pub data: Value,
}

/// The bus.
#[derive(Debug, Clone)]
pub struct LiveBus(broadcast::Sender<LiveEvent>);

impl Default for LiveBus {
    fn default() -> Self {
        Self(broadcast::channel(1024).0)
    }
}

impl LiveBus {
    /// Tells whoever listens.
    pub fn publish(&self, event: LiveEvent) {
        // Nobody listening is the normal case.
        let _ = self.0.send(event);
    }
    /// Listens from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<LiveEvent> {
        self.0.subscribe()
    }
}
