//! The gateway's rules: which upstream a path goes to, who may call it, what it counts, what the upstream is told.
//!
//! The proxy itself is `host/gateway`; it asks [`Decisions`] and moves bytes. Invariants: the path that is matched is the
//! path that is sent; a call is answered to its end only after the commit that counts it (unless the operator chose
//! otherwise); a call that never reached its upstream counts nothing.

mod decide;
mod identity;
mod path;
mod routes;
mod table;

pub use decide::{Decider, Decisions, Denial, Ending, Incoming, Pass};
pub use identity::IDENTITY_TYPE;
pub use path::normalise;
pub use routes::{NewRoute, RouteView, create, delete, list, update};
pub use table::{Known, RouteTable, Target};
