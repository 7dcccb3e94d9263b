//! Quotas: how much of a meter a tenant may use, and the decision whether it may use more right now.
//!
//! Invariants: on one node no race of reservations ever goes over a limit; what was acknowledged is in the store's
//! counter; a decision touches no database once the window's counter has been loaded. With several nodes the limit can
//! be passed by what the others have in flight.

mod admin;
mod engine;
mod error;
mod level;
mod meter;
mod plan;
mod plugin_terms;
mod window;

pub use admin::{QuotaView, clear_limit, list, set_limit, upgrade_url};
pub use engine::{Engine, Reservation, Standing};
pub use error::{Exceeded, QuotaError};
pub use level::ensure_users;
pub use meter::{API_CALLS, Meter, MeterKind, USERS};
pub use plan::{Limits, PLANS, Plan};
pub use plugin_terms::PluginTerms;
pub use window::Window;

pub(crate) use plugin_terms::unknown_interface;
pub(crate) use window::carried_over;
