//! A plugin host of one's own: the platform's runtime, with a platform in memory behind it.

mod clock;
mod platform;

pub use clock::StagedClock;
pub use platform::Platform;

use crate::{Error, Finding, project::Settings};
use aistack_core::{CallId, Clock, InstallationId, Rng, TenantId};
use aistack_domain::plugins::{
    grants,
    manifest::{self, CallClass, Manifest},
    port::{
        BreakerFigures, CallLimits, Grants, Inspection, Invocation, Journal, JournalMode, Lane, PluginKind,
        PluginRuntime, Powers, SecretSet,
    },
    schema::Schema,
};
use aistack_plugins::{CompileMode, HttpPeer, PluginHost, RuntimeConfig};
use secrecy::SecretBox;
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

/// What a runner is made with.
#[derive(Debug, Clone)]
pub struct Options {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub rng: Arc<dyn Rng>,
    /// Answers HTTP in place of the network.
    pub peer: Option<Arc<dyn HttpPeer>>,
    /// Where compiled components are kept between runs; nowhere when not given. Never inside a project: what lies
    /// there is run as it is, and projects come from strangers.
    pub cache: Option<PathBuf>,
    /// Compile in this process instead of a child of this program.
    pub in_process: bool,
    /// Count what instructions cost, in receipts; slower.
    pub count_fuel: bool,
}

/// A component that can be called.
pub struct Runner {
    host: Arc<PluginHost>,
    loaded: RwLock<Arc<Loaded>>,
    /// The one before, for calls that were about to begin when it was replaced.
    before: Mutex<Option<Arc<Loaded>>>,
    clock: Arc<dyn Clock>,
    calls: AtomicU64,
    /// Removed with the runner, when nothing is to be kept.
    _folder: Option<tempfile::TempDir>,
}

/// The component a runner holds.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What it is.
    pub inspection: Inspection,
    /// Its manifest.
    pub manifest: Manifest,
    digest: Arc<str>,
    schema: Schema,
}

impl std::fmt::Debug for Runner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runner")
            .field("digest", &self.loaded().digest)
            .finish_non_exhaustive()
    }
}

impl Runner {
    /// Starts a host and loads a component.
    ///
    /// # Errors
    /// When the host refuses it, or can't be started.
    pub async fn start(component: &[u8], options: Options) -> Result<Self, Error> {
        let (folder, dir) = match options.cache {
            Some(dir) => (None, dir),
            None => {
                let folder = tempfile::tempdir().map_err(Error::file(std::env::temp_dir()))?;
                let dir = folder.path().to_owned();
                (Some(folder), dir)
            }
        };
        let mut config = RuntimeConfig::new(dir.clone(), cache_key(&dir, &*options.rng)?);
        config.instances = 32;
        config.peer = options.peer;
        config.count_fuel = options.count_fuel;
        if options.in_process {
            config.compile = CompileMode::InProcess;
        }
        let host = PluginHost::new(config, Arc::clone(&options.clock), options.rng)?;
        let loaded = load(&host, component).await?;
        Ok(Self {
            host,
            loaded: RwLock::new(Arc::new(loaded)),
            before: Mutex::default(),
            clock: options.clock,
            calls: AtomicU64::new(1),
            _folder: folder,
        })
    }

