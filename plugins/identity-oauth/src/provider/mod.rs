//! The conversation with the provider's own endpoints: metadata, tokens, and how requests fail.

pub(crate) mod discovery;
pub(crate) mod fetch;
pub(crate) mod tokens;
