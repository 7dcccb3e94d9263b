//! What all three worlds export: `lifecycle` and `inbound`, over whichever world a component is of.

use super::{bindings as b, convert as c};
use crate::call::{CallState, Work};
use aistack_domain::plugins::port::{Fault, FaultKind, Feature, Finding, HttpRequest, InboundOutcome, PluginKind};
use serde_json::Value;
use wasmtime::{Store, component::InstancePre};

/// A component of contract 1, linked and ready to be instantiated.
pub(crate) enum Pre {
    Identity(b::identity::IdentityProviderPre<CallState>),
    Payment(b::payment::PaymentProviderPre<CallState>),
    Report(b::report::ReportGeneratorPre<CallState>),
}

impl Pre {
    /// Checks the exports against the world.
    pub(crate) fn new(kind: PluginKind, pre: InstancePre<CallState>) -> wasmtime::Result<Self> {
        Ok(match kind {
            PluginKind::Identity => Self::Identity(b::identity::IdentityProviderPre::new(pre)?),
            PluginKind::Payment => Self::Payment(b::payment::PaymentProviderPre::new(pre)?),
            PluginKind::Report => Self::Report(b::report::ReportGeneratorPre::new(pre)?),
        })
    }

    /// A fresh instance of an identity component.
    pub(super) async fn identity(
        &self,
        s: &mut Store<CallState>,
    ) -> wasmtime::Result<Result<b::identity::IdentityProvider, Fault>> {
        match self {
            Self::Identity(pre) => pre.instantiate_async(s).await.map(Ok),
            _ => Ok(Err(other_world(PluginKind::Identity))),
        }
    }

    /// A fresh instance of a payment component.
    pub(super) async fn payment(
        &self,
        s: &mut Store<CallState>,
    ) -> wasmtime::Result<Result<b::payment::PaymentProvider, Fault>> {
        match self {
            Self::Payment(pre) => pre.instantiate_async(s).await.map(Ok),
            _ => Ok(Err(other_world(PluginKind::Payment))),
        }
    }

    /// A fresh instance of a report component.
    pub(super) async fn report(
        &self,
        s: &mut Store<CallState>,
    ) -> wasmtime::Result<Result<b::report::ReportGenerator, Fault>> {
        match self {
            Self::Report(pre) => pre.instantiate_async(s).await.map(Ok),
            _ => Ok(Err(other_world(PluginKind::Report))),
        }
    }
}

fn other_world(wanted: PluginKind) -> Fault {
    Fault::new(
        FaultKind::Unsupported,
        "other_world",
        format!("the component is not of the {wanted} world"),
    )
}

/// Runs `$call` on a fresh instance of whatever world the component is of.
macro_rules! on_any_world {
    ($pre:expr, $store:expr, $interface:ident, |$i:ident| $call:expr) => {
        match $pre {
            Pre::Identity(pre) => {
                let instance = pre.instantiate_async(&mut *$store).await?;
                let $i = instance.$interface();
                $call
            }
            Pre::Payment(pre) => {
                let instance = pre.instantiate_async(&mut *$store).await?;
                let $i = instance.$interface();
                $call
            }
            Pre::Report(pre) => {
                let instance = pre.instantiate_async(&mut *$store).await?;
                let $i = instance.$interface();
                $call
            }
        }
    };
}

/// `lifecycle.describe`.
pub(crate) fn describe() -> Work<Vec<Feature>> {
    Box::new(|store, pre, _| {
        Box::pin(async move {
            let found: Vec<(String, String)> = on_any_world!(pre, store, aistack_core_lifecycle, |i| i
                .call_describe(&mut *store)
                .await?
                .into_iter()
                .map(|f| (f.name, f.extra))
                .collect());
            Ok(found
                .into_iter()
                .map(|(name, extra)| {
                    Ok(Feature {
                        extra: c::json_in(&extra, "feature.extra")?,
                        name,
                    })
                })
                .collect())
        })
    })
}

/// `lifecycle.check`.
pub(crate) fn check(deep: bool) -> Work<Vec<Finding>> {
    Box::new(move |store, pre, context| {
        Box::pin(async move {
            let found: Vec<Finding> = on_any_world!(pre, store, aistack_core_lifecycle, |i| i
                .call_check(&mut *store, &context, deep)
                .await?
                .into_iter()
                .map(|f| Finding {
                    field: f.field,
                    ok: f.ok,
                    message: crate::call::scrub(&f.message),
                })
                .collect());
            Ok(Ok(found))
        })
    })
}

/// `lifecycle.migrate`.
pub(crate) fn migrate(from_version: String, config: Value) -> Work<Value> {
    Box::new(move |store, pre, context| {
        Box::pin(async move {
            let config = config.to_string();
            let answer = on_any_world!(pre, store, aistack_core_lifecycle, |i| i
                .call_migrate(&mut *store, &context, &from_version, &config)
                .await?);
            Ok(answer
                .map_err(c::fault_in)
                .and_then(|text| c::json_in(&text, "migrated config")))
        })
    })
}

/// `inbound.handle`.
pub(crate) fn inbound(endpoint: String, request: HttpRequest) -> Work<InboundOutcome> {
    Box::new(move |store, pre, context| {
        Box::pin(async move {
            let request = c::request_out(request);
            let answer = match pre {
                Pre::Identity(pre) => {
                    let i = pre.instantiate_async(&mut *store).await?;
                    i.aistack_core_inbound()
                        .call_handle(store, &context, &endpoint, &request)
                        .await?
                }
                Pre::Payment(pre) => {
                    let i = pre.instantiate_async(&mut *store).await?;
                    i.aistack_core_inbound()
                        .call_handle(store, &context, &endpoint, &request)
                        .await?
                }
                Pre::Report(_) => {
                    return Ok(Err(Fault::new(
                        FaultKind::Unsupported,
                        "no_inbound",
                        "reports have no inbound endpoints",
                    )));
                }
            };
            Ok(answer.map_err(c::fault_in).and_then(c::outcome_in))
        })
    })
}
