//! The gateway between real sockets: a caller, the proxy over a real application, and upstreams that behave and misbehave.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[path = "../../../domain/testing/mod.rs"]
mod testing;

mod calls;
mod failures;
mod streams;
mod support;
