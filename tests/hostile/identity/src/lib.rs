//! An identity plugin that does what `start.extra` asks for: `{"do": "spin"}` and so on. Answers come back as a step
//! `wait` with a JSON object.

wit_bindgen::generate!({
    path: "../../../wit/v1",
    world: "aistack:identity/identity-provider@1.0.0",
    generate_all,
});

mod calls;

use aistack::core::types::{Context, Fault, Kind, Pair};
use aistack::host::{clock, config, crypto, dial, http, kv, log, random, reveal, secrets};
use exports::aistack::identity::{directory, login};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};

aistack_hostile::embed!(b"id = \"test.hostile\"\nversion = \"1.0.0\"\n");

struct Hostile;
aistack_hostile::idle_core!(Hostile, inbound);
export!(Hostile);

/// Would leak from call to call if instances were reused.
static CALLS: AtomicU32 = AtomicU32::new(0);

type Answer = Result<Value, Fault>;

fn text(v: &Value, key: &str) -> String {
    v[key].as_str().unwrap_or_default().to_owned()
}
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2)
        .filter_map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).ok())
        .collect()
}

#[inline(never)]
fn recurse(n: u64) -> u64 {
    let big = [n; 64];
    std::hint::black_box(&big);
    if n == u64::MAX {
        0
    } else {
        recurse(n + 1) + big[(n % 64) as usize]
    }
}

fn send(a: &Value) -> Answer {
    let headers = a["headers"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|h| (text(h, "name"), text(h, "value").into_bytes()))
        .collect();
    let request = http::HttpRequest {
        method: a["method"].as_str().unwrap_or("GET").into(),
        url: text(a, "url"),
        headers,
        body: text(a, "body").into_bytes(),
    };
    let options = http::Options {
        timeout_ms: a["timeout_ms"].as_u64().unwrap_or(0) as u32,
        max_bytes: a["max_bytes"].as_u64().unwrap_or(0) as u32,
        redirects: a["redirects"].as_u64().unwrap_or(0) as u8,
        idempotent: a["idempotent"].as_bool().unwrap_or(false),
        ca: a["ca"].as_str().map(Into::into),
    };
    let secret = match a["secret"].as_str() {
        Some(name) => Some(secrets::open(name, None)?),
        None => None,
    };
    let name = text(a, "as_name");
    let credential = match (text(a, "as").as_str(), &secret) {
        ("bearer", Some(s)) => http::Credential::Bearer(s),
        ("basic", Some(s)) => http::Credential::Basic((name, s)),
        ("header", Some(s)) => http::Credential::Header((name, s)),
        ("query", Some(s)) => http::Credential::Query((name, s)),
        ("form", Some(s)) => http::Credential::Form((name, s)),
        ("client-cert", Some(s)) => http::Credential::ClientCert(s),
        _ => http::Credential::None,
    };
    let r = http::send(&request, &credential, &options)?;
    Ok(json!({ "status": r.status, "body": String::from_utf8_lossy(&r.body),
        "headers": r.headers.iter().map(|(k, v)| format!("{k}: {}", String::from_utf8_lossy(v))).collect::<Vec<_>>() }))
}

fn talk(a: &Value) -> Answer {
    let conn = dial::connect(&endpoint(a), None)?;
    let mut heard = Vec::new();
    for step in a["steps"].as_array().into_iter().flatten() {
        match text(step, "do").as_str() {
            "write" => conn.write(text(step, "text").as_bytes())?,
            "secret" => {
                let s = secrets::open(&text(step, "name"), None)?;
                conn.write_secret(b"<", &s, b">")?;
            }
            "start-tls" => conn.start_tls()?,
            "pause" => std::thread::sleep(std::time::Duration::from_millis(600)),
            "flood" => {
                for _ in 0..step["n"].as_u64().unwrap_or(u64::MAX) {
                    conn.write(&[b'x'; 64 << 10])?;
                }
            }
            _ => {
                let max = step["max"].as_u64().unwrap_or(1024) as u32;
                heard.push(String::from_utf8_lossy(&conn.read(max)?).into_owned());
            }
        }
    }
    Ok(json!({ "heard": heard }))
}

fn endpoint(a: &Value) -> dial::Endpoint {
    dial::Endpoint {
        host: text(a, "host"),
        port: a["port"].as_u64().unwrap_or(0) as u16,
        tls: match text(a, "tls").as_str() {
            "direct" => dial::Tls::Direct,
            "starttls" => dial::Tls::Starttls,
            _ => dial::Tls::None,
        },
        server_name: a["server_name"].as_str().map(Into::into),
        ca: a["ca"].as_str().map(Into::into),
        timeout_ms: 0,
    }
}

/// Opens connections until it can't, and holds them all for a while.
fn hoard(a: &Value) -> Answer {
    let (mut kept, mut code) = (Vec::new(), String::new());
    while kept.len() < a["n"].as_u64().unwrap_or(u64::MAX) as usize {
        match dial::connect(&endpoint(a), None) {
            Ok(c) => kept.push(c),
            Err(f) => {
                code = f.code;
                break;
            }
        }
    }
    std::thread::sleep(std::time::Duration::from_millis(a["ms"].as_u64().unwrap_or(0)));
    Ok(json!({ "held": kept.len(), "code": code }))
}

