//! WASI behind the journal: what differs from one run to the next. The rest answers alike each time, or not at all.

use super::{Journaled, Next, Wire, journaled};
use crate::call::CallState;
use serde_json::json;
use wasmtime::component::Resource;
use wasmtime_wasi::{
    WasiView,
    clocks::WasiClocksView,
    p2::{
        DynPollable,
        bindings::{
            clocks::{
                monotonic_clock,
                wall_clock::{self, Datetime},
            },
            random::{insecure, insecure_seed, random},
        },
    },
};
use wasmtime_wasi_io::bindings::wasi::io::poll;

/// Hands a function of an interface on to what the call's WASI has for it.
macro_rules! handed_on {
    ($(impl $trait:path as $what:ident => $to:expr; { $($name:ident ($($arg:ident: $type:ty),*) -> $out:ty;)* })*) => {$(
        impl $trait for CallState {
            $(fn $name(&mut self, $($arg: $type),*) -> wasmtime::Result<$out> {
                let $what = self;
                <_ as $trait>::$name(&mut $to, $($arg),*)
            })*
        }
    )*};
}

handed_on! {
    impl wall_clock::Host as state => state.clocks(); {
        now() -> Datetime;
        resolution() -> Datetime;
    }
    impl random::Host as state => *state.ctx().ctx.random(); {
        get_random_bytes(len: u64) -> Vec<u8>;
        get_random_u64() -> u64;
    }
    impl insecure::Host as state => *state.ctx().ctx.random(); {
        get_insecure_random_bytes(len: u64) -> Vec<u8>;
        get_insecure_random_u64() -> u64;
    }
    impl insecure_seed::Host as state => *state.ctx().ctx.random(); {
        insecure_seed() -> (u64, u64);
    }
}

mod clocks {
    //! Of the monotonic clock, only what it shows is written down.

    use super::*;

    /// What the clock shows.
    pub(super) trait Shown {
        /// The time.
        fn now(&mut self) -> wasmtime::Result<u64>;
        /// How exact it is.
        fn resolution(&mut self) -> wasmtime::Result<u64>;
    }

    impl Shown for CallState {
        fn now(&mut self) -> wasmtime::Result<u64> {
            monotonic_clock::Host::now(&mut self.clocks())
        }
        fn resolution(&mut self) -> wasmtime::Result<u64> {
            monotonic_clock::Host::resolution(&mut self.clocks())
        }
    }
}

journaled! {
    impl wall_clock::Host as "wasi:clocks/wall-clock" {
        plain now() -> Datetime;
        plain resolution() -> Datetime;
    }
    impl clocks::Shown as "wasi:clocks/monotonic-clock" {
        plain now() -> u64;
        plain resolution() -> u64;
    }
    impl random::Host as "wasi:random/random" {
        plain get_random_bytes(len: u64) -> Vec<u8>;
        plain get_random_u64() -> u64;
    }
    impl insecure::Host as "wasi:random/insecure" {
        plain get_insecure_random_bytes(len: u64) -> Vec<u8>;
        plain get_insecure_random_u64() -> u64;
    }
    impl insecure_seed::Host as "wasi:random/insecure-seed" {
        plain insecure_seed() -> (u64, u64);
    }
}

impl monotonic_clock::Host for Journaled<'_> {
    fn now(&mut self) -> wasmtime::Result<u64> {
        clocks::Shown::now(self)
    }
    fn resolution(&mut self) -> wasmtime::Result<u64> {
        clocks::Shown::resolution(self)
    }
    fn subscribe_instant(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        monotonic_clock::Host::subscribe_instant(&mut self.0.clocks(), when)
    }
    fn subscribe_duration(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        monotonic_clock::Host::subscribe_duration(&mut self.0.clocks(), when)
    }
}

/// Which of several things came first. They are numbered with all else that the call holds, so that their numbers are
/// others in a replay; how many they are is the same.
const POLL: &str = "wasi:io/poll.poll";
/// Whether it has come.
const READY: &str = "wasi:io/poll.pollable.ready";

impl poll::Host for Journaled<'_> {
    async fn poll(&mut self, pollables: Vec<Resource<DynPollable>>) -> wasmtime::Result<Vec<u32>> {
        match self.before(POLL, |_| json!({ "count": pollables.len() }))? {
            Next::Answer(answer) => self.read(answer),
            Next::Run => {
                let done = poll::Host::poll(&mut self.0.table, pollables).await;
                self.after(&done);
                done
            }
        }
    }
}

impl poll::HostPollable for Journaled<'_> {
    async fn ready(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<bool> {
        match self.before(READY, |_| json!({}))? {
            Next::Answer(answer) => self.read(answer),
            Next::Run => {
                let done = poll::HostPollable::ready(&mut self.0.table, pollable).await;
                self.after(&done);
                done
            }
        }
    }

    async fn block(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        match &self.0.tape {
            // It came, or the call would not have gone on.
            super::Tape::Replaying(_) => Ok(()),
            _ => poll::HostPollable::block(&mut self.0.table, pollable).await,
        }
    }

    fn drop(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        poll::HostPollable::drop(&mut self.0.table, pollable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::WASI;

    /// Interfaces that are not journaled, and why a replay does not need them to be.
    const ALIKE: &[(&str, &str)] = &[
        ("wasi:io/error", "texts of errors that streams below never have"),
        ("wasi:io/streams", "input is empty, output is taken at once"),
        ("wasi:cli/environment", "empty"),
        ("wasi:cli/exit", "ends the call"),
        ("wasi:cli/stdin", "empty"),
        ("wasi:cli/stdout", "kept by the host"),
        ("wasi:cli/stderr", "kept by the host"),
        ("wasi:cli/terminal-input", "never a terminal"),
        ("wasi:cli/terminal-output", "never a terminal"),
        ("wasi:cli/terminal-stdin", "never a terminal"),
        ("wasi:cli/terminal-stdout", "never a terminal"),
        ("wasi:cli/terminal-stderr", "never a terminal"),
    ];

    #[test]
    fn all_of_wasi_is_journaled_or_alike_each_time() {
        for offered in WASI {
            let journaled = IMPORTS
                .iter()
                .chain(&[POLL, READY])
                .any(|name| name.starts_with(&format!("{offered}.")));
            let alike = ALIKE.iter().any(|(name, _)| name == offered);
            assert!(journaled != alike, "{offered}");
        }
    }
}
