//! A plugin host in a temporary directory, the hostile components, and a platform that keeps what it is told.

use aistack_core::{CallId, Clock, InstallationId, Rng, TenantId, Timestamp};
use aistack_domain::plugins::port::*;
use aistack_plugins::{CompileMode, PluginHost, RuntimeConfig};
use secrecy::SecretBox;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use uuid::Uuid;

/// Builds the hostile components once per run of the tests.
static HOSTILE: LazyLock<PathBuf> = LazyLock::new(|| {
    let workspace = Path::new("../../tests/hostile").canonicalize().unwrap();
    // A target folder of its own: cargo's lock on the host's is held by whoever runs these tests.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hostile");
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .current_dir(workspace)
        .args([
            "build",
            "--quiet",
            "--release",
            "--target",
            "wasm32-wasip2",
            "--target-dir",
        ])
        .arg(&target);
    for name in [
        "RUSTFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_BUILD_TARGET",
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
        "CARGO_TARGET_DIR",
        "MAKEFLAGS",
    ] {
        cargo.env_remove(name);
    }
    assert!(
        cargo.status().expect("cargo runs").success(),
        "the hostile components must build"
    );
    target.join("wasm32-wasip2/release")
});

/// The bytes of a hostile component.
pub(crate) fn component(name: &str) -> Vec<u8> {
    std::fs::read(HOSTILE.join(format!("hostile_{name}.wasm"))).expect("the component was built")
}

#[derive(Debug)]
struct RealClock(Instant);
impl Clock for RealClock {
    fn now(&self) -> Timestamp {
        let us = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
        Timestamp(i64::try_from(us).unwrap())
    }
    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}
pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(RealClock(Instant::now()))
}

/// Different bytes each time; tests need no more.
#[derive(Debug, Default)]
pub(crate) struct CountingRng(AtomicU64);
impl Rng for CountingRng {
    fn fill(&self, buf: &mut [u8]) {
        for chunk in buf.chunks_mut(32) {
            let n = self.0.fetch_add(1, Ordering::Relaxed);
            let seed = [n.to_le_bytes().as_slice(), std::process::id().to_le_bytes().as_slice()].concat();
            let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &seed);
            chunk.copy_from_slice(&hash.as_ref()[..chunk.len()]);
        }
    }
}

/// The platform's side of a call.
#[derive(Default)]
pub(crate) struct Platform {
    pub(crate) kv: Mutex<BTreeMap<String, KvEntry>>,
    pub(crate) files: Mutex<BTreeMap<String, Vec<u8>>>,
    pub(crate) receipts: Mutex<Vec<CallReceipt>>,
    /// As they were written, before any receipt.
    pub(crate) lines: Mutex<Vec<LogLine>>,
}

impl Platform {
    pub(crate) fn last(&self) -> CallReceipt {
        self.receipts
            .lock()
            .unwrap()
            .last()
            .cloned()
            .expect("a receipt was written")
    }
}

/// What a platform does for a call.
pub(crate) fn services(platform: &Arc<Platform>) -> Arc<dyn HostServices> {
    Arc::new(Services(Arc::clone(platform)))
}

/// What [`Platform`] hands out for one call.
struct Services(Arc<Platform>);

#[async_trait::async_trait]
impl HostServices for Services {
    async fn kv_get(&self, key: &str) -> Result<Option<KvEntry>, Fault> {
        Ok(self.0.kv.lock().unwrap().get(key).cloned())
    }
    async fn kv_put(
        &self,
        key: &str,
        value: Vec<u8>,
        _: Option<Duration>,
        if_version: Option<u64>,
    ) -> Result<u64, Fault> {
        let mut kv = self.0.kv.lock().unwrap();
        let now = kv.get(key).map_or(0, |e| e.version);
        if if_version.is_some_and(|v| v != now) {
            return Err(Fault::new(FaultKind::Conflict, "kv_conflict", "changed meanwhile"));
        }
        kv.insert(
            key.to_owned(),
            KvEntry {
                value,
                version: now + 1,
            },
        );
        Ok(now + 1)
    }
    async fn kv_remove(&self, key: &str) -> Result<(), Fault> {
        self.0.kv.lock().unwrap().remove(key);
        Ok(())
    }
    async fn open_dataset(&self, _: &str, _: Value, _: Timestamp) -> Result<Box<dyn DatasetRows>, Fault> {
        Ok(Box::new(FourDays(0, columns())))
    }
    async fn create_file(&self, name: &str, _: &str) -> Result<Box<dyn FileWriter>, Fault> {
        Ok(Box::new(Writer(Arc::clone(&self.0), name.to_owned(), vec![])))
    }
    fn progress(&self, _: u8) -> bool {
        true
    }
    fn log_line(&self, _: CallId, line: &LogLine) {
        self.0.lines.lock().unwrap().push(line.clone());
    }
    fn receipt(&self, receipt: CallReceipt) {
        self.0.receipts.lock().unwrap().push(receipt);
    }
}

fn columns() -> Vec<Column> {
    [
        ("day", "date"),
        ("calls", "int"),
        ("note", "text"),
        ("at", "time"),
        ("cost", "decimal"),
        ("paid", "flag"),
    ]
    .map(|(name, kind)| Column {
        name: name.to_owned(),
        kind: kind.to_owned(),
        label_en: name.to_owned(),
        label_zh: name.to_owned(),
        unit: String::new(),
    })
    .into()
}

