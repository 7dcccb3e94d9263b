//! The double keeps what the host keeps, and the suites fail plugins that they should fail.

use crate::conformance::{self, report};
use crate::keys::TestKey;
use crate::manifest::Manifest;
use crate::{FakeHost, get, post};
use aistack_sdk::host::{Cell, Column, ColumnKind, Credential, SendOptions};
use aistack_sdk::report::{Generator, Job};
use aistack_sdk::{Context, Fault, Feature, Finding, Host, HttpRequest, Kind};
use serde_json::{Value, json};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

const MANIFEST: &str = r#"
id = "test.pay"
version = "1.0.0"
world = "aistack:payment/payment-provider@1.0"
min-host = "0.1"
publisher = "test"
name = { en = "x", zh-CN = "x" }
description = { en = "x", zh-CN = "x" }
[[egress]]
kind = "http"
hosts = ["${config.base}", "api.example.test", "${config.more}"]
reason = { en = "x", zh-CN = "x" }
[[secret]]
name = "key"
kind = "text"
use = ["http:bearer", "mac:HS256"]
hosts = ["api.example.test"]
label = { en = "x", zh-CN = "x" }
[config]
schema = "config.schema.json"
"#;

fn options() -> SendOptions {
    SendOptions {
        timeout_ms: 0,
        max_bytes: 0,
        redirects: 0,
        idempotent: false,
        ca: None,
    }
}

fn send(host: &Host, url: &str) -> Result<u16, String> {
    host.send(&HttpRequest::get(url), Credential::None, &options())
        .map(|r| r.status)
        .map_err(|f| f.code)
}

#[test]
fn hosts_are_granted_by_the_manifest() {
    let config =
        json!({"base": "https://base.example.test/path", "more": ["one.example.test:8443", "http://two.example.test"]});
    let mut host = FakeHost::for_plugin(MANIFEST, config);
    let granted = [
        "https://base.example.test/x",
        "https://api.example.test",
        "https://API.example.test:443/",
        "https://one.example.test:8443/",
        "http://two.example.test/x",
    ];
    for url in granted {
        host = host.on(get(url)).reply_json(200, json!({}));
        assert_eq!(send(&host, url), Ok(200), "{url}");
    }
    for url in [
        "https://evil.example/",
        "http://api.example.test/",
        "https://api.example.test:8443/",
        "https://one.example.test/",
        "https://api.example.test.evil.example/",
        "https://api.example.test@evil.example/",
        "https://two.example.test/",
    ] {
        assert!(
            ["host_not_granted", "invalid_input", "not_a_url"].contains(&send(&host, url).unwrap_err().as_str()),
            "{url}"
        );
    }
    assert_eq!(host.requests().len(), granted.len(), "what is refused is not sent");
}

#[test]
fn secrets_are_used_only_as_and_where_declared() {
    let host = FakeHost::for_plugin(MANIFEST, json!({"base": "https://base.example.test"}))
        .secret("key", "s3cret")
        .on(get("https://api.example.test/"))
        .reply_json(200, json!({}));
    let key = host.secret_handle("key");
    let code = |url: &str, credential: Credential<'_>| {
        host.send(&HttpRequest::get(url), credential, &options())
            .map(drop)
            .map_err(|f| f.code)
    };
    assert_eq!(code("https://api.example.test/", Credential::Bearer(&key)), Ok(()));
    assert_eq!(host.requests()[0].header("authorization"), Some("Bearer s3cret"));
    assert_eq!(
        code("https://api.example.test/", Credential::Basic("u", &key)),
        Err("use_not_granted".into())
    );
    assert_eq!(
        code("https://base.example.test/", Credential::Bearer(&key)),
        Err("secret_not_bound".into())
    );
    assert!(host.mac("HS256", &key, b"x").is_ok());
    assert_eq!(host.mac("HS512", &key, b"x").unwrap_err().code, "use_not_granted");
    assert_eq!(host.reveal(&key).unwrap_err().kind, Kind::Denied);
    assert_eq!(Host::secret(&host, "other").unwrap_err().kind, Kind::NotFound);
    assert_eq!(host.kv_get("x").unwrap_err().code, "interface_not_granted");
    assert_eq!(
        host.open_dataset("usage.daily", &json!({}), 0)
            .map(drop)
            .unwrap_err()
            .code,
        "interface_not_granted"
    );
}

