//! Who is asking: passwords, sessions, access tokens, and what a person may do.
//!
//! Invariants: a secret that opens something (cookie, set-up token) is stored as its SHA-256 only; a password only as
//! an Argon2id hash; unknown names and wrong passwords cost the same and read the same; ending a session ends every
//! token made from it.

mod keys;
mod password;
mod secret;
mod session;
mod sign_in;
mod throttle;
mod token;

pub use keys::{KeyRing, key_ring};
pub use password::{Hashing, check_policy, hash_password};
pub use secret::{Secret, equal};
pub use session::{
    Credential, IDLE, LIFETIME, NewSession, Person, SignedIn, find_operator_session, find_user_session,
    open_session_for_operator, open_session_for_user, operator_actor, user_actor,
};
pub use sign_in::{SignedInNow, acting_as, sign_in_operator, sign_in_user, sign_out};
pub use throttle::{Throttle, Who};
pub use token::{TOKEN_LIFE, issue_token, token_tenant, verify_token};

/// What access control keeps in memory.
#[derive(Debug, Default)]
pub struct Access {
    /// Passwords being hashed.
    pub hashing: Hashing,
    /// Failed sign-ins.
    pub throttle: Throttle,
    /// Signing keys, once loaded.
    pub keys: arc_swap::ArcSwapOption<KeyRing>,
    /// Held while they are loaded or made.
    loading_keys: tokio::sync::Mutex<()>,
}
