//! Refunds, and what a dashboard or a bank makes happen: disputes, refunds by hand, refunds that fail later.

use super::form::{Failure, integer, metadata, only};
use super::{State, Stripe};
use crate::shell::faults::Armed;
use crate::wire::Refusal;
use serde_json::{Value, json};

const KINDS: &str = "checkout.session.expired, charge.refunded, refund.updated, refund.failed, charge.dispute.created, charge.dispute.closed, resend";

impl Stripe {
    pub(super) fn create_refund(&self, state: &mut State, form: &Value, armed: &Armed) -> Result<Value, Failure> {
        only(
            form,
            &[
                "amount",
                "charge",
                "instructions_email",
                "metadata",
                "payment_intent",
                "reason",
                "refund_application_fee",
            ],
        )?;
        let reason = &form["reason"];
        if !reason.is_null()
            && !["duplicate", "fraudulent", "requested_by_customer"].contains(&reason.as_str().unwrap_or_default())
        {
            return Err(Failure::invalid(
                "",
                "reason",
                "Invalid reason: must be one of duplicate, fraudulent, or requested_by_customer",
            ));
        }
        let charge = match (form["payment_intent"].as_str(), form["charge"].as_str()) {
            (Some(intent), _) => {
                let found = state
                    .get(&form["payment_intent"])
                    .ok_or_else(|| Failure::missing("payment_intent", intent))?;
                let why = format!("This PaymentIntent ({intent}) does not have a successful charge to refund.");
                state
                    .get(&found["latest_charge"])
                    .ok_or_else(|| Failure::invalid("", "payment_intent", &why))?
            }
            (None, Some(charge)) => state
                .get(&form["charge"])
                .ok_or_else(|| Failure::missing("charge", charge))?,
            _ => {
                return Err(Failure::invalid(
                    "parameter_missing",
                    "payment_intent",
                    "payment_intent or charge is needed",
                ));
            }
        };
        let amount = match form["amount"].as_str() {
            None => None,
            Some(_) => Some(integer(&form["amount"], "amount")?),
        };
        self.refund(state, charge, amount, (&metadata(&form["metadata"])?, reason), armed)
    }

    fn refund(
        &self,
        state: &mut State,
        mut charge: Value,
        amount: Option<i64>,
        (metadata, reason): (&Value, &Value),
        armed: &Armed,
    ) -> Result<Value, Failure> {
        let number = |field: &str| charge[field].as_i64().unwrap_or_default();
        let (captured, before) = (number("amount_captured"), number("amount_refunded"));
        let left = captured - before;
        if captured == 0 {
            return Err(Failure::invalid(
                "charge_not_captured",
                "",
                "the charge was not captured; cancel the PaymentIntent",
            ));
        }
        if left == 0 {
            return Err(Failure::invalid(
                "charge_already_refunded",
                "",
                "Charge has already been refunded.",
            ));
        }
        if charge["disputed"] == true {
            return Err(Failure::invalid("charge_disputed", "", "Charge has been charged back."));
        }
        let amount = amount.unwrap_or(left);
        if !(1..=left).contains(&amount) {
            let why = format!("Refund amount ({amount}) is greater than unrefunded amount on charge ({left})");
            return Err(Failure::invalid("", "amount", &why));
        }
        let status = if armed.on("refund_pending") {
            "pending"
        } else {
            "succeeded"
        };
        let refund = json!({"id": self.id("re"), "object": "refund", "amount": amount, "charge": charge["id"],
            "created": self.now(), "currency": charge["currency"], "livemode": false, "metadata": metadata,
            "payment_intent": charge["payment_intent"], "reason": reason, "status": status});
        charge["amount_refunded"] = json!(before + amount);
        charge["refunded"] = json!(before + amount == captured);
        state.put(&refund);
        state.put(&charge);
        self.event(state, "refund.created", &refund, None, armed);
        let previous = json!({"amount_refunded": before, "refunded": false});
        self.event(state, "charge.refunded", &charge, Some(previous), armed);
        Ok(refund)
    }

