//! What a guest hands to an import, judged by itself: URLs, headers, names, endpoints. No state of a call is needed and
//! nothing of wasmtime, so that `fuzz/` can compile these rules, like `admit`, `crypto` and `net::policy`, alone.

pub(crate) mod endpoint;
pub(crate) mod names;
pub(crate) mod request;

use aistack_domain::plugins::port::{Fault, FaultKind};

/// A value that may be used, or what the guest is told instead.
pub(crate) type Checked<T> = Result<T, Fault>;

fn invalid(code: &str, message: &str) -> Fault {
    Fault::new(FaultKind::InvalidInput, code, message)
}
