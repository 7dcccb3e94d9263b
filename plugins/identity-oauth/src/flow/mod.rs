//! The conversation with the browser: sending it to the provider, taking it back, signing it out there.

pub(crate) mod authorize;
pub(crate) mod callback;
pub(crate) mod logout;
