//! Plugins: what is installed on the host, what each tenant has enabled, and the ports through which the domain
//! calls components. The runtime behind the ports is `host/plugins`.
//!
//! - [`manifest`] and [`schema`]: what a component says about itself, and what tenants may type in;
//! - [`catalogue`]: versions installed by operators;
//! - [`installations`]: what a tenant enabled, with config, secrets and [`grants`];
//! - [`calls`]: preparing a call, serving the guest during it, recording what it cost;
//! - [`policy`]: what the operator and the plan let it do;
//! - [`budgets`]: what all of a tenant's calls together may use;
//! - [`schedule`]: what plugins do by the clock; [`documents`]: what they publish;
//! - [`trust`]: whose plugins are run at all;
//! - [`sources`]: components from registries and from folders;
//! - [`releases`]: new versions on trial;
//! - [`quarantine`]: components taken out of service;
//! - [`recordings`]: calls kept with all they were told, to be replayed;
//! - [`observe`]: what operators and tenants see of that.
//!
//! Invariants: no component is called while a transaction is open; a guest gets at most declared ∩ operator ∩ plan ∩ tenant; a secret
//! leaves the store for a call only; what a guest returns is checked before it is believed.

pub mod budgets;
pub mod calls;
pub mod catalogue;
pub mod documents;
pub mod error;
pub mod grants;
pub mod installations;
pub mod manifest;
pub mod observe;
pub mod policy;
pub mod port;
pub mod quarantine;
pub mod recordings;
pub mod releases;
pub mod schedule;
pub mod schema;
mod secrets;
pub mod sources;
pub mod trust;

pub use calls::{Calls, flush_receipts, keep_watch, record_receipts};
