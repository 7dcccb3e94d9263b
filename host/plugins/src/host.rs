//! The facade: admits, restores and forgets components, and runs calls on a small runtime of its own.

use crate::{
    admit::{self, Linked, NotGranted},
    call::{self, Breakers, CallState, HEAVY_AFTER, Heavies, Lanes, Queue, Shared, Sockets, Visible, Watch, Work},
    code::{CodeStore, Compiler},
    config::RuntimeConfig,
    engine::{self, Pulse},
    imports,
    net::HttpClients,
    v1::{self, Pre},
};
use aistack_core::{Clock, InstallationId, Rng, TenantId};
use aistack_domain::plugins::port::{
    BreakerView, Document, Fault, FaultKind, Feature, Finding, Grants, HttpRequest, IdentityPort, InboundOutcome,
    Inspection, Invocation, JobRun, PaymentPort, PluginRuntime, PoolFigures, Refusal, ReportPort,
};
use arc_swap::ArcSwap;
use serde_json::Value;
use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tracing::Instrument;
use wasmtime::{
    Engine,
    component::{Component, Linker},
};

/// A component that can be called: what is known of it, and its linked form.
///
/// What is linked is exactly what it imports. A call is let in only when all of that is granted, so components with
/// grants that differ in anything they do not import share one linked form.
struct Loaded {
    linked: Linked,
    pre: Pre,
}

struct Inner {
    engine: Engine,
    shared: Arc<Shared>,
    components: ArcSwap<HashMap<String, Arc<Loaded>>>,
    /// Held while `components` is replaced.
    changing: Mutex<()>,
    /// By the interfaces that are linked: to fill one takes longer than to link a component with it. There are as many
    /// as there are sets of imports among the components.
    linkers: Mutex<HashMap<BTreeSet<String>, Arc<Linker<CallState>>>>,
    compiler: Compiler,
    code: CodeStore,
    breakers: Breakers,
    queue: Queue,
    heavies: Heavies,
    pulse: Arc<Pulse>,
    max_component: u64,
    instances: u32,
}

/// Runs plugins. One per process.
pub struct PluginHost {
    inner: Arc<Inner>,
    /// Taken when dropped: a runtime must not be dropped where async code runs.
    lanes: Option<Lanes>,
}

impl std::fmt::Debug for PluginHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PluginHost").field("figures", &self.pool()).finish()
    }
}

impl Drop for PluginHost {
    fn drop(&mut self) {
        if let Some(lanes) = self.lanes.take() {
            lanes.stop();
        }
    }
}

fn host(what: &str, e: impl std::fmt::Display) -> Refusal {
    Refusal::Host(format!("{what}: {e}"))
}

