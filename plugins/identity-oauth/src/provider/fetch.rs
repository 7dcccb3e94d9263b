//! Requests to the provider, bounded and explained: what could not be reached is told apart from what answered badly.

use crate::config::Config;
use aistack_sdk::host::{Credential, SendOptions};
use aistack_sdk::{Fault, Host, HttpRequest, HttpResponse, Kind, json};
use serde_json::Value;

/// How long one request may take.
const TIMEOUT_MS: u32 = 8000;
/// Largest answer: a key set of a large provider with certificates has some 20 KiB.
const MAX_ANSWER: u32 = 256 << 10;

/// Sends a request. `what` names it in messages.
pub(crate) fn send(
    host: &Host,
    config: &Config,
    what: &str,
    request: &HttpRequest,
    credential: Credential<'_>,
) -> Result<HttpResponse, Fault> {
    let idempotent = request.method == "GET";
    let options = SendOptions {
        timeout_ms: TIMEOUT_MS,
        max_bytes: MAX_ANSWER,
        redirects: 0,
        idempotent,
        ca: config.ca(),
    };
    let answer = host.send(request, credential, &options).map_err(|fault| {
        let message = format!("{what}: {} ({})", fault.message, fault.code);
        match fault.kind {
            Kind::Transport => Fault::transport("idp_down", message),
            // The administrator can do something about it: grant the host, or name it in endpoint_hosts.
            Kind::Denied => Fault::invalid_config(fault.code, message),
            kind => Fault::new(kind, fault.code, message),
        }
    })?;
    match answer.status {
        429 => Err(Fault::rate_limited(
            "idp_busy",
            format!("{what}: the provider answered 429"),
        )),
        500.. => Err(Fault::provider(
            "idp_down",
            format!("{what}: the provider answered {}", answer.status),
        )),
        _ => Ok(answer),
    }
}

/// GET of a JSON object.
pub(crate) fn get_json(host: &Host, config: &Config, what: &str, request: HttpRequest) -> Result<Value, Fault> {
    let request = if request.header("accept").is_some() {
        request
    } else {
        request.with_header("accept", "application/json")
    };
    let answer = send(host, config, what, &request, Credential::None)?;
    if answer.status != 200 {
        return Err(Fault::provider(
            "idp_refused",
            format!("{what}: the provider answered {}", answer.status),
        ));
    }
    object(what, &answer)
}

/// The body as JSON, strictly read.
pub(crate) fn body(what: &str, answer: &HttpResponse) -> Result<Value, Fault> {
    json::parse(&answer.body).map_err(|f| Fault::provider("idp_answer_unreadable", format!("{what}: {}", f.message)))
}

fn object(what: &str, answer: &HttpResponse) -> Result<Value, Fault> {
    let value = body(what, answer)?;
    if value.is_object() {
        return Ok(value);
    }
    Err(Fault::provider(
        "idp_answer_unreadable",
        format!("{what}: not a JSON object"),
    ))
}

/// The start of a provider's text, fit for a message: no control characters, no novel.
pub(crate) fn excerpt(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

/// A name for the key-value space from a text of any length.
pub(crate) fn slot(host: &Host, prefix: &str, text: &str) -> Result<String, Fault> {
    let digest = host.digest("SHA-256", text.as_bytes())?;
    Ok(format!(
        "{prefix}/{}",
        digest.iter().take(16).map(|b| format!("{b:02x}")).collect::<String>()
    ))
}

/// Keeps a value for a while. That it could not be kept costs a request later, not the sign-in.
pub(crate) fn keep(host: &Host, slot: &str, value: &Value, ttl_s: u32) {
    if let Err(fault) = host.kv_put(slot, value.to_string().as_bytes(), Some(ttl_s)) {
        host.warn("not cached", &[("slot", slot), ("fault", &fault.code)]);
    }
}

/// What was kept.
pub(crate) fn kept(host: &Host, slot: &str) -> Option<Value> {
    let entry = host.kv_get(slot).ok().flatten()?;
    serde_json::from_slice(&entry.value).ok()
}
