//! Trades from creation to refund.

use super::gateway::{Failure, refused};
use super::sign::{self, fen, yuan};
use super::{Alipay, State};
use crate::shell::faults::Armed;
use crate::wire::{Fields, Refusal};
use serde_json::{Value, json};

/// A trade. Alipay knows it from the moment the payer opens it.
#[derive(Debug, Clone)]
pub(super) struct Trade {
    pub(super) order: String,
    pub(super) number: String,
    /// Empty until it is opened.
    pub(super) status: &'static str,
    pub(super) total: u64,
    pub(super) subject: String,
    pub(super) notify_url: Option<String>,
    pub(super) return_url: Option<String>,
    pub(super) created: String,
    pub(super) paid: Option<String>,
    /// (refund request number, fen).
    pub(super) refunds: Vec<(String, u64)>,
}

impl Trade {
    pub(super) fn shown(&self) -> Value {
        json!({"out_trade_no": self.order, "trade_no": self.number, "trade_status": self.status,
            "total_amount": yuan(self.total), "refunded": yuan(self.refunded())})
    }
    pub(super) fn refunded(&self) -> u64 {
        self.refunds.iter().map(|(_, fen)| fen).sum()
    }
    fn answer(&self) -> Value {
        json!({"out_trade_no": self.order, "trade_no": self.number})
    }
}

impl Alipay {
    fn put(
        &self,
        state: &mut State,
        fields: &Fields,
        business: &Value,
        status: &'static str,
    ) -> Result<Trade, Failure> {
        let text = |name: &str| business[name].as_str().unwrap_or_default().to_owned();
        let order = text("out_trade_no");
        if order.is_empty()
            || order.len() > 64
            || !order
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
        {
            return Err(refused(
                "ACQ.INVALID_PARAMETER",
                "out_trade_no: 1 to 64 letters, digits, _ and -",
            ));
        }
        // Numbers are taken as Alipay takes them: by their text.
        let amount = match &business["total_amount"] {
            Value::Number(number) => number.to_string(),
            other => other.as_str().unwrap_or_default().to_owned(),
        };
        let total = fen(&amount).filter(|f| (1..=10_000_000_000).contains(f));
        let total = total.ok_or_else(|| {
            refused(
                "ACQ.INVALID_PARAMETER",
                "total_amount: yuan with at most two places, from 0.01",
            )
        })?;
        if text("subject").is_empty() {
            return Err(refused("ACQ.INVALID_PARAMETER", "subject is missing"));
        }
        if let Some(known) = state.trades.get_mut(&order) {
            match known.status {
                "TRADE_SUCCESS" | "TRADE_FINISHED" => {
                    return Err(refused("ACQ.TRADE_HAS_SUCCESS", "the trade is paid"));
                }
                "TRADE_CLOSED" => return Err(refused("ACQ.TRADE_HAS_CLOSE", "the trade is closed")),
                _ if known.total != total => {
                    return Err(refused("ACQ.CONTEXT_INCONSISTENT", "another amount than before"));
                }
                _ => {}
            }
            if known.status.is_empty() {
                known.status = status;
            }
            return Ok(known.clone());
        }
        let some = |name: &str| fields.some(name).filter(|u| !u.is_empty()).map(str::to_owned);
        let trade = Trade {
            number: format!(
                "{}22001{}",
                &sign::beijing(self.base.clock.now().as_secs())[..10].replace('-', ""),
                self.digits(15)
            ),
            order: order.clone(),
            status,
            total,
            subject: text("subject"),
            notify_url: some("notify_url"),
            return_url: some("return_url"),
            created: sign::beijing(self.base.clock.now().as_secs()),
            paid: None,
            refunds: Vec::new(),
        };
        state.trades.insert(order, trade.clone());
        Ok(trade)
    }

    pub(super) fn precreate(&self, state: &mut State, fields: &Fields, business: &Value) -> Result<Value, Failure> {
        let trade = self.put(state, fields, business, "")?;
        let code = format!("{}/pay/{}", self.base.url, trade.order);
        Ok(json!({"out_trade_no": trade.order, "qr_code": code}))
    }

