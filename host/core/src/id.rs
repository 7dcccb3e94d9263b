//! Typed, time-ordered ids: UUIDv7 inside (RFC 9562 §5.7), `prefix_<32 hex digits>` outside.
//!
//! A `UserId` where a `TenantId` belongs does not compile, and does not parse either: the prefix is checked.

use crate::clock::{Clock, Rng};
use uuid::Uuid;

/// A text that is not a value of the named type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a {what}")]
pub struct UnknownText {
    /// The type that was asked for.
    pub what: &'static str,
    /// What was given instead.
    pub text: String,
}

/// A fresh UUIDv7 from the given clock and randomness.
#[must_use]
pub fn new_uuid(clock: &dyn Clock, rng: &dyn Rng) -> Uuid {
    let mut random = [0u8; 10];
    rng.fill(&mut random);
    let millis = u64::try_from(clock.now().as_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

macro_rules! ids {
    ($($(#[$meta:meta])* $name:ident = $prefix:literal;)+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(transparent))]
        pub struct $name(pub Uuid);

        impl $name {
            /// The prefix that stands before the underscore in JSON and on the command line.
            pub const PREFIX: &'static str = $prefix;
            /// A fresh id.
            #[must_use]
            pub fn new(clock: &dyn Clock, rng: &dyn Rng) -> Self { Self(new_uuid(clock, rng)) }
        }
        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                write!(f, "{}_{}", $prefix, self.0.simple())
            }
        }
        impl ::core::str::FromStr for $name {
            type Err = UnknownText;
            fn from_str(s: &str) -> Result<Self, UnknownText> {
                s.strip_prefix(concat!($prefix, "_"))
                    .filter(|hex| hex.len() == 32 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
                    .and_then(|hex| Uuid::try_parse(hex).ok())
                    .map(Self)
                    .ok_or_else(|| UnknownText { what: stringify!($name), text: s.chars().take(80).collect() })
            }
        }
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> { s.collect_str(self) }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(d)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}

ids! {
    /// A tenant: the customer organisation that owns users, usage, money and data.
    TenantId = "ten";
    /// A person who runs the platform; never a tenant's member.
    OperatorId = "opr";
    /// A person inside one tenant.
    UserId = "usr";
    /// A signed-in browser or CLI session of an operator or a user.
    SessionId = "ses";
    /// A plugin version installed on the host (one component digest).
    PluginVersionId = "plv";
    /// A plugin enabled in one tenant with its config, secrets and grants.
    InstallationId = "ins";
    /// One call into a component.
    CallId = "cal";
    /// A half-finished sign-in through an identity plugin.
    LoginId = "lgn";
    /// A gateway route from a path prefix to an upstream.
    RouteId = "rte";
    /// An order that a tenant pays.
    OrderId = "ord";
    /// A delivery received on a plugin's inbound endpoint.
    DeliveryId = "dlv";
    /// One run of a report generator.
    ReportRunId = "run";
    /// A stored file.
    FileId = "fil";
    /// A durable job.
    JobId = "job";
    /// A usage event as the platform names it.
    UsageEventId = "evt";
    /// An audit event.
    AuditEventId = "aud";
    /// A request, as answered in `x-request-id`.
    RequestId = "req";
    /// A signing key of the platform (the JWT `kid`).
    KeyId = "key";
    /// Somebody whose personal data is sealed under a key of their own.
    SubjectId = "sub";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_round_trip_and_refuse_other_prefixes() {
        let id = TenantId(Uuid::from_u128(7));
        assert_eq!(id.to_string().parse::<TenantId>(), Ok(id));
        assert!(id.to_string().parse::<UserId>().is_err());
        assert!("ten_ABC".parse::<TenantId>().is_err());
        assert!(format!("ten_{}", "A".repeat(32)).parse::<TenantId>().is_err());
    }
}