/// Takes a secret and tries to carry it out.
fn leak(a: &Value) -> Answer {
    let secret = reveal::expose(&secrets::open(&text(a, "name"), None)?)?;
    let shown = match text(a, "as").as_str() {
        "hex" => hex(&secret),
        _ => String::from_utf8_lossy(&secret).into_owned(),
    };
    match text(a, "how").as_str() {
        "log" => log::emit(log::Level::Info, &format!("it is {shown}"), &[(shown.clone(), shown)]),
        "stderr" => eprintln!("it is {shown}"),
        "panic" => panic!("it is {shown}"),
        "fault" => {
            return Err(Fault {
                kind: Kind::Provider,
                code: shown.clone(),
                message: format!("it is {shown}"),
                user_message: Some(shown.clone()),
                retry_after_ms: None,
                outcome_unknown: false,
                provider_ref: Some(shown),
            });
        }
        "kv" => {
            kv::put("copy", format!("it is {shown}").as_bytes(), None, None)?;
        }
        "kv-key" => {
            kv::put(&shown, b"1", None, None)?;
        }
        "body" | "url" | "header" => {
            let mut request = a.clone();
            match text(a, "how").as_str() {
                "body" => request["body"] = json!(shown),
                "url" => request["url"] = json!(format!("{}?x={shown}", text(a, "url"))),
                _ => request["headers"] = json!([{ "name": "x-note", "value": shown }]),
            }
            return send(&request);
        }
        "dial" => dial::connect(&endpoint(a), None)?.write(shown.as_bytes())?,
        _ => return Ok(json!({ "x": shown })),
    }
    Ok(json!(null))
}

/// Expands nested entities the way a careless XML parser does.
fn expand(text: &str, depth: u32) -> String {
    let mut out = String::new();
    for _ in 0..10 {
        out += &if depth == 0 {
            text.to_owned()
        } else {
            expand(text, depth - 1)
        };
    }
    out
}

fn act(a: &Value) -> Answer {
    Ok(match text(a, "do").as_str() {
        "spin" => loop {
            std::hint::black_box(());
        },
        "cheap" => loop {
            std::hint::black_box(clock::now_ms());
        },
        "recurse" => json!(recurse(0)),
        "bomb" => {
            let mut all: Vec<Vec<u8>> = Vec::new();
            loop {
                all.push(vec![1; 1 << 20]);
            }
        }
        "grow" => json!({ "grown": std::arch::wasm32::memory_grow(0, 65_000) != usize::MAX }),
        "huge" => json!({ "x": "x".repeat(a["bytes"].as_u64().unwrap_or(16 << 20) as usize) }),
        "huge-log" => {
            log::emit(log::Level::Info, &"x".repeat(6 << 20), &[]);
            json!(null)
        }
        "log-flood" => {
            for i in 0..a["lines"].as_u64().unwrap_or(u64::MAX) {
                log::emit(log::Level::Info, &format!("line {i}\u{1b}[31m\nforged"), &[]);
            }
            json!(null)
        }
        "handles" => {
            let mut kept = Vec::new();
            loop {
                kept.push(secrets::open("key", None)?);
            }
        }
        "panic" => panic!("on purpose"),
        "exit" => std::process::exit(3),
        "sleep" => {
            std::thread::sleep(std::time::Duration::from_millis(a["ms"].as_u64().unwrap_or(0)));
            json!(null)
        }
        "count" => json!({ "calls": CALLS.fetch_add(1, Ordering::Relaxed) }),
        "map" => {
            let m: std::collections::HashMap<u32, u32> = (0..100).map(|i| (i, i)).collect();
            json!({ "len": m.len(), "now": std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as u64 })
        }
        // What is another each time.
        "now" => {
            let m: std::collections::HashMap<u32, u32> = (0..20).map(|i| (i, i)).collect();
            let ns = std::time::Instant::now().elapsed().subsec_nanos();
            json!({ "ms": clock::now_ms(), "ns": [clock::monotonic_ns(), u64::from(ns)], "order": m.keys().collect::<Vec<_>>() })
        }
        "env" => json!({ "vars": std::env::vars().count(), "args": std::env::args().count(),
            "stdin": std::io::read_to_string(std::io::stdin()).unwrap_or_default() }),
        "random" => json!({ "bytes": hex(&random::bytes(a["n"].as_u64().unwrap_or(8) as u32)) }),
        "config" => json!({ "config": config::get() }),
        "versions" => {
            let mut sizes = Vec::new();
            for v in secrets::versions(&text(a, "name"))? {
                sizes.push(secrets::open(&text(a, "name"), Some(&v))?.size());
            }
            json!({ "sizes": sizes })
        }
        "reveal" => {
            json!({ "size": reveal::expose(&secrets::open(&text(a, "name"), None)?)?.len() })
        }
        "mac" => {
            json!({ "tag": hex(&crypto::mac(&text(a, "alg"), &secrets::open(&text(a, "name"), None)?, text(a, "data").as_bytes())?) })
        }
        "mac-any" => {
            let (data, tag) = (text(a, "data").into_bytes(), unhex(&text(a, "tag")));
            let mut found = false;
            for v in secrets::versions(&text(a, "name"))? {
                let key = secrets::open(&text(a, "name"), Some(&v))?;
                found |= crypto::mac_verify("HS256", &key, &data, &tag)?;
            }
            json!({ "valid": found })
        }
        "verify" => {
            json!({ "valid": crypto::verify(&text(a, "alg"), text(a, "key").as_bytes(), text(a, "data").as_bytes(), &unhex(&text(a, "sig")))? })
        }
        "kv" => {
            let (key, value) = (text(a, "key"), text(a, "value").into_bytes());
            match text(a, "op").as_str() {
                "get" => json!({ "value": kv::get(&key)?.map(|e| String::from_utf8_lossy(&e.value).into_owned()) }),
                "big" => {
                    json!({ "version": kv::put(&key, &vec![0; a["bytes"].as_u64().unwrap_or(65 << 10) as usize], None, None)? })
                }
                _ => json!({ "version": kv::put(&key, &value, None, a["if_version"].as_u64())? }),
            }
        }
        "leak" => leak(a)?,
        "hoard" => hoard(a)?,
        "xml-bomb" => json!({ "size": expand("lol", 9).len() }),
        // One after the other, whatever becomes of each.
        "each" => {
            let all = a["all"].as_array().into_iter().flatten();
            json!({ "each": all.map(|one| act(one).unwrap_or_else(|f| json!({ "fault": f.code }))).collect::<Vec<_>>() })
        }
        // The same again until it fails; the fault is passed on when asked for.
        "repeat" => {
            let mut done = 0;
            loop {
                match act(&a["what"]) {
                    Ok(_) => done += 1,
                    Err(f) if a["pass"] == true => return Err(f),
                    Err(f) => break json!({ "done": done, "code": f.code }),
                }
            }
        }
        "calls" => json!({ "calls": calls::make(&a["calls"]) }),
        "http" => send(a)?,
        "dial" => talk(a)?,
        other => json!({ "unknown": other }),
    })
}

