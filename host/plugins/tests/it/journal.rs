//! Recorded calls: a replay comes to the same bytes without asking anybody, and no secret stands in a journal.

use crate::{harness::*, peer::*};
use aistack_core::InstallationId;
use aistack_domain::plugins::port::*;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use uuid::Uuid;

const SECRET: &str = "sk_test_51Hx/very+secret";

fn grants(host: &str, uses: &[&str]) -> Grants {
    let mut granted = all_grants();
    granted.private_hosts = strings(&[host]);
    granted.secrets.insert(
        "key".to_owned(),
        SecretGrant {
            uses: strings(uses),
            hosts: strings(&[host]),
        },
    );
    granted
}

fn recording(b: &Bench, digest: &Arc<str>, granted: Grants) -> Invocation {
    Invocation {
        installation: InstallationId(Uuid::now_v7()),
        powers: powers(granted),
        secrets: Arc::new(secrets(&[("key", &[SECRET, "an-older-one"])])),
        journal: JournalMode::Record { budget: 1 << 20 },
        ..b.invocation(digest)
    }
}

fn recorded(b: &Bench) -> Journal {
    match b.platform.last().tape.map(|t| *t) {
        Some(Tape::Recorded(journal)) => *journal,
        other => panic!("a journal was kept: {other:?}"),
    }
}

/// Replays on a host of its own, with a platform that knows nothing and secrets that are not there.
async fn replay(journal: Journal) -> (Result<(), Fault>, Replayed, CallReceipt) {
    let b = Bench::new();
    let digest = b.admit("identity").await;
    let inv = Invocation {
        secrets: Arc::default(),
        journal: JournalMode::Replay(Arc::new(journal)),
        ..b.invocation(&digest)
    };
    let done = b.host.replay(inv).await;
    assert!(b.platform.kv.lock().unwrap().is_empty(), "a replay writes nothing");
    let receipt = b.platform.last();
    match receipt.tape.clone().map(|t| *t) {
        Some(Tape::Replayed(replayed)) => (done, replayed, receipt),
        other => panic!("it was a replay: {other:?}"),
    }
}

/// A bit of everything: what differs from run to run, what reads, what writes, what uses a secret.
async fn busy(b: &Bench, what: &[Value], uses: &[&str]) -> (Result<Value, Fault>, Journal) {
    let answer = "HTTP/1.1 200 OK\r\nx-id: 42\r\ncontent-length: 4\r\n\r\n\u{0}\u{1}\u{2}\u{3}";
    let peer = Peer::new(&[("/pay", answer)]).await;
    let digest = b.admit("identity").await;
    let mut all = what.to_vec();
    for one in &mut all {
        if one["path"].is_string() {
            one["url"] = json!(peer.url(one["path"].as_str().unwrap()));
        }
    }
    let inv = recording(b, &digest, grants(&peer.host(), uses));
    let done = b.ask(inv, json!({ "do": "each", "all": all })).await;
    (done, recorded(b))
}

