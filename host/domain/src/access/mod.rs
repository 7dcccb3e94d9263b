//! Who is asking: passwords, sessions, access tokens, and what a person may do.
//!
//! Invariants: a secret that opens something (cookie, set-up token) is stored as its SHA-256 only; a password only as
//! an Argon2id hash; unknown names and wrong passwords cost the same and read the same; ending a session ends every
//! token made from it.

mod secret;
mod session;

pub use secret::{Secret, equal};
pub use session::{
    Credential, IDLE, LIFETIME, NewSession, Person, SignedIn, find_operator_session, find_user_session,
    open_session_for_operator, open_session_for_user, operator_actor, user_actor,
};

/// What access control keeps in memory.
#[derive(Debug, Default)]
pub struct Access {}
