//! The plugin author's kit: makes a project, builds it, checks it, calls it and tests it, with the very runtime that
//! the platform runs plugins in. The command line (`aistack plugin new`, `build`, `check`, …) is a thin layer above.
//!
//! - [`project`]: what a project is, how one is made, what stands in its settings;
//! - [`build`]: from sources to one component with its manifest inside;
//! - [`lint`]: everything that is wrong with manifest, form, imports, and against the release before;
//! - [`run`]: a plugin host with a platform in memory behind it;
//! - [`ops`]: operations by name, with arguments and results as JSON;
//! - [`conformance`]: the suites of the three worlds, run on the component, so alike for every language;
//! - [`replay`]: recorded calls made again;
//! - [`sign`]: signatures that travel with a component;
//! - [`bench`]: what calls cost;
//! - [`dev`]: a server that rebuilds, swaps and shows while the author writes.

pub mod bench;
pub mod build;
pub mod conformance;
pub mod dev;
mod error;
pub mod inspect;
pub mod lint;
pub mod ops;
pub mod project;
pub mod replay;
pub mod run;
pub mod sign;

pub use error::{Error, Finding, Severity};
