//! Talking to Stripe's API: form-encoded, pinned to one version, with an idempotency key on every write, and every
//! failure turned into a fault that says whether money may have moved.

use crate::config::{API_KEY, Config};
use aistack_sdk::form::Form;
use aistack_sdk::host::{Credential, Secret, SendOptions};
use aistack_sdk::{Context, Fault, Host, HttpRequest, HttpResponse, Kind, json};
use serde_json::Value;

/// The API version all requests and answers are written for.
pub(crate) const VERSION: &str = "2026-07-29.dahlia";
/// Largest answer that is read.
const MAX_ANSWER: u32 = 1 << 20;
/// When to ask again after the provider left the outcome open.
const RETRY_MS: u32 = 2000;

/// The API of one installation during one call.
pub(crate) struct Api<'a> {
    host: &'a Host,
    ctx: &'a Context,
    key: Secret,
    pub(crate) config: Config,
}

impl<'a> Api<'a> {
    pub(crate) fn open(host: &'a Host, ctx: &'a Context) -> Result<Self, Fault> {
        let config: Config = host.config()?;
        let key = host.secret(API_KEY).map_err(|fault| match fault.kind {
            Kind::NotFound => Fault::invalid_config("api_key_missing", "the secret api_key is not set"),
            _ => fault,
        })?;
        Ok(Self { host, ctx, key, config })
    }

    /// Asks. Nothing can happen at Stripe, so nothing is ever in doubt.
    pub(crate) fn get(&self, path: &str, query: Form) -> Result<Value, Fault> {
        let url = query.append_to(&format!("{}{path}", self.config.api_base));
        let answer = self.send(&HttpRequest::get(url));
        answer.map_err(|mut fault| {
            fault.outcome_unknown = false;
            fault
        })
    }

    /// Does something, once per `key`: Stripe answers a repeated key with the first answer.
    pub(crate) fn post(&self, path: &str, form: Form, key: &str) -> Result<Value, Fault> {
        if key.is_empty() || key.len() > 255 || !key.bytes().all(|b| b.is_ascii_graphic()) {
            let message = "an idempotency key has 1 to 255 visible ASCII characters";
            return Err(Fault::invalid_input("idempotency_key_invalid", message));
        }
        let url = format!("{}{path}", self.config.api_base);
        let request = HttpRequest::post_form(url, form.encode()).with_header("idempotency-key", key);
        self.send(&request)
    }

    fn send(&self, request: &HttpRequest) -> Result<Value, Fault> {
        let request = request
            .clone()
            .with_header("stripe-version", VERSION)
            .with_header("accept", "application/json");
        // The idempotency key makes writes safe to send twice, so the host may do that when a connection breaks.
        let options = SendOptions {
            timeout_ms: 0,
            max_bytes: MAX_ANSWER,
            redirects: 0,
            idempotent: true,
            ca: None,
        };
        match self.host.send(&request, Credential::Bearer(&self.key), &options) {
            Ok(answer) => read(&answer, &self.ctx.locale),
            // Sent or not, answered or not: from here nobody can tell.
            Err(fault) if matches!(fault.kind, Kind::Transport | Kind::Provider) => Err(fault.outcome_unknown()),
            Err(fault) => Err(fault),
        }
    }
}

fn read(answer: &HttpResponse, locale: &str) -> Result<Value, Fault> {
    let body = json::parse(&answer.body).ok().filter(Value::is_object);
    let request_id = answer.header("request-id").map(str::to_owned);
    let fault = match (answer.status, body) {
        (200..=299, Some(body)) => return Ok(body),
        (200..=299, None) => {
            Fault::provider("answer_unreadable", "Stripe's answer is not a JSON object").outcome_unknown()
        }
        (status, body) => failure(status, &body.unwrap_or_default(), answer, locale),
    };
    Err(match request_id {
        Some(id) => fault.provider_ref(id),
        None => fault,
    })
}

/// Turns an error answer into a fault. Stripe's own message is for operators: it may name parameters and ids, never the
/// key beyond its last characters.
fn failure(status: u16, body: &Value, answer: &HttpResponse, locale: &str) -> Fault {
    let error = &body["error"];
    let text = |name: &str| error[name].as_str().unwrap_or_default();
    let (kind, code) = (text("type"), text("code"));
    let message = format!("Stripe answered {status} {kind} {code}: {:.300}", text("message"));
    match status {
        400 if kind == "idempotency_error" => Fault::conflict("idempotency_key_reused", message),
        401 => Fault::invalid_config("api_key_rejected", message),
        402 => {
            let decline = text("decline_code");
            let reason = if decline.is_empty() { code } else { decline };
            Fault::declined("payment_declined", format!("{message} ({reason})")).user_message(declined(locale))
        }
        403 => Fault::invalid_config("api_key_lacks_permission", message),
        404 => Fault::not_found("not_found_at_stripe", message),
        // Somebody else holds the lock on the object, or the first try with this key is still running.
        409 => Fault::conflict("busy_at_stripe", message)
            .outcome_unknown()
            .retry_after_ms(RETRY_MS),
        429 => {
            let seconds = answer.header("retry-after").and_then(|v| v.trim().parse::<u32>().ok());
            let ms = seconds.map_or(RETRY_MS, |s| s.saturating_mul(1000));
            Fault::rate_limited("rate_limited_by_stripe", message).retry_after_ms(ms)
        }
        400..=499 => Fault::invalid_input("refused_by_stripe", message),
        _ => Fault::provider("stripe_failed", message)
            .outcome_unknown()
            .retry_after_ms(RETRY_MS),
    }
}

fn declined(locale: &str) -> &'static str {
    if locale.starts_with("zh") {
        "付款被拒绝，请更换付款方式。"
    } else {
        "The payment was declined. Please use another payment method."
    }
}
