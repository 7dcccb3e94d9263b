//! The gateway's data path: takes requests that were routed to a tenant and authenticated, asks the domain for a
//! decision, and moves bytes between caller and upstream. The only crate that talks to upstreams; it knows no SQL and
//! no HTTP framework beyond hyper.

mod body;
mod client;
mod fair;
mod headers;
mod proxy;
mod upgrade;

pub use body::ProxyBody;
pub use client::BoxError;
pub use proxy::{Proxy, Settings};
