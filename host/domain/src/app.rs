//! The application: every port wired once, shared by all use cases.

use crate::{
    live::LiveBus,
    plugins::port::PluginRuntime,
    port::{Objects, Sealer},
};
use aistack_core::{Clock, Rng};
use aistack_store::Store;
use std::sync::Arc;
use url::Url;

/// What the operator configured that rules need to know.
#[derive(Debug, Clone)]
pub struct AppConfig {
    /// Where the platform is reached from outside; its host is the base host of tenants.
    pub public_url: Url,
    /// Version of the binary.
    pub version: &'static str,
}

/// The application.
pub struct App {
    /// Storage.
    pub store: Arc<dyn Store>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub rng: Arc<dyn Rng>,
    /// Sealing.
    pub sealer: Arc<dyn Sealer>,
    /// Files.
    pub objects: Arc<dyn Objects>,
    /// Plugins.
    pub runtime: Arc<dyn PluginRuntime>,
    /// Live events.
    pub live: LiveBus,
    /// Woken when a job may have become due.
    pub job_signal: tokio::sync::Notify,
    /// Configuration.
    pub config: AppConfig,
}
