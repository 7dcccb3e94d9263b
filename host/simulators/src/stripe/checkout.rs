//! Checkout Sessions: from creation to their end, and the page the payer sees.

use super::form::{self, Failure, currency, integer, metadata, only};
use super::{State, Stripe};
use crate::shell::faults::Armed;
use crate::shell::page;
use crate::wire::{Call, Refusal, Reply, escape};
use serde_json::{Value, json};

/// Parameters that sessions have.
const KNOWN: [&str; 34] = [
    "adaptive_pricing",
    "after_expiration",
    "allow_promotion_codes",
    "automatic_tax",
    "billing_address_collection",
    "cancel_url",
    "client_reference_id",
    "consent_collection",
    "currency",
    "custom_fields",
    "custom_text",
    "customer",
    "customer_creation",
    "customer_email",
    "customer_update",
    "discounts",
    "expires_at",
    "invoice_creation",
    "line_items",
    "locale",
    "metadata",
    "mode",
    "payment_intent_data",
    "payment_method_collection",
    "payment_method_options",
    "payment_method_types",
    "phone_number_collection",
    "return_url",
    "shipping_address_collection",
    "submit_type",
    "success_url",
    "tax_id_collection",
    "ui_mode",
    "wallet_options",
];
/// A session may end from 30 minutes to 24 hours after its creation.
const SHORTEST_S: i64 = 1800;
const LONGEST_S: i64 = 86_400;

impl Stripe {
    pub(super) fn create_session(&self, state: &mut State, form: &Value) -> Result<Value, Failure> {
        only(form, &KNOWN)?;
        if form["mode"] != "payment" {
            return Err(Failure::invalid(
                "",
                "mode",
                "this simulator knows the mode payment alone",
            ));
        }
        let success = form["success_url"].as_str().unwrap_or_default();
        if url::Url::parse(success).is_err() {
            return Err(Failure::invalid("url_invalid", "success_url", "Not a valid URL"));
        }
        let (amount, currency) = total(&form["line_items"])?;
        let now = self.now();
        let expires_at = match form["expires_at"].as_str() {
            None => now + LONGEST_S,
            Some(_) => integer(&form["expires_at"], "expires_at")?,
        };
        if !(now + SHORTEST_S..=now + LONGEST_S).contains(&expires_at) {
            let why = "The `expires_at` timestamp must be at least 30 minutes and less than 24 hours from Checkout Session creation.";
            return Err(Failure::invalid("", "expires_at", why));
        }
        let data = &form["payment_intent_data"];
        only(
            data,
            &[
                "capture_method",
                "description",
                "metadata",
                "receipt_email",
                "setup_future_usage",
                "shipping",
                "statement_descriptor",
                "statement_descriptor_suffix",
                "transfer_data",
                "application_fee_amount",
            ],
        )?;
        let id = format!("cs_test_{}", self.id("a1").trim_start_matches("a1_"));
        let methods: Vec<_> = form["payment_method_types"]
            .as_object()
            .map_or_else(|| vec![json!("card")], |types| types.values().cloned().collect());
        let session = json!({
            "id": id, "object": "checkout.session", "livemode": false, "mode": "payment", "status": "open",
            "payment_status": "unpaid", "amount_subtotal": amount, "amount_total": amount, "currency": currency,
            "client_reference_id": form["client_reference_id"], "created": now, "expires_at": expires_at,
            "customer": null, "customer_email": form["customer_email"], "locale": form["locale"],
            "customer_details": {"email": form["customer_email"], "name": null, "phone": null},
            "metadata": metadata(&form["metadata"])?, "payment_intent": null, "payment_method_types": methods,
            "success_url": success, "cancel_url": form["cancel_url"], "ui_mode": "hosted",
            "url": format!("{}/c/pay/{id}", self.base.url),
            // Not part of Stripe's answer; taken out by `shown`.
            "_intent": {"metadata": metadata(&data["metadata"])?, "capture_method": data["capture_method"],
                "statement_descriptor_suffix": data["statement_descriptor_suffix"]},
        });
        state.put(&session);
        Ok(shown(session))
    }

    /// Sessions whose time is over expire, as they would by themselves.
    pub(super) fn expire_overdue(&self, state: &mut State, armed: &Armed) {
        let now = self.now();
        let overdue = |s: &&Value| s["status"] == "open" && s["expires_at"].as_i64().is_some_and(|at| at <= now);
        let sessions: Vec<_> = state.newest("checkout.session").filter(overdue).cloned().collect();
        for session in sessions {
            self.expire(state, session, armed);
        }
    }

    fn expire(&self, state: &mut State, mut session: Value, armed: &Armed) -> Value {
        session["status"] = json!("expired");
        session["url"] = Value::Null;
        state.put(&session);
        self.event(state, "checkout.session.expired", &shown(session.clone()), None, armed);
        shown(session)
    }

    pub(super) fn expire_session(&self, state: &mut State, id: &str, armed: &Armed) -> Result<Value, Failure> {
        let session = form::object(state, "checkout.session", id)?;
        if session["status"] != "open" {
            let why = "Only Checkout Sessions with a status in [\"open\"] can be expired.";
            return Err(Failure::invalid(
                "",
                "",
                &format!("{why} This one is {}.", session["status"]),
            ));
        }
        Ok(self.expire(state, session, armed))
    }

