//! A platform of its own for every test: real store, real sealing and files in a temporary folder, a clock that stands
//! still, a scripted plugin runtime.

use crate::runtime::Script;
use aistack_adapters::{DnsResolver, FileObjects, FileSealer, OciRegistries, SystemRng, oci::Credentials};
use aistack_core::{Actor, ActorKind, Clock, OperatorId, Permission, Rng, Timestamp, UserId};
use aistack_domain::{
    App, AppConfig, Ctx, Ports, Problem, TenantCtx,
    metering::Accounting,
    plugins::{
        catalogue,
        installations::{self, Enable, InstallationView},
        trust::Terms,
    },
    tenancy::{self, NewTenant},
};
use aistack_store::{AuditFilter, PluginVersion};
use aistack_store_sqlite::{SqliteConfig, SqliteStore};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

/// A clock that moves when the test says so.
#[derive(Debug)]
pub(crate) struct StillClock(AtomicI64);

impl StillClock {
    pub(crate) fn forward(&self, by: Duration) {
        self.0
            .fetch_add(i64::try_from(by.as_micros()).unwrap(), Ordering::SeqCst);
    }
}
impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
    fn monotonic(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.load(Ordering::SeqCst)).unwrap())
    }
}

pub(crate) struct World {
    pub(crate) app: Arc<App>,
    pub(crate) script: Arc<Script>,
    pub(crate) clock: Arc<StillClock>,
    pub(crate) rng: Arc<dyn Rng>,
    _dir: tempfile::TempDir,
}

/// An identity plugin with one host from its config, one secret, one endpoint.
pub(crate) const IDENTITY: &str = r#"
id = "test.idp"
version = "1.0.0"
world = "aistack:identity/identity-provider@1.0"
publisher = "test"
name = { en = "Test IdP", zh-CN = "测试身份源" }
[[egress]]
kind = "http"
hosts = ["${config.issuer}"]
[[secret]]
name = "client_secret"
use = ["http:basic"]
hosts = ["${config.issuer}"]
[grants]
kv = { bytes = "1KiB", keys = 3 }
"#;

/// A payment plugin.
pub(crate) const PAYMENT: &str = r#"
id = "test.pay"
version = "1.0.0"
world = "aistack:payment/payment-provider@1.0"
publisher = "test"
name = { en = "Test Pay" }
[[egress]]
kind = "http"
hosts = ["api.pay.example"]
[[secret]]
name = "key"
use = ["mac:HS256"]
[[endpoint]]
name = "notify"
methods = ["POST"]
max-body = "1KiB"
"#;

/// A report plugin.
pub(crate) const REPORT: &str = r#"
id = "test.report"
version = "1.0.0"
world = "aistack:report/report-generator@1.0"
publisher = "test"
name = { en = "Test Report" }
[[report]]
name = "usage"
title = { en = "Usage", zh-CN = "用量" }
formats = ["csv"]
datasets = ["usage.daily"]
[report.params]
type = "object"
additionalProperties = false
properties.from = { type = "string", format = "date" }
properties.top = { type = "integer", minimum = 1, default = 10 }
"#;

pub(crate) fn issuer_schema() -> Value {
    json!({
        "type": "object", "required": ["issuer"], "additionalProperties": false,
        "properties": {
            "issuer": { "type": "string", "format": "uri", "pattern": "^https?://" },
            "scopes": { "type": "array", "items": { "type": "string" }, "default": ["openid"] },
            "client_secret": { "type": "string", "x-aistack": { "secret": true } }
        }
    })
}

/// What stands in for a component.
pub(crate) fn component(manifest: &str, schema: &Value, imports: &[&str]) -> Vec<u8> {
    json!({ "manifest": manifest, "schema": schema.to_string(), "imports": imports })
        .to_string()
        .into_bytes()
}

