//! The parts of `aistack_plugins::net` that open no connection.

#[path = "../../host/plugins/src/net/policy.rs"]
mod policy;

pub(crate) use aistack_core::address::allowed;
pub(crate) use policy::{host_matches, permit};
