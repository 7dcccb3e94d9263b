//! What is uploaded as a component.

use crate::admit;
use aistack_domain::plugins::port::Refusal;

/// Largest input taken: more would only be slow.
const MAX: u64 = 1 << 20;

/// Admission up to, not including, the compiler; and taking apart for authors, which must never know less.
pub fn component_bytes(data: &[u8]) {
    let admitted = admit::read(data, MAX);
    let anatomy = admit::dissect(data);
    match admitted {
        Ok(facts) => {
            let i = &facts.inspection;
            let anatomy = anatomy.expect("what can be admitted can be taken apart");
            assert_eq!(i.digest, anatomy.digest);
            assert_eq!(
                (i.payload_sha256, i.payload_size),
                (anatomy.payload_sha256, anatomy.payload_size as u64)
            );
            assert_eq!(Some(i.manifest.as_bytes()), anatomy.manifest.as_deref());
            assert_eq!(i.signatures, anatomy.signatures);
            assert!(
                facts.linked.needs.is_subset(&facts.linked.links),
                "what is called is linked"
            );
            assert!(i.payload_size <= i.size && i.size == data.len() as u64);
            assert!(!anatomy.exports.is_empty());
        }
        Err(refusal) => {
            assert!(!refusal.to_string().is_empty());
            assert!(
                !matches!(refusal, Refusal::Host(_)),
                "the host is not at fault: {refusal}"
            );
        }
    }
}
