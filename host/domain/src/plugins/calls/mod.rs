//! Calling a component on behalf of an installation: what it may use is read once, remembered by generation, and handed
//! over as an [`Invocation`]; what the call cost comes back as a receipt and is written in the background.

mod cache;
mod live;
mod ready;
mod receipts;
mod run;
mod services;

pub use cache::Loaded;
pub(in crate::plugins) use cache::{candidate, in_force, whose};
pub use live::Fate;
pub(crate) use ready::ensure;
pub use ready::keep_watch;
pub use receipts::{flush_receipts, record_receipts};
pub use run::{Datasets, ProducedFile, RunContext};

use super::{
    catalogue::Listed,
    error::PluginError,
    manifest::{self, CallClass},
    policy,
    port::{Grants, Invocation, JournalMode, PluginKind, Powers},
    recordings::{self, Recordings},
    releases,
    trust::TrustError,
};
use crate::{App, Problem, TenantCtx, reports, tenancy};
use aistack_core::{CallId, InstallationId, TenantId};
use aistack_store::{Installation, InstallationStatus};
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

/// What the platform keeps in memory about calls.
#[derive(Debug, Default)]
pub struct Calls {
    cache: cache::Cache,
    live: live::Live,
    ready: ready::Ready,
    receipts: Arc<receipts::Queue>,
    /// Installations whose calls are recorded.
    pub(in crate::plugins) recordings: Arc<Recordings>,
}

impl Calls {
    /// Forgets what is remembered of an installation; call it after every committed change.
    pub fn forget(&self, tenant: TenantId, installation: InstallationId) {
        self.cache.forget(tenant, installation);
    }
    /// Forgets it, and tells calls in flight.
    pub fn settle(&self, tenant: TenantId, installation: InstallationId, fate: Fate<'_>) {
        self.cache.forget(tenant, installation);
        self.live.settle((tenant, installation), fate);
    }
    /// Ends the calls of a component, whoever's they are.
    pub fn end_component(&self, digest: &str, code: &'static str) {
        self.live.end_component(digest, code);
    }
}

/// An installation ready to be called.
///
/// # Errors
/// `not_found`, `plugin_unavailable` when it is switched off, `conflict` when it is of another kind, or as the store.
pub async fn load(
    app: &App,
    t: &TenantCtx,
    id: InstallationId,
    kind: Option<PluginKind>,
) -> Result<Arc<Loaded>, Problem> {
    load_for(app, t, id, kind, None).await
}

/// The same for one of several calls that belong together, such as the steps of a sign-in or the calls about one order:
/// while a version is on trial, one version answers all calls of a `flow`.
///
/// # Errors
/// As [`load`].
pub async fn load_for(
    app: &App,
    t: &TenantCtx,
    id: InstallationId,
    kind: Option<PluginKind>,
    flow: Option<Uuid>,
) -> Result<Arc<Loaded>, Problem> {
    let loaded = in_use(app, t, id).await?;
    if kind.is_some_and(|k| k != loaded.kind) {
        return Err(PluginError::WrongKind.into());
    }
    if loaded.installation.status != InstallationStatus::Active {
        return Err(PluginError::Disabled.into());
    }
    if !app.policies.allows(&loaded.installation.plugin_id, t.scope.id()) {
        return Err(PluginError::Withheld.into());
    }
    if let Some(why) = app.held.reason(&loaded.digest) {
        return Err(TrustError::Quarantined(why).into());
    }
    if let Err(why) = ensure(app, &loaded.digest).await {
        // The call itself will say `not_loaded`; why that is so belongs into the log.
        tracing::error!(digest = %loaded.digest, why, "a component can't be made callable on this node");
    }
    Ok(releases::route(app, t, loaded, flow).await)
}

/// An installation at the version in use, whatever is on trial beside it and whether or not it is switched on.
pub(in crate::plugins) async fn in_use(app: &App, t: &TenantCtx, id: InstallationId) -> Result<Arc<Loaded>, Problem> {
    cache::load(app, t, id).await
}

/// Looks again at what installations may do, of one tenant or of all: a rule over them has changed. Calls in flight keep
/// what is still allowed.
pub(crate) async fn reconsider(app: &App, tenant: Option<TenantId>) {
    for (tenant, installation) in app.calls.live.known(tenant) {
        if let Err(problem) = cache::follow(app, tenant, installation, None).await {
            // One that can't be read must not keep the rule from the others.
            tracing::warn!(%tenant, %installation, %problem, "calls in flight don't hear of a changed rule");
        }
    }
}

/// One call's invocation. `extra` goes into the call's context.
#[must_use]
pub fn invocation(app: &App, t: &TenantCtx, loaded: &Loaded, class: CallClass, extra: Value) -> Invocation {
    build(app, t, loaded, class, extra, None)
}