impl PluginHost {
    /// Starts the engine, its ticker and the threads behind guests.
    ///
    /// # Errors
    /// [`Refusal::Host`] when the pool can't be reserved (address space), the directory can't be made, or threads
    /// can't be started.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the key in it is not to live on with the caller"
    )]
    pub fn new(config: RuntimeConfig, clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> Result<Arc<Self>, Refusal> {
        let engine = engine::running(&config).map_err(|e| host("the engine can't be started", format!("{e:#}")))?;
        let pulse = Arc::<Pulse>::default();
        engine::start_ticker(&engine, Arc::clone(&pulse)).map_err(|e| host("the ticker can't be started", e))?;
        // Code that counts fuel is other code.
        let dir = config.dir.join(if config.count_fuel {
            "compiled-counting"
        } else {
            "compiled"
        });
        let code = CodeStore::open(dir.clone(), &config.cache_key, &engine, Arc::clone(&rng))
            .map_err(|e| host("the directory of compiled plugins can't be used", e))?;
        let http = HttpClients::new(Arc::clone(&config.names), config.peer.clone())
            .map_err(|e| host("the HTTP client can't be made", e))?;
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let lanes = Lanes::new(if config.threads == 0 { cores } else { config.threads })
            .map_err(|e| host("the threads for plugins can't be started", e))?;
        let inner = Inner {
            compiler: Compiler::new(&config, dir, Arc::clone(&rng)),
            shared: Arc::new(Shared {
                clock,
                rng,
                http,
                sockets: Arc::new(Sockets::default()),
                max_memory: config.max_memory,
                fuel: config.count_fuel,
            }),
            components: ArcSwap::default(),
            changing: Mutex::new(()),
            linkers: Mutex::default(),
            code,
            breakers: Breakers::default(),
            queue: Queue::new(config.instances, config.tenant_calls, config.max_queue),
            heavies: Heavies::default(),
            pulse,
            max_component: config.max_component,
            instances: config.instances,
            engine,
        };
        Ok(Arc::new(Self {
            inner: Arc::new(inner),
            lanes: Some(lanes),
        }))
    }

    /// The threads behind guests, until the host is dropped.
    fn lanes(&self) -> Result<&Lanes, String> {
        let lanes = self.lanes.as_ref();
        lanes.ok_or_else(|| "the plugin runtime has been stopped".to_owned())
    }

    /// Runs one operation. What was started is finished even if nobody waits for it any more.
    pub(crate) async fn run<O: Visible + Send + 'static>(
        &self,
        inv: Invocation,
        operation: &'static str,
        work: Work<O>,
    ) -> Result<O, Fault> {
        let inner = Arc::clone(&self.inner);
        let span = tracing::info_span!(
            "plugin.call",
            operation,
            call = %inv.call,
            tenant = %inv.tenant,
            installation = %inv.installation,
            request = inv.request.map(tracing::field::display),
            plugin = &inv.digest[..inv.digest.len().min(12)],
            outcome = tracing::field::Empty,
        );
        let known = (inv.tenant, inv.installation, operation);
        let heavy = inner.heavies.knows(&known, inner.shared.clock.monotonic());
        let watch = Arc::new(Watch::new(heavy));
        let own = Arc::clone(&watch);
        let call = async move { inner.call(inv, operation, own, work).await }.instrument(span);
        let done = match self.lanes() {
            Ok(lanes) => lanes.call(watch, call).await,
            Err(e) => Err(e),
        };
        done.unwrap_or_else(|e| Err(Fault::new(FaultKind::Internal, "host_failed", e)))
    }
}

impl Inner {
    async fn call<O: Visible>(
        &self,
        inv: Invocation,
        operation: &'static str,
        watch: Arc<Watch>,
        work: Work<O>,
    ) -> Result<O, Fault> {
        let _beat = self.pulse.start();
        let clock = &*self.shared.clock;
        let key = (inv.tenant, inv.installation, operation);
        let figures = inv.breaker;
        let services = Arc::clone(&inv.services);
        let refuse = |fault: Fault| {
            tracing::Span::current().record("outcome", "refused");
            services.receipt(call::refused(clock, &inv, operation, &fault));
            fault
        };
        let loaded = self.callable(&inv).map_err(&refuse)?;
        services.admit().map_err(&refuse)?;
        if let Err(wait) = self.breakers.enter(key, &figures, clock.monotonic()) {
            return Err(refuse(call::busy(
                "breaker_open",
                "the plugin failed repeatedly; it is not called for a while",
                wait,
            )));
        }
        let Some(_place) = self.queue.enter(&inv).await else {
            self.breakers.abandon(key, clock.monotonic());
            return Err(refuse(call::busy(
                "busy",
                "too many plugin calls are running",
                Duration::from_secs(1),
            )));
        };
        let done = call::execute(&self.engine, &self.shared, &loaded.pre, inv, operation, watch, work).await;
        if done.receipt.guest >= HEAVY_AFTER {
            self.heavies.note(key, clock.monotonic());
        }
        self.breakers.leave(key, done.unhealthy, &figures, clock.monotonic());
        tracing::Span::current().record("outcome", done.receipt.outcome.as_str());
        services.receipt(done.receipt);
        done.result
    }