    /// What happens without a request of the merchant's program.
    pub(super) fn happen(&self, state: &mut State, what: &Value, armed: &Armed) -> Result<(), Refusal> {
        let reference = what["ref"].as_str().unwrap_or_default();
        let unknown = || Refusal {
            field: Some("ref"),
            ..Refusal::unknown_order(reference)
        };
        let session = state.session(reference);
        let charge = |state: &State| {
            let intent = session
                .as_ref()
                .map_or_else(|| json!(reference), |s| s["payment_intent"].clone());
            let found = state
                .get(&intent)
                .map(|i| i["latest_charge"].clone())
                .unwrap_or_else(|| json!(reference));
            state.get(&found).filter(|c| c["object"] == "charge")
        };
        let not_now = |failure: &Failure| {
            let body = String::from_utf8_lossy(&failure.reply().body).into_owned();
            Refusal::not_now(body, "GET /_sim/state shows what there is")
        };
        match what["kind"].as_str().unwrap_or_default() {
            "checkout.session.expired" => {
                let id = session.ok_or_else(unknown)?["id"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned();
                self.expire_session(state, &id, armed).map_err(|f| not_now(&f))?;
            }
            "charge.refunded" => {
                let charge = charge(state).ok_or_else(unknown)?;
                let words = (&json!({}), &json!("requested_by_customer"));
                self.refund(state, charge, what["amount"].as_i64(), words, armed)
                    .map_err(|f| not_now(&f))?;
            }
            kind @ ("refund.updated" | "refund.failed") => {
                let mut refund = state
                    .get(&json!(reference))
                    .filter(|r| r["object"] == "refund")
                    .ok_or_else(unknown)?;
                let failed = kind == "refund.failed";
                refund["status"] = json!(if failed { "failed" } else { "succeeded" });
                if failed && let Some(mut charge) = state.get(&refund["charge"]) {
                    let back = charge["amount_refunded"].as_i64().unwrap_or_default()
                        - refund["amount"].as_i64().unwrap_or_default();
                    charge["amount_refunded"] = json!(back);
                    charge["refunded"] = json!(false);
                    state.put(&charge);
                }
                state.put(&refund);
                self.event(state, kind, &refund, None, armed);
            }
            kind @ ("charge.dispute.created" | "charge.dispute.closed") => {
                let charge = charge(state).ok_or_else(unknown)?;
                self.dispute(state, charge, kind, what["status"].as_str(), armed)?;
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

    fn dispute(
        &self,
        state: &mut State,
        mut charge: Value,
        kind: &str,
        status: Option<&str>,
        armed: &Armed,
    ) -> Result<(), Refusal> {
        let known = state.newest("dispute").find(|d| d["charge"] == charge["id"]).cloned();
        let dispute = match (kind, known) {
            ("charge.dispute.created", None) => json!({"id": self.id("dp"), "object": "dispute",
                "amount": charge["amount_captured"], "charge": charge["id"], "created": self.now(),
                "currency": charge["currency"], "livemode": false, "metadata": {}, "reason": "general",
                "payment_intent": charge["payment_intent"], "status": status.unwrap_or("needs_response")}),
            ("charge.dispute.closed", Some(mut dispute)) => {
                dispute["status"] = json!(status.unwrap_or("won"));
                dispute
            }
            ("charge.dispute.created", Some(_)) => {
                return Err(Refusal::not_now(
                    "the charge is disputed already",
                    "deliver charge.dispute.closed",
                ));
            }
            _ => {
                return Err(Refusal::not_now(
                    "the charge is not disputed",
                    "deliver charge.dispute.created first",
                ));
            }
        };
        charge["disputed"] = json!(true);
        state.put(&charge);
        state.put(&dispute);
        self.event(state, kind, &dispute, None, armed);
        Ok(())
    }
}
