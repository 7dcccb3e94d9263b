//! Signatures that travel with a component, in its last top-level custom section. Reading them is the runtime's, trusting
//! them the domain's.

/// One publisher's signature, as found; nothing of it is verified yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureBlock {
    /// Who claims to have signed.
    pub publisher: String,
    /// Which key: the first 16 hex digits of the SHA-256 of the public key.
    pub key_id: String,
    /// The algorithm, `Ed25519`.
    pub alg: String,
    /// The signature over [`signed_message`].
    pub signature: Vec<u8>,
}

/// Name of the custom section: a JSON array of `{"publisher", "key_id", "alg", "sig"}`, `sig` in base64.
pub const SIGNATURE_SECTION: &str = "aistack:signatures";

/// What a publisher signs: a fixed prefix, so that the signature means nothing elsewhere, and the SHA-256 of the component
/// without its signature section.
#[must_use]
pub fn signed_message(payload_sha256: &[u8; 32]) -> Vec<u8> {
    [b"aistack-plugin-v1\0".as_slice(), payload_sha256].concat()
}
