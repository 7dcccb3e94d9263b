//! Puts the application together from the configuration: one implementation for each of the domain's ports.

use crate::{config::Config, folder};
use aistack_adapters::{DnsResolver, FileObjects, FileSealer, OciRegistries, SystemClock, SystemRng, oci::Credentials};
use aistack_core::{Clock, Rng};
use aistack_domain::{
    App, AppConfig, Ports,
    billing::RefreshOrder,
    demo,
    gateway::Decider,
    jobs::{Handlers, Settings},
    plugins::{
        catalogue, installations::ReconcileUse, policy, port::PluginRuntime, quarantine, releases, schedule::RunJob,
        trust::Trust,
    },
    port::{Objects, Sealer},
    reports::RunReport,
    tenancy::domains::CheckDomain,
};
use aistack_gateway::Proxy;
use aistack_http::Gateway;
use aistack_plugins::{PluginHost, RuntimeConfig};
use aistack_store::Store;
use aistack_store_postgres::{PostgresConfig, PostgresStore};
use aistack_store_sqlite::{SqliteConfig, SqliteStore};
use anyhow::Context;
use std::{path::Path, sync::Arc, time::Duration};
use url::Url;

/// Version of the binary.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Opens the database the configuration names.
///
/// # Errors
/// When it can't be opened or migrated.
pub async fn open_store(config: &Config) -> anyhow::Result<Arc<dyn Store>> {
    let store = &config.store;
    match &store.url {
        None => {
            let sqlite = SqliteConfig {
                durability: store.durability,
                max_open_tenants: store.max_open_tenants,
                ..SqliteConfig::new(config.data.dir.join("store"))
            };
            let context = || {
                format!(
                    "can't open the databases in {}",
                    config.data.dir.join("store").display()
                )
            };
            SqliteStore::open(sqlite).await.with_context(context)
        }
        Some(url) if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
            let postgres = PostgresConfig {
                owner_url: store.owner_url.clone().map(Into::into),
                max_connections: store.max_connections,
                durability: store.durability,
                ..PostgresConfig::new(url.clone().into())
            };
            PostgresStore::connect(postgres)
                .await
                .context("can't open the PostgreSQL database")
        }
        // Without the address: it may hold a password.
        Some(_) => anyhow::bail!("[store] url has to begin with postgres://; leave it out for SQLite"),
    }
}

/// Builds the application. `public_url` is where it is reached from outside.
///
/// # Errors
/// When the data folder, the root key, the database or the plugin runtime can't be used.
pub async fn application(config: &Config, public_url: Url) -> anyhow::Result<Arc<App>> {
    let dir = &config.data.dir;
    private_folder(dir).with_context(|| format!("can't use the data folder {}", dir.display()))?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let rng: Arc<dyn Rng> = Arc::new(SystemRng);
    let key_file = config.root_key_file();
    let sealer = FileSealer::open_or_create(&key_file, rng.clone())
        .with_context(|| format!("can't use the root key in {}", key_file.display()))?;
    let objects: Arc<dyn Objects> =
        Arc::new(FileObjects::open(&dir.join("objects")).context("can't use the folder of objects")?);
    let plugins = RuntimeConfig {
        instances: config.plugins.instances,
        tenant_calls: config.plugins.tenant_calls,
        threads: config.plugins.threads,
        ..RuntimeConfig::new(dir.join("plugins"), sealer.derive("compiled-plugins"))
    };
    // The engine reserves its pool while the database opens.
    let (engine_clock, engine_rng) = (clock.clone(), rng.clone());
    let runtime = tokio::task::spawn_blocking(move || PluginHost::new(plugins, engine_clock, engine_rng));
    let store = open_store(config).await?;
    let runtime: Arc<dyn PluginRuntime> = runtime
        .await?
        .map_err(|refusal| anyhow::anyhow!("can't start the plugin runtime: {refusal}"))?;
    let ports = Ports {
        store,
        clock,
        rng,
        sealer: Arc::new(sealer),
        objects,
        runtime,
        registry: Arc::new(registries(config)?),
        resolver: Arc::new(
            DnsResolver::new(&config.dns.servers, Duration::from_millis(config.dns.timeout_ms.max(1)))
                .context("set [dns] servers")?,
        ),
    };
    let app_config = AppConfig {
        public_url,
        version: VERSION,
        accounting: config.gateway.accounting,
        allow_private_addresses: config.plugins.allow_private_addresses,
        mandatory_plugins: config.plugins.mandatory.clone(),
        plugin_trust: config.plugin_trust(),
        plugin_pins: config.plugins.pins.clone(),
    };
    Ok(Arc::new(App::new(ports, app_config)))
}

