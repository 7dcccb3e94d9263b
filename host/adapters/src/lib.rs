//! What the domain's ports need from outside: the clocks, randomness, sealing under a root key file, objects as plain
//! files, components from OCI registries, and the DNS.

mod clock;
mod dns;
mod objects;
pub mod oci;
mod rng;
mod seal;

pub use clock::SystemClock;
pub use dns::{DnsResolver, ResolverError};
pub use objects::FileObjects;
pub use oci::OciRegistries;
pub use rng::SystemRng;
pub use seal::{FileSealer, RootKeyError};
