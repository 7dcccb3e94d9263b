//! The plugin runtime: runs identity, payment and report components in a sandbox and offers them, through the
//! domain's ports, to the rest of the platform. The only crate that names wasmtime.
//!
//! - [`PluginHost`] is the facade and implements `PluginRuntime` with its three ports.
//! - `admit` decides whether an upload may be run at all, `code` compiles it (in a limited child process) and keeps
//!   the compiled form authenticated on disk.
//! - `call` runs one operation in a fresh instance under its bounds, and writes the receipt.
//! - `imports` is what components may call, each interface linked only when granted; `net` guards what they reach.
//! - `journal` stands between components and imports: it records calls, and answers recorded ones.
//! - `admit`, `checks`, `contract`, `crypto` and `net::policy` judge what comes from outside without naming wasmtime or the
//!   state of a call: `fuzz/` compiles these files into a crate of its own, so they may name nothing else of this one.
//! - `v1` adapts contract version 1 (`wit/v1`) to the domain's types. A later major version is a module beside it.

mod admit;
mod call;
mod checks;
mod code;
mod config;
mod contract;
#[cfg(test)]
mod corpus;
mod crypto;
mod engine;
mod host;
mod imports;
mod journal;
mod net;
#[cfg(test)]
#[path = "../../../fuzz/src/targets/mod.rs"]
#[allow(unreachable_pub, reason = "shared with the fuzz crate, where they are public")]
mod targets;
mod v1;

pub use admit::{Anatomy, dissect, inspect};
pub use code::compile_child_main;
pub use config::{CompileMode, RuntimeConfig};
pub use host::PluginHost;
pub use net::{HttpPeer, NameLookup, PeerFailure, PeerRequest, PeerResponse, SystemLookup};
