//! The ID token: its form, its key, its claims.

pub(crate) mod id_token;
pub(crate) mod jose;
pub(crate) mod keys;
