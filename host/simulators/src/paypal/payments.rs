//! Captures, authorizations and refunds.

use super::money::{Amount, shown};
use super::{Failure, Paypal, State};
use crate::shell::faults::Armed;
use crate::wire::Refusal;
use serde_json::{Value, json};

const KINDS: &str =
    "PAYMENT.CAPTURE.COMPLETED, PAYMENT.CAPTURE.DENIED, PAYMENT.CAPTURE.REFUNDED, CHECKOUT.ORDER.APPROVED, resend";

impl Paypal {
    pub(super) fn new_capture(&self, state: &mut State, order: &Value, amount: &Amount, armed: &Armed) -> Value {
        let unit = &order["purchase_units"][0];
        let pending = armed.on("pending");
        // The usual price of a domestic payment: 2.9 % and 30 of the smallest unit, never more than all.
        let fee = (amount.minor * 29 / 1000 + 30).min(amount.minor);
        let mut capture = json!({"id": self.id(), "status": if pending { "PENDING" } else { "COMPLETED" },
            "amount": amount.shown(), "final_capture": true, "custom_id": unit["custom_id"], "invoice_id": unit["invoice_id"],
            "create_time": self.now(), "update_time": self.now(),
            "seller_receivable_breakdown": {"gross_amount": amount.shown(), "paypal_fee": amount.with(fee).shown(),
                "net_amount": amount.with(amount.minor - fee).shown()},
            "supplementary_data": {"related_ids": {"order_id": order["id"]}}, "_kind": "capture", "_refunded": 0});
        if pending {
            capture["status_details"] = json!({"reason": "PENDING_REVIEW"});
        }
        self.put(state, &capture);
        let kind = if pending {
            "PAYMENT.CAPTURE.PENDING"
        } else {
            "PAYMENT.CAPTURE.COMPLETED"
        };
        self.event(state, kind, "capture", &capture, armed);
        capture
    }

    /// Keeps an object; what an order shows of its captures follows.
    fn put(&self, state: &mut State, object: &Value) {
        state
            .objects
            .insert(object["id"].as_str().unwrap_or_default().to_owned(), object.clone());
        for order in state.objects.values_mut().filter(|o| o["_kind"] == "order") {
            for list in ["captures", "authorizations"] {
                let payments = order["purchase_units"][0]["payments"][list].as_array_mut();
                let same = payments.into_iter().flatten().filter(|p| p["id"] == object["id"]);
                same.for_each(|p| *p = shown(object));
            }
        }
    }

    fn find(&self, state: &State, kind: &str, id: &str) -> Result<Value, Failure> {
        state
            .objects
            .get(id)
            .filter(|o| o["_kind"] == kind)
            .cloned()
            .ok_or(Failure::MISSING)
    }

