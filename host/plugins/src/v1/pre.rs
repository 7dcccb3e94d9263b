//! A component of contract 1, linked: a fresh instance per call, and of it the one function that is called.
//!
//! The generated bindings look every export of a world up in each new instance and compare its signature with the
//! contract, which takes longer than most plugins' work. Here a signature is compared when an export is first called; it
//! is part of the component and so the same in every instance of it.

use super::bindings as b;
use crate::call::CallState;
use aistack_domain::plugins::port::{Fault, FaultKind, PluginKind};
use std::{collections::HashMap, sync::OnceLock};
use wasmtime::{
    Store,
    component::{
        ComponentExportIndex, ComponentNamedList, InstancePre, Lift, Lower, TypedFunc,
        types::{ComponentInstance, ComponentItem},
    },
};

/// A component whose exports have been checked against its world by name.
pub(crate) struct Pre {
    kind: PluginKind,
    pre: InstancePre<CallState>,
    /// By interface and function, without version: `aistack:payment/payments#create`.
    exports: HashMap<String, Export>,
}

struct Export {
    index: ComponentExportIndex,
    /// The Rust types its signature has been compared with: their names, which are paths.
    checked: OnceLock<&'static str>,
}

impl Pre {
    /// Checks the exports against the world.
    pub(crate) fn new(kind: PluginKind, pre: InstancePre<CallState>) -> wasmtime::Result<Self> {
        match kind {
            PluginKind::Identity => drop(b::identity::IdentityProviderPre::new(pre.clone())?),
            PluginKind::Payment => drop(b::payment::PaymentProviderPre::new(pre.clone())?),
            PluginKind::Report => drop(b::report::ReportGeneratorPre::new(pre.clone())?),
        }
        let component = pre.component();
        let mut exports = HashMap::new();
        for (name, item) in component.component_type().exports(pre.engine()) {
            if let (ComponentItem::ComponentInstance(interface), Some(of)) =
                (item.ty, component.get_export_index(None, name))
            {
                for function in functions(&interface, pre.engine()) {
                    if let Some(index) = component.get_export_index(Some(&of), function.as_str()) {
                        let path = name.split('@').next().unwrap_or(name);
                        let checked = OnceLock::new();
                        exports.insert(format!("{path}#{function}"), Export { index, checked });
                    }
                }
            }
        }
        Ok(Self { kind, pre, exports })
    }

    /// Calls an export of a fresh instance: `interface#function`. The inner fault says that components of this kind have
    /// no such export.
    pub(super) async fn call<P, R>(
        &self,
        store: &mut Store<CallState>,
        export: &'static str,
        params: P,
    ) -> wasmtime::Result<Result<R, Fault>>
    where
        P: ComponentNamedList + Lower + Send + Sync,
        R: Send + Sync + 'static,
        (R,): ComponentNamedList + Lift,
    {
        let Some(found) = self.exports.get(export) else {
            return Ok(Err(Fault::new(
                FaultKind::Unsupported,
                "unsupported",
                format!("{} plugins have no {export}", self.kind),
            )));
        };
        let instance = self.pre.instantiate_async(&mut *store).await?;
        let function = instance
            .get_func(&mut *store, found.index)
            .ok_or_else(|| wasmtime::format_err!("{export} is no function"))?;
        let types = std::any::type_name::<(P, R)>();
        let function: TypedFunc<P, (R,)> = if found.checked.get() == Some(&types) {
            #[expect(unsafe_code, reason = "the signature has been compared")]
            // SAFETY: `new_unchecked` wants a function of exactly these parameters and results. `typed` has compared the
            // signature of this export of this component with types of these names, and a name is the whole path of a
            // type; lifetimes, which it leaves out, play no part in what is passed.
            unsafe {
                TypedFunc::new_unchecked(function)
            }
        } else {
            let compared = function.typed(&*store)?;
            // A second pair of types for one export would be compared each time; there is none.
            let _ = found.checked.set(types);
            compared
        };
        let (answer,) = function.call_async(&mut *store, params).await?;
        Ok(Ok(answer))
    }
}

fn functions(interface: &ComponentInstance, engine: &wasmtime::Engine) -> Vec<String> {
    let exports = interface.exports(engine);
    exports
        .filter(|(_, item)| matches!(item.ty, ComponentItem::ComponentFunc(_)))
        .map(|(name, _)| name.to_owned())
        .collect()
}
