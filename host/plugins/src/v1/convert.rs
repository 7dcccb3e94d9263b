//! Values of contract 1 to and from the domain's types. What a guest returns is checked here: JSON must parse and stay
//! shallow, money must carry the host's exponent, times must fit.

use super::bindings::types as wit;
use aistack_core::{Money, Timestamp};
use aistack_domain::plugins::port::{Event, Fault, FaultKind, HttpRequest, HttpResponse, InboundOutcome, Invocation};
use serde_json::Value;
use std::time::Duration;

/// Deepest JSON accepted from a guest.
const MAX_DEPTH: usize = 64;

/// A guest's answer that breaks the contract.
pub(crate) fn bad_output(what: &str) -> Fault {
    Fault::new(
        FaultKind::Internal,
        "bad_output",
        format!("the plugin's answer breaks the contract: {what}"),
    )
}

/// Whether a JSON text nests deeper than [`MAX_DEPTH`]; strings are skipped.
fn too_deep(text: &str) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for b in text.bytes() {
        match b {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return true;
                }
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

pub(crate) fn json_in(text: &str, what: &str) -> Result<Value, Fault> {
    // An empty text is what authors write for "nothing".
    if text.is_empty() {
        return Ok(Value::Null);
    }
    if too_deep(text) {
        return Err(bad_output(&format!("{what} nests deeper than {MAX_DEPTH}")));
    }
    serde_json::from_str(text).map_err(|e| bad_output(&format!("{what} is not JSON ({e})")))
}

pub(crate) fn fault_kind_in(kind: wit::Kind) -> FaultKind {
    match kind {
        wit::Kind::Unsupported => FaultKind::Unsupported,
        wit::Kind::InvalidConfig => FaultKind::InvalidConfig,
        wit::Kind::InvalidInput => FaultKind::InvalidInput,
        wit::Kind::Denied => FaultKind::Denied,
        wit::Kind::NotFound => FaultKind::NotFound,
        wit::Kind::Conflict => FaultKind::Conflict,
        wit::Kind::Declined => FaultKind::Declined,
        wit::Kind::Expired => FaultKind::Expired,
        wit::Kind::SignatureInvalid => FaultKind::SignatureInvalid,
        wit::Kind::RateLimited => FaultKind::RateLimited,
        wit::Kind::Transport => FaultKind::Transport,
        wit::Kind::Provider => FaultKind::Provider,
        wit::Kind::Internal => FaultKind::Internal,
    }
}

fn fault_kind_out(kind: FaultKind) -> wit::Kind {
    match kind {
        FaultKind::Unsupported => wit::Kind::Unsupported,
        FaultKind::InvalidConfig => wit::Kind::InvalidConfig,
        FaultKind::InvalidInput => wit::Kind::InvalidInput,
        FaultKind::Denied => wit::Kind::Denied,
        FaultKind::NotFound => wit::Kind::NotFound,
        FaultKind::Conflict => wit::Kind::Conflict,
        FaultKind::Declined => wit::Kind::Declined,
        FaultKind::Expired => wit::Kind::Expired,
        FaultKind::SignatureInvalid => wit::Kind::SignatureInvalid,
        FaultKind::RateLimited => wit::Kind::RateLimited,
        FaultKind::Transport => wit::Kind::Transport,
        FaultKind::Provider => wit::Kind::Provider,
        FaultKind::Internal => wit::Kind::Internal,
    }
}

fn clip(text: String, max: usize) -> String {
    if text.len() <= max {
        return text;
    }
    text.chars().take(max / 4).collect()
}

pub(crate) fn fault_in(f: wit::Fault) -> Fault {
    Fault {
        kind: fault_kind_in(f.kind),
        code: clip(crate::call::scrub(&f.code), 64),
        message: clip(crate::call::scrub(&f.message), 4096),
        user_message: f.user_message.map(|m| clip(crate::call::scrub(&m), 1024)),
        retry_after: f.retry_after_ms.map(|ms| Duration::from_millis(ms.into())),
        outcome_unknown: f.outcome_unknown,
        provider_ref: f.provider_ref.map(|r| clip(crate::call::scrub(&r), 256)),
    }
}

pub(crate) fn fault_out(f: Fault) -> wit::Fault {
    wit::Fault {
        kind: fault_kind_out(f.kind),
        code: f.code,
        message: f.message,
        user_message: f.user_message,
        retry_after_ms: f.retry_after.map(|d| u32::try_from(d.as_millis()).unwrap_or(u32::MAX)),
        outcome_unknown: f.outcome_unknown,
        provider_ref: f.provider_ref,
    }
}

pub(crate) fn context(inv: &Invocation) -> wit::Context {
    wit::Context {
        tenant: inv.tenant.to_string(),
        installation: inv.installation.to_string(),
        call_id: inv.call.to_string(),
        trace: inv.request.map(|r| r.to_string()).unwrap_or_default(),
        locale: inv.locale.clone(),
        time_zone: inv.time_zone.clone(),
        live: inv.live,
        attempt: inv.attempt,
        budget_ms: u32::try_from(inv.limits.wall.as_millis()).unwrap_or(u32::MAX),
        base_url: inv.base_url.clone(),
        extra: object_out(&inv.extra),
    }
}

/// A JSON value as text; null becomes the empty object that guests expect where an object is promised.
pub(crate) fn object_out(v: &Value) -> String {
    if v.is_null() { "{}".to_owned() } else { v.to_string() }
}

pub(crate) fn request_out(r: HttpRequest) -> wit::HttpRequest {
    wit::HttpRequest {
        method: r.method,
        url: r.url,
        headers: r.headers,
        body: r.body,
    }
}

pub(crate) fn response_in(r: wit::HttpResponse) -> Result<HttpResponse, Fault> {
    if !(100..=599).contains(&r.status) {
        return Err(bad_output("an HTTP status is out of range"));
    }
    for (name, value) in &r.headers {
        if http::HeaderName::from_bytes(name.as_bytes()).is_err() || http::HeaderValue::from_bytes(value).is_err() {
            return Err(bad_output("an HTTP header is not well-formed"));
        }
    }
    Ok(HttpResponse {
        status: r.status,
        headers: r.headers,
        body: r.body,
    })
}

pub(crate) fn outcome_in(o: wit::Outcome) -> Result<InboundOutcome, Fault> {
    Ok(InboundOutcome {
        ack: response_in(o.ack)?,
        nack: response_in(o.nack)?,
        events: events_in(o.events)?,
    })
}

pub(crate) fn events_in(all: Vec<wit::Event>) -> Result<Vec<Event>, Fault> {
    all.into_iter().map(event_in).collect()
}

fn event_in(e: wit::Event) -> Result<Event, Fault> {
    if e.id.is_empty() || e.id.len() > 256 || e.id.chars().any(char::is_control) {
        return Err(bad_output("an event needs an id of 1 to 256 bytes"));
    }
    Ok(Event {
        data: json_in(&e.data, "event.data")?,
        occurred_at: millis_in(e.occurred_ms)?,
        id: e.id,
        kind: e.kind,
        subject: e.subject,
    })
}

pub(crate) fn millis_in(ms: u64) -> Result<Timestamp, Fault> {
    // The year 9999, beyond which no calendar arithmetic of ours works.
    const LAST: u64 = 253_402_300_799_999;
    match i64::try_from(ms) {
        Ok(fits) if ms <= LAST => Ok(Timestamp::from_millis(fits)),
        _ => Err(bad_output("a time is out of range")),
    }
}

pub(crate) fn money_out(m: Money) -> wit::Money {
    wit::Money {
        minor: m.minor,
        currency: m.currency.to_string(),
        exponent: m.currency.exponent(),
    }
}

pub(crate) fn money_in(m: &wit::Money) -> Result<Money, Fault> {
    let currency: aistack_core::Currency = m
        .currency
        .parse()
        .map_err(|_| bad_output("a currency is not an ISO 4217 code"))?;
    if m.exponent != currency.exponent() {
        return Err(bad_output(&format!(
            "{currency} has {} decimals, not {}",
            currency.exponent(),
            m.exponent
        )));
    }
    Ok(Money::new(m.minor, currency))
}

pub(crate) fn pairs_in(pairs: Vec<wit::Pair>) -> Vec<(String, String)> {
    pairs.into_iter().map(|p| (p.key, p.value)).collect()
}

pub(crate) fn pairs_out(pairs: Vec<(String, String)>) -> Vec<wit::Pair> {
    pairs.into_iter().map(|(key, value)| wit::Pair { key, value }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_depth_is_bounded_outside_strings() {
        assert!(json_in(&format!("{}{}", "[".repeat(64), "]".repeat(64)), "x").is_ok());
        assert!(json_in(&format!("{}{}", "[".repeat(65), "]".repeat(65)), "x").is_err());
        assert!(json_in(&format!("\"{}\\\"[\"", "[".repeat(100)), "x").is_ok());
        assert_eq!(json_in("", "x"), Ok(Value::Null));
        assert!(json_in("{", "x").is_err());
    }

    #[test]
    fn money_with_a_foreign_exponent_is_refused() {
        let m = |currency: &str, exponent| wit::Money {
            minor: 100,
            currency: currency.to_owned(),
            exponent,
        };
        assert!(money_in(&m("USD", 2)).is_ok());
        assert!(money_in(&m("JPY", 2)).is_err());
        assert!(money_in(&m("usd", 2)).is_err());
    }

    #[test]
    fn answers_with_broken_headers_are_refused() {
        let r = |status, name: &str, value: &[u8]| wit::HttpResponse {
            status,
            headers: vec![(name.to_owned(), value.to_vec())],
            body: vec![],
        };
        assert!(response_in(r(200, "x-a", b"b")).is_ok());
        assert!(response_in(r(200, "x-a", b"b\r\nset-cookie: x")).is_err());
        assert!(response_in(r(200, "x a", b"b")).is_err());
        assert!(response_in(r(99, "x-a", b"b")).is_err());
    }

    #[test]
    fn times_beyond_the_calendar_are_refused() {
        assert!(millis_in(u64::MAX).is_err());
        assert!(millis_in(1_700_000_000_000).is_ok());
    }
}
