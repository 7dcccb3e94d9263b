//! Payments through a service of your own: `POST /payments` makes one, `GET /payments/{order}` looks it up, and a signed
//! notification says that it was paid. Real providers want more; see `plugins/payment-stripe`.

use aistack_sdk::form::encode_component;
use aistack_sdk::host::{Credential, SendOptions};
use aistack_sdk::json::SecretName;
use aistack_sdk::payment::{Action, Order, Payment, Provider, Status};
use aistack_sdk::{
    Context, Event, Fault, Feature, Finding, Host, HttpRequest, HttpResponse, Kind, Money, Outcome, json,
};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    service_url: String,
    #[allow(dead_code, reason = "the secrets' names are fixed; a config may refer to them")]
    service_key: Option<SecretName>,
    #[allow(dead_code, reason = "as service_key")]
    notify_key: Option<SecretName>,
}

/// The plugin.
#[derive(Default)]
pub struct Pay;

impl Provider for Pay {
    fn describe(&self) -> Vec<Feature> {
        vec![Feature::new("payment")]
    }

    fn check(&self, host: &Host, _ctx: &Context, deep: bool) -> Vec<Finding> {
        let answer = host.config::<Config>().and_then(|config| {
            if deep {
                call(host, &HttpRequest::get(format!("{}/health", config.service_url))).map(drop)
            } else {
                Ok(())
            }
        });
        vec![match answer {
            Ok(()) => Finding::ok("fine"),
            Err(fault) => Finding::problem(fault.message).at("/service_url"),
        }]
    }

    fn create(&self, host: &Host, _ctx: &Context, order: Order) -> Result<Payment, Fault> {
        let currency = &order.amount.currency;
        if order.amount.minor <= 0 || currency.len() != 3 || !currency.bytes().all(|b| b.is_ascii_uppercase()) {
            return Err(Fault::invalid_input(
                "amount_invalid",
                "a positive amount in an ISO 4217 currency is needed",
            ));
        }
        let config: Config = host.config()?;
        let body = serde_json::json!({
            "order": order.id, "minor": order.amount.minor, "currency": currency,
            "description": order.description, "return_url": order.return_url,
        });
        let request = HttpRequest {
            method: "POST".into(),
            url: format!("{}/payments", config.service_url),
            headers: Vec::new(),
            body: body.to_string().into_bytes(),
        };
        let request = request
            .with_header("content-type", "application/json")
            .with_header("idempotency-key", &order.idempotency_key);
        // From here the service may have acted, whatever comes back.
        let answer = call(host, &request).map_err(|fault| match fault.kind {
            Kind::Transport | Kind::Provider => fault.outcome_unknown(),
            _ => fault,
        })?;
        read(&answer)
    }

    fn fetch(
        &self,
        host: &Host,
        _ctx: &Context,
        order_id: &str,
        _provider_ref: Option<&str>,
    ) -> Result<Payment, Fault> {
        let config: Config = host.config()?;
        read(&call(
            host,
            &HttpRequest::get(format!(
                "{}/payments/{}",
                config.service_url,
                encode_component(order_id)
            )),
        )?)
    }

    fn inbound(&self, host: &Host, _ctx: &Context, endpoint: &str, request: HttpRequest) -> Result<Outcome, Fault> {
        if endpoint != "notify" {
            return Err(Fault::not_found(
                "no_such_endpoint",
                format!("there is no endpoint {endpoint:?}"),
            ));
        }
        verify(host, &request)?;
        let notice = json::parse(&request.body)?;
        let text = |name: &str| notice[name].as_str().unwrap_or_default().to_owned();
        let data = serde_json::json!({
            "status": "paid", "provider_ref": notice["payment"],
            "paid": {"minor": notice["minor"], "currency": notice["currency"]},
        });
        let event = Event {
            id: text("id"),
            kind: "payment.paid".into(),
            occurred_ms: notice["at_ms"].as_u64().unwrap_or(0),
            subject: text("order"),
            data: data.to_string(),
        };
        Ok(Outcome {
            ack: HttpResponse::text(200, "ok"),
            nack: HttpResponse::text(503, "later"),
            events: vec![event],
        })
    }
}

/// HMAC-SHA256 over the raw body, as hex in `x-signature`. The host compares in constant time and knows the keys.
fn verify(host: &Host, request: &HttpRequest) -> Result<(), Fault> {
    let wrong = || Fault::signature_invalid("signature_mismatch", "the notification is not signed by the service");
    let hex = request.header("x-signature").ok_or_else(wrong)?;
    let nibble = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let tag: Vec<u8> = hex
        .as_bytes()
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some(nibble(*high)? << 4 | nibble(*low)?),
            _ => None,
        })
        .collect::<Option<_>>()
        .ok_or_else(wrong)?;
    for key in host.secret_versions("notify_key")? {
        if host.mac_verify("HS256", &key, &request.body, &tag)? {
            return Ok(());
        }
    }
    Err(wrong())
}