/// The invocation of a report run: its datasets and files are open to the guest.
#[must_use]
pub fn run_invocation(app: &App, t: &TenantCtx, loaded: &Loaded, run: Arc<RunContext>, attempt: u32) -> Invocation {
    Invocation {
        attempt,
        ..build(app, t, loaded, CallClass::Run, json!({}), Some(run))
    }
}

/// The invocation of a configuration check. A report plugin may read its datasets in it, and writes nothing.
#[must_use]
pub fn check_invocation(app: &App, t: &TenantCtx, loaded: &Loaded) -> Invocation {
    let run = (loaded.kind == PluginKind::Report).then(|| Arc::new(reports::context(app, t, None).reading()));
    build(app, t, loaded, CallClass::Ordinary, json!({}), run)
}

/// The invocation that translates a config for a new version: the component runs with what it takes to be linked, and
/// without hosts, secrets, state or files.
pub(in crate::plugins) fn powerless(
    app: &App,
    t: &TenantCtx,
    installation: &Installation,
    listed: &Listed,
    config: Value,
) -> Invocation {
    let grants = Arc::new(Grants {
        interfaces: manifest::declared_interfaces(&listed.manifest),
        ..Grants::default()
    });
    let loaded = Loaded {
        installation: installation.clone(),
        kind: listed.manifest.kind().unwrap_or(PluginKind::Report),
        digest: listed.version.digest.as_str().into(),
        manifest: Arc::new(listed.manifest.clone()),
        config: Arc::new(config),
        host_config: Value::Null,
        secrets: Arc::default(),
        powers: Arc::new(Powers::new(Arc::clone(&grants))),
        grants,
        plugin: listed.name_and_version(),
        terms: Arc::new(app.policies.terms(t.scope.id(), &t.tenant.plan)),
        made_under: (t.tenant.plan.clone(), app.policies.epoch()),
        live: false,
    };
    build(app, t, &loaded, CallClass::Ordinary, json!({}), None)
}

fn build(
    app: &App,
    t: &TenantCtx,
    loaded: &Loaded,
    class: CallClass,
    extra: Value,
    run: Option<Arc<RunContext>>,
) -> Invocation {
    let installation = loaded.installation.id;
    Invocation {
        tenant: t.scope.id(),
        installation,
        digest: Arc::clone(&loaded.digest),
        plugin: Arc::clone(&loaded.plugin),
        call: CallId::new(&*app.clock, &*app.rng),
        request: t.ctx.request,
        locale: t.tenant.locale.clone(),
        time_zone: t.tenant.time_zone.clone(),
        live: loaded.live,
        attempt: 1,
        base_url: tenancy::routing::tenant_url(&app.config.public_url, t.scope.slug()),
        config: Arc::clone(&loaded.config),
        secrets: Arc::clone(&loaded.secrets),
        powers: Arc::clone(&loaded.powers),
        limits: policy::bounded(loaded.manifest.call_limits(class), class.lane(), &loaded.terms),
        breaker: loaded.manifest.breaker_figures(),
        lane: class.lane(),
        extra,
        services: Arc::new(services::Services {
            store: Arc::clone(&app.store),
            clock: Arc::clone(&app.clock),
            scope: t.scope.clone(),
            installation,
            grants: Arc::clone(&loaded.grants),
            receipts: Arc::clone(&app.calls.receipts),
            observer: Arc::clone(&app.observer),
            held: Arc::clone(&app.held),
            budgets: Arc::clone(&app.budgets),
            terms: Arc::clone(&loaded.terms),
            releases: Arc::clone(&app.releases),
            recordings: Arc::clone(&app.calls.recordings),
            run,
        }),
        journal: if app.calls.recordings.wanted(t.scope.id(), installation, app.clock.now()) {
            JournalMode::Record {
                budget: recordings::BUDGET,
            }
        } else {
            JournalMode::Off
        },
    }
}

/// An address that a plugin wants a browser sent to: `https`, or a host that an operator opened for plain HTTP. Never
/// a script, never with credentials inside.
///
/// # Errors
/// A stable code saying what is wrong with it.
pub fn browser_url(loaded: &Loaded, text: &str) -> Result<url::Url, &'static str> {
    if text.len() > 16 << 10 || text.chars().any(char::is_control) {
        return Err("bad_url");
    }
    let url = url::Url::parse(text).map_err(|_| "bad_url")?;
    if !url.username().is_empty() || url.password().is_some() || url.host_str().is_none_or(str::is_empty) {
        return Err("bad_url");
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" => {
            let host = super::grants::normal_host(text, 80).ok_or("bad_url")?;
            if loaded.grants.private_hosts.contains(&host) {
                Ok(url)
            } else {
                Err("insecure_url")
            }
        }
        _ => Err("bad_url"),
    }
}
