//! The gateway between real sockets: a caller, the proxy over a real application, and upstreams that behave and misbehave.

#[path = "../../../domain/testing/mod.rs"]
mod testing;

mod calls;
mod failures;
mod streams;
mod support;
