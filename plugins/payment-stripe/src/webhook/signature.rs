//! The `Stripe-Signature` header: `t=<unix seconds>,v1=<hex>[,v1=<hex>…]`, HMAC-SHA256 over `<t>.<raw body>`.
//!
//! Read exactly as Stripe's own libraries read it: several `v1` may stand there while the secret is rolled and one that
//! matches is enough; unknown schemes and `v1` values that are not hex are skipped; a header that is not a list of
//! pairs is refused as a whole. Beyond them, a time stamp from the future is refused by the same tolerance as an old
//! one: whoever can predict signatures should not be able to store them either.

use aistack_sdk::host::Secret;
use aistack_sdk::{Fault, Host, HttpRequest};

/// How far time stamp and clock may be apart.
const TOLERANCE_MS: i128 = 300_000;
/// Signatures beyond this are not tried; Stripe sends one or two.
const MAX_SIGNATURES: usize = 16;

struct Header {
    timestamp: i64,
    signatures: Vec<Vec<u8>>,
}

/// Whether any version of the secret signed the request, recently.
pub(super) fn verify(host: &Host, secrets: &[Secret], request: &HttpRequest) -> Result<(), Fault> {
    let Some(header) = request.header("stripe-signature").filter(|h| !h.is_empty()) else {
        return Err(Fault::signature_invalid(
            "signature_missing",
            "there is no Stripe-Signature header",
        ));
    };
    let header = parse(header)?;
    let age_ms = i128::from(host.now_ms()) - i128::from(header.timestamp) * 1000;
    if age_ms > TOLERANCE_MS {
        return Err(Fault::signature_invalid(
            "signature_too_old",
            "the signature is older than five minutes",
        ));
    }
    if age_ms < -TOLERANCE_MS {
        let message = "the signature is from the future; is the clock right?";
        return Err(Fault::signature_invalid("signature_from_the_future", message));
    }
    let signed = [header.timestamp.to_string().as_bytes(), b".", &request.body].concat();
    for secret in secrets {
        for signature in &header.signatures {
            if host.mac_verify("HS256", secret, &signed, signature)? {
                return Ok(());
            }
        }
    }
    Err(Fault::signature_invalid(
        "signature_mismatch",
        "no signature fits the body and the secret",
    ))
}

fn parse(header: &str) -> Result<Header, Fault> {
    let malformed = || Fault::signature_invalid("signature_malformed", "the Stripe-Signature header can't be read");
    let mut timestamp = None;
    let mut signatures = Vec::new();
    for pair in header.split(',') {
        let (name, value) = pair
            .split_once('=')
            .filter(|(_, v)| !v.contains('='))
            .ok_or_else(malformed)?;
        match name {
            "t" => timestamp = Some(value.parse().map_err(|_| malformed())?),
            "v1" => signatures.extend(unhex(value)),
            _ => {}
        }
    }
    let timestamp = timestamp.ok_or_else(malformed)?;
    if signatures.is_empty() {
        return Err(Fault::signature_invalid(
            "signature_mismatch",
            "there is no signature of a known scheme",
        ));
    }
    signatures.truncate(MAX_SIGNATURES);
    Ok(Header { timestamp, signatures })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let bytes = text.as_bytes();
    if !bytes.len().is_multiple_of(2) {
        return None;
    }
    bytes
        .chunks_exact(2)
        .map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_as_stripes_libraries_read_them() {
        let ok = |h: &str| parse(h).map(|h| (h.timestamp, h.signatures.len())).map_err(|f| f.code);
        assert_eq!(ok("t=12345,v1=00ff"), Ok((12345, 1)));
        assert_eq!(ok("v1=00FF,t=12345,v1=aa,v0=zz,v2=bb"), Ok((12345, 2)));
        assert_eq!(ok("t=1,v1=xyz,v1=0,v1=aa"), Ok((1, 1)));
        for malformed in [
            "v1,t=1",
            "t=",
            "t=x,v1=aa",
            "t=1 ,v1=aa",
            "v1=aa",
            "t=1,v1=aa,",
            ",",
            "=",
            "t=1,v1=a=b",
            "t=99999999999999999999,v1=aa",
        ] {
            assert_eq!(ok(malformed), Err("signature_malformed".into()), "{malformed}");
        }
        for none in ["t=1", "t=1,v0=aa", "t=1,v1=", "t=1,v1=zz", "t=1, v1=aa", "t=1,V1=aa"] {
            let got = ok(none);
            assert!(
                got == Err("signature_mismatch".into()) || got == Ok((1, 1)),
                "{none}: {got:?}"
            );
        }
    }
}
