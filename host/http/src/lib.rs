//! The HTTP face of the platform: routes, extractors, problem documents, OpenAPI. The only crate that names axum.
//!
//! How to add an endpoint: README.md beside this crate's Cargo.toml.

#![allow(
    unused_qualifications,
    reason = "the path attribute of utoipa repeats types with their full path"
)]

pub mod console;
pub mod extract;
mod fallback;
mod layers;
mod linger;
mod metrics;
pub mod openapi;
pub mod problem;
pub mod registry;
pub mod routes;
pub mod serve;
pub mod state;

pub use layers::{Caller, PeerAddr};
pub use problem::{ApiProblem, ApiResult};
pub use serve::{router, serve};
pub use state::{AppState, Asset, Assets, Gateway, Site, gateway};
