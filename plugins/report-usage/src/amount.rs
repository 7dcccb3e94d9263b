//! Exact decimal arithmetic for totals: an integer of 128 bits and the number of its decimals. Floats would turn a sum
//! of a month of token counts into something that no invoice agrees with.

use core::fmt;

/// A decimal number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Amount {
    mantissa: i128,
    decimals: u32,
}

impl Amount {
    pub(crate) fn int(value: i64) -> Self {
        Self {
            mantissa: value.into(),
            decimals: 0,
        }
    }

    /// Reads `-12.340`: an optional sign, digits, optionally a point and digits. Nothing else is a number.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let numeric = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !numeric(whole) || !numeric(fraction) || digits.ends_with('.') {
            return None;
        }
        let mantissa: i128 = format!("{whole}{fraction}").parse().ok()?;
        let decimals = u32::try_from(fraction.len()).ok()?;
        Some(Self {
            mantissa: if negative { -mantissa } else { mantissa },
            decimals,
        })
    }

    /// The sum, or `None` when it can't be held exactly.
    pub(crate) fn checked_add(self, other: Self) -> Option<Self> {
        let decimals = self.decimals.max(other.decimals);
        let mantissa = self.rescaled(decimals)?.checked_add(other.rescaled(decimals)?)?;
        Some(Self { mantissa, decimals })
    }

    fn rescaled(self, decimals: u32) -> Option<i128> {
        10_i128
            .checked_pow(decimals - self.decimals)?
            .checked_mul(self.mantissa)
    }

    /// The number as a spreadsheet holds it, if it holds it exactly: spreadsheets keep 15 significant digits.
    pub(crate) fn spreadsheet(self) -> Option<f64> {
        let text = self.to_string();
        let digits = text
            .trim_start_matches(['-', '0', '.'])
            .bytes()
            .filter(u8::is_ascii_digit)
            .count();
        if digits > 15 { None } else { text.parse().ok() }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = self.decimals as usize;
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let mut text = format!("{:0width$}", self.mantissa.unsigned_abs(), width = decimals + 1);
        if decimals > 0 {
            text.insert(text.len() - decimals, '.');
        }
        write!(f, "{sign}{text}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_exactly() {
        for text in [
            "0",
            "12",
            "-12.340",
            "0.05",
            "-0.001",
            "170141183460469231731687303715884105727",
        ] {
            assert_eq!(Amount::parse(text).unwrap().to_string(), text);
        }
        for bad in [
            "",
            "-",
            ".5",
            "5.",
            "1e3",
            "+1",
            "1,000",
            "--1",
            " 1",
            "0x10",
            "=1",
            "٣",
            "170141183460469231731687303715884105728",
        ] {
            assert_eq!(Amount::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn adds_without_losing_a_digit() {
        let sum = |a: &str, b: &str| {
            Amount::parse(a)
                .unwrap()
                .checked_add(Amount::parse(b).unwrap())
                .map(|s| s.to_string())
        };
        assert_eq!(sum("0.1", "0.2").as_deref(), Some("0.3"));
        assert_eq!(
            sum("9007199254740993", "0.001").as_deref(),
            Some("9007199254740993.001")
        );
        assert_eq!(sum("-1.50", "1.5").as_deref(), Some("0.00"));
        assert_eq!(sum("170141183460469231731687303715884105727", "1"), None);
        assert_eq!(sum("170141183460469231731687303715884105727", "0.1"), None);
    }

    #[test]
    fn a_spreadsheet_gets_only_what_it_can_hold() {
        assert_eq!(
            Amount::parse("123456789012345").unwrap().spreadsheet(),
            Some(123_456_789_012_345.0)
        );
        assert_eq!(Amount::parse("1234567890123456").unwrap().spreadsheet(), None);
        assert_eq!(
            Amount::parse("0.000000000000000123").unwrap().spreadsheet(),
            Some(1.23e-16)
        );
        assert_eq!(Amount::int(-7).spreadsheet(), Some(-7.0));
    }
}
