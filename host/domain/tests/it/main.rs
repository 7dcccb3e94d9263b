//! The domain's rules on the real embedded store, with a plugin runtime that says what the test tells it to.

mod billing;
mod identity;
mod inbox;
mod plugins;
mod reports;
mod runtime;
mod schema;
mod world;
