//! Integration tests of the whole platform, one binary: `cargo test -p aistack-tests --test it`.
#![allow(clippy::unwrap_used, reason = "a test says by panicking that something is wrong")]

mod architecture;
mod author;
mod bad_input;
mod corpus;
mod domains;
mod hostile;
mod peers;
mod plugins;
mod story;
