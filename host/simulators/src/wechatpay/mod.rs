//! WeChat Pay API v3: requests signed by the merchant, answers signed by the platform, resources sealed with AES-256-GCM,
//! platform certificates that rotate.

mod notify;
mod orders;
mod seal;

use crate::material::{Certificate, RsaKey, Signer, alphanumeric, fresh, fresh_digits};
use crate::shell::faults::{
    Armed, BAD_SIGNATURE, DUPLICATE, Knob, OUT_OF_ORDER, ROTATE_CERTIFICATE, Rotation, STALE, TIMEOUT_AFTER_CHARGE,
};
use crate::shell::{Base, Counterpart, Parts, Simulator, StartError};
use crate::wire::{Call, Notice, Refusal, Reply, Text};
use orders::{Failure, Order, Refund};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(crate) const SIMULATOR: Simulator = Simulator {
    name: "wechatpay",
    title: Text {
        en: "WeChat Pay API v3: Native, JSAPI, App, H5, refunds, notifications, platform certificates.",
        zh: "微信支付 API v3：Native、JSAPI、App、H5、退款、回调通知与平台证书。",
    },
    knobs: &[
        TIMEOUT_AFTER_CHARGE,
        DUPLICATE,
        OUT_OF_ORDER,
        BAD_SIGNATURE,
        STALE,
        ROTATE_CERTIFICATE,
        Knob::flag(
            "sign_test",
            "sign with WECHATPAY/SIGNTEST/…, as the platform does to probe merchants",
            "以 WECHATPAY/SIGNTEST/… 签名（平台签名探测流量）",
        ),
        Knob::flag(
            "bad_ciphertext",
            "the sealed resource can't be opened",
            "加密资源无法解密",
        ),
        Knob::flag("wrong_amount", "notify with one fen less", "通知金额少一分"),
        Knob::flag(
            "refund_processing",
            "refunds stay PROCESSING until REFUND.SUCCESS is delivered",
            "退款保持 PROCESSING，直到投递 REFUND.SUCCESS",
        ),
    ],
    build,
};

fn build(base: &Base) -> Result<Parts, StartError> {
    let material = &base.material;
    let mchid = material.digits("mchid", 10);
    let appid = format!("wx{}", hex::encode(material.bytes::<8>("appid")));
    let v3_key: String = material.bytes::<32>("v3 key").into_iter().map(alphanumeric).collect();
    let root = Certificate::make(material, "root", "Sim Tenpay Root", &[], &Signer::Authority);
    let merchant = Certificate::make(material, "merchant", &mchid, &[], &Signer::By(&root));
    let platform = platform(base, &root, 0);
    let public_key_id = format!("PUB_KEY_ID_{}", material.digits("public key id", 32));
    let public_key = material.rsa("platform public key");
    Ok(Parts {
        config: json!({"api_base": base.url, "mchid": mchid, "appid": appid, "merchant_serial": merchant.serial,
            "merchant_private_key": {"$secret": "merchant_private_key"}, "api_v3_key": {"$secret": "api_v3_key"},
            "public_key_id": public_key_id, "public_key": public_key.public_pem()}),
        secrets: json!({"merchant_private_key": merchant.key.private_pem(), "api_v3_key": v3_key,
            "merchant_certificate": merchant.pem(), "platform_certificate": platform.pem()}),
        notes: vec![Text {
            en: "Answers are signed with the platform certificate; with the public key when the request's Wechatpay-Serial names it. POST /_sim/pay/ORDER takes out_trade_no; notifications go to the order's notify_url.",
            zh: "默认使用平台证书签名；当请求头 Wechatpay-Serial 为公钥 ID 时使用微信支付公钥签名。POST /_sim/pay/ORDER 使用 out_trade_no；通知发往订单的 notify_url。",
        }],
        counterpart: Arc::new(WechatPay {
            base: base.clone(),
            mchid,
            appid,
            v3_key,
            root,
            merchant,
            public_key_id,
            public_key,
            state: Mutex::new(State {
                platform: vec![Arc::new(platform)],
                ..State::default()
            }),
        }),
        address: None,
        task: None,
    })
}

