//! What the domain asks of the plugin runtime, and what the runtime asks back during a call.
//!
//! The types mirror `wit/` one to one but belong to the platform: a later contract version is adapted to them in
//! `host/plugins`, and nothing else changes. The runtime never sees a store, a session or an HTTP request type.

mod fault;
mod identity;
mod journal;
mod limits;
mod payment;
mod powers;
mod regular;
mod report;
mod services;
mod signatures;

pub use fault::*;
pub use identity::*;
pub use journal::*;
pub use limits::*;
pub use payment::*;
pub use powers::*;
pub use regular::*;
pub use report::*;
pub use services::*;
pub use signatures::*;

use aistack_core::{CallId, InstallationId, RequestId, TenantId, Timestamp, text_enum};
use serde_json::Value;
use std::sync::Arc;

text_enum! {
    /// The kind of a plugin, one world each.
    pub enum PluginKind {
        /// `aistack:identity/identity-provider`.
        Identity = "identity",
        /// `aistack:payment/payment-provider`.
        Payment = "payment",
        /// `aistack:report/report-generator`.
        Report = "report",
    }
}

/// An HTTP request as a plugin sees or makes it: raw bytes, because some providers sign them or speak GBK.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HttpRequest {
    /// Upper-case method.
    pub method: String,
    /// Absolute URL (outbound) or path with query (inbound).
    pub url: String,
    /// Headers in order; names lower-case on inbound requests.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body.
    pub body: Vec<u8>,
}

/// An HTTP answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HttpResponse {
    /// Status code.
    pub status: u16,
    /// Headers in order.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Something a provider told us through an inbound endpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The provider's id of the event: deliveries are deduplicated by it.
    pub id: String,
    /// E.g. `payment.paid`, `payment.failed`, `payment.refunded`, or the provider's own name when unknown.
    pub kind: String,
    /// When it happened there.
    pub occurred_at: Timestamp,
    /// What it is about: for payments the platform's order id.
    pub subject: String,
    /// Details; for payments an object with `provider_ref`, `status`, `paid: {minor, currency}`.
    pub data: Value,
}

/// What an inbound delivery came to: the host commits `events`, then answers `ack`; if it can't, `nack`.
#[derive(Debug, Clone, PartialEq)]
pub struct InboundOutcome {
    /// The exact answer the provider takes for "received".
    pub ack: HttpResponse,
    /// The exact answer that makes the provider send it again.
    pub nack: HttpResponse,
    /// What to apply.
    pub events: Vec<Event>,
}

/// One line of a configuration check.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// JSON pointer into the config, when the finding is about one field.
    pub field: Option<String>,
    /// Whether this line is fine.
    pub ok: bool,
    /// What was found, for people.
    pub message: String,
}

/// A facet the plugin says it offers.
#[derive(Debug, Clone, PartialEq)]
pub struct Feature {
    /// E.g. `login`, `directory`, `refund`, `report:usage`.
    pub name: String,
    /// Details of the facet.
    pub extra: Value,
}

/// Everything one call may use: made by the domain for one installation, dropped after the call.
#[derive(Clone)]
pub struct Invocation {
    /// The tenant on whose behalf.
    pub tenant: TenantId,
    /// The installation.
    pub installation: InstallationId,
    /// The component to run, by SHA-256 of its bytes (lower-case hex).
    pub digest: Arc<str>,
    /// The plugin's id and version, for people: `official.stripe 1.2.0`.
    pub plugin: Arc<str>,
    /// This call.
    pub call: CallId,
    /// The request that caused it, if one did.
    pub request: Option<RequestId>,
    /// BCP 47 tag for texts shown to people.
    pub locale: String,
    /// IANA time zone of the tenant.
    pub time_zone: String,
    /// False in a provider's test mode.
    pub live: bool,
    /// 1 for the first try.
    pub attempt: u32,
    /// Origin under which the tenant reaches the platform, no trailing slash.
    pub base_url: String,
    /// Schema-valid configuration; secrets appear as `{"$secret": "<name>"}`.
    pub config: Arc<Value>,
    /// Secret material by name, newest version first. Handed to guests as handles only.
    pub secrets: Arc<SecretSet>,
    /// What this installation may do at this moment: whoever holds the other end can change it during the call.
    pub powers: Arc<Powers>,
    /// Bounds of the call.
    pub limits: CallLimits,
    /// When to stop asking after failures.
    pub breaker: BreakerFigures,
    /// Which queue it stands in.
    pub lane: Lane,
    /// Anything else the operation's context carries.
    pub extra: Value,
    /// The platform side of the host imports.
    pub services: Arc<dyn HostServices>,
    /// Whether the call is recorded, or a recorded one made again.
    pub journal: JournalMode,
}

impl core::fmt::Debug for Invocation {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Invocation")
            .field("tenant", &self.tenant)
            .field("installation", &self.installation)
            .field("call", &self.call)
            .finish_non_exhaustive()
    }
}

/// What an uploaded component turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspection {
    /// SHA-256 of the bytes, lower-case hex.
    pub digest: String,
    /// The kind, from the world it exports.
    pub kind: PluginKind,
    /// The contract version it was built for, e.g. `1.0.0`.
    pub contract: String,
    /// `aistack-plugin.toml` as embedded in the component.
    pub manifest: String,
    /// The config schema as embedded (JSON text); `{}`-like when the plugin takes no config.
    pub config_schema: String,
    /// Host interfaces the component imports, e.g. `http`, `crypto`.
    pub imports: Vec<String>,
    /// Size of the component in bytes.
    pub size: u64,
    /// SHA-256 of the bytes without their signature section, raw: what signatures are about. The same component signed
    /// twice has one payload.
    pub payload_sha256: [u8; 32],
    /// Length of the component without its signature section.
    pub payload_size: u64,
    /// The signatures it carries, none of them verified.
    pub signatures: Vec<SignatureBlock>,
}

