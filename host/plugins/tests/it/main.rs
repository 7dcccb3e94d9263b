//! The runtime against real components, most of them hostile (`tests/hostile`).
#![allow(clippy::disallowed_methods, reason = "tests measure real time")]

mod admission;
mod basics;
mod bounds;
mod dialling;
mod downloads;
mod harness;
mod peer;
mod requests;
mod secrets;
