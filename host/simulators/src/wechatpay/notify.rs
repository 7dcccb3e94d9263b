//! Notifications: sealed, signed, sent to the order's address.

use super::orders::Refund;
use super::{State, WechatPay};
use crate::shell::faults::Armed;
use crate::shell::page;
use crate::wire::{Acknowledged, Call, Notice, Refusal, Reply};
use http::Method;
use serde_json::{Value, json};

impl WechatPay {
    pub(super) fn notice(
        &self,
        state: &State,
        kind: &str,
        resource: &Value,
        to: Option<String>,
        armed: &Armed,
    ) -> Notice {
        let original = if kind.starts_with("REFUND") {
            "refund"
        } else {
            "transaction"
        };
        let mut sealed = self.seal(resource.to_string().as_bytes(), original, armed);
        sealed["original_type"] = json!(original);
        let summary = match kind {
            "TRANSACTION.SUCCESS" => "支付成功",
            "REFUND.SUCCESS" => "退款成功",
            _ => "退款异常",
        };
        let body =
            json!({"id": self.fresh(36), "create_time": self.beijing(self.now()), "resource_type": "encrypt-resource",
            "event_type": kind, "summary": summary, "resource": sealed})
            .to_string();
        let mut headers = vec![("content-type", "application/json".to_owned())];
        headers.extend(self.signed(state, &body, armed));
        Notice {
            kind: kind.to_owned(),
            to,
            method: Method::POST,
            headers,
            body: body.into_bytes(),
            acknowledged: Acknowledged::By2xx,
        }
    }

    pub(super) fn tell_refund(&self, state: &mut State, refund: &Refund, armed: &Armed) {
        let Some(order) = state.orders.get(&refund.order).cloned() else {
            return;
        };
        let shown = self.refund_shown(refund);
        let resource = json!({"mchid": self.mchid, "out_trade_no": order.order, "transaction_id": order.number,
            "out_refund_no": refund.number, "refund_id": shown["refund_id"], "refund_status": refund.status,
            "success_time": shown["success_time"], "user_received_account": shown["user_received_account"],
            "amount": {"total": order.total, "refund": refund.amount, "payer_total": order.total, "payer_refund": refund.amount}});
        let to = refund.notify_url.clone().or_else(|| Some(order.notify_url.clone()));
        let notice = self.notice(state, &format!("REFUND.{}", refund.status), &resource, to, armed);
        state.outbox.push(notice);
    }

    /// What happens without the merchant's program.
    pub(super) fn happen(&self, state: &mut State, what: &Value, armed: &Armed) -> Result<(), Refusal> {
        let reference = what["ref"].as_str().unwrap_or_default();
        let unknown = || Refusal {
            field: Some("ref"),
            ..Refusal::unknown_order(reference)
        };
        match what["kind"].as_str().unwrap_or_default() {
            "TRANSACTION.SUCCESS" => {
                let order = state.orders.get(reference).cloned().ok_or_else(unknown)?;
                if !["SUCCESS", "REFUND"].contains(&order.state) {
                    return self.paid(state, reference, armed);
                }
                let resource = self.transaction(&order, armed);
                let notice = self.notice(state, "TRANSACTION.SUCCESS", &resource, Some(order.notify_url), armed);
                state.outbox.push(notice);
            }
            kind @ ("REFUND.SUCCESS" | "REFUND.ABNORMAL" | "REFUND.CLOSED") => {
                let refund = state.refunds.get_mut(reference).ok_or_else(unknown)?;
                refund.status = match kind {
                    "REFUND.SUCCESS" => "SUCCESS",
                    "REFUND.CLOSED" => "CLOSED",
                    _ => "ABNORMAL",
                };
                let refund = refund.clone();
                self.tell_refund(state, &refund, armed);
            }
            _ => {
                let known = "TRANSACTION.SUCCESS (ref: out_trade_no), REFUND.SUCCESS, REFUND.ABNORMAL, REFUND.CLOSED (ref: out_refund_no)";
                return Err(Refusal::unknown_kind(&what["kind"], known));
            }
        }
        Ok(())
    }

    /// The page of H5 payments.
    pub(super) fn page(&self, call: &Call, armed: &Armed) -> Reply {
        let order = call.segments().last().map(|s| (*s).to_owned()).unwrap_or_default();
        let mut state = self.state();
        let Some(known) = state.orders.get(&order).cloned() else {
            return Reply::html(404, page::document("No such order · 订单不存在", ""));
        };
        if call.method == Method::GET {
            let options = [("paid", "Pay · 付款"), ("back", "Back · 返回")];
            let body = format!(
                "<p>¥{}.{:02}</p>{}",
                known.total / 100,
                known.total % 100,
                page::choices(&call.target(), &options)
            );
            return Reply::html(200, page::document("微信支付 · WeChat Pay", &body));
        }
        if call.form().get("choice") == "paid"
            && let Err(refusal) = self.paid(&mut state, &order, armed)
        {
            return refusal.reply();
        }
        let notices = std::mem::take(&mut state.outbox);
        let reply = match call.query().some("redirect_url") {
            Some(url) => Reply::redirect(url),
            None => Reply::html(200, page::document("微信支付 · WeChat Pay", "OK")),
        };
        reply.notify(notices)
    }
}
