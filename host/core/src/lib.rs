//! The vocabulary of the platform: ids, tenant scope, money, time, randomness, permissions, problem kinds and the
//! Merkle arithmetic of the audit log. No IO, no async; every other crate may name this one and it names none.

pub mod address;
pub mod audit;
pub mod clock;
pub mod id;
pub mod merkle;
pub mod money;
pub mod permission;
pub mod problem;
pub mod tenant;
mod text_enum;

pub use audit::{Actor, ActorKind, AuditEntry, AuditLog, Outcome};
pub use clock::{Clock, Entropy, Rng, Timestamp};
pub use id::*;
pub use money::{Currency, Money};
pub use permission::{OperatorRole, Permission, Role};
pub use problem::ProblemKind;
pub use tenant::{Isolation, TenantScope, TenantStatus};

/// For `text_enum!` in crates that do not name sqlx themselves.
#[cfg(feature = "sqlx")]
#[doc(hidden)]
pub use sqlx as __sqlx;
