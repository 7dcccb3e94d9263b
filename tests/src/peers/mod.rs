//! Real counterparts for the tests, each a type with `start`, stopped when dropped.
//!
//! A peer that is not installed is [`PeerError::Missing`], which [`need!`](crate::need) turns into a loud skip on a
//! developer's machine and into a failure in CI. `tests/peers/setup.sh` installs them all.

mod authoring;
mod keycloak;
mod nginx;
mod nsd;
mod oidc_provider;
mod postgres;
mod postgres_proxy;
mod process;
mod registry;
mod simulator;
mod stripe;

pub use authoring::{compiler, programs};
pub use keycloak::{Keycloak, Realm, RealmUser};
pub use nginx::Nginx;
pub use nsd::{Nsd, SilentNames};
pub use oidc_provider::OidcProvider;
pub use postgres::{Database, Postgres};
pub use postgres_proxy::{Break, PostgresProxy};
pub use process::{Command, Process, free_port};
pub use registry::{DockerRegistry, REGISTRY_LOGIN};
pub use simulator::Simulator;
pub use stripe::{StripeMock, StripeSdk};

use std::io::Write as _;
use std::path::PathBuf;

/// Why a peer is not there.
#[derive(Debug)]
pub enum PeerError {
    /// It is not installed; `part` is what to tell `tests/peers/setup.sh`.
    Missing {
        /// What was looked for.
        what: String,
        /// The part of the set-up script that installs it.
        part: &'static str,
    },
    /// It is installed and did not start or answer.
    Failed(anyhow::Error),
}

impl From<anyhow::Error> for PeerError {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

impl std::fmt::Display for PeerError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing { what, part } => write!(f, "{what} is missing; run: tests/peers/setup.sh {part}"),
            Self::Failed(error) => write!(f, "{error:#}"),
        }
    }
}

impl std::error::Error for PeerError {}

/// The peer of a `Result<T, PeerError>`, or the end of the test: skipped when the peer is not installed on a
/// developer's machine, failed when it is missing in CI (`CI=true`) or does not work.
///
/// Usable in functions that return `()`.
#[macro_export]
macro_rules! need {
    ($peer:expr) => {
        match $crate::peers::needed($peer) {
            Some(peer) => peer,
            None => return,
        }
    };
}

/// What [`need!`](crate::need) is made of.
///
/// # Panics
/// When the peer failed, or is missing in CI.
pub fn needed<T>(peer: Result<T, PeerError>) -> Option<T> {
    match peer {
        Ok(peer) => Some(peer),
        Err(error @ PeerError::Missing { .. }) if !in_ci() => {
            record_skip(&error.to_string());
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// Whether a missing peer must fail the suite.
pub fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| !value.is_empty() && value != "false" && value != "0")
}

/// Says on standard error that the running test is skipped, and appends a line to the file named by `AISTACK_SKIPS`,
/// from which `tests/run.sh` counts: libtest itself knows no skipping at run time and counts the test as passed.
pub fn record_skip(reason: &str) {
    let thread = std::thread::current();
    let line = format!("SKIPPED {}: {reason}\n", thread.name().unwrap_or("test"));
    // Not `eprintln!`: libtest swallows that for tests that pass.
    let _ = std::io::stderr().write_all(line.as_bytes());
    if let Some(path) = std::env::var_os("AISTACK_SKIPS") {
        let mut file = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(path)
            .expect("AISTACK_SKIPS opens");
        file.write_all(line.as_bytes()).expect("AISTACK_SKIPS can be written");
    }
}

/// Where downloaded peers are kept: `AISTACK_PEERS`, or the user's cache folder.
pub(crate) fn cache_dir() -> PathBuf {
    if let Some(path) = std::env::var_os("AISTACK_PEERS") {
        return path.into();
    }
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(std::env::var_os("HOME").unwrap_or_else(|| "/tmp".into())).join(".cache"));
    cache.join("aistack/peers")
}

/// The version of a peer that no lock file pins, from `tests/peers/versions.env`.
pub(crate) fn version(name: &str) -> &'static str {
    include_str!("../../peers/versions.env")
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
        .expect("the peer's version is in versions.env")
}

/// The folder of the peers' scripts.
pub(crate) fn scripts() -> PathBuf {
    crate::repository().join("tests/peers")
}

/// The first of `names` that is a program on the `PATH` or one of `more`.
pub(crate) fn find_program(name: &str, more: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .chain(more.iter().map(PathBuf::from))
        .find(|candidate| candidate.is_file())
}
