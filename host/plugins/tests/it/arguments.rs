//! Every host import with arguments that nobody would think of, made by real components: the host does not panic, every
//! refusal is a fault with a code, a good neighbour's calls go on.

use crate::{basics::order, harness::*, hostile::with_good_neighbour, peer::*};
use aistack_core::InstallationId;
use aistack_domain::plugins::port::*;
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs, path::Path, sync::Arc, time::Duration};
use tokio::runtime::Handle;
use uuid::Uuid;

const IDENTITY: &[&str] = &[
    "clock.monotonic-ns",
    "clock.now-ms",
    "config.get",
    "crypto.certificate",
    "crypto.decrypt",
    "crypto.digest",
    "crypto.encrypt",
    "crypto.encrypt-to",
    "crypto.mac",
    "crypto.mac-verify",
    "crypto.open-aead",
    "crypto.seal-aead",
    "crypto.sign",
    "crypto.verify",
    "dial.conn.read",
    "dial.conn.start-tls",
    "dial.conn.write",
    "dial.conn.write-secret",
    "dial.connect",
    "http.send",
    "kv.get",
    "kv.put",
    "kv.remove",
    "log.emit",
    "random.bytes",
    "reveal.expose",
    "secrets.open",
    "secrets.secret.size",
    "secrets.versions",
    "drop",
];
const PAYMENT: &[&str] = &[
    "blob.create",
    "blob.sink.finish",
    "blob.sink.write",
    "download.fetch",
    "download.reader.digest",
    "download.reader.name",
    "download.reader.read",
    "download.reader.size",
    "drop",
];
const REPORT: &[&str] = &[
    "datasets.open",
    "datasets.progress",
    "datasets.rows.columns",
    "datasets.rows.next",
    "drop",
];

/// Ends that a call may come to beside a result: a bound of the call, named. A panic of the host is none of them.
const BOUNDS: &[&str] = &[
    "random_exceeded",
    "handles_exceeded",
    "host_calls_exceeded",
    "transfer_exceeded",
    "memory_exceeded",
    "cpu_time_exceeded",
    "wall_time_exceeded",
];

/// The functions of the contract's host interfaces, read from the WIT: `kv.get`, `dial.conn.read`.
fn imports_of_the_contract() -> BTreeSet<String> {
    let deps = Path::new("../../wit/v1/deps");
    let mut files: Vec<_> = fs::read_dir(deps.join("host"))
        .unwrap()
        .map(|f| f.unwrap().path())
        .collect();
    files.push(deps.join("report/datasets.wit"));
    let mut all = BTreeSet::new();
    for file in files {
        let (mut interface, mut resource) = (String::new(), String::new());
        for line in fs::read_to_string(file).unwrap().lines() {
            let word = |line: &str| line.split([' ', ':', '{']).next().unwrap_or_default().to_owned();
            if let Some(rest) = line.strip_prefix("interface ") {
                interface = word(rest);
            } else if let Some(rest) = line.strip_prefix("    resource ") {
                resource = word(rest);
            } else if line == "    }" {
                resource.clear();
            } else if line.contains(": func(") {
                let within = if resource.is_empty() {
                    String::new()
                } else {
                    format!("{resource}.")
                };
                all.insert(format!("{interface}.{within}{}", word(line.trim())));
            }
        }
    }
    all
}

#[test]
fn the_calls_below_are_all_that_the_contract_has() {
    let made: BTreeSet<String> = [IDENTITY, PAYMENT, REPORT]
        .concat()
        .into_iter()
        .filter(|op| *op != "drop")
        .map(str::to_owned)
        .collect();
    assert_eq!(made, imports_of_the_contract());
}

