//! What the host decides about bytes from outside, as functions that take any bytes at all.
//!
//! The files of `host/plugins` that judge components and arguments are compiled into this crate from where they are. The
//! whole of `aistack-plugins` would bring wasmtime with it, instrumented: ten minutes of compiling for nothing that is
//! fuzzed. Those files name only each other, so they stand here under the same paths. The targets themselves are also
//! compiled into the unit tests of `aistack-plugins`, which feed them every file of `fuzz/corpus` on every run.

#[path = "../../host/plugins/src/admit/mod.rs"]
#[allow(dead_code, unused_imports, unreachable_pub, reason = "the host uses the rest")]
mod admit;
#[allow(dead_code, unused_imports, reason = "the host uses the rest")]
mod call;
#[path = "../../host/plugins/src/checks/mod.rs"]
#[allow(dead_code, reason = "the host uses the rest")]
mod checks;
#[path = "../../host/plugins/src/contract.rs"]
mod contract;
#[path = "../../host/plugins/src/crypto/mod.rs"]
#[allow(dead_code, reason = "the host uses the rest")]
mod crypto;
#[allow(unused_imports, reason = "the host uses the rest")]
mod net;
mod targets;

pub use targets::{component_bytes, config_schema, import_arguments, manifest};
