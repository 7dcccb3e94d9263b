//! The names of contract version 1 that the host offers to components.

/// The contract version that `v1` speaks.
pub(crate) const VERSION: semver::Version = semver::Version::new(1, 0, 0);

/// The host interfaces of contract 1, by the name that grants use.
pub(crate) const INTERFACES: &[&str] = &[
    "log", "config", "clock", "random", "kv", "secrets", "reveal", "crypto", "http", "dial", "blob", "download",
    "datasets",
];

/// What a component may import beside the contract, by WIT names without version; `imports::wasi` links exactly these.
pub(crate) const WASI: &[&str] = &[
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/stderr",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:cli/terminal-stderr",
    "wasi:clocks/wall-clock",
    "wasi:clocks/monotonic-clock",
    "wasi:random/random",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
];
