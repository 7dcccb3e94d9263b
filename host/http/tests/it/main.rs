//! The HTTP face over a real store: every test has a platform of its own on SQLite in a temporary folder.
#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod domains;
mod grid;
mod isolation;
mod lifecycle;
mod operations;
mod plugins;
mod registry;
mod rename;
mod routing;
mod sessions;
mod stand_in;
mod support;
mod tenants;
mod users;
mod zone;
