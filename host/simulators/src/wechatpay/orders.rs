//! Orders and refunds.

use super::{State, WechatPay};
use crate::shell::faults::Armed;
use crate::wire::Refusal;
use serde_json::{Value, json};

/// An error answer: status, code, message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failure(pub(super) u16, pub(super) &'static str, pub(super) &'static str);

#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) order: String,
    pub(super) kind: &'static str,
    pub(super) state: &'static str,
    pub(super) total: i64,
    pub(super) notify_url: String,
    pub(super) number: String,
    paid_at: Option<i64>,
    openid: String,
    attach: Option<String>,
    description: String,
    answer: Value,
}

#[derive(Debug, Clone)]
pub(super) struct Refund {
    pub(super) number: String,
    id: String,
    pub(super) order: String,
    pub(super) amount: i64,
    pub(super) status: &'static str,
    pub(super) notify_url: Option<String>,
    at: i64,
}

pub(super) fn by_order<'a>(state: &'a State, order: &str) -> Result<&'a Order, Failure> {
    state
        .orders
        .get(order)
        .ok_or(Failure(404, "ORDER_NOT_EXIST", "there is no such order"))
}

pub(super) fn by_number<'a>(state: &'a State, number: &str) -> Result<&'a Order, Failure> {
    let mut paid = state.orders.values().filter(|o| o.paid_at.is_some());
    paid.find(|o| o.number == number)
        .ok_or(Failure(404, "ORDER_NOT_EXIST", "there is no such transaction"))
}

pub(super) fn close(state: &mut State, order: &str) -> Result<(), Failure> {
    by_order(state, order)?;
    match state.orders.get_mut(order) {
        Some(order) if order.paid_at.is_some() => Err(Failure(400, "ORDERPAID", "the order is paid")),
        Some(order) => {
            order.state = "CLOSED";
            Ok(())
        }
        None => Err(Failure(404, "ORDER_NOT_EXIST", "there is no such order")),
    }
}

impl WechatPay {
    pub(super) fn same_merchant(&self, mchid: &str) -> Result<(), Failure> {
        if mchid == self.mchid {
            return Ok(());
        }
        Err(Failure(
            400,
            "PARAM_ERROR",
            "mchid is missing or not the one that signed",
        ))
    }

    pub(super) fn create(&self, state: &mut State, kind: &str, asked: &Value) -> Result<Value, Failure> {
        let text = |name: &str| asked[name].as_str().unwrap_or_default();
        let wrong = |why| Err(Failure(400, "PARAM_ERROR", why));
        self.same_merchant(text("mchid"))?;
        if text("appid") != self.appid {
            return Err(Failure(400, "APPID_MCHID_NOT_MATCH", "appid is not bound to mchid"));
        }
        let order = text("out_trade_no").to_owned();
        let fine = |b: u8| b.is_ascii_alphanumeric() || b"_-|*".contains(&b);
        if !(6..=32).contains(&order.len()) || !order.bytes().all(fine) {
            return wrong("out_trade_no: 6 to 32 letters, digits and _-|*");
        }
        if text("description").is_empty() || text("description").chars().count() > 127 {
            return wrong("description: 1 to 127 characters");
        }
        if !text("notify_url").starts_with("http") || text("notify_url").contains('?') {
            return wrong("notify_url: an address without query");
        }
        let total = asked["amount"]["total"].as_i64().filter(|t| *t > 0);
        let Some(total) = total else {
            return wrong("amount.total: whole fen, from 1");
        };
        if !matches!(asked["amount"]["currency"].as_str(), None | Some("CNY")) {
            return wrong("amount.currency: only CNY");
        }
        let openid = asked["payer"]["openid"].as_str().unwrap_or_default();
        if kind == "jsapi" && openid.is_empty() {
            return wrong("payer.openid is required for JSAPI");
        }
        if kind == "h5"
            && (asked["scene_info"]["payer_client_ip"].is_null() || asked["scene_info"]["h5_info"].is_null())
        {
            return wrong("scene_info.payer_client_ip and scene_info.h5_info are required for H5");
        }
        if let Some(known) = state.orders.get(&order) {
            return match known.state {
                "SUCCESS" | "REFUND" => Err(Failure(400, "ORDERPAID", "the order is paid")),
                "CLOSED" => Err(Failure(400, "ORDER_CLOSED", "the order is closed")),
                _ if known.total != total || known.description != text("description") => Err(Failure(
                    403,
                    "OUT_TRADE_NO_USED",
                    "the same out_trade_no with other contents",
                )),
                _ => Ok(known.answer.clone()),
            };
        }
        let prepay = format!("wx{}", self.digits(32));
        let (kind, answer) = match kind {
            "native" => (
                "NATIVE",
                json!({"code_url": format!("weixin://wxpay/bizpayurl?pr={}", &prepay[2..12])}),
            ),
            "h5" => ("MWEB", json!({"h5_url": format!("{}/h5/{order}", self.base.url)})),
            "jsapi" => ("JSAPI", json!({"prepay_id": prepay})),
            _ => ("APP", json!({"prepay_id": prepay})),
        };
        let new = Order {
            order: order.clone(),
            kind,
            state: "NOTPAY",
            total,
            notify_url: text("notify_url").to_owned(),
            number: format!("42000{}", self.digits(23)),
            paid_at: None,
            openid: if openid.is_empty() {
                "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o".to_owned()
            } else {
                openid.to_owned()
            },
            attach: asked["attach"].as_str().map(str::to_owned),
            description: text("description").to_owned(),
            answer: answer.clone(),
        };
        state.orders.insert(order, new);
        Ok(answer)
    }

