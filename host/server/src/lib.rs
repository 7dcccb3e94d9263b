//! The binary's parts: configuration, wiring, serving, and the command line.

pub mod cli;
pub mod config;
pub mod console;
pub mod folder;
pub mod logging;
pub mod serve;
pub mod wire;
