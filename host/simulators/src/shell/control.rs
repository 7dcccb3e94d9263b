//! The control plane: `/_sim/…`, for the author and their scripts.

use super::{Shared, deliver, page};
use crate::wire::{Call, Notice, Refusal, Reply};
use http::Method;
use serde_json::{Value, json};
use std::sync::PoisonError;

pub(super) async fn answer(shared: &Shared, call: &Call) -> Reply {
    // A page that somebody else wrote may not turn the knobs of a simulator on this machine.
    let origin = call.header("origin");
    if call.method != Method::GET && !origin.is_empty() && origin != shared.url {
        return Refusal::new(
            403,
            "foreign_origin",
            "another web site sent this",
            "call it from a program",
        )
        .reply();
    }
    match route(shared, call).await {
        Ok(reply) => reply,
        Err(refusal) => refusal.reply(),
    }
}

async fn route(shared: &Shared, call: &Call) -> Result<Reply, Refusal> {
    let segments = call.segments();
    let fine = |body: &Value| Ok(Reply::json(200, body));
    match (call.method.as_str(), segments.as_slice()) {
        ("GET", []) => Ok(Reply::html(200, page::index(shared))),
        ("GET", ["_sim"]) => fine(&overview(shared)),
        ("GET", ["_sim", "faults"]) => fine(&shared.faults.armed()),
        ("POST", ["_sim", "faults"]) => {
            let rotation = shared.faults.set(&body(call)?)?;
            if let Some(how) = rotation {
                // Making a key takes a moment.
                let counterpart = shared.counterpart.clone();
                let done = tokio::task::spawn_blocking(move || counterpart.rotate(how)).await;
                done.map_err(|e| {
                    Refusal::new(500, "rotation_failed", e.to_string(), "look at the simulator's output")
                })?;
            }
            fine(&shared.faults.armed())
        }
        ("DELETE", ["_sim", "faults"]) => {
            shared.faults.clear();
            fine(&shared.faults.armed())
        }
        ("GET", ["_sim", "log"]) => fine(&shared.log.entries()),
        ("GET", ["_sim", "state"]) => fine(&shared.counterpart.state()),
        ("POST", ["_sim", "pay", reference]) => {
            let how = body(call)?;
            let reference = percent_decoded(reference);
            send(shared, |armed| shared.counterpart.pay(&reference, &how, armed), &how).await
        }
        ("POST", ["_sim", "deliver"]) => {
            let what = body(call)?;
            send(shared, |armed| shared.counterpart.deliver(&what, armed), &what).await
        }
        ("POST", ["_sim", "webhook"]) => {
            let wanted = body(call)?;
            let url = wanted["url"].as_str().filter(|u| u.starts_with("http://"));
            if url.is_none() && !wanted["url"].is_null() {
                let detail = format!("{} is not an http:// address", wanted["url"]);
                return Err(Refusal {
                    field: Some("url"),
                    ..Refusal::new(
                        400,
                        "url_invalid",
                        detail,
                        "the inbound endpoint of the installation, or null",
                    )
                });
            }
            *shared.webhook.lock().unwrap_or_else(PoisonError::into_inner) = url.map(str::to_owned);
            fine(&json!({"url": url}))
        }
        ("POST", ["_sim", "reset"]) => {
            shared.order().clear();
            shared.faults.clear();
            shared.log.clear();
            shared.counterpart.reset();
            fine(&json!({"reset": true}))
        }
        _ => {
            let detail = format!("there is no {} {}", call.method, call.path);
            Err(Refusal::new(
                404,
                "no_such_control",
                detail,
                "GET / lists what there is",
            ))
        }
    }
}

/// Makes webhooks and sends them; `to` in the body overrides where they go.
async fn send(
    shared: &Shared,
    make: impl FnOnce(&super::Armed) -> Result<Vec<Notice>, Refusal>,
    what: &Value,
) -> Result<Reply, Refusal> {
    let notices = {
        let mut held = shared.order();
        let armed = shared.faults.look();
        let mut notices = make(&armed)?;
        if let Some(to) = what["to"].as_str() {
            // A provider that puts parameters behind the address has done so already.
            let elsewhere = |n: &&mut Notice| !n.to.as_ref().is_some_and(|own| own.starts_with(to));
            let notices = notices.iter_mut().filter(elsewhere);
            notices.for_each(|n| n.to = Some(to.to_owned()));
        }
        let notices = deliver::arrange(&mut held, notices, &armed);
        shared.faults.settle(&armed);
        notices
    };
    let deliveries = deliver::send_all(shared, notices).await;
    let held = shared.order().len();
    Ok(Reply::json(200, &json!({"deliveries": deliveries, "held": held})))
}

fn body(call: &Call) -> Result<Value, Refusal> {
    if call.body.is_empty() {
        return Ok(json!({}));
    }
    serde_json::from_slice(&call.body).map_err(|e| {
        Refusal::new(
            400,
            "not_json",
            format!("the body is not JSON: {e}"),
            "send a JSON object",
        )
    })
}

fn percent_decoded(text: &str) -> String {
    // In a path a plus sign is a plus sign.
    let escaped = text.replace('+', "%2B");
    url::form_urlencoded::parse(format!("x={escaped}").as_bytes())
        .next()
        .map(|(_, v)| v.into_owned())
        .unwrap_or_default()
}

pub(super) fn overview(shared: &Shared) -> Value {
    let knobs: Vec<_> = shared
        .faults
        .known()
        .iter()
        .map(|k| json!({"name": k.name, "en": k.text.en, "zh": k.text.zh}))
        .collect();
    let notes: Vec<_> = shared.notes.iter().map(|n| json!({"en": n.en, "zh": n.zh})).collect();
    json!({"name": shared.simulator.name, "provider": shared.provider, "config": shared.config, "secrets": shared.secrets,
        "webhook": shared.webhook(), "faults": shared.faults.armed(), "knobs": knobs, "notes": notes})
}