fn read(answer: &Value) -> Result<Payment, Fault> {
    let unreadable = || Fault::provider("answer_unreadable", "the service's answer is not a payment");
    let status = match answer["status"].as_str() {
        Some("open") => Status::ActionNeeded,
        Some("paid") => Status::Paid,
        Some("failed") => Status::Failed,
        _ => return Err(unreadable().outcome_unknown()),
    };
    let paid = match (
        status,
        answer["minor"].as_i64(),
        answer["currency"].as_str(),
        answer["exponent"].as_u64(),
    ) {
        (Status::Paid, Some(minor), Some(currency), Some(exponent)) => {
            let exponent = u8::try_from(exponent).map_err(|_| unreadable())?;
            Some(Money {
                minor,
                currency: currency.to_owned(),
                exponent,
            })
        }
        _ => None,
    };
    Ok(Payment {
        provider_ref: answer["id"]
            .as_str()
            .filter(|id| !id.is_empty())
            .ok_or_else(unreadable)?
            .to_owned(),
        status,
        action: answer["url"]
            .as_str()
            .map_or(Action::None, |url| Action::Redirect(url.to_owned())),
        paid,
        fee: None,
        occurred_ms: None,
        state: Vec::new(),
        raw: serde_json::json!({"status": answer["status"]}).to_string(),
    })
}

fn call(host: &Host, request: &HttpRequest) -> Result<Value, Fault> {
    let key = host.secret("service_key")?;
    let options = SendOptions {
        timeout_ms: 5000,
        max_bytes: 64 << 10,
        redirects: 0,
        idempotent: true,
        ca: None,
    };
    let answer = host.send(request, Credential::Bearer(&key), &options)?;
    match answer.status {
        200 => json::parse(&answer.body),
        404 => Err(Fault::not_found("payment_unknown", "the service has no such payment")),
        status => Err(Fault::provider(
            "service_refused",
            format!("the service answered {status}"),
        )),
    }
}

aistack_sdk::export_payment!(Pay);

#[cfg(test)]
mod tests {
    use super::*;
    use aistack_sdk_test::conformance::payment::{Facts, run};
    use aistack_sdk_test::{FakeHost, conformance, get, money, post};
    use serde_json::json;

    const MANIFEST: &str = include_str!("../aistack-plugin.toml");
    const SCHEMA: &str = include_str!("../config.schema.json");

    fn host(config: Value) -> FakeHost {
        FakeHost::for_plugin(MANIFEST, config)
            .secret("service_key", "key-1")
            .secret("notify_key", "key-2")
            .on(get("https://pay.example.test/health"))
            .reply_json(200, json!({}))
            .on(post("https://pay.example.test/payments"))
            .reply_json(
                200,
                json!({"id": "p-1", "status": "open", "url": "https://pay.example.test/p-1"}),
            )
    }

    fn order() -> Order {
        Order {
            id: "ord_1".into(),
            amount: money(500, "USD", 2),
            description: "Pro".into(),
            method: String::new(),
            payer: "{}".into(),
            capture: true,
            return_url: "https://acme.example.test/back".into(),
            notify_url: "https://acme.example.test/hooks/k/notify".into(),
            expires_ms: None,
            agreement: None,
            idempotency_key: "ord_1".into(),
            metadata: Vec::new(),
            extra: "{}".into(),
        }
    }

    fn delivery(_: &FakeHost) -> HttpRequest {
        let body =
            json!({"id": "n-1", "order": "ord_1", "payment": "p-1", "minor": 500, "currency": "USD", "at_ms": 1})
                .to_string();
        let service = FakeHost::new().secret("k", "key-2");
        let tag = service
            .mac("HS256", &service.secret_handle("k"), body.as_bytes())
            .unwrap();
        let hex: String = tag.iter().map(|b| format!("{b:02x}")).collect();
        HttpRequest {
            method: "POST".into(),
            url: "/".into(),
            headers: Vec::new(),
            body: body.into_bytes(),
        }
        .with_header("x-signature", hex)
    }

    #[test]
    fn conforms() {
        let config = json!({"service_url": "https://pay.example.test"});
        let suite = conformance::Plugin {
            plugin: Pay,
            manifest: MANIFEST,
            schema: SCHEMA,
            config,
            host: &host,
        };
        let facts = Facts {
            order: order(),
            secrets: &["key-1", "key-2"],
            endpoint: "notify",
            delivery: &delivery,
            signature_header: Some("x-signature"),
        };
        run(&suite, &facts);
    }
}
