//! Orders: created, approved by the payer, captured or authorized.

use super::money::{Amount, shown};
use super::{Failure, Paypal, State};
use crate::shell::faults::Armed;
use crate::shell::page;
use crate::wire::{Call, Refusal, Reply, append_query, escape};
use serde_json::{Value, json};

impl Paypal {
    pub(super) fn create(&self, state: &mut State, body: &Value) -> Result<(u16, Value), Failure> {
        let intent = body["intent"].as_str().unwrap_or_default();
        if !["CAPTURE", "AUTHORIZE"].contains(&intent) {
            return Err(Failure::invalid(
                "INVALID_PARAMETER_VALUE",
                "intent: CAPTURE or AUTHORIZE",
            ));
        }
        let [unit] = body["purchase_units"].as_array().map(Vec::as_slice).unwrap_or_default() else {
            return Err(Failure::invalid(
                "INVALID_ARRAY_LENGTH",
                "purchase_units: exactly one in this simulator",
            ));
        };
        let amount = Amount::read(&unit["amount"])?;
        if amount.minor == 0 {
            return Err(Failure::unprocessable(
                "CANNOT_BE_ZERO_OR_NEGATIVE",
                "amount: more than zero",
            ));
        }
        let id = self.id();
        let context = [
            &body["payment_source"]["paypal"]["experience_context"],
            &body["application_context"],
        ];
        let url = |name: &str| context.iter().find_map(|c| c[name].as_str()).map(str::to_owned);
        let mut unit = unit.clone();
        unit["amount"] = amount.shown();
        if unit["reference_id"].is_null() {
            unit["reference_id"] = json!("default");
        }
        let link = |rel: &str, href: String, method: &str| json!({"href": href, "rel": rel, "method": method});
        let own = format!("{}/v2/checkout/orders/{id}", self.base.url);
        let approve = format!("{}/checkoutnow?token={id}", self.base.url);
        // An experience context asks for a payer-action link, the old application context for approve.
        let rel = if context[0].is_null() {
            "approve"
        } else {
            "payer-action"
        };
        let order = json!({"id": id, "intent": intent, "status": if rel == "approve" { "CREATED" } else { "PAYER_ACTION_REQUIRED" },
            "create_time": self.now(), "purchase_units": [unit],
            "links": [link("self", own.clone(), "GET"), link(rel, approve, "GET"), link("capture", format!("{own}/capture"), "POST")],
            "_kind": "order", "_return": url("return_url"), "_cancel": url("cancel_url")});
        state.objects.insert(id, order.clone());
        Ok((201, shown(&order)))
    }

    fn order(&self, state: &State, reference: &str) -> Option<Value> {
        let unit = |o: &Value, field: &str| o["purchase_units"][0][field] == reference;
        let fits = |o: &&Value| {
            o["_kind"] == "order"
                && (o["id"] == reference || ["custom_id", "invoice_id", "reference_id"].iter().any(|f| unit(o, f)))
        };
        state.objects.values().find(fits).cloned()
    }

    pub(super) fn approve(&self, state: &mut State, reference: &str, armed: &Armed) -> Result<(), Refusal> {
        let mut order = self
            .order(state, reference)
            .ok_or_else(|| Refusal::unknown_order(reference))?;
        if !["CREATED", "PAYER_ACTION_REQUIRED"].contains(&order["status"].as_str().unwrap_or_default()) {
            return Err(Refusal::not_now(
                format!("the order is {}", order["status"]),
                "make a new one",
            ));
        }
        order["status"] = json!("APPROVED");
        order["payer"] = json!({"payer_id": "SIMPAYER00001", "email_address": "payer@example.test", "name": {"given_name": "Pat", "surname": "Payer"}});
        state
            .objects
            .insert(order["id"].as_str().unwrap_or_default().to_owned(), order.clone());
        self.event(state, "CHECKOUT.ORDER.APPROVED", "checkout-order", &order, armed);
        Ok(())
    }

