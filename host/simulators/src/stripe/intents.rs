//! PaymentIntents and the charges they make.

use super::form::{self, Failure, currency, integer, metadata, only};
use super::{State, Stripe};
use crate::shell::faults::Armed;
use serde_json::{Value, json};

impl Stripe {
    pub(super) fn new_intent(&self, data: &Value, amount: Option<i64>, currency: &Value) -> Value {
        let id = self.id("pi");
        let capture = data["capture_method"].as_str().unwrap_or("automatic");
        json!({"id": id, "object": "payment_intent", "amount": amount, "amount_received": 0, "amount_capturable": 0,
            "currency": currency, "livemode": false, "created": self.now(), "capture_method": capture,
            "client_secret": format!("{id}_secret_{}", self.id("x").trim_start_matches("x_")),
            "metadata": data["metadata"].as_object().cloned().unwrap_or_default(), "status": "requires_payment_method",
            "statement_descriptor_suffix": data["statement_descriptor_suffix"], "latest_charge": null,
            "last_payment_error": null, "canceled_at": null})
    }

    /// The intent of a session that is being paid.
    pub(super) fn intent_of(&self, state: &mut State, session: &Value, slow: bool, armed: &Armed) -> Value {
        let mut intent = self.new_intent(
            &session["_intent"],
            session["amount_total"].as_i64(),
            &session["currency"],
        );
        if slow {
            intent["status"] = json!("processing");
            state.put(&intent);
            self.event(state, "payment_intent.processing", &intent, None, armed);
            return intent;
        }
        self.charge(state, intent, armed)
    }

    /// Money moves, or is reserved when it is captured by hand.
    fn charge(&self, state: &mut State, mut intent: Value, armed: &Armed) -> Value {
        let manual = intent["capture_method"] == "manual";
        let amount = intent["amount"].clone();
        let charge = json!({"id": self.id("ch"), "object": "charge", "amount": amount, "currency": intent["currency"],
            "amount_captured": if manual { json!(0) } else { amount.clone() }, "amount_refunded": 0,
            "captured": !manual, "created": self.now(), "disputed": false, "livemode": false, "paid": true,
            "metadata": intent["metadata"], "payment_intent": intent["id"], "refunded": false, "status": "succeeded"});
        intent["latest_charge"] = charge["id"].clone();
        intent["status"] = json!(if manual { "requires_capture" } else { "succeeded" });
        intent[if manual { "amount_capturable" } else { "amount_received" }] = amount;
        state.put(&charge);
        state.put(&intent);
        self.event(state, "charge.succeeded", &charge, None, armed);
        let kind = if manual {
            "payment_intent.amount_capturable_updated"
        } else {
            "payment_intent.succeeded"
        };
        self.event(state, kind, &intent, None, armed);
        intent
    }

    pub(super) fn finish_processing(&self, state: &mut State, id: &Value, won: bool, armed: &Armed) {
        let Some(mut intent) = state.get(id) else { return };
        if won {
            self.charge(state, intent, armed);
            return;
        }
        intent["status"] = json!("requires_payment_method");
        intent["last_payment_error"] = json!({"type": "card_error", "code": "payment_method_provider_decline"});
        state.put(&intent);
        self.event(state, "payment_intent.payment_failed", &intent, None, armed);
    }

    pub(super) fn create_intent(&self, state: &mut State, form: &Value, armed: &Armed) -> Result<Value, Failure> {
        only(
            form,
            &[
                "amount",
                "automatic_payment_methods",
                "capture_method",
                "confirm",
                "currency",
                "customer",
                "description",
                "metadata",
                "off_session",
                "payment_method",
                "payment_method_types",
                "receipt_email",
                "return_url",
                "setup_future_usage",
                "statement_descriptor",
                "statement_descriptor_suffix",
            ],
        )?;
        let amount = integer(&form["amount"], "amount")?;
        if !(1..=99_999_999).contains(&amount) {
            return Err(Failure::invalid(
                "parameter_invalid_integer",
                "amount",
                "This value must be greater than or equal to 1.",
            ));
        }
        let data = json!({"metadata": metadata(&form["metadata"])?, "capture_method": form["capture_method"],
            "statement_descriptor_suffix": form["statement_descriptor_suffix"]});
        let intent = self.new_intent(&data, Some(amount), &json!(currency(&form["currency"], "currency")?));
        state.put(&intent);
        self.event(state, "payment_intent.created", &intent, None, armed);
        if form["confirm"] == "true" {
            let id = intent["id"].as_str().unwrap_or_default().to_owned();
            return self.confirm_intent(state, &id, &json!({"payment_method": form["payment_method"]}), armed);
        }
        Ok(intent)
    }

