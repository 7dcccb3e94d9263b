//! The application: every port wired once, shared by all use cases.

use crate::{
    access::Access,
    gateway::RouteTable,
    jobs::Outbox,
    live::LiveBus,
    metering::{Accounting, Recorder},
    metrics::Metrics,
    overview,
    plugins::{
        Calls, budgets::Budgets, observe::Observer, policy::Policies, port::PluginRuntime, quarantine::Held,
        releases::Releases, sources::Sources, trust::Trust,
    },
    port::{Objects, Registry, Resolver, Sealer},
    quota,
    tenancy::{Alarms, Directory},
};
use aistack_core::{Clock, Rng};
use aistack_store::Store;
use std::{collections::BTreeMap, sync::Arc};
use url::Url;

/// What the operator configured that rules need to know.
#[derive(Debug, Clone)]
pub struct AppConfig {
    /// Where the platform is reached from outside; its host is the base host of tenants.
    pub public_url: Url,
    /// Version of the binary.
    pub version: &'static str,
    /// When a gateway call's answer may end.
    pub accounting: Accounting,
    /// Whether plugins may reach private addresses and plain HTTP at every host they were granted, without an operator
    /// naming each. For development and tests.
    pub allow_private_addresses: bool,
    /// Plugins without which the platform is not ready: ids, with a version requirement after `@`.
    pub mandatory_plugins: Vec<String>,
    /// The least that is demanded of a component on this node.
    pub plugin_trust: Trust,
    /// Digests that components of a plugin have to have, by the plugin's id.
    pub plugin_pins: BTreeMap<String, String>,
}

/// What the application is built from: one implementation per port.
pub struct Ports {
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
    /// Registries of components.
    pub registry: Arc<dyn Registry>,
    /// The DNS.
    pub resolver: Arc<dyn Resolver>,
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
    /// Registries of components.
    pub registry: Arc<dyn Registry>,
    /// The DNS.
    pub resolver: Arc<dyn Resolver>,
    /// What last came of pulls and of files in folders.
    pub sources: Sources,
    /// Live events.
    pub live: LiveBus,
    /// Woken when a job may have become due.
    pub job_signal: tokio::sync::Notify,
    /// Recently routed tenants.
    pub directory: Directory,
    /// Security events that came of routing.
    pub alarms: Alarms,
    /// Passwords in progress, sign-in throttle, signing keys.
    pub access: Access,
    /// Tenants whose outbox may hold messages.
    pub outbox: Outbox,
    /// Gateway routes as they are now.
    pub routes: RouteTable,
    /// Quota decisions.
    pub quota: quota::Engine,
    /// Usage on its way into the store.
    pub recorder: Recorder,
    /// Figures of the operators' first page.
    pub overview: overview::Cache,
    /// What `/metrics` shows.
    pub metrics: Metrics,
    /// Installations ready to be called, and receipts of calls.
    pub calls: Calls,
    /// Components out of service.
    pub held: Arc<Held>,
    /// What the operator and the plans let plugins do.
    pub policies: Policies,
    /// What tenants' calls have used lately.
    pub budgets: Arc<Budgets>,
    /// New versions on trial.
    pub releases: Arc<Releases>,
    /// What is seen of plugins' calls.
    pub observer: Arc<Observer>,
    /// Held while the isolation of tenants is verified.
    pub verifying: tokio::sync::Mutex<()>,
    /// Configuration.
    pub config: AppConfig,
}

impl App {
    /// Wires the ports; everything the application keeps in memory starts empty.
    #[must_use]
    pub fn new(ports: Ports, config: AppConfig) -> Self {
        let Ports {
            store,
            clock,
            rng,
            sealer,
            objects,
            runtime,
            registry,
            resolver,
        } = ports;
        let metrics = Metrics::default();
        let observer = Arc::new(Observer::new(Arc::clone(&metrics.plugins)));
        Self {
            store,
            clock,
            rng,
            sealer,
            objects,
            runtime,
            registry,
            resolver,
            sources: Sources::default(),
            live: LiveBus::default(),
            job_signal: tokio::sync::Notify::new(),
            directory: Directory::default(),
            alarms: Alarms::default(),
            access: Access::default(),
            outbox: Outbox::default(),
            routes: RouteTable::default(),
            quota: quota::Engine::default(),
            recorder: Recorder::default(),
            overview: overview::Cache::default(),
            metrics,
            held: Arc::default(),
            policies: Policies::default(),
            budgets: Arc::default(),
            releases: Arc::default(),
            observer,
            verifying: tokio::sync::Mutex::default(),
            calls: Calls::default(),
            config,
        }
    }
}
