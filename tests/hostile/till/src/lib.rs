//! A payment plugin that can be installed: its config says what it makes of an order (`{"create": {…}, "fetch": {…}}`),
//! and a delivery's body what it reports. What it says about money is checked by the platform, or by nobody.

wit_bindgen::generate!({
    path: "../../../wit/v1",
    world: "aistack:payment/payment-provider@1.0.0",
    generate_all,
});

use aistack::core::types::{Context, Fault, HttpRequest, Kind, Money};
use aistack::host::config;
use exports::aistack::payment::{agreements, payments, refunds, settlement};
use serde_json::Value;

aistack_hostile::embed!(
    br#"
id = "test.till"
version = "1.0.0"
world = "aistack:payment/payment-provider@1.0"
publisher = "test"
name = { en = "A till that lies" }

[[endpoint]]
name = "notify"
methods = ["GET", "POST"]
max-body = "256KiB"

[config]
schema = "config.schema.json"

[failure]
breaker = { errors = 100, window = "1s", open = "1s" }
"#
);

struct Till;
aistack_hostile::idle_core!(Till);
aistack_hostile::obedient_inbound!(Till);
export!(Till);

fn text(v: &Value, key: &str) -> Option<String> {
    v[key].as_str().map(str::to_owned)
}

fn told(operation: &str) -> Value {
    let config: Value = serde_json::from_str(&config::get()).unwrap_or_default();
    config[operation].clone()
}

fn status(name: &str) -> payments::Status {
    use payments::Status as S;
    match name {
        "paid" => S::Paid,
        "refunded" => S::Refunded,
        "failed" => S::Failed,
        "cancelled" => S::Cancelled,
        "unknown" => S::Unknown,
        "created" => S::Created,
        _ => S::Pending,
    }
}

fn payment(told: &Value, order: &str) -> payments::Payment {
    let money = |v: &Value| {
        v.is_object().then(|| Money {
            minor: v["minor"].as_i64().unwrap_or_default(),
            currency: text(v, "currency").unwrap_or_default(),
            exponent: v["exponent"].as_u64().unwrap_or(2) as u8,
        })
    };
    let action = &told["action"];
    payments::Payment {
        provider_ref: text(told, "ref").unwrap_or_else(|| format!("ref-of-{order}")),
        status: status(told["status"].as_str().unwrap_or("pending")),
        action: match (text(action, "redirect"), text(action, "form_post")) {
            (Some(url), _) => payments::Action::Redirect(url),
            (_, Some(url)) => payments::Action::FormPost((url, vec![])),
            _ => payments::Action::None,
        },
        paid: money(&told["paid"]),
        fee: None,
        occurred_ms: Some(1_700_000_000_000),
        state: vec![b's'; told["state"].as_u64().unwrap_or(3) as usize],
        raw: "{}".into(),
    }
}

impl payments::Guest for Till {
    fn create(_: Context, o: payments::Order) -> Result<payments::Payment, Fault> {
        Ok(payment(&told("create"), &o.id))
    }
    fn resume(_: Context, p: payments::Payment, _: HttpRequest) -> Result<payments::Payment, Fault> {
        Ok(p)
    }
    fn fetch(_: Context, order: String, _: Option<String>) -> Result<payments::Payment, Fault> {
        Ok(payment(&told("fetch"), &order))
    }
    fn capture(_: Context, p: payments::Payment, _: Money, _: String) -> Result<payments::Payment, Fault> {
        Ok(p)
    }
    fn cancel(_: Context, p: payments::Payment, _: String) -> Result<payments::Payment, Fault> {
        Ok(payments::Payment {
            status: payments::Status::Cancelled,
            ..p
        })
    }
}

impl refunds::Guest for Till {
    fn create(_: Context, _: payments::Payment, _: refunds::Refund) -> Result<refunds::Refund, Fault> {
        aistack_hostile::unsupported!()
    }
    fn fetch(_: Context, _: payments::Payment, _: String) -> Result<refunds::Refund, Fault> {
        aistack_hostile::unsupported!()
    }
}

impl agreements::Guest for Till {
    fn begin(
        _: Context,
        _: agreements::Agreement,
        _: String,
        _: String,
        _: String,
    ) -> Result<agreements::Agreement, Fault> {
        aistack_hostile::unsupported!()
    }
    fn resume(_: Context, _: agreements::Agreement, _: HttpRequest) -> Result<agreements::Agreement, Fault> {
        aistack_hostile::unsupported!()
    }
    fn change(
        _: Context,
        _: agreements::Agreement,
        _: String,
        _: String,
        _: String,
    ) -> Result<agreements::Agreement, Fault> {
        aistack_hostile::unsupported!()
    }
    fn fetch(_: Context, _: agreements::Agreement) -> Result<agreements::Agreement, Fault> {
        aistack_hostile::unsupported!()
    }
}

impl settlement::Guest for Till {
    fn pull(_: Context, _: String, _: String, _: Option<Vec<u8>>) -> Result<settlement::Page, Fault> {
        aistack_hostile::unsupported!()
    }
}
