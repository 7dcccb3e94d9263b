//! A payment plugin that answers as the order's `extra` asks for: wrong money, huge state, downloads.

wit_bindgen::generate!({
    path: "../../../wit/v1",
    world: "aistack:payment/payment-provider@1.0.0",
    generate_all,
});

mod calls;

use aistack::core::types::{Context, Fault, HttpRequest, Kind, Money};
use aistack::host::{config, crypto, download, http, secrets};
use exports::aistack::payment::{agreements, payments, refunds, settlement};
use serde_json::{Value, json};

aistack_hostile::embed!(b"id = \"test.hostile-payment\"\nversion = \"1.0.0\"\n");

struct Hostile;
aistack_hostile::idle_core!(Hostile, inbound);
export!(Hostile);

fn text(v: &Value, key: &str) -> String {
    v[key].as_str().unwrap_or_default().to_owned()
}

fn fetch(a: &Value) -> Result<Value, Fault> {
    let request = HttpRequest {
        method: "GET".into(),
        url: text(a, "url"),
        headers: vec![],
        body: vec![],
    };
    let unpack = match text(a, "unpack").as_str() {
        "gzip" => download::Packing::Gzip,
        "zip" => download::Packing::Zip,
        _ => download::Packing::None,
    };
    let max = a["max"].as_u64().unwrap_or(1 << 20);
    let files = download::fetch(&request, &http::Credential::None, unpack, a["charset"].as_str(), max)?;
    let f = &files[0];
    let head = f.read(0, 64)?;
    Ok(
        json!({ "name": f.name(), "size": f.size(), "head": String::from_utf8_lossy(&head),
        "beyond": f.read(f.size() + 1, 10)?.len(), "digest": f.digest("SHA-1")?.len() }),
    )
}

impl payments::Guest for Hostile {
    fn create(_: Context, o: payments::Order) -> Result<payments::Payment, Fault> {
        let asked: Value = serde_json::from_str(&o.extra).unwrap_or_default();
        let mut p = payments::Payment {
            provider_ref: "ref_1".into(),
            status: payments::Status::Paid,
            action: payments::Action::None,
            paid: Some(o.amount.clone()),
            fee: None,
            occurred_ms: Some(1_700_000_000_000),
            state: vec![1, 2, 3],
            raw: "{}".into(),
        };
        match text(&asked, "do").as_str() {
            "exponent" => {
                p.paid = Some(Money {
                    exponent: 9,
                    ..o.amount
                })
            }
            "negative" => p.paid = Some(Money { minor: -1, ..o.amount }),
            "state" => p.state = vec![0; 17 << 10],
            "script" => p.action = payments::Action::Redirect("javascript:alert(1)".into()),
            "calls" => p.raw = json!({ "calls": calls::make(&asked["calls"]) }).to_string(),
            "fetch" => p.raw = fetch(&asked)?.to_string(),
            "fetch-all" => {
                let mut done = 0;
                p.raw = loop {
                    match fetch(&asked) {
                        Ok(_) => done += 1,
                        Err(f) if asked["pass"] == true => return Err(f),
                        Err(f) => break json!({ "done": done, "code": f.code }).to_string(),
                    }
                }
            }
            "fetch-with-secret" => {
                let key = secrets::open("key", None)?;
                let request = HttpRequest {
                    method: "GET".into(),
                    url: text(&asked, "url"),
                    headers: vec![],
                    body: vec![],
                };
                let cred = http::Credential::Bearer(&key);
                let files = download::fetch(&request, &cred, download::Packing::None, None, 1 << 20)?;
                p.raw = json!({ "text": String::from_utf8_lossy(&files[0].read(0, 1 << 16)?) }).to_string();
            }
            "charge-and-spin" => {
                let request = HttpRequest {
                    method: "POST".into(),
                    url: text(&asked, "url"),
                    headers: vec![],
                    body: b"x".to_vec(),
                };
                let options = http::Options {
                    timeout_ms: 0,
                    max_bytes: 0,
                    redirects: 0,
                    idempotent: false,
                    ca: None,
                };
                http::send(&request, &http::Credential::None, &options)?;
                loop {
                    std::hint::black_box(());
                }
            }
            // Ordinary work: three host calls (config, open, mac; the handle's drop is the fourth crossing).
            "work" => {
                let url = aistack_hostile::work::create_payment(&config::get(), &o.extra, |body| {
                    let key = secrets::open("key", None)?;
                    crypto::mac("HS256", &key, body)
                })?;
                p.action = payments::Action::Redirect(url);
            }
            _ => {}
        }
        Ok(p)
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
        Ok(payments::Payment {
            status: payments::Status::Cancelled,
            ..p
        })
    }
}

aistack_hostile::idle_money!(Hostile);
