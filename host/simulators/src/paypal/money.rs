//! Amounts as PayPal writes them, and objects as it shows them.

use super::Failure;
use serde_json::{Value, json};

/// Currencies without decimals.
const WHOLE: [&str; 3] = ["HUF", "JPY", "TWD"];

/// An amount in the currency's smallest unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) minor: u64,
    pub(super) currency: String,
}

impl Amount {
    pub(super) fn read(value: &Value) -> Result<Self, Failure> {
        let wrong = || {
            Failure::invalid(
                "INVALID_PARAMETER_SYNTAX",
                "amount: currency_code and value with the currency's decimals",
            )
        };
        let currency = value["currency_code"].as_str().unwrap_or_default().to_owned();
        let text = value["value"].as_str().ok_or_else(wrong)?;
        let places = if WHOLE.contains(&currency.as_str()) { 0 } else { 2 };
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
        let fine = currency.len() == 3
            && !whole.is_empty()
            && whole.len() <= 12
            && part.len() <= places
            && digits(whole)
            && digits(part);
        if !fine {
            return Err(wrong());
        }
        let minor = format!("{whole}{part:0<places$}").parse().map_err(|_| wrong())?;
        Ok(Self { minor, currency })
    }

    pub(super) fn with(&self, minor: u64) -> Self {
        Self {
            minor,
            currency: self.currency.clone(),
        }
    }

    pub(super) fn shown(&self) -> Value {
        let value = if WHOLE.contains(&self.currency.as_str()) {
            self.minor.to_string()
        } else {
            format!("{}.{:02}", self.minor / 100, self.minor % 100)
        };
        json!({"currency_code": self.currency, "value": value})
    }
}

/// An object without what is only ours.
pub(super) fn shown(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(fields) = object.as_object_mut() {
        fields.retain(|name, _| !name.starts_with('_'));
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_their_currencys_decimals() {
        let read = |currency: &str, value: &str| {
            Amount::read(&json!({"currency_code": currency, "value": value}))
                .map(|a| a.minor)
                .ok()
        };
        assert_eq!(read("USD", "19.99"), Some(1999));
        assert_eq!(read("USD", "19.9"), Some(1990));
        assert_eq!(read("JPY", "500"), Some(500));
        for (currency, value) in [
            ("JPY", "500.5"),
            ("USD", "1.234"),
            ("USD", "-1"),
            ("USD", ""),
            ("US", "1"),
        ] {
            assert_eq!(read(currency, value), None, "{currency} {value}");
        }
        assert_eq!(
            Amount {
                minor: 1905,
                currency: "EUR".into()
            }
            .shown()["value"],
            "19.05"
        );
    }
}