    fn callable(&self, inv: &Invocation) -> Result<Arc<Loaded>, Fault> {
        let unavailable = |code, message: String| Fault::new(FaultKind::Denied, code, message);
        if let Some(code) = inv.powers.ended() {
            return Err(unavailable(code, "the installation may not run any more".to_owned()));
        }
        let loaded = self.components.load().get(&*inv.digest).cloned();
        let loaded = loaded.ok_or_else(|| {
            Fault::new(
                FaultKind::NotFound,
                "not_loaded",
                Refusal::Missing(inv.digest.to_string()).to_string(),
            )
        })?;
        loaded
            .linked
            .granted(&inv.powers.now())
            .map_err(|NotGranted(list)| unavailable("not_granted", Refusal::NotGranted(list).to_string()))?;
        Ok(loaded)
    }

    fn link(&self, linked: &Linked, component: &Component) -> Result<Pre, Refusal> {
        let unlinkable = |e: wasmtime::Error| Refusal::UnknownImports(vec![format!("{e:#}")]);
        let linker = self
            .linker(&linked.links)
            .map_err(|e| host("linking", format!("{e:#}")))?;
        let pre = linker.instantiate_pre(component).map_err(unlinkable)?;
        Pre::new(linked.kind, pre).map_err(|e| Refusal::WrongWorld(format!("{e:#}")))
    }

    fn linker(&self, links: &BTreeSet<String>) -> wasmtime::Result<Arc<Linker<CallState>>> {
        let mut all = self.linkers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get(links) {
            return Ok(Arc::clone(known));
        }
        let mut linker = Linker::new(&self.engine);
        imports::link_base(&mut linker)?;
        for interface in links {
            imports::link(&mut linker, interface)?;
        }
        let linker = Arc::new(linker);
        all.insert(links.clone(), Arc::clone(&linker));
        Ok(linker)
    }

    /// Makes a component callable. The compiled form comes from disk when it is intact there.
    async fn load(&self, bytes: Arc<[u8]>) -> Result<Inspection, Refusal> {
        let (input, max) = (Arc::clone(&bytes), self.max_component);
        let facts = tokio::task::spawn_blocking(move || admit::read(&input, max))
            .await
            .map_err(|e| host("inspecting", e))??;
        let digest = facts.inspection.digest.clone();
        if self.components.load().contains_key(&digest) {
            return Ok(facts.inspection);
        }
        let (component, made) = match self.code.load(&self.engine, &digest) {
            Some((component, _)) => (component, None),
            None => {
                let compiled = self.compiler.compile(bytes).await?;
                let component = self
                    .code
                    .accept(&self.engine, &compiled)
                    .map_err(|e| Refusal::Compile(format!("{e:#}")))?;
                (component, Some(compiled))
            }
        };
        let inspection = facts.inspection.clone();
        let pre = self.link(&facts.linked, &component)?;
        // Only what can be called is kept. Without the file the next start compiles again; slower, not wrong.
        if let Some(compiled) = made
            && let Err(error) = self.code.save(&digest, &facts.linked.to_json(), &compiled)
        {
            tracing::warn!(%error, digest, "a compiled plugin can't be kept on disk");
        }
        let linked = facts.linked;
        self.change(|all| {
            all.insert(digest, Arc::new(Loaded { linked, pre }));
        });
        Ok(inspection)
    }

    /// Makes a component callable from its compiled form alone. `None` when that is not there, or not ours.
    fn recall(&self, digest: &str) -> Option<()> {
        if self.components.load().contains_key(digest) {
            return Some(());
        }
        let (component, linked) = self.code.load(&self.engine, digest)?;
        // What verified was written by a host with the same rules: these can't fail but for a defect.
        let linked: Linked = serde_json::from_slice(&linked).ok()?;
        let pre = self.link(&linked, &component).ok()?;
        self.change(|all| {
            all.insert(digest.to_owned(), Arc::new(Loaded { linked, pre }));
        });
        Some(())
    }

    /// Replaces the table of components; calls in flight keep what they hold.
    fn change(&self, f: impl FnOnce(&mut HashMap<String, Arc<Loaded>>)) {
        let _one = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = HashMap::clone(&self.components.load());
        f(&mut all);
        self.components.store(Arc::new(all));
    }
}

