//! Amounts between the platform (minor units by ISO 4217) and Stripe (units of its own by currency).
//!
//! They differ in a few places, and each difference is a factor of ten or more, so they stand here by name:
//! - currencies without decimals at Stripe: as in ISO 4217, and also MGA, whose fifth parts Stripe ignores;
//! - ISK and UGX have no decimals but are sent with two, always `00`;
//! - three-decimal currencies are sent with three, the last one always `0`.

use aistack_sdk::{Fault, Money};

/// Currencies whose ISO 4217 exponent is not 2.
const ISO: &[(&str, u8)] = &[
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
/// Sent to Stripe without decimals.
const STRIPE_ZERO: &[&str] = &[
    "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF",
];
/// Sent to Stripe with three decimals.
const STRIPE_THREE: &[&str] = &["BHD", "JOD", "KWD", "OMR", "TND"];
/// Not offered by Stripe, and of an exponent that would make a guess dangerous.
const NOT_OFFERED: &[&str] = &["CLF", "IQD", "LYD", "UYI", "UYW"];

fn iso_exponent(currency: &str) -> u8 {
    ISO.iter().find(|(c, _)| *c == currency).map_or(2, |(_, e)| *e)
}

fn stripe_exponent(currency: &str) -> u8 {
    if STRIPE_ZERO.contains(&currency) {
        0
    } else if STRIPE_THREE.contains(&currency) {
        3
    } else {
        2
    }
}

fn check_currency(currency: &str) -> Result<(), Fault> {
    if currency.len() != 3 || !currency.bytes().all(|b| b.is_ascii_uppercase()) {
        return Err(Fault::invalid_input(
            "currency_invalid",
            "the currency is not an ISO 4217 code in upper case",
        ));
    }
    if NOT_OFFERED.contains(&currency) {
        return Err(Fault::invalid_input(
            "currency_not_offered",
            format!("Stripe does not take {currency}"),
        ));
    }
    Ok(())
}

/// What Stripe is told. Refuses amounts that Stripe's units can't express exactly; nothing is ever rounded.
pub(crate) fn to_stripe(money: &Money) -> Result<i64, Fault> {
    check_currency(&money.currency)?;
    let iso = iso_exponent(&money.currency);
    if money.exponent != iso {
        let message = format!("{} has {iso} decimals, not {}", money.currency, money.exponent);
        return Err(Fault::invalid_input("exponent_mismatch", message));
    }
    if money.minor <= 0 {
        return Err(Fault::invalid_input(
            "amount_not_positive",
            "the amount has to be greater than zero",
        ));
    }
    let amount = rescale(money.minor, iso, stripe_exponent(&money.currency));
    match amount {
        Some(amount) if !STRIPE_THREE.contains(&money.currency.as_str()) || amount % 10 == 0 => Ok(amount),
        _ => {
            let message = format!("Stripe can't express {} {}", money.decimal(), money.currency);
            Err(Fault::invalid_input("amount_not_representable", message))
        }
    }
}

/// What Stripe says. `currency` in any case, as Stripe writes it in lower case.
pub(crate) fn from_stripe(amount: i64, currency: &str) -> Result<Money, Fault> {
    let currency = currency.to_ascii_uppercase();
    let refused = || {
        Fault::provider(
            "amount_unreadable",
            format!("Stripe answered the amount {amount} {currency:?}"),
        )
    };
    check_currency(&currency).map_err(|_| refused())?;
    let exponent = iso_exponent(&currency);
    let minor = rescale(amount, stripe_exponent(&currency), exponent)
        .filter(|m| *m >= 0)
        .ok_or_else(refused)?;
    Ok(Money {
        minor,
        currency,
        exponent,
    })
}

/// The same number with other decimals, if it can be said exactly.
fn rescale(value: i64, from: u8, to: u8) -> Option<i64> {
    let factor = |digits: u8| 10_i64.checked_pow(u32::from(digits));
    if to >= from {
        value.checked_mul(factor(to - from)?)
    } else {
        let factor = factor(from - to)?;
        (value % factor == 0).then(|| value / factor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aistack_sdk_test::money;

    #[test]
    fn every_peculiarity_both_ways() {
        for (minor, currency, exponent, stripe) in [
            (1099, "USD", 2, 1099),
            (500, "JPY", 0, 500),
            (500, "KRW", 0, 500),
            (1500, "ISK", 0, 150_000),
            (2000, "UGX", 0, 200_000),
            (120, "HUF", 2, 120),
            (900, "TWD", 2, 900),
            (500, "MGA", 2, 5),
            (5120, "KWD", 3, 5120),
            (10, "BHD", 3, 10),
            (1, "CNY", 2, 1),
            (i64::MAX, "USD", 2, i64::MAX),
        ] {
            let money = money(minor, currency, exponent);
            assert_eq!(to_stripe(&money), Ok(stripe), "{currency}");
            assert_eq!(from_stripe(stripe, &currency.to_lowercase()), Ok(money), "{currency}");
        }
    }

    #[test]
    fn what_can_not_be_said_exactly_is_refused() {
        for (minor, currency, exponent, code) in [
            (5123, "KWD", 3, "amount_not_representable"),
            (550, "MGA", 2, "amount_not_representable"),
            (i64::MAX, "ISK", 0, "amount_not_representable"),
            (100, "JPY", 2, "exponent_mismatch"),
            (100, "USD", 0, "exponent_mismatch"),
            (0, "USD", 2, "amount_not_positive"),
            (-1, "USD", 2, "amount_not_positive"),
            (1000, "IQD", 3, "currency_not_offered"),
            (1000, "CLF", 4, "currency_not_offered"),
            (1, "usd", 2, "currency_invalid"),
            (1, "", 2, "currency_invalid"),
            (1, "USDT", 2, "currency_invalid"),
        ] {
            assert_eq!(
                to_stripe(&money(minor, currency, exponent)).unwrap_err().code,
                code,
                "{minor} {currency}"
            );
        }
        for (amount, currency) in [(-1, "usd"), (150, "isk"), (1, "xx"), (1, "iqd"), (i64::MAX, "mga")] {
            assert_eq!(
                from_stripe(amount, currency).unwrap_err().code,
                "amount_unreadable",
                "{amount} {currency}"
            );
        }
    }
}
