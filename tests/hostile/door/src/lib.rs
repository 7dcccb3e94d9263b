//! An identity plugin that can be installed and lets in whomever the browser says it is: the field `session` is the
//! session, as JSON. Its config says which step it takes first (`{"begin": {…}}`) and what its directory holds
//! (`{"directory": {…}}`). Whatever is safe about it, the platform makes safe.

wit_bindgen::generate!({
    path: "../../../wit/v1",
    world: "aistack:identity/identity-provider@1.0.0",
    generate_all,
});

use aistack::core::types::{Context, Fault, Kind, Pair};
use aistack::host::config;
use exports::aistack::identity::{directory, login};
use serde_json::{Value, json};

aistack_hostile::embed!(
    br#"
id = "test.door"
version = "1.0.0"
world = "aistack:identity/identity-provider@1.0"
publisher = "test"
name = { en = "A door that lets anybody in" }

[[egress]]
kind = "http"
hosts = ["widgets.example"]
reason = { en = "The widget it shows" }

[[endpoint]]
name = "notify"
methods = ["POST"]
max-body = "64KiB"

[limits]
call-ms = 10000
memory = "64MiB"

[config]
schema = "config.schema.json"

[failure]
breaker = { errors = 100, window = "1s", open = "1s" }
"#
);

struct Door;
aistack_hostile::idle_core!(Door);
aistack_hostile::obedient_inbound!(Door);
export!(Door);

fn text(v: &Value, key: &str) -> Option<String> {
    v[key].as_str().map(str::to_owned)
}

fn fault(code: &str) -> Fault {
    Fault {
        kind: Kind::Denied,
        code: code.into(),
        message: code.into(),
        user_message: None,
        retry_after_ms: None,
        outcome_unknown: false,
        provider_ref: None,
    }
}

fn told(part: &str) -> Value {
    let config: Value = serde_json::from_str(&config::get()).unwrap_or_default();
    config[part].clone()
}

/// The first step, of the kind that the config names.
fn step(told: &Value) -> login::Step {
    let texts = |v: &Value| {
        v.as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    };
    match told["step"].as_str().unwrap_or_default() {
        "redirect" => login::Step::Redirect(text(told, "url").unwrap_or_default()),
        "form-post" => login::Step::FormPost((text(told, "url").unwrap_or_default(), vec![])),
        "embed" => login::Step::Embed((told["widget"].to_string(), texts(&told["origins"]))),
        "done" => login::Step::Done(session(&json!({ "subject": "too-early" }))),
        _ => login::Step::Prompt(vec![login::Field {
            name: "session".into(),
            label: text(told, "label").unwrap_or_else(|| "Who are you?".into()),
            secret: false,
        }]),
    }
}

impl login::Guest for Door {
    fn begin(c: Context, _: login::Start) -> Result<login::Progress, Fault> {
        let told = told("begin");
        Ok(login::Progress {
            step: step(&told),
            // What was begun here has to be continued here; `resume` would notice, and must never need to.
            state: match told["state"].as_u64() {
                Some(bytes) => vec![b's'; bytes as usize],
                None => c.installation.into_bytes(),
            },
            expires_s: told["expires"].as_u64().unwrap_or(60) as u32,
        })
    }
    fn resume(c: Context, state: Vec<u8>, input: login::Input) -> Result<login::Progress, Fault> {
        if state != c.installation.as_bytes() {
            return Err(fault("foreign_state"));
        }
        let login::Input::Fields(fields) = input else {
            return Err(fault("no_fields"));
        };
        let said = fields
            .iter()
            .find(|p| p.key == "session")
            .ok_or_else(|| fault("no_session"))?;
        let said: Value = serde_json::from_str(&said.value).map_err(|_| fault("no_json"))?;
        Ok(login::Progress {
            step: login::Step::Done(session(&said)),
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
    fn logout(_: Context, _: login::Session, _: String) -> Result<Option<login::Step>, Fault> {
        Ok(None)
    }
}

fn user(said: &Value) -> login::User {
    let groups = said["groups"].as_u64().unwrap_or(0);
    login::User {
        subject: text(said, "subject").unwrap_or_default(),
        alternate_ids: text(said, "issuer")
            .into_iter()
            .map(|value| Pair {
                key: "issuer".into(),
                value,
            })
            .collect(),
        username: text(said, "username"),
        email: text(said, "email"),
        email_verified: said["verified"] == true,
        phone: None,
        display_name: text(said, "name"),
        avatar: text(said, "avatar"),
        groups: (0..groups).map(|n| format!("g{n}")).collect(),
        attributes: "{}".into(),
    }
}

fn session(said: &Value) -> login::Session {
    login::Session {
        user: user(said),
        provider_session: None,
        expires_ms: None,
        acr: None,
        amr: vec!["pwd".into()],
        tokens: None,
    }
}

impl directory::Guest for Door {
    /// `{"people": n}` is a directory of so many in pages of `limit`; `"end": false` never ends it, `"stuck": true` gives
    /// the same cursor for ever, `"empty": true` says that there is nobody.
    fn sync(_: Context, full: bool, cursor: Option<Vec<u8>>, limit: u32) -> Result<directory::Page, Fault> {
        let told = told("directory");
        let from: u64 = cursor
            .filter(|_| !full)
            .and_then(|c| String::from_utf8(c).ok())
            .and_then(|c| c.parse().ok())
            .unwrap_or(0);
        let people = if told["empty"] == true {
            0
        } else {
            told["people"].as_u64().unwrap_or(0)
        };
        let endless = told["end"] == false;
        let to = if endless {
            from + u64::from(limit)
        } else {
            people.min(from + u64::from(limit))
        };
        let changes = (from..to)
            .map(|n| {
                let said = json!({ "subject": format!("p{n}"), "email": format!("p{n}@door.test"), "verified": true,
                    "name": format!("Person {n}") });
                directory::Change::User((user(&said), true))
            })
            .collect();
        Ok(directory::Page {
            changes,
            cursor: if told["stuck"] == true {
                b"0".to_vec()
            } else {
                to.to_string().into_bytes()
            },
            more: endless || told["stuck"] == true || to < people,
            full_snapshot_end: !endless && told["stuck"] != true && to >= people,
        })
    }
    fn find(_: Context, _: Pair) -> Result<Option<login::User>, Fault> {
        Ok(None)
    }
}