/// Texts: of the right kind for something, hostile for something, or arbitrary.
fn text(peer: &str) -> BoxedStrategy<String> {
    let known = [
        "",
        "key",
        "v0",
        "v1",
        "other",
        "usage",
        "GET",
        "POST",
        "PUT",
        "CONNECT",
        "g\u{0}t",
        "HS256",
        "SHA-256",
        "MD5",
        "RS256",
        "ES256",
        "EdDSA",
        "A256GCM",
        "A256CBC",
        "RSA-OAEP",
        "none",
        "text/csv",
        "usage.csv",
        "..",
        "a/b",
        "host",
        "content-type",
        "application/x-www-form-urlencoded",
        "authorization",
        "x\r\ny: z",
        "gbk",
        "utf-16",
        "127.0.0.1",
        "localhost",
        "[::1]",
        "id.example.com",
        "https://api.example.com/x?y#z",
        "https://api.example.com@evil.test/",
        "http://169.254.169.254/",
        "file:///etc/passwd",
        "https://[::ffff:127.0.0.1]/",
        "{}",
        "[[[[",
        "{\"from\":1}",
        "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"\",\"y\":\"\"}",
        "-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
        "hex:",
        "hex:30",
        "hex:3082ffff",
        "hex:308201220300",
        "hex:000102030405060708090a0b",
        "hex:1f8b08000000000000030000",
        "hex:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
        "a-long-secret-of-32-characters!!",
        "\u{202e}\u{feff}\u{2028}",
        "\u{1b}[2J",
        "%00",
        "\u{10ffff}",
    ]
    .map(str::to_owned);
    let there = ["/ok", "/gzip", "/drop", "/big", "/to-private"].map(|p| format!("http://{peer}{p}"));
    prop_oneof![
        5 => proptest::sample::select([known.as_slice(), &there].concat()),
        2 => proptest::sample::select(there.to_vec()),
        2 => ".{0,40}",
        1 => proptest::collection::vec(any::<u8>(), 0..80).prop_map(|b| format!("hex:{}", hex::encode(b))),
        1 => (0..3usize, 1..20_000usize).prop_map(|(c, n)| ["x", "é", "\u{0}"][c].repeat(n)),
    ]
    .boxed()
}

fn number(port: u16) -> BoxedStrategy<u64> {
    prop_oneof![
        4 => 0..8u64,
        2 => Just(u64::from(port)),
        2 => proptest::sample::select(vec![63, 64, 65_535, 65_536, 65_537, u64::from(u32::MAX), 1 << 32, i64::MAX as u64, u64::MAX]),
        1 => any::<u64>(),
    ]
    .boxed()
}

/// A list of calls. Handles come first more often than not, or nothing would be done with them.
fn program(ops: &'static [&'static str], openers: &[Value], peer: &Peer) -> BoxedStrategy<Vec<Value>> {
    let call = (
        proptest::sample::select(ops),
        proptest::collection::vec(text(&peer.host()), 0..8),
        proptest::collection::vec(number(peer.port), 0..7),
    )
        .prop_map(|(op, s, n)| json!({ "op": op, "s": s, "n": n }));
    (
        proptest::sample::subsequence(openers.to_vec(), 0..=openers.len()),
        proptest::collection::vec(call, 1..14),
    )
        .prop_map(|(opened, calls)| [opened, calls].concat())
        .boxed()
}

/// Everything granted, so that arguments are refused for what they are.
fn generous(peer: &Peer) -> Grants {
    let uses = [
        "mac:HS256",
        "sign:RS256",
        "sign:ES256",
        "sign:EdDSA",
        "aead:A256GCM",
        "decrypt:A256CBC",
        "decrypt:RSA-OAEP",
        "encrypt:A256CBC",
        "http:bearer",
        "http:basic",
        "http:header",
        "http:query",
        "http:form",
        "http:client-cert",
        "dial:write",
        "dial:client-cert",
        "reveal",
    ];
    Grants {
        private_hosts: vec![peer.host()],
        http_hosts: strings(&["api.example.com"]),
        dial_targets: vec![peer.host(), "id.example.com:443".to_owned()],
        secrets: [(
            "key".to_owned(),
            SecretGrant {
                uses: strings(&uses),
                hosts: vec![peer.host()],
            },
        )]
        .into(),
        ..all_grants()
    }
}

/// What the guest tells of its calls, or the code it ended with.
type Told = Result<Value, Fault>;

