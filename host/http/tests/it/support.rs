//! A platform in memory of the process, and somebody who sends it requests.

use crate::zone::Zone;
use aistack_adapters::{FileObjects, FileSealer, OciRegistries, SystemRng, oci::Credentials};
use aistack_core::{Clock, Timestamp};
use aistack_domain::{
    App, AppConfig, Ports,
    metering::Accounting,
    plugins::port::{
        Fault, FaultKind, Feature, Finding, Grants, HttpRequest, IdentityPort, InboundOutcome, Inspection, Invocation,
        PaymentPort, PluginRuntime, Refusal, ReportPort,
    },
    setup,
};
use aistack_http::{AppState, Asset, Assets, PeerAddr, Site, router};
use aistack_store_sqlite::{SqliteConfig, SqliteStore};
use axum::{Router, body::Body};
use http::{HeaderMap, Method, Request, header};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use tower::ServiceExt;

pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const OPERATOR: &str = "olive@example.test";

/// Time that moves when a test says so.
#[derive(Debug)]
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn advance(&self, by: Duration) {
        self.0
            .fetch_add(i64::try_from(by.as_micros()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        // A new millisecond each time, so that ids are in the order of their making.
        Timestamp(self.0.fetch_add(1_000, Ordering::SeqCst))
    }
    fn monotonic(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.load(Ordering::SeqCst)).unwrap())
    }
}

/// A runtime without plugins: these tests never call one.
struct NoPlugins;

fn none() -> Fault {
    Fault::new(FaultKind::Internal, "no-plugins", "no plugins here")
}

#[async_trait::async_trait]
impl PluginRuntime for NoPlugins {
    async fn admit(&self, _: &[u8]) -> Result<Inspection, Refusal> {
        Err(Refusal::Host("no plugins here".to_owned()))
    }
    async fn restore(&self, _: &str, _: &[u8]) -> Result<(), Refusal> {
        Err(Refusal::Host("no plugins here".to_owned()))
    }
    async fn forget(&self, _: &str) {}
    fn has(&self, _: &str) -> bool {
        false
    }
    fn check_grants(&self, _: &str, _: &Grants) -> Result<(), Refusal> {
        Err(Refusal::Host("no plugins here".to_owned()))
    }
    async fn describe(&self, _: Invocation) -> Result<Vec<Feature>, Fault> {
        Err(none())
    }
    async fn check(&self, _: Invocation, _: bool) -> Result<Vec<Finding>, Fault> {
        Err(none())
    }
    async fn inbound(&self, _: Invocation, _: &str, _: HttpRequest) -> Result<InboundOutcome, Fault> {
        Err(none())
    }
    fn identity(&self) -> &dyn IdentityPort {
        unreachable!("no plugins here")
    }
    fn payment(&self) -> &dyn PaymentPort {
        unreachable!("no plugins here")
    }
    fn report(&self) -> &dyn ReportPort {
        unreachable!("no plugins here")
    }
}

struct NoConsole;
impl Assets for NoConsole {
    fn get(&self, _: &str) -> Option<Asset> {
        None
    }
}

/// A platform.
pub(crate) struct Platform {
    pub(crate) app: Arc<App>,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) router: Router,
    pub(crate) dns: Arc<Zone>,
    /// Streams end when this is gone.
    _stop: tokio::sync::watch::Sender<bool>,
    /// Removed when the test ends.
    dir: TempDir,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    /// Status and problem code.
    pub(crate) fn problem(&self) -> (u16, &str) {
        assert_eq!(
            self.headers[header::CONTENT_TYPE],
            "application/problem+json",
            "{self:?}"
        );
        assert_eq!(self.body["status"], self.status, "{self:?}");
        assert_eq!(
            self.body["request_id"],
            self.headers["x-request-id"].to_str().unwrap(),
            "{self:?}"
        );
        (self.status, self.body["code"].as_str().unwrap())
    }
    /// The body of an answer with this status.
    #[track_caller]
    pub(crate) fn ok(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }
    /// The pointers of a validation problem.
    pub(crate) fn pointers(&self) -> Vec<&str> {
        self.body["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| e["pointer"].as_str().unwrap())
            .collect()
    }
}

impl Platform {
    pub(crate) async fn new() -> Self {
        Self::with(Arc::new(NoPlugins)).await
    }

