//! `log`, `config`, `clock` and `random`: synchronous, 0.2 µs each.

use crate::{
    call::{CallState, Exceeded},
    v1::bindings::{clock, config, log, random},
};

/// Most random bytes of one request.
const MAX_RANDOM: u32 = 64 << 10;

impl log::Host for CallState {
    fn emit(&mut self, level: log::Level, message: String, fields: Vec<(String, String)>) -> wasmtime::Result<()> {
        self.charge()?;
        let level = match level {
            log::Level::Trace => "trace",
            log::Level::Debug => "debug",
            log::Level::Info => "info",
            log::Level::Warn => "warn",
            log::Level::Error => "error",
        };
        self.say(level, &message, &fields);
        Ok(())
    }
}

impl config::Host for CallState {
    fn get(&mut self) -> wasmtime::Result<String> {
        self.charge()?;
        Ok(self.inv.config.to_string())
    }
}

impl clock::Host for CallState {
    fn now_ms(&mut self) -> wasmtime::Result<u64> {
        self.charge()?;
        Ok(u64::try_from(self.shared.clock.now().as_millis()).unwrap_or(0))
    }
    fn monotonic_ns(&mut self) -> wasmtime::Result<u64> {
        self.charge()?;
        Ok(u64::try_from(self.shared.clock.monotonic().as_nanos()).unwrap_or(u64::MAX))
    }
}

impl random::Host for CallState {
    fn bytes(&mut self, n: u32) -> wasmtime::Result<Vec<u8>> {
        self.charge()?;
        if n > MAX_RANDOM {
            return Err(Exceeded::Random.into());
        }
        let mut bytes = vec![0; n as usize];
        self.shared.rng.fill(&mut bytes);
        Ok(bytes)
    }
}