impl World {
    pub(crate) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let rng: Arc<dyn Rng> = Arc::new(SystemRng);
        let clock = Arc::new(StillClock(AtomicI64::new(Timestamp::from_secs(1_800_000_000).0)));
        let script = Arc::new(Script::default());
        let store = SqliteStore::open(SqliteConfig::new(dir.path().join("data")))
            .await
            .unwrap();
        let ports = Ports {
            store,
            clock: clock.clone(),
            rng: rng.clone(),
            sealer: Arc::new(FileSealer::open_or_create(&dir.path().join("root.key"), rng.clone()).unwrap()),
            objects: Arc::new(FileObjects::open(&dir.path().join("objects")).unwrap()),
            runtime: script.clone(),
            registry: Arc::new(OciRegistries::listed(&[], Credentials::default()).unwrap()),
            resolver: Arc::new(
                DnsResolver::new(&["127.0.0.1:1".parse().unwrap()], Duration::from_millis(200)).unwrap(),
            ),
        };
        let config = AppConfig {
            public_url: "http://localhost:8080".parse().unwrap(),
            version: "test",
            accounting: Accounting::Durable,
            allow_private_addresses: false,
            mandatory_plugins: Vec::new(),
            plugin_trust: aistack_domain::plugins::trust::Trust::Development,
            plugin_pins: BTreeMap::new(),
        };
        Self {
            app: Arc::new(App::new(ports, config)),
            script,
            clock,
            rng,
            _dir: dir,
        }
    }

    /// An operator's context on the platform.
    pub(crate) fn operator(&self) -> Ctx {
        let mut ctx = Ctx::system(None);
        ctx.actor = Actor {
            kind: ActorKind::Operator,
            id: Some(OperatorId::new(&*self.clock, &*self.rng).0),
            label: "Op <op@example.com>".to_owned(),
        };
        ctx
    }

    /// A new tenant, as an operator sees it.
    pub(crate) async fn tenant(&self, slug: &str) -> TenantCtx {
        let new = NewTenant {
            slug: slug.to_owned(),
            name: slug.to_owned(),
            plan: "professional".to_owned(),
            locale: "en".to_owned(),
            time_zone: "Asia/Shanghai".to_owned(),
            currency: "USD".to_owned(),
            isolation: None,
            owner: None,
            demo: false,
        };
        let ctx = self.operator();
        let tenant = tenancy::create(&self.app, &ctx, new).await.unwrap();
        let scope = self.app.store.scope(tenant.id).await.unwrap().unwrap();
        TenantCtx {
            ctx,
            scope,
            tenant: Arc::new(tenant),
        }
    }

    /// The same tenant as one of its administrators sees it.
    pub(crate) fn admin(&self, t: &TenantCtx) -> TenantCtx {
        let mut t = t.clone();
        t.ctx.actor = Actor {
            kind: ActorKind::User,
            id: Some(UserId::new(&*self.clock, &*self.rng).0),
            label: "Ada <ada@example.com>".to_owned(),
        };
        t.ctx.permissions = [Permission::PluginWrite].into();
        t
    }

    pub(crate) async fn install(&self, manifest: &str, schema: &Value) -> catalogue::Listed {
        let bytes = component(manifest, schema, &["config"]);
        catalogue::install(&self.app, &self.operator(), &bytes, &Terms::default())
            .await
            .unwrap()
    }

    pub(crate) async fn enable(
        &self,
        t: &TenantCtx,
        plugin: &str,
        config: Value,
        secrets: &[(&str, &str)],
    ) -> Result<InstallationView, Problem> {
        installations::enable(&self.app, t, command(plugin, config, secrets)).await
    }

    /// An identity connection in a fresh tenant.
    pub(crate) async fn connection(&self, t: &TenantCtx, provisioning: Value) -> InstallationView {
        self.install(IDENTITY, &issuer_schema()).await;
        let config = json!({ "issuer": "https://idp.example", "provisioning": provisioning });
        self.enable(t, "test.idp", config, &[("client_secret", "s3cret")])
            .await
            .unwrap()
    }

    /// A payment installation.
    pub(crate) async fn till(&self, t: &TenantCtx) -> InstallationView {
        self.install(PAYMENT, &json!({ "type": "object" })).await;
        self.enable(t, "test.pay", json!({}), &[("key", "k")]).await.unwrap()
    }

    /// The tenant's audit actions, oldest first, with their outcome.
    pub(crate) async fn trail(&self, t: &TenantCtx) -> Vec<String> {
        let filter = AuditFilter {
            limit: 200,
            ..AuditFilter::default()
        };
        let mut read = self.app.store.tenant_read(&t.scope).await.unwrap();
        let mut rows = read.audit().list(&filter).await.unwrap();
        rows.reverse();
        rows.iter().map(|r| format!("{} {}", r.action, r.outcome)).collect()
    }

    /// Events of this action as they were recorded, newest first: the tenant's, or the platform's own.
    pub(crate) async fn recorded(&self, t: Option<&TenantCtx>, action: &str) -> Vec<Value> {
        let filter = AuditFilter {
            action: Some(action.to_owned()),
            limit: 50,
            ..AuditFilter::default()
        };
        let store = &self.app.store;
        let rows = match t {
            Some(t) => store.tenant_read(&t.scope).await.unwrap().audit().list(&filter).await,
            None => store.platform_read().await.unwrap().audit().list(&filter).await,
        };
        let body = |r: &aistack_store::AuditRow| serde_json::from_slice(&r.body).unwrap();
        rows.unwrap().iter().map(body).collect()
    }

    /// A version in the catalogue.
    pub(crate) async fn version_of(&self, plugin: &str, version: &str) -> PluginVersion {
        let rows = self
            .app
            .store
            .platform_read()
            .await
            .unwrap()
            .plugins()
            .versions(plugin)
            .await;
        rows.unwrap().into_iter().find(|r| r.version == version).unwrap()
    }
}

pub(crate) fn command(plugin: &str, config: Value, secrets: &[(&str, &str)]) -> Enable {
    Enable {
        plugin_id: plugin.to_owned(),
        version: None,
        name: "Main".to_owned(),
        config,
        secrets: secrets
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned().into()))
            .collect::<BTreeMap<_, _>>(),
        grants: None,
    }
}

/// The pointers of a problem's errors, with their codes.
pub(crate) fn pointers(p: &Problem) -> Vec<String> {
    p.errors.iter().map(|e| format!("{} {}", e.pointer, e.code)).collect()
}
