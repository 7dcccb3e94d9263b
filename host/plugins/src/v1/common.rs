//! What worlds have in common: `lifecycle` and `inbound`. The types are those of the identity world; the others' are the
//! same to a component.

use super::{
    bindings::{identity::exports::aistack::core::lifecycle, types},
    convert as c,
};
use crate::call::Work;
use aistack_domain::plugins::port::{Feature, Finding, InboundOutcome};
use serde_json::Value;

/// An operation of one world: takes its arguments, or those of a journal, calls a fresh instance, notes the answer and
/// translates it.
macro_rules! operation {
    (
        $vis:vis fn $name:ident($($arg:ident: $type:ty),*) -> $out:ty
            = $export:literal($($pass:expr),*), $map:expr
    ) => {
        $vis fn $name(given: Option<($($type,)*)>) -> crate::call::Work<$out> {
            Box::new(move |store, pre, context| {
                Box::pin(async move {
                    let ($($arg,)*) = store.data_mut().arguments(given)?;
                    let answer = match pre.call::<_, Result<_, $crate::v1::bindings::types::Fault>>(store, $export, (&context, $($pass,)*)).await? {
                        Ok(answer) => answer,
                        Err(f) => return Ok(Err(f)),
                    };
                    store.data_mut().answered(&answer);
                    Ok(answer.map_err($crate::v1::convert::fault_in).and_then($map))
                })
            })
        }
    };
}
pub(super) use operation;

/// `lifecycle.describe`.
pub(crate) fn describe(given: Option<()>) -> Work<Vec<Feature>> {
    Box::new(move |store, pre, _| {
        Box::pin(async move {
            store.data_mut().arguments(given)?;
            let answer = pre.call(store, "aistack:core/lifecycle#describe", ()).await?;
            let found: Vec<lifecycle::Feature> = match answer {
                Ok(found) => found,
                Err(f) => return Ok(Err(f)),
            };
            store.data_mut().answered(&found);
            let feature = |f: lifecycle::Feature| {
                Ok(Feature {
                    extra: c::json_in(&f.extra, "feature.extra")?,
                    name: f.name,
                })
            };
            Ok(found.into_iter().map(feature).collect())
        })
    })
}

/// `lifecycle.check`.
pub(crate) fn check(given: Option<(bool,)>) -> Work<Vec<Finding>> {
    Box::new(move |store, pre, context| {
        Box::pin(async move {
            let (deep,) = store.data_mut().arguments(given)?;
            let answer = pre
                .call(store, "aistack:core/lifecycle#check", (&context, deep))
                .await?;
            let found: Vec<lifecycle::Finding> = match answer {
                Ok(found) => found,
                Err(f) => return Ok(Err(f)),
            };
            store.data_mut().answered(&found);
            let finding = |f: lifecycle::Finding| Finding {
                field: f.field,
                ok: f.ok,
                message: crate::call::scrub(&f.message),
            };
            Ok(Ok(found.into_iter().map(finding).collect()))
        })
    })
}

operation!(pub(crate) fn migrate(from_version: String, config: String) -> Value
    = "aistack:core/lifecycle#migrate"(&from_version, &config),
    |text: String| c::json_in(&text, "migrated config"));
operation!(pub(crate) fn inbound(endpoint: String, request: types::HttpRequest) -> InboundOutcome
    = "aistack:core/inbound#handle"(&endpoint, &request), c::outcome_in);
