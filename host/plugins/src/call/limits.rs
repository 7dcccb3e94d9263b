//! The bounds a store enforces by itself: memory, tables, and what the counters of a call say.

use wasmtime::{ResourceLimiter, Result};

/// A bound of the call that was reached; carried as the error that ends the guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Exceeded {
    /// More host calls than allowed.
    #[error("more host calls than this call may make")]
    HostCalls,
    /// A request for more random bytes than one call gives.
    #[error("more random bytes than one call gives")]
    Random,
}

impl Exceeded {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::HostCalls => "host_calls_exceeded",
            Self::Random => "random_exceeded",
        }
    }
}

/// Caps the sum over all linear memories and over all tables of a store.
#[derive(Debug)]
pub(crate) struct Limiter {
    max_memory: usize,
    memory: usize,
    elements: usize,
    /// Highest sum seen, in bytes.
    pub(crate) peak: usize,
    /// Whether the guest asked for more than it may have.
    pub(crate) refused: bool,
}

/// Elements over all tables of a store.
const MAX_ELEMENTS: usize = 64 << 10;

impl Limiter {
    pub(crate) fn new(max_memory: usize) -> Self {
        Self {
            max_memory,
            memory: 0,
            elements: 0,
            peak: 0,
            refused: false,
        }
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        let sum = self.memory.saturating_add(desired.saturating_sub(current));
        if maximum.is_some_and(|m| desired > m) {
            return Ok(false);
        }
        if sum > self.max_memory {
            self.refused = true;
            return Ok(false);
        }
        self.memory = sum;
        self.peak = self.peak.max(sum);
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        let sum = self.elements.saturating_add(desired.saturating_sub(current));
        if maximum.is_some_and(|m| desired > m) {
            return Ok(false);
        }
        if sum > MAX_ELEMENTS {
            self.refused = true;
            return Ok(false);
        }
        self.elements = sum;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_share_one_bound() {
        let mut l = Limiter::new(100);
        assert!(l.memory_growing(0, 60, None).unwrap());
        assert!(
            !l.memory_growing(0, 60, None).unwrap(),
            "a second memory must not double the bound"
        );
        assert!(l.refused);
        assert!(l.memory_growing(0, 40, None).unwrap());
        assert_eq!(l.peak, 100);
    }

    #[test]
    fn a_memorys_own_maximum_is_not_our_refusal() {
        let mut l = Limiter::new(100);
        assert!(!l.memory_growing(0, 20, Some(10)).unwrap());
        assert!(!l.refused);
    }
}
