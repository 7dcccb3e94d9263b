//! Contract version 1 (`wit/v1`) adapted to the domain's ports.

pub(crate) mod bindings;
mod common;
pub(crate) mod convert;
mod identity;
mod payment;
mod pre;
mod regular;
mod replay;
mod report;
mod rest;
mod visible;

pub(crate) use common::{check, describe, inbound, migrate};
pub(crate) use pre::Pre;
pub(crate) use regular::{document, job};
