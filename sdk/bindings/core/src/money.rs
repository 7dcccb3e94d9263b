//! Amounts: integer minor units with the exponent the host gave them. Providers that speak decimals get exact text.

use crate::types::Money;

impl Money {
    /// The amount as a decimal number with exactly as many decimals as the currency has: `12.34`, `500`, `-0.005`.
    #[must_use]
    pub fn decimal(&self) -> String {
        let digits = usize::from(self.exponent);
        let sign = if self.minor < 0 { "-" } else { "" };
        let mut text = format!("{:0width$}", self.minor.unsigned_abs(), width = digits + 1);
        if digits > 0 {
            text.insert(text.len() - digits, '.');
        }
        format!("{sign}{text}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_follow_the_exponent() {
        for (minor, exponent, text) in [
            (1234, 2, "12.34"),
            (500, 0, "500"),
            (-5, 3, "-0.005"),
            (0, 2, "0.00"),
            (i64::MIN, 2, "-92233720368547758.08"),
        ] {
            assert_eq!(
                Money {
                    minor,
                    currency: "XXX".into(),
                    exponent
                }
                .decimal(),
                text
            );
        }
    }
}
