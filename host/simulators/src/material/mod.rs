//! Keys, certificates and secrets from a seed: the same seed, the same material.

mod certificate;
pub(crate) use der::element;
mod der;
pub(crate) mod people;
mod prime;
mod rsa_key;

pub(crate) use certificate::{Certificate, Signer};
pub(crate) use rsa_key::RsaKey;

use aistack_core::Rng;
use aws_lc_rs::digest::{SHA256, digest};

/// Where all material of one simulator comes from.
#[derive(Debug, Clone)]
pub(crate) struct Material {
    seed: u64,
    /// The simulator's name: two simulators with one seed share no keys.
    of: &'static str,
}

impl Material {
    pub(crate) fn new(seed: u64, of: &'static str) -> Self {
        Self { seed, of }
    }

    /// An endless stream of bytes for one purpose.
    pub(crate) fn stream(&self, purpose: &str) -> Stream {
        let label = format!("aistack-simulators\0{}\0{}\0{purpose}\0", self.seed, self.of);
        Stream {
            label,
            counter: 0,
            block: Vec::new(),
        }
    }

    /// `N` bytes for one purpose.
    pub(crate) fn bytes<const N: usize>(&self, purpose: &str) -> [u8; N] {
        let mut out = [0; N];
        self.stream(purpose).fill(&mut out);
        out
    }

    /// A secret of letters and digits.
    pub(crate) fn token(&self, purpose: &str, length: usize) -> String {
        let mut stream = self.stream(purpose);
        (0..length).map(|_| alphanumeric(stream.byte())).collect()
    }

    /// A secret of digits that does not begin with 0.
    pub(crate) fn digits(&self, purpose: &str, length: usize) -> String {
        let mut stream = self.stream(purpose);
        let digit = |i: usize, b: u8| char::from(if i == 0 { b'1' + b % 9 } else { b'0' + b % 10 });
        (0..length).map(|i| digit(i, stream.byte())).collect()
    }

    /// An RSA key of 2048 bits for one purpose. Takes a moment.
    pub(crate) fn rsa(&self, purpose: &str) -> RsaKey {
        RsaKey::generate(&mut self.stream(&format!("rsa {purpose}")))
    }
}

/// Maps a byte to a letter or digit. Slightly uneven, which does not matter for secrets that protect nothing.
pub(crate) fn alphanumeric(byte: u8) -> char {
    const SET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    char::from(SET[usize::from(byte) % SET.len()])
}

/// Fresh letters and digits that do not repeat after a restart: for ids of orders and the like.
pub(crate) fn fresh(rng: &dyn Rng, length: usize) -> String {
    let mut bytes = vec![0; length];
    rng.fill(&mut bytes);
    bytes.into_iter().map(alphanumeric).collect()
}

/// Fresh digits, the first of which is not 0.
pub(crate) fn fresh_digits(rng: &dyn Rng, length: usize) -> String {
    let mut bytes = vec![0; length];
    rng.fill(&mut bytes);
    let digit = |(i, b): (usize, u8)| char::from(if i == 0 { b'1' + b % 9 } else { b'0' + b % 10 });
    bytes.into_iter().enumerate().map(digit).collect()
}

/// SHA-256 in counter mode.
#[derive(Debug)]
pub(crate) struct Stream {
    label: String,
    counter: u64,
    block: Vec<u8>,
}

impl Stream {
    pub(crate) fn byte(&mut self) -> u8 {
        if let Some(byte) = self.block.pop() {
            return byte;
        }
        let input = format!("{}{}", self.label, self.counter);
        self.counter += 1;
        self.block = digest(&SHA256, input.as_bytes()).as_ref().to_vec();
        self.block.pop().unwrap_or_default()
    }

    pub(crate) fn fill(&mut self, out: &mut [u8]) {
        out.iter_mut().for_each(|byte| *byte = self.byte());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_and_the_simulator_decide() {
        let a = Material::new(1, "oidc");
        assert_eq!(a.token("x", 20), Material::new(1, "oidc").token("x", 20));
        assert_ne!(a.token("x", 20), Material::new(2, "oidc").token("x", 20));
        assert_ne!(a.token("x", 20), Material::new(1, "stripe").token("x", 20));
        assert_ne!(a.token("x", 20), a.token("y", 20));
        assert_eq!(a.digits("n", 16).len(), 16);
        assert!(!a.digits("n", 16).starts_with('0'));
    }
}