/// Why an upload was refused, or a component can't be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not a WebAssembly component at all, or cut short.
    #[error("not a WebAssembly component: {0}")]
    NotAComponent(String),
    /// A component, but of no world this host knows.
    #[error("the component is of no world this host offers: {0}")]
    WrongWorld(String),
    /// A known world in a version this host does not speak.
    #[error("the component was built for {found}; this host speaks {offered}")]
    WrongVersion {
        /// What the component names.
        found: String,
        /// What the host offers.
        offered: String,
    },
    /// Over the size cap.
    #[error("the component has {size} bytes; at most {max} are accepted")]
    TooLarge {
        /// Bytes given.
        size: u64,
        /// Bytes accepted.
        max: u64,
    },
    /// It needs imports that this host does not offer.
    #[error("the component imports what this host does not offer: {}", .0.join(", "))]
    UnknownImports(Vec<String>),
    /// It imports a host interface that is not granted to this installation.
    #[error("not granted: {}", .0.join(", "))]
    NotGranted(Vec<String>),
    /// Manifest or schema is missing or wrong.
    #[error("manifest: {0}")]
    Manifest(String),
    /// The signature section is not well-formed, or not the last one.
    #[error("signatures: {0}")]
    Signatures(String),
    /// Compiling took more than its limits allow, or failed.
    #[error("the component can't be compiled: {0}")]
    Compile(String),
    /// The component's compiled code is not there and can't be made (its bytes are missing).
    #[error("component {0} is not installed on this host")]
    Missing(String),
    /// The host itself failed.
    #[error("plugin runtime: {0}")]
    Host(String),
}

/// The plugin runtime, implemented by `host/plugins`. Operations take an [`Invocation`]; every call runs in a fresh
/// instance that is dropped afterwards.
#[async_trait::async_trait]
pub trait PluginRuntime: Send + Sync {
    /// Checks an upload fully (structure, world, version, imports, manifest) and compiles it, in a limited process.
    /// Nothing is kept unless it returns `Ok`; then the component can be called by its digest.
    ///
    /// # Errors
    /// The reason, in words an operator can act on.
    async fn admit(&self, component: &[u8]) -> Result<Inspection, Refusal>;

    /// Makes an admitted component callable again after a restart; compiles anew when the cache can't be trusted.
    ///
    /// # Errors
    /// As [`PluginRuntime::admit`].
    async fn restore(&self, digest: &str, component: &[u8]) -> Result<(), Refusal>;

    /// Makes an admitted component callable again from the form the runtime has kept of it, without its bytes. `false`
    /// when there is none that can be trusted: then [`PluginRuntime::restore`] does it.
    async fn recall(&self, digest: &str) -> bool {
        let _ = digest;
        false
    }

    /// Forgets a component; calls in flight finish.
    async fn forget(&self, digest: &str);

    /// Whether the component can be called on this node. Asked before every call.
    fn has(&self, digest: &str) -> bool;

    /// Whether the component can be linked with these grants; the missing ones otherwise.
    ///
    /// # Errors
    /// [`Refusal::NotGranted`] with the names, or why it can't be loaded.
    fn check_grants(&self, digest: &str, grants: &Grants) -> Result<(), Refusal>;

    /// What the plugin says it offers.
    async fn describe(&self, inv: Invocation) -> Result<Vec<Feature>, Fault>;
    /// The plugin's own check of its configuration; `deep` also talks to the provider.
    async fn check(&self, inv: Invocation, deep: bool) -> Result<Vec<Finding>, Fault>;
    /// A delivery on an inbound endpoint. Reports have none: `unsupported`.
    async fn inbound(&self, inv: Invocation, endpoint: &str, request: HttpRequest) -> Result<InboundOutcome, Fault>;

    /// The plugin's translation of a configuration made for an older version of it. Run under the new version.
    ///
    /// # Errors
    /// The plugin's fault; `unsupported` when it has nothing to translate.
    async fn migrate(&self, inv: Invocation, from_version: &str, config: Value) -> Result<Value, Fault> {
        let _ = (inv, from_version, config);
        Err(Fault::new(
            FaultKind::Unsupported,
            "unsupported",
            "nothing to translate",
        ))
    }

    /// A run of one of the plugin's regular jobs; `cursor` is what the run before handed on.
    ///
    /// # Errors
    /// The plugin's fault; `unsupported` when it has no jobs.
    async fn job(&self, inv: Invocation, name: &str, cursor: Option<Vec<u8>>) -> Result<JobRun, Fault> {
        let _ = (inv, name, cursor);
        Err(Fault::new(FaultKind::Unsupported, "unsupported", "no jobs"))
    }

    /// A document the plugin publishes, e.g. the metadata of a service provider.
    ///
    /// # Errors
    /// The plugin's fault; `not-found` when it has none of that name.
    async fn document(&self, inv: Invocation, name: &str) -> Result<Document, Fault> {
        let _ = (inv, name);
        Err(Fault::new(FaultKind::NotFound, "not_found", "no documents"))
    }

    /// The breakers of an installation that are not closed, with the operation each is about.
    fn breakers(&self, tenant: TenantId, installation: InstallationId) -> Vec<BreakerView> {
        let _ = (tenant, installation);
        Vec::new()
    }

    /// What the instance pool holds at this moment.
    fn pool(&self) -> PoolFigures {
        PoolFigures::default()
    }

    /// Sign-in operations; a fault `unsupported` when the component is of another world.
    fn identity(&self) -> &dyn IdentityPort;
    /// Payment operations.
    fn payment(&self) -> &dyn PaymentPort;
    /// Report operations.
    fn report(&self) -> &dyn ReportPort;
}
