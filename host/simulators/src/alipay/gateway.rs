//! The gateway: whose request it is, what it asks, and the signed answer.

use super::{Alipay, sign};
use crate::shell::faults::Armed;
use crate::wire::{Call, Fields, Reply};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// Largest difference between `timestamp` and our clock that is accepted, in seconds. A day: official libraries write the
/// machine's own time, whatever its zone.
const SKEW_S: i64 = 86_400;

/// A business failure: code, sub code, message.
pub(super) type Failure = (&'static str, &'static str, &'static str);

pub(super) fn refused(sub_code: &'static str, message: &'static str) -> Failure {
    ("40004", sub_code, message)
}

impl Alipay {
    pub(super) fn gateway(&self, call: &Call, armed: &Armed) -> Reply {
        let mut fields = call.query();
        if call.method == http::Method::POST {
            fields.0.extend(call.form().0);
        }
        let method = fields.get("method").to_owned();
        if let Err(failure) = self.admit(&fields, call.at.as_secs()) {
            return self.answer(&fields, &method, &failed(failure), armed);
        }
        let business: Value = serde_json::from_str(fields.get("biz_content")).unwrap_or_default();
        let mut state = self.state();
        if matches!(method.as_str(), "alipay.trade.page.pay" | "alipay.trade.wap.pay") {
            return match self.open_page(&mut state, &fields, &business) {
                Ok(path) => Reply::redirect(&format!("{}{path}", self.base.url)),
                Err((_, code, message)) => Reply::html(200, crate::shell::page::document(code, message)),
            };
        }
        let result = match method.as_str() {
            "alipay.trade.precreate" => self.precreate(&mut state, &fields, &business),
            "alipay.trade.create" => self.create(&mut state, &fields, &business),
            "alipay.trade.pay" => self.bar_code(&mut state, &fields, &business, armed),
            "alipay.trade.query" => self.query(&state, &business),
            "alipay.trade.close" => self.close(&mut state, &business, armed),
            "alipay.trade.cancel" => self.cancel(&mut state, &business, armed),
            "alipay.trade.refund" => self.refund(&mut state, &business, armed),
            "alipay.trade.fastpay.refund.query" => self.refund_query(&state, &business),
            "alipay.open.app.alipaycert.download" => {
                let asked = business["alipay_cert_sn"].as_str().unwrap_or_default();
                let known = state
                    .own
                    .iter()
                    .chain(&state.former)
                    .find(|c| sign::certificate_sn(c, &self.root) == asked);
                known
                    .map(|c| json!({"alipay_cert_content": STANDARD.encode(c.pem())}))
                    .ok_or_else(|| refused("isv.cert-not-found", "no certificate of that number"))
            }
            _ => Err(("40002", "isv.invalid-method", "the method is unknown to this simulator")),
        };
        let notices = std::mem::take(&mut state.outbox);
        drop(state);
        let moves = !matches!(
            method.as_str(),
            "alipay.trade.query" | "alipay.trade.fastpay.refund.query"
        );
        let charges = moves && result.is_ok();
        let mut body = match result {
            Ok(mut body) => {
                if body["code"].is_null() {
                    body["code"] = json!("10000");
                    body["msg"] = json!("Success");
                }
                body
            }
            Err(failure) => failed(failure),
        };
        if charges && armed.on("system_error") {
            body = failed(("20000", "isp.unknow-error", "the system is busy"));
        }
        let mut reply = self.answer(&fields, &method, &body, armed).notify(notices);
        reply.charges = charges;
        reply
    }

    fn admit(&self, fields: &Fields, now: i64) -> Result<(), Failure> {
        let invalid = |code, message| Err(("40002", code, message));
        if fields.get("method").is_empty() {
            return Err(("40001", "isv.missing-method", "method is missing"));
        }
        if fields.get("app_id") != self.app_id {
            return invalid("isv.invalid-app-id", "app_id is not the one of this simulator");
        }
        if fields.get("sign_type") != "RSA2" {
            return invalid("isv.invalid-signature-type", "only RSA2");
        }
        if !["utf-8", ""].contains(&fields.get("charset").to_ascii_lowercase().as_str()) {
            return invalid("isv.invalid-charset", "only utf-8");
        }
        let app_sn = fields.get("app_cert_sn");
        if !app_sn.is_empty() {
            if app_sn != sign::certificate_sn(&self.app, &self.root) {
                return invalid(
                    "isv.app-cert-sn-invalid",
                    "app_cert_sn is not the application certificate's",
                );
            }
            if fields.get("alipay_root_cert_sn") != sign::certificate_sn(&self.root, &self.root) {
                return invalid(
                    "isv.alipay-root-cert-sn-invalid",
                    "alipay_root_cert_sn is not the root certificate's",
                );
            }
        }
        let signature = STANDARD.decode(fields.get("sign")).unwrap_or_default();
        if !self
            .app
            .key
            .verify(sign::content(fields, &["sign"]).as_bytes(), &signature)
        {
            return invalid(
                "isv.invalid-signature",
                "the signature does not fit the application's public key",
            );
        }
        let near = |offset: i64| sign::beijing(now + offset);
        let at = fields.get("timestamp");
        // The format sorts as time does.
        if at.len() != 19 || at < near(-SKEW_S).as_str() || at > near(SKEW_S).as_str() {
            return invalid(
                "isv.invalid-timestamp",
                "timestamp is not a time of today, as yyyy-MM-dd HH:mm:ss",
            );
        }
        Ok(())
    }

    /// The signature covers the bytes of the method's node exactly as they stand in the answer.
    fn answer(&self, asked: &Fields, method: &str, body: &Value, armed: &Armed) -> Reply {
        let known = body["sub_code"] != "isv.missing-method" && body["sub_code"] != "isv.invalid-method";
        let node = if known {
            format!("{}_response", method.replace('.', "_"))
        } else {
            "error_response".to_owned()
        };
        let body = body.to_string();
        let sn = if asked.get("app_cert_sn").is_empty() {
            String::new()
        } else {
            let own = self.state().own.clone();
            own.map(|own| format!(",\"alipay_cert_sn\":\"{}\"", sign::certificate_sn(&own, &self.root)))
                .unwrap_or_default()
        };
        let signature = self.sign(&body, armed);
        Reply::new(
            200,
            "text/html;charset=utf-8",
            format!("{{\"{node}\":{body}{sn},\"sign\":\"{signature}\"}}"),
        )
    }

    /// Signs in Alipay's name.
    pub(super) fn sign(&self, content: &str, armed: &Armed) -> String {
        let own = self.state().own.clone();
        self.sign_with(own.as_deref(), content, armed)
    }

    pub(super) fn sign_with(&self, own: Option<&crate::material::Certificate>, content: &str, armed: &Armed) -> String {
        let Some(own) = own else { return String::new() };
        let mut signature = own.key.sign(content.as_bytes());
        if armed.on("bad_signature") {
            signature[20] ^= 1;
        }
        STANDARD.encode(signature)
    }
}

fn failed((code, sub_code, message): Failure) -> Value {
    let text = match code {
        "20000" => "Service Currently Unavailable",
        "40001" => "Missing Required Arguments",
        "40002" => "Invalid Arguments",
        _ => "Business Failed",
    };
    json!({"code": code, "msg": text, "sub_code": sub_code, "sub_msg": message})
}
