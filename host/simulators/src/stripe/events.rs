//! Events and their signature: `t=<unix seconds>,v1=<hex>`, HMAC-SHA256 over `<t>.<raw body>`.

use super::checkout::shown;
use super::{State, Stripe, VERSION};
use crate::shell::faults::Armed;
use crate::wire::{Acknowledged, Notice};
use aws_lc_rs::hmac;
use http::Method;
use serde_json::{Value, json};

/// How far in the past "stale" signs; Stripe's libraries tolerate five minutes.
const STALE_S: i64 = 3600;

impl Stripe {
    /// Something happened: it is remembered, and a webhook tells about it.
    pub(super) fn event(&self, state: &mut State, kind: &str, object: &Value, previous: Option<Value>, armed: &Armed) {
        let mut data = json!({"object": shown(object.clone())});
        if let Some(previous) = previous {
            data["previous_attributes"] = previous;
        }
        let event = json!({"id": self.id("evt"), "object": "event", "api_version": VERSION, "created": self.now(),
            "data": data, "livemode": false, "pending_webhooks": 1, "request": {"id": null, "idempotency_key": null},
            "type": kind});
        let notice = self.notice(state, &event, armed);
        state.events.push(event);
        state.outbox.push(notice);
    }

    pub(super) fn notice(&self, state: &State, event: &Value, armed: &Armed) -> Notice {
        let body = event.to_string();
        let at = self.now() - if armed.on("stale") { STALE_S } else { 0 };
        let wrong = armed.on("bad_signature");
        let mut header = format!("t={at}");
        for secret in &state.secrets {
            let secret = if wrong { "whsec_somebody_else" } else { secret };
            header.push_str(&format!(",v1={}", sign(secret, at, &body)));
        }
        Notice {
            kind: event["type"].as_str().unwrap_or_default().to_owned(),
            to: None,
            method: Method::POST,
            headers: vec![
                ("content-type", "application/json; charset=utf-8".into()),
                ("user-agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)".into()),
                ("stripe-signature", header),
            ],
            body: body.into_bytes(),
            acknowledged: Acknowledged::By2xx,
        }
    }
}

fn sign(secret: &str, at: i64, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    hex::encode(hmac::sign(&key, format!("{at}.{body}").as_bytes()))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_signature_is_the_one_the_official_library_makes() {
        // Made with `webhooks.generateTestHeaderString` of the npm package stripe.
        let body = r#"{"id":"evt_1","object":"event"}"#;
        assert_eq!(super::sign("whsec_test", 1_767_225_600, body), EXPECTED);
    }
    const EXPECTED: &str = "f4d5f51477c6698fe9d263cd98eb657ada2ab386dd3c4358048d61a566ce9ad7";
}