#[test]
fn the_key_value_space_expires_and_lets_one_caller_win() {
    let host = FakeHost::new();
    assert_eq!(host.kv_put_absent("k", b"1", Some(10)), Ok(true));
    assert_eq!(host.kv_put_absent("k", b"2", Some(10)), Ok(false));
    let entry = host.kv_get("k").unwrap().unwrap();
    assert_eq!(host.kv_put_if("k", b"3", None, entry.version), Ok(true));
    assert_eq!(host.kv_put_if("k", b"4", None, entry.version), Ok(false));
    host.kv_put("short", b"x", Some(10)).unwrap();
    host.advance(Duration::from_millis(9_999));
    assert!(host.kv_get("short").unwrap().is_some());
    host.advance(Duration::from_millis(1));
    assert_eq!(
        (host.kv_get("short").unwrap(), host.kv_keys()),
        (None, vec!["k".to_owned()])
    );
    assert_eq!(host.kv_put_absent("short", b"y", None), Ok(true), "expired is absent");
    host.kv_remove("k").unwrap();
    for bad in ["", "a\nb", &"x".repeat(257)] {
        assert_eq!(host.kv_put(bad, b"", None).unwrap_err().kind, Kind::InvalidInput);
    }
}

#[test]
fn keys_of_all_algorithms_sign_what_the_host_verifies() {
    for alg in [
        "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA",
    ] {
        let key = TestKey::generate(alg, "k");
        let host = FakeHost::new().secret("pem", key.pem());
        let jwk = key.jwk().to_string();
        let by_handle = host.sign(alg, &host.secret_handle("pem"), b"data").unwrap();
        for signature in [by_handle, key.sign(b"data")] {
            assert_eq!(host.verify(alg, jwk.as_bytes(), b"data", &signature), Ok(true), "{alg}");
            assert_eq!(
                host.verify(alg, jwk.as_bytes(), b"other", &signature),
                Ok(false),
                "{alg}"
            );
        }
        let wrong = if alg == "EdDSA" { "ES256" } else { "EdDSA" };
        assert_eq!(
            host.verify(wrong, jwk.as_bytes(), b"data", b"").unwrap_err().kind,
            Kind::InvalidInput
        );
    }
    assert_eq!(
        FakeHost::new().digest("SHA-7", b"").unwrap_err().code,
        "unsupported_algorithm"
    );
}

#[test]
fn sealed_texts_open_only_as_they_were_sealed() {
    let host = FakeHost::new().secret("k", [7_u8; 32]);
    let key = host.secret_handle("k");
    let sealed = host.seal_aead("A256GCM", &key, &[1; 12], b"aad", b"text").unwrap();
    assert_eq!(
        host.open_aead("A256GCM", &key, &[1; 12], b"aad", &sealed).unwrap(),
        b"text"
    );
    assert_eq!(
        host.open_aead("A256GCM", &key, &[1; 12], b"other", &sealed)
            .unwrap_err()
            .kind,
        Kind::SignatureInvalid
    );
    assert!(host.open_aead("A256GCM", &key, &[1; 3], b"aad", b"").is_err());
}

#[test]
fn answers_are_scripted_in_order_and_dice_and_clock_are_the_tests() {
    let host = FakeHost::new()
        .on(get("https://h/a").when(|r| r.header("x").is_some()))
        .reply_json(418, json!({}))
        .on(get("https://h/a"))
        .once()
        .reply_json(201, json!({}))
        .on(get("https://h/a"))
        .reply_json(202, json!({}))
        .on(post("https://h/a"))
        .fail(Fault::transport("down", "down"));
    assert_eq!(
        [(); 3].map(|()| send(&host, "https://h/a?q=1").unwrap()),
        [201, 202, 202]
    );
    assert_eq!(send(&host, "https://h/b"), Err("unscripted_request".into()));
    let marked = HttpRequest::get("https://h/a").with_header("x", "1");
    assert_eq!(host.send(&marked, Credential::None, &options()).unwrap().status, 418);
    let small = SendOptions {
        max_bytes: 1,
        ..options()
    };
    assert_eq!(
        host.send(&marked, Credential::None, &small).unwrap_err().code,
        "response_too_large"
    );

    let (one, two, other) = (FakeHost::new(), FakeHost::new(), FakeHost::new().seed(1));
    let first = one.random::<16>();
    assert_eq!((first, one.random::<16>() == first), (two.random::<16>(), false));
    assert_ne!(other.random::<16>(), first);
}

