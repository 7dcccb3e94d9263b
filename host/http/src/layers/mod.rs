//! What happens around every handler, from outside in: request id, log line and problem documents ([`request`]); which
//! tenant ([`place`]); who is asking and whether they may ([`guard`], per route); headers of the answer ([`headers`]).

mod auth;
mod guard;
mod headers;
mod place;
mod request;

pub(crate) use auth::{COOKIE_OPERATOR, COOKIE_USER, authenticate, check_same_origin};
pub use guard::Caller;
pub(crate) use guard::{caller, check_permission, guard};
pub(crate) use headers::{FromUpstream, headers};
pub(crate) use place::{Place, moved, place};
pub use request::PeerAddr;
pub(crate) use request::{ClientAddr, RouteName, request};
