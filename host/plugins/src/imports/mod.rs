//! What components may import. Each interface is linked only when it is granted; each function counts as a host call.
//! The journal stands before all of them.

/// Counts a host call and asks whether its interface is still granted; answers the guest if it is not.
macro_rules! enter {
    ($call:ident, $interface:literal) => {
        if let Err(gone) = $call.enter($interface)? {
            return Ok(Err(gone));
        }
    };
}

mod basics;
mod blob;
mod crypto;
mod datasets;
mod dial;
mod download;
mod http;
mod kv;
mod secrets;
mod wasi;

// The generated bindings re-export these, so they can't be less than `pub`; the module itself is private.
#[expect(unreachable_pub, reason = "named by generated code")]
pub use self::{blob::Sink, datasets::Rows, dial::Connection, download::Download, secrets::SecretHandle};

use crate::{
    call::CallState,
    journal::Journaling,
    v1::bindings::{self, types},
};
use aistack_domain::plugins::port::{Fault, FaultKind};
use wasmtime::component::Linker;

/// What a trappable import that can also answer with a fault returns.
pub(crate) type Answer<T> = wasmtime::Result<Result<T, types::Fault>>;

/// A fault in the contract's own type.
pub(crate) fn fault(kind: FaultKind, code: &str, message: impl Into<String>) -> types::Fault {
    crate::v1::convert::fault_out(Fault::new(kind, code, message))
}

impl CallState {
    /// Counts a host call. The inner error is for the guest: the interface has been taken away since the call started.
    fn enter(&mut self, interface: &str) -> Answer<()> {
        self.charge()?;
        if self.inv.powers.now().interfaces.iter().any(|i| i == interface) {
            return Ok(Ok(()));
        }
        Ok(Err(revoked(interface)))
    }
}

/// A fault for what was granted when the call started and is not any more.
fn revoked(what: &str) -> types::Fault {
    fault(
        FaultKind::Denied,
        "grant_revoked",
        format!("{what} is not granted any more"),
    )
}

/// Links one host interface.
pub(crate) fn link(linker: &mut Linker<CallState>, interface: &str) -> wasmtime::Result<()> {
    type D = Journaling;
    let me = CallState::journaled;
    match interface {
        "log" => bindings::log::add_to_linker::<_, D>(linker, me),
        "config" => bindings::config::add_to_linker::<_, D>(linker, me),
        "clock" => bindings::clock::add_to_linker::<_, D>(linker, me),
        "random" => bindings::random::add_to_linker::<_, D>(linker, me),
        "kv" => bindings::kv::add_to_linker::<_, D>(linker, me),
        "secrets" => bindings::secrets::add_to_linker::<_, D>(linker, me),
        "reveal" => bindings::reveal::add_to_linker::<_, D>(linker, me),
        "crypto" => bindings::crypto::add_to_linker::<_, D>(linker, me),
        "http" => bindings::http::add_to_linker::<_, D>(linker, me),
        "dial" => bindings::dial::add_to_linker::<_, D>(linker, me),
        "blob" => bindings::blob::add_to_linker::<_, D>(linker, me),
        "download" => bindings::download::add_to_linker::<_, D>(linker, me),
        "datasets" => bindings::datasets::add_to_linker::<_, D>(linker, me),
        other => Err(wasmtime::format_err!("no host interface is called {other}")),
    }
}

/// Links what every component may have without a grant: the contract's types and the denying WASI.
pub(crate) fn link_base(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    types::add_to_linker::<_, Journaling>(linker, CallState::journaled)?;
    wasi::link(linker)
}
