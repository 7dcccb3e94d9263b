//! Schemas and manifests.

use crate::world::{IDENTITY, PAYMENT, REPORT};
use aistack_domain::plugins::{
    grants::{self, GrantRequest, normal_host},
    manifest::{self, CallClass},
    schema::Schema,
};
use serde_json::json;
use std::time::Duration;

#[test]
fn the_test_manifests_and_their_json_mean_the_same() {
    for text in [IDENTITY, PAYMENT, REPORT] {
        let m = manifest::parse(text).unwrap();
        let again = serde_json::from_value(serde_json::to_value(&m).unwrap()).unwrap();
        assert_eq!(m, again);
    }
}

#[test]
fn manifests_that_say_nothing_sensible_are_refused() {
    for (from, to, why) in [
        (
            "publisher = \"test\"",
            "publisher = \"test\"\npublsher = 1",
            "unknown field",
        ),
        ("test.idp", "Test", "id"),
        ("identity-provider@1.0", "thing@1.0", "world"),
        ("kind = \"http\"", "kind = \"ftp\"", "variant"),
        ("[\"${config.issuer}\"]\n[[secret]]", "[]\n[[secret]]", "no hosts"),
        (
            "[\"${config.issuer}\"]\n[[secret]]",
            "[\"*\"]\n[[secret]]",
            "neither host",
        ),
        (
            "[\"${config.issuer}\"]\n[[secret]]",
            "[\"http://u@h/\"]\n[[secret]]",
            "neither host",
        ),
        ("name = \"client_secret\"", "name = \"Client Secret\"", "lower-case"),
        ("1KiB", "1 potato", "size"),
    ] {
        let text = IDENTITY.replacen(from, to, 1);
        assert_ne!(text, IDENTITY, "{from}");
        let e = manifest::parse(&text).unwrap_err().to_string();
        assert!(e.contains(why), "{to}: {e}");
    }
    assert!(manifest::parse(&PAYMENT.replace("1KiB", "2MiB")).is_err());
    assert!(manifest::parse(&PAYMENT.replace("\"POST\"", "\"DELETE\"")).is_err());
    let twice = format!("{PAYMENT}\n[[endpoint]]\nname = \"notify\"\n");
    assert!(manifest::parse(&twice).unwrap_err().to_string().contains("twice"));
    assert!(manifest::parse(&REPORT.replace("[[report]]", "[[report]]\nparams = 1")).is_err());
}

#[test]
fn limits_are_the_authors_wish_within_the_hosts_caps() {
    let asked = format!("{IDENTITY}\n[limits]\ncall-ms = 99999999\nmemory = \"8GiB\"\ninbound-ms = 1\n");
    let m = manifest::parse(&asked).unwrap();
    let l = m.call_limits(CallClass::Ordinary);
    assert_eq!((l.wall, l.memory), (Duration::from_secs(30), 64 << 20));
    assert_eq!(m.call_limits(CallClass::Inbound).wall, Duration::from_millis(50));
    assert!(m.call_limits(CallClass::Run).cpu <= m.call_limits(CallClass::Run).wall);
}

#[test]
fn hosts_have_one_spelling() {
    for (text, port, host) in [
        ("API.Example.com", 443, Some("api.example.com:443")),
        ("api.example.com.", 443, Some("api.example.com:443")),
        ("api.example.com:80", 443, Some("api.example.com:80")),
        ("https://idp.example/realms/x", 443, Some("idp.example:443")),
        ("http://127.0.0.1:8080/realms/x", 443, Some("127.0.0.1:8080")),
        ("http://2130706433/", 443, Some("127.0.0.1:80")),
        ("[::1]:90", 443, Some("[::1]:90")),
        ("[::1]", 443, Some("[::1]:443")),
        ("ldaps://dc.example", 1, Some("dc.example:636")),
        ("bücher.example", 443, Some("xn--bcher-kva.example:443")),
        ("https://ok@evil.example/", 443, None),
        ("evil.example/path", 443, None),
        ("*.example.com", 443, None),
        ("file:///etc/passwd", 443, None),
        ("a b", 443, None),
        ("", 443, None),
    ] {
        assert_eq!(normal_host(text, port).as_deref(), host, "{text}");
    }
}