fn is_code(code: &str) -> bool {
    (1..=64).contains(&code.len())
        && code
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn judge(told: Told, receipt: &CallReceipt) -> Result<(), TestCaseError> {
    match told {
        Ok(v) => {
            for one in v["calls"].as_array().expect("the guest tells of its calls") {
                if let Some(code) = one["code"].as_str() {
                    prop_assert!(is_code(code), "{one}");
                    prop_assert!(one["message"].as_str().is_some_and(|m| !m.is_empty()), "{one}");
                }
            }
            prop_assert_eq!(receipt.outcome, CallOutcome::Ok);
        }
        Err(f) => {
            prop_assert!(BOUNDS.contains(&f.code.as_str()), "{}: {:?}", f, receipt.log);
            prop_assert!(
                matches!(receipt.outcome, CallOutcome::Limit | CallOutcome::Timeout),
                "{:?}",
                receipt
            );
        }
    }
    Ok(())
}

/// Runs programs until as many as there are cases have been judged, beside a good neighbour.
async fn run(
    guest: &'static str,
    ops: &'static [&'static str],
    openers: fn(&Peer) -> Vec<Value>,
    call: fn(&Handle, &Bench, Invocation, Value) -> Told,
) {
    let gzip = b"HTTP/1.1 200 OK\r\ncontent-type: application/gzip\r\n\r\n\x1f\x8b\x08\x00not really".to_vec();
    let big = [b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b'x'; 300_000]].concat();
    let away = b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n".to_vec();
    let peer = Peer::with(vec![
        ("/gzip".to_owned(), gzip),
        ("/big".to_owned(), big),
        ("/drop".to_owned(), b"drop".to_vec()),
        ("/to-private".to_owned(), away),
    ])
    .await;
    let names = Names::new(&[
        ("id.example.com", &[&["169.254.169.254"]]),
        ("api.example.com", &[&["10.0.0.1"]]),
    ]);
    let b = Arc::new(Bench::with(|c| c.names = names));
    let digest = b.admit(guest).await;
    let grants = generous(&peer);
    let (own, handle) = (Arc::clone(&b), Handle::current());
    let judged = tokio::task::spawn_blocking(move || {
        let programs = program(ops, &openers(&peer), &peer);
        let config = Config {
            failure_persistence: None,
            // As many as PROPTEST_CASES says; most of them end within a millisecond, some wait for the wall.
            cases: Config::default().cases.min(100_000),
            ..Config::default()
        };
        // The same each time: what fails here fails for everybody.
        let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
        runner.run(&programs, |calls| {
            let mut inv = own.invocation(&digest);
            inv.installation = InstallationId(Uuid::now_v7());
            inv.powers = powers(grants.clone());
            inv.secrets = Arc::new(secrets(&[("key", &["the-key-of-this-one-installation", "older"])]));
            inv.limits.wall = Duration::from_millis(400);
            let told = call(&handle, &own, inv, json!(calls));
            let receipt = own.platform.last();
            own.platform.receipts.lock().unwrap().clear();
            judge(told, &receipt)
        })
    });
    let judged = with_good_neighbour(&b, judged).await.unwrap();
    assert!(judged.is_ok(), "{}", judged.unwrap_err());
    assert_eq!(b.host.pool().instances, 0, "everything was given back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn imports_of_identity_plugins_take_any_arguments() {
    let openers = |peer: &Peer| {
        vec![
            json!({ "op": "secrets.open", "s": ["key"] }),
            json!({ "op": "secrets.open", "s": ["key", "v1"] }),
            json!({ "op": "dial.connect", "s": ["127.0.0.1"], "n": [0, 0, peer.port] }),
            json!({ "op": "kv.put", "s": ["k", "v"], "n": [60] }),
            json!({ "op": "reveal.expose", "n": [0] }),
        ]
    };
    run("identity", IDENTITY, openers, |handle, b, inv, calls| {
        handle.block_on(b.ask(inv, json!({ "do": "calls", "calls": calls })))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn imports_of_payment_plugins_take_any_arguments() {
    let openers = |peer: &Peer| {
        vec![
            json!({ "op": "blob.create", "s": ["usage.csv", "text/csv"] }),
            json!({ "op": "blob.sink.write", "s": ["a,b"] }),
            json!({ "op": "download.fetch", "s": ["", peer.url("/big"), "GET"], "n": [0, 0, 1 << 20] }),
        ]
    };
    run("payment", PAYMENT, openers, |handle, b, inv, calls| {
        let order = order(json!({ "do": "calls", "calls": calls }));
        handle.block_on(b.host.payment().create(inv, order)).map(|p| p.raw)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn imports_of_report_plugins_take_any_arguments() {
    let openers = |_: &Peer| vec![json!({ "op": "datasets.open", "s": ["usage", "{}"], "n": [1] })];
    run("report", REPORT, openers, |handle, b, inv, calls| {
        let request = ReportRequest {
            report: "calls".to_owned(),
            params: json!({ "calls": calls }),
            format: "csv".to_owned(),
        };
        handle.block_on(b.host.report().run(inv, request))
    })
    .await;
}
