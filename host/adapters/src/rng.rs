//! Randomness from AWS-LC, which is seeded by the operating system.

use aistack_core::Rng;

/// The process-wide generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRng;

impl Rng for SystemRng {
    fn fill(&self, buf: &mut [u8]) {
        aws_lc_rs::rand::fill(buf).expect("the operating system gives randomness or nothing can go on safely");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aistack_core::Entropy;

    #[test]
    fn two_draws_differ_and_fill_the_whole_buffer() {
        let (a, b) = (SystemRng.bytes::<64>(), SystemRng.bytes::<64>());
        assert_ne!(a, b);
        // 64 random bytes all in one half are zero with probability 2^-256.
        assert!(a[..32].iter().any(|x| *x != 0) && a[32..].iter().any(|x| *x != 0));
    }
}