/// The registries that components may be pulled from by the server.
fn registries(config: &Config) -> anyhow::Result<OciRegistries> {
    let plugins = &config.plugins;
    let credentials = match &plugins.registry_auth {
        Some(file) => Credentials::read(file).with_context(|| format!("[plugins] registry_auth {}", file.display()))?,
        None => Credentials::default(),
    };
    Ok(OciRegistries::listed(&plugins.registries, credentials)?)
}

/// The data path to the services behind.
#[must_use]
pub fn gateway(app: &Arc<App>) -> Gateway {
    let decisions = Arc::new(Decider::new(app.clone()));
    let proxy = Proxy::new(app.clone(), decisions, aistack_gateway::Settings::default());
    aistack_http::gateway(move |request| {
        let proxy = proxy.clone();
        async move { proxy.call(request).await }
    })
}

/// Every kind of job there is.
#[must_use]
pub fn job_handlers() -> Handlers {
    Handlers::default()
        .with(Arc::new(RefreshOrder))
        .with(Arc::new(RunReport))
        .with(Arc::new(ReconcileUse))
        .with(Arc::new(releases::Promote))
        .with(Arc::new(RunJob))
        .with(Arc::new(CheckDomain))
}

/// How the job runner works.
#[must_use]
pub fn job_settings(config: &Config) -> Settings {
    Settings {
        concurrency: config.jobs.concurrency.max(1),
        ..Settings::default()
    }
}

/// Makes installed plugins callable again, and installs the ones the configuration names. What can't be done is logged:
/// one bad plugin must not keep the platform down.
///
/// # Errors
/// When the catalogue can't be read.
pub async fn plugins(app: &App, config: &Config) -> anyhow::Result<()> {
    let trust = config.plugin_trust();
    if trust == Trust::Development {
        tracing::warn!("unsigned plugins are taken: [plugins] trust is \"development\"");
    }
    quarantine::refresh(app).await?;
    releases::refresh(app).await?;
    policy::refresh(app).await?;
    let restored = catalogue::restore_all(app).await?;
    for (digest, why) in &restored.failed {
        tracing::error!(digest, why, "an installed plugin can't be restored");
    }
    if let Some(dir) = &config.plugins.preload_dir {
        folder::preload(app, dir).await?;
    }
    Ok(())
}

/// Fills an empty platform with a made-up business, using the official plugins that are installed.
///
/// # Errors
/// As the stores.
pub async fn seed_demo(app: &Arc<App>) -> anyhow::Result<()> {
    let mut installed = Vec::new();
    for wanted in ["official.stripe", "official.usage-report"] {
        let there = !app
            .store
            .platform_read()
            .await?
            .plugins()
            .versions(wanted)
            .await?
            .is_empty();
        installed.push(there.then_some(wanted));
    }
    let seeded = demo::seed(app, installed[0], installed[1]).await?;
    if seeded.tenants > 0 {
        tracing::info!(
            tenants = seeded.tenants,
            calls = seeded.calls,
            orders = seeded.orders,
            "made the demo business"
        );
    }
    Ok(())
}

/// Waits until everything that was handed in is written, `patience` at most.
pub async fn flush(app: &App, patience: Duration) {
    let idle = async {
        while !app.recorder.is_idle() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    if tokio::time::timeout(patience, idle).await.is_err() {
        tracing::error!("usage was still being written after the drain time");
    }
}

/// Makes the folder for its owner alone: it holds the root key and everybody's data.
fn private_folder(dir: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    if dir.is_dir() {
        return Ok(());
    }
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}