fn platform(base: &Base, root: &Certificate, number: usize) -> Certificate {
    Certificate::make(
        &base.material,
        &format!("platform {number}"),
        "Sim Tenpay",
        &[],
        &Signer::By(root),
    )
}

#[derive(Debug, Default)]
struct State {
    /// Platform certificates; the last one signs, all are published.
    platform: Vec<Arc<Certificate>>,
    rotations: usize,
    /// The merchant works with the public key instead of certificates.
    by_public_key: bool,
    orders: BTreeMap<String, Order>,
    refunds: BTreeMap<String, Refund>,
    outbox: Vec<Notice>,
}

pub(crate) struct WechatPay {
    base: Base,
    mchid: String,
    appid: String,
    v3_key: String,
    root: Certificate,
    merchant: Certificate,
    public_key_id: String,
    public_key: RsaKey,
    state: Mutex<State>,
}

impl WechatPay {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn fresh(&self, length: usize) -> String {
        fresh(&*self.base.rng, length)
    }
    fn digits(&self, length: usize) -> String {
        fresh_digits(&*self.base.rng, length)
    }
    fn now(&self) -> i64 {
        self.base.clock.now().as_secs()
    }

    /// RFC 3339 with Beijing's offset, as in all of the API.
    fn beijing(&self, seconds: i64) -> String {
        let instant = jiff::Timestamp::from_second(seconds).unwrap_or_default();
        let local = jiff::tz::Offset::constant(8).to_datetime(instant);
        local.strftime("%Y-%m-%dT%H:%M:%S+08:00").to_string()
    }

    /// The headers that sign a body. The signature is over time stamp, nonce and body, each with a line end.
    fn signed(&self, state: &State, body: &str, armed: &Armed) -> Vec<(&'static str, String)> {
        let at = self.now() - if armed.on("stale") { 3600 } else { 0 };
        let nonce = self.fresh(32);
        let message = format!("{at}\n{nonce}\n{body}\n");
        let (serial, mut signature) = match state.platform.last() {
            Some(platform) if !state.by_public_key => (platform.serial.clone(), platform.key.sign(message.as_bytes())),
            _ => (self.public_key_id.clone(), self.public_key.sign(message.as_bytes())),
        };
        if armed.on("bad_signature") {
            signature[20] ^= 1;
        }
        let mut signature = seal::base64(&signature);
        if armed.on("sign_test") {
            signature = format!("WECHATPAY/SIGNTEST/{}", &signature[19..]);
        }
        vec![
            ("wechatpay-serial", serial),
            ("wechatpay-timestamp", at.to_string()),
            ("wechatpay-nonce", nonce),
            ("wechatpay-signature", signature),
            ("wechatpay-signature-type", "WECHATPAY2-SHA256-RSA2048".to_owned()),
        ]
    }

    fn certificates(&self, state: &State, armed: &Armed) -> Value {
        let entry = |certificate: &Arc<Certificate>| {
            let sealed = self.seal(certificate.pem().as_bytes(), "certificate", armed);
            json!({"serial_no": certificate.serial, "effective_time": "2025-01-01T08:00:00+08:00",
                "expire_time": "2045-01-01T08:00:00+08:00", "encrypt_certificate": sealed})
        };
        json!({"data": state.platform.iter().map(entry).collect::<Vec<_>>()})
    }