#[tokio::test]
async fn a_replay_is_equal_bit_for_bit() {
    let b = Bench::new();
    let what = [
        json!({ "do": "now" }),
        json!({ "do": "random", "n": 32 }),
        json!({ "do": "config" }),
        json!({ "do": "kv", "op": "get", "key": "token" }),
        json!({ "do": "kv", "op": "put", "key": "token", "value": "t1" }),
        json!({ "do": "kv", "op": "get", "key": "token" }),
        json!({ "do": "http", "path": "/pay", "method": "POST", "body": "amount=1", "secret": "key", "as": "bearer" }),
        json!({ "do": "versions", "name": "key" }),
        json!({ "do": "mac", "name": "key", "alg": "HS256", "data": "x" }),
        json!({ "do": "mac", "name": "key", "alg": "nonsense", "data": "x" }),
        json!({ "do": "sleep", "ms": 20 }),
        json!({ "do": "map" }),
    ];
    let (done, journal) = busy(&b, &what, &["mac:HS256", "http:bearer"]).await;
    let done = done.unwrap();
    assert_eq!(done["each"][6]["status"], 200, "{done}");
    assert!(!journal.tainted && !journal.cut, "handles are no secrets");
    assert_eq!(
        (journal.operation.as_str(), journal.outcome),
        ("login.begin", CallOutcome::Ok)
    );
    let kept: BTreeSet<&str> = journal.entries.iter().map(|e| e.import.as_str()).collect();
    for import in [
        "clock.now_ms",
        "clock.monotonic_ns",
        "random.bytes",
        "config.get",
        "kv.get",
        "kv.put",
        "http.send",
        "secrets.versions",
        "secrets.open",
        "secrets.secret.size",
        "secrets.secret.drop",
        "crypto.mac",
        "wasi:clocks/wall-clock.now",
        "wasi:clocks/monotonic-clock.now",
    ] {
        assert!(kept.contains(import), "{import} is not in {kept:?}");
    }
    assert!(kept.iter().any(|k| k.starts_with("wasi:random/")), "{kept:?}");

    // As it is stored and fetched.
    let journal: Journal = serde_json::from_str(&serde_json::to_string(&journal).unwrap()).unwrap();
    let (again, replayed, receipt) = replay(journal.clone()).await;
    assert_eq!((again, replayed.difference), (Ok(()), None));
    assert_eq!(replayed.output, journal.output);
    assert_eq!(receipt.outcome, CallOutcome::Ok);
    assert_eq!(
        (receipt.bytes_out, receipt.bytes_in),
        (0, 0),
        "nothing outside was asked"
    );
    assert!(
        replayed.output.unwrap()["ok"]["step"]["wait"][0]
            .as_str()
            .unwrap()
            .contains("x-id: 42")
    );
}

#[tokio::test]
async fn a_component_that_does_something_else_is_told_where() {
    let b = Bench::new();
    let (_, journal) = busy(
        &b,
        &[
            json!({ "do": "kv", "op": "get", "key": "a" }),
            json!({ "do": "random", "n": 2 }),
        ],
        &[],
    )
    .await;
    let with = |change: &dyn Fn(&mut Value)| {
        let mut changed = journal.clone();
        let asked = &mut changed.arguments[0]["extra"];
        let mut what: Value = serde_json::from_str(asked.as_str().unwrap()).unwrap();
        change(&mut what["all"]);
        *asked = what.to_string().into();
        assert_ne!(changed.arguments, journal.arguments);
        changed
    };
    let seq = |import: &str| journal.entries.iter().find(|e| e.import == import).unwrap().seq;

    // Another argument.
    let (done, replayed, receipt) = replay(with(&|all| all[0]["key"] = json!("b"))).await;
    let fault = done.unwrap_err();
    assert_eq!(
        (fault.code.as_str(), receipt.code.as_deref()),
        ("replay_diverged", Some("replay_diverged"))
    );
    let difference = replayed.difference.unwrap();
    assert_eq!(difference.seq, seq("kv.get"));
    assert_eq!(
        difference.expected,
        json!({ "import": "kv.get", "args": { "key": "a" } })
    );
    assert_eq!(difference.got, json!({ "import": "kv.get", "args": { "key": "b" } }));
    assert!(
        fault.message.contains("entry") && fault.message.contains("kv.get"),
        "{fault}"
    );

    // Another import; one too few; the same imports and another answer.
    let (_, replayed, _) = replay(with(&|all| all[1]["do"] = json!("now"))).await;
    assert_ne!(replayed.difference.unwrap().got["import"], "random.bytes");
    let (_, replayed, _) = replay(with(&|all| all[1]["do"] = json!("nothing"))).await;
    let difference = replayed.difference.unwrap();
    assert_eq!(
        (difference.seq, &difference.expected["import"]),
        (seq("random.bytes"), &json!("random.bytes"))
    );
    assert!(difference.got["end"]["ok"].is_object(), "{difference:?}");
    let mut other = journal.clone();
    other.output.as_mut().unwrap()["ok"]["expires_s"] = json!(61);
    let (done, replayed, _) = replay(other).await;
    let difference = replayed.difference.unwrap();
    assert_eq!(done.unwrap_err().code, "replay_diverged");
    assert_eq!(difference.got["end"]["ok"]["expires_s"], 60);

    // A log line more is no difference.
    let logs = with(&|all| {
        let log = json!({ "do": "log-flood", "lines": 2 });
        all.as_array_mut().unwrap().insert(0, log);
    });
    let (_, replayed, receipt) = replay(logs).await;
    assert_eq!(receipt.log.len(), 2);
    assert_eq!(
        replayed.difference.unwrap().got["end"]["ok"]["expires_s"],
        60,
        "it is the answer alone that differs"
    );
}

