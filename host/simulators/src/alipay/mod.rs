//! Alipay's gateway: requests signed with RSA2 by the merchant, answers and asynchronous notifications signed by Alipay,
//! with public keys or with certificates.

mod gateway;
mod notify;
mod sign;
mod trades;

use crate::material::{Certificate, Signer, fresh_digits};
use crate::shell::faults::{
    Armed, BAD_SIGNATURE, DUPLICATE, Knob, OUT_OF_ORDER, ROTATE_CERTIFICATE, Rotation, STALE, TIMEOUT_AFTER_CHARGE,
};
use crate::shell::{Base, Counterpart, Parts, Simulator, StartError};
use crate::wire::{Call, Notice, Refusal, Reply, Text};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use trades::Trade;

pub(crate) const SIMULATOR: Simulator = Simulator {
    name: "alipay",
    title: Text {
        en: "Alipay: page, QR code, bar code, query, refund, notifications.",
        zh: "支付宝：网页支付、扫码、付款码、查询、退款与异步通知。",
    },
    knobs: &[
        TIMEOUT_AFTER_CHARGE,
        DUPLICATE,
        OUT_OF_ORDER,
        BAD_SIGNATURE,
        STALE,
        ROTATE_CERTIFICATE,
        Knob::flag(
            "system_error",
            "answer 20000 (isp.unknow-error) after doing what was asked",
            "已执行但返回 20000（isp.unknow-error）",
        ),
        Knob::flag("wrong_app", "notify for another app_id", "通知中的 app_id 不符"),
        Knob::flag("wrong_amount", "notify with one cent less", "通知金额少一分"),
    ],
    build,
};

fn build(base: &Base) -> Result<Parts, StartError> {
    let app_id = format!("2021{}", base.material.digits("app id", 12));
    let seller = format!("2088{}", base.material.digits("seller", 12));
    let root = Certificate::make(&base.material, "root", "Sim Alipay Root", &[], &Signer::Authority);
    let app = Certificate::make(&base.material, "app", &app_id, &[], &Signer::By(&root));
    let own = own_certificate(base, &root, 0);
    Ok(Parts {
        config: json!({"gateway": format!("{}/gateway.do", base.url), "app_id": app_id, "seller_id": seller,
            "sign_type": "RSA2", "app_private_key": {"$secret": "app_private_key"},
            "alipay_public_key": own.key.public_pem()}),
        secrets: json!({"app_private_key": app.key.private_pem(), "app_certificate": app.pem(),
            "alipay_certificate": own.pem(), "alipay_root_certificate": root.pem()}),
        notes: vec![
            Text {
                en: "A request with app_cert_sn is answered in certificate mode, others with the public key. POST /_sim/pay/ORDER takes out_trade_no; notifications go to the order's notify_url and want exactly success as body.",
                zh: "带 app_cert_sn 的请求使用证书模式应答，否则使用公钥模式。POST /_sim/pay/ORDER 使用 out_trade_no；通知发往订单的 notify_url，应答体必须恰为 success。",
            },
            Text {
                en: "As with the real gateway, an order that nobody has opened yet is ACQ.TRADE_NOT_EXIST in a query. For alipay.trade.pay a code of 28 pays at once, one of 29 waits for the payer, one of 20 is refused.",
                zh: "与真实网关一致：尚未被用户打开的订单查询返回 ACQ.TRADE_NOT_EXIST。alipay.trade.pay 的付款码以 28 开头立即成功，29 开头等待用户付款，20 开头失败。",
            },
        ],
        counterpart: Arc::new(Alipay {
            base: base.clone(),
            app_id,
            seller,
            root,
            app,
            state: Mutex::new(State {
                own: Some(Arc::new(own)),
                ..State::default()
            }),
        }),
        address: None,
        task: None,
    })
}

fn own_certificate(base: &Base, root: &Certificate, number: usize) -> Certificate {
    Certificate::make(
        &base.material,
        &format!("alipay {number}"),
        "Sim Alipay",
        &[],
        &Signer::By(root),
    )
}

#[derive(Debug, Default)]
struct State {
    own: Option<Arc<Certificate>>,
    /// Certificates that signed before.
    former: Vec<Arc<Certificate>>,
    rotations: usize,
    trades: BTreeMap<String, Trade>,
    outbox: Vec<Notice>,
}

pub(crate) struct Alipay {
    base: Base,
    app_id: String,
    seller: String,
    root: Certificate,
    app: Certificate,
    state: Mutex<State>,
}

impl Alipay {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn digits(&self, length: usize) -> String {
        fresh_digits(&*self.base.rng, length)
    }

    /// Beijing time as Alipay writes it; an hour and more ago when it has to be stale.
    fn beijing(&self, armed: &Armed) -> String {
        let seconds = self.base.clock.now().as_secs() - if armed.on("stale") { 90_000 } else { 0 };
        sign::beijing(seconds)
    }
}

impl Counterpart for Alipay {
    fn handle(&self, call: &Call, armed: &Armed) -> Reply {
        match (call.method.as_str(), call.path.as_str()) {
            ("GET" | "POST", "/gateway.do") => self.gateway(call, armed),
            ("GET" | "POST", path) if path.starts_with("/pay/") => self.page(call, armed),
            _ => Reply::new(404, "text/plain", "no such endpoint"),
        }
    }

    fn pay(&self, reference: &str, how: &Value, armed: &Armed) -> Result<Vec<Notice>, Refusal> {
        let mut state = self.state();
        match how["outcome"].as_str().unwrap_or("paid") {
            "paid" => self.paid(&mut state, reference, armed)?,
            "opened" => self.opened(&mut state, reference)?,
            other => {
                let detail = format!("there is no outcome {other:?}");
                return Err(Refusal {
                    field: Some("outcome"),
                    ..Refusal::new(400, "outcome_unknown", detail, "paid or opened")
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
        let own = Arc::new(own_certificate(&self.base, &self.root, number));
        let mut state = self.state();
        let former = state.own.replace(own);
        state.former.extend(former);
        if how == Rotation::Abrupt {
            state.former.clear();
        }
    }

    fn reset(&self) {
        let mut state = self.state();
        state.trades.clear();
        state.outbox.clear();
    }

    fn state(&self) -> Value {
        let state = self.state();
        let trades: Vec<_> = state.trades.values().map(Trade::shown).collect();
        let own = state.own.as_ref();
        json!({"trades": trades, "alipay_public_key": own.map(|c| c.key.public_pem()), "alipay_certificate": own.map(|c| c.pem())})
    }
}