    /// Puts another component in the place of this one; calls in flight finish on the old one.
    ///
    /// # Errors
    /// When the host refuses it; the old one then stays.
    pub async fn swap(&self, component: &[u8]) -> Result<(), Error> {
        let loaded = load(&self.host, component).await?;
        if loaded.digest == self.loaded().digest {
            return Ok(());
        }
        let old = {
            let mut now = self.loaded.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *now, Arc::new(loaded))
        };
        let gone = {
            let mut before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
            before.replace(old)
        };
        if let Some(gone) = gone.filter(|g| g.digest != self.loaded().digest) {
            self.host.forget(&gone.digest).await;
        }
        Ok(())
    }

    /// The host.
    #[must_use]
    pub fn host(&self) -> &PluginHost {
        &self.host
    }

    /// What is loaded.
    #[must_use]
    pub fn loaded(&self) -> Arc<Loaded> {
        Arc::clone(&self.loaded.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The component's world.
    #[must_use]
    pub fn kind(&self) -> PluginKind {
        self.loaded().inspection.kind
    }

    /// The time the component sees.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// What the manifest declares for this configuration, with hosts on this machine opened.
    #[must_use]
    pub fn grants(&self, settings: &Settings) -> Grants {
        let mut granted = grants::declared(&self.loaded().manifest, &settings.config);
        let opened: Vec<String> = settings
            .grants
            .private_hosts
            .iter()
            .filter_map(|h| grants::normal_host(h, 80))
            .collect();
        let here = |host: &&String| {
            let name = host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name);
            name == "localhost" || name.ends_with(".localhost") || name.starts_with("127.") || name == "[::1]"
        };
        let all = granted.http_hosts.iter().chain(&granted.dial_targets);
        granted.private_hosts = all.filter(|h| here(h) || opened.contains(h)).cloned().collect();
        granted
    }

    /// A call of an installation of its own, so that no breaker remembers the one before.
    ///
    /// # Errors
    /// When the settings' config does not pass the plugin's schema, or a secret is not there.
    pub fn invocation(
        &self,
        settings: &Settings,
        dir: &Path,
        platform: &Arc<Platform>,
        class: CallClass,
    ) -> Result<Invocation, Error> {
        let config = self
            .loaded()
            .schema
            .accept(settings.config.clone(), "/config")
            .map_err(|all| {
                let findings = all
                    .into_iter()
                    .map(|e| Finding::from(e).in_file(crate::project::SETTINGS))
                    .collect();
                Error::Findings {
                    what: "the config does not pass the plugin's own schema".to_owned(),
                    findings,
                }
            })?;
        self.unchecked(config, settings, dir, platform, class)
    }

    /// As [`Runner::invocation`], with a config that no schema has seen.
    ///
    /// # Errors
    /// When a secret is not there.
    pub fn unchecked(
        &self,
        config: Value,
        settings: &Settings,
        dir: &Path,
        platform: &Arc<Platform>,
        class: CallClass,
    ) -> Result<Invocation, Error> {
        let n = u128::from(self.calls.fetch_add(1, Ordering::Relaxed));
        let id = uuid::Uuid::from_u128;
        let mut secrets = SecretSet::default();
        for (name, secret) in &settings.secrets {
            secrets.0.insert(name.clone(), secret.versions(dir)?);
        }
        let loaded = self.loaded();
        let m = &loaded.manifest;
        let context = settings.context.clone();
        let mut granted = grants::declared(m, &config);
        granted.private_hosts = self.grants(settings).private_hosts;
        platform.limit(granted.kv_bytes, granted.kv_keys);
        Ok(Invocation {
            tenant: TenantId(id(1)),
            installation: InstallationId(id(n)),
            digest: Arc::clone(&loaded.digest),
            plugin: format!("{} {}", m.id, m.version).into(),
            call: CallId(id(n)),
            request: None,
            locale: context.locale,
            time_zone: context.time_zone,
            live: context.live,
            attempt: 1,
            base_url: context.base_url,
            config: Arc::new(config),
            secrets: Arc::new(secrets),
            powers: Arc::new(Powers::new(Arc::new(granted))),
            limits: m.call_limits(class),
            breaker: BreakerFigures {
                errors: u32::MAX,
                ..BreakerFigures::default()
            },
            lane: class.lane(),
            extra: context.extra,
            services: Arc::clone(platform).services(),
            journal: JournalMode::Off,
        })
    }

    /// A recorded call made again: what it may do is what its manifest declares, for nothing is done.
    #[must_use]
    pub fn replaying(&self, journal: &Arc<Journal>, limits: CallLimits, platform: &Arc<Platform>) -> Invocation {
        let n = u128::from(self.calls.fetch_add(1, Ordering::Relaxed));
        let id = uuid::Uuid::from_u128;
        let loaded = self.loaded();
        let m = &loaded.manifest;
        Invocation {
            tenant: TenantId(id(1)),
            installation: InstallationId(id(n)),
            digest: Arc::clone(&loaded.digest),
            plugin: format!("{} {}", m.id, m.version).into(),
            call: CallId(id(n)),
            request: None,
            // What the component sees of these is the journal's.
            locale: String::new(),
            time_zone: String::new(),
            live: false,
            attempt: 1,
            base_url: String::new(),
            config: Arc::new(journal.config.clone()),
            secrets: Arc::default(),
            powers: Arc::new(Powers::new(Arc::new(grants::declared(m, &journal.config)))),
            limits,
            breaker: BreakerFigures {
                errors: u32::MAX,
                ..BreakerFigures::default()
            },
            lane: Lane::Ordinary,
            extra: Value::Null,
            services: Arc::clone(platform).services(),
            journal: JournalMode::Replay(Arc::clone(journal)),
        }
    }
}

async fn load(host: &PluginHost, component: &[u8]) -> Result<Loaded, Error> {
    let inspection = host.admit(component).await?;
    let manifest = manifest::lint(&inspection.manifest).map_err(|found| Error::Findings {
        what: "the embedded manifest is not accepted".to_owned(),
        findings: crate::lint::manifest_findings(&inspection.manifest, found),
    })?;
    let schema: Value = serde_json::from_str(&inspection.config_schema).unwrap_or_default();
    let schema = Schema::compile(&schema).map_err(|e| Error::Findings {
        what: "the embedded config schema is not accepted".to_owned(),
        findings: vec![Finding::error("schema", "", e.to_string(), "").in_file(crate::project::SCHEMA)],
    })?;
    Ok(Loaded {
        digest: inspection.digest.as_str().into(),
        inspection,
        manifest,
        schema,
    })
}

/// The key that tells compiled components of ours from anybody else's: made once, readable by its owner alone.
fn cache_key(dir: &Path, rng: &dyn Rng) -> Result<SecretBox<[u8; 32]>, Error> {
    use std::{fs, io::Write, os::unix::fs::OpenOptionsExt};
    let path = dir.join("key");
    if let Ok(bytes) = fs::read(&path)
        && let Ok(key) = <[u8; 32]>::try_from(bytes)
    {
        return Ok(SecretBox::new(Box::new(key)));
    }
    fs::create_dir_all(dir).map_err(Error::file(dir))?;
    let mut key = [0; 32];
    rng.fill(&mut key);
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&path)
        .map_err(Error::file(&path))?;
    file.write_all(&key).map_err(Error::file(&path))?;
    Ok(SecretBox::new(Box::new(key)))
}
