//! Primes for RSA keys from a stream of bytes: sieve, then Miller–Rabin.

use super::Stream;
use num_bigint::BigUint;

/// Rounds of Miller–Rabin. For random candidates of 1024 bits five already leave less than 2^-80; the keys are for tests.
const ROUNDS: usize = 8;

/// A prime of 1024 bits whose two highest bits are set (so that the product of two has 2048 bits) and for which
/// `e = 65537` is a usable exponent.
pub(super) fn prime_1024(stream: &mut Stream) -> BigUint {
    let small = small_primes();
    loop {
        let mut bytes = [0_u8; 128];
        stream.fill(&mut bytes);
        bytes[0] |= 0b1100_0000;
        bytes[127] |= 1;
        let mut candidate = BigUint::from_bytes_be(&bytes);
        // Neighbours share one sieve: cheaper than drawing afresh, and good enough for tests.
        let residues: Vec<u32> = small.iter().map(|p| remainder(&candidate, *p)).collect();
        for step in 0..500_u32 {
            let offset = 2 * step;
            let sieved = small.iter().zip(&residues).any(|(p, r)| (r + offset) % p == 0);
            if !sieved {
                let number = &candidate + offset;
                if number.bits() == 1024 && usable(&number) && is_prime(&number, stream) {
                    return number;
                }
            }
        }
        candidate += 1000_u32;
        drop(candidate);
    }
}

/// Whether `e` is invertible modulo `p - 1`; `e` is prime, so it is enough that it does not divide.
fn usable(p: &BigUint) -> bool {
    remainder(&(p - 1_u32), 65_537) != 0
}

fn remainder(number: &BigUint, by: u32) -> u32 {
    u32::try_from(number % by).unwrap_or_default()
}

fn small_primes() -> Vec<u32> {
    let mut primes: Vec<u32> = vec![3];
    for n in (5..2000).step_by(2) {
        if primes.iter().all(|p| n % p != 0) {
            primes.push(n);
        }
    }
    primes
}

fn is_prime(n: &BigUint, stream: &mut Stream) -> bool {
    let one = BigUint::from(1_u32);
    let last = n - 1_u32;
    let twos = last.trailing_zeros().unwrap_or_default();
    let odd = &last >> twos;
    (0..ROUNDS).all(|_| {
        let mut bytes = [0_u8; 64];
        stream.fill(&mut bytes);
        let base = BigUint::from_bytes_be(&bytes) + 2_u32;
        let mut x = base.modpow(&odd, n);
        if x == one || x == last {
            return true;
        }
        for _ in 1..twos {
            x = &x * &x % n;
            if x == last {
                return true;
            }
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use super::super::Material;
    use super::*;

    #[test]
    fn primes_are_told_from_products() {
        let stream = &mut Material::new(1, "test").stream("witnesses");
        let prime = |text: &str| text.parse::<BigUint>().unwrap();
        // 2^521 - 1 is prime, 2^523 - 1 is not; 561 and 3215031751 fool weaker tests.
        assert!(is_prime(&((BigUint::from(1_u32) << 521) - 1_u32), stream));
        assert!(!is_prime(&((BigUint::from(1_u32) << 523) - 1_u32), stream));
        assert!(!is_prime(&prime("3215031751"), stream));
        assert!(is_prime(&prime("170141183460469231731687303715884105727"), stream));
    }
}
