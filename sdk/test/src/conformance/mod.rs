//! What every plugin has to keep, whatever provider it speaks to. Each suite panics with what is wrong.

pub mod identity;
mod lifecycle;
pub mod payment;
pub mod report;

pub use lifecycle::Plugin;