    fn route(&self, state: &mut State, call: &Call, armed: &Armed) -> Result<(u16, Value), Failure> {
        let segments = call.segments();
        let fine = |value: Value| Ok((200, value));
        match (call.method.as_str(), segments.get(1..).unwrap_or_default()) {
            ("GET", ["certificates"]) => fine(self.certificates(state, armed)),
            ("POST", ["pay", "transactions", kind @ ("native" | "jsapi" | "app" | "h5")]) => {
                fine(self.create(state, kind, &call.json())?)
            }
            ("GET", ["pay", "transactions", "id", number]) => {
                self.same_merchant(call.query().get("mchid"))?;
                fine(self.transaction(orders::by_number(state, number)?, armed))
            }
            ("GET", ["pay", "transactions", "out-trade-no", order]) => {
                self.same_merchant(call.query().get("mchid"))?;
                fine(self.transaction(orders::by_order(state, order)?, armed))
            }
            ("POST", ["pay", "transactions", "out-trade-no", order, "close"]) => {
                self.same_merchant(call.json()["mchid"].as_str().unwrap_or_default())?;
                orders::close(state, order)?;
                Ok((204, Value::Null))
            }
            ("POST", ["refund", "domestic", "refunds"]) => fine(self.refund(state, &call.json(), armed)?),
            ("GET", ["refund", "domestic", "refunds", number]) => {
                let refund = state.refunds.get(*number);
                let refund = refund.ok_or(Failure(404, "RESOURCE_NOT_EXISTS", "there is no such refund"))?;
                fine(self.refund_shown(refund))
            }
            _ => Err(Failure(404, "NOT_FOUND", "there is no such endpoint")),
        }
    }
}

impl Counterpart for WechatPay {
    fn handle(&self, call: &Call, armed: &Armed) -> Reply {
        if call.path.starts_with("/h5/") {
            return self.page(call, armed);
        }
        let mut state = self.state();
        let asked = call.header("wechatpay-serial").to_owned();
        if !asked.is_empty() {
            state.by_public_key = asked == self.public_key_id;
        }
        let result = match self.admit(call) {
            Ok(()) => self.route(&mut state, call, armed),
            Err(failure) => Err(failure),
        };
        let notices = std::mem::take(&mut state.outbox);
        let charges = result.is_ok() && call.method == http::Method::POST;
        let (status, body) = match result {
            Ok((status, Value::Null)) => (status, String::new()),
            Ok((status, body)) => (status, body.to_string()),
            Err(Failure(status, code, message)) => (status, json!({"code": code, "message": message}).to_string()),
        };
        let headers = self.signed(&state, &body, armed);
        let mut reply = Reply::new(status, "application/json; charset=utf-8", body).with("request-id", self.fresh(32));
        // A request that was not believed is answered without a signature.
        if status != 401 {
            reply.headers.extend(headers);
        }
        reply.charges = charges;
        reply.notify(notices)
    }

    fn pay(&self, reference: &str, how: &Value, armed: &Armed) -> Result<Vec<Notice>, Refusal> {
        let mut state = self.state();
        match how["outcome"].as_str().unwrap_or("paid") {
            "paid" => self.paid(&mut state, reference, armed)?,
            "failed" => self.failed(&mut state, reference)?,
            other => {
                let detail = format!("there is no outcome {other:?}");
                return Err(Refusal {
                    field: Some("outcome"),
                    ..Refusal::new(400, "outcome_unknown", detail, "paid or failed")
                });
            }
        }
        Ok(std::mem::take(&mut state.outbox))
    }

    fn deliver(&self, what: &Value, armed: &Armed) -> Result<Vec<Notice>, Refusal> {
        let mut state = self.state();
        self.happen(&mut state, what, armed)?;
        Ok(std::mem::take(&mut state.outbox))
    }

    fn rotate(&self, how: Rotation) {
        let number = {
            let mut state = self.state();
            state.rotations += 1;
            state.rotations
        };
        let next = Arc::new(platform(&self.base, &self.root, number));
        let mut state = self.state();
        if how == Rotation::Abrupt {
            state.platform.clear();
        }
        state.platform.push(next);
    }

    fn reset(&self) {
        let mut state = self.state();
        *state = State {
            platform: std::mem::take(&mut state.platform),
            rotations: state.rotations,
            ..State::default()
        };
    }

    fn state(&self) -> Value {
        let state = self.state();
        let certificates: Vec<_> = state
            .platform
            .iter()
            .map(|c| json!({"serial": c.serial, "pem": c.pem()}))
            .collect();
        let idle = &Armed::default();
        json!({"orders": state.orders.values().map(|o| self.transaction(o, idle)).collect::<Vec<_>>(),
            "refunds": state.refunds.values().map(|r| self.refund_shown(r)).collect::<Vec<_>>(),
            "platform_certificates": certificates})
    }
}
