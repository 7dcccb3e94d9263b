//! Tenants: which one a request is about, what its state allows, how it is made and changed, and who is in it.
//!
//! Invariants: a request is about exactly one tenant or about none, never about a default one; the matrix of what a
//! state allows stands in [`lifecycle`] alone; nothing of a tenant is visible before it is provisioned; there is always
//! an active owner once there has been one.

pub mod alarm;
pub mod closing;
mod create;
mod directory;
pub mod domains;
pub mod isolation;
pub mod lifecycle;
mod manage;
mod provision;
mod rename;
mod resolve;
pub mod routing;
mod slug;
pub mod users;

pub use alarm::Alarms;
pub use create::{NewOwner, NewTenant, create};
pub use directory::{Directory, Known};
pub use manage::{TenantPatch, activate, find, list, suspend, update, user_count};
pub use provision::resume_all;
pub use rename::{REDIRECTS, rename};
pub use resolve::{Asked, Astray, Resolved, resolve};
pub use slug::check_slug;