struct FourDays(u32, Vec<Column>);
#[async_trait::async_trait]
impl DatasetRows for FourDays {
    fn columns(&self) -> &[Column] {
        &self.1
    }
    async fn next(&mut self, max: u32) -> Result<Vec<Vec<Cell>>, Fault> {
        let to = (self.0 + max).min(4);
        let rows = (self.0..to)
            .map(|i| {
                vec![
                    Cell::Date(format!("2026-01-0{}", i + 1)),
                    Cell::Int(i64::from(i) * 10),
                    if i == 0 { Cell::Null } else { Cell::Text("n".to_owned()) },
                    Cell::Time(Timestamp::from_millis(1_700_000_000_000)),
                    Cell::Decimal("1.50".to_owned()),
                    Cell::Flag(true),
                ]
            })
            .collect();
        self.0 = to;
        Ok(rows)
    }
}

struct Writer(Arc<Platform>, String, Vec<u8>);
#[async_trait::async_trait]
impl FileWriter for Writer {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.2.extend_from_slice(bytes);
        Ok(())
    }
    async fn finish(self: Box<Self>) -> Result<String, Fault> {
        self.0.files.lock().unwrap().insert(self.1.clone(), self.2);
        Ok(self.1)
    }
}

/// A host with one platform behind it.
pub(crate) struct Bench {
    pub(crate) host: Arc<PluginHost>,
    pub(crate) platform: Arc<Platform>,
    _dir: tempfile::TempDir,
}

pub(crate) fn config(dir: &Path) -> RuntimeConfig {
    RuntimeConfig {
        compile: CompileMode::InProcess,
        instances: 100,
        threads: 2,
        ..RuntimeConfig::new(dir.to_owned(), SecretBox::new(Box::new([7; 32])))
    }
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut RuntimeConfig)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = config(dir.path());
        // Compiling is most of the time of a test; the compiled forms are shared through a directory of the run.
        config.dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("compiled-for-tests");
        change(&mut config);
        Self {
            host: PluginHost::new(config, clock(), Arc::new(CountingRng::default())).unwrap(),
            platform: Arc::default(),
            _dir: dir,
        }
    }

    /// Admits a hostile component and returns its digest.
    pub(crate) async fn admit(&self, name: &str) -> Arc<str> {
        self.host.admit(&component(name)).await.unwrap().digest.into()
    }

    pub(crate) fn invocation(&self, digest: &Arc<str>) -> Invocation {
        Invocation {
            tenant: TenantId(Uuid::from_u128(1)),
            installation: InstallationId(Uuid::from_u128(2)),
            digest: Arc::clone(digest),
            plugin: "test.plugin 1.0.0".into(),
            call: CallId(Uuid::from_u128(3)),
            request: None,
            locale: "en".to_owned(),
            time_zone: "Asia/Shanghai".to_owned(),
            live: false,
            attempt: 1,
            base_url: "http://acme.localhost".to_owned(),
            config: Arc::new(json!({ "a": 1, "key": { "$secret": "key" } })),
            secrets: Arc::new(secrets(&[("key", &["newest", "older-one"])])),
            powers: Arc::new(Powers::new(Arc::new(all_grants()))),
            limits: CallLimits {
                wall: Duration::from_secs(5),
                cpu: Duration::from_millis(500),
                ..CallLimits::default()
            },
            breaker: BreakerFigures::default(),
            lane: Lane::Ordinary,
            extra: Value::Null,
            services: services(&self.platform),
            journal: JournalMode::Off,
        }
    }

    /// Asks the hostile identity plugin to do something; the JSON object it answers with.
    pub(crate) async fn ask(&self, inv: Invocation, what: Value) -> Result<Value, Fault> {
        match self.host.identity().begin(inv, start(what)).await?.step {
            LoginStep::Wait(v, _) => Ok(v),
            other => panic!("unexpected step {other:?}"),
        }
    }
}

/// Grants in force.
pub(crate) fn powers(grants: Grants) -> Arc<Powers> {
    Arc::new(Powers::new(Arc::new(grants)))
}

pub(crate) fn start(extra: Value) -> LoginStart {
    LoginStart {
        return_url: "http://acme.localhost/callback".to_owned(),
        user_agent: String::new(),
        login_hint: None,
        prompt: None,
        purpose: "login".to_owned(),
        extra,
    }
}

pub(crate) fn secrets(all: &[(&str, &[&str])]) -> SecretSet {
    SecretSet(
        all.iter()
            .map(|(name, versions)| {
                let versions = versions.iter().map(|v| SecretBox::new(Box::new(v.as_bytes().to_vec())));
                ((*name).to_owned(), versions.collect())
            })
            .collect(),
    )
}

pub(crate) fn strings(all: &[&str]) -> Vec<String> {
    all.iter().map(|s| (*s).to_owned()).collect()
}

pub(crate) fn all_grants() -> Grants {
    Grants {
        interfaces: strings(&[
            "log", "config", "clock", "random", "kv", "secrets", "reveal", "crypto", "http", "dial", "blob",
            "download", "datasets",
        ]),
        datasets: strings(&["usage"]),
        secrets: [(
            "key".to_owned(),
            SecretGrant {
                uses: strings(&["mac:HS256", "http:bearer"]),
                hosts: vec![],
            },
        )]
        .into(),
        ..Grants::default()
    }
}
