//! The Merkle tree of the audit log, hashed as RFC 6962 §2.1 says: `H(0x00 ‖ leaf)`, `H(0x01 ‖ left ‖ right)`.
//!
//! Only the frontier (the roots of the perfect subtrees, at most 64 hashes) is needed to append, so one row per
//! tenant moves in the same transaction as the change it records.

use sha2::{Digest, Sha256};

/// A SHA-256 node of the tree.
pub type Hash = [u8; 32];

/// The hash of a leaf's exact bytes.
#[must_use]
pub fn leaf_hash(bytes: &[u8]) -> Hash {
    Sha256::new().chain_update([0u8]).chain_update(bytes).finalize().into()
}

/// The hash of an inner node.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new()
        .chain_update([1u8])
        .chain_update(left)
        .chain_update(right)
        .finalize()
        .into()
}

/// The right edge of an append-only tree.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    /// Roots of the perfect subtrees, largest first; as many as `size` has one-bits.
    nodes: Vec<Hash>,
}

/// Stored frontier bytes that do not fit the stored size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("audit frontier of size {size} has {bytes} bytes")]
pub struct BadFrontier {
    size: u64,
    bytes: usize,
}

impl Frontier {
    /// Reads what [`Frontier::to_bytes`] wrote.
    ///
    /// # Errors
    /// When the number of hashes does not match `size`.
    pub fn from_parts(size: u64, bytes: &[u8]) -> Result<Self, BadFrontier> {
        let (nodes, rest) = bytes.as_chunks::<32>();
        if !rest.is_empty() || nodes.len() != size.count_ones() as usize {
            return Err(BadFrontier {
                size,
                bytes: bytes.len(),
            });
        }
        Ok(Self {
            size,
            nodes: nodes.to_vec(),
        })
    }
    /// Number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }
    /// The subtree roots, concatenated.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.nodes.concat()
    }
    /// Adds a leaf and returns its index.
    pub fn append(&mut self, leaf: Hash) -> u64 {
        let index = self.size;
        let mut node = leaf;
        let mut level = index;
        while level & 1 == 1 {
            if let Some(left) = self.nodes.pop() {
                node = node_hash(&left, &node);
            }
            level >>= 1;
        }
        self.nodes.push(node);
        self.size += 1;
        index
    }
    /// The tree head over all leaves; `SHA-256("")` for the empty tree (RFC 6962 §2.1).
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut nodes = self.nodes.iter().rev();
        match nodes.next() {
            None => Sha256::digest([]).into(),
            Some(last) => nodes.fold(*last, |right, left| node_hash(left, &right)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The recursive definition of RFC 6962 §2.1, as the oracle for the incremental one.
    fn reference_root(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Sha256::digest([]).into(),
            [one] => *one,
            many => {
                let split = many.len().next_power_of_two() / 2;
                node_hash(&reference_root(&many[..split]), &reference_root(&many[split..]))
            }
        }
    }

    #[test]
    fn incremental_root_equals_the_recursive_definition() {
        let mut frontier = Frontier::default();
        let mut leaves = Vec::new();
        for i in 0u32..200 {
            assert_eq!(frontier.root(), reference_root(&leaves));
            let leaf = leaf_hash(&i.to_be_bytes());
            assert_eq!(frontier.append(leaf), u64::from(i));
            leaves.push(leaf);
            frontier = Frontier::from_parts(frontier.size(), &frontier.to_bytes()).unwrap();
        }
    }

    /// Published vectors of the Certificate Transparency reference tree (certificate-transparency-go `merkletree`).
    #[test]
    fn known_roots() {
        let inputs: [&[u8]; 3] = [b"", &[0x00], &[0x10]];
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        ];
        let mut frontier = Frontier::default();
        for (input, root) in inputs.iter().zip(roots) {
            frontier.append(leaf_hash(input));
            let text: String = frontier.root().iter().map(|b| format!("{b:02x}")).collect();
            assert_eq!(text, root);
        }
    }

    #[test]
    fn a_frontier_of_the_wrong_length_is_refused() {
        assert!(Frontier::from_parts(3, &[0; 32]).is_err());
        assert!(Frontier::from_parts(1, &[0; 31]).is_err());
    }
}
