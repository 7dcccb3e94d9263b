//! The domain's rules on the real embedded store, with a plugin runtime that says what the test tells it to.

#![expect(clippy::unwrap_used, reason = "a test that fails should stop where it is")]

mod billing;
mod identity;
mod plugins;
mod reports;
mod runtime;
mod world;
