//! The product's rules, a module per domain. Knows the core vocabulary, the storage traits and its own ports; knows
//! nothing of HTTP frameworks, databases or WebAssembly.

pub mod access;
pub mod app;
pub mod audit;
pub mod billing;
pub mod ctx;
pub mod demo;
pub mod gateway;
pub mod identity;
pub mod jobs;
pub mod live;
pub mod metering;
pub mod metrics;
pub mod overview;
pub mod plugins;
pub mod port;
pub mod problem;
pub mod quota;
pub mod reports;
pub mod setup;
pub mod tenancy;
pub mod validate;

pub use app::{App, AppConfig, Ports};
pub use ctx::{Ctx, Origin, TenantCtx};
pub use problem::{FieldError, Problem};