impl login::Guest for Hostile {
    fn begin(c: Context, start: login::Start) -> Result<login::Progress, Fault> {
        let asked: Value = serde_json::from_str(&start.extra).unwrap_or_default();
        let step = match asked["do"].as_str() {
            Some("redirect") => login::Step::Redirect(text(&asked, "to")),
            Some("bad-json") => login::Step::Wait(("{".into(), 0)),
            Some("deep-json") => login::Step::Wait(("[".repeat(100) + &"]".repeat(100), 0)),
            Some("context") => login::Step::Wait((
                json!({ "tenant": c.tenant, "installation": c.installation, "call": c.call_id, "trace": c.trace,
                    "locale": c.locale, "zone": c.time_zone, "live": c.live, "attempt": c.attempt,
                    "budget": c.budget_ms, "base": c.base_url })
                .to_string(),
                0,
            )),
            _ => login::Step::Wait((act(&asked)?.to_string(), 0)),
        };
        Ok(login::Progress {
            step,
            state: b"state".to_vec(),
            expires_s: 60,
        })
    }
    fn resume(_: Context, state: Vec<u8>, input: login::Input) -> Result<login::Progress, Fault> {
        let fields = match input {
            login::Input::Fields(f) => f,
            _ => vec![],
        };
        let subject = fields.first().map(|p| p.value.clone()).unwrap_or_default();
        Ok(login::Progress {
            step: login::Step::Done(session(subject)),
            state,
            expires_s: 0,
        })
    }
    fn unsolicited(_: Context, _: login::Input) -> Result<login::Session, Fault> {
        aistack_hostile::unsupported!()
    }
    fn renew(_: Context, _: String) -> Result<login::Session, Fault> {
        aistack_hostile::unsupported!()
    }
    fn logout(_: Context, _: login::Session, return_url: String) -> Result<Option<login::Step>, Fault> {
        Ok(Some(login::Step::Redirect(return_url)))
    }
}

fn session(subject: String) -> login::Session {
    login::Session {
        user: login::User {
            subject,
            alternate_ids: vec![Pair {
                key: "issuer".into(),
                value: "https://idp.example".into(),
            }],
            username: None,
            email: Some("a@example.com".into()),
            email_verified: true,
            phone: None,
            display_name: Some("A\u{202e}B".into()),
            avatar: Some("javascript:alert(1)".into()),
            groups: vec![],
            attributes: "{}".into(),
        },
        provider_session: None,
        expires_ms: None,
        acr: None,
        amr: vec!["pwd".into()],
        tokens: Some("{\"access\":1}".into()),
    }
}

impl directory::Guest for Hostile {
    fn sync(_: Context, _: bool, _: Option<Vec<u8>>, _: u32) -> Result<directory::Page, Fault> {
        aistack_hostile::unsupported!()
    }
    fn find(_: Context, _: Pair) -> Result<Option<login::User>, Fault> {
        aistack_hostile::unsupported!()
    }
}