    pub(super) fn confirm_intent(
        &self,
        state: &mut State,
        id: &str,
        form: &Value,
        armed: &Armed,
    ) -> Result<Value, Failure> {
        only(form, &["payment_method", "off_session", "return_url", "receipt_email"])?;
        let mut intent = form::object(state, "payment_intent", id)?;
        if intent["status"] != "requires_payment_method" {
            return Err(unexpected_state(&intent, "confirmed"));
        }
        let method = form["payment_method"].as_str().unwrap_or_default();
        if method.is_empty() {
            return Err(Failure::invalid(
                "parameter_missing",
                "payment_method",
                "pm_card_visa pays, pm_card_chargeDeclined does not",
            ));
        }
        // Stripe's own names of test cards.
        if method.contains("Declined") || armed.on("decline") {
            intent["last_payment_error"] = json!({"type": "card_error", "code": "card_declined"});
            state.put(&intent);
            self.event(state, "payment_intent.payment_failed", &intent, None, armed);
            return Err(Failure::declined());
        }
        Ok(self.charge(state, intent, armed))
    }

    pub(super) fn capture_intent(
        &self,
        state: &mut State,
        id: &str,
        form: &Value,
        armed: &Armed,
    ) -> Result<Value, Failure> {
        only(
            form,
            &[
                "amount_to_capture",
                "application_fee_amount",
                "final_capture",
                "metadata",
                "statement_descriptor_suffix",
            ],
        )?;
        let mut intent = form::object(state, "payment_intent", id)?;
        if intent["status"] != "requires_capture" {
            return Err(unexpected_state(&intent, "captured"));
        }
        let most = intent["amount_capturable"].as_i64().unwrap_or_default();
        let amount = match form["amount_to_capture"].as_str() {
            None => most,
            Some(_) => integer(&form["amount_to_capture"], "amount_to_capture")?,
        };
        if !(1..=most).contains(&amount) {
            return Err(Failure::invalid(
                "amount_too_large",
                "amount_to_capture",
                "more than can be captured",
            ));
        }
        let mut charge = state.get(&intent["latest_charge"]).unwrap_or_default();
        charge["captured"] = json!(true);
        charge["amount_captured"] = json!(amount);
        intent["status"] = json!("succeeded");
        intent["amount_received"] = json!(amount);
        intent["amount_capturable"] = json!(0);
        state.put(&charge);
        state.put(&intent);
        // The session, if there is one, is paid now.
        if let Some(mut session) = state.session(id) {
            session["payment_status"] = json!("paid");
            state.put(&session);
        }
        self.event(state, "charge.captured", &charge, None, armed);
        self.event(state, "payment_intent.succeeded", &intent, None, armed);
        Ok(intent)
    }

    pub(super) fn cancel_intent(&self, state: &mut State, id: &str, armed: &Armed) -> Result<Value, Failure> {
        let mut intent = form::object(state, "payment_intent", id)?;
        if !["requires_payment_method", "requires_capture", "processing"]
            .contains(&intent["status"].as_str().unwrap_or_default())
        {
            return Err(unexpected_state(&intent, "canceled"));
        }
        intent["status"] = json!("canceled");
        intent["canceled_at"] = json!(self.now());
        intent["amount_capturable"] = json!(0);
        state.put(&intent);
        self.event(state, "payment_intent.canceled", &intent, None, armed);
        Ok(intent)
    }
}

fn unexpected_state(intent: &Value, verb: &str) -> Failure {
    let why = format!(
        "This PaymentIntent could not be {verb} because it has a status of {}.",
        intent["status"]
    );
    Failure::invalid("payment_intent_unexpected_state", "", &why)
}
