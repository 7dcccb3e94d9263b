//! What guests may reach: granted hosts only, at addresses that were checked after resolving and are then used as
//! they are.

mod client;
mod peer;
mod policy;

pub(crate) use aistack_core::address::allowed;
pub(crate) use client::{AddressRefused, HttpClients, checked_lookup};
pub use client::{NameLookup, SystemLookup};
pub use peer::{HttpPeer, PeerFailure, PeerRequest, PeerResponse};
pub(crate) use policy::{host_matches, permit};
