//! What each plan includes (product §4). In code for now; editable plans replace this table behind the same functions.

use super::meter::{API_CALLS, USERS};

/// A plan's limits; `None` is unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Active members.
    pub users: Option<i64>,
    /// Bytes of files.
    pub storage_bytes: Option<i64>,
    /// Calls through the gateway per calendar month.
    pub api_calls: Option<i64>,
}

/// A plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Stable code, as the tenant row has it.
    pub code: &'static str,
    /// Name for people.
    pub name: &'static str,
    /// Limits.
    pub limits: Limits,
}

const fn plan(code: &'static str, name: &'static str, users: i64, gigabytes: i64, calls: i64) -> Plan {
    Plan {
        code,
        name,
        limits: Limits {
            users: Some(users),
            storage_bytes: Some(gigabytes * 1_000_000_000),
            api_calls: Some(calls),
        },
    }
}

/// The plans, smallest first.
pub const PLANS: [Plan; 4] = [
    plan("free", "Free", 5, 1, 1_000),
    plan("basic", "Basic", 20, 10, 10_000),
    plan("professional", "Professional", 50, 50, 50_000),
    Plan {
        code: "enterprise",
        name: "Enterprise",
        limits: Limits {
            users: None,
            storage_bytes: None,
            api_calls: None,
        },
    },
];

impl Plan {
    /// The plan with a code.
    #[must_use]
    pub fn find(code: &str) -> Option<&'static Self> {
        PLANS.iter().find(|p| p.code == code)
    }
    /// The plan a tenant row names. A code that no longer exists gives the smallest plan: never more than was sold.
    #[must_use]
    pub fn of(code: &str) -> &'static Self {
        Self::find(code).unwrap_or(&PLANS[0])
    }
    /// What the plan allows of a meter; meters it does not name are unlimited.
    #[must_use]
    pub fn limit(&self, meter: &str) -> Option<i64> {
        match meter {
            API_CALLS => self.limits.api_calls,
            USERS => self.limits.users,
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_say_what_was_sold() {
        assert_eq!(Plan::of("free").limit("api.calls"), Some(1_000));
        assert_eq!(Plan::of("professional").limit("users"), Some(50));
        assert_eq!(Plan::of("enterprise").limit("api.calls"), None);
        assert_eq!(Plan::of("a plan of yesterday"), Plan::of("free"));
        assert_eq!(Plan::of("free").limit("ai.tokens"), None);
    }
}
