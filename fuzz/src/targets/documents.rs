//! The two documents inside a component: the manifest and the schema of its settings.

use super::{Parts, is_code};
use aistack_domain::{
    FieldError,
    plugins::{
        grants,
        manifest::{self, CallClass, Manifest},
        port::PluginKind,
        schema::{Schema, with_host_part},
    },
};
use serde_json::{Value, json};

fn is_finding(f: &FieldError) -> bool {
    is_code(&f.code) && !f.message.is_empty() && (f.pointer.is_empty() || f.pointer.starts_with('/'))
}

/// Reading a manifest, and everything that is computed of one that is accepted.
pub fn manifest(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let read = manifest::lint(text);
    assert_eq!(read.is_ok(), manifest::parse(text).is_ok());
    let m = match read {
        Ok(m) => m,
        Err(found) => {
            assert!(!found.is_empty() && found.len() <= 50);
            for f in &found {
                assert!(is_finding(f), "{f:?}");
                assert!(
                    f.line.is_none_or(|l| (1..=text.lines().count() + 1).contains(&l)),
                    "{f:?}"
                );
            }
            return;
        }
    };
    assert!(m.kind().is_some());
    for class in [CallClass::Ordinary, CallClass::Inbound, CallClass::Run] {
        let limits = m.call_limits(class);
        assert!(limits.cpu <= limits.wall && limits.memory <= 64 << 20 && limits.log_bytes <= 64 << 10);
        assert!(limits.host_calls > 0 && limits.concurrency > 0);
    }
    let figures = m.breaker_figures();
    assert!(figures.errors > 0);
    let config = json!({ "issuer": "https://id.example.com", "host": "10.0.0.1:389" });
    let declared = grants::declared(&m, &config);
    assert!(declared.private_hosts.is_empty(), "a manifest opens no private host");
    assert_eq!(grants::within(declared.clone(), &declared), declared);
    // It is stored as JSON.
    let kept: Manifest = serde_json::from_str(&serde_json::to_string(&m).expect("it can be kept")).expect("and read");
    assert_eq!(kept, m);
}

/// A plugin's schema compiled with the platform's part in it, and a config held against it. The input is the schema,
/// 0xFF, the config.
pub fn config_schema(data: &[u8]) {
    let mut parts = Parts::of(data);
    let Ok(schema) = serde_json::from_slice::<Value>(parts.bytes()) else {
        return;
    };
    let config = serde_json::from_slice(parts.bytes()).unwrap_or_else(|_| json!({}));
    for kind in [PluginKind::Identity, PluginKind::Payment] {
        let Ok(whole) = with_host_part(kind, &schema) else {
            continue;
        };
        let Ok(schema) = Schema::compile(&whole) else { continue };
        match schema.accept(config.clone(), "/config") {
            Ok(accepted) => {
                let again = schema.accept(accepted.clone(), "/config");
                assert_eq!(again, Ok(accepted), "what was accepted stays as it is");
            }
            Err(found) => {
                assert!(!found.is_empty());
                for f in &found {
                    assert!(f.pointer.starts_with("/config") && !f.code.is_empty() && !f.message.is_empty());
                }
            }
        }
    }
}
