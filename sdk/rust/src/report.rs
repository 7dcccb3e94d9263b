//! World `report-generator`: making files from the platform's data, without any network.

use crate::lifecycle::{provider_methods, shared_exports};
use crate::{Context, Fault, Host};
#[cfg(target_family = "wasm")]
use aistack_bindings_report as generated;
use serde_json::Value;

/// What to make. The host has checked `report`, `params` and `format` by the manifest.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// The report's name.
    pub report: String,
    /// Its parameters, an object.
    pub params: Value,
    /// The format, e.g. `csv`.
    pub format: String,
}

/// A plugin that makes reports.
pub trait Generator {
    provider_methods!();

    /// Makes a report: writes files through [`Host::create_file`] and returns a summary object.
    ///
    /// # Errors
    /// Any.
    fn run(&self, host: &Host, ctx: &Context, job: Job) -> Result<Value, Fault> {
        let _ = (host, ctx, job);
        Err(Fault::unsupported("report"))
    }
}

/// Carries a [`Generator`] to the generated exports; `export_report!` names it.
#[doc(hidden)]
pub struct Adapter<P>(core::marker::PhantomData<P>);

shared_exports!(generated, Generator);

#[cfg(target_family = "wasm")]
impl<P: Generator + Default> generated::exports::aistack::report::generator::Guest for Adapter<P> {
    fn run(c: Context, report: String, params: String, format: String) -> Result<String, Fault> {
        let params = crate::json::parse(params.as_bytes())?;
        P::default()
            .run(&Host::component(), &c, Job { report, params, format })
            .map(|v| v.to_string())
    }
}
