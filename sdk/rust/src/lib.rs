//! Write aistack plugins in Rust.
//!
//! A plugin is a component of one of three worlds. Implement the world's trait, [`identity::Provider`],
//! [`payment::Provider`] or [`report::Generator`] (every method has a default that answers `unsupported`), and export it:
//!
//! ```text
//! #[derive(Default)]
//! struct Plugin;
//!
//! impl aistack_sdk::report::Generator for Plugin {
//!     fn run(&self, host: &Host, ctx: &Context, job: Job) -> Result<Value, Fault> { … }
//! }
//!
//! aistack_sdk::export_report!(Plugin);
//! ```
//!
//! Every method is handed the [`Host`]. Inside a component it calls the host's imports, and only those that are really
//! called end up in the component, so what a plugin asks for can be read from the component itself. Outside (in
//! `cargo test`) it is backed by a [`Platform`], such as the `FakeHost` of `aistack-sdk-test`, so plugin logic is
//! tested natively.
//!
//! `export_*!` also embeds the plugin's `aistack-plugin.toml` and `config.schema.json`, which the host reads when the
//! component is installed.

pub mod form;
pub mod host;
pub mod identity;
pub mod json;
mod lifecycle;
mod macros;
pub mod payment;
pub mod report;

pub use aistack_bindings_core::types::{Context, Event, Fault, HttpRequest, HttpResponse, Kind, Money, Outcome, Pair};
pub use host::Host;
#[cfg(not(target_family = "wasm"))]
pub use host::Platform;
pub use lifecycle::{Document, Feature, Finding, JobRun};

#[doc(hidden)]
pub mod bindings {
    pub use aistack_bindings_core as core;
    pub use aistack_bindings_identity as identity;
    pub use aistack_bindings_payment as payment;
    pub use aistack_bindings_report as report;
}