#[test]
fn grants_are_declared_and_asked_for() {
    let m = manifest::parse(IDENTITY).unwrap();
    let config = json!({ "issuer": "http://127.0.0.1:8080/realms/acme" });
    let all = grants::declared(&m, &config);
    assert_eq!(all.http_hosts, ["127.0.0.1:8080"]);
    assert_eq!(all.secrets["client_secret"].hosts, ["127.0.0.1:8080"]);
    assert!(all.interfaces.iter().any(|i| i == "http"));
    assert!(
        !all.interfaces
            .iter()
            .any(|i| i == "reveal" || i == "dial" || i == "datasets")
    );
    assert_eq!((all.kv_bytes, all.kv_keys), (1024, 3));
    // Nothing is private by itself.
    assert!(all.private_hosts.is_empty());
    let open = GrantRequest {
        private_hosts: Some(vec!["http://127.0.0.1:8080".to_owned()]),
        ..GrantRequest::default()
    };
    assert_eq!(
        grants::narrow(&all, &open, true, "/grants").unwrap().private_hosts,
        ["127.0.0.1:8080"]
    );
    let e = grants::narrow(&all, &open, false, "/grants").unwrap_err();
    assert_eq!(
        (e[0].pointer.as_str(), e[0].code.as_str()),
        ("/grants/private_hosts", "operator_only")
    );
    let beyond = GrantRequest {
        private_hosts: Some(vec!["169.254.169.254".to_owned()]),
        interfaces: Some(vec!["config".to_owned(), "dial".to_owned()]),
        http_hosts: Some(vec!["evil.example".to_owned()]),
        ..GrantRequest::default()
    };
    let e = grants::narrow(&all, &beyond, true, "/grants").unwrap_err();
    let at: Vec<_> = e.iter().map(|e| e.pointer.as_str()).collect();
    assert_eq!(
        at,
        [
            "/grants/interfaces/1",
            "/grants/http_hosts/0",
            "/grants/private_hosts/0"
        ]
    );
    let less = GrantRequest {
        interfaces: Some(vec!["config".to_owned()]),
        kv_bytes: Some(u64::MAX),
        ..GrantRequest::default()
    };
    let granted = grants::narrow(&all, &less, false, "/grants").unwrap();
    assert_eq!(granted.interfaces, ["config"]);
    assert_eq!(granted.kv_bytes, 1024);
    // A new host in the config is granted, what had been left out stays out.
    let moved = grants::declared(&m, &json!({ "issuer": "https://idp.example" }));
    let carried = grants::carry_over(&all, &granted, &moved);
    assert_eq!(
        (carried.interfaces, carried.http_hosts),
        (vec!["config".to_owned()], vec!["idp.example:443".to_owned()])
    );
}

#[test]
fn values_are_checked_with_pointers_and_defaults() {
    let schema = Schema::compile(&json!({
        "type": "object", "required": ["a/b"], "additionalProperties": false,
        "properties": {
            "a/b": { "type": "string", "minLength": 2 },
            "n": { "type": "integer", "default": 5 },
            "o": { "$ref": "#/$defs/o" },
            "l": { "type": "array", "items": { "type": "object", "properties": { "x": { "default": true } } } }
        },
        "$defs": { "o": { "type": "object", "default": {}, "properties": { "p": { "default": "q" } } } }
    }))
    .unwrap();
    let ok = schema
        .accept(json!({ "a/b": "yes", "o": {}, "l": [{}, { "x": false }] }), "")
        .unwrap();
    assert_eq!(
        ok,
        json!({ "a/b": "yes", "n": 5, "o": { "p": "q" }, "l": [{ "x": true }, { "x": false }] })
    );
    for (value, pointer, code) in [
        (json!({}), "/config/a~1b", "required"),
        (json!({ "a/b": "x" }), "/config/a~1b", "too_short"),
        (json!({ "a/b": "xx", "zzz": 1 }), "/config/zzz", "unknown_member"),
        (json!({ "a/b": "xx", "n": "5" }), "/config/n", "type"),
        (json!([]), "/config", "type"),
    ] {
        let e = schema.accept(value.clone(), "/config").unwrap_err();
        assert!(
            e.iter().any(|e| e.pointer == pointer && e.code == code),
            "{value}: {e:?}"
        );
    }
    // An error never repeats the value: it may be a secret in the wrong place.
    let e = schema.accept(json!({ "a/b": "Z" }), "").unwrap_err();
    assert!(!e[0].message.contains('Z'), "{}", e[0].message);
}

