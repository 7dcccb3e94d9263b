//! Rows and traits of the tenant store. No method takes a tenant: the transaction already has one.

mod commerce;
mod identity;
mod machinery;
mod plugins;
mod usage;

pub use commerce::*;
pub use identity::*;
pub use machinery::*;
pub use plugins::*;
pub use usage::*;