    /// The order, if the payer has approved it and nothing was taken yet.
    fn approved(&self, state: &State, id: &str, intent: &str) -> Result<Value, Failure> {
        let order = state
            .objects
            .get(id)
            .filter(|o| o["_kind"] == "order")
            .cloned()
            .ok_or(Failure::MISSING)?;
        if order["intent"] != intent {
            return Err(Failure::unprocessable(
                "ACTION_DOES_NOT_MATCH_INTENT",
                "the order was made with another intent",
            ));
        }
        match order["status"].as_str() {
            Some("APPROVED") => Ok(order),
            Some("COMPLETED") if intent == "CAPTURE" => Err(Failure::unprocessable(
                "ORDER_ALREADY_CAPTURED",
                "the order was captured",
            )),
            Some("COMPLETED") => Err(Failure::unprocessable(
                "ORDER_ALREADY_AUTHORIZED",
                "the order was authorized",
            )),
            _ => Err(Failure::unprocessable(
                "ORDER_NOT_APPROVED",
                "the payer has not approved the order",
            )),
        }
    }

    pub(super) fn capture_order(&self, state: &mut State, id: &str, armed: &Armed) -> Result<(u16, Value), Failure> {
        let mut order = self.approved(state, id, "CAPTURE")?;
        if armed.on("decline") {
            return Err(Failure::unprocessable(
                "INSTRUMENT_DECLINED",
                "the payer's instrument was declined",
            ));
        }
        let amount = Amount::read(&order["purchase_units"][0]["amount"])?;
        let capture = self.new_capture(state, &order, &amount, armed);
        order["status"] = json!("COMPLETED");
        order["purchase_units"][0]["payments"] = json!({"captures": [shown(&capture)]});
        state.objects.insert(id.to_owned(), order.clone());
        Ok((201, shown(&order)))
    }

    pub(super) fn authorize_order(&self, state: &mut State, id: &str, armed: &Armed) -> Result<(u16, Value), Failure> {
        let mut order = self.approved(state, id, "AUTHORIZE")?;
        if armed.on("decline") {
            return Err(Failure::unprocessable(
                "INSTRUMENT_DECLINED",
                "the payer's instrument was declined",
            ));
        }
        let unit = &order["purchase_units"][0];
        let authorization = json!({"id": self.id(), "status": "CREATED", "amount": unit["amount"], "custom_id": unit["custom_id"],
            "invoice_id": unit["invoice_id"], "create_time": self.now(),
            "supplementary_data": {"related_ids": {"order_id": id}}, "_kind": "authorization"});
        state.objects.insert(
            authorization["id"].as_str().unwrap_or_default().to_owned(),
            authorization.clone(),
        );
        order["status"] = json!("COMPLETED");
        order["purchase_units"][0]["payments"] = json!({"authorizations": [shown(&authorization)]});
        state.objects.insert(id.to_owned(), order.clone());
        self.event(
            state,
            "PAYMENT.AUTHORIZATION.CREATED",
            "authorization",
            &authorization,
            armed,
        );
        Ok((201, shown(&order)))
    }

    /// The page on which the payer approves.
    pub(super) fn page(&self, call: &Call, armed: &Armed) -> Reply {
        let id = call.query().get("token").to_owned();
        let mut state = self.state();
        let Some(order) = self.order(&state, &id) else {
            return Reply::html(404, page::document("No such order · 订单不存在", ""));
        };
        if call.method == http::Method::GET {
            let amount = &order["purchase_units"][0]["amount"];
            let text = |name: &str| escape(amount[name].as_str().unwrap_or_default());
            let options = [("approve", "Approve · 批准"), ("cancel", "Cancel · 取消")];
            let body = format!(
                "<p>{} {}</p>{}",
                text("value"),
                text("currency_code"),
                page::choices(&call.target(), &options)
            );
            return Reply::html(200, page::document("PayPal", &body));
        }
        let url = |name: &str| order[name].as_str().unwrap_or("/").to_owned();
        if call.form().get("choice") != "approve" {
            return Reply::redirect(&append_query(&url("_cancel"), &[("token", &id)]));
        }
        match self.approve(&mut state, &id, armed) {
            Ok(()) => Reply::redirect(&append_query(
                &url("_return"),
                &[("token", &id), ("PayerID", "SIMPAYER00001")],
            ))
            .notify(std::mem::take(&mut state.outbox)),
            Err(refusal) => refusal.reply(),
        }
    }
}
