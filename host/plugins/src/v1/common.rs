//! What all three worlds export: `lifecycle` and `inbound`, over whichever world a component is of.

use super::{
    bindings::{self as b, types},
    convert as c,
};
use crate::call::{CallState, Work};
use aistack_domain::plugins::port::{Fault, FaultKind, Feature, Finding, InboundOutcome, PluginKind};
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

/// An operation of one world: takes its arguments, or those of a journal, calls a fresh instance, notes the answer and
/// translates it.
macro_rules! operation {
    (
        $vis:vis fn $name:ident($($arg:ident: $type:ty),*) -> $out:ty
            = $world:ident.$interface:ident.$f:ident($($pass:expr),*), $map:expr
    ) => {
        $vis fn $name(given: Option<($($type,)*)>) -> crate::call::Work<$out> {
            Box::new(move |store, pre, context| {
                Box::pin(async move {
                    let ($($arg,)*) = store.data_mut().arguments(given)?;
                    let instance = match pre.$world(store).await? {
                        Ok(i) => i,
                        Err(f) => return Ok(Err(f)),
                    };
                    let answer = instance.$interface().$f(&mut *store, &context, $($pass),*).await?;
                    store.data_mut().answered(&answer);
                    Ok(answer.map_err($crate::v1::convert::fault_in).and_then($map))
                })
            })
        }
    };
}
pub(super) use operation;

/// Runs `$call` on a fresh instance of whatever world the component is of, and notes what it answers. Each world has
/// types of its own, which `$parts` makes alike.
macro_rules! on_any_world {
    ($pre:expr, $store:expr, $interface:ident, |$i:ident| $call:expr, |$answer:ident| $parts:expr) => {
        match $pre {
            Pre::Identity(pre) => {
                let instance = pre.instantiate_async(&mut *$store).await?;
                let $i = instance.$interface();
                let $answer = $call.await?;
                $store.data_mut().answered(&$answer);
                $parts
            }
            Pre::Payment(pre) => {
                let instance = pre.instantiate_async(&mut *$store).await?;
                let $i = instance.$interface();
                let $answer = $call.await?;
                $store.data_mut().answered(&$answer);
                $parts
            }
            Pre::Report(pre) => {
                let instance = pre.instantiate_async(&mut *$store).await?;
                let $i = instance.$interface();
                let $answer = $call.await?;
                $store.data_mut().answered(&$answer);
                $parts
            }
        }
    };
}

/// `lifecycle.describe`.
pub(crate) fn describe(given: Option<()>) -> Work<Vec<Feature>> {
    Box::new(move |store, pre, _| {
        Box::pin(async move {
            store.data_mut().arguments(given)?;
            let found: Vec<(String, String)> = on_any_world!(
                pre,
                store,
                aistack_core_lifecycle,
                |i| i.call_describe(&mut *store),
                |all| all.into_iter().map(|f| (f.name, f.extra)).collect()
            );
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
pub(crate) fn check(given: Option<(bool,)>) -> Work<Vec<Finding>> {
    Box::new(move |store, pre, context| {
        Box::pin(async move {
            let (deep,) = store.data_mut().arguments(given)?;
            let found: Vec<(Option<String>, bool, String)> = on_any_world!(
                pre,
                store,
                aistack_core_lifecycle,
                |i| i.call_check(&mut *store, &context, deep),
                |all| all.into_iter().map(|f| (f.field, f.ok, f.message)).collect()
            );
            let finding = |(field, ok, message): (_, _, String)| Finding {
                field,
                ok,
                message: crate::call::scrub(&message),
            };
            Ok(Ok(found.into_iter().map(finding).collect()))
        })
    })
}

/// `lifecycle.migrate`: from version, config.
pub(crate) fn migrate(given: Option<(String, String)>) -> Work<Value> {
    Box::new(move |store, pre, context| {
        Box::pin(async move {
            let (from_version, config) = store.data_mut().arguments(given)?;
            let answer = on_any_world!(
                pre,
                store,
                aistack_core_lifecycle,
                |i| i.call_migrate(&mut *store, &context, &from_version, &config),
                |answer| answer
            );
            Ok(answer
                .map_err(c::fault_in)
                .and_then(|text| c::json_in(&text, "migrated config")))
        })
    })
}

/// `inbound.handle`: endpoint, request.
pub(crate) fn inbound(given: Option<(String, types::HttpRequest)>) -> Work<InboundOutcome> {
    Box::new(move |store, pre, context| {
        Box::pin(async move {
            let (endpoint, request) = store.data_mut().arguments(given)?;
            let answer = match pre {
                Pre::Identity(pre) => {
                    let i = pre.instantiate_async(&mut *store).await?;
                    i.aistack_core_inbound()
                        .call_handle(&mut *store, &context, &endpoint, &request)
                        .await?
                }
                Pre::Payment(pre) => {
                    let i = pre.instantiate_async(&mut *store).await?;
                    i.aistack_core_inbound()
                        .call_handle(&mut *store, &context, &endpoint, &request)
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
            store.data_mut().answered(&answer);
            Ok(answer.map_err(c::fault_in).and_then(c::outcome_in))
        })
    })
}