    pub(super) fn capture_authorization(
        &self,
        state: &mut State,
        id: &str,
        body: &Value,
        armed: &Armed,
    ) -> Result<(u16, Value), Failure> {
        let mut authorization = self.find(state, "authorization", id)?;
        if authorization["status"] != "CREATED" {
            return Err(Failure::unprocessable(
                "AUTHORIZATION_ALREADY_CAPTURED",
                "the authorization is captured or void",
            ));
        }
        let whole = Amount::read(&authorization["amount"])?;
        let amount = if body["amount"].is_null() {
            whole.clone()
        } else {
            Amount::read(&body["amount"])?
        };
        if amount.currency != whole.currency || amount.minor == 0 || amount.minor > whole.minor {
            return Err(Failure::unprocessable(
                "MAX_CAPTURE_AMOUNT_EXCEEDED",
                "more than was authorized",
            ));
        }
        let order = authorization["supplementary_data"]["related_ids"]["order_id"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let order = self.find(state, "order", &order)?;
        let capture = self.new_capture(state, &order, &amount, armed);
        authorization["status"] = json!("CAPTURED");
        self.put(state, &authorization);
        if let Some(order) = state.objects.get_mut(order["id"].as_str().unwrap_or_default()) {
            order["purchase_units"][0]["payments"]["captures"] = json!([shown(&capture)]);
        }
        Ok((201, shown(&capture)))
    }

    pub(super) fn void(&self, state: &mut State, id: &str, armed: &Armed) -> Result<(u16, Value), Failure> {
        let mut authorization = self.find(state, "authorization", id)?;
        if authorization["status"] != "CREATED" {
            return Err(Failure::unprocessable(
                "PREVIOUSLY_CAPTURED",
                "the authorization is captured or void",
            ));
        }
        authorization["status"] = json!("VOIDED");
        self.put(state, &authorization);
        self.event(
            state,
            "PAYMENT.AUTHORIZATION.VOIDED",
            "authorization",
            &authorization,
            armed,
        );
        Ok((204, Value::Null))
    }

    pub(super) fn refund(
        &self,
        state: &mut State,
        id: &str,
        body: &Value,
        armed: &Armed,
    ) -> Result<(u16, Value), Failure> {
        let mut capture = self.find(state, "capture", id)?;
        let whole = Amount::read(&capture["amount"])?;
        let before = capture["_refunded"].as_u64().unwrap_or_default();
        let left = whole.minor - before;
        match capture["status"].as_str() {
            Some("COMPLETED" | "PARTIALLY_REFUNDED") => {}
            Some("REFUNDED") => {
                return Err(Failure::unprocessable(
                    "CAPTURE_FULLY_REFUNDED",
                    "the capture was refunded",
                ));
            }
            _ => return Err(Failure::unprocessable("PENDING_CAPTURE", "the capture is not complete")),
        }
        let amount = if body["amount"].is_null() {
            whole.with(left)
        } else {
            Amount::read(&body["amount"])?
        };
        if amount.currency != whole.currency {
            return Err(Failure::unprocessable(
                "REFUND_CURRENCY_MISMATCH",
                "another currency than the capture's",
            ));
        }
        if amount.minor == 0 || amount.minor > left {
            return Err(Failure::unprocessable("REFUND_AMOUNT_EXCEEDED", "more than is left"));
        }
        let refund = json!({"id": self.id(), "status": "COMPLETED", "amount": amount.shown(), "invoice_id": body["invoice_id"],
            "custom_id": body["custom_id"], "note_to_payer": body["note_to_payer"], "create_time": self.now(), "update_time": self.now(),
            "links": [{"rel": "up", "method": "GET", "href": format!("{}/v2/payments/captures/{id}", self.base.url)}], "_kind": "refund"});
        capture["_refunded"] = json!(before + amount.minor);
        capture["status"] = json!(if before + amount.minor == whole.minor {
            "REFUNDED"
        } else {
            "PARTIALLY_REFUNDED"
        });
        self.put(state, &refund);
        self.put(state, &capture);
        self.event(state, "PAYMENT.CAPTURE.REFUNDED", "refund", &refund, armed);
        Ok((201, shown(&refund)))
    }

    /// What happens without the merchant's program.
    pub(super) fn happen(&self, state: &mut State, what: &Value, armed: &Armed) -> Result<(), Refusal> {
        let reference = what["ref"].as_str().unwrap_or_default();
        let unknown = || Refusal {
            field: Some("ref"),
            ..Refusal::unknown_order(reference)
        };
        match what["kind"].as_str().unwrap_or_default() {
            "CHECKOUT.ORDER.APPROVED" => self.approve(state, reference, armed)?,
            kind @ ("PAYMENT.CAPTURE.COMPLETED" | "PAYMENT.CAPTURE.DENIED") => {
                let mut capture = self.find(state, "capture", reference).map_err(|_| unknown())?;
                if capture["status"] != "PENDING" {
                    let detail = format!("the capture is {}, not PENDING", capture["status"]);
                    return Err(Refusal::not_now(detail, "arm the knob pending before it is captured"));
                }
                capture["status"] = json!(if kind.ends_with("DENIED") {
                    "DECLINED"
                } else {
                    "COMPLETED"
                });
                self.put(state, &capture);
                self.event(state, kind, "capture", &capture, armed);
            }
            "PAYMENT.CAPTURE.REFUNDED" => {
                let body = json!({"amount": what["amount"]});
                self.refund(state, reference, &body, armed)
                    .map_err(|f| Refusal::not_now(f.3, "GET /_sim/state"))?;
            }
            "resend" => {
                let event = state
                    .events
                    .iter()
                    .find(|e| e["id"] == reference)
                    .cloned()
                    .ok_or_else(unknown)?;
                let notice = self.notice(state, &event, armed);
                state.outbox.push(notice);
            }
            _ => return Err(Refusal::unknown_kind(&what["kind"], KINDS)),
        }
        Ok(())
    }
}