    pub(super) fn create(&self, state: &mut State, fields: &Fields, business: &Value) -> Result<Value, Failure> {
        Ok(self.put(state, fields, business, "WAIT_BUYER_PAY")?.answer())
    }

    pub(super) fn open_page(&self, state: &mut State, fields: &Fields, business: &Value) -> Result<String, Failure> {
        Ok(format!(
            "/pay/{}",
            self.put(state, fields, business, "WAIT_BUYER_PAY")?.order
        ))
    }

    pub(super) fn bar_code(
        &self,
        state: &mut State,
        fields: &Fields,
        business: &Value,
        armed: &Armed,
    ) -> Result<Value, Failure> {
        let code = business["auth_code"].as_str().unwrap_or_default();
        let valid = (16..=24).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit());
        if !valid || code.starts_with("20") {
            return Err(refused(
                "ACQ.PAYMENT_AUTH_CODE_INVALID",
                "the payment code is not valid",
            ));
        }
        let trade = self.put(state, fields, business, "WAIT_BUYER_PAY")?;
        if code.starts_with("29") {
            let mut answer = trade.answer();
            answer["code"] = json!("10003");
            answer["msg"] = json!("order success pay inprocess");
            return Ok(answer);
        }
        self.paid(state, &trade.order, armed)
            .map_err(|_| refused("ACQ.TRADE_HAS_SUCCESS", "the trade is paid"))?;
        let trade = self.find(state, business)?;
        let mut answer = trade.answer();
        answer["total_amount"] = json!(yuan(trade.total));
        answer["receipt_amount"] = json!(yuan(trade.total));
        answer["gmt_payment"] = json!(trade.paid);
        Ok(answer)
    }

    fn find<'a>(&self, state: &'a State, business: &Value) -> Result<&'a Trade, Failure> {
        let (order, number) = (&business["out_trade_no"], &business["trade_no"]);
        let fits = |t: &&Trade| match number.as_str() {
            // The trade's own number comes first when both are given.
            Some(number) if !number.is_empty() => t.number == number,
            _ => *order == t.order.as_str(),
        };
        let found = state.trades.values().find(fits).filter(|t| !t.status.is_empty());
        found.ok_or_else(|| refused("ACQ.TRADE_NOT_EXIST", "there is no such trade"))
    }

    pub(super) fn query(&self, state: &State, business: &Value) -> Result<Value, Failure> {
        let trade = self.find(state, business)?;
        let mut answer = trade.answer();
        answer["trade_status"] = json!(trade.status);
        answer["total_amount"] = json!(yuan(trade.total));
        answer["buyer_logon_id"] = json!("sim***@example.test");
        answer["buyer_user_id"] = json!("2088000000000001");
        if let Some(paid) = &trade.paid {
            answer["send_pay_date"] = json!(paid);
            answer["receipt_amount"] = json!(yuan(trade.total));
            answer["buyer_pay_amount"] = json!(yuan(trade.total));
        }
        Ok(answer)
    }

    pub(super) fn close(&self, state: &mut State, business: &Value, armed: &Armed) -> Result<Value, Failure> {
        let trade = self.find(state, business)?.clone();
        if trade.status != "WAIT_BUYER_PAY" {
            return Err(refused(
                "ACQ.TRADE_STATUS_ERROR",
                "only a trade that waits for the payer can be closed",
            ));
        }
        self.change(state, &trade.order, armed, |t| t.status = "TRADE_CLOSED");
        Ok(trade.answer())
    }

    /// Closes or refunds, whatever is needed; also for a trade that does not exist.
    pub(super) fn cancel(&self, state: &mut State, business: &Value, armed: &Armed) -> Result<Value, Failure> {
        let Ok(trade) = self.find(state, business).cloned() else {
            return Ok(json!({"out_trade_no": business["out_trade_no"], "retry_flag": "N", "action": ""}));
        };
        let action = if trade.status == "TRADE_SUCCESS" {
            "refund"
        } else {
            "close"
        };
        let left = trade.total - trade.refunded();
        self.change(state, &trade.order, armed, |t| {
            t.status = "TRADE_CLOSED";
            if action == "refund" {
                t.refunds.push((t.order.clone(), left));
            }
        });
        let mut answer = trade.answer();
        answer["retry_flag"] = json!("N");
        answer["action"] = json!(action);
        Ok(answer)
    }

    pub(super) fn refund(&self, state: &mut State, business: &Value, armed: &Armed) -> Result<Value, Failure> {
        let trade = self.find(state, business)?.clone();
        let amount = match &business["refund_amount"] {
            Value::Number(number) => number.to_string(),
            other => other.as_str().unwrap_or_default().to_owned(),
        };
        let amount = fen(&amount).filter(|f| *f > 0);
        let amount =
            amount.ok_or_else(|| refused("ACQ.INVALID_PARAMETER", "refund_amount: yuan with at most two places"))?;
        // Without a number a refund is of the whole, and its number is the order's.
        let number = business["out_request_no"]
            .as_str()
            .filter(|n| !n.is_empty())
            .unwrap_or(&trade.order)
            .to_owned();
        let answer = |trade: &Trade, changed: &str| {
            let mut answer = trade.answer();
            answer["fund_change"] = json!(changed);
            answer["refund_fee"] = json!(yuan(trade.refunded()));
            answer["buyer_logon_id"] = json!("sim***@example.test");
            answer
        };
        if let Some((_, before)) = trade.refunds.iter().find(|(n, _)| *n == number) {
            if *before != amount {
                return Err(refused(
                    "ACQ.DISCORDANT_REPEAT_REQUEST",
                    "this out_request_no was used with another amount",
                ));
            }
            return Ok(answer(&trade, "N"));
        }
        if trade.status != "TRADE_SUCCESS" {
            return Err(refused("ACQ.TRADE_STATUS_ERROR", "the trade is not paid"));
        }
        if amount > trade.total - trade.refunded() {
            return Err(refused("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "more than is left"));
        }
        self.change(state, &trade.order, armed, |t| {
            t.refunds.push((number.clone(), amount));
            if t.refunded() == t.total {
                t.status = "TRADE_CLOSED";
            }
        });
        Ok(answer(self.find(state, business)?, "Y"))
    }

    pub(super) fn refund_query(&self, state: &State, business: &Value) -> Result<Value, Failure> {
        let trade = self.find(state, business)?;
        let number = business["out_request_no"].as_str().unwrap_or_default();
        let mut answer = trade.answer();
        // An unknown refund is an empty success, as with the real gateway.
        if let Some((number, fen)) = trade.refunds.iter().find(|(n, _)| n == number) {
            answer["out_request_no"] = json!(number);
            answer["total_amount"] = json!(yuan(trade.total));
            answer["refund_amount"] = json!(yuan(*fen));
            answer["refund_status"] = json!("REFUND_SUCCESS");
        }
        Ok(answer)
    }

    /// Changes a trade and tells the merchant.
    pub(super) fn change(&self, state: &mut State, order: &str, armed: &Armed, how: impl FnOnce(&mut Trade)) {
        let Some(trade) = state.trades.get_mut(order) else {
            return;
        };
        how(trade);
        let trade = trade.clone();
        if trade.notify_url.is_some() {
            let notice = self.notice(state, &trade, armed);
            state.outbox.push(notice);
        }
    }

    pub(super) fn opened(&self, state: &mut State, order: &str) -> Result<(), Refusal> {
        let trade = state
            .trades
            .get_mut(order)
            .ok_or_else(|| Refusal::unknown_order(order))?;
        if trade.status.is_empty() {
            trade.status = "WAIT_BUYER_PAY";
        }
        Ok(())
    }

    pub(super) fn paid(&self, state: &mut State, order: &str, armed: &Armed) -> Result<(), Refusal> {
        let trade = state.trades.get(order).ok_or_else(|| Refusal::unknown_order(order))?;
        if !["", "WAIT_BUYER_PAY"].contains(&trade.status) {
            return Err(Refusal::not_now(
                format!("the trade is {}", trade.status),
                "make a new one",
            ));
        }
        let at = sign::beijing(self.base.clock.now().as_secs());
        self.change(state, order, armed, |t| {
            t.status = "TRADE_SUCCESS";
            t.paid = Some(at);
        });
        Ok(())
    }
}