    /// The payer does something; events tell about it.
    pub(super) fn settle(
        &self,
        state: &mut State,
        mut session: Value,
        outcome: &str,
        armed: &Armed,
    ) -> Result<(), Refusal> {
        self.expire_overdue(state, armed);
        if let Some(now) = state.get(&session["id"]) {
            session = now;
        }
        let open = session["status"] == "open";
        let processing = session["status"] == "complete"
            && state
                .get(&session["payment_intent"])
                .is_some_and(|i| i["status"] == "processing");
        let outcome = if outcome == "paid" && armed.on("decline") {
            "declined"
        } else {
            outcome
        };
        match outcome {
            "paid" | "processing" if open => {
                let intent = self.intent_of(state, &session, outcome == "processing", armed);
                session["status"] = json!("complete");
                session["url"] = Value::Null;
                session["payment_intent"] = intent["id"].clone();
                let paid = intent["status"] == "succeeded";
                session["payment_status"] = json!(if paid { "paid" } else { "unpaid" });
                state.put(&session);
                self.event(state, "checkout.session.completed", &shown(session), None, armed);
            }
            "declined" if open => {
                let mut failed = self.new_intent(
                    &session["_intent"],
                    session["amount_total"].as_i64(),
                    &session["currency"],
                );
                failed["last_payment_error"] = json!({"type": "card_error", "code": "card_declined"});
                self.event(state, "payment_intent.payment_failed", &failed, None, armed);
            }
            "async_succeeded" | "async_failed" if processing => {
                let won = outcome == "async_succeeded";
                self.finish_processing(state, &session["payment_intent"], won, armed);
                if won {
                    session["payment_status"] = json!("paid");
                    state.put(&session);
                }
                let kind = format!(
                    "checkout.session.async_payment_{}",
                    if won { "succeeded" } else { "failed" }
                );
                self.event(state, &kind, &shown(session), None, armed);
            }
            "paid" | "processing" | "declined" => {
                let detail = format!("the session is {}, not open", session["status"]);
                return Err(Refusal::not_now(detail, "make a new session"));
            }
            "async_succeeded" | "async_failed" => {
                let hint = "first POST {\"outcome\": \"processing\"}";
                return Err(Refusal::not_now("the payment is not processing", hint));
            }
            other => {
                let hint = "paid, processing, declined, async_succeeded or async_failed";
                return Err(Refusal {
                    field: Some("outcome"),
                    ..Refusal::new(400, "outcome_unknown", format!("there is no outcome {other:?}"), hint)
                });
            }
        }
        Ok(())
    }

    /// Stripe's page: pay, be declined, or go back.
    pub(super) fn page(&self, call: &Call, armed: &Armed) -> Reply {
        let id = call.segments().last().map(|s| (*s).to_owned()).unwrap_or_default();
        let mut state = self.state();
        let Some(session) = state.session(&id) else {
            return Reply::html(404, page::document("No such session · 会话不存在", ""));
        };
        let url = |field: &str| {
            session[field]
                .as_str()
                .unwrap_or("/")
                .replace("{CHECKOUT_SESSION_ID}", &id)
        };
        if session["status"] != "open" {
            let status = escape(session["status"].as_str().unwrap_or_default());
            return Reply::html(200, page::document("Checkout · 收银台", &format!("<p>{status}</p>")));
        }
        if call.method == http::Method::GET {
            let amount = format!(
                "<p>{} {}</p>",
                session["amount_total"],
                escape(session["currency"].as_str().unwrap_or_default())
            );
            let options = [
                ("paid", "Pay · 付款"),
                ("processing", "Pay by a slow method · 延迟到账"),
                ("declined", "Be declined · 被拒绝"),
                ("cancel", "Back · 返回"),
            ];
            let form = page::choices(&call.path, &options);
            return Reply::html(200, page::document("Checkout · 收银台", &(amount + &form)));
        }
        let choice = call.form().get("choice").to_owned();
        if choice == "cancel" {
            return Reply::redirect(&url("cancel_url"));
        }
        let to = if choice == "declined" {
            call.path.clone()
        } else {
            url("success_url")
        };
        match self.settle(&mut state, session, &choice, armed) {
            Ok(()) => Reply::redirect(&to).notify(std::mem::take(&mut state.outbox)),
            Err(refusal) => refusal.reply(),
        }
    }
}

/// A session as Stripe shows it.
pub(super) fn shown(mut object: Value) -> Value {
    if let Some(fields) = object.as_object_mut() {
        fields.retain(|name, _| !name.starts_with('_'));
    }
    object
}

fn total(items: &Value) -> Result<(i64, String), Failure> {
    let missing = || Failure::invalid("parameter_missing", "line_items", "Missing required param: line_items.");
    let items = items.as_object().filter(|i| !i.is_empty()).ok_or_else(missing)?;
    let mut sum = 0_i64;
    let mut of: Option<String> = None;
    for (index, item) in items {
        let param = |name: &str| format!("line_items[{index}][{name}]");
        only(item, &["adjustable_quantity", "price_data", "quantity", "tax_rates"])?;
        let price = &item["price_data"];
        let unit = integer(&price["unit_amount"], &param("price_data][unit_amount"))?;
        let quantity = integer(&item["quantity"], &param("quantity"))?;
        let currency = currency(&price["currency"], &param("price_data][currency"))?;
        if unit < 0 || quantity < 1 || of.as_ref().is_some_and(|c| *c != currency) {
            return Err(Failure::invalid(
                "",
                &param("price_data"),
                "negative amounts, no quantity, or several currencies",
            ));
        }
        if price["product_data"]["name"].as_str().unwrap_or_default().is_empty() && price["product"].is_null() {
            return Err(Failure::invalid(
                "parameter_missing",
                &param("price_data][product_data][name"),
                "a product needs a name",
            ));
        }
        let line = unit.checked_mul(quantity).and_then(|line| sum.checked_add(line));
        sum = line
            .filter(|s| *s <= 99_999_999)
            .ok_or_else(|| Failure::invalid("amount_too_large", "line_items", "more than 999,999.99"))?;
        of = Some(currency);
    }
    Ok((sum, of.unwrap_or_default()))
}
