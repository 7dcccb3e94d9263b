//! Money: integer minor units with the currency's exponent (ISO 4217). No floating point anywhere.

use crate::UnknownText;

/// An ISO 4217 code, e.g. `USD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// Currencies whose exponent is not 2 (ISO 4217, list one).
const EXPONENTS: &[(&str, u8)] = &[
    ("BHD", 3),
    ("BIF", 0),
    ("CLF", 4),
    ("CLP", 0),
    ("DJF", 0),
    ("GNF", 0),
    ("IQD", 3),
    ("ISK", 0),
    ("JOD", 3),
    ("JPY", 0),
    ("KMF", 0),
    ("KRW", 0),
    ("KWD", 3),
    ("LYD", 3),
    ("OMR", 3),
    ("PYG", 0),
    ("RWF", 0),
    ("TND", 3),
    ("UGX", 0),
    ("UYI", 0),
    ("UYW", 4),
    ("VND", 0),
    ("VUV", 0),
    ("XAF", 0),
    ("XOF", 0),
    ("XPF", 0),
];

impl Currency {
    /// United States dollar.
    pub const USD: Self = Self(*b"USD");
    /// Chinese yuan.
    pub const CNY: Self = Self(*b"CNY");

    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or("XXX")
    }
    /// How many decimal digits the minor unit stands for: JPY 0, USD 2, KWD 3.
    #[must_use]
    pub fn exponent(&self) -> u8 {
        EXPONENTS
            .iter()
            .find(|(c, _)| c.as_bytes() == self.0)
            .map_or(2, |(_, e)| *e)
    }
}
impl core::fmt::Display for Currency {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}
impl core::str::FromStr for Currency {
    type Err = UnknownText;
    /// Three upper-case ASCII letters.
    fn from_str(s: &str) -> Result<Self, UnknownText> {
        match <[u8; 3]>::try_from(s.as_bytes()) {
            Ok(b) if b.iter().all(u8::is_ascii_uppercase) => Ok(Self(b)),
            _ => Err(UnknownText {
                what: "ISO 4217 currency",
                text: s.chars().take(8).collect(),
            }),
        }
    }
}
impl serde::Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}
impl<'de> serde::Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let t = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(d)?;
        t.parse().map_err(serde::de::Error::custom)
    }
}
crate::sql_as_text!(Currency);

/// An amount in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Money {
    /// Minor units (cents, 分); negative for credits.
    pub minor: i64,
    /// The currency.
    pub currency: Currency,
}

impl Money {
    /// An amount of minor units.
    #[must_use]
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }
    /// The sum, or `None` when currencies differ or it overflows.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        (self.currency == other.currency)
            .then(|| self.minor.checked_add(other.minor))
            .flatten()
            .map(|minor| Self { minor, ..self })
    }
}
impl core::fmt::Display for Money {
    /// `12.34 USD`, `-500 JPY`.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let exp = usize::from(self.currency.exponent());
        let sign = if self.minor < 0 { "-" } else { "" };
        let scale = 10u64.pow(u32::try_from(exp).unwrap_or(0));
        let abs = self.minor.unsigned_abs();
        if exp == 0 {
            write!(f, "{sign}{abs} {}", self.currency)
        } else {
            write!(f, "{sign}{}.{:0exp$} {}", abs / scale, abs % scale, self.currency)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_follows_the_exponent() {
        for (minor, code, text) in [
            (1234, "USD", "12.34 USD"),
            (-5, "USD", "-0.05 USD"),
            (500, "JPY", "500 JPY"),
            (1, "KWD", "0.001 KWD"),
        ] {
            assert_eq!(Money::new(minor, code.parse().unwrap()).to_string(), text);
        }
    }

    #[test]
    fn adding_refuses_other_currencies_and_overflow() {
        let usd = Money::new(1, Currency::USD);
        assert_eq!(usd.checked_add(Money::new(1, Currency::CNY)), None);
        assert_eq!(Money::new(i64::MAX, Currency::USD).checked_add(usd), None);
        assert_eq!(usd.checked_add(usd), Some(Money::new(2, Currency::USD)));
    }

    #[test]
    fn codes_are_three_capitals() {
        assert!("usd".parse::<Currency>().is_err());
        assert!("US".parse::<Currency>().is_err());
        assert!("USDX".parse::<Currency>().is_err());
    }
}