#[tokio::test]
async fn secrets_never_stand_in_a_journal() {
    let b = Bench::new();
    let spelt = [
        SECRET.to_owned(),
        hex(SECRET.as_bytes()),
        STANDARD.encode(SECRET),
        SECRET.replace('/', "%2F").replace('+', "%2B"),
    ];
    let leak = |how: &str, shown: &str| json!({ "do": "leak", "name": "key", "how": how, "as": shown, "path": "/pay" });
    let what = [
        leak("log", ""),
        leak("log", "hex"),
        leak("kv", ""),
        leak("kv-key", "hex"),
        leak("body", ""),
        leak("header", "hex"),
        leak("url", "hex"),
        // The peer's answer and state kept before hold it as well.
        json!({ "do": "kv", "op": "get", "key": "old" }),
        json!({ "do": "random", "n": 4 }),
    ];
    let old = KvEntry {
        value: format!("<{SECRET}> <{}>", STANDARD.encode(SECRET)).into_bytes(),
        version: 1,
    };
    b.platform.kv.lock().unwrap().insert("old".to_owned(), old);
    let (done, journal) = busy(&b, &what, &["reveal"]).await;
    assert!(
        done.is_ok() || done.as_ref().unwrap_err().code == "secret_in_output",
        "{done:?}"
    );
    let text = serde_json::to_string(&journal).unwrap();
    for spelling in &spelt {
        assert!(!text.contains(spelling.as_str()), "{spelling} stands in {text}");
    }
    // In the bytes of the values too, which are not always texts.
    for part in [&SECRET.as_bytes()[..12], b"very+secret"] {
        assert!(!text.contains(&STANDARD.encode(part)[..12]), "{text}");
    }
    assert!(journal.tainted, "it was revealed");
    let shown = journal.entries.iter().find(|e| e.import == "reveal.expose").unwrap();
    let stand_in = shown.result["ok"]["$text"].as_str().unwrap();
    assert_eq!(stand_in.len(), SECRET.len());

    // What the plugin made of the stand-in goes where the secret went, so this replay is equal all the same.
    let (_, replayed, _) = replay(journal.clone()).await;
    assert_eq!(replayed.difference, None);
    assert_eq!(replayed.output, journal.output);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[tokio::test]
async fn calls_that_were_cut_off_end_alike() {
    let b = Bench::new();
    for (what, code) in [
        (json!({ "do": "panic" }), "trap"),
        (json!({ "do": "exit" }), "exit"),
        (json!({ "do": "handles" }), "handles_exceeded"),
        (json!({ "do": "bomb" }), "memory_exceeded"),
        (
            json!({ "do": "repeat", "what": { "do": "random" } }),
            "host_calls_exceeded",
        ),
        (json!({ "do": "random", "n": 1 << 20 }), "random_exceeded"),
    ] {
        let digest = b.admit("identity").await;
        let mut inv = recording(&b, &digest, all_grants());
        inv.limits.host_calls = 2_000;
        let fault = b.ask(inv, what.clone()).await.unwrap_err();
        assert_eq!(fault.code, code, "{what}");
        let journal = recorded(&b);
        assert_eq!((journal.code.as_deref(), &journal.output), (Some(code), &None));
        let limits = journal.limits;
        let b = Bench::new();
        let inv = Invocation {
            journal: JournalMode::Replay(Arc::new(journal)),
            limits,
            ..b.invocation(&b.admit("identity").await)
        };
        assert_eq!(b.host.replay(inv).await.unwrap_err().code, code, "{what}");
        let receipt = b.platform.last();
        let Some(Tape::Replayed(replayed)) = receipt.tape.map(|t| *t) else {
            panic!("a replay")
        };
        assert_eq!(replayed.difference, None, "{what}");
    }
}

#[tokio::test]
async fn a_journal_ends_where_its_budget_does() {
    let b = Bench::new();
    let digest = b.admit("identity").await;
    let inv = Invocation {
        journal: JournalMode::Record { budget: 20_000 },
        ..recording(&b, &digest, all_grants())
    };
    let all: Vec<Value> = (0..20).map(|_| json!({ "do": "random", "n": 4_000 })).collect();
    b.ask(inv, json!({ "do": "each", "all": all })).await.unwrap();
    let journal = recorded(&b);
    assert!(
        journal.cut && (1..6).contains(&journal.entries.len()),
        "{}",
        journal.entries.len()
    );
    let entries = journal.entries.len();
    let (done, replayed, _) = replay(journal).await;
    assert_eq!(done.unwrap_err().code, "replay_diverged");
    let difference = replayed.difference.unwrap();
    assert!(difference.expected["cut"].is_string(), "{difference:?}");
    assert_eq!(difference.seq as usize, entries + 1);
}

#[tokio::test]
async fn what_is_not_recorded_has_no_journal_and_operations_have_names() {
    let b = Bench::new();
    let digest = b.admit("identity").await;
    b.ask(b.invocation(&digest), json!({ "do": "now" })).await.unwrap();
    assert_eq!(b.platform.last().tape, None);
    let refused = b.host.replay(b.invocation(&digest)).await.unwrap_err();
    assert_eq!(refused.code, "no_journal");
    let inv = recording(&b, &digest, all_grants());
    b.ask(inv, json!({ "do": "now" })).await.unwrap();
    let journal = Journal {
        operation: "login.dance".to_owned(),
        ..recorded(&b)
    };
    let inv = Invocation {
        limits: CallLimits {
            wall: Duration::from_secs(1),
            ..CallLimits::default()
        },
        journal: JournalMode::Replay(Arc::new(journal)),
        ..b.invocation(&digest)
    };
    assert_eq!(b.host.replay(inv).await.unwrap_err().code, "no_such_operation");
}

#[tokio::test]
async fn what_people_type_in_confidence_does_not_stand_in_a_journal() {
    let b = Bench::new();
    let digest = b.admit("identity").await;
    let inv = recording(&b, &digest, all_grants());
    let typed = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    // The component makes the first field the subject of its answer.
    let fields = vec![typed("password", "correct horse"), typed("username", "ann-of-acme")];
    let done = b
        .host
        .identity()
        .resume(inv, b"state".to_vec(), LoginInput::Fields(fields))
        .await
        .unwrap();
    let LoginStep::Done(session) = done.step else {
        panic!("signed in")
    };
    assert_eq!(
        session.user.subject, "correct horse",
        "the component saw what was typed"
    );
    let journal = recorded(&b);
    let text = serde_json::to_string(&journal).unwrap();
    assert!(
        !text.contains("correct horse") && text.contains("ann-of-acme"),
        "{text}"
    );
    assert!(journal.tainted);
    let (done, replayed, _) = replay(journal.clone()).await;
    assert_eq!((done, replayed.difference), (Ok(()), None));
    assert_eq!(replayed.output, journal.output);
}
