//! The domain's rules on the real embedded store, with a plugin runtime that says what the test tells it to.

#![expect(clippy::unwrap_used, reason = "a test that fails should stop where it is")]

mod billing;
mod identity;
mod inbox;
mod installed;
mod outcomes;
mod plugins;
mod policies;
mod releases;
mod reports;
mod runtime;
mod schedule;
mod schema;
mod trust;
mod upgrades;
mod verdicts;
mod world;
