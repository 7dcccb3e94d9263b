//! What every store must do, as a test body that both stores mount: it knows only the traits.

#![allow(
    dead_code,
    unused_imports,
    missing_docs,
    reason = "each store mounts what it needs; tests need no reference and may panic"
)]

pub mod fixtures;
pub mod platform;

pub use fixtures::{Dice, audit, demo_tenant, scope_of};
