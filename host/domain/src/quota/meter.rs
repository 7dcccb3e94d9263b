//! What can be counted.

use aistack_core::text_enum;

text_enum! {
    /// How a meter is limited.
    pub enum MeterKind {
        /// Sums up over a period and starts again.
        Window = "window",
        /// A height that goes up and down: members.
        Level = "level",
    }
}

/// A meter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meter {
    /// Name, e.g. `api.calls`.
    pub name: String,
    /// Kind.
    pub kind: MeterKind,
    /// What one of it is called.
    pub unit: &'static str,
}

/// Calls through the gateway.
pub const API_CALLS: &str = "api.calls";
/// Active members.
pub const USERS: &str = "users";
/// A tenant's own meters begin with this.
const CUSTOM: &str = "custom.";

const WINDOWS: [(&str, &str); 5] = [
    (API_CALLS, "call"),
    ("ai.calls", "call"),
    ("ai.tokens", "token"),
    ("ai.tokens.input", "token"),
    ("ai.tokens.output", "token"),
];

impl Meter {
    /// The meter of a name: a built-in one, or `custom.` with lower-case letters, digits, `.`, `_`, `-` behind it.
    /// `None` for anything else: a misspelt meter must be an error, never counted into the void.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        if name == USERS {
            return Some(Self::new(name, MeterKind::Level, "member"));
        }
        if let Some((_, unit)) = WINDOWS.iter().find(|(known, _)| *known == name) {
            return Some(Self::new(name, MeterKind::Window, unit));
        }
        let custom = name.strip_prefix(CUSTOM)?;
        let fine = (1..=57).contains(&custom.len())
            && custom
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b));
        fine.then(|| Self::new(name, MeterKind::Window, "unit"))
    }

    fn new(name: &str, kind: MeterKind, unit: &'static str) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            unit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_and_custom_meters_are_found_and_misspelt_ones_are_not() {
        assert_eq!(Meter::find("users").unwrap().kind, MeterKind::Level);
        assert_eq!(Meter::find("api.calls").unwrap().unit, "call");
        assert_eq!(Meter::find("custom.pages-2").unwrap().kind, MeterKind::Window);
        for bad in [
            "",
            "api.call",
            "API.calls",
            "custom.",
            "custom.A",
            "custom.a b",
            "custom.ä",
        ] {
            assert!(Meter::find(bad).is_none(), "{bad}");
        }
        assert!(Meter::find(&format!("custom.{}", "a".repeat(58))).is_none());
    }
}
