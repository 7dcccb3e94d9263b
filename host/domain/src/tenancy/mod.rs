//! Tenants: which one a request is about, what its state allows, how it is made and changed, and who is in it.
//!
//! Invariants: a request is about exactly one tenant or about none, never about a default one; the matrix of what a
//! state allows stands in [`lifecycle`] alone; nothing of a tenant is visible before it is provisioned.

mod directory;
pub mod lifecycle;
pub mod routing;

pub use directory::{Directory, Known};
