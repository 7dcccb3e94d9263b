//! A payment plugin that can be installed and enabled like any other, and does what its config says: takes its time, loses
//! settings, computes without end, downloads without end, traps.

wit_bindgen::generate!({
    path: "../../../wit/v1",
    world: "aistack:payment/payment-provider@1.0.0",
    generate_all,
});

use aistack::core::types::{Context, Event, Fault, HttpRequest, HttpResponse, Kind, Money};
use aistack::host::{config, http};
use exports::aistack::{
    core::{documents, inbound, jobs, lifecycle},
    payment::{agreements, payments, refunds, settlement},
};
use serde_json::{Value, json};
use std::time::Duration;

const MANIFEST_TEXT: &[u8] = include_bytes!("manifest.toml");
#[used]
#[unsafe(link_section = "aistack:manifest")]
static MANIFEST: [u8; MANIFEST_TEXT.len()] = *include_bytes!("manifest.toml");
const SCHEMA_TEXT: &[u8] = include_bytes!("schema.json");
#[used]
#[unsafe(link_section = "aistack:config-schema")]
static SCHEMA: [u8; SCHEMA_TEXT.len()] = *include_bytes!("schema.json");

struct Hostile;
export!(Hostile);

fn settings() -> Value {
    serde_json::from_str(&config::get()).unwrap_or_default()
}

fn fault(kind: Kind, code: &str) -> Fault {
    Fault {
        kind,
        code: code.into(),
        message: "as the config says".into(),
        user_message: None,
        retry_after_ms: None,
        outcome_unknown: false,
        provider_ref: None,
    }
}

impl lifecycle::Guest for Hostile {
    fn describe() -> Vec<lifecycle::Feature> {
        vec![]
    }
    fn check(_: Context, _: bool) -> Vec<lifecycle::Finding> {
        let settings = settings();
        std::thread::sleep(Duration::from_millis(settings["check_ms"].as_u64().unwrap_or(0)));
        if settings["create"] == "trap" {
            panic!("on purpose");
        }
        vec![lifecycle::Finding {
            field: None,
            ok: true,
            message: settings["note"].as_str().unwrap_or("fine").into(),
        }]
    }
    fn migrate(_: Context, from: String, config: String) -> Result<String, Fault> {
        let mut settings: Value = serde_json::from_str(&config).unwrap_or_default();
        match settings["migrate"].as_str() {
            Some("lose") => Ok("{}".into()),
            Some("fail") => Err(fault(Kind::InvalidConfig, "cannot")),
            Some("note") => {
                settings["note"] = json!(format!("from {from}"));
                Ok(settings.to_string())
            }
            _ => Ok(config),
        }
    }
}

fn fetch(host: &Value) -> Result<HttpResponse, Fault> {
    let request = HttpRequest {
        method: "GET".into(),
        url: format!("http://{}/big", host.as_str().unwrap_or_default()),
        headers: vec![],
        body: vec![],
    };
    let options = http::Options {
        timeout_ms: 0,
        max_bytes: 0,
        redirects: 0,
        idempotent: true,
        ca: None,
    };
    http::send(&request, &http::Credential::None, &options)
}

impl payments::Guest for Hostile {
    fn create(_: Context, o: payments::Order) -> Result<payments::Payment, Fault> {
        let settings = settings();
        match settings["create"].as_str() {
            Some("spin") => loop {
                std::hint::black_box(0);
            },
            Some("fetch") => loop {
                fetch(&settings["host"])?;
            },
            Some("decline") => return Err(fault(Kind::Declined, "declined")),
            _ => {}
        }
        Ok(payments::Payment {
            provider_ref: format!("ref_{}", o.id),
            status: payments::Status::Pending,
            action: payments::Action::Redirect("https://pay.example/".into()),
            paid: None,
            fee: None,
            occurred_ms: None,
            state: vec![],
            raw: "{}".into(),
        })
    }
    fn resume(_: Context, p: payments::Payment, _: HttpRequest) -> Result<payments::Payment, Fault> {
        Ok(p)
    }
    fn fetch(_: Context, _: String, _: Option<String>) -> Result<payments::Payment, Fault> {
        aistack_hostile::unsupported!()
    }
    fn capture(_: Context, p: payments::Payment, _: Money, _: String) -> Result<payments::Payment, Fault> {
        Ok(p)
    }
    fn cancel(_: Context, p: payments::Payment, _: String) -> Result<payments::Payment, Fault> {
        Ok(p)
    }
}

aistack_hostile::idle_money!(Hostile);

impl inbound::Guest for Hostile {
    fn handle(_: Context, _: String, _: HttpRequest) -> Result<inbound::Outcome, Fault> {
        Err(fault(Kind::SignatureInvalid, "nobody"))
    }
}

impl documents::Guest for Hostile {
    fn get(_: Context, name: String) -> Result<documents::Doc, Fault> {
        match name.as_str() {
            "metadata.xml" => Ok(documents::Doc {
                media_type: "application/xml".into(),
                body: b"<metadata/>".to_vec(),
                max_age_s: 60,
            }),
            "huge" => Ok(documents::Doc {
                media_type: "text/plain".into(),
                body: vec![b'x'; 300 << 10],
                max_age_s: 0,
            }),
            _ => Err(fault(Kind::NotFound, "no_document")),
        }
    }
}

impl jobs::Guest for Hostile {
    fn start(_: Context, name: String, cursor: Option<Vec<u8>>) -> Result<jobs::Run, Fault> {
        let page = cursor.and_then(|c| c.first().copied()).unwrap_or(0);
        Ok(jobs::Run {
            events: vec![Event {
                id: format!("{name}-{page}"),
                kind: "note".into(),
                occurred_ms: 1_700_000_000_000,
                subject: "none".into(),
                data: "{}".into(),
            }],
            cursor: Some(vec![page + 1]),
            more: page < 2,
        })
    }
}
