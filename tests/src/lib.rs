//! The test-suite's harness: everything an integration test needs besides its own story.
//!
//! - [`peers`]: programs nobody here wrote (PostgreSQL, Keycloak, oidc-provider, stripe-mock, the Stripe SDK, nginx, docker-registry),
//!   started on free ports of 127.0.0.1 and gone when the test process is gone;
//! - [`host`]: the platform itself, the real binary with a data folder of its own;
//! - [`actor`]: parties that talk to its API;
//! - [`browser`]: a cookie-keeping client that fills in login forms as a person would;
//! - [`upstream`]: the product behind the gateway, recording what reaches it.

pub mod actor;
pub mod browser;
pub mod host;
mod html;
pub mod peers;
pub mod upstream;

use std::path::PathBuf;

/// The root of the repository whose tests are run. Cargo says at run time which that is: clones share a target folder,
/// so what was compiled in may be another clone's.
pub fn repository() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    here.parent().expect("tests/ lies in the repository").to_path_buf()
}