    pub(super) fn transaction(&self, order: &Order, armed: &Armed) -> Value {
        let words = match order.state {
            "SUCCESS" => "支付成功",
            "REFUND" => "转入退款",
            "CLOSED" => "订单已关闭",
            "PAYERROR" => "支付失败",
            _ => "订单未支付",
        };
        let total = order.total - i64::from(armed.on("wrong_amount"));
        let mut out = json!({"appid": self.appid, "mchid": self.mchid, "out_trade_no": order.order,
            "trade_type": order.kind, "trade_state": order.state, "trade_state_desc": words,
            "amount": {"total": total, "currency": "CNY"}});
        if let Some(attach) = &order.attach {
            out["attach"] = json!(attach);
        }
        if let Some(at) = order.paid_at {
            out["transaction_id"] = json!(order.number);
            out["bank_type"] = json!("OTHERS");
            out["success_time"] = json!(self.beijing(at));
            out["payer"] = json!({"openid": order.openid});
            out["amount"]["payer_total"] = json!(total);
            out["amount"]["payer_currency"] = json!("CNY");
        }
        out
    }

    pub(super) fn paid(&self, state: &mut State, reference: &str, armed: &Armed) -> Result<(), Refusal> {
        let now = self.now();
        let order = state
            .orders
            .get_mut(reference)
            .ok_or_else(|| Refusal::unknown_order(reference))?;
        if !["NOTPAY", "PAYERROR"].contains(&order.state) {
            return Err(Refusal::not_now(
                format!("the order is {}", order.state),
                "make a new one",
            ));
        }
        order.state = "SUCCESS";
        order.paid_at = Some(now);
        let order = order.clone();
        let notice = self.notice(
            state,
            "TRANSACTION.SUCCESS",
            &self.transaction(&order, armed),
            Some(order.notify_url),
            armed,
        );
        state.outbox.push(notice);
        Ok(())
    }

    pub(super) fn failed(&self, state: &mut State, reference: &str) -> Result<(), Refusal> {
        let order = state
            .orders
            .get_mut(reference)
            .ok_or_else(|| Refusal::unknown_order(reference))?;
        if order.state != "NOTPAY" {
            return Err(Refusal::not_now(
                format!("the order is {}", order.state),
                "make a new one",
            ));
        }
        order.state = "PAYERROR";
        Ok(())
    }

    pub(super) fn refund(&self, state: &mut State, asked: &Value, armed: &Armed) -> Result<Value, Failure> {
        let text = |name: &str| asked[name].as_str().unwrap_or_default();
        let order = match text("transaction_id") {
            "" => by_order(state, text("out_trade_no")),
            number => by_number(state, number),
        };
        let order = order
            .map_err(|_| Failure(404, "RESOURCE_NOT_EXISTS", "there is no such order"))?
            .clone();
        let number = text("out_refund_no").to_owned();
        let amount = asked["amount"]["refund"].as_i64().unwrap_or_default();
        if number.is_empty() || number.len() > 64 || amount < 1 || asked["amount"]["currency"] != "CNY" {
            return Err(Failure(
                400,
                "PARAM_ERROR",
                "out_refund_no, amount.refund (fen, from 1) and amount.currency CNY",
            ));
        }
        if asked["amount"]["total"] != order.total {
            return Err(Failure(400, "PARAM_ERROR", "amount.total is not the order's"));
        }
        if let Some(known) = state.refunds.get(&number) {
            if known.amount != amount || known.order != order.order {
                return Err(Failure(
                    400,
                    "INVALID_REQUEST",
                    "the same out_refund_no with other contents",
                ));
            }
            return Ok(self.refund_shown(known));
        }
        if !["SUCCESS", "REFUND"].contains(&order.state) {
            return Err(Failure(400, "INVALID_REQUEST", "the order is not paid"));
        }
        let before: i64 = state
            .refunds
            .values()
            .filter(|r| r.order == order.order && r.status != "ABNORMAL")
            .map(|r| r.amount)
            .sum();
        if before + amount > order.total {
            return Err(Failure(403, "NOT_ENOUGH", "more than is left of the payment"));
        }
        let processing = armed.on("refund_processing");
        let refund = Refund {
            number: number.clone(),
            id: format!("50{}", self.digits(26)),
            order: order.order.clone(),
            amount,
            status: if processing { "PROCESSING" } else { "SUCCESS" },
            notify_url: asked["notify_url"].as_str().map(str::to_owned),
            at: self.now(),
        };
        state.refunds.insert(number, refund.clone());
        if let Some(order) = state.orders.get_mut(&order.order) {
            order.state = "REFUND";
        }
        if !processing {
            self.tell_refund(state, &refund, armed);
        }
        // The answer to the request itself is always that it is under way.
        let mut shown = self.refund_shown(&refund);
        shown["status"] = json!("PROCESSING");
        Ok(shown)
    }

    pub(super) fn refund_shown(&self, refund: &Refund) -> Value {
        let mut out = json!({"refund_id": refund.id, "out_refund_no": refund.number, "out_trade_no": refund.order,
            "channel": "ORIGINAL", "user_received_account": "支付用户零钱", "status": refund.status,
            "create_time": self.beijing(refund.at), "funds_account": "AVAILABLE",
            "amount": {"refund": refund.amount, "payer_refund": refund.amount, "currency": "CNY"}});
        if refund.status == "SUCCESS" {
            out["success_time"] = json!(self.beijing(refund.at));
        }
        out
    }
}
