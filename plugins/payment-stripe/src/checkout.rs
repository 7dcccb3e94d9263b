//! Creating a Checkout Session. The same order is the same request, byte for byte, however often and whenever it is
//! tried: Stripe refuses an idempotency key that comes with other parameters.

use crate::api::Api;
use crate::session::{self, ORDER};
use crate::{amount, config::Config};
use aistack_sdk::form::Form;
use aistack_sdk::payment::{Order, Payment, Status};
use aistack_sdk::{Context, Fault, Host, Kind, json};

/// Stripe accepts an end of the offer between 30 minutes and 24 hours from now; a minute is kept as margin.
const SHORTEST_MS: u64 = 31 * 60_000;
const LONGEST_MS: u64 = (24 * 60 - 1) * 60_000;
/// How long Stripe remembers an idempotency key, and so how long we remember what we sent with it.
const REMEMBER_S: u32 = 48 * 3600;
/// Longest product name.
const NAME_CHARS: usize = 250;

pub(crate) fn create(host: &Host, ctx: &Context, order: &Order) -> Result<Payment, Fault> {
    if !["", "checkout"].contains(&order.method.as_str()) {
        return Err(Fault::invalid_input(
            "method_unknown",
            format!("there is no method {:?}", order.method),
        ));
    }
    if order.agreement.is_some() {
        return Err(Fault::unsupported("charging under an agreement"));
    }
    if order.id.is_empty() || order.id.len() > 200 {
        return Err(Fault::invalid_input(
            "order_id_invalid",
            "an order id has 1 to 200 bytes",
        ));
    }
    let amount = amount::to_stripe(&order.amount)?;
    let api = Api::open(host, ctx)?;
    let form = parameters(host, order, &api.config, amount)?;
    let session = api.post("/v1/checkout/sessions", form, &order.idempotency_key)?;
    let payment = session::read(&session, ctx, Some(&order.id)).map_err(doubtful)?;
    if payment.status == Status::Created {
        let fault = Fault::provider(
            "checkout_without_url",
            "Stripe made a session without a page to send the payer to",
        );
        return Err(fault.outcome_unknown());
    }
    Ok(payment)
}

/// The session exists although we can't make sense of it.
fn doubtful(fault: Fault) -> Fault {
    if fault.kind == Kind::Provider {
        fault.outcome_unknown()
    } else {
        fault
    }
}

fn parameters(host: &Host, order: &Order, config: &Config, amount: i64) -> Result<Form, Fault> {
    let name = if order.description.trim().is_empty() {
        &order.id
    } else {
        order.description.trim()
    };
    let name: String = name.chars().take(NAME_CHARS).collect();
    let cancel_url = Form::new().with("cancelled", "1").append_to(&order.return_url);
    let mut form = Form::new()
        .with("mode", "payment")
        .with("client_reference_id", &order.id)
        .with("success_url", &order.return_url)
        .with("cancel_url", cancel_url)
        .with("line_items[0][quantity]", "1")
        .with(
            "line_items[0][price_data][currency]",
            order.amount.currency.to_ascii_lowercase(),
        )
        .with("line_items[0][price_data][unit_amount]", amount.to_string())
        .with("line_items[0][price_data][product_data][name]", name);
    for (i, method) in config.payment_method_types.iter().enumerate() {
        form.push(&format!("payment_method_types[{i}]"), method);
    }
    let payer = json::parse(order.payer.as_bytes())?;
    form = form
        .with_some("customer_email", payer["email"].as_str().filter(|e| !e.is_empty()))
        .with("locale", payer["locale"].as_str().map_or("auto", locale));
    if let Some(until) = order.expires_ms {
        form.push("expires_at", expiry(host, &order.idempotency_key, until)?.to_string());
    }
    if !order.capture {
        form.push("payment_intent_data[capture_method]", "manual");
    }
    if !config.statement_descriptor_suffix.is_empty() {
        form.push(
            "payment_intent_data[statement_descriptor_suffix]",
            &config.statement_descriptor_suffix,
        );
    }
    metadata(&mut form, order)?;
    Ok(form)
}

/// On the session for people in the dashboard; on the PaymentIntent because charges inherit it, and refund and dispute
/// events know nothing of the session.
fn metadata(form: &mut Form, order: &Order) -> Result<(), Fault> {
    let fits =
        |key: &str, value: &str| !key.is_empty() && key.len() <= 40 && !key.contains(['[', ']']) && value.len() <= 500;
    if order.metadata.len() > 45 || !order.metadata.iter().all(|p| fits(&p.key, &p.value)) {
        return Err(Fault::invalid_input(
            "metadata_too_large",
            "at most 45 entries, names of 40 and values of 500 bytes",
        ));
    }
    for prefix in ["metadata", "payment_intent_data[metadata]"] {
        form.push(&format!("{prefix}[{ORDER}]"), &order.id);
        for pair in order.metadata.iter().filter(|p| p.key != ORDER) {
            form.push(&format!("{prefix}[{}]", pair.key), &pair.value);
        }
    }
    Ok(())
}

/// The end of the offer in Unix seconds, moved into what Stripe accepts. What was chosen for a key is remembered, since
/// a later try would choose differently. (The platform closes an offer that ends earlier by `cancel`.)
fn expiry(host: &Host, key: &str, until_ms: u64) -> Result<u64, Fault> {
    // A key of the space is shorter than a key of Stripe's may be.
    let digest = host.digest("SHA-256", key.as_bytes())?;
    let slot = format!(
        "expiry/{}",
        digest.iter().map(|b| format!("{b:02x}")).collect::<String>()
    );
    let remembered = |entry: Option<aistack_sdk::host::KvEntry>| {
        entry.and_then(|e| core::str::from_utf8(&e.value).ok().and_then(|t| t.parse().ok()))
    };
    if let Some(chosen) = remembered(host.kv_get(&slot)?) {
        return Ok(chosen);
    }
    let now = host.now_ms();
    if until_ms <= now {
        return Err(Fault::expired("order_expired", "the offer has ended"));
    }
    let chosen = until_ms.clamp(now + SHORTEST_MS, now + LONGEST_MS) / 1000;
    if host.kv_put_absent(&slot, chosen.to_string().as_bytes(), Some(REMEMBER_S))? {
        return Ok(chosen);
    }
    // Another call was quicker: its choice counts.
    remembered(host.kv_get(&slot)?).ok_or_else(|| Fault::conflict("expiry_contended", "try again").retry_after_ms(500))
}

/// The page's language, of those Stripe has.
fn locale(tag: &str) -> &'static str {
    const KNOWN: &[&str] = &[
        "bg", "cs", "da", "de", "el", "en-GB", "en", "es-419", "es", "et", "fi", "fil", "fr-CA", "fr", "hr", "hu",
        "id", "it", "ja", "ko", "lt", "lv", "ms", "mt", "nb", "nl", "pl", "pt-BR", "pt", "ro", "ru", "sk", "sl", "sv",
        "th", "tr", "vi", "zh-HK", "zh-TW", "zh",
    ];
    let exact = KNOWN.iter().find(|k| k.eq_ignore_ascii_case(tag));
    let language = tag.split(['-', '_']).next().unwrap_or_default();
    exact
        .or_else(|| KNOWN.iter().find(|k| k.eq_ignore_ascii_case(language)))
        .copied()
        .unwrap_or("auto")
}
