//! Stripe's events. The signature over the raw body is checked first; only then is the body looked at.

mod events;
mod signature;

use crate::config::WEBHOOK_SECRET;
use aistack_sdk::{Context, Fault, Host, HttpRequest, HttpResponse, Kind, Outcome, json};

pub(crate) fn handle(host: &Host, ctx: &Context, endpoint: &str, request: &HttpRequest) -> Result<Outcome, Fault> {
    if endpoint != "notify" {
        return Err(Fault::not_found(
            "no_such_endpoint",
            format!("there is no endpoint {endpoint:?}"),
        ));
    }
    let secrets = host.secret_versions(WEBHOOK_SECRET).map_err(|fault| match fault.kind {
        Kind::NotFound => Fault::invalid_config("webhook_secret_missing", "the secret webhook_secret is not set"),
        _ => fault,
    })?;
    signature::verify(host, &secrets, request)?;
    let event = json::parse(&request.body).map_err(|f| {
        Fault::invalid_input(
            "event_malformed",
            format!("a signed body that can't be read: {}", f.message),
        )
    })?;
    let events = events::read(host, ctx, &event)?;
    Ok(Outcome {
        ack: HttpResponse::text(200, "received"),
        nack: HttpResponse::text(503, "not applied, please send it again"),
        events,
    })
}
