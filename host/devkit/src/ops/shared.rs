//! Values of all worlds as JSON.

use super::arguments::Arguments;
use crate::Error;
use aistack_core::{Currency, Money};
use aistack_domain::plugins::port::{CallReceipt, Event, Fault, HttpRequest, HttpResponse, InboundOutcome};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

/// Puts bytes into an object: as text when they are text, as base64 otherwise.
pub(super) fn bytes_out(object: &mut Map<String, Value>, name: &str, bytes: &[u8]) {
    match std::str::from_utf8(bytes) {
        Ok(text) => object.insert(name.to_owned(), text.into()),
        Err(_) => object.insert(format!("{name}_base64"), STANDARD.encode(bytes).into()),
    };
}

/// `{method, url, headers, body | body_base64 | json}`.
pub(super) fn request_in(mut a: Arguments) -> Result<HttpRequest, Error> {
    let json = a.take("json");
    let body = a.bytes("body")?;
    let text = |v: &Value| v.to_string().into_bytes();
    let mut headers: Vec<(String, Vec<u8>)> = a
        .pairs("headers")?
        .into_iter()
        .map(|(k, v)| (k.to_ascii_lowercase(), v.into_bytes()))
        .collect();
    if json.is_some() && !headers.iter().any(|(k, _)| k == "content-type") {
        headers.push(("content-type".to_owned(), b"application/json".to_vec()));
    }
    let body = body.or_else(|| json.as_ref().map(text)).unwrap_or_default();
    let request = HttpRequest {
        method: a.text_or("method", if body.is_empty() { "GET" } else { "POST" })?,
        url: a.text_or("url", "/")?,
        headers,
        body,
    };
    a.done()?;
    Ok(request)
}

fn response_out(r: &HttpResponse) -> Value {
    let headers: Vec<Value> = r
        .headers
        .iter()
        .map(|(k, v)| json!([k, String::from_utf8_lossy(v)]))
        .collect();
    let mut out = Map::new();
    out.insert("status".to_owned(), r.status.into());
    out.insert("headers".to_owned(), headers.into());
    bytes_out(&mut out, "body", &r.body);
    Value::Object(out)
}

/// Events of the provider.
pub(crate) fn events_out(events: &[Event]) -> Vec<Value> {
    let event = |e: &Event| json!({ "id": e.id, "kind": e.kind, "occurred_ms": e.occurred_at.as_millis(), "subject": e.subject, "data": e.data });
    events.iter().map(event).collect()
}

pub(crate) fn outcome_out(o: &InboundOutcome) -> Value {
    json!({ "ack": response_out(&o.ack), "nack": response_out(&o.nack), "events": events_out(&o.events) })
}

/// A fault as JSON.
#[must_use]
pub fn fault_out(f: &Fault) -> Value {
    json!({
        "kind": f.kind.as_str(), "code": f.code, "message": f.message, "user_message": f.user_message,
        "retry_after_ms": f.retry_after.map(|d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX)),
        "outcome_unknown": f.outcome_unknown, "provider_ref": f.provider_ref,
    })
}

/// A receipt as JSON.
#[must_use]
pub fn receipt_out(r: &CallReceipt) -> Value {
    let us = |d: std::time::Duration| u64::try_from(d.as_micros()).unwrap_or(u64::MAX);
    json!({
        "operation": r.operation, "outcome": r.outcome.as_str(), "code": r.code, "wall_us": us(r.wall), "guest_us": us(r.guest),
        "memory": r.memory, "host_calls": r.host_calls, "bytes_out": r.bytes_out, "bytes_in": r.bytes_in, "log": r.log, "frames": r.frames,
    })
}

/// `{minor, currency}`; an exponent, as components have it, may stand beside and has to be the currency's.
pub(super) fn money_in(a: &mut Arguments, name: &str) -> Result<Option<Money>, Error> {
    let wrong = |message: String| Error::Argument {
        pointer: format!("/{name}"),
        message,
        hint: "{ \"minor\": 500, \"currency\": \"USD\" }: minor units of an ISO 4217 currency".to_owned(),
    };
    let Some(value) = a.take(name) else { return Ok(None) };
    let minor = value["minor"]
        .as_i64()
        .ok_or_else(|| wrong("minor is no whole number".to_owned()))?;
    let currency: Currency = value["currency"]
        .as_str()
        .and_then(|c| c.parse().ok())
        .ok_or_else(|| wrong("currency is no ISO 4217 code".to_owned()))?;
    if value
        .get("exponent")
        .is_some_and(|e| e.as_u64() != Some(u64::from(currency.exponent())))
    {
        return Err(wrong(format!("{currency} has {} decimals", currency.exponent())));
    }
    Ok(Some(Money::new(minor, currency)))
}