#[async_trait::async_trait]
impl PluginRuntime for PluginHost {
    async fn admit(&self, component: &[u8]) -> Result<Inspection, Refusal> {
        if component.len() as u64 > self.inner.max_component {
            return Err(Refusal::TooLarge {
                size: component.len() as u64,
                max: self.inner.max_component,
            });
        }
        let (inner, bytes) = (Arc::clone(&self.inner), Arc::from(component));
        let lanes = self.lanes().map_err(Refusal::Host)?;
        lanes
            .background(async move { inner.load(bytes).await })
            .await
            .map_err(Refusal::Host)?
    }

    async fn restore(&self, digest: &str, component: &[u8]) -> Result<(), Refusal> {
        let found = admit::digest(component);
        if found != digest {
            return Err(Refusal::Host(format!(
                "the stored component {digest} has been altered: it is {found}"
            )));
        }
        self.admit(component).await.map(|_| ())
    }

    async fn recall(&self, digest: &str) -> bool {
        let (inner, digest) = (Arc::clone(&self.inner), digest.to_owned());
        let Ok(lanes) = self.lanes() else { return false };
        let read = tokio::task::spawn_blocking(move || inner.recall(&digest).is_some());
        lanes.background(read).await.is_ok_and(|done| done.unwrap_or(false))
    }

    async fn forget(&self, digest: &str) {
        self.inner.change(|all| {
            all.remove(digest);
        });
        if let Err(error) = self.inner.code.remove(digest) {
            tracing::warn!(%error, digest, "a compiled plugin can't be removed");
        }
    }

    fn has(&self, digest: &str) -> bool {
        self.inner.components.load().contains_key(digest)
    }

    fn check_grants(&self, digest: &str, grants: &Grants) -> Result<(), Refusal> {
        let all = self.inner.components.load();
        let loaded = all.get(digest).ok_or_else(|| Refusal::Missing(digest.to_owned()))?;
        loaded
            .linked
            .granted(grants)
            .map_err(|NotGranted(list)| Refusal::NotGranted(list))
    }

    async fn describe(&self, inv: Invocation) -> Result<Vec<Feature>, Fault> {
        self.run(inv, "lifecycle.describe", v1::describe(Some(()))).await
    }

    async fn check(&self, inv: Invocation, deep: bool) -> Result<Vec<Finding>, Fault> {
        self.run(inv, "lifecycle.check", v1::check(Some((deep,)))).await
    }

    async fn inbound(&self, inv: Invocation, endpoint: &str, request: HttpRequest) -> Result<InboundOutcome, Fault> {
        let given = (endpoint.to_owned(), v1::convert::request_out(request));
        self.run(inv, "inbound.handle", v1::inbound(Some(given))).await
    }

    async fn migrate(&self, inv: Invocation, from_version: &str, config: Value) -> Result<Value, Fault> {
        let given = (from_version.to_owned(), config.to_string());
        self.run(inv, "lifecycle.migrate", v1::migrate(Some(given))).await
    }

    async fn job(&self, inv: Invocation, name: &str, cursor: Option<Vec<u8>>) -> Result<JobRun, Fault> {
        self.run(inv, "jobs.start", v1::job(Some((name.to_owned(), cursor))))
            .await
    }

    async fn document(&self, inv: Invocation, name: &str) -> Result<Document, Fault> {
        self.run(inv, "documents.get", v1::document(Some((name.to_owned(),))))
            .await
    }

    fn breakers(&self, tenant: TenantId, installation: InstallationId) -> Vec<BreakerView> {
        let now = self.inner.shared.clock.monotonic();
        self.inner.breakers.views(tenant, installation, now)
    }

    fn pool(&self) -> PoolFigures {
        let i = &self.inner;
        engine::figures(&i.engine, i.instances, i.components.load().len())
    }

    fn identity(&self) -> &dyn IdentityPort {
        self
    }

    fn payment(&self) -> &dyn PaymentPort {
        self
    }

    fn report(&self) -> &dyn ReportPort {
        self
    }
}
