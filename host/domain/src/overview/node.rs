//! This process.

use crate::App;

/// The process that answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Version of the binary.
    pub version: &'static str,
    /// Seconds since the start.
    pub uptime_s: u64,
    /// Memory in use, bytes; 0 where the system does not say.
    pub rss_bytes: u64,
    /// `sqlite` or `postgres`.
    pub store: &'static str,
}

impl Node {
    pub(super) fn read(app: &App) -> Self {
        Self {
            version: app.config.version,
            // The monotonic clock starts with the process.
            uptime_s: app.clock.monotonic().as_secs(),
            rss_bytes: rss(&std::fs::read_to_string("/proc/self/status").unwrap_or_default()),
            store: app.store.backend(),
        }
    }
}

/// `VmRSS` of a Linux status file, in bytes.
fn rss(status: &str) -> u64 {
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|l| l.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_resident_set_is_read_where_there_is_one() {
        assert_eq!(super::rss("Name:\tx\nVmRSS:\t   12 kB\nThreads:\t1\n"), 12 * 1024);
        assert_eq!(super::rss(""), 0);
        assert_eq!(super::rss("VmRSS: lots"), 0);
    }
}
