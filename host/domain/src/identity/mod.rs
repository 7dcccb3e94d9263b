//! Signing in through identity plugins: the conversation with the provider, and what a finished sign-in means here.
//!
//! Invariants: the identity key is (connection, issuer, subject), never an e-mail address; a half-finished sign-in can
//! be continued once, by the browser that began it, at the connection it began at; after sign-in a browser is sent to a
//! local path only; every sign-in that ends, well or not, is in the audit log.

mod complete;
mod directory;
mod error;
mod external;
mod login;
pub mod policy;
mod state;

pub use complete::SignedInAs;
pub use directory::{Synced, sync};
pub use error::LoginError;
pub use login::{Begin, Connection, Continued, Methods, Started, StepView, callback, methods, start};
pub use state::local_path;
