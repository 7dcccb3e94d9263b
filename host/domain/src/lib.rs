//! The product's rules, a module per domain. Knows the core vocabulary, the storage traits and its own ports; knows
//! nothing of HTTP frameworks, databases or WebAssembly.

pub mod plugins;
