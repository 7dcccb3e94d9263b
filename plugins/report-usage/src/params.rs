//! A run's parameters. The host has validated them by the manifest's schema; dates are checked again here, because a
//! pattern lets February 31st through.

use aistack_sdk::Fault;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Params {
    /// First day.
    pub(crate) from: String,
    /// Last day, included.
    pub(crate) to: String,
    /// Only these meters; all when empty.
    #[serde(default)]
    pub(crate) meters: Vec<String>,
}

impl Params {
    pub(crate) fn read(value: &Value) -> Result<Self, Fault> {
        let params: Self = serde_json::from_value(value.clone())
            .map_err(|e| Fault::invalid_input("params_invalid", format!("parameters: {e}")))?;
        for (name, text) in [("from", &params.from), ("to", &params.to)] {
            if !is_date(text) {
                return Err(Fault::invalid_input(
                    "params_invalid",
                    format!("/{name}: not a calendar day: {text:?}"),
                ));
            }
        }
        if params.from > params.to {
            return Err(Fault::invalid_input("period_empty", "the period ends before it starts"));
        }
        Ok(params)
    }

    /// What the dataset is asked for.
    pub(crate) fn filter(&self) -> Value {
        json!({"from": self.from, "to": self.to})
    }
}

/// `YYYY-MM-DD` of the Gregorian calendar.
fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    let shape = bytes.len() == 10
        && bytes.iter().enumerate().all(|(i, b)| {
            if i == 4 || i == 7 {
                *b == b'-'
            } else {
                b.is_ascii_digit()
            }
        });
    if !shape {
        return false;
    }
    let number = |range: core::ops::Range<usize>| text[range].parse::<u32>().unwrap_or(0);
    let (year, month, day) = (number(0..4), number(5..7), number(8..10));
    let leap = (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return false,
    };
    (1..=days).contains(&day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_calendar() {
        for good in ["2024-02-29", "2000-02-29", "2026-12-31", "2026-01-01"] {
            assert!(is_date(good), "{good}");
        }
        for bad in [
            "2026-02-29",
            "1900-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-04-31",
            "2026-1-01",
            "2026-01-00",
            "20260101",
            "２０２６-01-01",
        ] {
            assert!(!is_date(bad), "{bad}");
        }
    }
}
