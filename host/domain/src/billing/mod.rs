//! Orders, and the inbox for what payment providers report about them.
//!
//! Invariants: an order becomes `paid` only by a verified delivery or a status fetched from the provider, and only when
//! installation, provider reference, amount and currency are the order's; a status never goes backwards; a provider's
//! event has its effect once; a delivery is on disk before anything is made of it; a decline is not an unknown outcome.

mod answer;
mod apply;
pub mod currency;
mod error;
mod events;
mod inbox;
mod job;
mod orders;
mod pay;

pub use apply::next_status;
pub use error::OrderError;
pub(crate) use events::apply_run;
pub use inbox::{Answer, Inbound, receive};
pub use job::RefreshOrder;
pub(crate) use job::tenant_ctx;
pub(crate) use orders::person;
pub use orders::{NewOrder, OrderView, create, get, list};
pub use pay::{browser_return, cancel, pay, refresh};
