//! All sides make a few calls in turn, so that whatever else the machine does meets all of them alike.

use std::time::{Duration, Instant};

/// One way of doing the work.
pub struct Side<'a> {
    /// What it is called in the table.
    pub name: &'static str,
    call: Box<dyn FnMut() -> String + 'a>,
    cpu: Box<dyn Fn() -> Duration + 'a>,
    took: Vec<Duration>,
    used: Duration,
}

impl<'a> Side<'a> {
    /// `call` does the work once and returns the address it came to; `cpu` is the processor time used so far by whoever
    /// does it.
    pub fn new(name: &'static str, call: impl FnMut() -> String + 'a, cpu: impl Fn() -> Duration + 'a) -> Self {
        Self {
            name,
            call: Box::new(call),
            cpu: Box::new(cpu),
            took: Vec::new(),
            used: Duration::ZERO,
        }
    }

    /// A percentile of what calls took.
    pub fn percentile(&self, percent: usize) -> Duration {
        let mut took = self.took.clone();
        took.sort_unstable();
        took[(took.len() - 1) * percent / 100]
    }

    /// Calls for one second of a processor.
    pub fn per_cpu_second(&self) -> f64 {
        self.took.len() as f64 / self.used.as_secs_f64().max(1e-9)
    }
}

/// Calls of a turn.
const TURN: usize = 25;

/// Lets every side make `calls` calls, after a tenth as many to warm up. Each must come to `wanted`, or the comparison
/// means nothing.
///
/// # Panics
/// When a side comes to something else.
pub fn take_turns(sides: &mut [Side<'_>], calls: usize, wanted: &str) {
    let rounds = calls.div_ceil(TURN);
    let warm = rounds.div_ceil(10);
    for round in 0..warm + rounds {
        for side in &mut *sides {
            let before = (side.cpu)();
            for _ in 0..TURN {
                let asked = Instant::now();
                let address = (side.call)();
                let took = asked.elapsed();
                assert_eq!(address, wanted, "{}", side.name);
                if round >= warm {
                    side.took.push(took);
                }
            }
            if round >= warm {
                side.used += (side.cpu)().saturating_sub(before);
            }
        }
    }
}

/// Processor time of this process, all its threads.
///
/// # Panics
/// Never on Linux.
#[must_use]
pub fn cpu_of_this_process() -> Duration {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(
        t.tv_sec.unsigned_abs(),
        u32::try_from(t.tv_nsec).expect("less than a second"),
    )
}

/// Processor time of another process, in steps of a hundredth of a second; zero when it is gone.
#[must_use]
pub fn cpu_of(process: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name, in brackets, may hold anything; user and system time are the 12th and 13th fields after it.
    let after = stat.rsplit_once(") ").map_or("", |(_, after)| after);
    let ticks: u64 = after
        .split(' ')
        .skip(11)
        .take(2)
        .filter_map(|n| n.parse::<u64>().ok())
        .sum();
    Duration::from_millis(ticks * 10)
}
