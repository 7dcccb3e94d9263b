//! Whose plugins are run: publishers' keys, the tier each is trusted at, and what the node and each tenant demand.
//!
//! A signature says who published a component and that nobody has changed it since; the operator says, by adding the
//! publisher's key at a tier, what that is worth. Both are looked up when they are needed, so that revoking a key counts
//! at once for whatever is installed, enabled, upgraded or loaded from then on.

mod check;
mod error;
mod publishers;
mod tenant;

pub use check::{Signed, Terms, demand, signed, tier_of};
pub(super) use check::{keep_signatures, tenant_demand, verify};
pub use error::TrustError;
pub use publishers::{NewPublisher, Publisher, add, list, revoke};
pub use tenant::{of_tenant, set_tenant};

use aistack_core::text_enum;

text_enum! {
    /// How far a publisher is trusted.
    pub enum Tier {
        /// Known, and nothing more.
        Community = "community",
        /// The operator has checked who they are.
        Verified = "verified",
        /// As the platform itself.
        Core = "core",
    }
}

text_enum! {
    /// The least that is demanded of a component.
    pub enum Trust {
        /// Nothing: unsigned components run. For development.
        Development = "development",
        /// A signature of a known publisher.
        Community = "community",
        /// A signature of a verified publisher.
        Verified = "verified",
        /// A signature of a core publisher.
        Core = "core",
    }
}

impl Tier {
    fn rank(self) -> u8 {
        match self {
            Self::Community => 1,
            Self::Verified => 2,
            Self::Core => 3,
        }
    }
}

impl Trust {
    fn rank(self) -> u8 {
        match self {
            Self::Development => 0,
            Self::Community => 1,
            Self::Verified => 2,
            Self::Core => 3,
        }
    }

    /// The stricter of two.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        if other.rank() > self.rank() { other } else { self }
    }

    /// Whether a component of this tier will do; `None` is an unsigned one.
    #[must_use]
    pub fn takes(self, tier: Option<Tier>) -> bool {
        tier.map_or(0, Tier::rank) >= self.rank()
    }
}
