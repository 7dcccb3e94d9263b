//! The commands that speak to a server's public API, a module per noun: its clap types and a `run`.

pub(super) mod audit;
pub(super) mod domain;
pub(super) mod isolation;
pub(super) mod order;
pub(super) mod plugin;
pub(super) mod quota;
pub(super) mod report;
pub(super) mod route;
pub(super) mod tenant;
pub(super) mod user;

use super::{Client, Failure, Output, Remote, client, sign_in};
