//! The runtime against real components, most of them hostile (`tests/hostile`).
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests measure real time and stop where something is not as expected"
)]

mod admission;
mod arguments;
mod basics;
mod bounds;
mod dialling;
mod downloads;
mod harness;
#[path = "../hostile/mod.rs"]
mod hostile;
mod journal;
mod peer;
mod requests;
mod secrets;
