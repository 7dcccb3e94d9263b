//! What is signed, and how certificates are named.

use crate::material::Certificate;
use crate::wire::Fields;
use md5::{Digest as _, Md5};
use num_bigint::BigUint;

/// `name=value` pairs, sorted, without empty values and without `except`, joined by `&`.
pub(super) fn content(fields: &Fields, except: &[&str]) -> String {
    let mut pairs: Vec<_> = fields
        .0
        .iter()
        .filter(|(n, v)| !v.is_empty() && !except.contains(&n.as_str()))
        .collect();
    pairs.sort();
    let pairs: Vec<_> = pairs.into_iter().map(|(n, v)| format!("{n}={v}")).collect();
    pairs.join("&")
}

/// The serial number by which Alipay names a certificate: MD5 over issuer and decimal serial.
pub(super) fn certificate_sn(certificate: &Certificate, issuer: &Certificate) -> String {
    let issuer: Vec<_> = issuer
        .subject
        .iter()
        .rev()
        .map(|(kind, value)| format!("{kind}={value}"))
        .collect();
    let serial = BigUint::parse_bytes(certificate.serial.as_bytes(), 16).unwrap_or_default();
    hex::encode(Md5::digest(format!("{}{serial}", issuer.join(","))))
}

/// `2026-01-31 08:00:00`, in Beijing.
pub(super) fn beijing(seconds: i64) -> String {
    let offset = jiff::tz::Offset::constant(8);
    let instant = jiff::Timestamp::from_second(seconds).unwrap_or_default();
    offset.to_datetime(instant).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Decimal yuan with at most two places as fen.
pub(super) fn fen(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(part) || whole.len() > 9 || part.len() > 2 {
        return None;
    }
    let part: u64 = format!("{part:0<2}").parse().ok()?;
    Some(whole.parse::<u64>().ok()? * 100 + part)
}

/// Fen as decimal yuan.
pub(super) fn yuan(fen: u64) -> String {
    format!("{}.{:02}", fen / 100, fen % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_is_sorted_and_leaves_out_what_is_empty() {
        let fields = Fields::parse(b"b=2&a=1&c=&sign=x&sign_type=RSA2");
        assert_eq!(content(&fields, &["sign"]), "a=1&b=2&sign_type=RSA2");
        assert_eq!(content(&fields, &["sign", "sign_type"]), "a=1&b=2");
    }

    #[test]
    fn amounts_are_exact() {
        for (text, expected) in [
            ("0.01", Some(1)),
            ("12", Some(1200)),
            ("12.5", Some(1250)),
            ("19.99", Some(1999)),
        ] {
            assert_eq!(fen(text), expected);
        }
        for wrong in ["", ".5", "1.", "-1", "1.234", "1e3", "1,000", "1234567890"] {
            assert_eq!(fen(wrong), None, "{wrong}");
        }
        assert_eq!(yuan(1905), "19.05");
        assert_eq!(beijing(1_767_225_600), "2026-01-01 08:00:00");
    }
}
