//! Webhooks: signed over transmission id, time, webhook id and the body's CRC-32; and the API that judges them.

use super::money::shown;
use super::{Paypal, State};
use crate::shell::faults::Armed;
use crate::wire::{Acknowledged, Notice};
use aistack_core::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::{Value, json};

impl Paypal {
    pub(super) fn event(&self, state: &mut State, kind: &str, resource_type: &str, resource: &Value, armed: &Armed) {
        let event = json!({"id": format!("WH-{}-{}", self.id(), self.id()), "event_version": "1.0", "resource_version": "2.0",
            "create_time": self.now(), "event_type": kind, "resource_type": resource_type, "summary": kind, "resource": shown(resource)});
        let notice = self.notice(state, &event, armed);
        state.events.push(event);
        state.outbox.push(notice);
    }

    pub(super) fn notice(&self, state: &mut State, event: &Value, armed: &Armed) -> Notice {
        let body = event.to_string().into_bytes();
        let transmission = self.id().to_lowercase();
        let seconds = self.base.clock.now().as_secs() - if armed.on("stale") { 7 * 86_400 } else { 0 };
        let at = Timestamp::from_secs(seconds).to_string();
        let message = format!("{transmission}|{at}|{}|{}", self.webhook_id, crc32(&body));
        let (serial, mut signature) = match state.certificates.last() {
            Some(certificate) => (certificate.serial.clone(), certificate.key.sign(message.as_bytes())),
            None => (String::new(), vec![0; 256]),
        };
        if armed.on("bad_signature") {
            signature[20] ^= 1;
        }
        state.sent.insert(transmission.clone(), body.clone());
        Notice {
            kind: event["event_type"].as_str().unwrap_or_default().to_owned(),
            to: None,
            method: Method::POST,
            headers: vec![
                ("content-type", "application/json".to_owned()),
                ("user-agent", "PayPal/AUHD-214.0".to_owned()),
                ("paypal-auth-algo", "SHA256withRSA".to_owned()),
                ("paypal-auth-version", "v2".to_owned()),
                (
                    "paypal-cert-url",
                    format!("{}/v1/notifications/certs/{serial}", self.base.url),
                ),
                ("paypal-transmission-id", transmission),
                ("paypal-transmission-time", at),
                ("paypal-transmission-sig", STANDARD.encode(signature)),
            ],
            body,
            acknowledged: Acknowledged::By2xx,
        }
    }

    /// `verify-webhook-signature`: whether we sent exactly this, to this webhook, under this signature.
    pub(super) fn judge(&self, state: &State, asked: &Value) -> Value {
        let text = |name: &str| asked[name].as_str().unwrap_or_default();
        let genuine = || {
            let body = state.sent.get(text("transmission_id"))?;
            let event: Value = serde_json::from_slice(body).ok()?;
            let serial = text("cert_url").strip_prefix(&format!("{}/v1/notifications/certs/", self.base.url))?;
            let certificate = state.certificates.iter().find(|c| c.serial == serial)?;
            let (id, at) = (text("transmission_id"), text("transmission_time"));
            let message = format!("{id}|{at}|{}|{}", text("webhook_id"), crc32(body));
            let signature = STANDARD.decode(text("transmission_sig")).ok()?;
            let fits = text("auth_algo") == "SHA256withRSA"
                && event == asked["webhook_event"]
                && text("webhook_id") == self.webhook_id;
            (fits && certificate.key.verify(message.as_bytes(), &signature)).then_some(())
        };
        json!({"verification_status": if genuine().is_some() { "SUCCESS" } else { "FAILURE" }})
    }
}

/// CRC-32 (IEEE 802.3), as a number.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 }
        })
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_check_value_of_crc_32() {
        assert_eq!(super::crc32(b"123456789"), 0xcbf4_3926);
    }
}