    /// One with a plugin runtime of the test's own.
    pub(crate) async fn with(runtime: Arc<dyn PluginRuntime>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(TestClock(AtomicI64::new(1_800_000_000_000_000)));
        let rng = Arc::new(SystemRng);
        let dns = Arc::new(Zone::default());
        let store = SqliteStore::open(SqliteConfig::new(dir.path().join("store")))
            .await
            .unwrap();
        let ports = Ports {
            store,
            clock: clock.clone(),
            rng: rng.clone(),
            sealer: Arc::new(FileSealer::open_or_create(&dir.path().join("root.key"), rng).unwrap()),
            objects: Arc::new(FileObjects::open(&dir.path().join("objects")).unwrap()),
            runtime,
            registry: Arc::new(OciRegistries::listed(&[], Credentials::default()).unwrap()),
            resolver: dns.clone(),
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
        let app = Arc::new(App::new(ports, config));
        let (stop, stopping) = tokio::sync::watch::channel(false);
        let site = Site {
            trusted_proxies: vec!["198.51.100.0/24".parse().unwrap()],
            assets: Arc::new(NoConsole),
            gateway: None,
            demo: false,
            stopping,
        };
        let state = AppState::new(app.clone(), site);
        Self {
            router: router(&state),
            dns,
            app,
            clock,
            _stop: stop,
            dir,
        }
    }

    /// Where everything of it lies.
    pub(crate) fn dir(&self) -> &std::path::Path {
        self.dir.path()
    }

    /// Somebody unknown at a host.
    pub(crate) fn at(&self, host: &str) -> Actor {
        Actor {
            router: self.router.clone(),
            host: host.to_owned(),
            prefix: String::new(),
            cookies: BTreeMap::new(),
            csrf: None,
            bearer: None,
            extra: Vec::new(),
            peer: "192.0.2.7:4711",
        }
    }

    /// The platform with its first operator.
    pub(crate) async fn set_up() -> (Self, Actor) {
        let platform = Self::new().await;
        let operator = platform.first_operator().await;
        (platform, operator)
    }

    /// Makes the first operator.
    pub(crate) async fn first_operator(&self) -> Actor {
        let platform = self;
        let token = setup::new_token(&platform.app).await.unwrap().unwrap();
        let mut operator = platform.at("localhost");
        let body = json!({ "token": token.expose(), "email": OPERATOR, "name": "Olive", "password": PASSWORD });
        operator.post("/api/v1/setup", body).await.ok(201);
        operator.resume().await;
        operator
    }

    /// A tenant with an owner who is signed in.
    pub(crate) async fn tenant(&self, operator: &mut Actor, slug: &str) -> Actor {
        let owner = format!("owner@{slug}.test");
        let body = json!({ "slug": slug, "name": slug, "plan": "basic", "owner": { "email": owner, "name": "Owen", "password": PASSWORD } });
        operator.post("/api/v1/tenants", body).await.ok(201);
        let mut member = self.at(&format!("{slug}.localhost"));
        member.sign_in(&owner).await;
        member
    }
}

/// Somebody with a browser's cookies.
#[derive(Clone)]
pub(crate) struct Actor {
    router: Router,
    pub(crate) host: String,
    pub(crate) prefix: String,
    pub(crate) cookies: BTreeMap<String, String>,
    pub(crate) csrf: Option<String>,
    pub(crate) bearer: Option<String>,
    pub(crate) extra: Vec<(&'static str, String)>,
    pub(crate) peer: &'static str,
}

impl Actor {
    pub(crate) async fn send(
        &mut self,
        method: Method,
        path: &str,
        content_type: Option<&str>,
        body: Vec<u8>,
    ) -> Answer {
        let mut req = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.prefix))
            .header(header::HOST, &self.host)
            .extension(PeerAddr(self.peer.parse().unwrap()));
        for (name, value) in &self.cookies {
            req = req.header(header::COOKIE, format!("{name}={value}"));
        }
        for (name, value) in [
            ("x-csrf-token", &self.csrf),
            ("content-type", &content_type.map(str::to_owned)),
        ] {
            if let Some(value) = value {
                req = req.header(name, value);
            }
        }
        if let Some(token) = &self.bearer {
            req = req.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        for (name, value) in &self.extra {
            req = req.header(*name, value);
        }
        let response = self
            .router
            .clone()
            .oneshot(req.body(Body::from(body)).unwrap())
            .await
            .unwrap();
        let (parts, body) = response.into_parts();
        for cookie in parts.headers.get_all(header::SET_COOKIE) {
            let (pair, rest) = cookie.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if rest.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        }
    }
    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, None, Vec::new()).await
    }
    pub(crate) async fn post(&mut self, path: &str, body: Value) -> Answer {
        self.send(
            Method::POST,
            path,
            Some("application/json"),
            body.to_string().into_bytes(),
        )
        .await
    }
    pub(crate) async fn patch(&mut self, path: &str, body: Value) -> Answer {
        self.send(
            Method::PATCH,
            path,
            Some("application/json"),
            body.to_string().into_bytes(),
        )
        .await
    }
    pub(crate) async fn put(&mut self, path: &str, body: Value) -> Answer {
        self.send(
            Method::PUT,
            path,
            Some("application/json"),
            body.to_string().into_bytes(),
        )
        .await
    }
    pub(crate) async fn delete(&mut self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None, Vec::new()).await
    }
    pub(crate) async fn sign_in(&mut self, email: &str) -> Value {
        let session = self
            .post("/api/v1/session", json!({ "email": email, "password": PASSWORD }))
            .await
            .ok(200);
        self.csrf = Some(session["csrf_token"].as_str().unwrap().to_owned());
        session
    }
    pub(crate) async fn resume(&mut self) -> Value {
        let session = self.get("/api/v1/session").await.ok(200);
        self.csrf = Some(session["csrf_token"].as_str().unwrap().to_owned());
        session
    }
    /// The same person below `/t/{slug}` of the base host.
    pub(crate) fn below(&self, slug: &str) -> Self {
        Self {
            prefix: format!("/t/{slug}"),
            ..self.clone()
        }
    }
    /// The actions in the log this person may read, newest first.
    pub(crate) async fn actions(&mut self, path: &str) -> Vec<String> {
        let list = self.get(path).await.ok(200);
        list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| e["action"].as_str().unwrap().to_owned())
            .collect()
    }
}
