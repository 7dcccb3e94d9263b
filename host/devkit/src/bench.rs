//! What calls of an operation cost, on this machine and in fresh instances, as the platform makes them.

use crate::{
    Error, ops,
    project::Settings,
    run::{Platform, Runner},
};
use serde::Serialize;
use serde_json::Value;
use std::{collections::BTreeMap, path::Path, time::Duration};

/// Calls made before counting begins.
const WARM_UP: u32 = 20;

/// What was measured. Times in microseconds.
#[derive(Debug, Clone, Serialize)]
pub struct Figures {
    /// The operation.
    pub operation: String,
    /// Calls that count.
    pub calls: u32,
    /// The first call of all, with cold caches.
    pub first_us: u64,
    /// The whole call, half of them faster.
    pub p50_us: u64,
    /// The whole call, 9 of 10 faster.
    pub p90_us: u64,
    /// The whole call, 99 of 100 faster.
    pub p99_us: u64,
    /// The slowest.
    pub max_us: u64,
    /// Time in the plugin, waiting aside, half of them less.
    pub guest_p50_us: u64,
    /// One after the other.
    pub calls_per_s: u64,
    /// Fuel of a call, half of them less: what its WebAssembly instructions cost, the same on every machine. Measured in
    /// calls of their own, because counting slows them down.
    pub fuel: Option<u64>,
    /// The most memory of any call, in bytes.
    pub peak_memory: u64,
    /// Host calls of a call, the most.
    pub host_calls: u32,
    /// Bytes sent and received by a call, the most.
    pub bytes: u64,
    /// How calls ended: `ok`, or the code of the fault.
    pub outcomes: BTreeMap<String, u32>,
}

/// Calls that fuel is counted in.
const COUNTED: u32 = 5;

/// What a call of an operation costs in fuel, half of some calls less. `counting` has to be a runner that counts it.
///
/// # Errors
/// As [`run`].
pub async fn fuel(
    counting: &Runner,
    settings: &Settings,
    dir: &Path,
    operation: &str,
    arguments: &Value,
) -> Result<Option<u64>, Error> {
    let platform = Platform::new(settings)?;
    let mut all = Vec::new();
    for _ in 0..COUNTED {
        let called = ops::call(counting, settings, dir, &platform, operation, arguments.clone()).await?;
        platform.forget();
        all.extend(called.receipt.and_then(|r| r.fuel));
    }
    all.sort_unstable();
    Ok(all.get(all.len() / 2).copied())
}

/// Calls an operation again and again.
///
/// # Errors
/// As [`ops::call`]; calls that end with a fault are counted, not errors.
pub async fn run(
    runner: &Runner,
    settings: &Settings,
    dir: &Path,
    operation: &str,
    arguments: &Value,
    calls: u32,
) -> Result<Figures, Error> {
    let platform = Platform::new(settings)?;
    let mut first = Duration::ZERO;
    let (mut walls, mut guests) = (Vec::new(), Vec::new());
    let (mut memory, mut host_calls, mut bytes) = (0, 0, 0);
    let mut outcomes = BTreeMap::new();
    let mut total = Duration::ZERO;
    for n in 0..calls.max(1).saturating_add(WARM_UP) {
        let start = runner.clock().monotonic();
        let called = ops::call(runner, settings, dir, &platform, operation, arguments.clone()).await?;
        let wall = runner.clock().monotonic().saturating_sub(start);
        platform.forget();
        if n == 0 {
            first = wall;
        }
        if n < WARM_UP {
            continue;
        }
        total += wall;
        walls.push(wall);
        let outcome = called.result.as_ref().err().map_or("ok", |f| f.code.as_str());
        *outcomes.entry(outcome.to_owned()).or_default() += 1;
        if let Some(r) = called.receipt {
            guests.push(r.guest);
            memory = r.memory.max(memory);
            host_calls = r.host_calls.max(host_calls);
            bytes = (r.bytes_in + r.bytes_out).max(bytes);
        }
    }
    walls.sort_unstable();
    guests.sort_unstable();
    let per_second = walls.len() as u128 * 1_000_000 / total.as_micros().max(1);
    Ok(Figures {
        operation: operation.to_owned(),
        calls: u32::try_from(walls.len()).unwrap_or(u32::MAX),
        first_us: us(first),
        p50_us: at(&walls, 50),
        p90_us: at(&walls, 90),
        p99_us: at(&walls, 99),
        max_us: at(&walls, 100),
        guest_p50_us: at(&guests, 50),
        calls_per_s: u64::try_from(per_second).unwrap_or(u64::MAX),
        fuel: None,
        peak_memory: memory,
        host_calls,
        bytes,
        outcomes,
    })
}

fn us(d: Duration) -> u64 {
    u64::try_from(d.as_micros()).unwrap_or(u64::MAX)
}

/// The value below which that share of a sorted list lies.
fn at(sorted: &[Duration], percent: usize) -> u64 {
    let n = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(n - 1).copied().map_or(0, us)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let all: Vec<Duration> = (1..=200).map(Duration::from_micros).collect();
        assert_eq!([50, 99, 100].map(|p| at(&all, p)), [100, 198, 200]);
        assert_eq!((at(&all[..1], 50), at(&[], 50)), (1, 0));
    }
}
