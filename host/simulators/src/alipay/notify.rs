//! The notifications about trades, what happens without the merchant's program, and the payer's page.

use super::sign::{self, yuan};
use super::trades::Trade;
use super::{Alipay, State};
use crate::shell::faults::Armed;
use crate::shell::page;
use crate::wire::{Acknowledged, Call, Fields, Notice, Refusal, Reply, append_query};
use http::Method;
use serde_json::Value;

impl Alipay {
    /// What happens without the merchant's program.
    pub(super) fn happen(&self, state: &mut State, what: &Value, armed: &Armed) -> Result<(), Refusal> {
        let order = what["ref"].as_str().unwrap_or_default();
        let trade = state.trades.get(order).cloned().ok_or_else(|| Refusal {
            field: Some("ref"),
            ..Refusal::unknown_order(order)
        })?;
        match what["kind"].as_str().unwrap_or_default() {
            "resend" => {
                let notice = self.notice(state, &trade, armed);
                state.outbox.push(notice);
            }
            "TRADE_CLOSED" if ["", "WAIT_BUYER_PAY"].contains(&trade.status) => {
                self.change(state, order, armed, |t| t.status = "TRADE_CLOSED");
            }
            "TRADE_FINISHED" if trade.status == "TRADE_SUCCESS" => {
                self.change(state, order, armed, |t| t.status = "TRADE_FINISHED");
            }
            "TRADE_CLOSED" | "TRADE_FINISHED" => {
                return Err(Refusal::not_now(
                    format!("the trade is {}", trade.status),
                    "GET /_sim/state",
                ));
            }
            _ => {
                return Err(Refusal::unknown_kind(
                    &what["kind"],
                    "TRADE_CLOSED, TRADE_FINISHED, resend",
                ));
            }
        }
        Ok(())
    }

    pub(super) fn notice(&self, state: &State, trade: &Trade, armed: &Armed) -> Notice {
        let app = if armed.on("wrong_app") {
            "2021000000000000"
        } else {
            &self.app_id
        };
        let total = yuan(trade.total - u64::from(armed.on("wrong_amount")));
        let mut fields = vec![
            ("app_id", app.to_owned()),
            ("charset", "utf-8".to_owned()),
            ("version", "1.0".to_owned()),
            ("notify_type", "trade_status_sync".to_owned()),
            ("notify_time", self.beijing(armed)),
            ("notify_id", format!("{}{}", self.digits(22), self.digits(12))),
            ("out_trade_no", trade.order.clone()),
            ("trade_no", trade.number.clone()),
            ("trade_status", trade.status.to_owned()),
            ("total_amount", total),
            ("subject", trade.subject.clone()),
            ("seller_id", self.seller.clone()),
            ("buyer_id", "2088000000000001".to_owned()),
            ("gmt_create", trade.created.clone()),
        ];
        if let Some(paid) = &trade.paid {
            fields.push(("gmt_payment", paid.clone()));
            fields.push(("receipt_amount", yuan(trade.total)));
            fields.push(("buyer_pay_amount", yuan(trade.total)));
        }
        if let Some((number, _)) = trade.refunds.last() {
            fields.push(("out_biz_no", number.clone()));
            fields.push(("refund_fee", yuan(trade.refunded())));
            fields.push(("gmt_refund", self.beijing(armed)));
        }
        let named = Fields(fields.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect());
        let signature = self.sign_with(state.own.as_deref(), &sign::content(&named, &[]), armed);
        fields.push(("sign_type", "RSA2".to_owned()));
        fields.push(("sign", signature));
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&fields)
            .finish();
        Notice {
            kind: trade.status.to_owned(),
            to: trade.notify_url.clone(),
            method: Method::POST,
            headers: vec![(
                "content-type",
                "application/x-www-form-urlencoded; charset=utf-8".into(),
            )],
            body: body.into_bytes(),
            acknowledged: Acknowledged::ByBody("success".to_owned()),
        }
    }

    /// The payer's page: also what a scanned QR code leads to.
    pub(super) fn page(&self, call: &Call, armed: &Armed) -> Reply {
        let order = call.segments().last().map(|s| (*s).to_owned()).unwrap_or_default();
        let mut state = self.state();
        if self.opened(&mut state, &order).is_err() {
            return Reply::html(404, page::document("No such trade · 交易不存在", ""));
        }
        let Some(trade) = state.trades.get(&order).cloned() else {
            return Reply::html(404, page::document("No such trade · 交易不存在", ""));
        };
        if call.method == Method::GET {
            let options = [("paid", "Pay · 付款"), ("back", "Back · 返回")];
            let body = format!("<p>¥{}</p>{}", yuan(trade.total), page::choices(&call.path, &options));
            return Reply::html(200, page::document("支付宝收银台 · Alipay", &body));
        }
        if call.form().get("choice") == "paid"
            && let Err(refusal) = self.paid(&mut state, &order, armed)
        {
            return refusal.reply();
        }
        let notices = std::mem::take(&mut state.outbox);
        // The browser's return is signed too, and proves nothing.
        let fields = [
            ("app_id", self.app_id.as_str()),
            ("method", "alipay.trade.page.pay.return"),
            ("charset", "utf-8"),
            ("out_trade_no", &trade.order),
            ("trade_no", &trade.number),
            ("version", "1.0"),
            ("seller_id", &self.seller),
        ];
        let total = yuan(trade.total);
        let mut fields: Vec<(&str, &str)> = fields.to_vec();
        fields.push(("total_amount", &total));
        let named = Fields(fields.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect());
        let signature = self.sign_with(state.own.as_deref(), &sign::content(&named, &[]), armed);
        fields.push(("sign_type", "RSA2"));
        fields.push(("sign", &signature));
        match &trade.return_url {
            Some(url) => Reply::redirect(&append_query(url, &fields)).notify(notices),
            None => Reply::html(200, page::document("支付宝 · Alipay", "OK")).notify(notices),
        }
    }
}