#[test]
fn schemas_reach_nothing_outside_themselves() {
    for schema in [
        json!({ "$ref": "https://evil.example/schema.json" }),
        json!({ "properties": { "a": { "$ref": "file:///etc/passwd" } } }),
        json!({ "$ref": "other.json#/x" }),
        json!({ "$schema": "https://evil.example/meta", "type": "object" }),
        json!({ "type": "nonsense" }),
        json!({ "$ref": "#/$defs/missing" }),
        json!([1]),
    ] {
        assert!(Schema::compile(&schema).is_err(), "{schema}");
    }
    // What looks like a reference inside a value is a value.
    assert!(Schema::compile(&json!({ "const": { "$ref": "https://evil.example" } })).is_ok());
}

#[test]
fn a_pattern_can_not_burn_time() {
    let schema = Schema::compile(&json!({ "type": "string", "pattern": "^(a+)+$" })).unwrap();
    let value = format!("{}!", "a".repeat(50_000));
    assert!(schema.accept(json!(value), "").is_err());
}

#[test]
fn schemas_without_end_are_refused_however_short() {
    let doubling = |steps: usize| {
        let defs = (0..steps).map(|n| {
            let next = json!({ "$ref": format!("#/$defs/s{}", n + 1) });
            (format!("s{n}"), json!({ "allOf": [next.clone(), next] }))
        });
        let mut defs: serde_json::Map<_, _> = defs.collect();
        defs.insert(format!("s{steps}"), json!({ "type": "object" }));
        json!({ "$ref": "#/$defs/s0", "$defs": defs })
    };
    assert!(Schema::compile(&doubling(8)).is_ok());
    for (schema, why) in [
        (
            json!({ "allOf": [{ "$ref": "#" }, { "$ref": "#" }] }),
            "contains itself",
        ),
        (
            json!({ "properties": { "a": { "$ref": "#", "default": {} }, "b": { "$ref": "#", "default": {} } } }),
            "contains itself",
        ),
        (
            json!({ "items": { "$ref": "#/$defs/a%20b" }, "$defs": { "a b": { "items": { "$ref": "#" } } } }),
            "contains itself",
        ),
        // A name that is also a word of schemas hides nothing.
        (
            json!({ "properties": { "default": { "$ref": "#" } } }),
            "contains itself",
        ),
        (doubling(40), "references are followed"),
        (doubling(200), "deeper than"),
        (json!({ "$dynamicRef": "#x", "$dynamicAnchor": "x" }), "not offered"),
        (json!({ "$anchor": "x" }), "not offered"),
        (json!({ "$ref": "#x" }), "does not have"),
        (json!({ "properties": { "a": { "$id": "b", "$ref": "#" } } }), "$id"),
    ] {
        let refused = Schema::compile(&schema).unwrap_err().to_string();
        assert!(refused.contains(why), "{schema}: {refused}");
    }
    // The words are free where they are names of settings.
    let named =
        json!({ "$id": "https://acme.example/s", "properties": { "$id": { "type": "string" }, "$anchor": {} } });
    assert!(Schema::compile(&named).is_ok());
}
