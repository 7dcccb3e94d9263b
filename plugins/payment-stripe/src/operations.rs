//! Looking up, capturing, cancelling, and testing the connection.

use crate::amount;
use crate::api::Api;
use crate::config::{API_KEY, Config, WEBHOOK_SECRET};
use crate::session::{self, EXPAND, State};
use aistack_sdk::form::{Form, encode_component};
use aistack_sdk::payment::{Payment, Status};
use aistack_sdk::{Context, Fault, Finding, Host, Kind, Money};
use serde_json::Value;

/// How many pages of sessions are searched for an order without a known session.
const SEARCH_PAGES: usize = 5;

/// Looks a payment up. Without Stripe's reference (the answer to `create` got lost) recent sessions are searched: the
/// API can't be asked by our order id.
pub(crate) fn fetch(host: &Host, ctx: &Context, order_id: &str, provider_ref: Option<&str>) -> Result<Payment, Fault> {
    let api = Api::open(host, ctx)?;
    let id = match provider_ref {
        Some(id) if !id.is_empty() => id.to_owned(),
        _ => search(&api, order_id)?,
    };
    read(&api, ctx, &id, order_id)
}

/// Looks a known payment up again.
pub(crate) fn refresh(host: &Host, ctx: &Context, payment: &Payment) -> Result<Payment, Fault> {
    let api = Api::open(host, ctx)?;
    read(&api, ctx, &payment.provider_ref, &State::of(payment).order)
}

fn read(api: &Api<'_>, ctx: &Context, id: &str, order: &str) -> Result<Payment, Fault> {
    let query = Form::new().with("expand[0]", EXPAND);
    let session = api.get(&format!("/v1/checkout/sessions/{}", encode_component(id)), query)?;
    session::read(&session, ctx, Some(order))
}

fn search(api: &Api<'_>, order_id: &str) -> Result<String, Fault> {
    let mut after: Option<String> = None;
    for _ in 0..SEARCH_PAGES {
        let query = Form::new()
            .with("limit", "100")
            .with_some("starting_after", after.as_deref());
        let page = api.get("/v1/checkout/sessions", query)?;
        let sessions = page["data"].as_array().map_or(&[][..], Vec::as_slice);
        let ours = sessions
            .iter()
            .find(|s| s["client_reference_id"].as_str() == Some(order_id));
        if let Some(id) = ours.and_then(|s| session::id_of(&s["id"])) {
            return Ok(id.to_owned());
        }
        after = sessions
            .last()
            .and_then(|s| session::id_of(&s["id"]))
            .map(str::to_owned);
        if page["has_more"] != true || after.is_none() {
            return Err(Fault::not_found(
                "order_unknown_to_stripe",
                format!("no session is about order {order_id}"),
            ));
        }
    }
    // More sessions than we may read: that it does not exist would be a guess, and a second charge its price.
    Err(Fault::conflict(
        "search_exhausted",
        format!("order {order_id} is not among the latest sessions"),
    ))
}

/// Captures an authorised payment.
pub(crate) fn capture(
    host: &Host,
    ctx: &Context,
    payment: &Payment,
    money: &Money,
    key: &str,
) -> Result<Payment, Fault> {
    let amount = amount::to_stripe(money)?;
    let api = Api::open(host, ctx)?;
    let intent = intent_of(&api, ctx, payment)?;
    let form = Form::new().with("amount_to_capture", amount.to_string());
    api.post(
        &format!("/v1/payment_intents/{}/capture", encode_component(&intent)),
        form,
        key,
    )?;
    read(&api, ctx, &payment.provider_ref, &State::of(payment).order)
}

/// Closes an open session, or voids an authorised payment.
pub(crate) fn cancel(host: &Host, ctx: &Context, payment: &Payment, key: &str) -> Result<Payment, Fault> {
    let api = Api::open(host, ctx)?;
    let order = State::of(payment).order;
    let now = read(&api, ctx, &payment.provider_ref, &order)?;
    match now.status {
        Status::Cancelled | Status::Failed => return Ok(now),
        Status::Created | Status::ActionNeeded | Status::Pending => {
            let path = format!("/v1/checkout/sessions/{}/expire", encode_component(&now.provider_ref));
            match api.post(&path, Form::new(), key) {
                Ok(_) => {}
                // It was paid or ran out in between; what it is now is asked below.
                Err(fault) if fault.kind == Kind::InvalidInput => {}
                Err(fault) => return Err(fault),
            }
        }
        Status::Authorised => {
            let intent = intent_of(&api, ctx, &now)?;
            api.post(
                &format!("/v1/payment_intents/{}/cancel", encode_component(&intent)),
                Form::new(),
                key,
            )?;
        }
        _ => {}
    }
    let after = read(&api, ctx, &payment.provider_ref, &order)?;
    if after.status == Status::Cancelled {
        return Ok(after);
    }
    let message = format!("the payment can't be cancelled, it is {:?}", after.status);
    Err(Fault::conflict("not_cancellable", message).provider_ref(after.provider_ref))
}

/// The PaymentIntent of a payment; a session has one from the moment it is paid.
pub(crate) fn intent_of(api: &Api<'_>, ctx: &Context, payment: &Payment) -> Result<String, Fault> {
    let state = State::of(payment);
    if let Some(intent) = state.payment_intent {
        return Ok(intent);
    }
    let now = read(api, ctx, &payment.provider_ref, &state.order)?;
    State::of(&now)
        .payment_intent
        .ok_or_else(|| Fault::conflict("not_paid", "nothing has been paid yet").provider_ref(&payment.provider_ref))
}

/// Checks configuration and secrets; `deep` also asks Stripe.
pub(crate) fn check(host: &Host, ctx: &Context, deep: bool) -> Vec<Finding> {
    let config: Config = match host.config() {
        Ok(config) => config,
        Err(fault) => return vec![Finding::problem(fault.message)],
    };
    let mut findings = vec![if config.test_mode {
        Finding::ok("test mode: no money moves").at("/test_mode")
    } else {
        Finding::ok("live mode").at("/test_mode")
    }];
    if !config.api_base.starts_with("https://") {
        let plain = "the API address is not https; the key would travel in the clear";
        findings.push(
            if config.test_mode {
                Finding::ok(plain)
            } else {
                Finding::problem(plain)
            }
            .at("/api_base"),
        );
    }
    for name in [API_KEY, WEBHOOK_SECRET] {
        findings.push(
            match host.secret_versions(name) {
                Ok(versions) => Finding::ok(format!("{name} is set ({} version(s))", versions.len())),
                Err(_) => Finding::problem(format!("the secret {name} is not set")),
            }
            .at(&format!("/{name}")),
        );
    }
    if deep {
        findings.push(connect(host, ctx));
    }
    findings
}

fn connect(host: &Host, ctx: &Context) -> Finding {
    let answer = Api::open(host, ctx).and_then(|api| api.get("/v1/balance", Form::new()));
    match answer {
        Ok(balance) => mode(&balance, ctx),
        // A restricted key need not see the balance; that it is known at all is what matters here.
        Err(fault) if fault.code == "api_key_lacks_permission" => {
            Finding::ok("Stripe knows the key; it is restricted, so its mode can't be seen").at("/api_key")
        }
        Err(fault) => Finding::problem(format!("{}: {}", fault.code, fault.message)).at("/api_key"),
    }
}

fn mode(balance: &Value, ctx: &Context) -> Finding {
    match session::check_mode(balance, ctx) {
        Ok(()) => Finding::ok("Stripe accepts the key").at("/api_key"),
        Err(fault) => Finding::problem(fault.message).at("/test_mode"),
    }
}