#[test]
fn a_manifest_is_read_strictly() {
    assert_eq!(Manifest::parse(MANIFEST).unwrap().complaints(), Vec::<String>::new());
    assert!(Manifest::parse(&MANIFEST.replace("[[egress]]", "[[egres]]")).is_err());
    for (from, to) in [
        ("id = \"test.pay\"", "id = \"pay\""),
        ("version = \"1.0.0\"", "version = \"1.0\""),
        ("payment-provider@1.0", "payment-provider@9.0"),
        ("name = { en = \"x\", zh-CN = \"x\" }", "name = { en = \"x\" }"),
        ("hosts = [\"api.example.test\"]", "hosts = []"),
        ("config.schema.json", "other.json"),
    ] {
        let changed = MANIFEST.replacen(from, to, 1);
        assert_ne!(changed, MANIFEST, "{from}");
        assert!(!Manifest::parse(&changed).unwrap().complaints().is_empty(), "{to}");
    }
}

/// A report plugin that can be made to misbehave in one way.
#[derive(Default)]
struct Odd(&'static str);

impl Generator for Odd {
    fn describe(&self) -> Vec<Feature> {
        if self.0 == "silent" {
            Vec::new()
        } else {
            vec![Feature::new("report:rows")]
        }
    }
    fn check(&self, host: &Host, _: &Context, deep: bool) -> Vec<Finding> {
        let empty = host
            .config::<serde_json::Map<String, Value>>()
            .is_ok_and(|c| c.is_empty());
        let opened = !deep || host.open_dataset("usage.daily", &json!({}), 0).is_ok();
        let fine = self.0 == "careless" || (empty && opened);
        vec![if fine {
            Finding::ok("fine")
        } else {
            Finding::problem("not fine")
        }]
    }
    fn run(&self, host: &Host, _: &Context, job: Job) -> Result<Value, Fault> {
        if job.report != "rows" || job.format != "txt" || job.params != json!({}) {
            return if self.0 == "gullible" {
                Ok(json!({}))
            } else {
                Err(Fault::invalid_input("no", "no"))
            };
        }
        let mut file = host.create_file("rows.txt", "text/plain")?;
        file.write(b"x")?;
        if self.0 == "stubborn" {
            file.finish()?;
            return if host.progress(50) {
                Ok(json!({"rows": 0, "files": ["rows.txt"]}))
            } else {
                Err(Fault::denied("cancelled", "c"))
            };
        }
        if !host.progress(50) {
            return Err(Fault::denied("cancelled", "cancelled"));
        }
        file.finish()?;
        let _ = host.progress(100);
        let name = if self.0 == "liar" { "other.txt" } else { "rows.txt" };
        Ok(json!({"rows": 0, "files": [name]}))
    }
}

#[test]
fn the_suite_passes_a_good_plugin_and_fails_bad_ones() {
    let manifest = r#"
id = "test.rows"
version = "1.0.0"
world = "aistack:report/report-generator@1.0"
min-host = "0.1"
publisher = "test"
name = { en = "x", zh-CN = "x" }
description = { en = "x", zh-CN = "x" }
[[report]]
name = "rows"
title = { en = "x", zh-CN = "x" }
formats = ["txt"]
datasets = ["usage.daily"]
params = { type = "object" }
[config]
schema = "config.schema.json"
"#;
    let schema = r#"{"type": "object", "additionalProperties": false, "properties": {}}"#;
    let host = |config: Value| {
        let day = Column {
            name: "day".into(),
            kind: ColumnKind::Text,
            labels: Vec::new(),
            unit: String::new(),
        };
        FakeHost::for_plugin(manifest, config).dataset("usage.daily", vec![day], vec![vec![Cell::Null]])
    };
    let passes = |flaw: &'static str, schema: &str| {
        let suite = conformance::Plugin {
            plugin: Odd(flaw),
            manifest,
            schema,
            config: json!({}),
            host: &host,
        };
        catch_unwind(AssertUnwindSafe(|| report::run(&suite, &json!({})))).is_ok()
    };
    assert!(passes("", schema));
    for flaw in ["silent", "careless", "gullible", "stubborn", "liar"] {
        assert!(!passes(flaw, schema), "{flaw}");
    }
    let bare = r#"{"type": "object", "additionalProperties": false, "properties": {"x": {"type": "string"}}}"#;
    assert!(!passes("", bare), "a field without place, texts and default");
}
